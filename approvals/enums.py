"""Statuses with their labels, the table of allowed moves, and the acts of a case."""

from __future__ import annotations

from django.db import models


class CaseStatus(models.TextChoices):
    """Where a case is."""

    SUBMITTED = "submitted", "已收件"
    CORRECTION_REQUESTED = "correction_requested", "待补正"
    ACCEPTED = "accepted", "已受理"
    DEEMED_ACCEPTED = "deemed_accepted", "视为受理"
    IN_REVIEW = "in_review", "审查中"
    APPROVED = "approved", "准予许可"
    REJECTED = "rejected", "不予许可"
    COMPLETED = "completed", "已办结"
    NOT_ACCEPTED = "not_accepted", "不予受理"
    WITHDRAWN = "withdrawn", "已撤回"
    LAPSED = "lapsed", "逾期未补正，已终止"
    CANCELLED = "cancelled", "已撤销办理"


class Outcome(models.TextChoices):
    """How a completed case ended."""

    LICENSED = "licensed", "准予许可"
    FILED = "filed", "予以备案"
    REFUSED = "refused", "不予许可"


S = CaseStatus
MOVES: dict[str, frozenset[str]] = {
    S.SUBMITTED: frozenset({S.CORRECTION_REQUESTED, S.ACCEPTED, S.DEEMED_ACCEPTED, S.NOT_ACCEPTED, S.WITHDRAWN}),
    S.CORRECTION_REQUESTED: frozenset({S.SUBMITTED, S.WITHDRAWN, S.LAPSED}),
    # Completed at once: filing items have no review step.
    S.ACCEPTED: frozenset({S.IN_REVIEW, S.COMPLETED, S.WITHDRAWN}),
    S.DEEMED_ACCEPTED: frozenset({S.IN_REVIEW, S.WITHDRAWN}),
    S.IN_REVIEW: frozenset({S.APPROVED, S.REJECTED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.COMPLETED, S.CANCELLED}),  # cancelled: a promised material did not come in (L8c)
    S.REJECTED: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.NOT_ACCEPTED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.LAPSED: frozenset(),
    S.CANCELLED: frozenset(),
}
OPEN = (S.SUBMITTED, S.CORRECTION_REQUESTED, S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED, S.REJECTED)
DECIDED = (S.APPROVED, S.REJECTED, S.COMPLETED, S.CANCELLED)
# Ended without a licence decision that stands, and without ever being completed.
ENDED_EARLY = (S.NOT_ACCEPTED, S.WITHDRAWN, S.LAPSED, S.CANCELLED)


class Way(models.TextChoices):
    """How an applicant applies."""

    ORDINARY = "ordinary", "一般方式"
    PROMISE = "promise", "告知承诺方式"


class MaterialState(models.TextChoices):
    """Whether a listed material is in."""

    MISSING = "missing", "未交"
    PROVIDED = "provided", "已交"
    PROMISED = "promised", "以承诺代替"
    NOT_NEEDED = "not_needed", "不需要"
    DEFERRED = "deferred", "承诺延期提交"
    VERIFIED = "verified", "数据核验"
    LATER = "later", "容缺后补"


# In the applicant's debt: the licence waits for what is deferred; what is later follows it.
OWED = (MaterialState.DEFERRED, MaterialState.LATER)


class EndingKind(models.TextChoices):
    """How a case ended before or instead of its licence; the values are statuses of the case."""

    WITHDRAWN = "withdrawn", "申请人撤回申请"
    LAPSED = "lapsed", "逾期未补正，终止办理"
    CANCELLED = "cancelled", "承诺的材料逾期未交，撤销办理"


class Door(models.TextChoices):
    """Through which door the applicant's own act came in."""

    WINDOW = "window", "窗口"
    PUBLIC = "public", "网上（短信验证码）"


class SignMethod(models.TextChoices):
    """How a promise was signed."""

    PAPER = "paper", "纸质签字，原件扫描入档"
    SMS_CODE = "sms_code", "短信验证码签署"


class SignerCapacity(models.TextChoices):
    """As what the signer of a promise signs."""

    SELF = "self", "本人"
    LEGAL = "legal", "法定代表人（负责人）"
    AGENT = "agent", "委托代理人"


class CodePurpose(models.TextChoices):
    """What a code by SMS is for; for the other it is no code at all."""

    DOOR = "door", "网上办理"
    SIGNING = "signing", "签署承诺书"


class VerificationState(models.TextChoices):
    """What became of a question to the electronic-licence service (L8d)."""

    ASKED = "asked", "核验中"
    MATCHED = "matched", "核验一致"
    MISMATCH = "mismatch", "核验不一致"
    UNAVAILABLE = "unavailable", "核验服务不可用"


class Seat(models.TextChoices):
    """Which reviewer of a case a score sheet belongs to."""

    FIRST = "first", "审查人一"
    SECOND = "second", "审查人二"
    LEAD = "lead", "牵头人"


class RefusalGround(models.TextChoices):
    """Grounds on which an application may be refused at the door (行政许可法 art. 32)."""

    NO_LICENCE_NEEDED = "no_licence_needed", "依法不需要取得行政许可（第三十二条第一款第一项）"
    NOT_OUR_DUTY = "not_our_duty", "依法不属于本行政机关职权范围（第三十二条第一款第二项）"
    NOT_CORRECTED = "not_corrected", "经一次性告知仍未补齐或不符合法定形式（第三十二条第一款第四项）"
    BARRED = "barred", "法律规定在一定期限内不得再次申请该行政许可（第七十九条）"


# What the same grounds are called for a filing, which is no licence: none of them is art. 32's.
FILING_GROUNDS: dict[str, str] = {
    RefusalGround.NO_LICENCE_NEEDED: "依法不需要备案",
    RefusalGround.NOT_OUR_DUTY: "不属于本机关的备案职责范围",
    RefusalGround.NOT_CORRECTED: "经一次性告知仍未补齐或者不符合规定形式",
}


class DocumentKind(models.TextChoices):
    """Papers that the portal gives out, each with the word of its number series."""

    RECEIPT = "receipt", "接收凭证"
    PROMISE = "promise", "告知承诺书"
    CORRECTION = "correction", "补正告知书"
    ACCEPTANCE = "acceptance", "受理通知书"
    NOT_ACCEPTED = "not_accepted", "不予受理通知书"
    APPROVAL = "approval", "准予行政许可决定书"
    REJECTION = "rejection", "不予行政许可决定书"
    FILING = "filing", "备案凭证"
    NOT_FILED = "not_filed", "不予备案通知书"
    SPECIAL = "special", "特别程序告知书"
    EXTENSION = "extension", "延期告知书"
    TERMINATION = "termination", "终止办理通知书"
    WITHDRAWAL = "withdrawal", "撤回申请确认书"
    CANCELLATION = "cancellation", "撤销办理决定书"
    LATER = "later", "容缺补交告知书"
    REVOCATION_NOTICE = "revoke_notice", "撤销行政许可告知书"
    HEARING = "hearing", "听证通知书"
    REVOCATION = "revocation", "撤销行政许可决定书"
    NO_REVOCATION = "no_revocation", "不予撤销行政许可决定书"
    LICENCE_CHANGE = "licence_change", "证照变动通知书"

    @property
    def word(self) -> str:
        """The word in the document number (连×许准〔2026〕12号)."""
        return {
            "receipt": "收", "promise": "诺", "correction": "补告", "acceptance": "许受", "not_accepted": "许不受",
            "approval": "许准", "rejection": "许不准", "filing": "备", "not_filed": "不备",
            "special": "特告", "extension": "延告", "termination": "终告", "withdrawal": "撤回",
            "cancellation": "许撤办", "later": "容补告",
            "revoke_notice": "撤告", "hearing": "听通", "revocation": "许撤", "no_revocation": "许不撤",
            "licence_change": "证变",
        }[self.value]  # fmt: skip


class LicenceChangeKind(models.TextChoices):
    """What may happen to a licence after its issue."""

    CHANGE = "change", "变更"
    RENEWAL = "renewal", "延续"
    SUSPENSION = "suspension", "中止"
    RESUMPTION = "resumption", "恢复"
    WITHDRAWAL = "withdrawal", "撤回"
    REVOCATION = "revocation", "撤销"
    DEREGISTRATION = "deregistration", "注销"


class LicenceState(models.TextChoices):
    """Where a licence is; a revoked or withdrawn one is struck off the register besides (``deregistered_on``)."""

    VALID = "valid", "有效"
    SUSPENDED = "suspended", "已中止"
    WITHDRAWN = "withdrawn", "已撤回"
    REVOKED = "revoked", "已撤销"
    DEREGISTERED = "deregistered", "已注销"


L, K = LicenceState, LicenceChangeKind
# State → what may be done to the licence, and the state that it has afterwards. 撤销 only by a decided revocation.
LICENCE_MOVES: dict[str, dict[str, str]] = {
    L.VALID: {
        K.CHANGE: L.VALID, K.RENEWAL: L.VALID, K.SUSPENSION: L.SUSPENDED, K.WITHDRAWAL: L.WITHDRAWN,
        K.REVOCATION: L.REVOKED, K.DEREGISTRATION: L.DEREGISTERED,
    },
    L.SUSPENDED: {
        K.RESUMPTION: L.VALID, K.WITHDRAWAL: L.WITHDRAWN, K.REVOCATION: L.REVOKED, K.DEREGISTRATION: L.DEREGISTERED,
    },
    # Struck off by art. 70 after it was withdrawn or revoked: the state stays, once.
    L.WITHDRAWN: {K.DEREGISTRATION: L.WITHDRAWN},
    L.REVOKED: {K.DEREGISTRATION: L.REVOKED},
    L.DEREGISTERED: {},
}  # fmt: skip
# In these nothing may be done under the licence for good.
LICENCE_ENDED = (L.WITHDRAWN, L.REVOKED, L.DEREGISTERED)


class RevocationStatus(models.TextChoices):
    """Where a proposal to revoke is."""

    RECEIVED = "received", "待告知"
    NOTICED = "noticed", "已告知，待听取意见"
    HEARD = "heard", "待决定"
    DECIDED = "decided", "已决定"


REVOCATION_MOVES: dict[str, frozenset[str]] = {
    RevocationStatus.RECEIVED: frozenset({RevocationStatus.NOTICED}),
    RevocationStatus.NOTICED: frozenset({RevocationStatus.HEARD}),
    # Back where a new notice with another ground or other facts is given before the decision.
    RevocationStatus.HEARD: frozenset({RevocationStatus.NOTICED, RevocationStatus.DECIDED}),
    RevocationStatus.DECIDED: frozenset(),
}


class HearingWish(models.TextChoices):
    """What the holder wishes besides what is stated."""

    LATER = "later", "只陈述申辩，是否听证到期前再定"
    ASK = "ask", "要求听证"
    WAIVE = "waive", "书面放弃听证，请尽快决定"


class RevocationGround(models.TextChoices):
    """行政许可法 art. 69: when a grant may be, or must be, revoked."""

    ABUSE = "abuse", "滥用职权、玩忽职守作出准予决定（第一款第一项）"
    BEYOND_POWER = "beyond_power", "超越法定职权作出准予决定（第一款第二项）"
    PROCEDURE = "procedure", "违反法定程序作出准予决定（第一款第三项）"
    UNQUALIFIED = "unqualified", "对不具备申请资格或者不符合法定条件的申请人准予许可（第一款第四项）"
    OTHER = "other", "依法可以撤销的其他情形（第一款第五项）"
    FRAUD = "fraud", "以欺骗、贿赂等不正当手段取得许可（第二款，应当撤销）"


class DeliveryMethod(models.TextChoices):
    """How the result reaches the holder."""

    COUNTER = "counter", "窗口领取"
    POST = "post", "邮寄送达"


class CaseAct(models.TextChoices):
    """Acts on a case's stream of the ledger."""

    RECEIVED = "case.received", "收件"
    MATERIAL_ADDED = "case.material_added", "收取材料"
    CORRECTION_REQUESTED = "case.correction_requested", "一次性补正告知"
    CORRECTION_ANSWERED = "case.correction_answered", "补正材料收件"
    ACCEPTED = "case.accepted", "受理"
    NOT_ACCEPTED = "case.not_accepted", "不予受理"
    REVIEWER_DRAWN = "case.reviewer_drawn", "抽取审查人员"
    DECIDER_DRAWN = "case.decider_drawn", "抽取值班决定人员"
    OPINION_GIVEN = "case.opinion_given", "出具审查意见"
    APPROVED = "case.approved", "作出准予许可决定"
    REJECTED = "case.rejected", "作出不予许可决定"
    LICENCE_ISSUED = "case.licence_issued", "制证"
    COMPLETED = "case.completed", "办结"
    DELIVERED = "case.delivered", "送达"
    DOCUMENT_ISSUED = "case.document_issued", "出具文书"
    ALARM = "case.alarm", "时限提醒"
    FILE_OPENED = "case.file_opened", "查阅材料"
    DEEMED_ACCEPTED = "case.deemed_accepted", "逾期未告知，依法视为受理"
    PROCEDURE_STARTED = "case.procedure_started", "特别程序开始，期限暂停"
    PROCEDURE_ENDED = "case.procedure_ended", "特别程序结束，期限恢复"
    EXTENSION_REQUESTED = "case.extension_requested", "申请延长审批期限"
    EXTENSION_GRANTED = "case.extension_granted", "批准延长审批期限"
    EXTENSION_DECLINED = "case.extension_declined", "不同意延长审批期限"
    HANDED_OVER = "case.handed_over", "改派审查人员，期限不变"
    APPLICANT_NAMED = "case.applicant_named", "文字含申请人身份信息，未予采用"
    MENDED = "case.mended", "当场更正"
    LAPSED = "case.lapsed", "逾期未补正，终止办理"
    WITHDRAWN = "case.withdrawn", "申请人撤回申请"
    CREDIT_ASKED = "case.credit_asked", "信用查询"
    CREDIT_DECIDED = "case.credit_decided", "决定是否采取告知承诺"
    PROMISE_SIGNED = "case.promise_signed", "签署告知承诺书"
    PROMISE_WITHDRAWN = "case.promise_withdrawn", "撤回承诺"
    MATERIAL_VERIFIED = "case.material_verified", "电子证照核验"
    DEFERRED_IN = "case.deferred_in", "收取延期提交的材料"
    PROMISE_LAPSED = "case.promise_lapsed", "承诺补交期限已过"
    PROMISE_OVERDUE_SETTLED = "case.promise_overdue_settled", "承诺逾期的处理决定"
    CANCELLED = "case.cancelled", "撤销办理"
    LATER_ALLOWED = "case.later_allowed", "容缺办理"
    LATER_IN = "case.later_in", "收取容缺后补的材料"
    LATER_LAPSED = "case.later_lapsed", "容缺补交期限已过"
    LATER_EXTENDED = "case.later_extended", "容缺补交期限延长"
    LATER_SETTLED = "case.later_settled", "容缺逾期的处理决定"
    REDRAWN = "case.redrawn", "重新抽取"
    UNVEILED = "case.unveiled", "决定前查看申请人"
    FILE_REDACTED = "case.file_redacted", "遮盖材料中的身份信息"
    COVER_DISCARDED = "case.cover_discarded", "撤销材料遮盖"
    FILE_LEFT_OPEN = "case.file_left_open", "说明材料不遮盖的理由"
    SCORED = "case.scored", "评分"
    LEAD_CALLED = "case.lead_called", "评分分歧，牵头人会办"
    COUNTERSIGN_ASKED = "case.countersign_asked", "送内部会签"
    COUNTERSIGNED = "case.countersigned", "内部会签答复"
    SITE_DRAWN = "case.site_drawn", "抽取现场核查人员"
    SITE_PLANNED = "case.site_planned", "安排现场核查"
    SITE_REPORTED = "case.site_reported", "报告现场核查情况"
    SITE_RETURNED = "case.site_returned", "退回现场核查报告"
    SITE_CHECKED = "case.site_checked", "两人确认现场核查情况"
    PROVINCE_REPORTED = "case.province_reported", "上报省主管部门"
    PROVINCE_ANSWERED = "case.province_answered", "省主管部门答复"
    REVOCATION_RECEIVED = "case.revocation_received", "收到撤销行政许可建议"
    REVOCATION_NOTICED = "case.revocation_noticed", "告知持证人拟撤销行政许可"
    REVOCATION_STATED = "case.revocation_stated", "持证人陈述、申辩"
    REVOCATION_WAIVED = "case.revocation_waived", "持证人书面放弃陈述和听证"
    HEARING_ASKED = "case.hearing_asked", "持证人申请听证"
    HEARING_PLANNED = "case.hearing_planned", "安排听证"
    HEARING_HELD = "case.hearing_held", "举行听证"
    REVOCATION_HEARD = "case.revocation_heard", "听取意见完毕"
    REVOKED = "case.revoked", "决定撤销行政许可"
    NOT_REVOKED = "case.not_revoked", "决定不予撤销行政许可"
    LICENCE_CHANGED = "case.licence_changed", "证照变动"
