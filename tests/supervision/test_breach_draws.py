"""Who has a breach in use is drawn like a higher class; lifted, minor or faded, like its own (L12b)."""

from __future__ import annotations

import datetime as dt

import pytest

from credit.models import CreditRecord, CreditSubject, SubjectRisk
from supervision.actions.drawing import draw_plan
from supervision.models import DrawnSubject
from supervision.pools import inspectors_of, pool_of
from tests.conftest import Moment
from tests.supervision import drawing as some

pytestmark = pytest.mark.django_db


def against(subject: CreditSubject, now: dt.datetime, **more: object) -> CreditRecord:
    values: dict[str, object] = {"kind": "broken_promise", "level": "general", "shown_until": dt.date(2027, 9, 28)}
    return CreditRecord.objects.create(
        subject=subject, source=f"J{subject.pk}", basis="逾期不改", found_at=now, **(values | more)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "record", "drawn"),
    [
        ("A", {}, "C"),
        ("none", {}, "C"),
        ("A", {"level": "serious"}, "D"),
        ("none", {"kind": "serious", "level": "", "shown_until": None}, "D"),
        ("D", {}, "D"),
        ("C", {}, "C"),
        ("A", {"level": "minor", "shown_until": None}, "A"),
        ("A", {"kind": "kept_promise", "level": ""}, "A"),
        ("A", {"kind": "revoked", "listed": "A02"}, "C"),
        ("A", {"kind": "revoked", "listed": "A03"}, "A"),
        ("A", {"kind": "sanction", "level": "serious"}, "D"),
        ("A", {"shown_until": dt.date(2026, 9, 27)}, "A"),
        ("A", {"shown_until": dt.date(2026, 9, 28)}, "C"),
        ("A", {"repaired_at": dt.datetime(2026, 9, 1, tzinfo=dt.UTC)}, "A"),
        ("A", {"withdrawn_at": dt.datetime(2026, 9, 1, tzinfo=dt.UTC)}, "A"),
    ],
)
def test_the_class_with_which_a_subject_is_drawn(
    city: None, clock: Moment, own: str, record: dict[str, object], drawn: str
) -> None:
    clean, one, other = some.holders({own: 3}, clock.at)
    against(one, clock.at, **record)
    plan = some.planned(clock.at)
    pool = pool_of(plan, inspectors_of(plan, clock.at), clock.at)
    place = {subject: risk for risk, ids in pool.subjects.items() for subject in ids}
    assert (place[clean.pk], place[one.pk], place[other.pk]) == (own, drawn, own)
    assert pool.raised == (own != drawn)
    newest = SubjectRisk.objects.filter(subject=one).values_list("risk", flat=True)
    assert list(newest) == ([] if own == "none" else [own]), "the class that was received stays"


def test_everybody_with_a_serious_breach_is_drawn_and_the_run_says_so(city: None, clock: Moment) -> None:
    some.inspectors(4)
    subjects = some.holders({"A": 200}, clock.at)
    for subject in subjects[::40]:
        against(subject, clock.at, level="serious")
    run = draw_plan(some.published(clock.at), by=some.manager(), now=clock.at)
    drawn = DrawnSubject.objects.filter(run=run)
    assert {one.subject_id for one in drawn.filter(risk="D")} == {subject.pk for subject in subjects[::40]}
    assert run.pools["raised"] == 5
    assert run.pools["classes"]["A"] == 195
