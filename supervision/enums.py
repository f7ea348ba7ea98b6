"""Statuses of a task with their moves, measures, results, ends, and the acts of a task."""

from __future__ import annotations

from django.db import models


class TaskStatus(models.TextChoices):
    """Where a supervision task is."""

    NOTIFIED = "notified", "待查看"
    VIEWED = "viewed", "待签收"
    DISPUTED = "disputed", "争议协调中"
    ACKNOWLEDGED = "acknowledged", "已签收"
    IN_PROGRESS = "in_progress", "检查中"
    FINISHED = "finished", "待反馈"
    FED_BACK = "fed_back", "已反馈"
    RECTIFYING = "rectifying", "整改中"
    HANDED_OVER = "handed_over", "已移送执法"
    REVOCATION = "revocation", "已建议撤销许可"
    CLOSED = "closed", "已归档"


S = TaskStatus
MOVES: dict[str, frozenset[str]] = {
    S.NOTIFIED: frozenset({S.VIEWED}),
    S.VIEWED: frozenset({S.ACKNOWLEDGED, S.DISPUTED, S.CLOSED}),
    # Reassigned: told anew at the right office. Confirmed: back to where it was, its clock never stopped.
    S.DISPUTED: frozenset({S.NOTIFIED, S.VIEWED}),
    S.ACKNOWLEDGED: frozenset({S.IN_PROGRESS, S.FINISHED, S.CLOSED}),
    S.IN_PROGRESS: frozenset({S.FINISHED, S.CLOSED}),
    # Back to 检查中 where the only record was set aside.
    S.FINISHED: frozenset({S.FED_BACK, S.IN_PROGRESS}),
    S.FED_BACK: frozenset({S.RECTIFYING, S.HANDED_OVER, S.CLOSED}),
    # Back to 已反馈 where one order was followed and a later record found more.
    S.RECTIFYING: frozenset({S.REVOCATION, S.HANDED_OVER, S.CLOSED, S.FED_BACK}),
    S.HANDED_OVER: frozenset({S.CLOSED}),
    S.REVOCATION: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
OPEN = tuple(status for status in S if status != S.CLOSED)
# Taken with a measure and a planned day, not yet ended.
AT_WORK = (S.ACKNOWLEDGED, S.IN_PROGRESS, S.FINISHED, S.FED_BACK, S.RECTIFYING, S.HANDED_OVER, S.REVOCATION)
# Taken, its result not yet said.
BEFORE_FEEDBACK = (S.ACKNOWLEDGED, S.IN_PROGRESS, S.FINISHED)
# Looked at and not yet fed back: a record may still be set aside.
WHILE_LOOKED_AT = (S.IN_PROGRESS, S.FINISHED)
# The licence came to its end before the check did: a manager may close the task with that reason.
BEFORE_FINISH = (S.VIEWED, S.ACKNOWLEDGED, S.IN_PROGRESS)
# … or before what was found was set right: nothing is mended under a licence that is no more.
ENDS_WITH_LICENCE = (*BEFORE_FINISH, S.FED_BACK, S.RECTIFYING)


class Origin(models.TextChoices):
    """Where a task comes from."""

    CASE = "case", "审批办结"
    DRAW = "draw", "双随机抽查"
    STOCK = "stock", "存量证照"


class TaskEnd(models.TextChoices):
    """How a task ended."""

    CONFORMING = "conforming", "符合"
    FOLLOWED_UP = "followed_up", "基本符合，已处理"
    MENDED = "mended", "复查合格"
    REVOKED = "revoked", "许可已撤销"
    NOT_REVOKED = "not_revoked", "审批部门不予撤销"
    HANDED_OVER = "handed_over", "移送执法已有结果"
    LICENCE_ENDED = "licence_ended", "证照已失效"


class Measure(models.TextChoices):
    """The supervisory measure chosen at acknowledgement (L9c)."""

    ON_SITE = "on_site", "现场检查"
    OFF_SITE = "off_site", "非现场检查"
    RANDOM_DRAW = "random_draw", "纳入双随机抽查"
    COMBINED = "combined", "并入综合查一次"
    NONE_NOW = "none_now", "暂不检查"


class OffSite(models.TextChoices):
    """How an off-site check is made."""

    DOCUMENTS = "documents", "调阅资料"
    DATA = "data", "数据比对"
    REMOTE = "remote", "远程查看"


class Result(models.TextChoices):
    """What supervision found."""

    CONFORMING = "conforming", "符合"
    BASICALLY = "basically", "基本符合"
    NONCONFORMING = "nonconforming", "不符合"


class FindingKind(models.TextChoices):
    """What a finding is about: a point of the checklist, a clause of the promise, the licensed activity."""

    POINT = "point", "检查要点"
    CLAUSE = "clause", "承诺内容"
    ACTIVITY = "activity", "从事许可活动"


class InspectionKind(models.TextChoices):
    """Which look it was."""

    FIRST = "first", "检查"
    AGAIN = "again", "复查"


class VisitStatus(models.TextChoices):
    """Where a planned company visit is."""

    REQUESTED = "requested", "待批准"
    APPROVED = "approved", "已批准"
    REFUSED = "refused", "未批准"
    DONE = "done", "已进行"
    CANCELLED = "cancelled", "已取消"


class DisputeOutcome(models.TextChoices):
    """What the overseers decided about a task that an office says is not its own."""

    REASSIGNED = "reassigned", "改派"
    CONFIRMED = "confirmed", "维持原派"


class OrderStatus(models.TextChoices):
    """Where an order to mend is."""

    RUNNING = "running", "整改中"
    MENDED = "mended", "复查合格"
    NOT_MENDED = "not_mended", "逾期未改或复查不合格"
    REFUSED = "refused", "拒不整改"
    # The licence came to its end: nobody found it mended, unmended or refused.
    LAPSED = "lapsed", "证照失效，不再整改"


class PaperKind(models.TextChoices):
    """Papers of the supervision side, each with the word of its number series."""

    INSPECTION = "inspection", "现场检查记录"
    ORDER = "order", "责令限期整改通知书"
    ORDER_EXTENSION = "order_extension", "整改期限延长通知书"
    REINSPECTION = "reinspection", "整改复查意见书"
    PROPOSAL = "proposal", "撤销行政许可建议书"
    HANDOVER = "handover", "案件移送函"

    @property
    def word(self) -> str:
        """The word in the document number (连×责改〔2026〕12号)."""
        return {
            "inspection": "检记", "order": "责改", "order_extension": "改延", "reinspection": "复查",
            "proposal": "撤建", "handover": "移",
        }[self.value]  # fmt: skip


class Platform(models.TextChoices):
    """The platform on which the work was done (L10a)."""

    MARKET = "market", "省市场监管信息平台"
    ENFORCEMENT = "enforcement", "省行政执法监督管理平台"
    INTERNET_PLUS = "internet_plus", "市“互联网+监管”平台"
    OTHER = "other", "其他监管业务平台"


class TaskAct(models.TextChoices):
    """Acts on a task's stream of the ledger."""

    OPENED = "task.opened", "生成监管任务"
    SMS_QUEUED = "task.sms_queued", "任务短信入队"
    SMS_SENT = "task.sms_sent", "任务短信发出"
    SMS_FAILED = "task.sms_failed", "任务短信未送达，转送下一人"
    VIEWED = "task.viewed", "查看"
    ASSIGNED_TO = "task.assigned_to", "分派办理人员"
    ACKNOWLEDGED = "task.acknowledged", "签收并选定监管措施"
    REPLANNED = "task.replanned", "变更监管措施或计划完成日"
    DISPUTED = "task.disputed", "提出异议：不属本处室职责"
    REASSIGNED = "task.reassigned", "督办改派"
    CONFIRMED = "task.confirmed", "督办维持原派"
    VISIT_REQUESTED = "task.visit_requested", "申请入企检查"
    VISIT_SETTLED = "task.visit_settled", "入企检查批准或不批准"
    INSPECTED = "task.inspected", "记录检查情况"
    RECORD_ASIDE_ASKED = "task.record_aside_asked", "申请检查记录作废"
    RECORD_SET_ASIDE = "task.record_set_aside", "批准检查记录作废"
    RECORD_ASIDE_REFUSED = "task.record_aside_refused", "不批准检查记录作废"
    FINISHED = "task.finished", "完成监管"
    FED_BACK = "task.fed_back", "反馈监管结果"
    ORDERED = "task.ordered", "责令限期整改"
    ORDER_EXTENSION_ASKED = "task.order_extension_asked", "申请延长整改期限"
    ORDER_EXTENDED = "task.order_extended", "延长整改期限"
    ORDER_EXTENSION_REFUSED = "task.order_extension_refused", "不批准延长整改期限"
    ORDER_SETTLED = "task.order_settled", "认定整改结果"
    PROPOSED = "task.proposed", "建议撤销行政许可"
    ANSWERED = "task.answered", "审批部门答复撤销建议"
    HANDED_OVER = "task.handed_over", "移送执法"
    HANDOVER_RECEIVED = "task.handover_received", "收到移送回执"
    HANDOVER_RESULT = "task.handover_result", "登记移送处理结果"
    LICENCE_CHANGED = "task.licence_changed", "证照发生变动"
    PAPER_ISSUED = "task.paper_issued", "出具文书"
    CLOSED = "task.closed", "归档"
    ALARM = "task.alarm", "时限提醒"
    UNLINKED = "case.unlinked", "无关联处室，转督办人员"
    ASSIGNED = "case.assigned", "督办分派监管处室"


class PlanAct(models.TextChoices):
    """Acts on the stream of a plan of random draws, and on a division's stream of sampling ratios."""

    MADE = "draw_plan.made", "制定抽查计划"
    CHANGED = "draw_plan.changed", "修改抽查计划"
    REMOVED = "draw_plan.removed", "删除抽查计划"
    PUBLISHED = "draw_plan.published", "公布抽查计划"
    FROZEN = "draw_plan.frozen", "固定对象池和人员池"
    DRAWN = "draw_plan.drawn", "随机抽取"
    RULE_SET = "sampling.rule_set", "设定抽查比例"
    RULE_UNSET = "sampling.rule_unset", "收回抽查比例设定"


class ChecklistAct(models.TextChoices):
    """Acts on the stream of a sub-item's checklist."""

    PUBLISHED = "checklist.published", "发布检查表"


class StockAct(models.TextChoices):
    """Acts on a division's stream of old stock."""

    BEGUN = "stock.begun", "载入存量证照"
    LOADED = "stock.loaded", "存量证照载入完毕"
    START_SET = "stock.clock_start_set", "设定期限启用日期"
