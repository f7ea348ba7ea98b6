"""The calendar office: proposed years, and which clocks they move."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from deadlines.arithmetic import DayInfo, Year
from deadlines.enums import DRAFT_BUSY, DRAFT_MOVES, DRAFT_OPEN, DraftOrigin, DraftStatus, YearStatus
from deadlines.errors import Conflict
from deadlines.models.calendar import CalendarYear
from deadlines.models.deadline import Deadline

if TYPE_CHECKING:
    from datetime import datetime

    from offices.models import User


def label_of(year: int) -> str:
    """The version label that stands for ``year`` now; empty while it is not held. One statement."""
    row = CalendarYear.objects.filter(year=year).first()
    return row.version_label if row else ""


class DraftQuerySet(models.QuerySet["CalendarDraft"]):
    """Adjectives for drafts."""

    def open(self) -> DraftQuerySet:
        """Neither applied nor discarded."""
        return self.filter(status__in=DRAFT_OPEN)

    def unfinished(self) -> DraftQuerySet:
        """Drafts that a worker has something to do for."""
        return self.filter(status__in=DRAFT_BUSY)


class CalendarDraft(models.Model):
    """A year as somebody proposes it: the worker works out what it moves, a person publishes it, the worker applies it.

    ``cursor_due``, ``cursor_id``: the last clock that was handled, in the order of (due date, id). They move in the
    transaction that handled it, with the counts: a worker that is killed leaves a draft that goes on where it stood.
    """

    year = models.PositiveSmallIntegerField("年份")
    status = models.CharField("状态", max_length=10, choices=DraftStatus.choices, default=DraftStatus.CHECKING)
    year_status = models.CharField("年份性质", max_length=12, choices=YearStatus.choices)
    source = models.CharField("依据", max_length=200)
    origin = models.CharField("来源", max_length=10, choices=DraftOrigin.choices)
    off = models.JSONField("放假", default=dict)
    makeup = models.JSONField("调休上班", default=dict)
    doubts = models.JSONField("存疑", default=list)
    base_version = models.CharField("预览所据版本", max_length=12, blank=True, default="")

    total = models.PositiveIntegerField("涉及的期限", default=0)
    looked_at = models.PositiveIntegerField("已看", default=0)
    moving = models.PositiveIntegerField("将移动", default=0)
    moved = models.PositiveIntegerField("已移动", default=0)
    cursor_due = models.DateField(null=True)
    cursor_id = models.BigIntegerField(default=0)
    settled = models.BooleanField(default=False)
    broken = models.JSONField("无法重算的期限", default=list)
    error = models.CharField("故障", max_length=200, blank=True, default="")

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name="导入人"
    )
    created_at = models.DateTimeField("导入时间")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="发布人"
    )
    published_at = models.DateTimeField("发布时间", null=True)
    finished_at = models.DateTimeField("完成时间", null=True)
    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "年度安排草稿"
        ordering = ("-id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("year",),
                condition=Q(status__in=["checking", "ready", "applying"]),
                name="calendar_draft_once",
                violation_error_message="这一年已有一份未办结的草稿。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DraftStatus.values),
                name="calendar_draft_status",
                violation_error_message="草稿状态不在表内。",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["applying", "applied"], published_at__isnull=False)
                | (~Q(status__in=["applying", "applied"]) & Q(published_at__isnull=True)),
                name="calendar_draft_published_has_time",
                violation_error_message="发布的草稿要有发布时间，未发布的不能有。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} 年（{self.get_status_display()}）"

    # --- what it is

    @property
    def is_open(self) -> bool:
        """Neither applied nor discarded."""
        return self.status in DRAFT_OPEN

    @property
    def is_busy(self) -> bool:
        """Whether a worker is at it."""
        return self.status in DRAFT_BUSY

    @property
    def percent(self) -> int:
        """How far the worker is, 0 to 100."""
        if not self.is_busy:
            return 100
        return min(99, 100 * self.looked_at // self.total) if self.total else 0

    @property
    def is_replacing(self) -> bool:
        """Whether an official year stood when it was previewed."""
        return self.base_version.isdigit()

    @property
    def version_label(self) -> str:
        """What the year's version will be called once it is published."""
        number = int(self.base_version.removesuffix("p") or 0) + 1
        return f"{number}p" if self.year_status == YearStatus.PROVISIONAL else str(number)

    @property
    def stream(self) -> str:
        """The ledger stream of the year."""
        return f"calendar:{self.year}"

    def is_stale(self) -> bool:
        """Whether the year was changed since the preview of a draft that can still be published; one statement."""
        waits = self.status in {DraftStatus.CHECKING, DraftStatus.READY}
        return waits and label_of(self.year) != self.base_version

    def days(self) -> list[DayInfo]:
        """Every day of the year."""
        from deadlines.provisional import build_days  # noqa: PLC0415 - a package of holidays comes with it

        return build_days(self.year, off=_dated(self.off), makeup=_dated(self.makeup))

    def as_year(self) -> Year:
        """The year as it would stand."""
        provisional = self.year_status == YearStatus.PROVISIONAL
        return Year(self.year, self.days(), version=self.version_label, provisional=provisional)

    # --- what happens to it; the table of moves is enums.DRAFT_MOVES

    def _move(self, to: DraftStatus) -> None:
        if to not in DRAFT_MOVES[DraftStatus(self.status)]:
            raise Conflict(
                f"{self.year} 年的草稿现在是“{DraftStatus(self.status).label}”，不能改为“{to.label}”；"
                "可能有同事已先一步办理，请刷新查看。"
            )
        self.status = to

    def preview(self, base_version: str) -> None:
        """Preview from the beginning, against the year as it stands."""
        self._move(DraftStatus.CHECKING)
        self.base_version = base_version
        self._rewind()
        self.total = self.moving = 0

    def be_ready(self) -> None:
        """The preview is complete."""
        self._move(DraftStatus.READY)

    def apply(self, at: datetime, by: User) -> None:
        """The year was put in place; now its clocks follow."""
        self._move(DraftStatus.APPLYING)
        self.published_at, self.published_by = at, by
        self._rewind()
        self.total = 0

    def finish(self, at: datetime) -> None:
        """Every clock follows the year."""
        self._move(DraftStatus.APPLIED)
        self.finished_at = at

    def discard(self, at: datetime) -> None:
        """It will not be published."""
        self._move(DraftStatus.DISCARDED)
        self.finished_at = at

    def _rewind(self) -> None:
        self.looked_at = self.moved = self.cursor_id = 0
        self.cursor_due = None
        self.settled = False
        self.broken = []
        self.error = ""


def _dated(days: dict[str, Any]) -> dict[date, str]:
    return {date.fromisoformat(day): str(name) for day, name in days.items()}


class CalendarMove(models.Model):
    """A clock that a year moves, from when to when: by the preview, and once ``applied_at`` is there in truth."""

    draft = models.ForeignKey(CalendarDraft, models.CASCADE, related_name="moves", db_index=False)
    deadline = models.ForeignKey(Deadline, models.PROTECT, related_name="+", db_index=False)
    before = models.DateField("原到期日")
    after = models.DateField("新到期日")
    applied_at = models.DateTimeField("移动时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "随年度安排移动的期限"
        ordering = ("draft_id", "deadline_id")
        constraints: ClassVar = [
            # Also the list of a draft's moves.
            models.UniqueConstraint(
                fields=("draft", "deadline"),
                name="calendar_move_once",
                violation_error_message="这个期限已在移动清单中。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deadline_id}: {self.before} → {self.after}"
