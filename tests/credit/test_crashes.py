"""kill -9 between the decision, the record and its push, and before each commit: nothing half done, then all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.actions import judging, repairing
from credit.models import Breach, CreditFact, CreditRecord, Push, Repair
from deadlines.clock import local_date
from tests import city as demo_city
from tests.conftest import Moment
from tests.credit import facts as make
from tests.supervision.crashing import dies, dies_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def test_died_while_telling(town: None, clock: Moment, tmp_path: Path) -> None:
    fact, by = make.fact(clock.at), make.officer()
    breach = dies_once(
        "credit_told.before_commit", lambda: judging.tell(fact, **make.TELL, by=by, now=clock.at), tmp_path / "point"
    )
    assert Breach.objects.get() == breach
    assert breach.number.endswith("1号")


def test_died_between_the_decision_the_record_and_its_push(town: None, clock: Moment, tmp_path: Path) -> None:
    breach, by, file = make.told(clock.at), make.officer(), tmp_path / "point"
    now = make.after(clock, breach.deadline.due_on)

    def decide() -> CreditRecord:
        return judging.record_breach(breach, final_on=local_date(now), reason="没有异议。", by=by, now=now)

    dies("credit_record.before_push", decide, file)
    record = dies_once("credit_record.before_commit", decide, file)
    assert Breach.objects.get().record == record
    assert list(Push.objects.values_list("record", "kind")) == [(record.pk, "record")]
    assert CreditFact.objects.get().settled_at == now


def test_died_while_lifting(town: None, clock: Moment, tmp_path: Path) -> None:
    record, by, file = make.recorded(clock), make.officer(), tmp_path / "point"
    asked = repairing.ask(record, ground="wrong", statement="决定书已被撤销。", by=by, now=clock.at)

    def grant() -> Repair:
        return repairing.settle(asked, grant=True, reason="决定书已被撤销。", by=by, now=clock.at)

    dies("credit_lift.before_push", grant, file)
    dies_once("credit_repair.before_commit", grant, file)
    record.refresh_from_db()
    assert record.withdrawn_at == clock.at
    assert list(Push.objects.order_by("seq").values_list("kind", "seq")) == [("record", 1), ("withdrawn", 2)]


def test_died_with_a_notice_of_the_platform(town: None, clock: Moment, tmp_path: Path) -> None:
    record = make.recorded(clock)
    assert record.repair_from is not None
    clock.at = make.noon(record.repair_from)

    def take() -> Repair:
        return repairing.take_notice(record, notice="N1", text="准予修复。", now=clock.at)

    dies("credit_lift.before_push", take, tmp_path / "point")
    dies_once("credit_notice.before_commit", take, tmp_path / "point")
    assert take() == Repair.objects.get()
    assert Push.objects.filter(kind="lifted").count() == 1
