"""Beat goes on when the clock of its host is set back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import ClassVar

import pytest
from celery import Celery
from celery.schedules import schedule

from lianyungang_gov.beat import Scheduler
from lianyungang_gov.celery import app as portal_app

SECONDS = {"sweep": 10, "deliver": 5, "anchor": 3600}


class Host:
    """The machine's clock; one for all, because a schedule in beat's memory finds it by its name."""

    at: ClassVar[dt.datetime]

    @classmethod
    def now(cls) -> dt.datetime:
        """What it says."""
        return cls.at


def beat(memory: Path) -> Scheduler:
    """A beat that keeps its last runs in ``memory``."""
    app = Celery("host", broker="memory://", set_as_current=False)
    app.conf.result_expires = None
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": schedule(seconds, nowfun=Host.now)} for name, seconds in SECONDS.items()
    }
    return Scheduler(app, schedule_filename=str(memory))


def runs_of_a_minute(scheduler: Scheduler) -> dict[str, int]:
    """Task → how often it was sent in a minute of the host's."""
    before = {name: entry.total_run_count for name, entry in scheduler.schedule.items()}
    end = Host.at + dt.timedelta(minutes=1)
    while Host.at < end:
        Host.at += dt.timedelta(seconds=max(scheduler.tick(), 0.01))
    return {name: entry.total_run_count - before[name] for name, entry in scheduler.schedule.items()}


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_hour_back_costs_no_sweep(tmp_path: Path, is_restarted: bool) -> None:
    usual = {"sweep": pytest.approx(6, abs=1), "deliver": pytest.approx(12, abs=1), "anchor": 0}
    Host.at = dt.datetime(2026, 9, 28, 16, 30, tzinfo=dt.UTC)
    scheduler = beat(tmp_path / "memory")
    assert runs_of_a_minute(scheduler) == usual
    Host.at -= dt.timedelta(hours=1)
    if is_restarted:
        scheduler.close()
        scheduler = beat(tmp_path / "memory")
    assert runs_of_a_minute(scheduler) == usual
    scheduler.close()


def test_the_portal_s_beat_is_this_one() -> None:
    assert portal_app.conf.beat_scheduler == f"{Scheduler.__module__}:{Scheduler.__qualname__}"
