"""Both are counted: what was sent back and what ended early, by department, with its rows (O2a)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.actions import request_correction
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import required_points
from approvals.actions.mending import mend_case
from approvals.enums import Door
from approvals.models import Case
from approvals.tasks import lapse_unanswered
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
URL = "/oversight/returns/"


def one_of_each(clock: Moment) -> dict[str, Case]:
    """A case of every kind, all of one department."""
    clock.to("2026-08-03 10:00")
    clerk = play.person("chuangkou1")
    made = {key: play.received(clock.at, complete=False) for key in ("lapses", "withdrawals", "mended")}
    for key in ("lapses", "corrections"):
        if key == "corrections":
            made[key] = play.received(clock.to("2026-08-28 10:00"), complete=False)
        case = made[key]
        request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)
    withdraw_case(made["withdrawals"], by=None, door=Door.PUBLIC, reason="改址", now=clock.at)
    case = made["mended"]
    mend_case(case, contact_name="李四", contact_phone=case.contact_phone, content=case.content, by=clerk, now=clock.at)
    lapse_unanswered()
    made["refusals"] = cast.refused(clock)
    return made


def test_every_figure_has_its_denominator_and_opens_its_rows(clock: Moment, sign_in: SignIn) -> None:
    made = one_of_each(clock)
    browser = sign_in("duban1")
    response = browser.get(URL)
    assert response.context["lead"].startswith("本月收件 5 件，退回（补正告知、不予受理）3 件，占 60.0%")
    row = next(row for row in response.context["rows"] if row["department"] == made["lapses"].department)
    counts = {cell["label"]: (cell["count"], cell["share"]) for cell in row["cells"]}
    assert counts == {
        "收件": (5, ""), "补正告知": (2, "40.0%"), "不予受理": (1, "20.0%"), "逾期终止": (1, "20.0%"),
        "撤回": (1, "20.0%"), "当场更正": (1, "20.0%"),
    }  # fmt: skip
    for cell in row["cells"]:
        shown = browser.get(cell["url"]).context["rows"]
        assert len(shown) == cell["count"], cell["label"]
    for key in ("lapses", "withdrawals", "mended", "refusals"):
        page = cast.text(browser.get(f"{URL}{key}/"))
        assert made[key].number in page
        assert made[key].applicant_name not in page


def test_another_month_department_and_division_count_apart(clock: Moment, sign_in: SignIn) -> None:
    one_of_each(clock)
    clock.to("2026-09-28 10:00")
    browser = sign_in("duban1")
    assert browser.get(URL).context["lead"].startswith("本月收件 0 件，退回（补正告知、不予受理）0 件。")
    assert browser.get(f"{URL}?period=last_month").context["total"][0]["count"] == 5
    assert browser.get(f"{URL}?q=没有这个部门").context["is_empty"]
    assert not browser.get(URL).context["rows"], "departments without any case are named, not listed"
    assert browser.get(f"{URL}nothing/").status_code == 404
    assert sign_in("chuangkou1").get(URL).status_code == 404


def test_the_figures_go_out_as_a_table(clock: Moment, sign_in: SignIn) -> None:
    made = one_of_each(clock)
    browser = sign_in("duban1")
    rows = cast.table(browser, f"{URL}export.csv")
    mine = next(row for row in rows if row["部门"] == made["lapses"].department.name)
    assert (mine["收件"], mine["补正告知"], mine["补正告知占收件比例"]) == ("5", "2", "40.0%")
    withdrawn = cast.table(browser, f"{URL}withdrawals/export.csv")
    assert [(row["办件编号"], row["经办"]) for row in withdrawn] == [(made["withdrawals"].number, "申请人")]


def test_statements_do_not_grow_with_the_cases(clock: Moment, sign_in: SignIn) -> None:
    one_of_each(clock)
    browser = sign_in("duban1")
    counts = []
    for _ in range(2):
        for address in (URL, f"{URL}corrections/", f"{URL}withdrawals/"):
            browser.get(address)
            with CaptureQueriesContext(
                connection,
            ) as told:
                browser.get(address)
            counts.append(len(told))
        withdraw_case(play.received(clock.at), by=None, door=Door.PUBLIC, reason="", now=clock.at)
    assert counts[:3] == counts[3:]
    assert counts[0] <= 25
