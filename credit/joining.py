"""Which codes stand behind a subject: its predecessors by replacement, merger and split (代码衔接).

Nothing is moved: a record stays with the subject of which it was found. Who asks for a subject's credit asks for all of
its ``lineage``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from credit.models import CreditSubject, SubjectLink

# With the subject itself; ``credit.actions.joining`` refuses what would be more.
MOST = 20

# Depth bounds it even where rows were written past the action and run in a circle.
_BEFORE = """
WITH RECURSIVE lineage(id, depth) AS (
    SELECT CAST(%s AS bigint), 0
    UNION
    SELECT link.before_id, lineage.depth + 1
    FROM lineage JOIN credit_subjectlink AS link ON link.after_id = lineage.id
    WHERE link.set_aside_at IS NULL AND link.carries AND lineage.depth < %s
)
SELECT id FROM lineage GROUP BY id ORDER BY MIN(depth), id LIMIT %s
"""
# The same without splits: there the old subject goes on, or several take its place, and each speaks for itself.
_SUCCEEDED = _BEFORE.replace("AND link.carries", "AND link.carries AND link.kind <> 'split'")
# All that hangs together, either way; a chain cannot be longer than the links there are.
_TOGETHER = """
WITH RECURSIVE together(id) AS (
    SELECT id FROM credit_creditsubject WHERE id IN (%s, %s)
    UNION
    SELECT CASE WHEN link.before_id = together.id THEN link.after_id ELSE link.before_id END
    FROM together JOIN credit_subjectlink AS link ON link.before_id = together.id OR link.after_id = together.id
    WHERE link.set_aside_at IS NULL
)
SELECT id FROM together ORDER BY id
"""


def _ids(statement: str, *values: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def lineage(subject: CreditSubject) -> list[int]:
    """Ids of the subjects whose records count for ``subject``: itself first, then the nearest.

    One statement; at most ``MOST``. People have none but themselves (no statement).
    """
    if subject.kind == CreditSubject.Kind.PERSON:
        return [subject.pk]
    return _ids(_BEFORE, subject.pk, MOST - 1, MOST)


def succeeded(subject: CreditSubject) -> list[int]:
    """Of the ``lineage`` those whose place the subject took whole, by a new code or a merger: it speaks for them too.

    One statement; people have none but themselves (no statement).
    """
    if subject.kind == CreditSubject.Kind.PERSON:
        return [subject.pk]
    return _ids(_SUCCEEDED, subject.pk, MOST - 1, MOST)


def of_lineage(subject: Any) -> RawSQL:
    """The lineage of a subject by its id, a number or an expression, as the right side of ``__in``."""
    return RawSQL(_BEFORE, (subject, MOST - 1, MOST))  # noqa: S611 - constant


def together(one: int, other: int) -> list[int]:
    """Ids of all subjects that hang together with either, in order: what a new link locks; one statement."""
    return _ids(_TOGETHER, one, other)


@dataclass(frozen=True, slots=True)
class Step:
    """A link as the checks need it."""

    before: int
    after: int
    kind: str
    carries: bool


def steps(subjects: Collection[int]) -> list[Step]:
    """The links in force among these subjects; one statement."""
    rows = SubjectLink.objects.filter(set_aside_at__isnull=True, after__in=subjects)
    return [Step(*row) for row in rows.values_list("before_id", "after_id", "kind", "carries")]


def reached(start: int, links: Iterable[tuple[int, int]]) -> set[int]:
    """Everything that ``links`` (from, to) lead to from ``start``, itself included; safe in a circle."""
    onwards: dict[int, list[int]] = defaultdict(list)
    for here, there in links:
        onwards[here].append(there)
    found, ahead = {start}, [start]
    while ahead:
        for one in onwards[ahead.pop()]:
            if one not in found:
                found.add(one)
                ahead.append(one)
    return found


def longest(links: Collection[Step], whose: Collection[int]) -> int:
    """The size of the largest lineage among ``whose``."""
    back = [(one.after, one.before) for one in links if one.carries]
    return max((len(reached(one, back)) for one in whose), default=1)
