"""双随机 through pages and API: who makes, reads, draws; what everybody may see and what nobody may."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credit.models import CreditSubject, SubjectRisk
from ledger.models import Entry
from offices.models import Posting, User
from supervision.actions.drawing import draw_plan
from supervision.models import DrawPlan, DrawRun, Feedback, SamplingRule, StockLicence, SupervisionTask
from tests.api.conftest import Caller, caller  # noqa: F401 - a fixture
from tests.conftest import Moment
from tests.supervision import drawing as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
Role = Posting.Role
LIST = "/tasks/draws/"


def text(answer: Any) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode()
    return answer.content.decode()  # type: ignore[no-any-return]


@pytest.fixture
def drawn(city: None, clock: Moment) -> DrawPlan:
    """A drawn plan of 40 holders, one of them a person."""
    some.inspectors(3)
    some.holders({"A": 30, "D": 9}, clock.at)
    link = some.linkage()
    person = CreditSubject.objects.identify("person", "110101199003070134", "欧阳春晓")
    SubjectRisk.objects.create(subject=person, risk="D", source="x", given_at=clock.at, received_at=clock.at)
    known = StockLicence.objects.all()[0]
    StockLicence.objects.create(
        batch=known.batch, number="旧个人", business_item=link.business_item, holder=person, holder_name="欧阳春晓",
        department=known.department, valid_from=date(2020, 1, 1),
    )  # fmt: skip
    plan = some.published(clock.at)
    draw_plan(plan, by=some.manager(), now=clock.at)
    return plan


def insiders(plan: DrawPlan, acts: bool) -> set[int]:
    """Ids of all who may act on the plan, or read it."""
    office = plan.office
    people = Posting.objects.filter(office=office, role__in=[Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY])
    heads = Posting.objects.filter(department=office.department, role=Role.DEPARTMENT_HEAD)
    found = set(people.values_list("user", flat=True)) | set(heads.values_list("user", flat=True))
    overseers = Posting.objects.filter(role=Role.OVERSEER, department__division=office.department.division)
    return found if acts else found | set(overseers.values_list("user", flat=True))


def faces(plan: DrawPlan, inside: set[int]) -> list[User]:
    """One outsider of every role and place."""
    seen: dict[tuple[str, bool, bool, bool], User] = {}
    for posting in Posting.objects.exclude(user__in=inside).select_related("user", "department").order_by("pk"):
        place = (
            posting.role,
            posting.department.division_id == plan.office.department.division_id,
            posting.department_id == plan.office.department_id,
            posting.office_id == plan.office_id,
        )
        seen.setdefault(place, posting.user)
    return list(seen.values())


# --- the table: state × action × role


@pytest.mark.parametrize("state", ["draft", "published", "drawn"])
def test_outsiders_find_nothing_and_overseers_only_read(
    city: None,
    clock: Moment,
    sign_in: SignIn,
    caller: Caller,  # noqa: F811
    state: str,
) -> None:
    some.inspectors(2)
    some.holders({"D": 2}, clock.at)
    plan = some.planned(clock.at) if state == "draft" else some.published(clock.at)
    if state == "drawn":
        draw_plan(plan, by=some.manager(), now=clock.at)
    body = {
        "name": "改", "sub_item": plan.sub_item_id, "business_items": [some.linkage().business_item_id],
        "month": "2026-09", "planned_finish_on": "2026-10-30", "spare_months": "6",
    }  # fmt: skip
    spoken = {
        "name": "改", "sub_item": plan.sub_item.code, "business_items": [some.linkage().business_item.code],
        "month": "2026-09", "planned_finish_on": "2026-10-30",
    }  # fmt: skip
    entries = Entry.objects.count()
    for person in faces(plan, insiders(plan, acts=True)):
        browser, client = sign_in(person.username), caller(person.username)
        reads = person.pk in insiders(plan, acts=False)
        for act in ACTS:
            assert browser.post(f"{LIST}{plan.pk}/{act}/", body).status_code == 404, (person.username, act)
            answer = client.post(f"/api/v1/draw-plans/{plan.pk}/{act}/", spoken, format="json")
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert browser.get(f"{LIST}{plan.pk}/").status_code == (200 if reads else 404)
        assert browser.get(f"{LIST}{plan.pk}/drawn.csv").status_code == (200 if reads and state == "drawn" else 404)
        for place in ("", "preview/", "drawn/"):
            got = client.get(f"/api/v1/draw-plans/{plan.pk}/{place}").status_code
            assert got == (200 if reads else 404), (person.username, place)
        listed = browser.get(LIST)
        assert (plan.name in text(listed)) == reads, person.username
    assert Entry.objects.count() == entries


ACTS = {"change": "draft", "removal": "draft", "publication": "draft", "drawing": "published"}


@pytest.mark.parametrize("state", ["draft", "published", "drawn"])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["manager", "deputy", "head"])
def test_makers_act_in_the_state_and_are_told_so_in_another(
    city: None,
    clock: Moment,
    sign_in: SignIn,
    caller: Caller,  # noqa: F811
    state: str,
    act: str,
    who: str,
) -> None:
    some.inspectors(2)
    some.holders({"D": 2}, clock.at)
    plan = some.planned(clock.at) if state == "draft" else some.published(clock.at)
    if state == "drawn":
        draw_plan(plan, by=some.manager(), now=clock.at)
    head = plan.office.department.heads(some.DAY)[0].username
    account = {"manager": some.manager().username, "deputy": f"{some.manager().username}fu", "head": head}[who]
    body = {
        "name": "改", "sub_item": plan.sub_item_id, "business_items": [some.linkage().business_item_id],
        "month": "2026-09", "planned_finish_on": "2026-10-30", "spare_months": "6",
    }  # fmt: skip
    spoken = body | {"sub_item": plan.sub_item.code, "business_items": [some.linkage().business_item.code]}
    if state == ACTS[act]:
        assert sign_in(account).post(f"{LIST}{plan.pk}/{act}/", body).status_code == 302
        return
    assert sign_in(account).post(f"{LIST}{plan.pk}/{act}/", body).status_code == 409
    answer = caller(account).post(f"/api/v1/draw-plans/{plan.pk}/{act}/", spoken, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "state-conflict")


def test_nobody_is_let_in_without_a_name(drawn: DrawPlan) -> None:
    for address in (LIST, f"{LIST}{drawn.pk}/", "/tasks/sampling/", f"{LIST}export.csv"):
        assert Client().get(address).status_code == 302


# --- the road, in the browser and through the API


def test_a_plan_is_made_previewed_published_and_drawn(city: None, clock: Moment, sign_in: SignIn) -> None:
    some.inspectors(2)
    some.holders({"A": 5, "D": 2}, clock.at)
    browser, link = sign_in(some.manager().username), some.linkage()
    assert "还没有抽查计划" in text(browser.get(LIST))
    assert link.sub_item.name in text(browser.get(f"{LIST}new/"))
    body = {
        "office": link.office_id, "name": "九月抽查", "sub_item": link.sub_item_id,
        "business_items": [link.business_item_id], "month": "2026-09", "planned_finish_on": "2026-10-30",
        "spare_months": "6", "ratio": "0.005",
    }  # fmt: skip
    back = browser.post(f"{LIST}new/", body)
    assert back.status_code == 422
    assert "比例" in text(back)
    assert 'value="九月抽查"' in text(back)
    back = browser.post(f"{LIST}new/", body | {"ratio": "0.5", "is_key_field": "on"})
    assert (back.status_code, "重点领域的统一比例不能低于 C 级的抽取比例（20%）；" in text(back)) == (422, True)
    assert 'value="0.5"' in text(back)
    back = browser.post(f"{LIST}new/", body | {"ratio": "", "month": "2026-08"})
    assert (back.status_code, "抽取月份须为本月" in text(back)) == (422, True)
    made = browser.post(f"{LIST}new/", body | {"ratio": ""})
    plan = DrawPlan.objects.get()
    assert made.headers["Location"] == f"{LIST}{plan.pk}/"
    assert Client().get(f"/draws/inspections/{plan.pk}/").status_code == 404
    seen = text(browser.get(f"{LIST}{plan.pk}/?preview=1"))
    assert "共抽 3 个对象" in seen
    assert browser.post(f"{LIST}{plan.pk}/drawing/").status_code == 409
    browser.post(f"{LIST}{plan.pk}/publication/")
    assert "尚未抽取" in text(Client().get(f"/draws/inspections/{plan.pk}/"))
    browser.post(f"{LIST}{plan.pk}/drawing/")
    assert browser.post(f"{LIST}{plan.pk}/drawing/").status_code == 409
    task = SupervisionTask.objects.order_by("pk")[0]
    assert task.number in text(browser.get(f"{LIST}{plan.pk}/"))
    assert task.number in text(browser.get("/tasks/"))
    assert browser.get(f"/tasks/{task.number}/").status_code == 200
    assert "九月抽查" in text(browser.get(f"{LIST}export.csv"))
    assert task.number in text(browser.get(f"{LIST}{plan.pk}/drawn.csv"))
    assert "没有符合条件的抽查计划" in text(browser.get(f"{LIST}?q=nothing"))


def test_what_is_refused_after_publication_comes_back_as_422(city: None, clock: Moment, sign_in: SignIn) -> None:
    some.inspectors(2)
    plan = some.published(clock.at)
    answer = sign_in(some.manager().username).post(f"{LIST}{plan.pk}/drawing/")
    assert (answer.status_code, "没有可以抽取的对象" in text(answer)) == (422, True)


def test_the_same_road_through_the_api(city: None, clock: Moment, caller: Caller) -> None:  # noqa: F811
    some.inspectors(2)
    some.holders({"A": 5, "D": 2}, clock.at)
    client, link = caller(some.manager().username), some.linkage()
    body = {
        "office": link.office_id, "name": "九月抽查", "sub_item": link.sub_item.code,
        "business_items": [link.business_item.code], "month": "2026-09", "planned_finish_on": "2026-10-30",
        "ratio": 5000, "client_key": str(uuid.uuid4()),
    }  # fmt: skip
    assert client.post("/api/v1/draw-plans/new/", body | {"office": 999}, format="json").status_code == 404
    bad = client.post("/api/v1/draw-plans/new/", body | {"business_items": ["nothing"]}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (422, "plan-items")
    low = client.post("/api/v1/draw-plans/new/", body | {"is_key_field": True, "ratio": 1999}, format="json")
    assert (low.status_code, low.json()["code"]) == (422, "plan-key-ratio")
    # In percent, which holds for the form's unit and for the API's; a number alone would not.
    said = "重点领域的统一比例不能低于 C 级的抽取比例（20%）；不填则按风险等级。"
    assert [(one["field"], one["detail"]) for one in low.json()["errors"]] == [("ratio", said)]
    made = client.post("/api/v1/draw-plans/new/", body, format="json")
    assert (made.status_code, made.json()["run"]) == (201, None)
    assert client.post("/api/v1/draw-plans/new/", body, format="json").status_code == 200
    place = f"/api/v1/draw-plans/{made.json()['id']}/"
    assert client.get(f"{place}preview/").json()["taken"] == 4
    assert client.post(f"{place}change/", body | {"ratio": 10000}, format="json").json()["ratio"] == 10000
    assert client.post(f"{place}publication/").json()["is_published"] is True
    run = client.post(f"{place}drawing/").json()["run"]
    assert (run["groups"][0]["taken"], run["number"], run["seed"]) == (7, 1, "")
    rows = client.get(f"{place}drawn/").json()["results"]
    assert [row["order"] for row in rows] == list(range(1, 8))
    assert client.get("/api/v1/draw-plans/", {"stage": "drawn"}).json()["results"][0]["name"] == "九月抽查"
    assert client.get("/api/v1/draw-plans/", {"stage": "draft"}).json()["results"] == []


# --- one form, one plan; what is not public may go


def form_of(browser: Client, name: str = "九月抽查") -> dict[str, Any]:
    """A new plan as the page would send it, with the key that the page made."""
    link = some.linkage()
    key = re.search(r'name="client_key" value="([0-9a-f-]{36})"', text(browser.get(f"{LIST}new/")))
    return {
        "office": link.office_id, "name": name, "sub_item": link.sub_item_id,
        "business_items": [link.business_item_id], "month": "2026-09", "planned_finish_on": "2026-10-30",
        "spare_months": "6", "ratio": "5", "client_key": key[1] if key else "",
    }  # fmt: skip


def test_the_same_form_sent_twice_is_one_plan(city: None, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in(some.manager().username)
    body = form_of(browser)
    back = browser.post(f"{LIST}new/", body | {"month": "2026-08"})
    assert f'value="{body["client_key"]}"' in text(back)  # a refused form keeps its key
    first = browser.post(f"{LIST}new/", body)
    plan = DrawPlan.objects.get()
    for _ in range(2):
        again = browser.post(f"{LIST}new/", body)
        assert (again.status_code, again.headers["Location"]) == (302, first.headers["Location"])
    # Also where it was changed since, by whomever.
    deputy = sign_in(f"{some.manager().username}fu")
    assert deputy.post(f"{LIST}{plan.pk}/change/", body | {"name": "改"}).status_code == 302
    assert browser.post(f"{LIST}new/", body).headers["Location"] == first.headers["Location"]
    assert [plan.name for plan in DrawPlan.objects.all()] == ["改"]
    assert list(Entry.objects.filter(stream=plan.stream).order_by("seq").values_list("act", flat=True)) == [
        "draw_plan.made",
        "draw_plan.changed",
    ]
    # Two pages are two forms.
    assert browser.post(f"{LIST}new/", form_of(browser)).status_code == 302
    assert DrawPlan.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_four_times_at_once_is_one_plan(city: None, clock: Moment, sign_in: SignIn) -> None:
    body, barrier = form_of(sign_in(some.manager().username)), Barrier(4)

    def press(_: int) -> str:
        try:
            browser = Client()
            browser.force_login(some.manager())
            barrier.wait()
            return browser.post(f"{LIST}new/", body).headers["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(press, range(4)))
    plan = DrawPlan.objects.get()
    assert places == {f"{LIST}{plan.pk}/"}
    assert Entry.objects.filter(stream=plan.stream).count() == plan.history.count() == 1


def test_a_form_that_was_changed_after_it_was_sent_is_told_so(city: None, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in(some.manager().username)
    body = form_of(browser)
    browser.post(f"{LIST}new/", body)
    plan = DrawPlan.objects.get()
    back = browser.post(f"{LIST}new/", body | {"name": "十月抽查"})
    page = text(back)
    assert (back.status_code, "这份表单已于 09月28日 10:00 保存为抽查计划" in page) == (409, True)
    assert f'href="{LIST}{plan.pk}/"' in page
    assert "十月抽查" in page
    other = sign_in(f"{some.manager().username}fu").post(f"{LIST}new/", body)
    assert (other.status_code, "标识已用于另一份抽查计划" in text(other)) == (409, True)
    assert DrawPlan.objects.count() == 1


def test_the_api_takes_a_key_once(city: None, clock: Moment, caller: Caller) -> None:  # noqa: F811
    client, link = caller(some.manager().username), some.linkage()
    body: dict[str, Any] = {
        "office": link.office_id, "name": "九月抽查", "sub_item": link.sub_item.code,
        "business_items": [link.business_item.code], "month": "2026-09", "planned_finish_on": "2026-10-30",
    }  # fmt: skip
    place = "/api/v1/draw-plans/new/"
    assert client.post(place, body, format="json").status_code == 422
    body["client_key"] = str(uuid.uuid4())
    first, again = (client.post(place, body, format="json") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    changed = client.post(place, body | {"ratio": 500}, format="json")
    assert (changed.status_code, changed.json()["code"]) == (409, "plan-sent")
    foreign = caller(f"{some.manager().username}fu").post(place, body, format="json")
    assert (foreign.status_code, foreign.json()["code"]) == (409, "plan-key-used")
    assert client.post(f"/api/v1/draw-plans/{first.json()['id']}/removal/").status_code == 204
    gone = client.post(place, body, format="json")
    assert (gone.status_code, gone.json()["code"]) == (409, "state-conflict")
    assert DrawPlan.objects.count() == 0


def test_a_plan_that_is_not_public_is_removed_and_stays_on_the_ledger(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(some.manager().username)
    plan = some.planned(clock.at)
    page = text(browser.get(f"{LIST}{plan.pk}/"))
    assert "确认删除计划" in page
    assert "不能恢复" in page
    done = browser.post(f"{LIST}{plan.pk}/removal/", follow=True)
    assert f"抽查计划“{plan.name}”已删除。" in text(done)
    assert browser.get(f"{LIST}{plan.pk}/").status_code == 404
    assert browser.post(f"{LIST}{plan.pk}/removal/").status_code == 404
    made, removed = Entry.objects.filter(stream=plan.stream).order_by("seq")
    assert (made.act, removed.act, removed.actor) == ("draw_plan.made", "draw_plan.removed", some.manager())
    assert removed.data == made.data
    assert [row.history_type for row in DrawPlan.history.filter(id=plan.pk)] == ["-", "+"]
    public = some.published(clock.at)
    assert "删除计划" not in text(browser.get(f"{LIST}{public.pk}/"))
    refused = browser.post(f"{LIST}{public.pk}/removal/")
    assert (refused.status_code, "已经公布，不能删除" in text(refused)) == (409, True)
    assert DrawPlan.objects.get() == public


# --- what everybody sees


def test_the_public_sees_results_and_never_an_inspector_or_a_class(drawn: DrawPlan, clock: Moment) -> None:
    run = DrawRun.objects.get()
    task = run.drawn.exclude(task__subject__kind="person").order_by("order")[0].task
    Feedback.objects.create(
        task=task, result="basically", text="内部情况", platform="market", platform_number="1",
        given_by=some.manager(), given_at=clock.at,
    )  # fmt: skip
    SupervisionTask.objects.filter(pk=task.pk).update(
        status="closed", end="followed_up", closed_at=clock.at, measure="on_site", finished_on=date(2026, 9, 28)
    )
    browser = Client()
    place = f"/draws/inspections/{drawn.pk}/"
    seen = [text(browser.get(place)), text(browser.get(f"{place}drawn.csv")), text(browser.get("/draws/inspections/"))]
    api = f"/api/v1/inspection-draws/{drawn.pk}/"
    seen += [text(browser.get(api)), text(browser.get(f"{api}drawn/")), text(browser.get("/api/v1/inspection-draws/"))]
    whole = "".join(seen)
    assert task.subject_name in seen[0]
    assert "基本符合" in seen[0]
    assert "基本符合，已处理" in seen[1]
    assert "尚未办结" in seen[1]
    assert "欧阳**" in seen[0]
    secrets = ["欧阳春晓", "110101199003070134", "内部情况", task.number]
    for row in run.drawn.select_related("first_officer", "second_officer"):
        secrets += [row.first_officer.full_name, row.second_officer.full_name]
    for secret in secrets:
        assert secret not in whole, secret
    assert "池中第" not in seen[0]
    assert "D（高）" not in seen[1] + seen[4]
    assert run.subject_pool_hash in seen[0]
    assert run.subject_pool_hash in seen[3]
    assert "欧阳**" not in text(browser.get(f"{place}?q=欧阳春"))
    assert browser.get(f"{place}positions.csv").status_code == 200
    assert browser.get("/draws/inspections/999/").status_code == 404
    assert "<dd>月末之后公开</dd>" in seen[0]
    clock.to("2026-10-01 00:00")  # the month is over, the seed not told yet
    assert "<dd>即将公开</dd>" in text(browser.get(place))
    assert "还没有公布的抽查计划" not in seen[2]


def test_lists_cost_the_same_however_long(drawn: DrawPlan, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in(some.manager().username)

    def cost(address: str, client: Client) -> int:
        client.get(address)  # writes the session
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    addresses = [(LIST, browser), ("/draws/inspections/", Client())]
    before = [cost(*one) for one in addresses]
    for _ in range(5):
        some.published(clock.at)
    assert [cost(*one) for one in addresses] == before
    few = cost(f"{LIST}{drawn.pk}/?q=nothing", browser)
    assert cost(f"{LIST}{drawn.pk}/", browser) == few


# --- the table of ratios


def test_administrators_set_a_ratio_with_its_basis_and_take_it_back(
    city: None,
    clock: Moment,
    sign_in: SignIn,
    caller: Caller,  # noqa: F811
) -> None:
    admin = sign_in("guanliyuan1")
    assert "20%" in text(admin.get("/tasks/sampling/"))
    back = admin.post("/tasks/sampling/C/", {"ratio": "30", "times_a_year": "2", "basis": ""})
    assert (back.status_code, "请写明依据" in text(back), 'value="30"' in text(back)) == (422, True, True)
    assert admin.post("/tasks/sampling/C/", {"ratio": "101", "times_a_year": "2", "basis": "x"}).status_code == 422
    assert admin.post("/tasks/sampling/X/", {"ratio": "1", "times_a_year": "2", "basis": "x"}).status_code == 404
    done = admin.post("/tasks/sampling/C/", {"ratio": "30.5", "times_a_year": "3", "basis": "局发〔2026〕9号"})
    assert done.status_code == 302
    rule = SamplingRule.objects.get()
    assert (rule.ratio, rule.times_a_year) == (3050, 3)
    page = text(admin.get("/tasks/sampling/"))
    assert "30.5%，每年 3 次（此前 20%）" in page
    assert "局发〔2026〕9号" in text(admin.get("/tasks/sampling/export.csv"))
    assert admin.post("/tasks/sampling/C/off/", {"basis": ""}).status_code == 422
    assert admin.post("/tasks/sampling/C/off/", {"basis": "文件废止"}).status_code == 302
    assert admin.post("/tasks/sampling/C/off/", {"basis": "文件废止"}).status_code == 404
    assert "收回设定，恢复预置" in text(admin.get("/tasks/sampling/"))
    said = {"ratio": 2500, "times_a_year": 1, "basis": "x"}
    answer = caller("guanliyuan1").post("/api/v1/sampling/C/", said, format="json")
    assert (answer.status_code, answer.json()["ratio"], answer.json()["is_own"]) == (200, 2500, True)
    bad = caller("guanliyuan1").post("/api/v1/sampling/C/", said | {"basis": " "}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (422, "sampling-basis-missing")
    for account in (some.manager().username, "chuangkou1", "zhujian.shenchaa"):
        assert sign_in(account).post("/tasks/sampling/C/", {"ratio": "1"}).status_code == 404
        assert caller(account).post("/api/v1/sampling/C/", said, format="json").status_code == 404
    assert "抽查比例" in text(sign_in(some.manager().username).get("/tasks/sampling/"))
    assert sign_in("chuangkou1").get("/tasks/sampling/").status_code == 404
    other = User.objects.filter(postings__role=Role.DIVISION_ADMIN).exclude(username="guanliyuan1").order_by("pk")[0]
    code = some.linkage().office.department.division.code
    body = {"ratio": "1", "times_a_year": "1", "basis": "x", "division": code}
    assert sign_in(other.username).post("/tasks/sampling/A/", body).status_code == 404
    assert SamplingRule.objects.count() == 1
