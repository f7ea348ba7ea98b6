"""A town whose cases stand in every state: one of each through the real actions, then copied by the database itself.

A copy is whole: the case with its materials, clocks, papers, sheets, checks, tasks, messages and ledger entries. The
entries keep the hashes of their originals, so that a ledger with copies in it does not verify. Runs on both databases.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import ManyToOneRel, OneToOneField

from approvals.actions import deliver, give_opinion
from approvals.actions.clocks import request_extension, start_procedure
from approvals.actions.drawing import recuse
from approvals.actions.mending import mend_case
from approvals.actions.site import plan_site_check
from approvals.actions.unveiling import unveil
from approvals.enums import CaseStatus
from approvals.models import Case, Conflict, Verification
from credit.models import CreditSubject
from ledger.models import DrawPeriod, Entry
from notifications.models import Message
from offices.models import Leave, User
from supervision.models import SupervisionTask
from tests.approvals import play, standing

S = CaseStatus
Rows = dict[type[models.Model], set[int]]
# Models with a stream of their own: what a stream or a reference begins with → whose number follows.
STREAMS: dict[str, type[models.Model]] = {"case": Case, "task": SupervisionTask}
# Family of items → the states in which its cases look different from those of the plain one.
POSITIONS: dict[str, Collection[CaseStatus]] = {
    "plain": tuple(S),
    "promise": (S.SUBMITTED, S.IN_REVIEW, S.APPROVED, S.COMPLETED, S.WITHDRAWN, S.CANCELLED),
    "unsigned": (S.SUBMITTED, S.CORRECTION_REQUESTED),
    "lacking": (S.SUBMITTED,),
    "later": (S.SUBMITTED, S.APPROVED, S.COMPLETED),
    "paired": (S.IN_REVIEW, S.APPROVED),
    "visited": (S.IN_REVIEW, S.COMPLETED),
    "scored": (S.IN_REVIEW,),
}
SERIES = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)"


def settle(now: dt.datetime) -> None:
    """One case in each state, in the states that differ by family also of those, and in each further position."""
    for family, states in POSITIONS.items():
        for status in states:
            standing.stand(family, status, now)
    _in_review(now)
    _beside(now)


def _in_review(now: dt.datetime) -> None:
    """What waits in review: for two officers, a head, an answer, a decision; looked into; handed back."""
    visited = standing.stand("visited", S.IN_REVIEW, now)
    plan_site_check(visited, planned_on=now.date() + dt.timedelta(days=1), by=_reviewer(visited), now=now)
    asked = standing.stand("scored", S.IN_REVIEW, now)
    paused, seen, back, advised = (standing.stand("plain", S.IN_REVIEW, now) for _ in range(4))
    reason = "须由专家评审后才能作出决定"
    request_extension(asked, days=1, reason=reason, by=_reviewer(asked), now=now)
    start_procedure(paused, ground="expert_review", estimated_days=5, reason=reason, by=_reviewer(paused), now=now)
    unveil(seen, by=_reviewer(seen), reason="须核对是否与另案重复", now=now)
    recuse(back, by=_reviewer(back), reason="与本案有利害关系", now=now)
    give_opinion(advised, approve=True, text="已审查。", keys=[], by=_reviewer(advised), now=now)


def _beside(now: dt.datetime) -> None:
    """Before and after the review: mended, asked of the licence service, overdue, delivered."""
    clerk = play.person("chuangkou1")
    mended = standing.stand("plain", S.SUBMITTED, now)
    mend_case(
        mended,
        contact_name="改过的联系人",
        contact_phone=mended.contact_phone,
        content=mended.content,
        by=clerk,
        now=now,
    )
    line = standing.stand("plain", S.SUBMITTED, now).materials.all()[0]
    Verification.objects.create(line=line, key=uuid.uuid4(), asked_by=clerk, asked_at=now, next_attempt_at=now)
    standing.lapsed(standing.stand("promise", S.APPROVED, now), now)
    deliver(standing.stand("plain", S.COMPLETED, now), method="counter", receiver="张三", by=clerk, now=now)


def _reviewer(case: Case) -> User:
    if case.reviewer is None:
        raise LookupError(f"nobody reviews {case.number}")
    return case.reviewer


def declarations(person: User, entered_by: User, count: int, now: dt.datetime) -> None:
    """``count`` further conflicts and leaves of one person."""
    have = Conflict.objects.count()
    codes = [f"B{have + n:017d}" for n in range(count)]
    name, kind = "连云港测算有限公司（演示）", CreditSubject.Kind.ORGANISATION
    Conflict.objects.bulk_create(
        Conflict(user=person, kind=kind, key=code, shown=code, name=name, reason="亲属任职", declared_at=now)
        for code in codes
    )
    Leave.objects.bulk_create(
        Leave(user=person, entered_by=entered_by, entered_at=now, starts_on=day, ends_on=day)
        for day in (now.date() - dt.timedelta(days=n + 1) for n in range(have, have + count))
    )


def draw_periods(years: Iterable[int], now: dt.datetime) -> None:
    """A revealed period of draws for every month of ``years``."""
    DrawPeriod.objects.bulk_create(
        DrawPeriod(
            month=f"{year}-{month:02d}", seed="0", blind="0", commitment="0" * 64, blind_commitment="0" * 64,
            opened_at=now, revealed_seed="0", revealed_at=now,
        )
        for year in years
        for month in range(1, 13)
    )  # fmt: skip


# --- copies


def copy(cases: Collection[int], times: int) -> None:
    """Copy each of the cases ``times`` times, with everything that hangs on it."""
    if not cases or times < 1:
        return
    rows = _whole(cases)
    with connection.cursor() as cursor:
        shifts = {model: _shift(cursor, model, ids) for model, ids in rows.items()}
    with transaction.atomic(), connection.cursor() as cursor:  # keys are checked at its end
        for model, ids in rows.items():
            _copy(cursor, model, ids, times, rows, shifts)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(rows)):
            cursor.execute(statement)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in rows:
                cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def _whole(cases: Collection[int]) -> Rows:
    """The cases and every row that belongs to them alone, by model."""
    found: Rows = defaultdict(set)
    _follow(found, Case, set(cases))
    for prefix, model in STREAMS.items():
        names = [f"{prefix}:{pk}" for pk in found[model]]
        _follow(found, Entry, _ids(Entry, stream__in=names))
        _follow(found, Message, _ids(Message, reference__in=names))
    return {model: ids for model, ids in found.items() if ids}


def _follow(found: Rows, model: type[models.Model], ids: set[int]) -> None:
    """Add the rows, what points to them, and what they alone point to."""
    new = ids - found[model]
    if not new:
        return
    found[model] |= new
    for one in model._meta.get_fields(include_hidden=True):
        if isinstance(one, OneToOneField):
            targets = model._base_manager.filter(pk__in=new).values_list(one.attname, flat=True)
            _follow(found, one.related_model, {pk for pk in targets if pk is not None})
        elif isinstance(one, ManyToOneRel) and not one.related_model.__name__.startswith("Historical"):
            _follow(found, one.related_model, _ids(one.related_model, **{f"{one.field.name}__in": new}))


def _ids(model: type[models.Model], **where: Any) -> set[int]:
    return set(model._base_manager.filter(**where).values_list("pk", flat=True))


def _shift(cursor: Any, model: type[models.Model], ids: set[int]) -> str:
    """By how much the ids of the n-th copies lie above those of their originals, as SQL over ``n``."""
    cursor.execute(f'SELECT max(id) FROM "{model._meta.db_table}"')  # noqa: S608 - our own table names
    return f"({cursor.fetchone()[0]} + (n - 1) * {max(ids)})"


def _copy(
    cursor: Any, model: type[models.Model], ids: set[int], times: int, rows: Rows, shifts: dict[type[models.Model], str]
) -> None:
    fields = model._meta.local_concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(model, field, rows, shifts) for field in fields)
    table = model._meta.db_table
    cursor.execute(
        f'INSERT INTO "{table}" ({names}) {SERIES} '  # noqa: S608 - our own names and numbers
        f'SELECT {values} FROM "{table}" t CROSS JOIN series WHERE t.id IN ({_list(ids)})',
        [times],
    )


def _list(ids: set[int]) -> str:
    return ", ".join(map(str, sorted(ids)))


def _value(
    model: type[models.Model], field: models.Field[Any, Any], rows: Rows, shifts: dict[type[models.Model], str]
) -> str:
    """What a column of a copy holds, as SQL: keys point to the copies, what must be unique is made so."""
    column, own = f't."{field.column}"', f"(t.id + {shifts[model]})"
    if field.primary_key:
        return own
    if isinstance(field, models.ForeignKey):
        target = field.related_model
        if target not in rows:
            return column
        return f"CASE WHEN {column} IN ({_list(rows[target])}) THEN {column} + {shifts[target]} ELSE {column} END"
    if field.name in {"stream", "reference"}:
        return _stream(column, shifts)
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    if field.unique and isinstance(field, models.CharField):
        return _unique(column, own, field.max_length or 20)
    if field.column == "touched_at" and connection.vendor == "postgresql":
        return f"{column} - n * interval '1 second'"
    return column


def _stream(column: str, shifts: dict[type[models.Model], str]) -> str:
    cases = " ".join(
        f"WHEN {column} LIKE '{prefix}:%%' THEN "
        f"'{prefix}:' || (cast(substr({column}, {len(prefix) + 2}) AS bigint) + {shifts[model]})"
        for prefix, model in STREAMS.items()
        if model in shifts
    )
    return f"CASE {cases} ELSE {column} END"


def _unique(column: str, own: str, length: int) -> str:
    """The first characters of the original (six at most), and the copy's id; never longer than the column."""
    kept = max(0, min(6, length - 15))
    figures = min(15, length)
    tail = f"'{'0' * figures}' || {own}"
    last = f"right({tail}, {figures})" if connection.vendor == "postgresql" else f"substr({tail}, -{figures})"
    return f"substr({column}, 1, {kept}) || {last}"
