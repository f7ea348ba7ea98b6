"""The one source of time. In training it runs ahead of the real clock by an offset; production has no offset."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deadlines import calendar as working_calendar
from deadlines.alarms import local, next_opening
from deadlines.arithmetic import Calendar
from deadlines.enums import Act
from deadlines.errors import ClockError
from deadlines.models import TrainingClock
from ledger.record import record
from offices.models import User

STREAM = "clock:training"
NONE = timedelta(0)


def offset() -> timedelta:
    """How far the training clock is ahead; no statement at all where training is not allowed."""
    if not settings.TRAINING_ALLOWED:
        return NONE
    row = TrainingClock.objects.filter(pk=TrainingClock.ONLY).values_list("offset", flat=True).first()
    return row or NONE


def now() -> datetime:
    """The present moment, aware. Taken once at the edge and passed down."""
    return timezone.now() + offset()


def local_date(moment: datetime) -> date:
    """The date of ``moment`` in Asia/Shanghai."""
    return local(moment).date()


def today() -> date:
    """The local date of ``now()``."""
    return local_date(now())


def next_working_morning(after: datetime, calendar: Calendar | None = None) -> datetime:
    """The first 09:00 of a working day later than ``after``."""
    return next_opening(after, calendar or working_calendar.estimating())


@transaction.atomic
def jump_to(moment: datetime, by: User | None) -> datetime:
    """Move the training clock forward to ``moment`` and return it.

    Raises ``ClockError`` where training is not allowed, for a naive moment, and for one that is already past.
    """
    _refuse_outside_training()
    if timezone.is_naive(moment):
        raise ClockError("演练时间要带时区。")
    clock = _locked(by)
    real = timezone.now()
    before = real + clock.offset
    if moment < before:
        raise ClockError("演练时钟只能向前拨；要回到真实时间，请复位。")
    clock.offset, clock.moved_at, clock.moved_by = moment - real, real, by
    clock.save()
    data = {"from": before.isoformat(), "to": moment.isoformat()}
    record(STREAM, Act.CLOCK_JUMPED, at=moment, by=by, data=data)
    return moment


def jump_to_next_working_morning(by: User | None) -> datetime:
    """Move the training clock to the next 09:00 of a working day; errors as ``jump_to``."""
    return jump_to(next_working_morning(now()), by)


@transaction.atomic
def reset(by: User | None) -> None:
    """Bring the training clock back to the real time; the only way backwards. Raises ``ClockError``."""
    _refuse_outside_training()
    clock = _locked(by)
    real = timezone.now()
    data = {"from": (real + clock.offset).isoformat(), "to": real.isoformat()}
    clock.offset, clock.moved_at, clock.moved_by = NONE, real, by
    clock.save()
    record(STREAM, Act.CLOCK_RESET, at=real, by=by, data=data)


def _refuse_outside_training() -> None:
    if not settings.TRAINING_ALLOWED:
        raise ClockError("本系统未开启演练模式，时钟不能拨动。")


def _locked(by: User | None) -> TrainingClock:
    """The one row, made if need be, locked."""
    TrainingClock.objects.get_or_create(pk=TrainingClock.ONLY, defaults={"moved_at": timezone.now(), "moved_by": by})
    return TrainingClock.objects.select_for_update().get(pk=TrainingClock.ONLY)
