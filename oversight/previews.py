"""Who would move if a cell of the table of differential handling were changed: worked out by the worker (L12a).

Set-based, in chunks of subjects in the order of their ids. A chunk is one transaction, which also moves the preview's
place and its counts; the preview's row is locked meanwhile, so two workers never have the same chunk, and killed
anywhere, the next one goes on where the row says. The breaches that close a way are those of ``credit.gate``, those of
the codes whose place a subject took among them.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import Exists, Max, OuterRef, Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from approvals.enums import DECIDED, ENDED_EARLY, CaseStatus, Way
from approvals.models import Case
from credit import gate, standing, using
from credit.models import CreditRecord, CreditSubject, Grade, HandlingPreview, HandlingWay, SubjectGrade
from credit.models.records import AGAINST
from deadlines import clock
from deadlines.clock import local_date
from deadlines.sweep import Attempt, place
from lianyungang_gov.faults import reach

logger = logging.getLogger(__name__)

TASK = "oversight.tasks.run_previews"
CHUNK = 200_000
# So many organisations are named on the page; persons are only counted.
NAMED = 50
# Where the database has one writer at a time: long enough for whoever waits to get in between two chunks.
BREATH = 0.1
UNDECIDED = [status for status in CaseStatus.values if status not in DECIDED and status not in ENDED_EARLY]
# What an application that took the way looks like; the green lane leaves no mark on a case.
TOOK: Mapping[str, Q] = {
    HandlingWay.PROMISE: Q(way=Way.PROMISE),
    HandlingWay.LATER: Q(later_submission__isnull=False),
    HandlingWay.ON_THE_SPOT: Q(way=Way.PROMISE, on_the_spot=True),
}
_AGAINST = ", ".join(f"'{kind}'" for kind in AGAINST)
_BREACHES = ", ".join(f"'{kind}'" for kind in gate.BREACHES)
_CLOSING = f"""found.kind IN ({_AGAINST})
    AND found.repaired_at IS NULL AND found.withdrawn_at IS NULL AND found.level <> 'minor'
    AND (found.kind IN ({_BREACHES}) OR found.level = 'serious' OR found.listed = '{gate.BY_FRAUD}')
    AND (found.shown_until >= %(today)s OR (found.shown_until IS NULL AND found.found_at >= %(since)s))"""
# Codes that took the place of others against which there is such a breach, over any number of links (``joining``); a
# circle ends it, as nobody is taken up twice.
_TAKEN = f"""taken(id) AS (
    SELECT link.after_id FROM credit_subjectlink AS link
    WHERE link.set_aside_at IS NULL AND link.carries AND %(word)s AND EXISTS (
        SELECT 1 FROM credit_creditrecord AS found WHERE found.subject_id = link.before_id AND {_CLOSING}
    )
    UNION
    SELECT link.after_id FROM taken JOIN credit_subjectlink AS link ON link.before_id = taken.id
    WHERE link.set_aside_at IS NULL AND link.carries
)"""  # noqa: S608 - our literal
TAKEN = f"WITH RECURSIVE {_TAKEN} SELECT id FROM taken"  # noqa: S608 - our literal
# The subjects of a chunk with that newest grade, and whether a breach in use closes the way to them whatever the cell
# says. The newest grade is read in the order of its index, the breaches from an index of those in use alone.
OF_GRADE = f"""
WITH RECURSIVE {_TAKEN}, newest AS (
    SELECT subject_id, grade FROM (
        SELECT subject_id, grade, row_number() OVER (PARTITION BY subject_id ORDER BY given_at DESC, id DESC) AS place
        FROM credit_subjectgrade WHERE subject_id > %(low)s AND subject_id <= %(high)s
    ) AS graded WHERE place = 1
), bars AS (
    SELECT found.subject_id FROM credit_creditrecord AS found
    WHERE found.subject_id > %(low)s AND found.subject_id <= %(high)s AND {_CLOSING} AND %(word)s
    UNION
    SELECT id FROM taken WHERE id > %(low)s AND id <= %(high)s
), mine AS (
    SELECT subject.id AS id, subject.kind AS kind, bars.subject_id IS NOT NULL AS barred
    FROM credit_creditsubject AS subject
    LEFT JOIN newest ON newest.subject_id = subject.id LEFT JOIN bars ON bars.subject_id = subject.id
    WHERE subject.id > %(low)s AND subject.id <= %(high)s AND coalesce(newest.grade, 'none') = %(grade)s
)
"""  # noqa: S608 - our literal
COUNTS = f"{OF_GRADE} SELECT kind, barred, count(*) FROM mine GROUP BY kind, barred"  # noqa: S608 - our literal
NAMES = f"{OF_GRADE} SELECT id FROM mine WHERE kind = 'organisation' AND NOT barred ORDER BY id LIMIT %(most)s"  # noqa: S608


def wake() -> None:
    """Send the worker to what waits; a lost wake-up costs the seconds until the next beat."""
    try:
        current_app.send_task(TASK, retry=False, expires=10)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("previews: no wake-up sent (%s); the beat will find it", type(error).__name__)


def run(seconds: float | None = None, size: int = CHUNK) -> bool:
    """Do chunks of waiting previews until there are none or ``seconds`` have passed; True when more is to be done.

    A preview whose chunk fails keeps the place of the failure in ``error`` and waits for the next run.
    """
    end = None if seconds is None else time.monotonic() + seconds
    passed_over: set[int] = set()
    while _step(size, passed_over):
        if end is not None and time.monotonic() > end:
            return True
        if not connection.features.has_select_for_update:
            time.sleep(BREATH)
    return False


def _step(size: int, passed_over: set[int]) -> bool:
    """One chunk of one preview; False when none is to be had."""
    taken: HandlingPreview | None = None
    with Attempt() as attempt:
        taken = _claimed(passed_over)
        if taken is None:
            return False
        taken.error = ""
        _look(taken, size)
        taken.save()
        reach("handling_preview.before_commit")
    if attempt.error is not None and taken is not None:
        where = place(attempt.error)
        HandlingPreview.objects.filter(pk=taken.pk).update(error=where[:200])
        passed_over.add(taken.pk)
        logger.error("previews: %d failed and waits: %s", taken.pk, where)
    return True


def _claimed(passed_over: set[int]) -> HandlingPreview | None:
    """The oldest running preview, locked; one that another worker holds is passed over (PostgreSQL)."""
    rows = HandlingPreview.objects.filter(state=HandlingPreview.State.RUNNING).exclude(pk__in=passed_over)
    features = connection.features
    if features.has_select_for_update:
        rows = rows.select_for_update(skip_locked=features.has_select_for_update_skip_locked)
    return rows.order_by("pk").first()


def _look(preview: HandlingPreview, size: int) -> None:
    """Count the next subjects; when there are no more, the preview is ready."""
    rows = CreditSubject.objects.filter(pk__gt=preview.cursor)
    if not preview.cursor:
        preview.total = rows.count()
    high = rows.order_by("pk").values_list("pk", flat=True)[size - 1 : size].first()
    looked = size
    if high is None:
        high, looked = rows.aggregate(last=Max("pk"))["last"], rows.count()
    if high is None:
        preview.total = preview.looked_at
        preview.state, preview.ready_at = HandlingPreview.State.READY, clock.now()
        return
    _add(preview, high)
    preview.cursor, preview.looked_at = high, preview.looked_at + looked


def _add(preview: HandlingPreview, high: int) -> None:
    said = asked(preview, high)
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, said)
        for kind, barred, number in cursor.fetchall():
            if barred:
                preview.barred += number
            elif kind == CreditSubject.Kind.PERSON:
                preview.persons += number
            else:
                preview.organisations += number
        missing = NAMED - len(preview.first)
        if missing and preview.organisations > len(preview.first):
            cursor.execute(NAMES, said | {"most": missing})
            preview.first = [*preview.first, *(pk for (pk,) in cursor.fetchall())]
    preview.cases += _cases(preview, high)


def _word(preview: HandlingPreview) -> bool:
    return preview.way in gate.ON_ONES_WORD


def asked(preview: HandlingPreview, high: int) -> dict[str, Any]:
    """The values of ``OF_GRADE`` for the subjects behind the preview's place, to ``high``."""
    today = local_date(preview.asked_at)
    return {
        "low": preview.cursor,
        "high": high,
        "grade": preview.grade,
        "since": connection.ops.adapt_datetimefield_value(using.since(today)),
        "today": connection.ops.adapt_datefield_value(today),
        "word": _word(preview),
    }


def _in_order(statement: str, said: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A statement of named values with the values in their order, as ``RawSQL`` takes it."""
    names = re.findall(r"%\((\w+)\)s", statement)
    return re.sub(r"%\(\w+\)s", "%s", statement), [said[name] for name in names]


def _cases(preview: HandlingPreview, high: int) -> int:
    """How many undecided cases of the subjects that move took the way; one statement."""
    took = TOOK.get(preview.way)
    if took is None:
        return 0
    today = local_date(preview.asked_at)
    grades = SubjectGrade.objects.filter(subject=OuterRef("applicant")).order_by("-given_at", "-id")
    rows = Case.objects.filter(
        took, status__in=UNDECIDED, applicant_id__gt=preview.cursor, applicant_id__lte=high
    ).annotate(newest=Coalesce(Subquery(grades.values("grade")[:1]), Value(Grade.NONE.value)))
    if _word(preview):
        bars = CreditRecord.objects.filter(standing.closing(today), subject=OuterRef("applicant"))
        statement, values = _in_order(TAKEN, asked(preview, high))
        rows = rows.exclude(Exists(bars)).exclude(applicant__in=RawSQL(statement, values))  # noqa: S611 - our literal
    return rows.filter(newest=preview.grade).count()
