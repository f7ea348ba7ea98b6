"""The case: one application for one business item, from the window to its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from approvals.enums import DECIDED, MOVES, CaseStatus, MaterialState, Outcome, Way
from approvals.exceptions import TransitionNotAllowed
from approvals.querysets import CaseQuerySet
from catalogue.models import BusinessItem, Material
from credit.models import CreditSubject
from deadlines.models import Deadline
from offices import kept
from offices.crypto import EncryptedTextField, mask_name
from offices.models import Department, Division, Office


def _clock(related: str, label: str) -> Any:
    return models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name=related, verbose_name=label
    )


DECISION = ("promised_deadline", "statutory_deadline")
PRESSING: Mapping[str, tuple[str, ...]] = {
    CaseStatus.SUBMITTED: ("notice_deadline",),
    CaseStatus.CORRECTION_REQUESTED: ("answer_deadline",),
    CaseStatus.ACCEPTED: DECISION,
    CaseStatus.DEEMED_ACCEPTED: DECISION,
    CaseStatus.IN_REVIEW: DECISION,
    CaseStatus.APPROVED: ("promise_deadline", "issue_deadline"),
    CaseStatus.REJECTED: ("issue_deadline",),
    CaseStatus.COMPLETED: ("issue_deadline",),
}


# ``queue_on`` of a case in no queue, and of one that is decided on the spot: that stands before all others.
NO_QUEUE, AT_ONCE = dt.date.max, dt.date.min
_STATUS_LABELS = {str(value): str(label) for value, label in CaseStatus.choices}


class Case(models.Model):
    """办件. Its status moves only through ``move``; the table of moves is in ``approvals.enums``."""

    number = models.CharField("办件编号", max_length=21, unique=True)
    query_code = models.CharField("查询码", max_length=8)
    intake_key = models.UUIDField("收件标识", unique=True, help_text="同一张收件表提交两次只算一件")
    business_item = models.ForeignKey(BusinessItem, models.PROTECT, related_name="cases")
    division = models.ForeignKey(Division, models.PROTECT, related_name="cases")
    department = models.ForeignKey(Department, models.PROTECT, related_name="cases")
    review_office = models.ForeignKey(Office, models.PROTECT, related_name="cases")
    status = models.CharField("状态", max_length=24, choices=CaseStatus.choices, default=CaseStatus.SUBMITTED)
    outcome = models.CharField("办理结果", max_length=12, choices=Outcome.choices, blank=True, default="")
    way = models.CharField("办理方式", max_length=12, choices=Way.choices, default=Way.ORDINARY)
    promise_clauses = models.JSONField("承诺内容", default=list, blank=True)
    # What the applicant chose at intake; the signed promise says what holds.
    promise_modes = models.JSONField("承诺方式", default=list, blank=True, help_text="PromiseMode 的取值")
    deferred_until = models.DateField("拟定的延期补齐日", null=True, blank=True)
    on_the_spot = models.BooleanField(
        "当场决定", default=False, help_text="即办件，或者材料齐备的告知承诺件，由抽取的值班决定人员当场决定"
    )

    applicant = models.ForeignKey(CreditSubject, models.PROTECT, related_name="cases")
    applicant_name = models.CharField("申请人", max_length=120)
    contact_name = models.CharField("联系人", max_length=40)
    contact_phone = EncryptedTextField("联系电话")
    content = models.CharField("申请内容", max_length=500, blank=True, default="")

    intake_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    received_at = models.DateTimeField("收件时间")
    accepted_at = models.DateTimeField("受理时间", null=True, blank=True)
    deemed_at = models.DateTimeField(
        "视为受理的认定时间", null=True, blank=True, help_text="受理时间依法追溯到收到材料之日（行政许可法第三十二条）"
    )
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)
    completed_at = models.DateTimeField("办结时间", null=True, blank=True)
    delivered_at = models.DateTimeField("送达时间", null=True, blank=True)
    touched_at = models.DateTimeField("最近变化", help_text="窗口据此看到办件的变化")

    notice_deadline = _clock("notice_case", "一次性告知期限")
    answer_deadline = _clock("answer_case", "补正期限")
    statutory_deadline = _clock("statutory_case", "法定审批期限")
    promised_deadline = _clock("promised_case", "承诺审批期限")
    issue_deadline = _clock("issue_case", "制证送达期限")
    # The stage that the case is in now (O3.2.1a), and the told length of the special procedure that pauses it.
    stage_deadline = _clock("stage_case", "环节期限")
    procedure_deadline = _clock("procedure_case", "特别程序预计时限")
    # The day by which deferred materials were promised (L8a–c).
    promise_deadline = _clock("promise_case", "承诺补交期限")

    # The day by which it stands in the queue of its office; the database writes it (``approvals.queueing``). To sort
    # and to filter by; what a page shows is the clock itself.
    queue_on = models.DateField("排队日", db_default=NO_QUEUE, editable=False)

    objects = CaseQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["contact_phone", "query_code", "queue_on"])

    class Meta:
        verbose_name = verbose_name_plural = "办件"
        indexes: ClassVar = [
            # The window's list: newest change first within a division, and what changed since the last look.
            models.Index(fields=("division", "-touched_at", "-id"), name="case_window"),
            models.Index(fields=("division", "status", "-touched_at", "-id"), name="case_window_status"),
            # What waits at the delivery counter, among all the completed cases of a division.
            models.Index(
                fields=("division", "-touched_at", "-id"),
                condition=Q(status__in=["completed", "rejected"], delivered_at__isnull=True),
                name="case_window_delivery",
            ),
            # The reviewer's queue and the deciders' queue of an office.
            models.Index(fields=("reviewer", "status", "-id"), name="case_reviewer"),
            models.Index(fields=("review_office", "status", "-id"), name="case_office"),
            # The queues of an office in the order of the days; what is late in them.
            models.Index(
                fields=("review_office", "status", "queue_on", "id"),
                condition=Q(status__in=["in_review", "approved"]),
                name="case_queue",
            ),
            # The overseers' list of what was received, the newest first.
            models.Index(fields=("-received_at", "-id"), name="case_received"),
            # What a department received in a period: the denominator of what it sent back.
            models.Index(fields=("department", "received_at"), name="case_department_received"),
            # Reconciliation and statistics of a department.
            models.Index(fields=("department", "completed_at"), name="case_department_done"),
            # The overseers' list of cases that the law accepted because nobody answered.
            models.Index(
                fields=("division", "-deemed_at", "-id"), condition=Q(deemed_at__isnull=False), name="case_deemed"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=CaseStatus.values), name="case_status", violation_error_message="办件状态不对。"
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | (~Q(outcome="") & Q(completed_at__isnull=False)),
                name="case_completed_has_outcome",
                violation_error_message="办结须有办理结果和办结时间。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["submitted", "correction_requested", "not_accepted", "withdrawn", "lapsed"])
                | Q(accepted_at__isnull=False),
                name="case_accepted_before_review",
                violation_error_message="未受理的办件不能进入审查。",
            ),
            # Who takes in, who reviews and who decides are three people (O3.1.2c).
            models.CheckConstraint(
                condition=(Q(reviewer__isnull=True) | ~Q(reviewer=F("intake_by")))
                & (Q(decider__isnull=True) | ~Q(decider=F("intake_by")))
                & (Q(reviewer__isnull=True) | Q(decider__isnull=True) | ~Q(reviewer=F("decider"))),
                name="case_three_people",
                violation_error_message="收件、审查和决定不能是同一人。",
            ),
            models.CheckConstraint(
                condition=Q(deemed_at__isnull=True) | Q(accepted_at__isnull=False, accepted_at__lt=F("deemed_at")),
                name="case_deemed_is_retroactive",
                violation_error_message="视为受理的，受理时间追溯到收到材料之日。",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "rejected", "cancelled"]) | Q(decided_at__isnull=False),
                name="case_decided_at",
                violation_error_message="决定须有时间。",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stream(self) -> str:
        """The case's stream of the ledger."""
        return f"case:{self.pk}"

    def move(self, to: CaseStatus, now: dt.datetime) -> None:
        """Change the status along the table of moves; the caller holds the row's lock and saves.

        Raises ``TransitionNotAllowed`` with a sentence when the table has no such move.
        """
        if to not in MOVES[self.status]:
            raise TransitionNotAllowed(
                f"这件办件现在是“{self.get_status_display()}”，不能再办理为“{to.label}”；可能有同事已先一步办理，请刷新查看。"
            )
        self.status = to
        self.touched_at = now

    def get_status_display(self) -> str:  # type: ignore[no-redef]
        """The status's label, looked up: Django would go through all choices for every row of a list."""
        return _STATUS_LABELS.get(self.status, self.status)

    @property
    def public_name(self) -> str:
        """The applicant as this case knows it, for others to read: organisations in full, persons masked."""
        person = self.applicant.kind == CreditSubject.Kind.PERSON
        return mask_name(self.applicant_name) if person else self.applicant_name

    @property
    def is_decided(self) -> bool:
        """Whether the decision stands: from here on the back office may see whose case it is (O3.1.2c)."""
        return self.status in DECIDED

    @property
    def is_filing(self) -> bool:
        """Whether the item is a filing (备案): accepted on completeness, without review (O3.1.1c)."""
        return self.business_item.item.is_filing

    @property
    def is_deemed(self) -> bool:
        """Whether the law accepted it because nobody answered in time (行政许可法 art. 32)."""
        return self.deemed_at is not None

    @property
    def deciding_clocks(self) -> list[Deadline]:
        """The open clocks that run until the decision: statutory, promised, the stage."""
        found = (self.statutory_deadline, self.promised_deadline, self.stage_deadline)
        return [clock for clock in found if clock is not None and clock.is_open]

    @property
    def decision_deadline(self) -> Deadline | None:
        """What the applicant is told of the decision: the earlier of the promised and the statutory clock."""
        found = [clock for clock in (self.promised_deadline, self.statutory_deadline) if clock is not None]
        return min(found, key=lambda clock: clock.due_on) if found else None

    @property
    def pressing_clocks(self) -> tuple[str, ...]:
        """The columns of the clocks of which one presses in this status; empty: none does."""
        if self.status == CaseStatus.COMPLETED and self.delivered_at:
            return ()
        return PRESSING.get(CaseStatus(self.status), ())

    @property
    def current_deadline(self) -> Deadline | None:
        """The clock that presses now."""
        clocks = self.pressing_clocks
        if clocks == DECISION:
            return self.decision_deadline
        if self.status == CaseStatus.APPROVED:
            return self._promise_clock or self.issue_deadline
        found: Deadline | None = getattr(self, clocks[0]) if clocks else None
        return found

    @property
    def _promise_clock(self) -> Deadline | None:
        """The open clock of the deferred materials: while they are owed, the licence waits for them (L8a)."""
        clock = self.promise_deadline
        return clock if clock is not None and clock.is_open else None


def read_pressing_clocks(cases: Sequence[Case]) -> None:
    """Read what ``current_deadline`` of these cases asks for; one statement."""
    wanted = {getattr(case, f"{clock}_id") for case in cases for clock in case.pressing_clocks} - {None}
    found = {clock.pk: clock for clock in kept.ask(_clocks, _clocks, sorted(wanted))}
    for case in cases:
        for clock in case.pressing_clocks:
            setattr(case, clock, found.get(getattr(case, f"{clock}_id")))


def _clocks(keys: Sequence[int]) -> models.QuerySet[Deadline]:
    return Deadline.objects.filter(pk__in=keys).order_by()


class CaseMaterial(models.Model):
    """One line of a case's checklist: a listed material and whether it is in."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="materials")
    material = models.ForeignKey(Material, models.PROTECT, null=True, blank=True, related_name="+")
    order = models.PositiveSmallIntegerField("序号")
    name = models.CharField("材料名称", max_length=200)
    required = models.BooleanField("必要")
    state = models.CharField("状态", max_length=12, choices=MaterialState.choices, default=MaterialState.MISSING)
    # A deferred or later material that came in keeps what it was, so that the record shows when it was owed.
    owed_as = models.CharField("补交方式", max_length=12, choices=MaterialState.choices, blank=True, default="")
    received_at = models.DateTimeField("收取时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "申请材料"
        ordering = ("case_id", "order")
        indexes: ClassVar = [
            # What applicants still owe: the decider's list of it, and what waits for its licence.
            models.Index(fields=("case",), condition=Q(state__in=["deferred", "later"]), name="case_material_owed"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("case", "order"), name="case_material_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_in(self) -> bool:
        """Whether nothing is missing here."""
        return self.state != MaterialState.MISSING or not self.required


class Upload(models.Model):
    """A file that was handed in. Its name on disk is random; what people called it is kept but never trusted."""

    case_material = models.ForeignKey(CaseMaterial, models.CASCADE, null=True, blank=True, related_name="uploads")
    intake_key = models.UUIDField("收件标识", db_index=True, help_text="表单未提交成功时，文件凭它留在表单上")
    material = models.ForeignKey(Material, models.PROTECT, null=True, blank=True, related_name="+")
    slot = models.CharField("所属材料", max_length=20, default="")
    path = models.CharField("存放", max_length=120, unique=True)
    original_name = models.CharField("原文件名", max_length=255)
    content_type = models.CharField("类型", max_length=100)
    extension = models.CharField("扩展名", max_length=8)
    size = models.PositiveIntegerField("字节")
    digest = models.CharField("SM3", max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField("上传时间")
    # A file with its identities covered, made from this one; the blind side reads the cover instead (O3.1.2c).
    covers = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="covered_by", verbose_name="遮盖自"
    )
    # What a machine found that may betray the applicant ("name", "code", "phone", "unreadable"); never the words.
    findings = models.JSONField("身份信息提示", default=list, blank=True)
    looked_at = models.DateTimeField("机器查看时间", null=True, blank=True)
    left_reason = models.CharField("不遮盖的理由", max_length=200, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "文件"
        ordering = ("id",)
        indexes: ClassVar = [
            # What no machine has looked through yet.
            models.Index(
                fields=("id",), condition=Q(looked_at__isnull=True, covers__isnull=True), name="upload_not_looked_at"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("covers",),
                condition=Q(covers__isnull=False),
                name="upload_one_cover",
                violation_error_message="这份文件已经有遮盖件。",
            ),
        ]

    def __str__(self) -> str:
        return self.neutral_name

    @property
    def neutral_name(self) -> str:
        """A file name that betrays nobody: the place in the checklist and the type found in the content."""
        order = self.case_material.order if self.case_material else 0
        return f"材料{order:02d}-{self.pk}.{self.extension}"
