"""撤销行政许可: proposed by supervision, the holder heard, decided on art. 69 (L10c); licence changes."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.enums import REVOCATION_MOVES, Door, LicenceChangeKind, RevocationGround, RevocationStatus
from approvals.exceptions import TransitionNotAllowed
from approvals.models.blinding import Conflict
from approvals.models.cases import Case
from approvals.models.outcomes import Document, Licence
from deadlines.models import Deadline
from offices.access import Access
from offices.models import Office, Posting

WHO = settings.AUTH_USER_MODEL


Role = Posting.Role


class RevocationQuerySet(models.QuerySet["Revocation"]):
    """Adjectives for proposals to revoke."""

    def lock(self, pk: int) -> Revocation:
        """Return the row, locked until the transaction ends; clocks are read after it. Lock case and licence before."""
        return self.select_for_update(of=("self",)).select_related("office__department").get(pk=pk)

    def open(self) -> RevocationQuerySet:
        """Not yet decided."""
        return self.exclude(status=RevocationStatus.DECIDED)

    def for_decider(self, access: Access) -> RevocationQuerySet:
        """Those of the offices in which the person decides, but of subjects with which the person has a conflict.

        It is after the grant: the holder is no secret any more (O3.1.2c).
        """
        close = Conflict.objects.filter(user=access.user, ended_at__isnull=True).values("subject")
        return self.filter(office_id__in=access.offices(Role.DECIDER)).exclude(licence__holder__in=close)

    def waiting(self, access: Access) -> RevocationQuerySet:
        """What this person has to see to: what is open in the offices, and the hearings to chair."""
        own = Q(pk__in=self.for_decider(access).values("pk"))
        chaired = Q(pk__in=self.for_chair(access).filter(status=RevocationStatus.NOTICED).values("pk"))
        return self.open().filter(own | chaired)

    def readable(self, access: Access) -> RevocationQuerySet:
        """What the person may open: as a decider of the office, or as who chairs the hearing."""
        own, chaired = self.for_decider(access), self.for_chair(access)
        return self.filter(Q(pk__in=own.values("pk")) | Q(pk__in=chaired.values("pk")))

    def for_chair(self, access: Access) -> RevocationQuerySet:
        """Those whose hearing the person chairs, while serving for the department."""
        departments = {posting.department_id for posting in access.postings}
        return self.filter(hearing_chair=access.user, office__department_id__in=departments)


class LicenceChange(models.Model):
    """变更、延续、中止、恢复、撤回、撤销、注销 of a licence: what was, what is, why; written once."""

    licence = models.ForeignKey(Licence, models.PROTECT, related_name="changes")
    kind = models.CharField("变动", max_length=14, choices=LicenceChangeKind.choices)
    basis = models.CharField("依据", max_length=300)
    reason = models.TextField("理由")
    before = models.JSONField("变动前", default=dict)
    after = models.JSONField("变动后", default=dict)
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="文书"
    )
    made_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "证照变动"
        ordering = ("id",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(reason=""),
                name="licence_change_has_reason",
                violation_error_message="变动证照须写明依据和理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.licence_id} {self.get_kind_display()}"


class Revocation(models.Model):
    """One proposal to revoke a licence, from its arrival to the decision; ``source`` is the task's stream.

    ``facts`` and ``evidence`` (``{"label", "text", "url"}``, addresses of supervision's papers) come with the proposal.
    """

    licence = models.ForeignKey(Licence, models.PROTECT, related_name="revocations")
    case = models.ForeignKey(Case, models.PROTECT, related_name="revocations", db_index=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="revocations", db_index=False)
    source = models.CharField("来源", max_length=40, unique=True)
    source_number = models.CharField("监管任务编号", max_length=30)
    proposed_by_name = models.CharField("建议单位", max_length=120)
    facts = models.TextField("事实和理由")
    evidence = models.JSONField("证据", default=list)
    broken_promise = models.BooleanField("违背承诺", default=False, help_text="建议基于不实承诺或者未履行的承诺")
    received_at = models.DateTimeField("收到时间")
    deadline = models.OneToOneField(Deadline, models.PROTECT, related_name="revocation")
    status = models.CharField("状态", max_length=10, choices=RevocationStatus.choices, default="received")

    notice = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="revocation_notice", verbose_name="告知书"
    )
    noticed_by = models.ForeignKey(WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    noticed_at = models.DateTimeField("告知时间", null=True, blank=True)
    answer_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="revocation_answer", verbose_name="陈述申辩期限"
    )
    statement = models.TextField("陈述和申辩", blank=True, default="")
    statement_door = models.CharField("途径", max_length=8, choices=Door.choices, blank=True, default="")
    statement_at = models.DateTimeField("陈述时间", null=True, blank=True)
    # 书面放弃: nothing more is to be waited for, before the day to answer has passed.
    waiver = models.CharField("书面放弃的情况", max_length=300, blank=True, default="")
    waived_at = models.DateTimeField("放弃时间", null=True, blank=True)
    hearing_asked_at = models.DateTimeField("申请听证时间", null=True, blank=True)
    hearing_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="revocation_hearing", verbose_name="组织听证期限"
    )
    hearing_place = models.CharField("听证地点", max_length=120, blank=True, default="")
    hearing_on = models.DateField("听证日期", null=True, blank=True)
    hearing_chair = models.ForeignKey(
        WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="听证主持人"
    )
    hearing_record = models.TextField("听证笔录", blank=True, default="")
    hearing_held_at = models.DateTimeField("听证记录时间", null=True, blank=True)

    revoke = models.BooleanField("撤销", null=True)
    ground = models.CharField("法定情形", max_length=16, choices=RevocationGround.choices, blank=True, default="")
    reason = models.TextField("理由", blank=True, default="")
    public_interest = models.TextField("是否可能对公共利益造成重大损害", blank=True, default="")
    compensation = models.TextField("是否给予赔偿", blank=True, default="")
    # 行政许可法 art. 79: the last day on which the holder may not apply for the same licence again.
    barred_until = models.DateField("不得再次申请至", null=True, blank=True)
    document = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="revocation_decision", verbose_name="决定书"
    )
    decided_by = models.ForeignKey(WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)

    objects = RevocationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "撤销许可"
        indexes: ClassVar = [
            # What waits in an office, oldest first; what was decided, newest first.
            models.Index(fields=("office", "status", "-id"), name="revocation_of_office"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("licence",), condition=~Q(status="decided"), name="revocation_one_open",
                violation_error_message="这件证照的撤销建议正在办理。",
            ),
            models.CheckConstraint(
                condition=Q(status="received") | Q(noticed_at__isnull=False, notice__isnull=False),
                name="revocation_holder_was_told",
                violation_error_message="作出决定之前须告知持证人并听取意见。",
            ),
            models.CheckConstraint(
                condition=~Q(status="decided")
                | (Q(revoke__isnull=False, decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason="")),
                name="revocation_decided_with_reason",
                violation_error_message="决定须写明理由。",
            ),
            models.CheckConstraint(
                condition=~Q(revoke=True) | (~Q(ground="") & ~Q(public_interest="") & ~Q(compensation="")),
                name="revocation_considered_art_69",
                violation_error_message="撤销须写明第六十九条的情形，并书面考虑公共利益和赔偿。",
            ),
            models.CheckConstraint(
                condition=Q(barred_until__isnull=True) | Q(revoke=True, ground="fraud"),
                name="revocation_bars_after_fraud",
                violation_error_message="三年内不得再次申请，只适用于以不正当手段取得而被撤销的许可。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.licence_id} {self.get_status_display()}"

    @property
    def stream(self) -> str:
        """Acts of a revocation stand on the stream of its case."""
        return self.case.stream

    def move(self, to: RevocationStatus) -> None:
        """Change the status along the table of moves; the caller holds the row's lock and saves."""
        if to not in REVOCATION_MOVES[self.status]:
            raise TransitionNotAllowed(
                f"这件撤销建议现在是“{self.get_status_display()}”，不能再办理为“{to.label}”；可能有同事已先一步办理，请刷新查看。"
            )
        self.status = to
