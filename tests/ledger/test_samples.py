"""Samples of k of n, and two people for each: exact, fair, the same for everybody who has the seed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from ledger import draws
from ledger.draws import SAMPLE, commitment_of, open_period, pool_digest, replay
from ledger.hashing import sm3
from ledger.models import Draw, DrawPeriod
from ledger.record import record
from ledger.samples import Group, chosen, draw_sample, flat, frozen_digest, pair, pick, sample_digest, take

SEPTEMBER = datetime(2026, 9, 28, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
# Critical values of chi-square at the 0.001 level, by degrees of freedom.
CRITICAL = {9: 27.877, 19: 43.820, 11: 31.264}
SEED, HASH = "a" * 64, "b" * 64


def seeds(many: int) -> list[str]:
    """That many different seeds, the same on every machine."""
    return [commitment_of(str(number)) for number in range(many)]


def chi_square(found: Counter[object], wanted: dict[object, float]) -> float:
    return sum((found[key] - expected) ** 2 / expected for key, expected in wanted.items())


@pytest.mark.parametrize(
    ("size", "ratio", "taken"),
    [(0, 500, 0), (1, 1, 1), (99, 100, 1), (100, 100, 1), (101, 100, 2), (7, 2000, 2), (333, 500, 17), (400, 500, 20),
     (401, 500, 21), (9999, 1, 1), (10001, 1, 2), (1_000_000, 100, 10_000), (13, 10000, 13)],
)  # fmt: skip
def test_the_ratio_is_exact_and_rounds_up(size: int, ratio: int, taken: int) -> None:
    assert take(size, ratio) == taken
    assert (taken - 1) * 10_000 < size * ratio <= taken * 10_000 or taken == 0


@pytest.mark.parametrize("size", [1, 2, 7, 101, 1000])
def test_exactly_k_different_places(size: int) -> None:
    for taken in {0, 1, size // 3, size - 1, size}:
        places = list(chosen(SEED, 1, HASH, "A", size, taken))
        assert len(places) == len(set(places)) == taken
        assert all(0 <= place < size for place in places)
    with pytest.raises(ValueError, match="cannot be drawn"):
        chosen(SEED, 1, HASH, "A", size, size + 1)


def test_ten_thousand_seeds_draw_every_place_and_every_set_alike() -> None:
    places: Counter[object] = Counter()
    sets: Counter[object] = Counter()
    for seed in seeds(10_000):
        places.update(chosen(seed, 1, HASH, "C", 10, 3))
        sets[frozenset(chosen(seed, 2, HASH, "C", 6, 3))] += 1
    assert chi_square(places, dict.fromkeys(range(10), 3000.0)) < CRITICAL[9]
    wanted = {frozenset(one): 500.0 for one in combinations(range(6), 3)}
    assert chi_square(sets, wanted) < CRITICAL[19]  # type: ignore[arg-type]


def test_ten_thousand_seeds_send_people_by_their_load() -> None:
    """The first by weight, the second by the weight of the rest."""
    loads = [0, 0, 1, 3]
    weights = [draws.weight_by_load(load) for load in loads]
    total = sum(weights)
    wanted: dict[object, float] = {
        (a, b): 10_000 * weights[a] / total * weights[b] / (total - weights[a])
        for a in range(4)
        for b in range(4)
        if a != b
    }
    found: Counter[object] = Counter(pair(seed, 1, HASH, 1, loads) for seed in seeds(10_000))
    assert chi_square(found, wanted) < CRITICAL[11]
    assert set(found) == set(wanted)


def test_nobody_is_sent_twice_and_two_are_needed() -> None:
    assert all(len(set(pair(SEED, 1, HASH, order, [0, 5]))) == 2 for order in range(200))
    with pytest.raises(ValueError, match="two"):
        pair(SEED, 1, HASH, 1, [0])


def test_the_documented_example_holds_on_every_machine() -> None:
    groups = [Group("A", 5, 1), Group("D", 2, 2)]
    frozen = frozen_digest("1" * 64, "2" * 64)
    assert flat(groups) == [5, 1, 2, 2]
    assert sample_digest(frozen, groups) == pool_digest(SAMPLE, frozen, [5, 1, 2, 2])
    assert frozen == "2fd6fa646c4bd36fd575e03a21b95deab42d4674112ae9b4f726b92b5c776804"
    assert list(chosen(SEED, 3, HASH, "A", 20, 5)) == [18, 11, 9, 17, 14]
    assert list(chosen(SEED, 3, HASH, "D", 3, 3)) == [0, 1, 2]
    assert [pick(SEED, 3, HASH, f"officer:{order}:1", [0, 1, 4]) for order in range(1, 9)] == [2, 1, 0, 2, 0, 0, 1, 0]


def test_group_draw_and_number_each_change_the_result() -> None:
    one = list(chosen(SEED, 1, HASH, "A", 1000, 10))
    assert one == list(chosen(SEED, 1, HASH, "A", 1000, 10))
    others = [chosen(SEED, 1, HASH, "B", 1000, 10), chosen(SEED, 2, HASH, "A", 1000, 10)]
    others += [chosen("c" * 64, 1, HASH, "A", 1000, 10), chosen(SEED, 1, "d" * 64, "A", 1000, 10)]
    assert all(list(other) != one for other in others)


@pytest.mark.django_db
def test_a_sample_takes_the_months_next_number_and_replays_with_the_rest() -> None:
    open_period("2026-09", now=SEPTEMBER)
    draws.draw("test", "case:1", [(3, 0)], SEPTEMBER)
    salts: list[str] = []

    def people(salt: str) -> str:
        salts.append(salt)
        return "2" * 64

    made = draw_sample("test", "draw_plan:1", [Group("A", 5, 1)], subjects="1" * 64, people=people, now=SEPTEMBER)
    assert (made.number, made.result, made.loads) == (2, 1, [5, 1])
    assert salts == [sm3(f"{made.period.blind}:2".encode())]
    period = DrawPeriod.objects.get()
    assert period.drawn == 2
    reasons = [one.reason for one in replay(period, seed=period.seed)]
    assert reasons == ["case:1 has no ledger entry of it", "draw_plan:1 has no ledger entry of it"]
    record(made.stream, "draw_plan.drawn", at=SEPTEMBER, data=draws.entry(made))
    assert [one.number for one in replay(period, seed=period.seed)] == [1]
    with pytest.raises(ValueError, match="somebody"):
        draw_sample("test", "draw_plan:1", [Group("A", 5, 0)], subjects="", people=people, now=SEPTEMBER)
    assert Draw.objects.count() == 2
