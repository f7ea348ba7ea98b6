"""Draws that nobody can predict, and that anybody can replay (docs/mechanisms/draws.md).

A period (a calendar month) has a secret seed, whose SM3 digest is published beforehand. A draw freezes its pool, and
the result follows from seed + number of the draw + digest of the pool, and from nothing else. When the period is over,
the seed is published. Numbers of a period run without gaps, so no draw can be left out.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, models, transaction

from ledger import acts
from ledger.hashing import canonical, sm3
from ledger.models import Draw, DrawPeriod, Entry
from ledger.record import record

LOCAL = ZoneInfo("Asia/Shanghai")
SPAN = 2**256  # how many values an SM3 digest has
SCALE = 1_000_000
Pool = Sequence[tuple[int, int]]


class DrawAct(models.TextChoices):
    """Acts on a period's stream of the ledger."""

    OPENED = "draw.period_opened", "公布抽取种子的承诺值"
    REVEALED = "draw.seed_revealed", "公开抽取种子"


acts.register(DrawAct)


def weight_by_load(load: int) -> int:
    """A million divided by 1 + open load, rounded down: who has twice as much open is drawn half as often."""
    return max(1, SCALE // (1 + load))


BY_LOAD, EQUAL = "SM3-load-1", "SM3-equal-1"
# Not one of a pool but k of n in groups: ``ledger.samples``. Its pool is ``[[0, size], [1, taken], [2, size], …]``.
SAMPLE = "SM3-sample-1"
WEIGHTS: dict[str, Callable[[int], int]] = {BY_LOAD: weight_by_load, EQUAL: lambda load: 1}
_purposes: dict[str, str] = {}


def name_purposes(labels: Mapping[str, str]) -> None:
    """Tell what the purposes of one app's draws are called (from its ``apps.py``)."""
    _purposes.update(labels)


def purpose_label(purpose: str) -> str:
    """The Chinese name of a purpose, or the code itself where no app has named it."""
    return _purposes.get(purpose, purpose)


# --- the arithmetic: no database, nothing hidden


def commitment_of(secret: str) -> str:
    """The SM3 digest in hex of a secret's 64 characters."""
    return sm3(secret.encode())


def people_digest(blind: str, number: int, ids: Sequence[int]) -> str:
    """A digest that binds a draw to its people and tells nobody who they are, nor that two draws had the same."""
    return sm3(canonical({"blind": sm3(f"{blind}:{number}".encode()), "ids": list(ids)}))


def pool_digest(algorithm: str, people: str, loads: Sequence[int]) -> str:
    """SM3 of ``algorithm:people:load,load,…``."""
    return sm3(f"{algorithm}:{people}:{','.join(str(load) for load in loads)}".encode())


def values(seed: str, number: int, pool_hash: str) -> Iterator[int]:
    """The numbers that a draw takes its choice from: SM3 of ``seed:number:pool_hash:attempt``, attempt from 0."""
    attempt = 0
    while True:
        yield int(sm3(f"{seed}:{number}:{pool_hash}:{attempt}".encode()), 16)
        attempt += 1


def below(total: int, offered: Iterable[int], span: int = SPAN) -> int:
    """The first of ``offered`` (even over 0 … span - 1) that is below the largest multiple of ``total``, modulo it.

    Leaving out the rest keeps every remainder equally likely.
    """
    limit = span - span % total
    return next(value % total for value in offered if value < limit)


def position_of(seed: str, number: int, pool_hash: str, algorithm: str, loads: Sequence[int]) -> int:
    """The position (from 0) that a draw gives, each as likely as its weight; raises ``ValueError`` without a pool."""
    if not loads:
        raise ValueError("a draw needs somebody in its pool")
    weights = [WEIGHTS[algorithm](load) for load in loads]
    point = below(sum(weights), values(seed, number, pool_hash))
    return next(position for position, top in enumerate(accumulate(weights)) if point < top)


# --- periods


def month_of(moment: dt.datetime) -> str:
    """The local month of a moment, ``2026-09``."""
    return f"{moment.astimezone(LOCAL):%Y-%m}"


def month_after(month: str) -> str:
    """The month that follows."""
    first = dt.date.fromisoformat(f"{month}-01")
    return f"{first + dt.timedelta(days=32):%Y-%m}"


@transaction.atomic
def open_period(month: str, *, now: dt.datetime, part: int = 1, for_draw: bool = False) -> DrawPeriod:
    """Return the period, opened with fresh secrets if it is new; its commitments go on the ledger at once."""
    known = DrawPeriod.objects.filter(month=month, part=part).first()
    if known is not None:
        return known
    seed, blind = secrets.token_hex(32), secrets.token_hex(32)
    try:
        with transaction.atomic():
            period = DrawPeriod.objects.create(
                month=month,
                part=part,
                seed=seed,
                blind=blind,
                commitment=commitment_of(seed),
                blind_commitment=commitment_of(blind),
                opened_at=now,
                is_late=month_of(now) >= month,
                is_for_draw=for_draw,
            )
    except IntegrityError:  # another was faster
        return DrawPeriod.objects.get(month=month, part=part)
    data = {
        "commitment": period.commitment, "blind_commitment": period.blind_commitment, "late": period.is_late,
        "for_draw": for_draw,
    }  # fmt: skip
    record(period.stream, DrawAct.OPENED, at=now, data=data, fresh=True)
    return period


def is_over(period: DrawPeriod, now: dt.datetime) -> bool:
    """Whether the period's month has ended, so that its seed is to be revealed."""
    return period.month < month_of(now)


@transaction.atomic
def reveal(period: DrawPeriod, *, now: dt.datetime) -> DrawPeriod:
    """Publish the seed of a period that is over, once; raises ``ValueError`` before its end."""
    period = DrawPeriod.objects.select_for_update().get(pk=period.pk)
    if period.is_revealed:
        return period
    if not is_over(period, now):
        raise ValueError(f"the period {period.name} is not over")
    period.revealed_seed, period.revealed_at = period.seed, now
    period.save(update_fields=["revealed_seed", "revealed_at"])
    data = {"seed": period.revealed_seed, "draws": period.drawn}
    record(period.stream, DrawAct.REVEALED, at=now, data=data)
    return period


def keep_periods(now: dt.datetime) -> list[DrawPeriod]:
    """Open this month and the next, reveal what is over; safe to run twice and at once. Returns what was revealed."""
    month = month_of(now)
    for one in (month, month_after(month)):
        open_period(one, now=now)
    over = DrawPeriod.objects.filter(month__lt=month, revealed_seed="").order_by("month", "part")
    return [reveal(period, now=now) for period in over]


def _locked_period(now: dt.datetime) -> DrawPeriod:
    """The month's period that still draws, its row locked; one that was revealed before gets a further part."""
    month = month_of(now)
    while True:
        open_ones = DrawPeriod.objects.select_for_update().filter(month=month, revealed_seed="").order_by("part")
        period = open_ones.first()
        if period is not None:
            return period
        # Of those that are over alone: one that another opened since the look above is found by the next look.
        last = DrawPeriod.objects.filter(month=month).exclude(revealed_seed="").order_by("-part").first()
        part = last.part + 1 if last else 1
        open_period(month, now=now, part=part, for_draw=True)


# --- a draw


@transaction.atomic
def draw(purpose: str, stream: str, pool: Pool, now: dt.datetime, *, algorithm: str = BY_LOAD) -> Draw:
    """Draw one of ``pool``, pairs (id, load); the caller writes ``entry(draw)`` on ``stream`` in this transaction.

    The period's row stays locked until the transaction ends, so numbers run without gaps. Raises ``ValueError`` for an
    empty pool.
    """
    if not pool:
        raise ValueError("a draw needs somebody in its pool")
    frozen = sorted((int(one), int(load)) for one, load in pool)
    ids, loads = [one for one, _ in frozen], [load for _, load in frozen]
    period = _locked_period(now)
    number = period.drawn + 1
    people = people_digest(period.blind, number, ids)
    digest = pool_digest(algorithm, people, loads)
    position = position_of(period.seed, number, digest, algorithm, loads)
    made = Draw.objects.create(
        period=period,
        number=number,
        purpose=purpose,
        stream=stream,
        pool=[list(pair) for pair in frozen],
        people=people,
        pool_hash=digest,
        algorithm=algorithm,
        position=position,
        result=ids[position],
        at=now,
    )
    DrawPeriod.objects.filter(pk=period.pk).update(drawn=number)
    return made


def entry(made: Draw) -> dict[str, Any]:
    """What the ledger entry of a draw holds."""
    return {
        "period": made.period.name,
        "number": made.number,
        "purpose": made.purpose,
        "algorithm": made.algorithm,
        "pool": [one for one, _ in made.pool],
        "loads": made.loads,
        "people": made.people,
        "digest": made.pool_hash,
        "drawn": made.result,
    }


# --- replaying


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a period's record and its replay part: the period, the draw's number (0: the period itself), in words."""

    period: str
    number: int
    reason: str


def _secret_faults(period: DrawPeriod, seed: str) -> Iterator[Difference]:
    if commitment_of(seed) != period.commitment:
        yield Difference(period.name, 0, "the seed does not give the published commitment")
    if commitment_of(period.blind) != period.blind_commitment:
        yield Difference(period.name, 0, "the blind does not give its commitment")

    opened = Entry.objects.filter(stream=period.stream, act=DrawAct.OPENED).first()
    told = opened.data if opened else {}
    if (told.get("commitment"), told.get("blind_commitment")) != (period.commitment, period.blind_commitment):
        yield Difference(period.name, 0, "the ledger's entry of the commitment says otherwise")


def _sample_faults(made: Draw) -> Iterator[str]:
    """What a sample's own row shows; who was drawn is replayed where the pool is kept (``replay_inspection_draw``)."""
    numbers = made.loads
    if pool_digest(made.algorithm, made.people, numbers) != made.pool_hash:
        yield "the pool does not give its digest"
    sizes, taken = numbers[::2], numbers[1::2]
    if len(sizes) != len(taken) or any(k > n for n, k in zip(sizes, taken, strict=False)) or sum(taken) != made.result:
        yield "the numbers of the sample do not fit each other"


def _draw_faults(period: DrawPeriod, made: Draw, seed: str) -> Iterator[str]:
    if made.algorithm == SAMPLE:
        yield from _sample_faults(made)
        return
    ids, loads = [one for one, _ in made.pool], made.loads
    if ids != sorted(set(ids)):
        yield "the pool is not in its order"
    if people_digest(period.blind, made.number, ids) != made.people:
        yield "the people of the pool do not give their digest"
    if pool_digest(made.algorithm, made.people, loads) != made.pool_hash:
        yield "the pool does not give its digest"
    if made.algorithm not in WEIGHTS:
        yield f"unknown algorithm {made.algorithm}"
        return
    position = position_of(seed, made.number, made.pool_hash, made.algorithm, loads)
    if position != made.position or ids[position] != made.result:
        yield f"replayed to position {position + 1}, recorded position {made.position + 1}"


def replay(period: DrawPeriod, *, seed: str) -> Iterator[Difference]:
    """Draw every draw of ``period`` again and yield each difference, also from the ledger; memory stays bounded."""

    yield from _secret_faults(period, seed)
    expected = 1
    rows = Draw.objects.filter(period=period).order_by("number")
    batch: list[Draw] = []

    def compared(batch: list[Draw]) -> Iterator[Difference]:
        streams = {made.stream for made in batch}
        told: dict[tuple[str, int], list[dict[str, Any]]] = {}
        found = Entry.objects.filter(stream__in=streams, data__has_key="number").values_list("stream", "data")
        for stream, data in found.iterator(chunk_size=500):
            if data.get("period") == period.name:
                told.setdefault((stream, data["number"]), []).append(data)
        for made in batch:
            made.period = period
            for reason in _draw_faults(period, made, seed):
                yield Difference(period.name, made.number, reason)
            entries = told.get((made.stream, made.number), [])
            wanted = entry(made)
            if not entries:
                yield Difference(period.name, made.number, f"{made.stream} has no ledger entry of it")
            elif len(entries) > 1 or any(entries[0].get(key) != value for key, value in wanted.items()):
                yield Difference(period.name, made.number, f"the ledger entry on {made.stream} says otherwise")

    for made in rows.iterator(chunk_size=200):
        for missing in range(expected, made.number):
            yield Difference(period.name, missing, "the draw is missing")
        expected = made.number + 1
        batch.append(made)
        if len(batch) == 200:
            yield from compared(batch)
            batch = []
    yield from compared(batch)
    for missing in range(expected, period.drawn + 1):
        yield Difference(period.name, missing, "the draw is missing")
