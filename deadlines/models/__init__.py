"""Nouns of this app: the working calendar and its office, clocks with their events and alarms, set lengths, hours."""

from deadlines.models.calendar import CalendarYear, Day
from deadlines.models.deadline import Alarm, ClockEvent, Deadline
from deadlines.models.hours import WindowHours
from deadlines.models.office import CalendarDraft, CalendarMove
from deadlines.models.periods import PeriodRule
from deadlines.models.training import TrainingClock

__all__ = [
    "Alarm",
    "CalendarDraft",
    "CalendarMove",
    "CalendarYear",
    "ClockEvent",
    "Day",
    "Deadline",
    "PeriodRule",
    "TrainingClock",
    "WindowHours",
]
