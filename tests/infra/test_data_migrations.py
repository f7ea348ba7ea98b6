"""What a data migration fills, it fills again from the rows of a city at work."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from approvals import queueing
from approvals.models import Case
from approvals.models.cases import NO_QUEUE
from deadlines.models import Deadline
from supervision import pressing
from supervision.models import SupervisionTask
from supervision.models.tasks import NO_DAY_YET
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db


def fill(name: str) -> None:
    """Run the data migration of that name on today's tables."""
    module: Any = import_module(name)
    module.fill(apps, SimpleNamespace(connection=connection))


def test_yellow_days_are_filled_as_they_are_kept(city: None, clock: Moment) -> None:
    play.accepted(clock.at)
    open_ones = Deadline.objects.filter(state__in=["running", "paused"])
    kept = dict(open_ones.values_list("pk", "yellow_on"))
    assert kept
    assert None not in kept.values()
    assert open_ones.update(yellow_on=None) == len(kept)
    fill("deadlines.migrations.0003_yellow_days")
    assert dict(open_ones.values_list("pk", "yellow_on")) == kept


def test_the_days_of_tasks_are_written_as_the_database_keeps_them(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    some.copies(some.notified(clock.at), 3)
    kept = dict(SupervisionTask.objects.values_list("pk", "pressing_on"))
    pressing.remove(connection)
    SupervisionTask.objects.update(pressing_on=NO_DAY_YET)
    fill("supervision.migrations.0011_days_written")
    assert dict(SupervisionTask.objects.values_list("pk", "pressing_on")) == kept
    assert kept[task.pk] < NO_DAY_YET


def test_cases_stand_in_their_queues_by_the_days_of_their_clocks(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    for state in (play.received, play.approved, play.completed):
        state(clock.at)
    kept = dict(Case.objects.values_list("pk", "queue_on"))
    queueing.remove(connection)
    Case.objects.update(queue_on=NO_QUEUE)
    fill("approvals.migrations.0015_queue_days_written")
    assert dict(Case.objects.values_list("pk", "queue_on")) == kept
    assert kept[case.pk] < NO_QUEUE


def test_cases_of_on_the_spot_items_say_so(city: None, clock: Moment) -> None:
    spot, other = play.received(clock.at, play.item(play.SPOT)), play.received(clock.at)
    assert (spot.on_the_spot, other.on_the_spot) == (True, False)
    Case.objects.filter(pk=spot.pk).update(on_the_spot=False)
    fill("approvals.migrations.0006_on_the_spot")
    spot.refresh_from_db()
    other.refresh_from_db()
    assert (spot.on_the_spot, other.on_the_spot) == (True, False)
