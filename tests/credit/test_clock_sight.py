"""Who may read the clocks of the credit side, as a page and in JSON."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
API = "/api/v1/deadlines/{}/"


def test_an_officer_reads_a_clock_of_the_own_breach_in_json_as_on_its_page(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    due = make.told(clock.at).deadline
    assert sign_in(make.OFFICER).get(reverse("clock", args=[due.pk])).status_code == 200
    read = caller(make.OFFICER).get(API.format(due.pk)).json()
    assert read["deadline"]["due_on"] == due.due_on.isoformat()
    assert sign_in(make.STRANGER).get(reverse("clock", args=[due.pk])).status_code == 404
    problem(caller(make.STRANGER).get(API.format(due.pk)), 404, "not-found")
