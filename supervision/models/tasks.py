"""Supervision tasks: one for each linked office and sub-item of a completed case; those of draws and of old stock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from approvals.exceptions import TransitionNotAllowed
from approvals.models import Case, Licence
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from credit.models import CreditSubject
from deadlines.models import Deadline
from offices.access import Access, covered
from offices.crypto import mask_name
from offices.models import Department, Office, Posting
from supervision.enums import AT_WORK, MOVES, OPEN, Measure, Origin, Platform, Result, TaskEnd, TaskStatus

Role = Posting.Role
# ``pressing_on`` of a task without a clock that presses, and of one whose SMS is still on its way: it has no day yet
# and stands behind those that have, before those without one.
NO_DAY = dt.date.max
NO_DAY_YET = NO_DAY - dt.timedelta(days=1)


class TaskQuerySet(models.QuerySet["SupervisionTask"]):
    """Adjectives for tasks."""

    def lock(self, pk: int) -> SupervisionTask:
        """Return the task with its row locked until the transaction ends, and its office.

        Clocks are read after the lock, by their own statement: a joined row is as it was before the wait. A task that
        was sent to another office meanwhile is locked and no longer fits the office that was joined to it, so that
        PostgreSQL leaves it out; the second look finds it with the new one.
        """
        rows = self.select_for_update(of=("self",)).select_related("case", "office__department").filter(pk=pk)
        return rows.first() or rows.get()

    def lock_all(self, keys: Collection[int]) -> list[SupervisionTask]:
        """Return the tasks in the order of their ids, locked as by ``lock``, with office and sub-item."""
        rows = self.select_for_update(of=("self",)).select_related("office", "sub_item").filter(pk__in=keys)
        found = list(rows.order_by("pk"))
        return found if len(found) == len(keys) else list(rows.order_by("pk"))

    def open(self) -> TaskQuerySet:
        """Not yet closed."""
        return self.filter(status__in=OPEN)

    def for_office_people(self, access: Access) -> TaskQuerySet:
        """Tasks of the offices that the person manages or deputises for, of the departments the person heads, and those
        that an inspector was given."""
        return self.filter(seen_by(access))

    def for_managers(self, access: Access) -> TaskQuerySet:
        """Tasks that the person may take, plan and answer for: those of offices managed or deputised for."""
        return self.filter(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))

    def for_field(self, access: Access) -> TaskQuerySet:
        """Tasks on which the person may record what was found: those of a manager, and those given to an inspector."""
        return self.filter(Q(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)) | _given(access))

    def for_heads(self, access: Access) -> TaskQuerySet:
        """Tasks of the departments that the person heads: visits and extensions wait for the head's word."""
        return self.filter(department_id__in=access.departments(Role.DEPARTMENT_HEAD))

    def for_overseer(self, access: Access) -> TaskQuerySet:
        """Tasks of the divisions that the person oversees."""
        return self.filter(department__division__in=covered(access, Role.OVERSEER))


def seen_by(access: Access, task: str = "") -> Q:
    """What ``for_office_people`` lets through; ``task``: the way to the task from another table, such as ``task__``."""
    managed = Q(**{f"{task}office_id__in": access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)})
    headed = Q(**{f"{task}department_id__in": access.departments(Role.DEPARTMENT_HEAD)})
    return managed | headed | _given(access, task)


def seen_apart(access: Access) -> list[Q]:
    """The same in parts that have no task in common: each of an inspector's two places has an index of its own."""
    if access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY) or access.departments(Role.DEPARTMENT_HEAD):
        return [seen_by(access)]
    serves = Q(office_id__in=access.offices(Role.INSPECTOR))
    return [serves & Q(**{place: access.user}) for place in ("first_officer", "second_officer")]


def _given(access: Access, task: str = "") -> Q:
    """Given to this inspector, who still serves in the task's office."""
    own = Q(**{f"{task}first_officer": access.user}) | Q(**{f"{task}second_officer": access.user})
    return Q(**{f"{task}office_id__in": access.offices(Role.INSPECTOR)}) & own


class SupervisionTask(models.Model):
    """监管任务. Its status moves only through ``move``; the table of moves is in ``supervision.enums``."""

    number = models.CharField("任务编号", max_length=26, unique=True)
    origin = models.CharField("来源", max_length=6, choices=Origin.choices, default=Origin.CASE)
    case = models.ForeignKey(Case, models.PROTECT, null=True, blank=True, related_name="tasks")
    linkage = models.ForeignKey(Linkage, models.PROTECT, null=True, blank=True, related_name="tasks")
    # What the task is about, kept here so that a task of old stock has it too and no list joins the case for it.
    subject = models.ForeignKey(
        CreditSubject, models.PROTECT, related_name="tasks", db_index=False, verbose_name="监管对象"
    )
    subject_name = models.CharField("监管对象名称", max_length=120)
    business_item = models.ForeignKey(
        BusinessItem, models.PROTECT, related_name="tasks", db_index=False, verbose_name="业务办理项"
    )
    licence = models.ForeignKey(
        Licence, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name="证照"
    )
    # Department and office lead other indexes below.
    department = models.ForeignKey(Department, models.PROTECT, related_name="tasks", db_index=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="tasks", db_index=False)
    sub_item = models.ForeignKey(SupervisionSubItem, models.PROTECT, related_name="tasks")
    status = models.CharField("状态", max_length=20, choices=TaskStatus.choices, default=TaskStatus.NOTIFIED)
    promise_clauses = models.JSONField("承诺内容", default=list, blank=True)
    # How often the task was sent to an office: a reassigned task is told anew (L9b), its messages carry the round.
    round = models.PositiveSmallIntegerField("派送轮次", default=1)
    opened_at = models.DateTimeField("生成时间")
    sms_sent_at = models.DateTimeField("短信发出时间", null=True, blank=True)
    viewed_at = models.DateTimeField("查看时间", null=True, blank=True)
    viewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField("签收时间", null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="主办人员"
    )
    second_officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="协办人员"
    )
    measure = models.CharField("监管措施", max_length=12, choices=Measure.choices, blank=True, default="")
    measure_reason = models.CharField("说明", max_length=300, blank=True, default="")
    # 纳入双随机 and 综合查一次: which plan or which other check it goes with, in words.
    measure_with = models.CharField("并入的计划或检查", max_length=120, blank=True, default="")
    planned_finish_on = models.DateField("计划完成日", null=True, blank=True)
    finished_on = models.DateField("完成监管日", null=True, blank=True)
    closed_at = models.DateTimeField("归档时间", null=True, blank=True)
    end = models.CharField("归档情形", max_length=14, choices=TaskEnd.choices, blank=True, default="")
    end_reason = models.TextField("归档说明", blank=True, default="")

    acknowledge_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="acknowledge_task", verbose_name="签收期限"
    )
    planned_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="planned_task", verbose_name="计划完成日"
    )
    feedback_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="feedback_task", verbose_name="反馈期限"
    )
    # The newest of them: an order that was not mended starts another one.
    follow_up_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="follow_up_task", verbose_name="后续处理期限"
    )

    # The day of the clock that presses in this status, or of the running order: written by the database alone
    # (``supervision.pressing``). To sort and to filter by; what a page shows is the clock itself.
    pressing_on = models.DateField("当前期限到期日", db_default=NO_DAY_YET, editable=False)

    objects = TaskQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["pressing_on"])

    class Meta:
        verbose_name = verbose_name_plural = "监管任务"
        indexes: ClassVar = [
            # The manager's inbox and its status filters.
            models.Index(fields=("office", "status", "-id"), name="task_office_status"),
            # The department head's and the overseers' lists.
            models.Index(fields=("department", "status", "-id"), name="task_department_status"),
            # The inbox of an office and of a department in the order of the days; what is late in it.
            models.Index(fields=("office", "pressing_on", "id"), name="task_pressing", condition=~Q(status="closed")),
            models.Index(
                fields=("department", "pressing_on", "id"),
                name="task_pressing_in_department",
                condition=~Q(status="closed"),
            ),
            # The same of a department, filtered by item.
            models.Index(
                fields=("department", "business_item", "pressing_on", "id"),
                name="task_pressing_of_item",
                condition=~Q(status="closed"),
            ),
            # Earlier tasks of the same subject, on a task's page and on the subject's.
            models.Index(fields=("subject", "-id"), name="task_of_subject"),
            # The inbox filtered by item; the draw that leaves out what was visited lately.
            models.Index(fields=("business_item", "office", "-id"), name="task_of_item"),
            # An inspector's own queues. Not partial: a list of open tasks implies "not closed", and PostgreSQL would
            # count that twice and take the index for an office's whole queue.
            models.Index(fields=("first_officer", "office", "status"), name="task_of_first_officer"),
            models.Index(fields=("second_officer", "office", "status"), name="task_of_second_officer"),
        ]
        constraints: ClassVar = [
            # Exactly one task for each linkage of a case: the signal may be handled twice and nothing doubles (L9a).
            models.UniqueConstraint(
                fields=("case", "linkage"), name="task_once", violation_error_message="该办件在此关联下已有监管任务。"
            ),
            models.CheckConstraint(
                condition=~Q(origin="case") | Q(case__isnull=False, linkage__isnull=False),
                name="task_of_case_has_case",
                violation_error_message="办件产生的监管任务须有办件和审管关联。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=TaskStatus.values), name="task_status", violation_error_message="任务状态不对。"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=AT_WORK)
                | (~Q(measure="") & Q(planned_finish_on__isnull=False, acknowledged_at__isnull=False)),
                name="task_acknowledged_with_measure",
                violation_error_message="签收须选定监管措施和计划完成日。",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["finished", "fed_back", "rectifying", "revocation", "handed_over"])
                | Q(finished_on__isnull=False),
                name="task_finished_on",
                violation_error_message="完成监管须填写完成日。",
            ),
            models.CheckConstraint(
                condition=~Q(measure="none_now") | ~Q(measure_reason=""),
                name="task_none_now_has_reason",
                violation_error_message="暂不检查须说明原因。",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) & ~Q(end="")
                | ~Q(status="closed") & Q(end="", closed_at__isnull=True),
                name="task_closed_with_end",
                violation_error_message="归档须写明情形。",
            ),
            models.CheckConstraint(
                condition=Q(second_officer__isnull=True)
                | (Q(first_officer__isnull=False) & ~Q(second_officer=F("first_officer"))),
                name="task_two_officers",
                violation_error_message="主办和协办须为不同的人。",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stream(self) -> str:
        """The task's stream of the ledger."""
        return f"task:{self.pk}"

    def move(self, to: TaskStatus) -> None:
        """Change the status along the table of moves; the caller holds the row's lock and saves."""
        if to not in MOVES[self.status]:
            raise TransitionNotAllowed(
                f"这件监管任务现在是“{self.get_status_display()}”，不能再办理为“{to.label}”；可能有同事已先一步办理，请刷新查看。"
            )
        self.status = to

    def close(self, end: TaskEnd, now: dt.datetime, reason: str = "") -> None:
        """归档 in memory, with how it ended; the caller holds the row's lock and saves."""
        self.move(TaskStatus.CLOSED)
        self.end, self.end_reason, self.closed_at = end, reason.strip(), now

    @property
    def public_subject(self) -> str:
        """The subject's name as lists show it: organisations in full, persons masked."""
        person = self.subject.kind == CreditSubject.Kind.PERSON
        return mask_name(self.subject_name) if person else self.subject_name

    @property
    def pressing_clock(self) -> str:
        """The column of the clock that presses in this status; empty: none does."""
        if self.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED, TaskStatus.DISPUTED}:
            return "acknowledge_deadline"
        if self.status in {TaskStatus.ACKNOWLEDGED, TaskStatus.IN_PROGRESS}:
            return "planned_deadline"
        if self.status in {TaskStatus.FED_BACK, TaskStatus.RECTIFYING}:
            return "follow_up_deadline"
        return "feedback_deadline" if self.status == TaskStatus.FINISHED else ""

    @property
    def current_deadline(self) -> Deadline | None:
        """The clock that presses now; while an order runs its own does (``lists.order_clocks``), and this is None."""
        found: Deadline | None = getattr(self, self.pressing_clock) if self.pressing_clock else None
        over = self.status == TaskStatus.RECTIFYING and found is not None and not found.is_open
        return None if over else found

    @property
    def earliest_finish(self) -> dt.date:
        """No finish day before the task was opened is true."""
        return timezone.localtime(self.opened_at).date()


class Feedback(models.Model):
    """监管结果反馈: what was found, clause by clause, on which platform, under which number (L10a, L10b)."""

    task = models.OneToOneField(SupervisionTask, models.PROTECT, related_name="feedback")
    result = models.CharField("监管结果", max_length=14, choices=Result.choices)
    text = models.TextField("情况说明")
    clauses = models.JSONField("逐条核查", default=list, blank=True)
    platform = models.CharField("监管平台", max_length=14, choices=Platform.choices)
    platform_number = models.CharField("平台文书编号", max_length=60)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField("反馈时间")
    is_late = models.BooleanField("逾期反馈", default=False)
    follow_up = models.TextField("后续处理", blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "监管结果反馈"

    def __str__(self) -> str:
        return f"{self.task_id} {self.get_result_display()}"


class UnlinkedCase(models.Model):
    """A completed case that reached no office: never dropped, shown to the overseers until somebody assigns it."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="unlinked")
    found_at = models.DateTimeField("发现时间")
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "无关联办件"

    def __str__(self) -> str:
        return f"{self.case_id}"


class TaskChange(models.Model):
    """What the approval side did to the licence while its task was open; it reaches the task at once."""

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="changes")
    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField("变动", max_length=14)
    text = models.CharField("说明", max_length=300)
    ends_licence = models.BooleanField("证照不再有效", default=False)
    at = models.DateTimeField("时间")
    seen_at = models.DateTimeField("知悉时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "证照变动"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.task_id} {self.kind}"
