"""Nouns of this app: the working calendar, clocks with their events and alarms, the training clock."""

from deadlines.models.calendar import CalendarYear, Day
from deadlines.models.deadline import Alarm, ClockEvent, Deadline
from deadlines.models.training import TrainingClock

__all__ = ["Alarm", "CalendarYear", "ClockEvent", "Day", "Deadline", "TrainingClock"]
