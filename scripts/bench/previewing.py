"""The preview of a change of the table of handling over ``SCALE`` subjects, each with five records and two grades.

The floor is PostgreSQL alone answering the same question for all subjects in one statement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from approvals.models import Case
from credit.models import CreditSubject, HandlingPreview
from offices.models import User
from oversight import previews
from oversight.actions import previewing
from oversight.views.handling import subjects_by_grade
from scripts.bench import data
from scripts.bench.measure import Figure, seconds

MORNING = dt.datetime(2026, 9, 28, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LONGEST = 10
RECORDS = 5
GRADES = "(ARRAY['excellent', 'good', 'good', 'good', 'fair', 'poor'])[mod(n, 6) + 1]"
KINDS = "(ARRAY['kept_promise', 'sanction', 'kept_promise', 'broken_promise', 'praise', 'revoked', 'kept_promise'])"


def fill(case: Case, scale: int) -> None:
    """Subjects (one of ten a person), nine of ten graded twice, their records in no order, a tenth with a case."""
    first = (CreditSubject.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO credit_creditsubject (id, kind, code, id_number, id_hash, name) "
            "SELECT %s + n - 1, CASE WHEN mod(n, 10) = 0 THEN 'person' ELSE 'organisation' END, "
            "CASE WHEN mod(n, 10) > 0 THEN 'Y' || lpad(n::text, 17, '0') END, '', "
            "CASE WHEN mod(n, 10) = 0 THEN lpad(n::text, 64, '0') END, '预览' || n FROM generate_series(1, %s) n",
            [first, scale],
        )
        cursor.execute("SELECT setval(pg_get_serial_sequence('credit_creditsubject', 'id'), %s)", [first + scale - 1])
        for days in (400, 30):
            cursor.execute(
                "INSERT INTO credit_subjectgrade (subject_id, grade, source, given_at, received_at) "  # noqa: S608
                f"SELECT %(first)s + n - 1, {GRADES}, '省平台', %(at)s, %(at)s FROM generate_series(1, %(scale)s) n "
                "WHERE mod(n, 10) < 9",
                {"first": first, "scale": scale, "at": MORNING - dt.timedelta(days=days)},
            )
        cursor.execute(
            "INSERT INTO credit_creditrecord (subject_id, kind, origin, source, basis, listed, level, found_at, rule, "  # noqa: S608
            f"repaired_at) SELECT %(first)s + mod(n * 7919::bigint, %(scale)s), {KINDS}[mod(n, 7) + 1], 'portal', "
            "'测' || n, '测量', '', '', %(at)s - mod(n, 1400) * interval '1 day', '', "
            "CASE WHEN mod(n, 3) = 0 THEN %(at)s END FROM generate_series(1, %(rows)s) n",
            {"first": first, "scale": scale, "at": MORNING, "rows": RECORDS * scale},
        )
        data.many_cases(
            case, scale // 10, stem="3207004", more={"applicant_id": f"{first} + n * 10 - 10", "way": "'promise'"}
        )
    data.settle()


def _floor(preview: HandlingPreview) -> None:
    last = CreditSubject.objects.aggregate(last=Max("pk"))["last"]
    with connection.cursor() as cursor:
        cursor.execute(previews.COUNTS, previews.asked(preview, last))
        cursor.fetchall()


def previewing_handling(case: Case, by: User) -> Iterator[Figure]:
    """From the press of the button to what is shown: the most common grade, then subjects without any."""
    fill(case, data.SCALE)
    for grade in ("good", "none"):
        preview = previewing.begin(grade, "promise", is_open=False, basis="测量", by=by, now=MORNING)
        floor = seconds(partial(_floor, preview))
        spent = seconds(previews.run)
        preview.refresh_from_db()
        if preview.state != HandlingPreview.State.READY or preview.looked_at < data.SCALE or not preview.moving:
            raise RuntimeError(f"looked at {preview.looked_at}, {preview.moving} move")
        name = f"preview of handling, {grade}, {preview.moving:,} move, {preview.cases:,} cases"
        yield Figure(name, "s", spent, floor, spent / floor, "≤ 10 s", spent <= LONGEST, data.SCALE)
    spent = seconds(subjects_by_grade)
    yield Figure("subjects by grade", "s", spent, None, None, "none", True, data.SCALE)
