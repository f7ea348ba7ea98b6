"""What the portal remembers of ``SCALE`` subjects with five records each: the query at intake, a subject's page, lists.

The rows are those of ``previewing``; a hundredth of the records are the housing department's, and one subject has
``HEAVY`` records, a licence and a task, as a large developer would.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import Client

from approvals import credit_gate
from approvals.actions import complete_case
from approvals.models import Case
from catalogue.models import BusinessItem
from credit import received
from credit.models import CreditRecord, CreditSubject
from offices.keyset import Keyset
from offices.models import User
from oversight.demo.cases import receive
from scripts.bench import data
from scripts.bench.measure import Figure, in_turn, statements
from scripts.bench.previewing import KINDS, fill

MORNING = dt.datetime(2026, 9, 28, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
OFFICER, OVERSEER, CLERK = "zhujian.xinyong", "duban1", "chuangkou1"
HEAVY = 300
ROUNDS = 15
MOST_OF_A_PAGE = 15


def _ask(browser: Client, address: str) -> Callable[[], None]:
    def ask() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")

    return ask


def _signed_in(username: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def _rows_of(subject: int) -> None:
    """The rows that any answer about a subject needs, on a raw cursor."""
    with connection.cursor() as cursor:
        for table, order in (
            ("credit_creditsubject", "id"),
            ("credit_creditrecord", "found_at DESC"),
            ("credit_subjectgrade", "given_at DESC"),
            ("credit_subjectrisk", "given_at DESC"),
        ):
            key = "id" if table == "credit_creditsubject" else "subject_id"
            cursor.execute(f"SELECT * FROM {table} WHERE {key} = %s ORDER BY {order} LIMIT 50", [subject])  # noqa: S608
            cursor.fetchall()


def _known(case: Case, department: int) -> CreditSubject:
    """A hundredth of the records are the department's; the holder of ``case`` gets ``HEAVY`` more."""
    heavy = case.applicant
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE credit_creditrecord SET department_id = %s WHERE mod(id, 100) = 0 AND source LIKE '测%%'",
            [department],
        )
        cursor.execute(
            "INSERT INTO credit_creditrecord (subject_id, kind, origin, source, basis, listed, level, found_at, rule, "  # noqa: S608
            f"department_id) SELECT %s, {KINDS}[mod(n, 7) + 1], 'portal', '重' || n, '测量', '', '', "
            "%s - n * interval '1 day', '', %s FROM generate_series(1, %s) n",
            [heavy.pk, MORNING, department, HEAVY],
        )
    data.settle()
    return heavy


def _queries(subjects: list[CreditSubject], name: str) -> Figure:
    """The query at intake, kept on a case of its own each time."""
    item = BusinessItem.objects.published().select_related("item").get(name="商品房预售许可")
    clerk = User.objects.get(username=CLERK)
    cases: list[Case] = []
    for subject in itertools.islice(itertools.cycle(subjects), ROUNDS + 2):
        case = receive(item, len(cases) + 40, clerk, MORNING)
        Case.objects.filter(pk=case.pk).update(applicant=subject)
        cases.append(Case.objects.get(pk=case.pk))
    left = iter(cases)
    floor = itertools.cycle(subjects)
    credit_gate.ask(next(left), by=clerk, now=MORNING)
    count = statements(lambda: credit_gate.ask(next(left), by=clerk, now=MORNING))
    ours, raw = in_turn(
        lambda: credit_gate.ask(next(left), by=clerk, now=MORNING), lambda: _rows_of(next(floor).pk), ROUNDS
    )
    return Figure(name, "ms", ours * 1000, raw * 1000, ours / raw, "≤ 20 ms", ours <= 0.02, data.SCALE, count)


def _page(browser: Client, subject: CreditSubject, name: str) -> Figure:
    ask = _ask(browser, f"/subjects/{subject.pk}/")
    ask()
    ours, raw = in_turn(ask, lambda: _rows_of(subject.pk), ROUNDS)
    count = statements(ask)
    met = ours <= 0.06 and count <= MOST_OF_A_PAGE
    target = f"≤ 60 ms, ≤ {MOST_OF_A_PAGE} statements"
    return Figure(name, "ms", ours * 1000, raw * 1000, ours / raw, target, met, data.SCALE, count)


def _list(browser: Client, address: str, name: str) -> Figure:
    ask = _ask(browser, address)
    ask()
    ours, raw = in_turn(ask, lambda: _rows_of(1), ROUNDS)
    count = statements(ask)
    met = ours <= 0.04 and count <= 12
    target = "≤ 40 ms, ≤ 12 statements"
    return Figure(name, "ms", ours * 1000, raw * 1000, ours / raw, target, met, data.SCALE, count)


def remembering(case: Case, by: User) -> Iterator[Figure]:
    """Query, subject's page and the credit officers' lists; ``case`` is approved and ``by`` issues its licence."""
    fill(case, data.SCALE)
    complete_case(case, by=by, now=MORNING)
    heavy = _known(case, case.department_id)
    firms = CreditSubject.objects.filter(name__startswith="预览", kind=CreditSubject.Kind.ORGANISATION)
    light = list(firms.order_by("pk")[data.SCALE // 2 : data.SCALE // 2 + 10])
    yield _queries(light, "query at intake, five records")
    yield _queries([heavy], f"query at intake, {HEAVY} records")
    officer, overseer = _signed_in(OFFICER), _signed_in(OVERSEER)
    known = CreditRecord.objects.filter(department=case.department_id, subject__in=firms).latest("pk").subject
    yield _page(officer, known, "subject page of an officer, five records")
    yield _page(officer, heavy, f"subject page of an officer, {HEAVY} records")
    yield _page(overseer, heavy, f"subject page of an overseer, {HEAVY} records")
    middle = CreditSubject.objects.get(pk=light[0].pk)
    cursor = Keyset(CreditSubject.objects.all(), received.ORDER).cursor_after(middle)
    yield _list(officer, "/credit/grades/", "gradings, first page")
    yield _list(officer, f"/credit/grades/?cursor={cursor}", "gradings, deep page")
    yield _list(officer, "/credit/grades/?q=预览7", "gradings by name")
    yield _list(officer, "/credit/records/", "records of a department")
    yield _list(officer, "/credit/measures/proposals/", "proposed penalties")
    yield _list(officer, "/credit/measures/proposals/?tab=reward", "proposed rewards")
