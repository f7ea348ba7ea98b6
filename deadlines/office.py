"""The calendar office: a year is proposed, shown with what it moves, and published by a person.

The proposing and the publishing are short; what takes long is done by the worker (``deadlines.jobs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Count

from deadlines.arithmetic import DayInfo
from deadlines.enums import Act, DayKind, DraftOrigin, DraftStatus, YearStatus
from deadlines.errors import Conflict, DeadlineError
from deadlines.kinds import KindCode
from deadlines.models import CalendarDraft, CalendarYear, Day
from deadlines.models.office import label_of
from deadlines.notice import Notice, doubts, read_text
from deadlines.provisional import SOURCE, published_elsewhere, statutory_holidays
from deadlines.publishing import Outcome, compared, install_year
from deadlines.tasks import wake
from ledger.record import record
from lianyungang_gov.faults import reach
from offices.models import User

# The month from which a year that follows must stand: the State Council's notice comes out by then.
EXPECTED_FROM = 11
CHANGES = {Outcome.CREATED, Outcome.CHANGED}
BUSY = "{year} 年已有一份未办结的草稿，请先发布或作废它。"
current_label = label_of


# --- proposing


@transaction.atomic
def import_file(name: str, content: bytes, *, by: User, now: datetime) -> list[CalendarDraft]:
    """Propose the years of a file that are not in place already; all of them or none.

    Raises ``NoticeError`` (a ``DeadlineError``) for a file that does not hold together, ``DeadlineError`` where nothing
    is new, ``Conflict`` where a year has an open draft.
    """
    notices = read_text(name, content)
    origin = DraftOrigin.JSON if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else DraftOrigin.CSV
    new = [notice for _, notice in sorted(notices.items()) if _is_new(notice, YearStatus.OFFICIAL)]
    if not new:
        raise DeadlineError(f"{name}：其中各年的安排与现行工作日历一致，没有需要发布的内容。")
    return [_drafted(notice, origin, YearStatus.OFFICIAL, by, now) for notice in new]


@transaction.atomic
def draft_year(notice: Notice, *, origin: DraftOrigin = DraftOrigin.TYPED, by: User, now: datetime) -> CalendarDraft:
    """Propose one official year. Raises ``DeadlineError`` where it stands so already, ``Conflict`` beside a draft."""
    return _proposed(notice, origin, YearStatus.OFFICIAL, by, now)


@transaction.atomic
def propose(year: int, *, by: User, now: datetime) -> CalendarDraft:
    """Propose a provisional year: as the package of notices has it, else by the law's holidays alone.

    Raises ``DeadlineError`` where an official year stands or nothing would change, ``Conflict`` beside an open draft.
    """
    notice = published_elsewhere(year)
    if notice is not None:
        return _proposed(notice, DraftOrigin.PROPOSAL, YearStatus.PROVISIONAL, by, now)
    notice = Notice(year, SOURCE, off=statutory_holidays(year))
    return _proposed(notice, DraftOrigin.STATUTORY, YearStatus.PROVISIONAL, by, now)


def _proposed(notice: Notice, origin: DraftOrigin, status: YearStatus, by: User, now: datetime) -> CalendarDraft:
    if not _is_new(notice, status):
        raise DeadlineError(f"{notice.year} 年的安排与现行工作日历一致，没有需要发布的内容。")
    return _drafted(notice, origin, status, by, now)


def _is_new(notice: Notice, status: YearStatus) -> bool:
    """Whether the year would change. Raises ``DeadlineError`` for a provisional one where an official one stands."""
    row = CalendarYear.objects.filter(year=notice.year).first()
    if row is None:
        return True
    outcome = compared(row, notice.days(), status, source=notice.source, replace=True)
    if outcome is Outcome.KEPT:
        raise DeadlineError(f"{notice.year} 年已有正式安排，不能再改为暂定。")
    return outcome in CHANGES


def _drafted(notice: Notice, origin: DraftOrigin, status: YearStatus, by: User, now: datetime) -> CalendarDraft:
    """Write the draft; the worker begins its preview."""
    draft = CalendarDraft(
        year=notice.year,
        year_status=status,
        source=notice.source,
        origin=origin,
        off={day.isoformat(): name for day, name in sorted(notice.off.items())},
        makeup={day.isoformat(): name for day, name in sorted(notice.makeup.items())},
        doubts=[] if origin is DraftOrigin.STATUTORY else doubts(notice),
        base_version=label_of(notice.year),
        created_by=by,
        created_at=now,
    )
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:
        raise Conflict(BUSY.format(year=notice.year)) from error
    data = {"draft": draft.pk, "origin": str(origin), "status": str(status)}
    record(draft.stream, Act.CALENDAR_DRAFTED, at=now, by=by, data=data)
    transaction.on_commit(wake, robust=True)
    return draft


# --- what a person does with a draft


@transaction.atomic
def check_again(draft: CalendarDraft, *, by: User, now: datetime) -> CalendarDraft:
    """Preview once more, against the year and the clocks as they stand now. Raises ``Conflict``."""
    draft = _locked(draft)
    draft.preview(label_of(draft.year))
    draft.save()
    record(draft.stream, Act.CALENDAR_CHECKED_AGAIN, at=now, by=by, data={"draft": draft.pk})
    transaction.on_commit(wake, robust=True)
    return draft


@transaction.atomic
def publish(draft: CalendarDraft, *, by: User, now: datetime) -> CalendarDraft:
    """Put the year in place and let the worker move its clocks and tell those concerned.

    Raises ``Conflict`` when the preview is not complete, not of the year as it stands, or somebody was first.
    """
    draft = _locked(draft)
    list(CalendarYear.objects.select_for_update().filter(year=draft.year))
    if draft.status == DraftStatus.CHECKING:
        raise Conflict("预览还没有完成，请稍候再发布。")
    if draft.status == DraftStatus.READY and draft.is_stale():
        raise Conflict(f"预览之后 {draft.year} 年的工作日历又有变动，请先按“重新预览”，看过结果再发布。")
    draft.apply(now, by)
    outcome = install_year(
        draft.year,
        draft.days(),
        status=YearStatus(draft.year_status),
        source=draft.source,
        at=now,
        by=by,
        replace=True,
    )
    if outcome not in CHANGES:
        raise Conflict(f"{draft.year} 年：{outcome.value}，这份草稿不需要再发布。")
    draft.save()
    transaction.on_commit(wake, robust=True)
    reach("publish.before_commit")
    return draft


@transaction.atomic
def discard(draft: CalendarDraft, *, by: User, now: datetime) -> CalendarDraft:
    """Give a draft up before it is published. Raises ``Conflict``."""
    draft = _locked(draft)
    draft.discard(now)
    draft.save()
    record(draft.stream, Act.CALENDAR_DISCARDED, at=now, by=by, data={"draft": draft.pk})
    return draft


def _locked(draft: CalendarDraft) -> CalendarDraft:
    return CalendarDraft.objects.select_for_update().get(pk=draft.pk)


# --- what pages ask


def missing_year(today: date) -> int | None:
    """The year that should be official by now and is not: this one, or from 1 November the next; one statement."""
    wanted = [today.year] + ([today.year + 1] if today.month >= EXPECTED_FROM else [])
    official = set(
        CalendarYear.objects.filter(year__in=wanted, status=YearStatus.OFFICIAL).values_list("year", flat=True)
    )
    return next((year for year in wanted if year not in official), None)


@dataclass(frozen=True, slots=True)
class DayChange:
    """A day that would be another one: as it stands (None: the year is not held), and as it would be."""

    day: date
    before: DayInfo | None
    after: DayInfo


def year_changes(draft: CalendarDraft) -> list[DayChange]:
    """The days that differ from what stands now; of a year that is not held, its holidays and make-up days."""
    held = {
        day: DayInfo(day, working, DayKind(kind), name)
        for day, working, kind, name in Day.objects.filter(year__year=draft.year).values_list(
            "day", "is_working", "kind", "name"
        )
    }
    special = {DayKind.HOLIDAY, DayKind.MAKEUP}
    return [
        DayChange(info.day, held.get(info.day), info)
        for info in draft.days()
        if (held.get(info.day) != info if held else info.kind in special)
    ]


def moves_by_kind(draft: CalendarDraft) -> list[tuple[KindCode, int]]:
    """How many clocks of each kind move, the most first; one statement."""
    rows = draft.moves.order_by().values_list("deadline__kind").annotate(number=Count("pk"))
    return [(KindCode(kind), number) for kind, number in rows.order_by("-number", "deadline__kind")]
