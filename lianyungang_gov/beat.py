"""Celery's beat, for a host whose clock may be set back."""

from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    """Counts an interval anew when its last run lies ahead.

    Celery's own waits until the time has caught up with that run: a clock set back an hour is an hour without sweeps.
    The last runs are kept on disk, so a restart would not help.
    """

    def tick(self, *arguments: Any, **named: Any) -> float:
        """One look at the schedule; returns the seconds until the next."""
        entries = self.schedule.values()
        ahead = [entry for entry in entries if entry.last_run_at and entry.last_run_at > entry.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None  # its moments lie ahead too: the base class makes it again
        return super().tick(*arguments, **named)
