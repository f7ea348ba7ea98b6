"""Draws by commit and reveal: fair, gapless, replayed exactly, and whoever tampers is found."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import StringIO
from itertools import count
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.test import Client

from ledger import draws, guards
from ledger.draws import draw, entry, keep_periods, open_period, position_of, replay, reveal, weight_by_load
from ledger.models import Draw, DrawPeriod, Entry
from ledger.record import record
from tests.conftest import Moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
SEPTEMBER = datetime(2026, 9, 28, 10, 0, tzinfo=SHANGHAI)
OCTOBER = datetime(2026, 10, 1, 0, 0, tzinfo=SHANGHAI)
POOL = [(3, 0), (8, 1), (21, 4)]
# Critical values of chi-square at the 0.001 level, by degrees of freedom.
CRITICAL = {4: 18.467, 24: 51.179}

# An example that must never change: pool 3, 8, 21 with loads 0, 1, 4, blind "b" × 64, seed "a" × 64.
PEOPLE = "61c173522f13c3d9e9305b682169ad317dd3f7dbcde7a3bc3d06adcd8249a419"
DIGEST = "8247bc0267e2e1aba98e5a45ede53f6a1e30e0035669acd5159199cd29ed843d"
PLACES = [1, 0, 1, 1, 0, 0, 0, 2, 0, 0, 0, 0]


def chi_square(found: Counter[int], wanted: dict[int, float]) -> float:
    return sum((found[key] - expected) ** 2 / expected for key, expected in wanted.items())


# --- the arithmetic


@pytest.mark.parametrize("seed", ["a" * 64, "0123456789abcdef" * 4, "f0" * 32])
def test_ten_thousand_draws_follow_the_weights(seed: str) -> None:
    loads = [0, 0, 1, 3, 9]
    found: Counter[int] = Counter()
    for number in range(1, 10_001):
        digest = draws.pool_digest(draws.BY_LOAD, draws.people_digest("b" * 64, number, [1, 2, 3, 4, 5]), loads)
        found[position_of(seed, number, digest, draws.BY_LOAD, loads)] += 1
    weights = [weight_by_load(load) for load in loads]
    assert weights == [1_000_000, 1_000_000, 500_000, 250_000, 100_000]
    wanted = {place: 10_000 * weight / sum(weights) for place, weight in enumerate(weights)}
    assert chi_square(found, wanted) < CRITICAL[4]


def test_a_draw_tells_nothing_about_the_next() -> None:
    loads = [0] * 5
    places = [position_of("c" * 64, number, f"{number:064x}", draws.EQUAL, loads) for number in range(1, 10_001)]
    pairs = Counter(5 * a + b for a, b in zip(places[::2], places[1::2], strict=True))
    assert chi_square(pairs, dict.fromkeys(range(25), 200.0)) < CRITICAL[24]


def test_what_would_favour_somebody_is_thrown_away() -> None:
    assert draws.below(3, iter([7, 6, 5]), span=8) == 2
    assert Counter(draws.below(3, iter([value, 0]), span=8) for value in range(6)) == {0: 2, 1: 2, 2: 2}
    assert draws.below(8, iter([7]), span=8) == 7


def test_the_documented_example_holds_on_every_machine() -> None:
    people = draws.people_digest("b" * 64, 1, [3, 8, 21])
    digest = draws.pool_digest(draws.BY_LOAD, people, [0, 1, 4])
    assert (people, digest) == (PEOPLE, DIGEST)
    assert [position_of("a" * 64, number, digest, draws.BY_LOAD, [0, 1, 4]) for number in range(1, 13)] == PLACES
    with pytest.raises(ValueError, match="pool"):
        position_of("a" * 64, 1, digest, draws.BY_LOAD, [])


# --- periods


@pytest.mark.django_db
def test_commitments_are_published_beforehand_and_the_seed_after_the_month() -> None:
    assert keep_periods(SEPTEMBER) == []
    september, october = DrawPeriod.objects.order_by("month")
    assert (september.name, september.is_late, september.is_for_draw) == ("2026-09", True, False)
    assert (october.name, october.is_late) == ("2026-10", False)
    assert draws.commitment_of(october.seed) == october.commitment
    assert october.seed != october.blind
    told = Entry.objects.get(stream="draws:2026-10")
    assert (told.act, told.data["commitment"], told.data["late"]) == ("draw.period_opened", october.commitment, False)
    with pytest.raises(ValueError, match="not over"):
        reveal(september, now=datetime(2026, 9, 30, 23, 59, 59, tzinfo=SHANGHAI))
    assert [one.name for one in keep_periods(OCTOBER)] == ["2026-09"]
    assert keep_periods(OCTOBER) == []
    september.refresh_from_db()
    assert draws.commitment_of(september.revealed_seed) == september.commitment
    assert Entry.objects.filter(stream="draws:2026-09").count() == 2
    assert DrawPeriod.objects.count() == 3


@pytest.mark.django_db
def test_secrets_are_not_in_clear_in_the_database() -> None:
    period = open_period("2026-10", now=SEPTEMBER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seed, blind FROM ledger_drawperiod")
        stored = "".join(cursor.fetchone())
    assert period.seed not in stored
    assert period.blind not in stored


@pytest.mark.django_db
def test_a_draw_without_a_period_opens_one_and_says_that_it_is_late() -> None:
    made = draw("test", "case:1", POOL, SEPTEMBER)
    assert (made.number, made.period.is_late, made.period.is_for_draw) == (1, True, True)
    page = Client().get("/draws/").content.decode()
    assert "本期承诺值没有提前公布，与第一次抽取同时公布。" in page


@pytest.mark.django_db
def test_a_revealed_month_draws_from_a_further_part() -> None:
    draw("test", "case:1", POOL, SEPTEMBER)
    keep_periods(OCTOBER)
    made = draw("test", "case:2", POOL, SEPTEMBER)  # the training clock was set back
    assert (made.period.name, made.number) == ("2026-09-2", 1)
    assert draw("test", "case:3", POOL, SEPTEMBER).period == made.period
    keep_periods(OCTOBER)
    assert Client().get("/draws/2026-09-2.csv").status_code == 200


# --- replaying


def month_of_draws(many: int = 12) -> DrawPeriod:
    """A revealed September with ``many`` draws, each on the ledger."""
    open_period("2026-09", now=datetime(2026, 8, 30, tzinfo=SHANGHAI))
    for number in range(many):
        with transaction.atomic():
            pool = [(one, load + number % 3) for one, load in POOL]
            made = draw("test", f"case:{number}", pool, SEPTEMBER)
            record(made.stream, "case.reviewer_drawn", at=SEPTEMBER, data=entry(made))
    keep_periods(OCTOBER)
    return DrawPeriod.objects.get(month="2026-09")


def replayed(*words: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command("replay_draws", *words, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_a_month_replays_to_the_same_results() -> None:
    period = month_of_draws()
    assert list(replay(period, seed=period.revealed_seed)) == []
    assert replayed("2026-09") == (0, "2026-09: 12 draws, 0 differences\n")
    assert {made.result for made in Draw.objects.all()} <= {3, 8, 21}


@pytest.mark.django_db
def test_a_running_month_replays_only_with_the_secret_which_is_not_printed() -> None:
    draw_ = draw("test", "case:1", POOL, SEPTEMBER)
    record("case:1", "x", at=SEPTEMBER, data=entry(draw_))
    with pytest.raises(CommandError, match="not revealed"):
        call_command("replay_draws", "2026-09")
    code, said = replayed("2026-09", "--secret")
    assert code == 0
    assert "1 draws, 0 differences; the commitment was published after the month began" in said
    assert draw_.period.seed not in said
    with pytest.raises(CommandError, match="no draws"):
        call_command("replay_draws", "2026-08")


def _other(made: Draw) -> int:
    others: list[int] = [one for one, _ in made.pool if one != made.result]
    return others[0]


TAMPERINGS: dict[str, tuple[Callable[[Draw], object], str]] = {
    "another result": (lambda made: Draw.objects.filter(pk=made.pk).update(result=_other(made)), "replayed to"),
    "another load": (
        lambda made: Draw.objects.filter(pk=made.pk).update(pool=[[3, 9], *made.pool[1:]]),
        "the pool does not give its digest",
    ),
    "another person": (
        lambda made: Draw.objects.filter(pk=made.pk).update(pool=[[4, made.pool[0][1]], *made.pool[1:]]),
        "the people of the pool do not give their digest",
    ),
    "a draw removed": (lambda made: made.delete(), "the draw is missing"),
    "the last draw removed": (lambda made: Draw.objects.get(number=12).delete(), "the draw is missing"),
    "the ledger entry removed": (lambda made: Entry.objects.filter(stream=made.stream).delete(), "no ledger entry"),
    "the ledger says otherwise": (
        lambda made: Entry.objects.filter(stream=made.stream).update(data=entry(made) | {"drawn": _other(made)}),
        "says otherwise",
    ),
    "another seed": (
        lambda made: DrawPeriod.objects.filter(month="2026-09").update(revealed_seed="e" * 64),
        "the seed does not give the published commitment",
    ),
    "another seed with its commitment": (
        lambda made: DrawPeriod.objects.filter(month="2026-09").update(
            revealed_seed="e" * 64, commitment=draws.commitment_of("e" * 64)
        ),
        "the ledger's entry of the commitment says otherwise",
    ),
}


@pytest.fixture
def unguarded(db: None) -> None:
    """As if somebody had the database in hand; the test's rollback brings the guards back."""
    guards.remove(connection)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(unguarded: None, name: str) -> None:
    month_of_draws()
    tamper, reason = TAMPERINGS[name]
    tamper(Draw.objects.get(number=5))
    code, said = replayed("2026-09")
    assert code == 1
    assert reason in said


REFUSED = {
    "a draw changed": "UPDATE ledger_draw SET result = 8",
    "a draw deleted": "DELETE FROM ledger_draw",
    "a period deleted": "DELETE FROM ledger_drawperiod WHERE month = '2026-10'",
    "another commitment": "UPDATE ledger_drawperiod SET commitment = 'x' WHERE month = '2026-10'",
    "published earlier than it was": "UPDATE ledger_drawperiod SET is_late = NOT is_late",
    "the counter set back": "UPDATE ledger_drawperiod SET drawn = drawn - 1 WHERE month = '2026-09'",
    "another seed revealed": "UPDATE ledger_drawperiod SET revealed_seed = 'x' WHERE month = '2026-09'",
    "a draw added to what is revealed": "UPDATE ledger_drawperiod SET drawn = drawn + 1 WHERE month = '2026-09'",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(name: str) -> None:
    month_of_draws(2)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REFUSED[name])
    assert replayed("2026-09")[0] == 0


# --- what everybody may see


def readable(answer: object) -> str:
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_the_public_checks_a_month_with_the_documented_script(tmp_path: Path) -> None:
    month_of_draws(30)
    period = DrawPeriod.objects.get(month="2026-09")
    table = readable(Client().get("/draws/2026-09.csv"))
    path = tmp_path / "2026-09.csv"
    text = (settings.BASE_DIR / "docs/mechanisms/draws.md").read_text()
    script = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]

    def checked(content: str) -> subprocess.CompletedProcess[str]:
        path.write_text(content)
        words = [sys.executable, "-c", script, str(path), period.revealed_seed, period.commitment]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    assert checked(table).stdout == "every draw replays\n"
    lines = table.splitlines(keepends=True)
    assert "draw 7 is missing" in checked("".join(lines[:7] + lines[8:])).stderr
    last = lines[-1].rstrip().rsplit(",", 1)
    assert "draw 30" in checked("".join(lines[:-1]) + f"{last[0]},{int(last[1]) % 3 + 1}\n").stderr


@pytest.mark.django_db
def test_the_public_never_sees_an_officer_or_a_case() -> None:
    open_period("2026-09", now=SEPTEMBER)
    for number in range(3):
        draw("test", f"case:77{number}", [(54321, 0), (98765, 2)], SEPTEMBER)
    keep_periods(OCTOBER)
    browser = Client()
    seen = browser.get("/draws/").content.decode() + readable(browser.get("/draws/2026-09.csv"))
    seen += browser.get("/api/v1/draws/").content.decode() + browser.get("/api/v1/draws/2026-09/").content.decode()
    period = DrawPeriod.objects.get(month="2026-09")
    for secret in ("54321", "98765", "case:77", period.blind, DrawPeriod.objects.get(month="2026-10").seed):
        assert secret not in seen
    assert seen.count(period.revealed_seed) == 2
    assert seen.count(period.commitment) == 2
    people = set(Draw.objects.values_list("people", flat=True))
    assert len(people) == 3  # the same pool gives another digest each time


@pytest.mark.django_db
def test_a_running_or_unknown_month_has_no_table() -> None:
    made = draw("test", "case:1", POOL, SEPTEMBER)
    for name in ("2026-09", "2026-9", "2026-09-1", "2026-09x2", "2026-09-٢", "2027-01", "x"):
        assert Client().get(f"/draws/{name}.csv").status_code == 404
        assert Client().get(f"/api/v1/draws/{name}/").status_code == 404
    body = Client().get("/api/v1/draws/").json()["results"]
    assert [(one["name"], one["drawn"], one["seed"]) for one in body] == [("2026-09", 1, "")]
    assert made.period.seed not in Client().get("/draws/").content.decode()


@pytest.mark.django_db
def test_the_page_goes_by_the_day_where_the_seed_is_not_revealed_yet(clock: Moment) -> None:
    """The month is over at midnight, the seed is told by a job some moments later."""
    open_period("2026-09", now=SEPTEMBER)
    said = re.compile(r'<td class="month">.*?</td>.*?</tr>', re.DOTALL)
    for moment, words, other in (
        ("2026-09-30 23:59", "月末之后公开", "即将公开"),
        ("2026-10-01 00:00", "即将公开", "保密"),
        ("2026-12-04 09:30", "即将公开", "月末之后公开"),
    ):
        clock.to(moment)
        (row,) = said.findall(Client().get("/draws/").content.decode())
        assert words in row
        assert other not in row
    keep_periods(clock.at)
    row = said.findall(Client().get("/draws/").content.decode())[-1]
    assert "种子已公开" in row
    assert "即将公开" not in row


@pytest.mark.django_db
def test_an_empty_page_says_so() -> None:
    answer = Client().get("/draws/")
    assert answer.status_code == 200
    assert "还没有公布抽取的承诺值" in answer.content.decode()


# --- at once


def together(acts: list[Callable[[], object]]) -> list[object]:
    """Run the acts at the same moment, each on its own connection."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return act()
        except RuntimeError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("opened", [True, False])
def test_draws_at_once_get_consecutive_numbers_and_a_rollback_leaves_no_gap(opened: bool) -> None:
    if opened:
        open_period("2026-09", now=SEPTEMBER)
    order = count()

    def one(fails: bool) -> int:
        with transaction.atomic():
            made = draw("test", f"case:{next(order)}", POOL, SEPTEMBER)
            if fails:
                raise RuntimeError("rolled back")
            record(made.stream, "x", at=SEPTEMBER, data=entry(made))
        return made.number

    results = together([lambda fails=fails: one(fails) for fails in (False, True) * 5])  # type: ignore[misc]
    assert sorted(number for number in results if isinstance(number, int)) == [1, 2, 3, 4, 5]
    assert [str(error) for error in results if not isinstance(error, int)] == ["rolled back"] * 5
    assert DrawPeriod.objects.get().drawn == 5
    assert replayed("2026-09", "--secret")[0] == 0


@pytest.mark.django_db
def test_a_period_that_another_opens_after_the_look_gets_no_further_part(monkeypatch: pytest.MonkeyPatch) -> None:
    look, looks = QuerySet.first, count()

    def first(rows: QuerySet[DrawPeriod]) -> DrawPeriod | None:
        found = look(rows)
        if rows.query.select_for_update and next(looks) == 0:
            assert found is None
            open_period("2026-09", now=SEPTEMBER)
        return found

    monkeypatch.setattr(QuerySet, "first", first)
    draw("test", "case:1", POOL, SEPTEMBER)
    assert DrawPeriod.objects.get().drawn == 1


@pytest.mark.django_db(transaction=True)
def test_a_month_is_revealed_once_while_two_ask() -> None:
    open_period("2026-09", now=SEPTEMBER)
    together([lambda: keep_periods(OCTOBER)] * 4)
    assert DrawPeriod.objects.count() == 3
    assert Entry.objects.filter(act="draw.seed_revealed").count() == 1
