"""Loading 存量证照: a file becomes a batch, its rows licences, by rule also tasks; in chunks, each whole or not at all.

A worker that dies between two chunks loses nothing and doubles nothing: how far a batch is stands in its own row and
moves in the transaction that writes the chunk.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history

from approvals.exceptions import Refused
from catalogue.models import Linkage
from credit.models import CreditSubject
from deadlines.clock import local_date
from ledger.record import Draft, record, record_many
from lianyungang_gov.faults import reach
from offices.bulk import update_rows
from offices.crypto import keyed_hash
from offices.models import Division, User
from supervision import messages_stock, starting, stock
from supervision.enums import Origin, StockAct, TaskAct
from supervision.models import StockBatch, StockLicence, SupervisionTask
from supervision.words import seen

logger = logging.getLogger(__name__)
CHUNK = 500
# Read nothing, written nothing: where a batch begins.
NOTHING = {"rows": 0, "done": 0, "licences": 0, "tasks": 0, "expired": 0, "unlinked": 0}


@transaction.atomic
def begin(
    division: Division, digest: str, *, name: str, opens_tasks: bool, valid_on: dt.date | None, by: User,
    now: dt.datetime,
) -> StockBatch:  # fmt: skip
    """Take a kept file for loading; a worker loads it. Raises ``Refused``, as a conflict where it was taken before."""
    name = seen(name, "name", "批次名称")
    if not name:
        raise Refused("name-missing", "请填写批次名称。", field="name")
    if opens_tasks and valid_on is None:
        raise Refused("valid-on-missing", "请填写按哪一天判断证照是否有效。", field="valid_on")
    if opens_tasks and valid_on is not None and not stock.FOUNDED <= valid_on <= local_date(now):
        raise Refused("valid-on-window", f"判断证照是否有效的日期须在 {stock.FOUNDED} 到今天之间。", field="valid_on")
    Division.objects.select_for_update().get(pk=division.pk)
    if StockBatch.objects.filter(division=division, digest=digest).exists():
        raise Refused("stock-file-known", "这个文件已经载入过，没有重复载入。", conflict=True)
    try:
        rows = stock.parse(stock.content_of(division.pk, digest))
    except FileNotFoundError as error:
        raise Refused("stock-file-gone", "这个文件没有保留，请重新上传。", conflict=True) from error
    stock.check(rows, stock.known(division.pk, rows), local_date(now))
    if all(row.fault for row in rows):
        raise Refused("stock-no-rows", "没有一行可以载入，请改正后重新上传。")
    batch = StockBatch.objects.create(
        division=division, name=name, digest=digest, opens_tasks=opens_tasks,
        valid_on=valid_on if opens_tasks else None, counts=NOTHING | {"rows": len(rows)}, loaded_by=by, loaded_at=now,
    )  # fmt: skip
    data = {"batch": batch.pk, "digest": digest, "rows": len(rows), "tasks": opens_tasks}
    record(starting.stream_of(division.pk), StockAct.BEGUN, at=now, by=by, data=data)
    return batch


def load_waiting(now: dt.datetime) -> int:
    """Load what waits, the oldest first; return how many batches were finished. Safe to run twice and at once."""
    waiting = StockBatch.objects.filter(finished_at__isnull=True).order_by("pk").values_list("pk", flat=True)
    finished = 0
    for pk in list(waiting):
        try:
            finished += load(pk, now)
        except FileNotFoundError:
            logger.exception("old stock: the file of batch %s is not in the store", pk)
    return finished


def load(pk: int, now: dt.datetime) -> bool:
    """Load one batch to its end; whether this call finished it. What was loaded before stays as it is."""
    batch = StockBatch.objects.get(pk=pk)
    if batch.finished_at is not None:
        return False
    rows = stock.parse(stock.content_of(batch.division_id, batch.digest))
    again = 0
    while True:
        try:
            more = load_chunk(pk, rows, now)
        except IntegrityError:
            # Another batch, or a case, wrote the same licence or subject at this moment: look once more.
            again += 1
            if again > 3:
                raise
            continue
        reach("stock.between_chunks")
        if not more:
            break
    finished = finish(pk, now)
    stock.discard(batch.division_id, batch.digest)
    return finished


@transaction.atomic
def load_chunk(pk: int, rows: Sequence[stock.Row], now: dt.datetime) -> bool:
    """Load the next rows of a batch; whether there are more. Statements are constant, but for subjects seen twice."""
    batch = StockBatch.objects.select_for_update(of=("self",)).select_related("loaded_by").get(pk=pk)
    counts = NOTHING | batch.counts
    block = rows[counts["done"] : counts["done"] + CHUNK]
    if batch.finished_at is not None or not block:
        return False
    known = stock.known(batch.division_id, block)
    stock.check(block, known, local_date(now))
    batch.faults = [*batch.faults, *({"line": row.line, "why": row.fault} for row in block if row.fault)]
    good = [row for row in block if not row.fault]
    licences = _licences(batch, good, known, now)
    opening = [
        (licence, linkages)
        for licence, linkages in zip(licences, (known.linked(row) for row in good), strict=True)
        if batch.valid_on is not None and _in_force(licence, batch.valid_on)
    ]
    tasks = _tasks(batch, opening, now)
    counts["done"] += len(block)
    counts["licences"] += len(licences)
    counts["tasks"] += len(tasks)
    if batch.opens_tasks:
        counts["expired"] += len(licences) - len(opening)
        counts["unlinked"] += sum(1 for _, linkages in opening if not linkages)
    batch.counts = counts
    batch.save(update_fields=["counts", "faults"])
    reach("stock.chunk.before_commit")
    return bool(counts["done"] < len(rows))


def _in_force(licence: StockLicence, day: dt.date) -> bool:
    return licence.valid_from <= day and (licence.valid_to is None or licence.valid_to >= day)


def _licences(batch: StockBatch, rows: Sequence[stock.Row], known: stock.Known, now: dt.datetime) -> list[StockLicence]:
    holders = _holders(rows, batch.loaded_by, now)
    return StockLicence.objects.bulk_create(
        StockLicence(
            batch=batch,
            number=row.number,
            business_item=known.items[row.code],
            holder=holders[row.identifier],
            holder_name=row.name,
            department_id=known.items[row.code].item.department_id,
            content=row.content,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in rows
    )


def _holders(rows: Sequence[stock.Row], by: User, now: dt.datetime) -> dict[str, CreditSubject]:
    """Identifier → its subject, those that are new made at once."""
    hashes = {row.identifier: keyed_hash(row.identifier) for row in rows if row.kind == stock.PERSON}
    codes = {row.identifier for row in rows if row.kind == stock.ORGANISATION}
    found = {one.code: one for one in CreditSubject.objects.filter(code__in=codes) if one.code}
    people = {one.id_hash: one for one in CreditSubject.objects.filter(id_hash__in=hashes.values())}
    found |= {number: people[key] for number, key in hashes.items() if key in people}
    new = {
        row.identifier: CreditSubject(kind=row.kind, name=row.name, code=row.identifier)
        if row.kind == stock.ORGANISATION
        else CreditSubject(kind=row.kind, name=row.name, id_number=row.identifier, id_hash=hashes[row.identifier])
        for row in rows
        if row.identifier not in found
    }
    if new:
        made = bulk_create_with_history(list(new.values()), CreditSubject, default_user=by, default_date=now)
        found |= dict(zip(new, made, strict=True))
    return found


def _tasks(
    batch: StockBatch, opening: Sequence[tuple[StockLicence, list[Linkage]]], now: dt.datetime
) -> list[SupervisionTask]:
    """Open a task of each licence along each of its linkages; who is told of them, ``finish`` says."""
    drafted, of_licence = [], []
    for licence, linkages in opening:
        for order, linkage in enumerate(linkages, start=1):
            of_licence.append(licence)
            drafted.append(
                SupervisionTask(
                    number=stock.number_of(batch.pk, licence.pk, order),
                    origin=Origin.STOCK,
                    linkage=linkage,
                    subject=licence.holder,
                    subject_name=licence.holder_name,
                    business_item=licence.business_item,
                    department_id=linkage.office.department_id,
                    office=linkage.office,
                    sub_item_id=linkage.sub_item_id,
                    opened_at=now,
                )
            )
    if not drafted:
        return []
    tasks: list[SupervisionTask] = bulk_create_with_history(
        drafted, SupervisionTask, default_user=batch.loaded_by, default_date=now
    )
    first = {licence.pk: task.pk for licence, task in reversed(list(zip(of_licence, tasks, strict=True)))}
    update_rows(StockLicence, ["task_id"], list(first.items()))
    record_many(
        [
            Draft(
                task.stream,
                TaskAct.OPENED,
                {
                    "batch": batch.pk,
                    "stock_licence": licence.pk,
                    "linkage": task.linkage_id,
                    "office": task.office_id,
                    "managers": [],
                },
                batch.loaded_by,
                fresh=True,
            )
            for licence, task in zip(of_licence, tasks, strict=True)
        ],
        at=now,
    )
    return tasks


@transaction.atomic
def finish(pk: int, now: dt.datetime) -> bool:
    """Close a batch whose rows are all loaded and tell each office, in one SMS, how many tasks it has; once."""
    batch = StockBatch.objects.select_for_update(of=("self",)).select_related("loaded_by").get(pk=pk)
    if batch.finished_at is not None or batch.counts["done"] < batch.counts["rows"]:
        return False
    Division.objects.select_for_update().only("pk").get(pk=batch.division_id)  # whose stream is written below
    batch.finished_at = now
    batch.save(update_fields=["finished_at"])
    told = messages_stock.announce(batch, local_date(now), now)
    data = {"batch": batch.pk, **batch.counts, "faults": len(batch.faults), "offices": told}
    record(starting.stream_of(batch.division_id), StockAct.LOADED, at=now, by=batch.loaded_by, data=data)
    reach("stock.finish.before_commit")
    return True
