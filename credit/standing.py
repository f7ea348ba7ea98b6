"""Who has a breach in use, of which weight: what the sampling of inspections asks of the credit side (L12b)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby

from django.db.models import Q

from credit.gate import BREACHES, BY_FRAUD
from credit.joining import reached
from credit.models import CreditRecord, Level, SubjectLink
from credit.models.records import AGAINST
from credit.using import in_use

Kind = CreditRecord.Kind
READ = 5000
# What counts against a subject by its kind alone; sanctions and revocations by their level or their entry.
CLOSES = Q(kind__in=list(BREACHES)) | Q(level=Level.SERIOUS) | Q(listed=BY_FRAUD)


def closing(today: dt.date) -> Q:
    """Those of them that close what is given on a subject's word."""
    return Q(kind__in=AGAINST) & CLOSES & in_use(today) & ~Q(level=Level.MINOR)


def breaches(today: dt.date) -> Iterator[tuple[int, bool]]:
    """Subject id and whether one of its breaches is serious, by id, for everybody with a breach in use; one pass.

    A breach counts until its display ends, one without such a day for three years from its finding; lifted or minor
    ones never.
    """
    rows = (
        CreditRecord.objects.filter(closing(today))
        .order_by("subject_id")
        .values_list("subject_id", "kind", "level")
        .iterator(chunk_size=READ)
    )
    found = (
        (subject, any(kind == Kind.SERIOUS or level == Level.SERIOUS for _, kind, level in its))
        for subject, its in groupby(rows, key=lambda row: row[0])
    )
    for subject, weights in groupby(merge(found, _taken_over(today)), key=lambda pair: pair[0]):
        yield subject, any(serious for _, serious in weights)


def _taken_over(today: dt.date) -> list[tuple[int, bool]]:
    """Subjects that took the place of others, with the weight of what was found of those; by id."""
    onwards: dict[int, set[int]] = {}
    for one in SubjectLink.objects.filter(set_aside_at__isnull=True, carries=True).values_list("before_id", "after_id"):
        onwards.setdefault(one[0], set()).add(one[1])
    if not onwards:
        return []
    rows = CreditRecord.objects.filter(closing(today), subject_id__in=onwards)
    taken: set[tuple[int, bool]] = set()
    for subject, kind, level in rows.values_list("subject_id", "kind", "level"):
        serious = kind == Kind.SERIOUS or level == Level.SERIOUS
        links = [(before, after) for before, all_after in onwards.items() for after in all_after]
        taken |= {(after, serious) for after in reached(subject, links) if after != subject}
    return sorted(taken)


def weighed(subjects: Iterable[int], today: dt.date) -> Iterator[bool | None]:
    """For each of ``subjects``, ordered by id: None without a breach in use, else whether one is serious."""
    received = breaches(today)
    current = next(received, None)
    for subject in subjects:
        while current is not None and current[0] < subject:
            current = next(received, None)
        yield current[1] if current is not None and current[0] == subject else None
