"""A clock explained wherever it is shown: on the pages of its owner, on its own page, as CSV, by command and API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.models import Case
from deadlines.models import Deadline
from ledger.models import Entry
from notifications.deliver import deliver
from offices.models import Posting, User
from offices.tokens import issue
from oversight.actions.traces import STREAM
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight.cast import table, text

pytestmark = pytest.mark.django_db
Role = Posting.Role
SignIn = Callable[[str], Client]
ART_42_ITEM = "固定资产投资项目节能审查"


def clock_of(case: Case) -> Deadline:
    return Deadline.objects.get(statutory_case=case)


def head_of(case: Case) -> User:
    return Posting.objects.filter(role=Role.DEPARTMENT_HEAD, department=case.department).order_by("pk")[0].user


@pytest.fixture
def lived(city: None, clock: Moment) -> Case:
    """A case whose statutory clock stood still and was extended, and for which its reviewer asked."""
    case = play.accepted(clock.at, play.item(ART_42_ITEM))
    assert case.reviewer is not None
    clock.to("2026-09-29 10:00")
    start_procedure(case, ground="hearing", estimated_days=5, reason="听证", by=case.reviewer, now=clock.at)
    clock.to("2026-10-08 10:00")
    end_procedure(case, result="已听证", by=case.reviewer, now=clock.at)
    asked = request_extension(case, days=10, reason="情况复杂", by=case.reviewer, now=clock.at)
    answer_extension(asked, grant=True, by=head_of(case), now=clock.to("2026-10-09 10:00"))
    case.refresh_from_db()
    return case


@pytest.fixture
def task(city: None, clock: Moment) -> SupervisionTask:
    """A task whose SMS went out."""
    found = SupervisionTask.objects.filter(case=play.completed(clock.at)).order_by("pk")[0]
    deliver(clock.at)
    found.refresh_from_db()
    return found


# --- who may see it


def people(**where: Any) -> set[int]:
    return set(Posting.objects.filter(**where).values_list("user", flat=True))


def insiders_of_case(case: Case) -> dict[str, set[int]]:
    """Role → ids of those who see the case, told from the postings alone."""
    assert case.reviewer_id is not None
    return {
        Role.WINDOW_CLERK: people(role=Role.WINDOW_CLERK, department__division=case.division),
        Role.DELIVERY_CLERK: people(role=Role.DELIVERY_CLERK, department__division=case.division),
        Role.REVIEWER: {case.reviewer_id},
        Role.DECIDER: people(role=Role.DECIDER, office=case.review_office),
        Role.DEPARTMENT_HEAD: people(role=Role.DEPARTMENT_HEAD, department=case.department),
        Role.OVERSEER: people(role=Role.OVERSEER, department__division=case.division),
        Role.DISCIPLINE: people(role=Role.DISCIPLINE, department__division=case.division),
    }


def insiders_of_task(task: SupervisionTask) -> dict[str, set[int]]:
    """The same of a task."""
    division = task.department.division
    return {
        Role.OFFICE_MANAGER: people(role=Role.OFFICE_MANAGER, office=task.office),
        Role.OFFICE_DEPUTY: people(role=Role.OFFICE_DEPUTY, office=task.office),
        Role.DEPARTMENT_HEAD: people(role=Role.DEPARTMENT_HEAD, department=task.department),
        Role.OVERSEER: people(role=Role.OVERSEER, department__division=division),
        Role.DISCIPLINE: people(role=Role.DISCIPLINE, department__division=division),
    }


def faces(insiders: set[int], near: Posting) -> dict[tuple[str, str], User]:
    """One outsider for each role and place, seen from an office."""
    seen: dict[tuple[str, str], User] = {}
    for posting in Posting.objects.exclude(user__in=insiders).select_related("user", "department").order_by("pk"):
        place = "another department"
        if posting.department.division_id != near.department.division_id:
            place = "another division"
        elif posting.office_id is not None and posting.office_id == near.office_id:
            place = "the same office"
        elif posting.department_id == near.department_id:
            place = "another office"
        seen.setdefault((posting.role, place), posting.user)
    return seen


def statuses(person: User, clock: Deadline) -> list[int]:
    """What page, CSV and API answer this person."""
    browser = Client()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    caller = APIClient(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return [
        browser.get(f"/clocks/{clock.pk}/").status_code,
        browser.get(f"/clocks/{clock.pk}/days.csv").status_code,
        caller.get(f"/api/v1/deadlines/{clock.pk}/").status_code,
    ]


@pytest.mark.parametrize("kind", ["case", "task"])
def test_whoever_sees_the_owner_sees_the_clock_and_nobody_else(lived: Case, task: SupervisionTask, kind: str) -> None:
    if kind == "case":
        insiders, clock = insiders_of_case(lived), clock_of(lived)
        near = Posting.objects.filter(office=lived.review_office).order_by("pk")[0]
    else:
        assert task.acknowledge_deadline is not None
        insiders, clock = insiders_of_task(task), task.acknowledge_deadline
        near = Posting.objects.filter(office=task.office).order_by("pk")[0]
    for role, found in insiders.items():
        assert found, role
        assert statuses(User.objects.get(pk=min(found)), clock) == [200, 200, 200], role
    away = Posting.objects.filter(role=Role.WINDOW_CLERK).exclude(department__division=lived.division).order_by("pk")[0]
    Posting.objects.create(user=away.user, department=away.department, role=Role.DISCIPLINE, starts_on=away.starts_on)
    entries = Entry.objects.count()
    outsiders = faces(set().union(*insiders.values()), near)
    assert {role for role, _ in outsiders} == set(Role.values)
    assert {place for _, place in outsiders} >= {"another division", "another department"}
    for who, person in outsiders.items():
        assert statuses(person, clock) == [404, 404, 404], who
    assert Entry.objects.count() == entries


def test_strangers_sign_in_first_and_nothing_is_written_there(lived: Case, sign_in: SignIn) -> None:
    clock = clock_of(lived)
    answer = Client().get(f"/clocks/{clock.pk}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    assert APIClient().get(f"/api/v1/deadlines/{clock.pk}/").status_code == 401
    assert sign_in("duban1").post(f"/clocks/{clock.pk}/").status_code == 405
    nowhere = sign_in("duban1").get("/clocks/99999999999999999999/")
    assert nowhere.status_code == 404


def test_a_clock_that_belongs_to_nobody_is_shown_to_nobody(lived: Case, sign_in: SignIn) -> None:
    clock = clock_of(lived)
    Deadline.objects.filter(pk=clock.pk).update(stream="nobody:1")
    assert sign_in("duban1").get(f"/clocks/{clock.pk}/").status_code == 404


def test_a_discipline_officers_look_is_on_the_record_and_no_other(lived: Case, sign_in: SignIn) -> None:
    clock = clock_of(lived)
    looks = Entry.objects.filter(stream=STREAM)
    sign_in("duban1").get(f"/clocks/{clock.pk}/")
    assert looks.count() == 0
    sign_in("jijian1").get(f"/clocks/{clock.pk}/")
    assert [(entry.actor.username if entry.actor else "", entry.data) for entry in looks] == [
        ("jijian1", {"case": lived.pk})
    ]


def test_officers_are_named_to_overseers_and_discipline_only(lived: Case, sign_in: SignIn) -> None:
    clock = clock_of(lived)
    assert lived.reviewer is not None
    names = {lived.reviewer.full_name, head_of(lived).full_name}
    decider = User.objects.get(pk=min(insiders_of_case(lived)[Role.DECIDER]))
    for who, sees in (("duban1", True), ("jijian1", True), ("chuangkou1", False), (decider.username, False)):
        browser = sign_in(who)
        main = text(browser.get(f"/clocks/{clock.pk}/")).partition("<main")[2]
        assert [name in main for name in names] == [sees, sees], who
        assert lived.applicant_name not in main, "a clock tells nothing of whose case it is"
        caller = APIClient(HTTP_AUTHORIZATION=f"Token {issue(User.objects.get(username=who)).token}")
        events = caller.get(f"/api/v1/deadlines/{clock.pk}/").json()["events"]
        assert any(event["who"] for event in events) is sees, who


# --- the page


def test_the_page_tells_everything_and_leads_back(lived: Case, clock: Moment, sign_in: SignIn) -> None:
    found = clock_of(lived)
    page = text(sign_in("duban1").get(f"/clocks/{found.pk}/"))
    for said in (
        "20个工作日，延长10个工作日，共30个工作日",
        f"听证（特别程序告知书 {lived.procedures.get().document.number}），告知预计需 5 个工作日",
        f"延期告知书 {lived.extensions.get().document.number}",  # type: ignore[union-attr]
        "经本行政机关负责人批准，延长10个工作日（行政许可法第四十二条第一款）",
        "起算当日不计入，自下一日开始计算",
        "民法典第二百零一条",
        "行政许可法第八十二条",
        "行政许可法第四十五条",
        "2026年第1版（已发布）",
        "国务院办公厅关于2026年部分节假日安排的通知",
        "暂停期间（听证）",
        "工作日（延长期内）",
        "今天",
        f'href="/oversight/cases/{lived.number}/"',
        f'href="/clocks/{found.pk}/?days=all"',
    ):
        assert said in page, said
    assert f'href="/window/cases/{lived.number}/"' in text(sign_in("chuangkou1").get(f"/clocks/{found.pk}/"))


def test_the_full_list_and_the_table_have_every_day(lived: Case, sign_in: SignIn) -> None:
    found = clock_of(lived)
    overseer = sign_in("duban1")
    runs = text(overseer.get(f"/clocks/{found.pk}/")).count('<tr class="day-')
    every = text(overseer.get(f"/clocks/{found.pk}/?days=all")).count('<tr class="day-')
    rows = table(overseer, f"/clocks/{found.pk}/days.csv")
    assert len(rows) == every == (found.due_on - found.start_on).days + 1
    assert runs < every / 1.5
    assert rows[-1] | {"原因": ""} == {
        "日期": found.due_on.isoformat(), "星期": rows[-1]["星期"], "是否计入": "计入", "第几日": "30", "原因": "",
        "暂定": "", "到期日": "是",
    }  # fmt: skip
    assert [row["是否计入"] for row in rows if row["日期"] in {"2026-09-29", "2026-09-30", "2026-10-08"}] == [
        "计入", "暂停", "暂停",
    ]  # fmt: skip


def test_the_page_costs_the_same_however_much_happened(lived: Case, task: SupervisionTask, sign_in: SignIn) -> None:
    overseer, found = sign_in("duban1"), clock_of(lived)

    def cost(pk: int) -> int:
        overseer.get(f"/clocks/{pk}/")
        with CaptureQueriesContext(connection) as queries:
            overseer.get(f"/clocks/{pk}/")
        return len(queries)

    assert task.acknowledge_deadline is not None
    # One more for the papers by which the applicant was told.
    assert cost(found.pk) == cost(task.acknowledge_deadline.pk) + 1
    assert cost(found.pk) <= 14


# --- command and API beside the page


def command(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("explain_deadline", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def test_page_command_and_api_agree_on_a_clock_that_lived(lived: Case, sign_in: SignIn) -> None:
    found = clock_of(lived)
    page = text(sign_in("chuangkou1").get(f"/clocks/{found.pk}/?days=all"))
    clerk = APIClient(HTTP_AUTHORIZATION=f"Token {issue(play.person('chuangkou1')).token}")
    body = clerk.get(f"/api/v1/deadlines/{found.pk}/").json()
    printed = command("--deadline", str(found.pk))
    assert body["owner"] == {"title": lived.business_item.name, "number": f"办件 {lived.number}"}
    assert body["deadline"]["id"] == found.pk
    shown = re.findall(r'<tr class="day-(\w+).*?datetime="([\d-]+)"', page, re.S)
    assert [(line["standing"], line["day"]) for line in body["lines"]] == shown
    assert printed[-1] == body["due_on"] == shown[-1][1] == found.due_on.isoformat()
    words = {"counted": "计入第", "skipped": "不计入", "paused": "暂停"}
    for line in body["lines"]:
        assert any(
            row.startswith(f"{line['day']} {line['weekday']} {words[line['standing']]}") and line["reason"] in row
            for row in printed
        ), line
    for event in body["events"]:
        assert event["text"] in page
        assert any(event["text"] in row for row in printed)
    for rule in body["rules"]:
        assert rule["text"] in page
        assert f"规则：{rule['text']}（{rule['source']}）" in printed


def test_the_command_explains_every_clock_of_a_case_and_of_a_task(lived: Case, task: SupervisionTask) -> None:
    said = command("--case", lived.number.lower())
    kinds = set(Deadline.objects.filter(stream=lived.stream).values_list("kind", flat=True))
    heads = [line for line in said if f"办件 {lived.number}" in line]
    assert len(heads) == Deadline.objects.filter(stream=lived.stream).count() >= len(kinds) > 3
    assert lived.applicant_name not in "\n".join(said)
    said = command("--task", task.number)
    assert sum(f"任务 {task.number}" in line for line in said) == 1
    assert task.acknowledge_deadline is not None
    assert said[-1] == task.acknowledge_deadline.due_on.isoformat()


# --- the panels of the owners' pages


def test_a_case_that_stands_still_says_so_on_every_page_that_shows_its_clocks(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at, play.item(ART_42_ITEM))
    assert case.reviewer is not None
    clock.to("2026-09-29 10:00")
    start_procedure(case, ground="expert_review", estimated_days=5, reason="评审", by=case.reviewer, now=clock.at)
    clock.to("2026-09-30 10:00")
    found = clock_of(case)
    paper = case.procedures.get().document.number
    pages = {
        "chuangkou1": f"/window/cases/{case.number}/",
        case.reviewer.username: f"/office/{case.number}/",
        "duban1": f"/oversight/cases/{case.number}/",
        "jijian1": f"/traces/{case.number}/",
    }
    for who, url in pages.items():
        page = text(sign_in(who).get(url))
        assert "如今天恢复，到期日为" in page, who
        assert f"专家评审（特别程序告知书 {paper}）。已书面告知预计需 5 个工作日" in page, who
        assert f"/clocks/{found.pk}/" in page, who
        assert '<tr class="day-paused' in page, who


def test_the_applicant_reads_the_same_without_any_officer(lived: Case, clock: Moment, client: Client) -> None:
    page = text(client.post("/progress/", {"number": lived.number, "code": lived.query_code}))
    assert page.count('class="deadline-panel"') == 2
    for said in ("承诺审批期限", "法定审批期限", "暂停期间（听证）", "经本行政机关负责人批准", "逐日清单"):
        assert said in page, said
    assert "/clocks/" not in page
    body = (
        APIClient()
        .post("/api/v1/progress/?explain=1", {"number": lived.number, "query_code": lived.query_code}, format="json")
        .json()
    )
    assert [one["deadline"]["kind"] for one in body["explanations"]] == ["decision_promised", "decision_statutory"]
    assert "id" not in body["explanations"][0]["deadline"]
    assert lived.reviewer is not None
    for officer in (lived.reviewer, head_of(lived), lived.intake_by):
        assert officer.full_name not in page
        assert officer.full_name not in json.dumps(body, ensure_ascii=False)
    plain = APIClient().post(
        "/api/v1/progress/", {"number": lived.number, "query_code": lived.query_code}, format="json"
    )
    assert "explanations" not in plain.json()


def test_a_task_page_explains_its_clocks_in_one_statement(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    manager = sign_in(task.office.managers(clock.at.date())[0].username)
    url = f"/tasks/{task.number}/"
    manager.get(url)
    with CaptureQueriesContext(connection) as queries:
        page = text(manager.get(url))
    assert sum("deadlines_clockevent" in query["sql"] for query in queries) == 1
    assert task.acknowledge_deadline is not None
    assert f"/clocks/{task.acknowledge_deadline.pk}/" in page
    assert "按本期限的依据，以工作日计算，不含法定节假日" in page


def test_the_trace_says_whose_clock_each_is(task: SupervisionTask, sign_in: SignIn) -> None:
    assert task.case is not None
    page = text(sign_in("jijian1").get(f"/traces/{task.case.number}/"))
    assert page.count(f"监管任务 {task.number}") >= 2
    closed = Deadline.objects.filter(stream=task.case.stream, state="met").order_by("pk")[0]
    assert f'<a href="/clocks/{closed.pk}/">{closed.get_kind_display()}</a>' in page
