"""What a data migration fills, it fills again from the rows of a city at work."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from approvals.models import Case
from deadlines.models import Deadline
from tests.approvals import play
from tests.conftest import Moment

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


def test_cases_of_on_the_spot_items_say_so(city: None, clock: Moment) -> None:
    spot, other = play.received(clock.at, play.item(play.SPOT)), play.received(clock.at)
    assert (spot.on_the_spot, other.on_the_spot) == (True, False)
    Case.objects.filter(pk=spot.pk).update(on_the_spot=False)
    fill("approvals.migrations.0006_on_the_spot")
    spot.refresh_from_db()
    other.refresh_from_db()
    assert (spot.on_the_spot, other.on_the_spot) == (True, False)
