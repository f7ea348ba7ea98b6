"""Samples that nobody can predict and anybody can draw again: k of n in every group, and two people for each.

The arithmetic is pure: a result follows from seed + number of the draw + digest of what was frozen, and from nothing
else. ``draw_sample`` takes its number from the month's period like any other draw; docs/mechanisms/inspection-draws.md.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from ledger import draws
from ledger.draws import SAMPLE, _locked_period, below, pool_digest, values, weight_by_load
from ledger.hashing import canonical, sm3
from ledger.models import Draw, DrawPeriod

WHOLE = 10_000  # ratios are in hundredths of a percent, so that they are exact


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a frozen pool: its name, how many are in it, how many are drawn."""

    key: str
    size: int
    taken: int


def take(size: int, ratio: int) -> int:
    """How many of ``size`` are drawn at ``ratio`` hundredths of a percent: rounded up, so never fewer than asked."""
    return -(-size * ratio // WHOLE)


def flat(groups: Iterable[Group]) -> list[int]:
    """``[size, taken, size, taken, …]``: what the digest of a sample binds."""
    return [number for group in groups for number in (group.size, group.taken)]


def chosen(seed: str, number: int, pool_hash: str, key: str, size: int, taken: int) -> Sequence[int]:
    """The ``taken`` places (from 0) of a group of ``size``, in the order of drawing: the first steps of Fisher–Yates.

    Every set of that size is equally likely. All of a group are taken in their order, without a draw. Memory: four
    bytes a place. Raises ``ValueError`` where more are asked than there are.
    """
    if not 0 <= taken <= size:
        raise ValueError(f"{taken} of {size} cannot be drawn")
    places = array("I", range(size))
    if taken == size:
        return places
    for step in range(taken):
        other = step + below(size - step, values(seed, number, f"{pool_hash}:{key}:{step}"))
        places[step], places[other] = places[other], places[step]
    return places[:taken]


def pick(seed: str, number: int, pool_hash: str, label: str, loads: Sequence[int]) -> int:
    """One place of ``loads``, each as likely as its weight (``weight_by_load``); ``label`` says which pick it is."""
    weights = [weight_by_load(load) for load in loads]
    point = below(sum(weights), values(seed, number, f"{pool_hash}:{label}"))
    for place, weight in enumerate(weights):
        if point < weight:
            return place
        point -= weight
    raise AssertionError("a point is below the sum of the weights")


def pair(seed: str, number: int, pool_hash: str, order: int, loads: Sequence[int]) -> tuple[int, int]:
    """Two different places of ``loads`` for the drawn of that ``order``. Raises ``ValueError`` without two people."""
    if len(loads) < 2:
        raise ValueError("two people are needed")
    first = pick(seed, number, pool_hash, f"officer:{order}:1", loads)
    rest = [load for place, load in enumerate(loads) if place != first]
    second = pick(seed, number, pool_hash, f"officer:{order}:2", rest)
    return first, second + (second >= first)


def salt_of(period: DrawPeriod, number: int) -> str:
    """What salts the digest of people in this draw: without the period's blind nobody can try names against it."""
    return sm3(f"{period.blind}:{number}".encode())


def frozen_digest(subjects: str, people: str) -> str:
    """One digest of both frozen pools: ``SM3({"people":…,"subjects":…})``."""
    return sm3(canonical({"people": people, "subjects": subjects}))


def sample_digest(frozen: str, groups: Iterable[Group]) -> str:
    """SM3 of ``SM3-sample-1:frozen:size,taken,size,taken,…``."""
    return pool_digest(SAMPLE, frozen, flat(groups))


@transaction.atomic
def draw_sample(
    purpose: str, stream: str, groups: Sequence[Group], *, subjects: str, people: Callable[[str], str], now: dt.datetime
) -> Draw:
    """Take the month's next number for a sample of ``groups``; the caller writes ``entry(draw)`` on ``stream``.

    ``subjects`` is the digest of the frozen pool, ``people`` makes that of the inspectors from the draw's salt. The
    period's row stays locked until the transaction ends. Raises ``ValueError`` where nobody is drawn.
    """
    total = sum(group.taken for group in groups)
    if not total:
        raise ValueError("a sample needs somebody in its pool")
    period = _locked_period(now)
    number = period.drawn + 1
    frozen = frozen_digest(subjects, people(salt_of(period, number)))
    made = Draw.objects.create(
        period=period,
        number=number,
        purpose=purpose,
        stream=stream,
        pool=[[place, value] for place, value in enumerate(flat(groups))],
        people=frozen,
        pool_hash=sample_digest(frozen, groups),
        algorithm=draws.SAMPLE,
        position=0,
        result=total,
        at=now,
    )
    DrawPeriod.objects.filter(pk=period.pk).update(drawn=number)
    return made
