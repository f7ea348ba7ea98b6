"""Cases in every state: a list or a page takes as many statements for many as for few."""

from __future__ import annotations

from approvals.enums import CaseStatus
from approvals.models import Case
from scripts.bench import desks, town
from tests.conftest import Moment

TIMES = 6  # so many further copies of every case stand among the many


def test_no_list_and_no_page_takes_more_statements_for_many_cases_than_for_few(city: None, clock: Moment) -> None:
    askers = desks.begin(clock.at)
    originals = list(Case.objects.values_list("pk", flat=True))
    assert set(Case.objects.values_list("status", flat=True)) == set(CaseStatus.values)
    before = {one.desk.name: one.rows().count() for one in askers if one.desk.rows}
    few = {one.desk.name: desks.counted(one) for one in askers}

    town.copy(originals, TIMES)
    desks.declare(askers, TIMES, clock.at)
    town.draw_periods(range(2001, 2001 + TIMES), clock.at)

    after = {one.desk.name: one.rows().count() for one in askers if one.desk.rows}
    assert after == {name: count * (TIMES + 1) for name, count in before.items()}
    assert {one.desk.name: desks.counted(one) for one in askers} == few
    assert [(one.desk.name, few[one.desk.name]) for one in askers if few[one.desk.name] > one.desk.most] == []
