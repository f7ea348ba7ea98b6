"""What waits on a further seat, for a countersignature or on the site stands on the person's own board and rail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import Case, Countersignature, Sheet, SiteCheck
from approvals.tasks import hand_over_cases
from catalogue.models import BusinessItem
from ledger.models import Entry
from notifications.models import Message
from offices.models import Leave, Office, Posting, User
from tests.approvals import play, weighing
from tests.approvals.weighing import FIRE, PLANNING, give, second
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
BOARD = "/alarms/"
SIGNER, OTHER = "ziranziyuanheguihua.huiqiana", "ziranziyuanheguihua.huiqianb"
COUNTERSIGNS = "规划实施监督处"


def verbs(browser: Client) -> dict[str, tuple[str, str]]:
    """Number → verb and address of each line of the person's board."""
    return {row.number: (row.verb, row.url) for row in browser.get(BOARD).context["rows"]}


def on_rail(browser: Client, url: str) -> str:
    """What stands beside a place of the rail."""
    places = browser.get("/password/").context["desk"]["places"]
    found: str = next(place["count"] for place in places if place["url"] == url)
    return found


def address(name: str, case: Case) -> str:
    return reverse(f"office:{name}", args=[case.number])


def postings() -> list[Posting]:
    """Of those who countersign in the demo city."""
    return list(Posting.objects.filter(office__name=COUNTERSIGNS, role__in=["reviewer", "decider"]))


def leave_nobody() -> None:
    Posting.objects.filter(pk__in=[posting.pk for posting in postings()]).update(ends_on=dt.date(2026, 9, 1))


# --- the board and the rail


def test_each_seat_finds_its_case_on_the_board_until_it_has_answered(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    other = sign_in(second(case).username)
    signer, colleague = sign_in(SIGNER), sign_in(OTHER)
    assert verbs(other) == {case.number: ("审查", address("case", case))}
    for browser in (signer, colleague):
        assert verbs(browser) == {case.number: ("会签", address("countersign", case))}
        assert on_rail(browser, "/office/") == "1"
        assert case.applicant_name not in cast.text(browser.get(BOARD))
    signer.post(address("countersign", case), {"verdict": "agree", "text": "无意见。"})
    for browser in (signer, colleague):
        assert verbs(browser) == {}
        assert on_rail(browser, "/office/") == ""
    give(case, second(case), approve=False)
    assert verbs(other) == {}
    give(case, case.reviewer)
    lead = Sheet.objects.select_related("reviewer").get(case=case, seat="lead").reviewer
    assert verbs(sign_in(lead.username)) == {case.number: ("审查", address("case", case))}


def test_the_clock_behind_a_line_opens_for_each_of_them(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    for username in (SIGNER, second(case).username):
        browser = sign_in(username)
        (row,) = browser.get(BOARD).context["rows"]
        page = browser.get(f"/clocks/{row.deadline.pk}/")
        assert page.status_code == 200
        assert case.applicant_name not in cast.text(page)


def test_site_officers_see_what_they_have_to_visit(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(FIRE))
    assert case.reviewer is not None
    reviewer = sign_in(case.reviewer.username)
    assert reviewer.post(address("site_plan", case), {"planned_on": "2026-09-28"}).status_code == 302
    check = SiteCheck.objects.select_related("first", "second").get(case=case)
    officers = [sign_in(one.username) for one in (check.first, check.second)]
    for browser in officers:
        assert verbs(browser) == {case.number: ("现场核查", address("site_check", case))}
        assert on_rail(browser, "/office/site/") == "1"
        row = browser.get(BOARD).context["rows"][0]
        assert browser.get(f"/clocks/{row.deadline.pk}/").status_code == 200
    idle = Posting.objects.filter(office=case.review_office, role="site_officer")
    third = idle.exclude(user__in=[check.first_id, check.second_id])[0].user
    assert verbs(sign_in(third.username)) == {}
    said = {"verdict": "conforms", "findings": "情况属实。", "place": "海州区某路1号"}
    assert officers[0].post(address("site_check", case), said).status_code == 302
    assert verbs(officers[0]) == {}
    assert verbs(officers[1]) == {case.number: ("现场核查", address("site_check", case))}
    assert officers[1].post(address("site_check", case), {"verdict": "confirm"}).status_code == 302
    for browser in officers:
        assert verbs(browser) == {}
        assert on_rail(browser, "/office/site/") == ""


def test_what_is_due_today_is_counted_for_whoever_countersigns_and_visits(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    due = min(clock.due_on for clock in case.deciding_clocks)
    browser = sign_in(SIGNER)
    assert on_rail(browser, BOARD) == ""
    clock.to(f"{due:%Y-%m-%d} 10:00")
    assert on_rail(browser, BOARD) == "1"


def test_the_boards_cost_the_same_with_one_case_or_six(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    visited = play.accepted(clock.at, play.item(FIRE))
    assert visited.reviewer is not None
    weighing.browser(visited.reviewer).post(address("site_plan", visited), {"planned_on": "2026-09-28"})
    officer = SiteCheck.objects.select_related("first").get().first
    people = [sign_in(one) for one in (SIGNER, second(case).username, officer.username, "duban1")]
    paths = [BOARD, BOARD, BOARD, reverse("oversight:unsigned")]

    def cost() -> list[int]:
        found = []
        for browser, path in zip(people, paths, strict=True):
            browser.get(path)
            with CaptureQueriesContext(connection) as seen:
                assert browser.get(path).status_code == 200
            found.append(len(seen))
        return found

    before = cost()
    for _ in range(5):
        play.accepted(clock.at, play.item(PLANNING))
        more = play.accepted(clock.at, play.item(FIRE))
        weighing.browser(more.reviewer).post(address("site_plan", more), {"planned_on": "2026-09-28"})
    assert len(verbs(people[0])) == 6
    assert cost() == before


# --- an office that is asked and has nobody


def test_whoever_can_countersign_is_told_without_the_applicant(clock: Moment, city: None) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    told = Message.objects.filter(kind="countersign_asked", reference=case.stream)
    assert {message.to_user.username for message in told if message.to_user} == {SIGNER, OTHER}
    for message in told:
        assert case.number in message.text
        assert COUNTERSIGNS in message.text
        assert case.applicant_name not in message.text
        assert case.contact_name not in message.text
    assert not Message.objects.filter(kind="nobody_countersigns").exists()


def test_an_office_without_anybody_alarms_the_overseers_and_is_told_once_it_has_somebody(
    clock: Moment, sign_in: SignIn
) -> None:
    leave_nobody()
    case = play.accepted(clock.at, play.item(PLANNING))
    office = Office.objects.get(name=COUNTERSIGNS)
    entry = Entry.objects.get(stream=case.stream, act="case.countersign_asked")
    assert entry.data == {"offices": [office.pk], "nobody": [office.pk]}
    told = Message.objects.filter(kind="nobody_countersigns", reference=case.stream, to_user__username="duban1")
    assert case.applicant_name not in told.get().text
    overseer = sign_in("duban1")
    assert on_rail(overseer, "/oversight/unlinked/") == "1"
    assert "无人会签" in cast.text(overseer.get(reverse("oversight:unlinked")))
    page = cast.text(overseer.get(reverse("oversight:unsigned")))
    assert case.number in page
    assert COUNTERSIGNS in page
    assert case.applicant_name not in page
    (line,) = cast.table(overseer, reverse("oversight:unsigned_export"))
    assert (line["办件编号"], line["会签处室"]) == (case.number, COUNTERSIGNS)
    assert cast.text(overseer.get(reverse("oversight:unsigned"), {"q": "没有的处室"})).count(case.number) == 0
    assert sign_in("donghai.duban1").get(reverse("oversight:unsigned")).context["rows"] == []
    hand_over_cases()
    assert told.count() == 1
    new = play.person("zhujian.shenchaa")
    Posting.objects.create(
        user=new, department=office.department, office=office, role="reviewer", starts_on=dt.date(2026, 9, 28)
    )
    assert on_rail(overseer, "/oversight/unlinked/") == ""
    for _ in range(2):
        hand_over_cases()
        asked = Message.objects.get(kind="countersign_asked", reference=case.stream)
        assert asked.to_user == new
    answer = sign_in(new.username).post(address("countersign", case), {"verdict": "agree", "text": "无意见。"})
    assert answer.status_code == 302
    assert weighing.decide(case).status_code == 422, "the sheets are still missing, the countersignature is not"


@pytest.mark.parametrize("why", ["posting", "account", "leave", "part"])
def test_whoever_cannot_answer_any_more_is_found_by_the_sweep(clock: Moment, sign_in: SignIn, why: str) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    hand_over_cases()
    overseer = sign_in("duban1")
    assert overseer.get(reverse("oversight:unsigned")).context["rows"] == []
    people = [posting.user for posting in postings()]
    if why == "posting":
        leave_nobody()
    elif why == "account":
        User.objects.filter(pk__in=[one.pk for one in people]).update(is_active=False)
    elif why == "leave":
        for person in people:
            Leave.objects.create(
                user=person, starts_on=dt.date(2026, 9, 28), ends_on=dt.date(2026, 9, 30), entered_by=person,
                entered_at=clock.at,
            )  # fmt: skip
    else:  # the office's only people review this very case
        leave_nobody()
        place = postings()[0]
        assert case.reviewer is not None
        Posting.objects.create(
            user=case.reviewer, department=place.department, office=place.office, role="decider",
            starts_on=dt.date(2026, 9, 28),
        )  # fmt: skip
        assert verbs(sign_in(case.reviewer.username))[case.number][0] == "审查"
    hand_over_cases()
    (row,) = overseer.get(reverse("oversight:unsigned")).context["rows"]
    assert row.case.number == case.number
    told = Message.objects.filter(kind="nobody_countersigns", reference=case.stream, to_user__username="duban1")
    assert told.count() == 1
    assert Countersignature.objects.get(case=case).signed_at is None


def test_an_item_is_not_published_while_nobody_can_countersign_it(clock: Moment, sign_in: SignIn) -> None:
    item = play.item(PLANNING)
    admin = sign_in("guanliyuan1")
    BusinessItem.objects.filter(pk=item.pk).update(status="draft")
    ends = {posting.pk: posting.ends_on for posting in postings()}
    leave_nobody()
    page = cast.text(admin.get(reverse("division:item", args=[item.pk])))
    said = f"会签处室（市自然资源和规划局{COUNTERSIGNS}）没有可以会签的审查或者决定人员"
    assert said in page
    answer = admin.post(reverse("division:publish", args=[item.pk]))
    assert answer.status_code in {409, 422}
    assert said in cast.text(answer)
    item.refresh_from_db()
    assert item.status == "draft"
    for key, day in ends.items():
        Posting.objects.filter(pk=key).update(ends_on=day)
    assert admin.post(reverse("division:publish", args=[item.pk])).status_code == 302
    item.refresh_from_db()
    assert item.status == "published"


def test_the_administrator_reads_of_an_office_that_cannot_countersign(clock: Moment, sign_in: SignIn) -> None:
    admin = sign_in("guanliyuan1")
    assert admin.get(reverse("division:home")).context["silent_countersigners"] == []
    leave_nobody()
    page = cast.text(admin.get(reverse("division:home")))
    assert f"市自然资源和规划局{COUNTERSIGNS}须为已发布的事项会签，但没有审查或者决定人员" in page


# --- the rail


def test_the_rail_folds_what_is_looked_at_now_and_then(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")

    def groups(path: str) -> dict[str, tuple[bool, bool, list[str]]]:
        found = browser.get(path).context["desk"]["groups"]
        return {one["label"]: (one["folds"], one["open"], [p["label"] for p in one["places"]]) for one in found}

    board = groups("/oversight/")
    assert board[""] == (False, True, ["时限督办", "待分派办件", "审管争议", "短信送达"])
    assert board["监督台账"] == (
        True,
        False,
        ["不予受理", "退件统计", "决定前查看", "承诺超过5日", "双随机计划", "信用推送", "企业画像"],
    )
    assert board["个人与规则"] == (True, False, ["请假", "回避申报", "差异化办理", "工作日历"])
    assert groups("/oversight/refusals/")["监督台账"][:2] == (True, True), "open on its own pages"
    page = cast.text(browser.get("/oversight/refusals/"))
    assert page.count("<details open><summary>") == 1
    assert 'href="/leave/"' in page
