"""Lists and the public progress, through the whole stack of middleware, beside the same look-up in raw SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.test import Client

from approvals.models import Case
from offices.keyset import Keyset
from offices.models import User
from scripts.bench import data
from scripts.bench.measure import Figure, all_in_turn, in_turn, median, statements

LIST = """
SELECT c.id, c.number, c.applicant_name, c.status, c.touched_at, b.name, d.name, p.due_on, s.due_on
FROM approvals_case c
JOIN catalogue_businessitem b ON b.id = c.business_item_id
JOIN offices_department d ON d.id = c.department_id
LEFT JOIN deadlines_deadline p ON p.id = c.promised_deadline_id
LEFT JOIN deadlines_deadline s ON s.id = c.statutory_deadline_id
WHERE c.division_id = %s AND (c.touched_at, c.id) < (%s, %s)
ORDER BY c.touched_at DESC, c.id DESC LIMIT 51
"""
PROGRESS = "SELECT * FROM approvals_case WHERE number = %s"
ROUNDS = 9


def _asking(browser: Client, address: str) -> Callable[[], None]:
    def ask() -> None:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")

    return ask


def _raw_list(after: Case) -> Callable[[], None]:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(LIST, [after.division_id, after.touched_at, after.pk])
            cursor.fetchall()

    return ask


def lists(source: Case) -> Iterator[Figure]:
    """The window's list: first and deep page at ``SCALE / 10`` cases, and the same page at 1,000."""
    browser = Client()
    clerk = User.objects.get(username="chuangkou1")
    browser.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    data.many_cases(source, 1000)
    data.settle()
    few = data.Few()
    wanted = max(2000, data.SCALE // 10)
    data.many_cases(source, wanted - 1000, stem="3207008", after=1000)
    order = ("-touched_at", "-id")
    middle = Case.objects.order_by(*order)[wanted // 2]
    deep = "/window/?cursor=" + Keyset(Case.objects.all(), order).cursor_after(middle)
    newest = Case.objects.order_by(*order)[0]
    for name, address, edge in (("first", "/window/", newest), ("deep", deep, middle)):
        ask = _asking(browser, address)
        took, floor, small = all_in_turn((ask, _raw_list(edge), partial(_among, few, browser)), ROUNDS)
        count = statements(ask)
        met = took <= 0.04 and count <= 12 and took <= 1.3 * small
        target = f"≤ 40 ms, ≤ 12 statements, ≤ 1.3 × of 1,000 rows ({small * 1000:.1f} ms)"
        yield Figure(
            f"window list, {name} page", "ms", took * 1000, floor * 1000, took / floor, target, met, wanted, count
        )
    few.drop()


def _among(few: data.Few, browser: Client) -> None:
    with few:
        _asking(browser, "/window/")()


def progress(case: Case) -> Iterator[Figure]:
    """Progress by number and code, beside the one row it stands on and beside a plain page of the same stack."""
    browser = Client()
    form = {"number": case.number, "code": case.query_code}

    def ask() -> None:
        cache.clear()  # the rate limit must not answer for the page
        answer = browser.post("/progress/", form)
        if answer.status_code != 200 or case.number not in answer.content.decode():
            raise RuntimeError(f"progress answered {answer.status_code}")

    def raw() -> None:
        with connection.cursor() as cursor:
            cursor.execute(PROGRESS, [case.number])
            cursor.fetchall()

    plain = median(_asking(browser, "/accessibility/"), 40)
    took, floor = in_turn(ask, raw, 40)
    yield Figure(
        "progress, uncached", "ms", took * 1000, floor * 1000, took / floor,
        f"≥ 0.2 of a plain view ({plain * 1000:.1f} ms)", took <= 5 * plain, Case.objects.count(), statements(ask),
    )  # fmt: skip
