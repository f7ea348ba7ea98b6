"""Each of the nine key items from intake to licence or opinion in its own true way, through HTTP requests alone.

Working days of 2026 by the notice: off on 1–7 October, worked on Saturday 10 October.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from approvals.models import Case, Licence, Sheet
from catalogue.models import BusinessItem, KeyItem
from deadlines.enums import PauseGround
from notifications.enums import State
from notifications.models import Message
from offices.models import Posting
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask
from tests.approvals.playing import CLERK, Halt, Player
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
START = "2026-09-28 10:00"
EXPERTS = Halt(PauseGround.EXPERT_REVIEW, "2026-10-14 09:30", 10)
FIVE_DAYS = Halt(PauseGround.PUBLIC_NOTICE, "2026-10-12 09:30", 5)
SEVEN_DAYS = Halt(PauseGround.PUBLIC_NOTICE, "2026-10-14 09:30", 7)


@dataclass(frozen=True)
class Way:
    """What is true of one item: who looks at it before the decision, and what stops its clocks."""

    key: int
    code: str
    halt: Halt | None = None
    reviewers: int = 1
    scored: bool = False
    countersigned: bool = False
    visited: bool = False
    high_risk: bool = False
    tasks: int = 1


WAYS = (
    Way(1, "SP-0101", EXPERTS, scored=True, tasks=2),
    Way(2, "SP-0201", EXPERTS, reviewers=2, scored=True, high_risk=True),
    Way(3, "SP-0301", FIVE_DAYS, scored=True, tasks=5),
    Way(4, "SP-0401", SEVEN_DAYS, reviewers=2, scored=True, countersigned=True, tasks=2),
    Way(5, "SP-0501", EXPERTS),
    Way(5, "SP-0502", scored=True, visited=True),
    Way(6, "SP-0601", high_risk=True, tasks=2),
    Way(7, "SP-0701", visited=True, high_risk=True, tasks=2),
    Way(8, "SP-0801", tasks=2),
    Way(9, "SP-0901"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _uploads(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


def items() -> dict[str, BusinessItem]:
    rows = BusinessItem.objects.published().select_related("item__division", "review_office")
    return {item.code: item for item in rows.filter(code__in=[way.code for way in WAYS])}


def test_the_table_covers_the_nine_key_items_and_says_what_the_catalogue_says(city: None) -> None:
    assert {way.key for way in WAYS} == set(KeyItem.objects.values_list("number", flat=True)) == set(range(1, 10))
    for way in WAYS:
        item = items()[way.code]
        assert item.item.key_item_id == way.key
        assert item.item.division.code == "320700"
        asked = (item.reviewers, item.pass_mark is not None, item.countersign_offices.exists(), item.site_check)
        assert asked == (way.reviewers, way.scored, way.countersigned, way.visited), way.code
        assert (item.high_risk, item.allows_promise) == (way.high_risk, False), way.code
        assert item.linkages.filter(active=True).count() == way.tasks, way.code


@pytest.mark.parametrize("way", WAYS, ids=[f"{way.key}-{way.code}" for way in WAYS])
def test_a_key_item_from_intake_to_its_result(clock: Moment, city: None, way: Way) -> None:
    clock.to(START)
    item = items()[way.code]
    player = Player(item, clock, company=way.key)
    player.take_in()
    before = _clocks(player)
    drawn = player.review(way.halt)
    assert len(drawn) == way.reviewers
    assert Sheet.objects.filter(case__number=player.number).count() == (way.reviewers if way.scored else 0)
    _procedure(player, way, before)
    decider = player.decide()
    number = player.complete(drawn[0])
    assert player.progress()["status"] == "completed"
    player.deliver()

    case = Case.objects.get(number=player.number)
    assert (case.status, case.outcome) == ("completed", "licensed")
    assert case.decided_at == case.completed_at == clock.at
    _hands(player, way, drawn, decider)
    _papers(case, way)
    _licence(case, number, item)
    _supervision(case, way)
    _books()


def _clocks(player: Player) -> dict[str, str]:
    case = Case.objects.select_related("statutory_deadline", "promised_deadline").get(number=player.number)
    named = {"statutory": case.statutory_deadline, "promised": case.promised_deadline}
    return {name: str(clock.due_on) for name, clock in named.items() if clock}


def _procedure(player: Player, way: Way, before: dict[str, str]) -> None:
    """What a special procedure stops moves on; a public notice stops the city's own limit alone."""
    after = _clocks(player)
    moved = {name for name in before if after[name] > before[name]}
    expected = set(before) if way.halt else set()
    if way.halt and way.halt.ground == PauseGround.PUBLIC_NOTICE:
        expected = {"promised"}
    assert moved == expected, (before, after)


def _hands(player: Player, way: Way, drawn: list[str], decider: str) -> None:
    """Each had one part: reviewers, decider, site officers and countersigners are different people."""
    visitors = {name for name in player.met if ".hecha" in name}
    assert len(visitors) == (2 if way.visited else 0)
    signers = player.met - {decider, *drawn, *visitors}
    assert len(signers) == (1 if way.countersigned else 0)
    assert decider not in drawn


def _papers(case: Case, way: Way) -> None:
    kinds = list(case.documents.order_by("id").values_list("kind", flat=True))
    assert kinds == ["receipt", "acceptance", *(["special"] if way.halt else []), "approval"]


def _licence(case: Case, number: str, item: BusinessItem) -> None:
    """The result stands in the public register, under its own name."""
    licence = Licence.objects.get(case=case)
    assert (licence.number, licence.kind) == (number, item.result_name)
    page = Client().get(f"/register/{number}/").content.decode()
    assert item.result_name in page
    assert licence.holder_name in page


def _supervision(case: Case, way: Way) -> None:
    """A task for each office that the item names, open, and its message waiting to be sent to a manager of it."""
    tasks = SupervisionTask.objects.filter(case=case)
    assert len({task.linkage_id for task in tasks}) == tasks.count() == way.tasks
    for task in tasks:
        assert task.status == TaskStatus.NOTIFIED
        [told] = Message.objects.filter(kind="task_opened", reference=f"task:{task.pk}")
        assert told.state == State.QUEUED
        assert case.applicant_name in told.text
        assert told.to_user is not None
        assert Posting.objects.filter(user=told.to_user, office=task.office, role=Posting.Role.OFFICE_MANAGER).exists()


def _books() -> None:
    for command, said in (("verify_ledger", " 0 faults"), ("reconcile", "differences 0")):
        out = io.StringIO()
        call_command(command, stdout=out)
        assert said in out.getvalue()


def test_a_high_risk_item_offers_no_promise_and_says_why(clock: Moment, city: None) -> None:
    """国办发〔2020〕42号: vehicles still to be bought do not make 危险货物运输 an item of promise."""
    item = items()["SP-0701"]
    player = Player(item, clock)
    refused = player.post(CLERK, "cases/", player.intake(way="promise", modes=["deferred_material"]), 422)
    assert "告知承诺" in str(refused)
    assert not Case.objects.exists()
    page = player.desk(CLERK).get(f"/window/new/{item.code}/").content.decode()
    assert item.promise_refusal in page
