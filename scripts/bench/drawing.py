"""One draw of 双随机 over a pool of ``SCALE`` subjects: its time, and the peak memory of the process that makes it.

The pool is half licences and half old stock, with risk classes received for nine of ten. The floor is PostgreSQL alone
reading the same pool in its order with the newest class of each.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db import connection

from approvals.models import Case
from catalogue.models import Linkage
from credit.models import CreditSubject
from ledger.draws import keep_periods
from offices.models import Posting, User
from scripts.bench import data
from scripts.bench.measure import Figure, seconds
from supervision.models import StockBatch, SupervisionTask
from supervision.sampling import PROPOSED, set_rule

MORNING = dt.datetime(2026, 9, 28, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LONGEST, LARGEST = 30, 500
# Class by the subject's number modulo 100.
CLASSES = (
    "CASE WHEN mod(n, 100) < 60 THEN 'A' WHEN mod(n, 100) < 85 THEN 'B' WHEN mod(n, 100) < 89 THEN 'C' ELSE 'D' END"
)
FLOOR = """
SELECT count(*), sum(length(line)) FROM (
    SELECT risk || ',' || holder || ',' || id || chr(10) AS line FROM (
        SELECT h.holder, h.id, coalesce((
            SELECT r.risk FROM credit_subjectrisk r WHERE r.subject_id = h.holder
            ORDER BY r.given_at DESC, r.id DESC LIMIT 1), 'none') AS risk
        FROM (
            SELECT DISTINCT ON (holder) holder, id FROM (
                SELECT l.holder_id AS holder, l.id, 0 AS kind FROM approvals_licence l
                JOIN approvals_case c ON c.id = l.case_id
                WHERE l.state = 'valid' AND c.business_item_id = %(item)s
                UNION ALL
                SELECT s.holder_id, s.id, 1 FROM supervision_stocklicence s WHERE s.business_item_id = %(item)s
            ) both_kinds ORDER BY holder, kind, id DESC
        ) h
    ) classed ORDER BY risk, holder
) lines
"""


def _fill(case: Case, by: User, scale: int) -> tuple[int, int]:
    """A pool of ``scale`` subjects with licences like that of ``case``; the ids of the linkage and of the item."""
    SupervisionTask.objects.filter(case=case).update(status="closed", end="conforming", closed_at=MORNING)
    linkage = (
        Linkage.objects.filter(business_item=case.business_item, active=True).select_related("office").order_by("pk")[0]
    )
    for number in range(20):
        person = User.objects.create_user(f"bench{number}", full_name=f"检查{number}")
        Posting.objects.create(
            user=person, department_id=linkage.office.department_id, office=linkage.office,
            role=Posting.Role.INSPECTOR, starts_on=dt.date(2026, 1, 1),
        )  # fmt: skip
    half = scale // 2
    data.copy_rows(
        "credit_creditsubject", case.applicant_id, scale,
        {"code": "'Z' || lpad(n::text, 17, '0')", "name": "'抽查' || n", "kind": "'organisation'", "id_hash": "NULL"},
    )  # fmt: skip
    first = CreditSubject.objects.filter(code__startswith="Z").order_by("pk").values_list("pk", flat=True)[0]
    cases = data.many_cases(case, half, stem="3207005")
    data.copy_rows(
        "approvals_licence", case.licence.pk, half,
        {"number": "'抽' || n", "case_id": f"{cases} + n - 1", "holder_id": f"{first} + n - 1"},
    )  # fmt: skip
    batch = StockBatch.objects.create(
        division=linkage.office.department.division, name="存量", digest="0" * 64, opens_tasks=False,
        loaded_by=by, loaded_at=MORNING,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supervision_stocklicence (batch_id, number, business_item_id, holder_id, holder_name, "
            "department_id, content, valid_from) SELECT %s, '旧' || n, %s, %s + n - 1, '抽查' || n, %s, '', "
            "date '2020-01-01' FROM generate_series(%s, %s) n",
            [batch.pk, case.business_item_id, first, linkage.office.department_id, half + 1, scale],
        )
        cursor.execute(
            "INSERT INTO credit_subjectrisk (subject_id, risk, source, given_at, received_at) "  # noqa: S608 - our literal
            f"SELECT %s + n - 1, {CLASSES}, '省局', %s, %s FROM generate_series(1, %s) n WHERE mod(n, 100) < 90",
            [first, MORNING, MORNING, scale],
        )
        cursor.execute("ANALYZE")
    return linkage.pk, case.business_item_id


def _drawn(linkage: int, ratio: str) -> tuple[float, float, int, float]:
    command = [sys.executable, "-m", "scripts.bench.draw_once", str(linkage), ratio]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
    spent, peak, taken, again = json.loads(done.stdout.splitlines()[-1])
    return spent, peak, taken, again


def drawing(case: Case, by: User) -> Iterator[Figure]:
    """A draw at a uniform ratio of 1 %, then one by class."""
    linkage, item = _fill(case, by, data.SCALE)
    keep_periods(MORNING)
    for risk, (share, times) in PROPOSED.items():  # both draws are of one year and one sub-item
        set_rule(case.division, risk, ratio=share, times_a_year=times + 1, basis="测量", by=by, now=MORNING)

    def read() -> None:
        with connection.cursor() as cursor:
            cursor.execute(FLOOR, {"item": item})
            cursor.fetchall()

    floor = seconds(read)
    for name, ratio in (("1 %", "100"), ("by class", "")):
        spent, peak, taken, again = _drawn(linkage, ratio)
        met = spent <= LONGEST
        yield Figure(f"draw {name}, {taken:,} tasks", "s", spent, floor, spent / floor, "≤ 30 s", met, data.SCALE)
        yield Figure(f"draw {name}, peak memory", "MiB", peak, None, None, "≤ 500 MiB", peak <= LARGEST, data.SCALE)
        yield Figure(f"draw {name}, exact replay", "s", again, None, None, "0 differences", True, data.SCALE)
