"""A change of the table is looked at before it is made: who moves, as the query would answer; then confirmed (L12a)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from stdnum.cn import uscc

from credit import gate, handling
from credit.actions import joining
from credit.models import CreditRecord, CreditSubject, HandlingPreview, HandlingRule, SubjectGrade
from offices.models import User
from oversight import previews, tasks
from oversight.actions import previewing
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.window import text_of
from tests.conftest import Moment
from tests.credit import facts as make
from tests.supervision.crashing import killed_at

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
ADMIN = "guanliyuan1"
SAID = {"state": "closed", "basis": "会议纪要〔2026〕3号"}


def cell(grade: str = "good", way: str = "promise") -> str:
    return reverse("division:handling_cell", args=[grade, way.replace("_", "-")])


def page(preview: HandlingPreview) -> str:
    return reverse("division:handling_preview", args=[preview.pk])


def company(number: int) -> CreditSubject:
    stem = f"91320700MB{number:07d}"
    code = stem + uscc.calc_check_digit(stem)
    return CreditSubject.objects.identify("organisation", code, f"预览第{number}公司")


def graded(subject: CreditSubject, now: datetime, *grades: str) -> None:
    for day, grade in enumerate(grades, start=1):
        given = now - timedelta(days=30 - day)
        SubjectGrade.objects.create(subject=subject, grade=grade, source="市平台", given_at=given, received_at=given)


def breach(subject: CreditSubject, found_at: datetime, **values: Any) -> CreditRecord:
    kind = values.pop("kind", "broken_promise")
    return CreditRecord.objects.create(
        subject=subject, kind=kind, source=f"S{CreditRecord.objects.count()}", basis="演示", found_at=found_at, **values
    )


def town(now: datetime) -> None:
    """Subjects of several grades, newest first counted, with breaches in use and out of it."""
    for number, grades in enumerate(
        (
            ["good"],
            ["poor", "good"],
            ["good", "poor"],
            [],
            ["good"],
            ["good"],
            ["good"],
            ["good"],
            ["excellent"],
            ["good"],
        )
    ):
        graded(company(number), now, *grades)
    graded(make.person(), now, "good")
    breach(company(4), now)
    breach(company(5), now, repaired_at=now)
    breach(company(6), now - timedelta(days=3 * 366))
    breach(company(7), now, kind="sanction")
    breach(company(9), now, kind="serious", origin="platform")


def by_the_query(grade: str, way: str, now: datetime) -> tuple[int, int]:
    """Organisations and persons of a grade to whom the way is open, asked one by one."""
    found = [0, 0]
    for subject in CreditSubject.objects.all():
        answer = gate.ask(subject, now)
        if answer.grade == grade and answer.opens(way):
            found[subject.kind == "person"] += 1
    return found[0], found[1]


def run(size: int = 3) -> None:
    assert not previews.run(size=size)


def test_looked_at_confirmed_and_in_the_history(sign_in: SignIn, clock: Moment) -> None:
    town(clock.at)
    browser = sign_in(ADMIN)
    assert browser.post(cell(), {"state": "closed", "basis": " "}).status_code == 422
    assert not HandlingPreview.objects.exists()
    answer = browser.post(cell(), SAID)
    preview = HandlingPreview.objects.get()
    assert answer["Location"] == page(preview)
    assert "正在核对主体" in text_of(browser.get(page(preview)))
    state = reverse("division:handling_preview_state", args=[preview.pk])
    assert "进度" in text_of(browser.get(state))
    early = browser.post(page(preview), {"act": "confirm"})
    assert early.status_code == 409
    assert not HandlingRule.objects.exists()
    open_before = by_the_query("good", "promise", clock.at)
    run()
    preview.refresh_from_db()
    assert browser.get(state).headers["HX-Refresh"] == "true"
    assert (preview.organisations, preview.persons) == open_before == (5, 1)
    assert (preview.barred, preview.looked_at, preview.total, preview.percent) == (2, 11, 11, 100)
    html = text_of(browser.get(page(preview)))
    assert "6 个主体此后的信用查询不再适用“告知承诺”" in html
    assert "预览第1公司" in html
    assert "预览第2公司" not in html
    assert "预览第4公司" not in html
    assert "王小明" not in html
    assert browser.post(page(preview), {"act": "confirm"}).status_code == 302
    assert not handling.is_open("good", "promise")
    assert by_the_query("good", "promise", clock.at) == (0, 0)
    assert "良、告知承诺：不适用（此前适用）" in text_of(browser.get(reverse("division:handling")))
    assert browser.post(page(preview), {"act": "confirm"}).status_code == 409
    assert HandlingRule.history.count() == 1


@pytest.mark.parametrize("way", ["promise", "later", "on_the_spot", "green_lane"])
@pytest.mark.parametrize("grade", ["excellent", "good", "poor", "none"])
def test_the_counts_are_what_the_query_answers(city: None, clock: Moment, grade: str, way: str) -> None:
    town(clock.at)
    by, was = User.objects.get(username=ADMIN), handling.is_open(grade, way)
    before = by_the_query(grade, way, clock.at)
    preview = previewing.begin(grade, way, is_open=not was, basis="会议纪要", by=by, now=clock.at)
    run(4)
    preview.refresh_from_db()
    previewing.confirm(preview, by=by, now=clock.at)
    after = by_the_query(grade, way, clock.at)
    assert (preview.organisations, preview.persons) == (before if was else after)
    assert (after if was else before) == (0, 0)
    assert len(preview.first) == preview.organisations


def taken_over(now: datetime) -> None:
    """Codes that came after one with a breach in use: the next, the one after it; none where it does not carry."""
    for number in range(6):
        graded(company(number), now, "good")
    breach(company(0), now)
    breach(company(3), now, repaired_at=now)
    apart = {"kind": "split", "carries": False, "carries_reason": "分立协议约定不承担。"}
    for before, after, more in ((0, 1, {}), (1, 2, {}), (3, 4, {}), (2, 5, apart)):
        said: dict[str, Any] = {"before": company(before).code or "", "after": company(after).code or ""}
        said |= {"kind": "replaced", "on": now.date(), "basis": "准予变更登记通知书〔2026〕1号"} | more
        joining.link(**said, by=make.officer(), now=now)


@pytest.mark.parametrize(("way", "barred"), [("promise", 3), ("later", 3), ("on_the_spot", 0)])
def test_what_was_found_of_a_code_bars_the_one_that_took_its_place(
    city: None, clock: Moment, way: str, barred: int
) -> None:
    taken_over(clock.at)
    by, was = User.objects.get(username=ADMIN), handling.is_open("good", way)
    before = by_the_query("good", way, clock.at)
    preview = previewing.begin("good", way, is_open=not was, basis="会议纪要", by=by, now=clock.at)
    run(4)
    preview.refresh_from_db()
    assert preview.barred == barred
    previewing.confirm(preview, by=by, now=clock.at)
    after = by_the_query("good", way, clock.at)
    assert (preview.organisations, preview.persons) == (before if was else after) == (6 - barred, 0)
    assert (company(2).pk in preview.first) is (barred == 0)


def test_cases_of_a_code_that_took_a_barred_ones_place_are_not_counted(city: None, clock: Moment) -> None:
    taken_over(clock.at)
    for number in range(6):
        case = play.received(clock.at)
        type(case).objects.filter(pk=case.pk).update(way="promise", applicant=company(number))
    by, was = User.objects.get(username=ADMIN), handling.is_open("good", "promise")
    preview = previewing.begin("good", "promise", is_open=not was, basis="会议纪要", by=by, now=clock.at)
    run()
    preview.refresh_from_db()
    assert preview.cases == 3


def test_undecided_cases_that_took_the_way_are_counted(city: None, clock: Moment) -> None:
    by = User.objects.get(username=ADMIN)
    case = play.received(clock.at)
    type(case).objects.filter(pk=case.pk).update(way="promise")
    play.received(clock.at)
    done = play.completed(clock.at)
    type(done).objects.filter(pk=done.pk).update(way="promise")
    for way, cases in (("promise", 1), ("on_the_spot", 0), ("later", 0)):
        preview = previewing.begin(
            "none", way, is_open=not handling.is_open("none", way), basis="会议纪要", by=by, now=clock.at
        )
        run()
        preview.refresh_from_db()
        assert preview.cases == cases, way


def test_dropped_old_or_overtaken_it_changes_nothing(sign_in: SignIn, clock: Moment) -> None:
    by, browser = User.objects.get(username=ADMIN), sign_in(ADMIN)
    preview = previewing.begin("good", "promise", is_open=False, basis="会议纪要", by=by, now=clock.at)
    second = browser.post(cell(), SAID)
    assert second.status_code == 409
    assert SAID["basis"] in text_of(second)
    assert page(preview) in text_of(browser.get(cell()))
    assert "还没有确认的调整" in text_of(browser.get(reverse("division:handling")))
    assert browser.post(page(preview), {"act": "drop"}).status_code == 302
    assert browser.post(page(preview), {"act": "drop"}).status_code == 409
    run()
    preview.refresh_from_db()
    assert (preview.state, preview.looked_at, preview.settled_by) == ("dropped", 0, by)
    assert browser.post(cell(), SAID).status_code == 302
    run()
    old = HandlingPreview.objects.get(state="ready")
    clock.at += timedelta(days=1, minutes=1)
    assert "预览已经过时" in text_of(browser.get(page(old)))
    assert browser.post(page(old), {"act": "confirm"}).status_code == 409
    browser.post(page(old), {"act": "drop"})
    browser.post(cell(), SAID)
    run()
    handling.set_cell("good", "promise", is_open=False, basis="同事的", by=by, now=clock.at)
    overtaken = HandlingPreview.objects.get(state="ready")
    assert browser.post(page(overtaken), {"act": "confirm"}).status_code == 409
    assert HandlingRule.objects.get().basis == "同事的"


def test_where_only_the_basis_changes_nobody_moves(sign_in: SignIn, clock: Moment) -> None:
    town(clock.at)
    browser = sign_in(ADMIN)
    browser.post(cell(), SAID | {"state": "open"})
    preview = HandlingPreview.objects.get()
    assert (preview.state, preview.moving) == ("ready", 0)
    assert "只调整依据" in text_of(browser.get(page(preview)))
    assert browser.post(page(preview), {"act": "confirm"}).status_code == 302
    assert HandlingRule.objects.get().basis == SAID["basis"]


@pytest.mark.parametrize("who", ["chuangkou1", "duban1", "donghai.guanliyuan1", "zhujian.xinyong"])
def test_only_the_city_sees_a_preview(sign_in: SignIn, clock: Moment, who: str) -> None:
    by = User.objects.get(username=ADMIN)
    preview = previewing.begin("good", "promise", is_open=False, basis="会议纪要", by=by, now=clock.at)
    browser = sign_in(who)
    assert browser.get(page(preview)).status_code == 404
    assert browser.post(page(preview), {"act": "drop"}).status_code == 404
    assert browser.get(reverse("division:handling_preview_state", args=[preview.pk])).status_code == 404
    assert "还没有确认的调整" not in text_of(browser.get(reverse("division:handling")))


def test_a_failure_is_kept_and_gone_on_with(city: None, clock: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    town(clock.at)
    by = User.objects.get(username=ADMIN)
    preview = previewing.begin("good", "promise", is_open=False, basis="会议纪要", by=by, now=clock.at)
    counted, broken = previews._cases, [True]

    def cases(one: HandlingPreview, high: int) -> int:
        if one.cursor and broken:
            raise ValueError("once")
        return counted(one, high)

    monkeypatch.setattr(previews, "_cases", cases)
    run()
    preview.refresh_from_db()
    assert (preview.state, preview.looked_at) == ("running", 3)
    assert preview.error.startswith("ValueError @ cases")
    broken.clear()
    tasks.run_previews()
    preview.refresh_from_db()
    assert (preview.state, preview.error, preview.organisations) == ("ready", "", 5)


@pytest.mark.django_db(transaction=True)
def test_killed_between_chunks_it_goes_on_where_it_was(transactional_db: None, clock: Moment, tmp_path: Path) -> None:
    demo_city.load()
    town(clock.at)
    by = User.objects.get(username=ADMIN)
    preview = previewing.begin("good", "promise", is_open=False, basis="会议纪要", by=by, now=clock.at)
    assert previews.run(0, size=4)
    preview.refresh_from_db()
    assert preview.looked_at == 4
    before = (preview.cursor, preview.organisations, preview.persons)
    assert killed_at("handling_preview.before_commit", lambda: previews.run(size=4), tmp_path / "point")
    preview.refresh_from_db()
    assert (preview.cursor, preview.organisations, preview.persons) == before
    run(4)
    preview.refresh_from_db()
    assert (preview.state, preview.looked_at, preview.organisations, preview.persons) == ("ready", 11, 5, 1)
