"""请假 and 回避申报 through the pages and the API: one's own, the division's for administrators, nothing for others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.actions import accept_case, give_opinion
from approvals.draws import pool_for
from approvals.models import Case, Conflict
from credit.models import CreditSubject
from ledger.models import Entry
from offices.models import Leave, Posting, User
from offices.tokens import issue
from oversight.demo.cases import COMPANIES, code_of
from tests.approvals import play, window
from tests.conftest import Moment

Role = Posting.Role
SignIn = Callable[[str], Client]
ENERGY = "固定资产投资项目节能审查"


@pytest.fixture
def people(city: None) -> list[User]:
    """The two reviewers of the office that reviews presales."""
    rows = Posting.objects.filter(role=Role.REVIEWER, office=play.item().review_office).order_by("user_id")
    return [row.user for row in rows.select_related("user")]


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def leave_form(**changes: str) -> dict[str, str]:
    return {"starts_on": "2026-09-29", "ends_on": "2026-09-30", "deputy": "", "reason": "外出学习"} | changes


def days_off(person: User, by: User, **changes: object) -> Leave:
    values = {
        "starts_on": dt.date(2026, 9, 28),
        "ends_on": dt.date(2026, 9, 30),
        "entered_at": "2026-09-27T10:00+08:00",
    }
    return Leave.objects.create(user=person, entered_by=by, **(values | changes))


# --- leave


def test_own_leave_is_entered_listed_exported_and_cancelled(people: list[User], clock: Moment, sign_in: SignIn) -> None:
    person, deputy = people
    browser = sign_in(person.username)
    assert "您没有登记过请假" in text(browser.get("/leave/"))
    assert reverse("leave:list") in text(browser.get(reverse("office:list"))), "on the rail"
    page = text(browser.get(reverse("leave:new")))
    assert deputy.full_name in page
    assert f">{person.full_name}</a> · 审查人员" in page, "the head line still says who is signed in"
    assert "为谁登记" not in page
    done = browser.post(reverse("leave:new"), leave_form(deputy=str(deputy.pk)), follow=True)
    assert "已登记请假：2026-09-29 至 2026-09-30" in text(done)
    assert "未开始" in text(done)
    leave = Leave.objects.get()
    assert (leave.user, leave.deputy, leave.entered_by, leave.entered_at) == (person, deputy, person, clock.at)
    sheet = b"".join(browser.get(reverse("leave:export")).streaming_content).decode()  # type: ignore[attr-defined]
    assert "外出学习" in sheet
    assert deputy.full_name in sheet
    done = browser.post(reverse("leave:cancel", args=[leave.pk]), follow=True)
    assert "已销假，可以重新被抽取" in text(done)
    again = browser.post(reverse("leave:cancel", args=[leave.pk]))
    assert again.status_code == 409
    acts = Entry.objects.filter(stream=f"staff:{person.pk}").values_list("act", flat=True)
    assert list(acts) == ["staff.leave_entered", "staff.leave_cancelled"]


WRONG = {
    "no days": ({"starts_on": "", "ends_on": ""}, "请填写开始日期。"),
    "not a day": ({"starts_on": "明天"}, "开始日期不是有效日期"),
    "in the past": ({"starts_on": "2026-09-27"}, "开始日期不能早于今天。"),
    "backwards": ({"ends_on": "2026-09-28"}, "结束日期不能早于开始日期。"),
    "too long": ({"ends_on": "2027-10-15"}, "一次最多登记一年"),
    "twice": ({"starts_on": "2026-10-12", "ends_on": "2026-10-20"}, "这段时间已经登记过请假"),
    "the deputy is away": ({"starts_on": "2026-10-20", "ends_on": "2026-10-22", "deputy": "second"}, "这段时间也请假"),
    "a deputy from elsewhere": ({"deputy": "elsewhere"}, "所选代理人不在同部门人员中"),
    "oneself": ({"deputy": "self"}, "所选代理人不在同部门人员中"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    people: list[User], clock: Moment, sign_in: SignIn, name: str
) -> None:
    person, deputy = people
    days_off(person, person, starts_on=dt.date(2026, 10, 10), ends_on=dt.date(2026, 10, 12))
    days_off(deputy, deputy, starts_on=dt.date(2026, 10, 22), ends_on=dt.date(2026, 10, 23))
    ids = {"second": deputy.pk, "elsewhere": play.person("duban1").pk, "self": person.pk}
    changes, said = WRONG[name]
    form = leave_form(**changes)
    form["deputy"] = str(ids.get(form["deputy"], ""))
    answer = sign_in(person.username).post(reverse("leave:new"), form)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "外出学习" in text(answer)
    assert Leave.objects.count() == 2


def test_an_administrator_enters_and_cancels_for_the_people_of_the_division_only(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    person = people[0]
    admin = sign_in("guanliyuan1")
    page = text(admin.get(reverse("leave:new")))
    assert f"{person.full_name}（{person.username}）" in page
    url = f"{reverse('leave:new')}?user={person.pk}"
    done = admin.post(url, leave_form(), follow=True)
    assert f"已登记{person.full_name}的请假" in text(done)
    leave = Leave.objects.get()
    assert (leave.user, leave.entered_by.username) == (person, "guanliyuan1")
    assert person.full_name in text(admin.get("/leave/?tab=division"))
    assert person.full_name not in text(admin.get("/leave/?tab=division&q=nobody"))
    elsewhere = Posting.objects.exclude(department__division__code="320700").order_by("pk")[0].user
    outside = days_off(elsewhere, elsewhere)
    for other in (str(elsewhere.pk), "999999", "x"):
        assert admin.get(f"{reverse('leave:new')}?user={other}").status_code == 404
        assert admin.post(f"{reverse('leave:new')}?user={other}", leave_form()).status_code == 404
    assert admin.post(reverse("leave:cancel", args=[outside.pk])).status_code == 404
    assert admin.post(reverse("leave:cancel", args=[leave.pk])).status_code == 302
    assert Leave.objects.filter(cancelled_at__isnull=False).get() == leave


def test_others_find_neither_the_leave_nor_the_page_of_somebody_else(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    person, colleague = people
    leave = days_off(person, person)
    for username in (colleague.username, "chuangkou1", "duban1"):
        browser = sign_in(username)
        assert browser.post(reverse("leave:cancel", args=[leave.pk])).status_code == 404
        assert browser.get(f"{reverse('leave:new')}?user={person.pk}").status_code == 404
        assert person.full_name not in text(browser.get("/leave/?tab=division"))
    assert Client().get("/leave/").status_code == 302
    leaver = User.objects.create_user("wugangwei", full_name="无岗")
    assert leaver.pk
    for path in ("/leave/", "/leave/new/", "/conflicts/", "/conflicts/new/"):
        assert sign_in("wugangwei").get(path).status_code == 404


def test_fifty_leaves_cost_what_one_costs(
    people: list[User], clock: Moment, sign_in: SignIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(60):
        day = dt.date(2027, 1, 1) + dt.timedelta(days=number)
        days_off(people[0], people[1], starts_on=day, ends_on=day, deputy=people[1])
    admin = sign_in("guanliyuan1")
    admin.get("/leave/?tab=division")
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        page = text(admin.get("/leave/?tab=division"))
    assert page.count("<tr>") == 51
    assert "page=" in page


# --- conflicts


def conflict_form(**changes: str) -> dict[str, str]:
    return {
        "kind": "organisation", "identifier": code_of(COMPANIES[0][0]), "name": COMPANIES[0][1],
        "reason": "配偶任法定代表人",
    } | changes  # fmt: skip


def test_a_declared_conflict_keeps_the_person_out_of_the_draw_until_it_ends(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    person, other = people
    browser = sign_in(person.username)
    assert "您没有申报过回避" in text(browser.get("/conflicts/"))
    case = play.received(clock.at)
    identifier = case.applicant.code or ""
    done = browser.post(reverse("conflicts:new"), conflict_form(identifier=identifier), follow=True)
    assert "已申报回避" in text(done)
    assert identifier in text(done)
    assert case.applicant_name not in text(done), "the page does not answer who is behind a code"
    for _ in range(6):
        drawn = accept_case(play.received(clock.at), by=play.person("chuangkou1"), now=clock.at)
        assert drawn.reviewer == other
    conflict = Conflict.objects.get()
    sheet = b"".join(browser.get(reverse("conflicts:export")).streaming_content).decode()  # type: ignore[attr-defined]
    assert "配偶任法定代表人" in sheet
    assert "已解除，此后可以抽取" in text(browser.post(reverse("conflicts:end", args=[conflict.pk]), follow=True))
    assert browser.post(reverse("conflicts:end", args=[conflict.pk])).status_code == 409
    assert person.pk in {pk for pk, _ in pool_for(case, Role.REVIEWER, clock.at, set())}
    assert identifier in text(browser.get("/conflicts/?tab=ended"))


WRONG_CONFLICTS = {
    "no code": ({"identifier": ""}, "请填写统一社会信用代码或身份证号码。"),
    "a wrong code": ({"identifier": "91320700MA1DEM0019"}, "校验不符"),
    "a code for a person": ({"kind": "person"}, "身份"),
    "no name": ({"name": " "}, "请填写对方的名称或者姓名。"),
    "no reason": ({"reason": ""}, "请写明您与对方的关系。"),
    "twice": ({"identifier": "known"}, "您已经申报过对该主体回避"),
}


@pytest.mark.parametrize("name", WRONG_CONFLICTS)
def test_a_conflict_with_faults_is_said_beside_its_field(
    people: list[User], clock: Moment, sign_in: SignIn, name: str
) -> None:
    browser = sign_in(people[0].username)
    browser.post(reverse("conflicts:new"), conflict_form())
    changes, said = WRONG_CONFLICTS[name]
    form = conflict_form(identifier=code_of(COMPANIES[1][0])) | changes
    if form["identifier"] == "known":
        form["identifier"] = code_of(COMPANIES[0][0]).lower()
    answer = browser.post(reverse("conflicts:new"), form)
    assert answer.status_code == 422
    assert said in text(answer)
    assert Conflict.objects.count() == 1


def test_somebody_who_never_applied_can_be_declared_and_an_identity_number_is_masked(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(people[0].username)
    form = conflict_form(kind="person", identifier="11010519491231002X", name="张三", reason="兄弟")
    page = text(browser.post(reverse("conflicts:new"), form, follow=True))
    assert "110105********002X" in page
    assert "11010519491231002X" not in page
    assert not CreditSubject.objects.filter(kind="person").exists(), "nobody is registered by a declaration"
    entry = Entry.objects.get(stream=f"staff:{people[0].pk}")
    assert entry.data == {"conflict": Conflict.objects.get().pk}


def test_a_declared_name_binds_nobody_and_the_code_is_matched_when_it_comes(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    person, other = people
    code, name = code_of("91320700MA1KGC82T"), "连云港海悦轩餐饮有限公司"
    sign_in(person.username).post(reverse("conflicts:new"), conflict_form(identifier=code, name="编造的名称有限公司"))
    clerk = sign_in("chuangkou1")
    for _ in range(3):
        data = window.filled(play.item(), identifier=code, name=name)
        assert clerk.post(reverse("window:intake", args=[play.item().code]), data).status_code == 302
    assert CreditSubject.objects.get(code=code).name == name
    assert {case.reviewer for case in Case.objects.filter(applicant__code=code)} == {other}


def test_a_conflict_is_its_owners_alone(people: list[User], clock: Moment, sign_in: SignIn) -> None:
    sign_in(people[0].username).post(reverse("conflicts:new"), conflict_form())
    conflict = Conflict.objects.get()
    for username in (people[1].username, "guanliyuan1", "duban1", "chuangkou1"):
        browser = sign_in(username)
        assert browser.post(reverse("conflicts:end", args=[conflict.pk])).status_code == 404
        assert "配偶任法定代表人" not in text(browser.get("/conflicts/"))
    assert Conflict.objects.get().ended_at is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Conflict.objects.create(user=people[0], key=conflict.key, reason="再次", declared_at=clock.at)


def test_declaring_after_the_draw_tells_nobody_whose_case_it_is(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    """A reviewer or a decider who guesses at applicants by declaring conflicts sees nothing change."""
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    decider = play.holder(Role.DECIDER, case, case.reviewer)
    clock.to("2026-09-28 11:00")
    pages = [(sign_in(one.username), one) for one in (case.reviewer, decider)]
    url = reverse("office:case", args=[case.number])
    for browser, one in pages:
        assert browser.get(url).status_code == 200, one.username
        browser.post(reverse("conflicts:new"), conflict_form(identifier=case.applicant.code or ""))
        assert browser.get(url).status_code == 200, one.username
        assert case.applicant_name not in text(browser.get("/conflicts/"))
    assert Conflict.objects.count() == 2
    assert Case.objects.get(pk=case.pk).reviewer == case.reviewer


def test_a_decider_with_a_conflict_declared_before_never_gets_the_case(
    people: list[User], clock: Moment, sign_in: SignIn
) -> None:
    first = play.received(clock.at)
    decider = Posting.objects.filter(role=Role.DECIDER, office=first.review_office).order_by("pk")[0].user
    browser = sign_in(decider.username)
    browser.post(reverse("conflicts:new"), conflict_form(identifier=first.applicant.code or ""))
    clock.to("2026-09-28 11:00")
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    give_opinion(case, approve=True, text="可", by=case.reviewer, now=clock.at)
    assert browser.get(reverse("office:case", args=[case.number])).status_code == 404
    answer = browser.post(reverse("office:decision", args=[case.number]), {"verdict": "approve"})
    assert answer.status_code == 404
    assert case.number not in text(browser.get(reverse("office:list") + "?tab=decide"))


# --- through the API


def caller(person: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return client


def test_leave_through_the_api(people: list[User], clock: Moment) -> None:
    person, deputy = people
    client = caller(person)
    missing = client.post("/api/v1/leaves/", {}, format="json")
    assert (missing.status_code, missing.json()["code"]) == (422, "start-missing")
    body = {"starts_on": "2026-09-29", "ends_on": "2026-09-30"}
    wrong = client.post("/api/v1/leaves/", body | {"deputy": "duban1"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "deputy-unknown")
    other = client.post("/api/v1/leaves/", body | {"user": deputy.username}, format="json")
    assert other.status_code == 404
    made = client.post("/api/v1/leaves/", body | {"deputy": deputy.username}, format="json")
    assert made.status_code == 201
    assert made.json()["deputy"] == deputy.username
    assert [row["id"] for row in client.get("/api/v1/leaves/").json()["results"]] == [made.json()["id"]]
    assert caller(deputy).post(f"/api/v1/leaves/{made.json()['id']}/cancellation/").status_code == 404
    admin = caller(play.person("guanliyuan1"))
    assert admin.post(f"/api/v1/leaves/{made.json()['id']}/cancellation/").json()["cancelled_at"]
    again = client.post(f"/api/v1/leaves/{made.json()['id']}/cancellation/")
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    assert admin.post("/api/v1/leaves/", body | {"user": deputy.username}, format="json").status_code == 201


def test_conflicts_through_the_api(people: list[User], clock: Moment) -> None:
    client = caller(people[0])
    made = client.post("/api/v1/conflicts/", conflict_form(), format="json")
    assert made.status_code == 201
    again = client.post("/api/v1/conflicts/", conflict_form(), format="json")
    assert (again.status_code, again.json()["code"]) == (422, "conflict-known")
    wrong = client.post("/api/v1/conflicts/", conflict_form(identifier="1"), format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "identifier-invalid")
    assert caller(people[1]).get("/api/v1/conflicts/").json()["results"] == []
    url = f"/api/v1/conflicts/{made.json()['id']}/end/"
    assert caller(people[1]).post(url).status_code == 404
    assert client.post(url).json()["ended_at"]
    assert client.post(url).status_code == 409


def test_recusal_through_the_api(people: list[User], clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    client, url = caller(case.reviewer), f"/api/v1/reviews/{case.number}/recusal/"
    missing = client.post(url, {}, format="json")
    assert (missing.status_code, missing.json()["code"]) == (422, "reason-missing")
    assert client.post(url, {"reason": "亲属关系"}, format="json").json() == {"number": case.number, "recused": True}
    assert client.post(url, {"reason": "亲属关系"}, format="json").status_code == 404


def test_a_declaration_finds_its_subject_at_the_first_intake(city: None, clock: Moment, sign_in: SignIn) -> None:
    deciders = Posting.objects.filter(role="decider", office=play.item().review_office).order_by("pk")
    person = deciders[0].user
    browser = sign_in(person.username)
    for identifier, name in ((code_of(tail), name) for tail, name in COMPANIES):
        browser.post(reverse("conflicts:new"), conflict_form(identifier=identifier, name=name))
    assert not Conflict.objects.filter(subject__isnull=False).exists()
    clock.to("2026-09-29 10:00")
    case = play.reviewed(clock.at)
    assert Conflict.objects.get(subject__isnull=False).subject == case.applicant
    assert browser.get(reverse("office:case", args=[case.number])).status_code == 404
