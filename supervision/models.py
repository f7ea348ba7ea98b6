"""Supervision tasks: one for each linked office and sub-item of a completed case."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from approvals.exceptions import TransitionNotAllowed
from approvals.models import Case
from catalogue.models import Linkage, SupervisionSubItem
from deadlines.models import Deadline
from offices.access import Access, covered
from offices.models import Department, Office, Posting
from supervision.enums import MOVES, OPEN, Measure, Platform, Result, TaskStatus

Role = Posting.Role


class TaskQuerySet(models.QuerySet["SupervisionTask"]):
    """Adjectives for tasks."""

    def lock(self, pk: int) -> SupervisionTask:
        """Return the task with its row locked until the transaction ends, and what most actions read of it."""
        return self.select_for_update(of=("self",)).select_related("case", "office").get(pk=pk)

    def open(self) -> TaskQuerySet:
        """Not yet closed."""
        return self.filter(status__in=OPEN)

    def for_office_people(self, access: Access) -> TaskQuerySet:
        """Tasks of the offices that the person manages or deputises for, and of the departments the person heads."""
        return self.filter(
            Q(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))
            | Q(department_id__in=access.departments(Role.DEPARTMENT_HEAD))
        )

    def for_managers(self, access: Access) -> TaskQuerySet:
        """Tasks that the person may act on: those of offices that the person manages or deputises for."""
        return self.filter(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))

    def for_overseer(self, access: Access) -> TaskQuerySet:
        """Tasks of the divisions that the person oversees."""
        return self.filter(department__division__in=covered(access, Role.OVERSEER))


class SupervisionTask(models.Model):
    """监管任务. Its status moves only through ``move``; the table of moves is in ``supervision.enums``."""

    number = models.CharField("任务编号", max_length=26, unique=True)
    case = models.ForeignKey(Case, models.PROTECT, related_name="tasks")
    linkage = models.ForeignKey(Linkage, models.PROTECT, related_name="tasks")
    department = models.ForeignKey(Department, models.PROTECT, related_name="tasks")
    office = models.ForeignKey(Office, models.PROTECT, related_name="tasks")
    sub_item = models.ForeignKey(SupervisionSubItem, models.PROTECT, related_name="tasks")
    status = models.CharField("状态", max_length=14, choices=TaskStatus.choices, default=TaskStatus.NOTIFIED)
    promise_clauses = models.JSONField("承诺内容", default=list, blank=True)
    opened_at = models.DateTimeField("生成时间")
    sms_sent_at = models.DateTimeField("短信发出时间", null=True, blank=True)
    viewed_at = models.DateTimeField("查看时间", null=True, blank=True)
    viewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField("签收时间", null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    measure = models.CharField("监管措施", max_length=12, choices=Measure.choices, blank=True, default="")
    measure_reason = models.CharField("说明", max_length=300, blank=True, default="")
    planned_finish_on = models.DateField("计划完成日", null=True, blank=True)
    finished_on = models.DateField("完成监管日", null=True, blank=True)
    closed_at = models.DateTimeField("归档时间", null=True, blank=True)

    acknowledge_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="acknowledge_task", verbose_name="签收期限"
    )
    planned_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="planned_task", verbose_name="计划完成日"
    )
    feedback_deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="feedback_task", verbose_name="反馈期限"
    )

    objects = TaskQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "监管任务"
        indexes: ClassVar = [
            # The manager's inbox and its status filters.
            models.Index(fields=("office", "status", "-id"), name="task_office_status"),
            # The department head's and the overseers' lists.
            models.Index(fields=("department", "status", "-id"), name="task_department_status"),
        ]
        constraints: ClassVar = [
            # Exactly one task for each linkage of a case: the signal may be handled twice and nothing doubles (L9a).
            models.UniqueConstraint(
                fields=("case", "linkage"), name="task_once", violation_error_message="该办件在此关联下已有监管任务。"
            ),
            models.CheckConstraint(
                condition=Q(status__in=TaskStatus.values), name="task_status", violation_error_message="任务状态不对。"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["notified", "viewed"])
                | (~Q(measure="") & Q(planned_finish_on__isnull=False, acknowledged_at__isnull=False)),
                name="task_acknowledged_with_measure",
                violation_error_message="签收须选定监管措施和计划完成日。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["notified", "viewed", "acknowledged"]) | Q(finished_on__isnull=False),
                name="task_finished_on",
                violation_error_message="完成监管须填写完成日。",
            ),
            models.CheckConstraint(
                condition=~Q(measure="none_now") | ~Q(measure_reason=""),
                name="task_none_now_has_reason",
                violation_error_message="暂不检查须说明原因。",
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

    @property
    def current_deadline(self) -> Deadline | None:
        """The clock that presses now."""
        if self.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED}:
            return self.acknowledge_deadline
        if self.status == TaskStatus.ACKNOWLEDGED:
            return self.planned_deadline
        return self.feedback_deadline if self.status == TaskStatus.FINISHED else None

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
