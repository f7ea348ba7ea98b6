"""Drawing a run again from what was frozen, and naming every difference (docs/mechanisms/inspection-draws.md)."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.draws import SAMPLE
from ledger.hashing import sm3_stream
from ledger.models import Draw, DrawPeriod, Entry
from ledger.samples import frozen_digest, salt_of, sample_digest
from supervision.actions.drawing import One, drawn_of, result_digest
from supervision.enums import PlanAct
from supervision.models import DrawnSubject, DrawRun, PoolPart
from supervision.pools import Inspectors, Pool, Share, unpacked


def period_of(run: DrawRun) -> DrawPeriod:
    """The month's period of a run."""
    month, part = run.draw_period[:7], run.draw_period[8:] or "1"
    return DrawPeriod.objects.get(month=month, part=int(part))


def draw_of(run: DrawRun) -> Draw | None:
    """The ledger's draw of a run."""
    return Draw.objects.select_related("period").filter(period=period_of(run), number=run.number).first()


def bodies(run: DrawRun) -> Iterator[bytes]:
    """The frozen pool's lines, a stretch at a time."""
    for part in PoolPart.objects.filter(run=run).order_by("order").iterator(chunk_size=10):
        yield unpacked(part.body)


def pool_from(run: DrawRun) -> Pool:
    """The frozen pool, read back."""
    pool = Pool()
    for body in bodies(run):
        for line in body.decode().splitlines():
            risk, subject, licence = line.split(",")
            pool.add(risk, int(subject), int(licence[1:]) * (1 if licence[0] == "L" else -1))
    return pool


def inspectors_from(run: DrawRun) -> Inspectors:
    """The frozen inspectors, read back."""
    conflicts: dict[int, set[int]] = {}
    for person, subject in run.pools["conflicts"]:
        conflicts.setdefault(subject, set()).add(person)
    return Inspectors([(one, load) for one, load in run.pools["inspectors"]], conflicts)


def differences(run: DrawRun, *, seed: str) -> Iterator[str]:
    """Each way in which the run and its replay from ``seed`` part; nothing where all agrees."""
    period, made = period_of(run), draw_of(run)
    if made is None or made.algorithm != SAMPLE:
        yield "the ledger has no draw of this number"
        return
    shares = [Share.of(kept) for kept in run.pools["groups"]]
    inspectors = inspectors_from(run)
    if sm3_stream(bodies(run)) != run.subject_pool_hash:
        yield "the pool of subjects does not give its digest"
    if inspectors.digest(salt_of(period, run.number)) != run.inspector_pool_hash:
        yield "the pool of inspectors does not give its digest"
    if frozen_digest(run.subject_pool_hash, run.inspector_pool_hash) != made.people:
        yield "the two pools are not those of the draw"
    if sample_digest(made.people, [share.group for share in shares]) != made.pool_hash:
        yield "the groups are not those of the draw"
    pool = pool_from(run)
    if run.pools.get("classes", pool.sizes) != pool.sizes:
        yield "the sizes of the classes are not those of the pool"
    if not _fits(pool, shares):
        yield "the sizes of the groups are not those of the pool"
        return
    found = list(drawn_of(seed, made.number, made.pool_hash, pool, shares, inspectors))
    yield from _told(run, result_digest(found))
    yield from _kept(run, found)


def _fits(pool: Pool, shares: list[Share]) -> bool:
    sizes = pool.sizes
    if len(shares) == 1 and shares[0].key not in sizes:
        return shares[0].size == pool.size
    return [sizes.get(share.key) for share in shares] == [share.size for share in shares]


def _told(run: DrawRun, digest: str) -> Iterator[str]:
    """What the ledger's two entries say otherwise."""
    stream = f"draw_plan:{run.plan_id}"
    frozen = Entry.objects.filter(stream=stream, act=PlanAct.FROZEN).first()
    drawn = Entry.objects.filter(stream=stream, act=PlanAct.DRAWN).first()
    if frozen is None or drawn is None or frozen.seq > drawn.seq:
        yield "the ledger does not say that the pools were frozen before the draw"
        return
    hashes = (frozen.data["subjects"], frozen.data["inspectors"])
    if hashes != (run.subject_pool_hash, run.inspector_pool_hash) or frozen.data["groups"] != run.pools["groups"]:
        yield "the ledger's entry of the frozen pools says otherwise"
    if drawn.data["result"] != digest:
        yield "the ledger's entry of the result says otherwise"


def _kept(run: DrawRun, found: list[One]) -> Iterator[str]:
    """Where the rows of the drawn differ."""
    columns = ("order", "position", "subject_id", "first_officer_id", "second_officer_id")
    rows = {row[0]: row[1:] for row in DrawnSubject.objects.filter(run=run).values_list(*columns)}
    for one in found:
        if rows.pop(one.order, None) != (one.position, one.subject, one.first, one.second):
            yield f"number {one.order} of the drawn differs: replayed to position {one.position + 1}"
    for order in sorted(rows):
        yield f"number {order} of the drawn was never drawn"
