"""Pushes to the public credit platform over real HTTP: once in effect, in order, and dead letters (L11)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from io import StringIO
from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from credit import mending, pushing
from credit.models import CreditRecord, Push
from credit.pushing import LEASE, MAX_ATTEMPTS, PushAct, Verdict, push_due, queue
from ledger.models import Entry
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed
from scripts.standin_credit import REFUSED_WORDS, Mode, Service
from tests.conftest import Moment
from tests.credit.platforms import PERSON, company, person, queued, record, running, settle

pytestmark = pytest.mark.django_db
RECORD, LIFTED = Push.Kind.RECORD, Push.Kind.LIFTED


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A platform that speaks HTTP on a port of its own."""
    with running(settings) as one:
        yield one


@pytest.fixture
def officer(db: None) -> User:
    """Somebody who mends."""
    return User.objects.create_user("officer", full_name="周云", phone="10077000001")


def reconcile(*options: str) -> tuple[int, list[str]]:
    """Exit code and lines of ``reconcile_credit``."""
    out = StringIO()
    try:
        call_command("reconcile_credit", *options, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def acts(push: Push) -> list[str]:
    return list(Entry.objects.filter(stream=push.subject.stream).order_by("seq").values_list("act", flat=True))


def test_a_record_is_queued_with_the_act_and_accepted_with_its_receipt(service: Service, clock: Moment) -> None:
    push = queued(company(), clock.at)
    assert (push.seq, push.state, push.next_attempt_at) == (1, "queued", clock.at)
    report = push_due(clock.at)
    assert (dict(report.verdicts), report.more) == ({Verdict.ACCEPTED: 1}, False)
    push.refresh_from_db()
    assert (push.state, push.accepted_at, push.next_attempt_at) == ("accepted", clock.at, None)
    [taken] = service.taken.values()
    assert push.receipt == taken["receipt"]
    assert taken["record"] == {
        "number": f"LYG-{push.record_id}", "kind": "broken_promise", "source": "连住建撤〔2026〕1号",
        "basis": "连政办发〔2022〕67号", "listed": "A01", "level": "general", "department": "",
        "found_on": "2026-09-28", "rule": "", "repair_from": "2026-12-29", "shown_until": "2027-09-28",
        "repaired_on": None, "withdrawn_on": None,
    }  # fmt: skip
    assert taken["subject"] == {"kind": "organisation", "code": push.subject.code, "name": push.subject.name}
    assert acts(push) == [PushAct.QUEUED, PushAct.ACCEPTED]


def test_a_person_goes_by_the_keyed_hash_alone(service: Service, clock: Moment) -> None:
    subject = person()
    push = queued(subject, clock.at)
    push_due(clock.at)
    [taken] = service.taken.values()
    assert taken["subject"] == {"kind": "person", "id_hash": subject.id_hash, "name": "欧阳*"}
    kept = json.dumps([taken, push.payload, list(Entry.objects.values_list("data", flat=True))], ensure_ascii=False)
    assert PERSON not in kept
    assert "欧阳海" not in kept


def test_queued_twice_it_is_one_push_and_undone_with_the_act(clock: Moment) -> None:
    found = record(company(), clock.at)
    assert queue(found, RECORD, clock.at).pk == queue(found, RECORD, clock.at).pk
    assert acts(Push.objects.get()) == [PushAct.QUEUED]

    def fails() -> None:
        with transaction.atomic():
            queue(found, LIFTED, clock.at)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert Push.objects.count() == 1


def test_a_lifting_follows_its_record_even_where_that_was_never_pushed(service: Service, clock: Moment) -> None:
    found = record(company(), clock.at)
    found.repaired_at = clock.at
    found.save()
    assert queue(found, LIFTED, clock.at).seq == 2
    assert push_due(clock.at).more
    push_due(clock.at)
    assert [(one["seq"], one["kind"]) for one in service.taken.values()] == [(1, "record"), (2, "lifted")]
    assert [one["record"]["repaired_on"] for one in service.taken.values()][1] == "2026-09-28"
    assert reconcile("--platform")[0] == 0


def test_what_the_platform_itself_said_is_not_pushed_to_it(clock: Moment) -> None:
    theirs = record(company(), clock.at, origin="platform")
    with pytest.raises(ValueError, match="platform"):
        queue(theirs, RECORD, clock.at)
    assert queue(theirs, LIFTED, clock.at).seq == 1  # that its mark is lifted here, it is told


def test_a_later_push_waits_for_the_earlier_ones_of_its_subject_alone(service: Service, clock: Moment) -> None:
    first, second = queued(company(), clock.at, "甲"), queued(company(), clock.at, "乙")
    other = queued(company("91320700MA1PXH002"), clock.at, "丙")
    service.once[str(first.key)] = Mode.ERROR
    push_due(clock.at)
    states = {push.record.source: push.state for push in Push.objects.all()}
    assert states == {"甲": "queued", "乙": "queued", "丙": "accepted"}
    assert service.came[str(second.key)] == 0
    settle(clock.at + dt.timedelta(minutes=2))
    assert [one["seq"] for one in service.taken.values() if one["key"] != str(other.key)] == [1, 2]
    assert service.out_of_order == []
    assert Push.objects.get(pk=first.pk).attempts == 2


@pytest.mark.parametrize("mode", [Mode.LOST, Mode.TWICE, Mode.GARBAGE, Mode.HUGE, Mode.OTHER_KEY, Mode.NO_RECEIPT])
def test_taken_and_not_known_is_sent_again_under_the_same_key_and_takes_effect_once(
    service: Service, clock: Moment, mode: Mode
) -> None:
    push = queued(company(), clock.at)
    service.script.append(mode)
    push_due(clock.at)
    settle(clock.at + dt.timedelta(minutes=2))
    push.refresh_from_db()
    assert (push.state, service.came[str(push.key)], len(service.taken)) == ("accepted", 2, 1)
    assert reconcile("--platform")[0] == 0


TROUBLES = {
    Mode.SILENT: ("没有答复", 1),
    Mode.DRIP: ("没有答复", 1),
    Mode.ERROR: ("500", 1),
    Mode.BUSY: ("409", 1),
    Mode.UNAUTHORIZED: ("401", 0),
    Mode.REDIRECT: ("302", 0),
}


@pytest.mark.parametrize(("mode", "said"), TROUBLES.items())
def test_every_trouble_is_written_down_and_tried_again(
    service: Service, clock: Moment, mode: Mode, said: tuple[str, int]
) -> None:
    push = queued(company(), clock.at)
    service.mode = mode
    push_due(clock.at)
    push.refresh_from_db()
    assert push.state == "queued"
    assert said[0] in push.error
    assert push.attempts == said[1]  # where we are refused and not the push, no attempt is lost
    assert push.next_attempt_at is not None
    assert push.next_attempt_at > clock.at


def test_the_rest_waits_when_the_platform_asks_for_it(service: Service, clock: Moment) -> None:
    for number in range(30):
        queued(company(f"91320700MA1PXHA{number:02d}"), clock.at)
    service.mode = Mode.THROTTLE
    report = push_due(clock.at)
    assert (report.verdicts[Verdict.HELD], report.more) == (30, False)
    assert sum(service.played.values()) <= 8  # those that were on their way
    assert set(Push.objects.values_list("attempts", "next_attempt_at")) == {(0, clock.at + dt.timedelta(seconds=40))}


def test_without_a_platform_everything_waits(clock: Moment) -> None:
    push = queued(company(), clock.at)
    assert push_due(clock.at).verdicts.total() == 0
    push.refresh_from_db()
    assert (push.state, push.claims) == ("queued", 0)


def test_a_platform_that_is_gone_costs_no_attempt(service: Service, clock: Moment) -> None:
    push = queued(company(), clock.at)
    service.stop()
    assert push_due(clock.at).stopped == "连接不上信用平台"
    push.refresh_from_db()
    assert (push.state, push.attempts, push.error) == ("queued", 0, "连接不上信用平台")


def test_after_a_day_without_success_a_person_looks_at_it(service: Service, clock: Moment, officer: User) -> None:
    push = queued(company(), clock.at)
    service.mode = Mode.ERROR
    now = clock.at
    for _ in range(MAX_ATTEMPTS):
        push_due(now)
        now += dt.timedelta(hours=3)
    push.refresh_from_db()
    assert (push.state, push.attempts, push.is_refused) == ("dead", MAX_ATTEMPTS, False)
    # Nobody knows whether it arrived: the content must stay as it was.
    assert mending.mendable(push) == ()
    with pytest.raises(Refused, match="不知道信用平台是否已收到"):
        mending.mend(push, {"source": "别的"}, by=officer, now=now)
    service.mode = None
    mending.send_again(push, by=officer, now=now)
    push_due(now)
    push.refresh_from_db()
    assert (push.state, push.attempts) == ("accepted", 1)
    assert acts(push) == [PushAct.QUEUED, PushAct.DEAD, PushAct.AGAIN, PushAct.ACCEPTED]


def test_a_refused_push_holds_the_later_ones_until_it_is_mended(service: Service, clock: Moment, officer: User) -> None:
    first, second = queued(company(), clock.at, "甲"), queued(company(), clock.at, "乙")
    service.script.append(Mode.REFUSE)
    push_due(clock.at)
    settle(clock.at + dt.timedelta(minutes=2), rounds=2)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.is_refused, second.state, second.claims) == ("dead", True, "queued", 0)
    assert first.error == f"信用平台拒收（422）：{REFUSED_WORDS}"
    code, lines = reconcile()
    assert code == 1
    assert f"DIFFERENCE push {first.key} waits for a person" in lines[0]
    with pytest.raises(Refused, match="没有改动"):
        mending.mend(first, {"name": first.subject.name}, by=officer, now=clock.at)
    with pytest.raises(Refused, match="最多 60 字"):
        mending.mend(first, {"source": "字" * 61}, by=officer, now=clock.at)
    mending.mend(first, {"name": "连云港推送检验有限公司（演示）"}, by=officer, now=clock.at)
    settle(clock.at)
    assert [one["subject"]["name"] for one in service.taken.values()] == [
        "连云港推送检验有限公司（演示）",
        second.subject.name,
    ]
    assert [one["key"] for one in service.taken.values()] == [str(first.key), str(second.key)]
    mended = Entry.objects.get(act=PushAct.MENDED)
    assert (mended.actor_id, mended.data["fields"]) == (officer.pk, ["name"])
    assert "检验" not in json.dumps(mended.data, ensure_ascii=False)
    assert first.record.source == "甲"
    assert reconcile("--platform")[0] == 0
    with pytest.raises(TransitionNotAllowed):
        mending.send_again(first, by=officer, now=clock.at)


def test_a_slow_worker_brings_good_news_and_no_bad_news(service: Service, clock: Moment) -> None:
    push = queued(company(), clock.at)
    [slow] = pushing.claim(clock.at)
    later = clock.at + LEASE
    [fast] = pushing.claim(later)
    pushing.record_results([pushing.Result(slow, Verdict.REFUSED, "拒收")], later)
    push.refresh_from_db()
    assert (push.state, push.claims) == ("queued", 2)
    pushing.record_results([pushing.Result(slow, Verdict.ACCEPTED, receipt="R1")], later)
    pushing.record_results([pushing.Result(fast, Verdict.AGAIN, "没有答复")], later)
    push.refresh_from_db()
    assert (push.state, push.receipt) == ("accepted", "R1")


def test_good_news_of_a_content_that_was_mended_since_is_none(service: Service, clock: Moment, officer: User) -> None:
    push = queued(company(), clock.at)
    [slow] = pushing.claim(clock.at)
    [fast] = pushing.claim(clock.at + LEASE)
    pushing.record_results([pushing.Result(fast, Verdict.REFUSED, "拒收")], clock.at + LEASE)
    mending.mend(push, {"source": "连住建撤〔2026〕2号"}, by=officer, now=clock.at + LEASE)
    pushing.record_results([pushing.Result(slow, Verdict.ACCEPTED, receipt="R1")], clock.at + LEASE)
    push.refresh_from_db()
    assert push.state == "queued"


def test_a_clock_set_back_holds_nothing_up(service: Service, clock: Moment) -> None:
    push = queued(company(), clock.at + dt.timedelta(days=3))
    push_due(clock.at)
    push.refresh_from_db()
    assert push.state == "accepted"


def test_statements_do_not_grow_with_the_batch(service: Service, clock: Moment) -> None:
    counts = []
    for letter, size in (("A", 3), ("B", 40)):
        for number in range(size):
            queued(company(f"91320700MA1PX{letter}{number:03d}"), clock.at)
        with CaptureQueriesContext(connection) as seen:
            push_due(clock.at)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert Push.objects.exclude(state="accepted").count() == 0


def test_reconciling_names_what_does_not_add_up(service: Service, clock: Moment) -> None:
    kept, lost = queued(company(), clock.at, "甲"), queued(company("91320700MA1PXH002"), clock.at, "乙")
    push_due(clock.at)
    assert reconcile("--platform") == (0, ["records 2, queued 0, accepted 2, dead 0, differences 0"])
    never = record(company("91320700MA1PXH003"), clock.at, "丙")
    CreditRecord.objects.filter(pk=kept.record_id).update(repaired_at=timezone.now())
    row = service.taken.pop(str(lost.key))
    stranger = "ffffffff-ffff-4fff-8fff-ffffffffffff"
    service.taken[stranger] = row | {"key": stranger}
    service.taken[str(kept.key)]["receipt"] = "XY-else"
    code, lines = reconcile("--platform")
    assert code == 1
    said = "\n".join(lines)
    for words in (
        f"record {never.pk} was never queued",
        f"record {kept.record_id} is lifted, and the platform was never to be told",
        f"push {lost.key} counts as accepted, and the platform does not have it",
        f"the platform has push {stranger}, which nobody here queued",
        f"push {kept.key} has receipt",
    ):
        assert words in said
    assert lines[-1].endswith("differences 5")


def test_the_platforms_list_is_read_page_by_page(
    service: Service, clock: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credit.platform.PAGE", 3)
    for number in range(10):
        queued(company(f"91320700MA1PXHC{number:02d}"), clock.at)
    push_due(clock.at)
    assert reconcile("--platform")[0] == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_take_each_push_once_and_in_order(service: Service, clock: Moment) -> None:
    for number in range(12):
        for step in range(4):
            queued(company(f"91320700MA1PXHD{number:02d}"), clock.at, f"{number}-{step}")
    barrier = Barrier(2)

    def work() -> None:
        barrier.wait()
        try:
            for _ in range(60):
                if not Push.objects.filter(state="queued").exists():
                    return
                push_due(clock.at, batch=5)
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert set(service.came.values()) == {1}
    assert (len(service.taken), service.out_of_order) == (48, [])
    assert reconcile("--platform")[0] == 0
