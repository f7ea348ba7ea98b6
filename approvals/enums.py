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


class Outcome(models.TextChoices):
    """How a completed case ended."""

    LICENSED = "licensed", "准予许可"
    FILED = "filed", "予以备案"
    REFUSED = "refused", "不予许可"


S = CaseStatus
MOVES: dict[str, frozenset[str]] = {
    S.SUBMITTED: frozenset({S.CORRECTION_REQUESTED, S.ACCEPTED, S.DEEMED_ACCEPTED, S.NOT_ACCEPTED}),
    S.CORRECTION_REQUESTED: frozenset({S.SUBMITTED}),
    S.ACCEPTED: frozenset({S.IN_REVIEW, S.COMPLETED}),  # completed at once: filing items have no review step
    S.DEEMED_ACCEPTED: frozenset({S.IN_REVIEW}),
    S.IN_REVIEW: frozenset({S.APPROVED, S.REJECTED}),
    S.APPROVED: frozenset({S.COMPLETED}),
    S.REJECTED: frozenset({S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.NOT_ACCEPTED: frozenset(),
}
OPEN = (S.SUBMITTED, S.CORRECTION_REQUESTED, S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED, S.REJECTED)
DECIDED = (S.APPROVED, S.REJECTED, S.COMPLETED)


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


class RefusalGround(models.TextChoices):
    """Grounds on which an application may be refused at the door (行政许可法 art. 32)."""

    NO_LICENCE_NEEDED = "no_licence_needed", "依法不需要取得行政许可（第三十二条第一款第一项）"
    NOT_OUR_DUTY = "not_our_duty", "依法不属于本行政机关职权范围（第三十二条第一款第二项）"
    NOT_CORRECTED = "not_corrected", "经一次性告知仍未补齐或不符合法定形式（第三十二条第一款第四项）"


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
    SPECIAL = "special", "特别程序告知书"
    EXTENSION = "extension", "延期告知书"

    @property
    def word(self) -> str:
        """The word in the document number (连×许准〔2026〕12号)."""
        return {
            "receipt": "收", "promise": "诺", "correction": "补告", "acceptance": "许受", "not_accepted": "许不受",
            "approval": "许准", "rejection": "许不准", "filing": "备",
            "special": "特告", "extension": "延告",
        }[self.value]  # fmt: skip


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
