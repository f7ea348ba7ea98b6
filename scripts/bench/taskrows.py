"""Supervision tasks by the million, spread as a city has them: a few busy offices, most tasks closed, the new open.

Made by PostgreSQL itself from hashes of the row's number, so that two runs have the same rows. Each case has up to four
tasks in different linkages, each task one clock, the clock of its state; what is being mended has its order, a part of
the tasks visits and objections.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.management.color import no_style
from django.db import connection, models

from approvals.models import Case, Licence
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.models import ClockEvent, Deadline
from offices.models import Division, Posting, User
from scripts.bench import data
from supervision import pressing
from supervision.models import Dispute, Inspection, Paper, Rectification, SupervisionTask, Visit
from supervision.models.tasks import NO_DAY

Role = Posting.Role
PER_CASE = 4
# How many of a hundred open tasks stand where; the others are closed.
OPEN = {
    "notified": 12, "viewed": 14, "acknowledged": 30, "in_progress": 12, "finished": 12, "fed_back": 8, "rectifying": 6,
    "disputed": 2, "revocation": 1, "handed_over": 3,
}  # fmt: skip
# Of the newest twentieth every second one is open, of the others one in a thousand: 2.6 % of all.
NEWEST, OPEN_OF_NEWEST, OPEN_OF_OLD = 0.05, 0.5, 0.001
# The first tasks of all go to one office, half of them open: the lists that the large ones are compared with. Each of
# them fills a page already, so these tasks are less usual: more of them are mended, disputed, drawn …
FIRST = 1000
OPEN_OF_FIRST = {
    "notified": 10, "viewed": 10, "acknowledged": 28, "in_progress": 8, "finished": 8, "fed_back": 8, "rectifying": 12,
    "disputed": 12, "revocation": 1, "handed_over": 3,
}  # fmt: skip
# Of the closed tasks, how many had an order, a visit, an objection; of those taken, for how many a visit is asked.
AROUND = {"ordered": 0.02, "visited": 0.05, "confirmed": 0.005, "asked": 0.2}
AROUND_FIRST = {"ordered": 0.15, "visited": 0.15, "confirmed": 0.15, "asked": 0.5}
MOST_PLACES = 6  # among which these are spread
NUMBERS_OF_FIRST = 777_000  # is added to theirs; whose numbers these would be has those that are free instead
TABLES = (SupervisionTask, Deadline, Case, CreditSubject, Paper, Inspection, Rectification, Visit, Dispute)


def _share(salt: int) -> str:
    """A number from 0 up to 1 that follows from the row's ``n``, as SQL."""
    return f"(mod(abs(hashint8(n * 131 + {salt})::bigint), 1000000) / 1000000.0)"


def _run(sql: str, *values: int | str | dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def _check_keys(*, on: bool) -> None:
    """Leave out the look at each of seventeen million foreign keys, where the database lets us; they are ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            cursor.execute(f"SET session_replication_role = {'origin' if on else 'replica'}")


def _top(model: type[models.Model]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT coalesce(max(id), 0) FROM "{model._meta.db_table}"')  # noqa: S608 - our own names
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Sources:
    """Real rows that the copies are made of: an order of a real task, and that task's case."""

    order: Rectification
    case: Case
    licence: Licence
    total: int


def places() -> int:
    """``bench_place``: each active linkage with its office's people, in no order of size; returns how many."""
    _run(
        """
        CREATE UNLOGGED TABLE bench_place AS
        SELECT row_number() OVER (ORDER BY md5(l.id::text)) - 1 AS k, l.id AS linkage_id, l.office_id, o.department_id,
            l.sub_item_id, l.business_item_id, (SELECT array_agg(p.user_id ORDER BY p.id) FROM offices_posting p
            WHERE p.office_id = l.office_id AND p.role IN ('inspector', 'office_manager', 'office_deputy')) AS people
        FROM catalogue_linkage l JOIN offices_office o ON o.id = l.office_id
        WHERE l.active AND l.office_id IN (SELECT office_id FROM offices_posting WHERE role = 'office_manager')
        """
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_place")
        return int(cursor.fetchone()[0])


def _place(many: int) -> str:
    """Which linkage the task ``n`` falls into: the square makes the first ones busy; four of a case never meet."""
    skewed = f"floor({many} * power({_share(1).replace('n * 131', '((n - 1) / 4) * 131')}, 2))::int"
    return f"mod({skewed} + mod(n - 1, {PER_CASE})::int * {many // PER_CASE - 1}, {many})"


def busiest(many: int, total: int) -> int:
    """The office that ``total`` tasks make the busiest."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.office_id FROM (SELECT {_place(many)} AS k FROM generate_series(1::bigint, {total}) n) t "  # noqa: S608
            "JOIN bench_place p USING (k) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        return int(cursor.fetchone()[0])


def fill(after: int, upto: int, sources: Sources, office: int, many: int, now: dt.datetime) -> None:
    """The tasks ``after`` + 1 … ``upto`` with everything that hangs on them; the first thousand go to ``office``."""
    count, first = upto - after, after == 0
    _check_keys(on=False)
    subjects = max(50, count // 5)
    people = _top(CreditSubject)
    area = "(ARRAY['海达', '新浦', '云台', '花果山', '赣榆'])[mod(n, 5) + 1] || n"
    if first:
        area = "(ARRAY['海达', '花果山'])[mod(n, 2) + 1] || (n + 3000)"
    data.copy_rows(
        "credit_creditsubject", sources.case.applicant_id, subjects,
        {
            "code": f"'Y' || lpad((n + {people})::text, 17, '0')", "kind": "'organisation'", "id_hash": "NULL",
            "name": f"'连云港' || {area} || '有限公司'",
        },
    )  # fmt: skip
    divisions = ", ".join(str(pk) for pk in Division.objects.order_by("pk").values_list("pk", flat=True))
    length = 3 if first else Division.objects.count()
    per_case = 1 if first else PER_CASE  # the linkages of one office may be fewer than four
    case = data.many_cases(
        sources.case, -(-count // per_case), stem="3207003" if first else "3207004",
        more={"division_id": f"(ARRAY[{divisions}])[mod(n, {length}) + 1]"},
    )  # fmt: skip
    _stage(after, upto, sources.total, office, many, first=first)
    tasks, clocks = _top(SupervisionTask), _top(Deadline)
    _clocks(clocks, tasks, now)
    _events(clocks, sources)
    _tasks(tasks, clocks, f"{case} + (i - 1) / {per_case}", (people, subjects), sources.licence, now, first=first)
    _around(tasks, sources, now, first=first)
    _run("DROP TABLE bench_task")
    _check_keys(on=True)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), TABLES):
            cursor.execute(statement)
    data.settle()
    if wrong := next(pressing.differences(), ""):
        raise RuntimeError(wrong)


def _stage(after: int, upto: int, total: int, office: int, many: int, *, first: bool) -> None:
    """``bench_task``: number in its stretch, linkage, status and the other shares of each task."""
    shares = OPEN_OF_FIRST if first else OPEN
    states = ", ".join(f"'{status}'" for status, share in shares.items() for _ in range(share))
    newest = f"{_share(2)} < CASE WHEN n > {(1 - NEWEST) * total} THEN {OPEN_OF_NEWEST} ELSE {OPEN_OF_OLD} END"
    is_open = f"{_share(2)} < 0.5" if first else newest
    own = f"(SELECT array_agg(k) FROM bench_place WHERE office_id = {office})"  # noqa: S608 - our own number
    place = f"({own})[mod(n, least({MOST_PLACES}, array_length({own}, 1))) + 1]" if first else _place(many)
    _run(
        f"""
        CREATE UNLOGGED TABLE bench_task AS
        SELECT n - {after} AS i, n, {place} AS k, {_share(4)} AS subject, {_share(5)} AS day, {_share(6)} AS origin,
            {_share(7)} AS extra,
            CASE WHEN {is_open} THEN (ARRAY[{states}])[floor({_share(3)} * 100)::int + 1] ELSE 'closed' END AS status
        FROM generate_series({after + 1}::bigint, {upto}) n
        """  # noqa: S608 - our own numbers
    )
    _run("ANALYZE bench_task")


def _clocks(clocks: int, tasks: int, now: dt.datetime) -> None:
    """One clock each, of the task's state; those of open tasks run, due from ten days ago to a month ahead."""
    today = local_date(now)
    running = "status IN ('notified', 'viewed', 'disputed', 'acknowledged', 'in_progress', 'finished', 'fed_back')"
    _run(
        f"""
        INSERT INTO deadlines_deadline (id, kind, length, unit, started_at, start_on, due_on, yellow_on, state,
            legal_basis, provisional, calendar_version, stream, closed_at, revision, next_alarm_at, next_alarm_stage,
            alarm_error, alarm_failures)
        SELECT {clocks} + i,
            CASE WHEN status IN ('acknowledged', 'in_progress') THEN 'planned_finish'
                WHEN status IN ('notified', 'viewed', 'disputed', 'closed') THEN 'acknowledge'
                WHEN status = 'fed_back' THEN 'follow_up' ELSE 'feedback' END,
            CASE WHEN status IN ('acknowledged', 'in_progress') THEN NULL ELSE 3 END,
            CASE WHEN status IN ('acknowledged', 'in_progress') THEN 'fixed' ELSE 'working' END,
            %s, %s, %s + (day * 40)::int - 10, %s + (day * 40)::int - 11,
            CASE WHEN {running} THEN 'running' ELSE 'met' END,
            '', false, '', 'task:' || ({tasks} + i), CASE WHEN {running} THEN NULL ELSE %s::timestamptz END, 2,
            CASE WHEN {running} THEN %s + interval '300 days' + i * interval '1 second' END,
            CASE WHEN {running} THEN -1 END, '', 0
        FROM bench_task
        """,  # noqa: S608 - our own numbers
        now, today - dt.timedelta(days=20), today, today, now, now,
    )  # fmt: skip


def _events(clocks: int, sources: Sources) -> None:
    """The start of each clock, without which none can be explained."""
    source = ClockEvent.objects.filter(deadline=sources.order.deadline_id, seq=1)[0]
    data.copy_rows(
        "deadlines_clockevent", source.pk, 0, {"deadline_id": f"{clocks} + n.i"}, series="bench_task n"
    )  # fmt: skip


def _tasks(
    tasks: int, clocks: int, case: str, holders: tuple[int, int], licence: Licence, now: dt.datetime, *, first: bool
) -> None:
    """The tasks of ``bench_task``; ``case``: SQL of its id; ``holders``: the id before the first, and how many."""
    theirs = f"n BETWEEN {NUMBERS_OF_FIRST + 1} AND {NUMBERS_OF_FIRST + FIRST}"
    number = f"n + {NUMBERS_OF_FIRST}" if first else f"CASE WHEN {theirs} THEN n - {NUMBERS_OF_FIRST} ELSE n END"
    stock = 0.1 if first else 0.2
    taken = "status NOT IN ('notified', 'viewed', 'disputed')"
    finished = "status IN ('finished', 'fed_back', 'rectifying', 'revocation', 'handed_over', 'closed')"
    # A fifth comes from old stock and one in ten from a draw: these have no case.
    has_case = "origin >= 0.3"
    subject = f"{holders[0]} + floor({holders[1]} * power(subject, 2))::bigint + 1"
    _run(
        f"""
        INSERT INTO supervision_supervisiontask (id, number, origin, case_id, linkage_id, subject_id, subject_name,
            business_item_id, licence_id, department_id, office_id, sub_item_id, status, promise_clauses, round,
            opened_at, sms_sent_at, viewed_at, acknowledged_at, acknowledged_by_id, first_officer_id, second_officer_id,
            measure, measure_reason, measure_with, planned_finish_on, finished_on, closed_at, "end", end_reason,
            acknowledge_deadline_id, planned_deadline_id, feedback_deadline_id,
            follow_up_deadline_id, pressing_on)
        SELECT {tasks} + i, 'JY' || lpad(({number})::text, 16, '0'),
            CASE WHEN {has_case} THEN 'case' WHEN origin < {stock} THEN 'stock' ELSE 'draw' END,
            CASE WHEN {has_case} THEN {case} END, CASE WHEN {has_case} THEN p.linkage_id END,
            s.id, s.name, p.business_item_id, CASE WHEN {has_case} THEN {licence.pk} END, p.department_id, p.office_id,
            p.sub_item_id, status, '[]'::jsonb, 1, %s - (5000000 - n) * interval '20 seconds', %s,
            CASE WHEN status <> 'notified' THEN %s::timestamptz END, CASE WHEN {taken} THEN %s::timestamptz END,
            CASE WHEN {taken} THEN p.people[1] END,
            CASE WHEN {taken} AND extra < 0.8 THEN p.people[1 + mod(n, array_length(p.people, 1))] END,
            CASE WHEN {taken} AND extra < 0.6 THEN p.people[1 + mod(n + 1, array_length(p.people, 1))] END,
            CASE WHEN {taken} THEN 'on_site' ELSE '' END, '', '', CASE WHEN {taken} THEN %s + (day * 40)::int - 10 END,
            CASE WHEN {finished} THEN %s::date END, CASE WHEN status = 'closed' THEN %s::timestamptz END,
            CASE WHEN status = 'closed' THEN 'conforming' ELSE '' END, '',
            CASE WHEN status IN ('notified', 'viewed', 'disputed', 'closed') THEN {clocks} + i END,
            CASE WHEN status IN ('acknowledged', 'in_progress') THEN {clocks} + i END,
            CASE WHEN {finished} AND status NOT IN ('closed', 'fed_back') THEN {clocks} + i END,
            CASE WHEN status = 'fed_back' THEN {clocks} + i END,
            CASE WHEN status IN ('revocation', 'handed_over', 'closed') THEN date '{NO_DAY}'
                ELSE %s + (day * 40)::int - 10 END
        FROM bench_task JOIN bench_place p USING (k) JOIN credit_creditsubject s ON s.id = {subject}
        ORDER BY i
        """,  # noqa: S608 - our own numbers
        now, now, now, now, local_date(now), local_date(now), now, local_date(now),
    )  # fmt: skip


def _around(tasks: int, sources: Sources, now: dt.datetime, *, first: bool) -> None:
    """Orders (running ones, and settled ones of every fiftieth closed task), visits, objections."""
    share = AROUND_FIRST if first else AROUND
    order, today = sources.order, local_date(now)
    _run(
        f"""
        CREATE UNLOGGED TABLE bench_order AS
        SELECT row_number() OVER (ORDER BY i) AS n, {tasks} + i AS task, status, day FROM bench_task
        WHERE status = 'rectifying' OR (status = 'closed' AND extra < {share["ordered"]})
        """  # noqa: S608 - our own numbers
    )
    papers, looks, clocks = _top(Paper), _top(Inspection), _top(Deadline)
    keys = {"id": "", "task_id": "n.task"}
    data.copy_rows(
        "supervision_paper", order.paper_id, 0,
        keys | {"id": f"{papers} + n.n", "number": "'连卫责改' || n.task", "verify_code": "'v' || n.task"},
        series="bench_order n",
    )  # fmt: skip
    data.copy_rows(
        "supervision_inspection", order.inspection_id, 0,
        keys | {"id": f"{looks} + n.n", "client_key": "gen_random_uuid()", "visit_id": "NULL"}, series="bench_order n",
    )  # fmt: skip
    due = f"date '{today}' + (n.day * 40)::int - 10"
    running = "n.status = 'rectifying'"
    data.copy_rows(
        "deadlines_deadline", order.deadline_id, 0,
        {
            "id": f"{clocks} + n.n", "stream": "'task:' || n.task", "due_on": due, "yellow_on": f"{due} - 1",
            "start_on": f"date '{today}' - 20", "state": f"CASE WHEN {running} THEN 'running' ELSE 'met' END",
            "closed_at": f"CASE WHEN {running} THEN NULL ELSE timestamptz '{now}' END",
            "next_alarm_at": "NULL", "next_alarm_stage": "NULL",
        },
        series="bench_order n",
    )  # fmt: skip
    settled = f"CASE WHEN {running} THEN NULL ELSE"
    data.copy_rows(
        "supervision_rectification", order.pk, 0,
        {
            "task_id": "n.task", "paper_id": f"{papers} + n.n", "inspection_id": f"{looks} + n.n",
            "deadline_id": f"{clocks} + n.n", "due_on": due,
            "status": f"CASE WHEN {running} THEN 'running' ELSE 'not_mended' END",
            "settled_by_id": f"{settled} t.issued_by_id END", "settled_at": f"{settled} timestamptz '{now}' END",
        },
        series="bench_order n",
    )  # fmt: skip
    _run("DROP TABLE bench_order")
    by = User.objects.order_by("pk")[0].pk
    _run(
        f"""
        INSERT INTO supervision_visit (task_id, subject_id, department_id, year, purpose, planned_on, exemption, status,
            requested_by_id, requested_at, settled_by_id, settled_at, settled_reason)
        SELECT t.id, t.subject_id, t.department_id, %s, '核查许可条件', %s, '',
            CASE b.status WHEN 'acknowledged' THEN 'requested' ELSE 'done' END, {by}, %s, {by}, %s, ''
        FROM bench_task b JOIN supervision_supervisiontask t ON t.id = {tasks} + b.i
        WHERE (b.status = 'acknowledged' AND b.extra < {share["asked"]})
            OR (b.status = 'closed' AND b.extra < {share["visited"]})
        """,  # noqa: S608 - our own numbers
        today.year, today, now, now,
    )  # fmt: skip
    _run(
        f"""
        INSERT INTO supervision_dispute (task_id, from_office_id, reason, raised_by_id, raised_at, deadline_id, outcome,
            decided_office_id, decision_reason, decided_by_id, decided_at, proposed_office_id)
        SELECT t.id, t.office_id, '属另一部门职责。', {by}, %s, NULL,
            CASE b.status WHEN 'disputed' THEN '' ELSE 'confirmed' END, NULL, '属本处室职责。', {by}, %s, NULL
        FROM bench_task b JOIN supervision_supervisiontask t ON t.id = {tasks} + b.i
        WHERE b.status = 'disputed' OR (b.status = 'closed' AND b.extra < {share["confirmed"]})
        """,  # noqa: S608 - our own numbers
        now, now,
    )  # fmt: skip
