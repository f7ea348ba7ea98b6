"""Old stock for tests: files of licences, loaded through the real actions."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence

from stdnum.cn import ric, uscc

from catalogue.models import BusinessItem, Linkage
from offices.models import Division, Posting, User
from supervision import stock
from supervision.actions import stocking
from supervision.models import StockBatch

Cells = Sequence[str]


def code(number: int) -> str:
    """The unified social credit code of the company with this number."""
    stem = f"91320700MA{number:07d}"
    return stem + uscc.calc_check_digit(stem)


def person(number: int) -> str:
    """The identity number of the person with this number."""
    stem = f"320703198{number % 10}0101{number % 1000:03d}"
    return stem + ric.calc_check_digit(stem)


def item() -> BusinessItem:
    """A business item with an active linkage."""
    found = Linkage.objects.active().select_related("business_item__item__division").order_by("pk").first()
    assert found is not None
    return found.business_item


def row(about: BusinessItem, number: int, **cells: str) -> list[str]:
    """A good row; ``cells`` by the place's name change it."""
    values = dict(
        zip(
            stock.HEADER,
            (about.code, f"旧证{number:06d}", f"连云港第{number}食品厂", code(number), "热食类食品制售", "2020-01-01",
             "2027-12-31", ""),
            strict=True,
        )
    )  # fmt: skip
    return list((values | cells).values())


def table(rows: Sequence[Cells], encoding: str = "utf-8-sig") -> bytes:
    """The file of these rows."""
    out = io.StringIO()
    csv.writer(out).writerows([stock.HEADER, *rows])
    return out.getvalue().encode(encoding)


def administrator(division: Division) -> User:
    """Who administers the division."""
    return Posting.objects.filter(role=Posting.Role.DIVISION_ADMIN, department__division=division)[0].user


def begun(rows: Sequence[Cells], now: dt.datetime, *, opens_tasks: bool = True) -> StockBatch:
    """A batch that waits for the worker."""
    division = item().item.division
    digest = stock.keep(table(rows), division)
    return stocking.begin(
        division, digest, name="食品经营许可", opens_tasks=opens_tasks, valid_on=now.date(),
        by=administrator(division), now=now,
    )  # fmt: skip


def loaded(rows: Sequence[Cells], now: dt.datetime, *, opens_tasks: bool = True) -> StockBatch:
    """A batch that was loaded to its end."""
    batch = begun(rows, now, opens_tasks=opens_tasks)
    assert stocking.load(batch.pk, now)
    batch.refresh_from_db()
    return batch
