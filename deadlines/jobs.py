"""What the worker does for the calendar office: previewing a year, and bringing its clocks to it.

A batch is one transaction, which also moves the draft's place and its counts. The draft's row is locked meanwhile, so
two workers never have the same batch; killed anywhere, the next one goes on where the draft says.
"""

from __future__ import annotations

import logging
import time

from django.db import connection

from deadlines import calendar as working_calendar
from deadlines import clock
from deadlines.arithmetic import Calendar
from deadlines.enums import Act, DraftStatus
from deadlines.models import CalendarDraft, CalendarMove
from deadlines.provisional import provisional_year
from deadlines.recompute import (
    BATCH,
    MOST_BROKEN,
    Found,
    Place,
    TooManyBroken,
    apply_to,
    following,
    foresee,
    label_now,
    outdated,
    settle,
    start_of,
    touching,
)
from deadlines.sweep import Attempt, place
from ledger.record import record
from lianyungang_gov.faults import reach

logger = logging.getLogger(__name__)

# Where the database has one writer at a time: long enough for whoever waits to get in between two batches.
BREATH = 0.1


def run(seconds: float | None = None, size: int = BATCH) -> bool:
    """Do batches of unfinished drafts until there are none or ``seconds`` have passed; True when more is to be done.

    A draft whose batch fails keeps the place of the failure in ``error`` and waits for the next run.
    """
    end = None if seconds is None else time.monotonic() + seconds
    passed_over: set[int] = set()
    while _step(size, passed_over):
        if end is not None and time.monotonic() > end:
            return True
        if not connection.features.has_select_for_update:
            time.sleep(BREATH)
    return False


def _step(size: int, passed_over: set[int]) -> bool:
    """One batch of one draft; False when no draft is to be had."""
    taken: CalendarDraft | None = None
    with Attempt() as attempt:
        taken = _claimed(passed_over)
        if taken is None:
            return False
        taken.error = ""
        if taken.status == DraftStatus.CHECKING:
            _preview(taken, size)
        elif not _apply(taken, size):
            passed_over.add(taken.pk)
        taken.save()
    if attempt.error is not None and taken is not None:
        where = place(attempt.error)
        CalendarDraft.objects.filter(pk=taken.pk).update(error=where[:200])
        passed_over.add(taken.pk)
        logger.error("calendar: draft %d of %d failed and waits: %s", taken.pk, taken.year, where)
    return True


def _claimed(passed_over: set[int]) -> CalendarDraft | None:
    """The oldest draft with something to do, locked; one that another worker holds is passed over (PostgreSQL)."""
    rows = CalendarDraft.objects.unfinished().exclude(pk__in=passed_over).order_by("pk")
    features = connection.features
    if features.has_select_for_update:
        rows = rows.select_for_update(skip_locked=features.has_select_for_update_skip_locked)
    return rows.first()


def _here(draft: CalendarDraft) -> Place:
    return Place(draft.cursor_due, draft.cursor_id) if draft.cursor_due else start_of(draft.year)


def _advance(draft: CalendarDraft, found: list[Found]) -> None:
    draft.cursor_due, draft.cursor_id = found[-1].due_on, found[-1].pk
    draft.looked_at += len(found)


def _rewind(draft: CalendarDraft) -> None:
    draft.cursor_due, draft.cursor_id = None, 0


def _preview(draft: CalendarDraft, size: int) -> None:
    """Work out what the next clocks would become; when there are no more, the draft is ready."""
    rows = touching(draft.year)
    if draft.cursor_due is None:
        draft.moves.all().delete()
        draft.total = rows.count()
    found = following(rows, _here(draft), size)
    if found:
        moves = [
            CalendarMove(draft=draft, deadline_id=key, before=before, after=after)
            for key, before, after in foresee(found, _as_it_would_be(draft))
        ]
        _keep(moves, "before", "after")
        draft.moving += len(moves)
        _advance(draft, found)
    else:
        # A clock that was extended meanwhile may have been looked at twice.
        draft.moving = draft.moves.count()
        draft.be_ready()
    reach("preview.before_commit")


def _as_it_would_be(draft: CalendarDraft) -> Calendar:
    """The calendar with the draft's year in place."""
    years = dict(working_calendar.estimating().years) | {draft.year: draft.as_year()}
    return Calendar(years.values(), supply=provisional_year)


def _apply(draft: CalendarDraft, size: int) -> bool:
    """Bring the next clocks to the year; False when others have to end first.

    Passes follow until one finds nothing, the last of them after everybody who may have read the old calendar has
    ended: a clock that was started while the year was published is not forgotten.
    """
    now = clock.now()
    rows = outdated(draft.year, label_now(draft.year)).exclude(pk__in=draft.broken)
    if draft.cursor_due is None and not draft.looked_at:
        draft.total = rows.count()
    found = following(rows, _here(draft), size)
    if found:
        done = apply_to(found, draft.year, at=now, by=draft.published_by)
        moves = [
            CalendarMove(
                draft=draft, deadline_id=move.deadline_id, before=move.before, after=move.after, applied_at=now
            )
            for move in done.moves
        ]
        _keep(moves, "before", "after", "applied_at")
        draft.moved += len(moves)
        draft.broken = [*draft.broken, *done.broken]
        if len(draft.broken) > MOST_BROKEN:
            raise TooManyBroken(f"{len(draft.broken)} clocks")
        _advance(draft, found)
    elif not draft.settled:
        if not settle():
            return False
        draft.settled = True
        _rewind(draft)
    elif draft.cursor_due is not None:
        _rewind(draft)
    else:
        draft.total = draft.looked_at
        draft.finish(now)
        data = {"draft": draft.pk, "looked_at": draft.looked_at, "moved": draft.moved, "broken": len(draft.broken)}
        record(draft.stream, Act.CALENDAR_APPLIED, at=now, by=draft.published_by, data=data)
    reach("calendar.before_commit")
    return True


def _keep(moves: list[CalendarMove], *columns: str) -> None:
    """Write moves; one that the preview or an earlier pass knows is brought up to date."""
    CalendarMove.objects.bulk_create(
        moves, update_conflicts=True, unique_fields=["draft", "deadline"], update_fields=columns
    )
