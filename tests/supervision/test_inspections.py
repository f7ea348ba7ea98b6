"""检查 through the pages: the record, once; what it refuses; who may; re-inspection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger.models import Entry
from offices.models import Leave, Posting
from supervision.enums import InspectionKind, PaperKind, TaskStatus, VisitStatus
from supervision.models import Checklist, Inspection, Paper, SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
JSON = {"Accept": "application/json"}


def url(task: SupervisionTask, name: str = "inspect") -> str:
    return reverse(f"tasks:{name}", args=[task.number])


def status(task: SupervisionTask) -> str:
    task.refresh_from_db()
    return task.status


def test_a_record_on_the_spot_moves_the_task_and_has_its_paper(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-28 11:00")
    page = browser.get(url(task))
    assert page.status_code == 200
    html = page.content.decode()
    for text in (*task.sub_item.points, "从事许可活动与准予许可的内容一致", "现在开始", "data-worker"):
        assert text in html
    data = field.sheet(task, clock.at)
    answer = browser.post(url(task), data, follow=True)
    assert "检查记录已发送。" in answer.content.decode()
    assert status(task) == TaskStatus.IN_PROGRESS
    one = Inspection.objects.get(task=task)
    assert (one.order, one.kind, one.result, one.signer) == (1, InspectionKind.FIRST, "conforming", "王负责")
    assert [f"{row.kind}-{row.key}" for row in one.findings.all()] == field.names(task)
    assert one.visit is not None
    assert one.visit.status == VisitStatus.DONE
    paper = Paper.objects.get(task=task, kind=PaperKind.INSPECTION)
    entry = Entry.objects.get(stream=task.stream, act="task.inspected")
    assert paper.content["findings_digest"] == entry.data["findings_digest"]
    assert "王负责（本人确认）" in str(paper.content["closing"])
    shown = browser.get(reverse("tasks:inspection", args=[task.number, 1])).content.decode()
    assert paper.number in shown
    assert "苏0700001、苏0700002" in shown
    printed = browser.get(reverse("tasks:inspection_print", args=[task.number, 1]))
    assert printed.headers["Location"] == reverse("tasks:paper", args=[paper.pk])
    block = browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "第 1 次：现场检查" in block
    assert paper.number in block


def test_what_was_promised_is_found_clause_by_clause(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at, promise=True)
    clauses = [name for name in field.names(task) if name.startswith("clause-")]
    assert len(clauses) == len(task.promise_clauses) > 0
    browser = sign_in(some.manager_of(task))
    data = field.sheet(task, clock.at)
    back = browser.post(url(task), data | {clauses[0]: ""})
    assert back.status_code == 422
    assert "请核对这一项。" in back.content.decode()
    data |= {clauses[0]: "nonconforming", f"{clauses[0]}-words": "没有做到"}
    back = browser.post(url(task), data)
    assert "检查结论应与之一致" in back.content.decode()
    assert browser.post(url(task), data | {"result": "nonconforming"}).status_code == 302
    found = Inspection.objects.get(task=task).findings.get(kind="clause", key="1")
    assert (found.text, found.words) == (task.promise_clauses[0], "没有做到")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"place": " "}, "请填写检查地点"),
    ({"began_at": ""}, "请填写开始时间。"),
    ({"ended_at": "昨天"}, "请填写有效时间"),
    ({"ended_at": "2026-09-28T10:31"}, "检查时间不能晚于现在"),
    ({"began_at": "2026-09-28T09:59", "ended_at": "2026-09-28T10:00"}, "检查不能早于任务生成"),
    ({"ended_at": "2026-09-28T10:00", "began_at": "2026-09-28T10:20"}, "结束时间不能早于开始时间。"),
    ({"second_officer": ""}, "现场检查须两人以上"),
    ({"first_officer": "1"}, "该人员不在本处室任职或者在请假，请另选。"),
    ({"showed_identity": ""}, "现场检查须出示执法证件"),
    ({"identity_numbers": ""}, "请填写两名检查人员的执法证号。"),
    ({"summary": ""}, "请填写检查情况。"),
    ({"result": ""}, "请选择检查结论。"),
    ({"result": "basically"}, "检查结论应与之一致"),
    ({"confirmed": ""}, "请由被检查对象确认签名"),
    ({"signer": ""}, "请由被检查对象签名；未签名的，须写明原因。"),
    ({"activity-activity": "basically", "result": "basically"}, "不是“符合”的，请写明情况。"),
    ({"client_key": "no-key"}, "有 1 处需要改正"),
]


@pytest.mark.parametrize(
    ("change", "sentence"), REFUSED, ids=[f"{n}-{next(iter(c))}" for n, (c, _) in enumerate(REFUSED)]
)
def test_what_a_record_refuses(
    city: None, clock: Moment, sign_in: SignIn, change: dict[str, Any], sentence: str
) -> None:
    task = field.ready(clock.at)
    clock.to("2026-09-28 10:30")
    data = field.sheet(task, clock.at, remarks="没有意见，请早日办结") | change
    back = sign_in(some.manager_of(task)).post(url(task), data)
    assert back.status_code == 422
    html = back.content.decode()
    assert sentence in html
    assert "没有意见，请早日办结" in html
    assert not Inspection.objects.exists()
    assert status(task) == TaskStatus.ACKNOWLEDGED


def test_nobody_looks_on_the_spot_before_the_visit_was_approved(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.acknowledged(clock.at)
    clock.to("2026-09-28 11:07")
    field.approve_visit(task, clock.at + dt.timedelta(seconds=40))
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-28 11:30")
    data = field.sheet(task, clock.at, remarks="没有意见，请早日办结", began_at="2026-09-28T11:06")
    sentence = "入企检查于 2026-09-28 11:07 获批，检查不能早于批准；请核对开始时间。"
    answer = browser.post(url(task), data, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "time-before-approval")
    assert answer.json()["errors"] == [{"field": "began_at", "detail": sentence}]
    back = browser.post(url(task), data)
    assert back.status_code == 422
    assert back.context["form"].errors["began_at"] == [sentence]
    assert "没有意见，请早日办结" in back.content.decode()
    assert not Inspection.objects.exists()
    assert status(task) == TaskStatus.ACKNOWLEDGED
    assert browser.post(url(task), data | {"began_at": "2026-09-28T11:07"}, headers=JSON).status_code == 200


def test_two_officers_are_two_people(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    data = field.sheet(task, clock.at)
    back = sign_in(some.manager_of(task)).post(url(task), data | {"second_officer": data["first_officer"]})
    assert "两名检查人员须为不同的人。" in back.content.decode()


def test_nobody_inspects_on_leave(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    first, second = field.officers(task)
    Leave.objects.create(
        user=second, starts_on=dt.date(2026, 9, 28), ends_on=dt.date(2026, 9, 28), entered_by=first, entered_at=clock.at
    )
    data = field.sheet(task, clock.at)
    browser = sign_in(some.manager_of(task))
    assert "在请假，请另选" in browser.post(url(task), data).content.decode()
    # The phone was without a connection that day: on the next one the leave is over, but not on the day of the record.
    clock.to("2026-09-29 10:00")
    back = browser.post(url(task), data)
    assert back.status_code == 422
    assert "请假，请另选" in back.content.decode()
    assert not Inspection.objects.exists()


@pytest.mark.parametrize(("late", "status_code"), [("2026-10-05 09:59", 200), ("2026-10-05 10:01", 422)])
def test_a_phone_may_have_been_offline_for_a_week(
    city: None, clock: Moment, sign_in: SignIn, late: str, status_code: int
) -> None:
    task = field.ready(clock.at)
    data = field.sheet(task, clock.at)
    clock.to(late)
    answer = sign_in(some.manager_of(task)).post(url(task), data, headers=JSON)
    assert answer.status_code == status_code
    if status_code == 422:
        assert answer.json()["code"] == "time-too-old"


def test_no_visit_no_record_on_the_spot(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    assert "现在还不能发送现场检查记录" in browser.get(url(task)).content.decode()
    answer = browser.post(url(task), field.sheet(task, clock.at), headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["code"] == "visit-missing"
    assert not Inspection.objects.exists()


def test_off_site_needs_no_visit_and_has_no_paper(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.acknowledged(clock.at, "off_site")
    browser = sign_in(some.manager_of(task))
    bare = field.sheet(
        task, clock.at, second_officer="", showed_identity="", identity_numbers="", signer="", confirmed=""
    )
    back = browser.post(url(task), bare)
    assert "请选择非现场检查的方式。" in back.content.decode()
    assert browser.post(url(task), bare | {"off_site": "data"}).status_code == 302
    one = Inspection.objects.get(task=task)
    assert (one.off_site, one.visit, one.second_officer) == ("data", None, None)
    assert not Paper.objects.filter(task=task).exists()
    printed = browser.get(reverse("tasks:inspection_print", args=[task.number, 1]))
    assert "非现场检查记录" in printed.content.decode()


def test_the_measure_says_where(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    answer = browser.post(url(task), field.sheet(task, clock.at, off_site="data"), headers=JSON)
    assert answer.status_code == 422
    other = field.acknowledged(clock.at, "combined")
    browser = sign_in(some.manager_of(other))
    assert browser.post(url(other), field.sheet(other, clock.at, off_site="remote"), headers=JSON).status_code == 200


def test_the_same_draft_twice_is_one_and_a_changed_one_is_told(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    data = field.sheet(task, clock.at)
    answers = [browser.post(url(task), data, headers=JSON) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1
    assert Inspection.objects.count() == 1
    assert Paper.objects.filter(task=task, kind=PaperKind.INSPECTION).count() == 1
    assert Entry.objects.filter(stream=task.stream, act="task.inspected").count() == 1
    changed = browser.post(url(task), data | {"summary": "后来改的"}, headers=JSON)
    assert changed.status_code == 409
    assert changed.json()["code"] == "inspection-sent"
    assert "发送后不能修改" in changed.json()["detail"]
    # The deputy's draft with the manager's key is not answered with the manager's record.
    other = sign_in(f"{some.manager_of(task)}fu").post(url(task), data, headers=JSON)
    assert other.json()["code"] == "draft-key-used"
    assert Inspection.objects.count() == 1


def test_a_task_that_moved_on_says_so_and_the_page_still_opens(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    data = field.sheet(task, clock.at)
    SupervisionTask.objects.filter(pk=task.pk).update(
        status=TaskStatus.CLOSED, end="licence_ended", closed_at=clock.at, finished_on=clock.at.date()
    )
    browser = sign_in(some.manager_of(task))
    answer = browser.post(url(task), data, headers=JSON)
    assert answer.status_code == 409
    assert "可能有同事已先一步办理" in answer.json()["detail"]
    page = browser.get(url(task))
    assert page.status_code == 409
    assert "data-blocked" in page.content.decode()
    assert 'form="inspect"' not in page.content.decode()


def test_faults_are_told_by_field_to_the_phone(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    answer = sign_in(some.manager_of(task)).post(
        url(task), field.sheet(task, clock.at, place="", summary=""), headers=JSON
    )
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"place", "summary"}


def test_who_may_record_and_who_may_read(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    given, other = field.inspector(task, "zhifa1"), field.inspector(task, "zhifa2")
    first, _ = field.officers(task)
    SupervisionTask.objects.filter(pk=task.pk).update(first_officer=first, second_officer=given)
    assert sign_in("zhifa2").get(url(task)).status_code == 404
    assert sign_in("zhifa2").post(url(task), field.sheet(task, clock.at)).status_code == 404
    assert sign_in("zhifa2").post(url(task, "photo_upload")).status_code == 404
    mine = sign_in("zhifa1")
    data = field.sheet(task, clock.at, second_officer=str(given.pk))
    assert mine.post(url(task), data).status_code == 302
    one = reverse("tasks:inspection", args=[task.number, 1])
    head = f"{some.manager_of(task).split('.')[0]}.fuzeren"
    assert sign_in(head).get(url(task)).status_code == 404
    for reader in ("zhifa1", head, "duban1", some.manager_of(task)):
        assert sign_in(reader).get(one).status_code == 200, reader
    strangers = Posting.objects.filter(role="office_manager").exclude(office=task.office).select_related("user")
    same = strangers.filter(department=task.department)[:1]
    others = [*strangers.exclude(department=task.department)[:2], *same]
    for name in ["zhifa2", "chuangkou1", "zhujian.shenchaa", "jijian1", *(row.user.username for row in others)]:
        browser = sign_in(name)
        for address in (one, url(task), reverse("tasks:inspection_print", args=[task.number, 1])):
            assert browser.get(address).status_code == 404, (name, address)
    assert other.pk


def test_who_was_drawn_inspects(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    drawn = field.inspector(task)
    first, second = field.officers(task)
    SupervisionTask.objects.filter(pk=task.pk).update(origin="draw", first_officer=first, second_officer=drawn)
    browser = sign_in(some.manager_of(task))
    answer = browser.post(url(task), field.sheet(task, clock.at, second_officer=str(second.pk)), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "officers-not-drawn")
    data = field.sheet(task, clock.at, second_officer=str(drawn.pk))
    assert browser.post(url(task), data, headers=JSON).status_code == 200
    assert second.pk != Inspection.objects.get().second_officer_id


def test_an_order_is_looked_at_again_without_moving_the_task(city: None, clock: Moment, sign_in: SignIn) -> None:
    order = field.ordered(clock.at)
    task = order.task
    before = status(task)
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-29 10:00")
    assert url(task, "reinspect") in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    html = browser.get(url(task, "reinspect")).content.decode()
    assert "清除堵塞物" in html
    assert task.sub_item.points[1] not in html
    data = field.sheet(task, clock.at, order=order, off_site="documents")
    assert browser.post(url(task, "reinspect"), data | {"began_at": "2026-09-28T09:50"}).status_code == 422
    assert browser.post(url(task, "reinspect"), data).status_code == 302
    again = Inspection.objects.get(task=task, kind=InspectionKind.AGAIN)
    assert (again.order, again.findings.count()) == (2, 1)
    order.refresh_from_db()
    assert order.reinspection == again
    assert status(task) == before


def test_without_an_order_there_is_nothing_to_look_at_again(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    assert browser.get(url(task, "reinspect")).status_code == 409
    answer = browser.post(url(task, "reinspect"), field.sheet(task, clock.at), headers=JSON)
    assert answer.status_code == 409
    assert not Inspection.objects.exists()


def test_a_draft_is_made_by_the_version_of_its_moment(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    early = field.sheet(task, clock.at)
    late = field.sheet(task, clock.at, began_at="2026-09-28T10:40", ended_at="2026-09-28T10:50")
    clock.to("2026-09-28 10:30")
    Checklist.objects.create(
        sub_item=task.sub_item, version=1, points=[{"key": "p1", "text": "新要点", "basis": "新规"}], note="新规施行",
        published_by=play.person(some.manager_of(task)), published_at=clock.at,
    )  # fmt: skip
    clock.to("2026-09-28 11:00")
    browser = sign_in(some.manager_of(task))
    refused = browser.post(url(task), late, headers=JSON)
    assert refused.status_code == 409
    assert refused.json()["code"] == "checklist-changed"
    assert "新要点" in browser.get(url(task)).content.decode()
    assert browser.post(url(task), early, headers=JSON).status_code == 200
    one = Inspection.objects.get(task=task)
    assert one.checklist_version == 0
    assert one.findings.filter(kind="point").count() == len(task.sub_item.points)


def test_the_worker_is_plain_script_of_the_portal(city: None, clock: Moment) -> None:
    answer = Client().get(reverse("tasks:inspect_worker"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert b"inspect-pages" in answer.content


def test_a_version_that_there_is_not_is_said_to_be_none(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    clock.to("2026-09-28 11:00")
    browser = sign_in(some.manager_of(task))
    strange = browser.post(url(task), field.sheet(task, clock.at, checklist_version="7"), headers=JSON)
    assert (strange.status_code, strange.json()["code"]) == (409, "checklist-changed")
    assert "“第 7 版”不存在，现行的是“目录原版”" in strange.json()["detail"]
    assert not Inspection.objects.exists()
