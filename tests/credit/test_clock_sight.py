"""Who may read the clocks of the credit side, as a page and in JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from credit.actions import judging, repairing
from credit.models import Repair
from deadlines.clock import local_date
from deadlines.enums import Light
from offices.models import Department, Posting, User
from offices.templatetags.portal import lamp
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
API = "/api/v1/deadlines/{}/"


def test_an_officer_reads_a_clock_of_the_own_breach_in_json_as_on_its_page(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    due = make.told(clock.at).deadline
    assert sign_in(make.OFFICER).get(reverse("clock", args=[due.pk])).status_code == 200
    read = caller(make.OFFICER).get(API.format(due.pk)).json()
    assert read["deadline"]["due_on"] == due.due_on.isoformat()
    assert sign_in(make.STRANGER).get(reverse("clock", args=[due.pk])).status_code == 404
    problem(caller(make.STRANGER).get(API.format(due.pk)), 404, "not-found")


# --- a repair that is late: the department's head and the division's overseers are rung of it


LATE = reverse("credit:late")
HEAD, OVERSEER = "zhujian.fuzeren", "duban1"


def asked(clock: Moment, source: str = "连住建撤〔2026〕1号", **kwargs: object) -> Repair:
    """A request for a repair, asked for at once."""
    record = make.recorded(clock, kind="late_material", listed="A04", level="minor", source=source, **kwargs)
    return repairing.ask(record, ground="mended", statement="材料已补齐。", by=make.officer(), now=clock.at)


def day_of(repair: Repair) -> dt.date:
    """When it is due."""
    assert repair.deadline is not None
    return repair.deadline.due_on


def light_of(repair: Repair, clock: Moment) -> str:
    """Its light as a page shows it now."""
    assert repair.deadline is not None
    assert repair.deadline.light(local_date(clock.at)) is Light.RED or clock.at.date() <= day_of(repair)
    return str(lamp(repair.deadline, local_date(clock.at)))


def others() -> list[str]:
    """Heads of other departments, and an overseer of another division."""
    own = make.department()
    heads = Posting.objects.filter(role=Posting.Role.DEPARTMENT_HEAD).exclude(department=own)
    away = Posting.objects.filter(role=Posting.Role.OVERSEER).exclude(department__division=own.division)
    found = [rows.order_by("pk").values_list("user__username", flat=True)[0] for rows in (heads, away)]
    return [*found, "chuangkou1", make.STRANGER]


def test_the_city_sees_late_repairs_of_a_county_without_an_overseer(sign_in: SignIn, clock: Moment) -> None:
    own = Department.objects.filter(division__parent__isnull=False).order_by("pk")[0]
    officer = User.objects.create_user("xian.xinyong", full_name="县信用")
    Posting.objects.create(user=officer, role=Posting.Role.CREDIT_OFFICER, department=own, starts_on="2026-01-01")
    breach = make.told(clock.at, who=officer.username, kind="late_material", listed="A04", level="minor")
    make.after(clock, breach.deadline.due_on)
    final = local_date(clock.at)
    record = judging.record_breach(breach, final_on=final, reason="没有提出异议。", by=officer, now=clock.at)
    repair = repairing.ask(record, ground="mended", statement="材料已补齐。", by=officer, now=clock.at)
    make.after(clock, day_of(repair))
    city = sign_in(OVERSEER)
    assert repair.record.source not in text_of(city.get(LATE))
    Posting.objects.filter(role=Posting.Role.OVERSEER, department__division=own.division).delete()
    assert repair.record.source in text_of(city.get(LATE))
    assert city.get(reverse("clock", args=[repair.deadline_id])).status_code == 200


def test_whoever_is_rung_of_a_late_repair_finds_what_waits_and_with_whom(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    repair = asked(clock, subject=make.person())
    other = make.told(clock.at, subject=make.person(), source="连住建撤〔2026〕9号")
    due, pk = day_of(repair), repair.deadline_id
    page = reverse("clock", args=[pk])
    clock.at = make.noon(due - dt.timedelta(days=1))
    for who in (HEAD, OVERSEER):
        assert sign_in(who).get(page).status_code == 404, "nobody was rung yet"
        assert repair.record.source not in text_of(sign_in(who).get(LATE))
        assert f'href="{LATE}"' not in text_of(sign_in(who).get("/calendar/", follow=True))
    make.after(clock, due)
    for who in (HEAD, OVERSEER):
        browser = sign_in(who)
        listed = text_of(browser.get(LATE))
        for words in (
            f'href="{page}"',
            repair.record.source,
            repair.record.subject.public_name,
            light_of(repair, clock),
        ):
            assert words in listed
        shown = text_of(browser.get(page))
        assert f"信用修复申请（{repair.record.source}），由{repair.record.department}的信用管理人员决定。" in shown
        assert repair.record.subject.public_name in shown
        exported = body(browser.get(reverse("credit:late_export"))).decode()
        assert repair.record.source in exported
        for said in (listed, shown, exported):
            assert "王小明" not in said
            assert make.PERSON not in said
            assert repair.statement not in said
        assert caller(who).get(API.format(pk)).status_code == 200
        # Of the subject no other clock, and none of the officers' pages.
        assert browser.get(reverse("clock", args=[other.deadline_id])).status_code == 404
        for address in (
            reverse("credit:record", args=[repair.record_id]), reverse("credit:records"),
            reverse("credit:repair_decision", args=[repair.pk]), reverse("credit:breach", args=[other.pk]),
        ):  # fmt: skip
            assert browser.get(address).status_code == 404
        assert (
            browser.post(reverse("credit:repair_decision", args=[repair.pk]), {"verdict": "grant"}).status_code == 404
        )
    for who in others():
        assert sign_in(who).get(page).status_code == 404
        problem(caller(who).get(API.format(pk)), 404, "not-found")
        assert repair.record.source not in text_of(sign_in(who).get(LATE))
    repairing.settle(repair, grant=False, reason="没有补齐。", by=make.officer(), now=clock.at)
    for who in (HEAD, OVERSEER):
        assert repair.record.source not in text_of(sign_in(who).get(LATE))
        assert sign_in(who).get(page).status_code == 200, "who was rung of it reads that it is done"


def test_the_list_of_late_repairs_costs_the_same_for_one_and_for_many(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(HEAD)
    repairs = [asked(clock, f"连住建撤〔2026〕{number}号", subject=make.company(number)) for number in range(4)]
    make.after(clock, day_of(repairs[0]))

    def cost() -> int:
        browser.get(LATE)
        with CaptureQueriesContext(connection) as found:
            browser.get(LATE)
        return len(found)

    before = cost()
    make.after(clock, day_of(repairs[-1]))
    assert cost() == before
    rows = text_of(browser.get(LATE))
    assert all(repair.record.source in rows for repair in repairs)


def test_the_list_of_late_repairs_is_searched_and_narrowed(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(OVERSEER)
    first = asked(clock)
    second = asked(clock, "连住建撤〔2026〕2号", subject=make.company(1))
    third = asked(clock, "连住建撤〔2026〕3号", subject=make.person())
    fourth = asked(clock, "连住建撤〔2026〕4号", subject=make.company(2))
    Repair.objects.filter(pk=fourth.pk).update(ground="wrong")
    make.after(clock, day_of(fourth))
    every = [first, second, third, fourth]

    def found(**query: str) -> list[Repair]:
        listed = text_of(browser.get(LATE, query))
        exported = body(browser.get(reverse("credit:late_export"), query)).decode()
        rows = [one for one in every if f"（{one.record.source}）" in listed]
        assert rows == [one for one in every if f"（{one.record.source}）" in exported]
        return rows

    own = str(make.department().pk)
    assert found() == every
    assert found(q="撤〔2026〕2") == [second]
    assert found(q=second.record.subject.name[:6]) == [second]
    assert found(q=str(second.record.subject.code).lower()) == [second]
    assert found(ground="wrong") == [fourth]
    assert found(ground="mended") == [first, second, third]
    assert found(department=own) == every
    # Who a person is, the list does not say; nor does its search.
    for guess in (third.record.subject.name, make.PERSON):
        assert found(q=guess) == []
    assert "没有符合条件的申请" in text_of(browser.get(LATE, {"q": "查无此号"}))
    # A department that is not followed is not offered, and narrows nothing.
    assert found(department="999999") == every


def test_what_waits_is_listed_by_its_day_with_its_light(sign_in: SignIn, clock: Moment) -> None:
    first = asked(clock)
    clock.at = clock.at + dt.timedelta(days=2)
    second = asked(clock, "连住建撤〔2026〕2号", subject=make.company(1))
    assert day_of(first) < day_of(second)
    browser = sign_in(make.OFFICER)
    make.after(clock, day_of(first))
    page = text_of(browser.get(reverse("credit:records"), {"tab": "waiting"})).split("<table", 1)[1]
    assert page.index(first.record.source) < page.index(second.record.source)
    for repair in (first, second):
        due = day_of(repair)
        row = page.split(repair.record.source)[1].split("</tr>")[0]
        assert f"{due.year}年{due.month}月{due.day}日到期" in row
        assert light_of(repair, clock) in row
    exported = body(browser.get(reverse("credit:records_export"), {"tab": "waiting"})).decode()
    assert exported.index(first.record.source) < exported.index(second.record.source)
