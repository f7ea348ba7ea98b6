"""The task's page: viewed by opening, acknowledged in three taps, finished, fed back, closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from approvals.actions.intake import slot_of
from approvals.models import Upload
from approvals.uploads import store
from credit.models import CreditRecord
from ledger.models import Entry
from offices.models import Posting
from supervision import actions
from supervision.enums import TaskEnd, TaskStatus
from supervision.models import Feedback, SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
ACTS = ("acknowledge", "finish", "feedback", "close")


def url(task: SupervisionTask, act: str = "task") -> str:
    return reverse(f"tasks:{act}", args=[task.number])


def status(task: SupervisionTask) -> str:
    task.refresh_from_db()
    return task.status


def taken(task: SupervisionTask, clock: Moment) -> None:
    by = play.person(some.manager_of(task))
    actions.view_task(task, by=by, now=clock.at)
    actions.acknowledge(task, measure="on_site", planned_finish_on=clock.at.date(), by=by, now=clock.at)


def finished(task: SupervisionTask, clock: Moment) -> None:
    taken(task, clock)
    actions.finish(task, finished_on=clock.at.date(), by=play.person(some.manager_of(task)), now=clock.at)


def feedback(**changes: str) -> dict[str, str]:
    return {
        "result": "conforming", "text": "现场检查，符合。", "platform": "internet_plus", "platform_number": "JG-2026-1",
    } | changes  # fmt: skip


def test_the_whole_road_through_the_pages(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    html = browser.get(url(task)).content.decode()
    assert status(task) == TaskStatus.VIEWED
    case = task.case
    assert case is not None
    for text in (case.applicant.name, case.licence.number, task.sub_item.points[0], "已审查。", "为什么是这一天"):
        assert text in html
    assert 'value="2026-10-10"' in html  # five working days from 28 September
    data = {"measure": "on_site", "planned_finish_on": "2026-10-10"}
    said = browser.post(url(task, "acknowledge"), data, follow=True)
    assert status(task) == TaskStatus.ACKNOWLEDGED
    assert "已签收。" in said.content.decode()
    clock.to("2026-10-09 15:00")
    assert 'value="2026-10-09"' in browser.get(url(task)).content.decode()
    html = browser.post(url(task, "finish"), {"finished_on": "2026-10-09"}, follow=True).content.decode()
    assert "监管结果反馈期限" in html
    assert "2026年10月15日（周四）" in html
    html = browser.post(url(task, "feedback"), feedback(), follow=True).content.decode()
    assert status(task) == TaskStatus.CLOSED
    assert "JG-2026-1" in html
    assert 'id="act"' not in html


def test_from_the_inbox_to_acknowledged_takes_three_taps(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    page = browser.get("/tasks/").content.decode()
    assert url(task) in page  # first tap: the row
    form = browser.get(url(task)).context["form"]  # second tap: a measure; the day is filled in
    data = {"measure": "off_site", "planned_finish_on": form.initial["planned_finish_on"].isoformat()}
    assert browser.post(url(task, "acknowledge"), data).status_code == 302  # third tap: 签收
    assert status(task) == TaskStatus.ACKNOWLEDGED


def test_opening_is_recorded_once_and_a_heads_look_does_not_count(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    head = sign_in(f"{manager.split('.')[0]}.fuzeren")
    html = head.get(url(task)).content.decode()
    assert status(task) == TaskStatus.NOTIFIED
    assert 'id="act"' not in html
    assert "由处室管理员办理" in html
    browser = sign_in(manager)
    browser.head(url(task))
    assert status(task) == TaskStatus.NOTIFIED
    for _ in range(3):
        browser.get(url(task))
    sign_in(f"{manager}fu").get(url(task))
    assert Entry.objects.filter(stream=task.stream, act="task.viewed").count() == 1
    task.refresh_from_db()
    assert task.viewed_by == play.person(manager)


def test_the_deputy_does_everything_and_the_head_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    deputy, head = sign_in(f"{manager}fu"), sign_in(f"{manager.split('.')[0]}.fuzeren")
    deputy.get(url(task))
    data = {"measure": "on_site", "planned_finish_on": "2026-10-10"}
    for act in ACTS:
        assert head.get(url(task, act)).status_code == 404
        assert head.post(url(task, act), data).status_code == 404
    assert deputy.post(url(task, "acknowledge"), data).status_code == 302
    assert status(task) == TaskStatus.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"planned_finish_on": "2026-10-10"}, "请选择一项监管措施。"),
        ({"measure": "on_site"}, "请填写计划完成日，否则反馈期限无从起算。"),
        ({"measure": "on_site", "planned_finish_on": "31/12"}, "请填写有效日期，例如 2026-10-10。"),
        ({"measure": "on_site", "planned_finish_on": "2026-09-27"}, "计划完成日不能早于今天。"),
        ({"measure": "on_site", "planned_finish_on": "2027-09-27"}, "计划完成日最迟不超过 180 天。"),
        ({"measure": "none_now", "planned_finish_on": "2026-10-10"}, "暂不检查须说明原因。"),
        ({"measure": "dance", "planned_finish_on": "2026-10-10"}, "dance"),
    ],
)
def test_what_acknowledgement_refuses(
    city: None, clock: Moment, sign_in: SignIn, data: dict[str, str], sentence: str
) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    browser.get(url(task))
    back = browser.post(url(task, "acknowledge"), data | {"reason": ""})
    assert back.status_code == 422
    html = back.content.decode()
    assert sentence in html
    if data.get("measure") == "on_site":
        assert 'value="on_site" required checked' in html
    if "planned_finish_on" in data:
        assert f'value="{data["planned_finish_on"]}"' in html
    assert status(task) == TaskStatus.VIEWED


def test_no_check_now_needs_a_reason_and_is_kept(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    browser.get(url(task))
    data = {"measure": "none_now", "planned_finish_on": "2026-10-10", "reason": "本月已检查"}
    html = browser.post(url(task, "acknowledge"), data, follow=True).content.decode()
    assert "本月已检查" in html
    assert "暂不检查" in html


def test_what_was_promised_must_be_checked_clause_by_clause(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.promised(clock.at)
    assert task.promise_clauses
    browser = sign_in(some.manager_of(task))
    html = browser.get(url(task)).content.decode()
    assert task.promise_clauses[0] in html
    assert "告知承诺事项须进行事后核查" in html
    data = {"measure": "none_now", "planned_finish_on": "2026-10-10", "reason": "不查"}
    assert "不能暂不检查" in browser.post(url(task, "acknowledge"), data).content.decode()
    browser.post(url(task, "acknowledge"), data | {"measure": "on_site"})
    back = browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    assert back.status_code == 422
    assert "告知承诺事项须先记录检查" in back.content.decode()
    elsewhere = data | {"measure": "combined", "measure_with": "9月综合查一次"}
    # Whatever the measure: what was promised is looked at.
    for measure in ("random_draw", "combined"):
        browser.post(url(task, "replan"), elsewhere | {"measure": measure})
        back = browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
        assert "告知承诺事项须先记录检查" in back.content.decode()
    standing.record(task, clock.at, result="conforming")
    browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    assert status(task) == TaskStatus.FINISHED
    kept = {f"clause_{number}": "conforming" for number in range(1, len(task.promise_clauses) + 1)}
    back = browser.post(url(task, "feedback"), feedback() | {"clause_1": "conforming"})
    assert back.status_code == 422
    assert "请核查这一条承诺。" in back.content.decode()
    assert 'value="JG-2026-1"' in back.content.decode()
    back = browser.post(url(task, "feedback"), feedback() | kept | {"clause_2": "nonconforming"})
    assert back.status_code == 422
    assert "监管结果不能为“符合”" in back.content.decode()
    assert browser.post(url(task, "feedback"), feedback() | kept).status_code == 302
    assert status(task) == TaskStatus.CLOSED
    assert CreditRecord.objects.filter(subject=task.subject, source=task.number).count() == 1


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("", "请填写完成监管的日期。"),
        ("2026-09-29", "完成监管日不能晚于今天。"),
        ("2026-09-27", "完成监管日不能早于任务生成日"),
        ("昨天", "请填写有效日期"),
    ],
)
def test_what_finishing_refuses(city: None, clock: Moment, sign_in: SignIn, day: str, sentence: str) -> None:
    task = some.notified(clock.at)
    taken(task, clock)
    back = sign_in(some.manager_of(task)).post(url(task, "finish"), {"finished_on": day})
    assert back.status_code == 422
    assert sentence in back.content.decode()
    assert status(task) == TaskStatus.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("result", "请选择监管结果。"),
        ("text", "请填写情况说明。"),
        ("platform", "请选择开展监管工作的平台。"),
        ("platform_number", "请填写该平台的文书编号。"),
    ],
)
def test_what_feedback_refuses(city: None, clock: Moment, sign_in: SignIn, missing: str, sentence: str) -> None:
    task = some.notified(clock.at)
    finished(task, clock)
    browser = sign_in(some.manager_of(task))
    back = browser.post(url(task, "feedback"), feedback(text="店内台账齐全") | {missing: ""})
    assert back.status_code == 422
    assert sentence in back.content.decode()
    if missing != "text":
        assert "店内台账齐全" in back.content.decode()
    assert not Feedback.objects.exists()


def test_a_finding_short_of_conforming_is_closed_with_what_followed(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    finished(task, clock)
    browser = sign_in(some.manager_of(task))
    browser.post(url(task, "feedback"), feedback(result="basically"))
    assert status(task) == TaskStatus.FED_BACK
    back = browser.post(url(task, "close"), {"follow_up": " "})
    assert back.status_code == 422
    assert "归档前请写明后续处理情况。" in back.content.decode()
    html = browser.post(url(task, "close"), {"follow_up": "已补齐台账。"}, follow=True).content.decode()
    assert status(task) == TaskStatus.CLOSED
    assert task.end == TaskEnd.FOLLOWED_UP
    assert "已补齐台账。" in html


def test_a_nonconforming_result_is_not_closed_by_a_word(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    finished(task, clock)
    browser = sign_in(some.manager_of(task))
    back = browser.post(url(task, "feedback"), feedback(result="nonconforming", text="消防通道被堵"))
    assert back.status_code == 422
    assert "请先在本页“记录检查”写明哪一项不符合" in back.content.decode()
    assert "消防通道被堵" in back.content.decode()
    assert url(task, "inspect") in back.content.decode()
    assert status(task) == TaskStatus.FINISHED
    field.approve_visit(task, clock.at)
    field.inspected(task, clock.at, bad=field.names(task)[0])
    assert status(task) == TaskStatus.FINISHED
    browser.post(url(task, "feedback"), feedback(result="nonconforming"))
    assert 'id="act"' not in browser.get(url(task)).content.decode()
    back = browser.post(url(task, "close"), {"follow_up": "已口头要求改正。"})
    assert back.status_code == 422
    assert "须责令限期整改、移送执法或者建议撤销许可" in back.content.decode()
    assert status(task) == TaskStatus.FED_BACK


def test_late_feedback_is_taken_and_said(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    finished(task, clock)
    clock.to("2026-10-20 10:00")
    html = sign_in(some.manager_of(task)).post(url(task, "feedback"), feedback(), follow=True).content.decode()
    assert "逾期反馈" in html


def test_the_second_of_two_managers_reads_a_kind_sentence(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    first, second = sign_in(manager), sign_in(f"{manager}fu")
    first.get(url(task))
    rounds = [
        ("acknowledge", {"measure": "on_site", "planned_finish_on": "2026-10-10"}),
        ("finish", {"finished_on": "2026-09-28"}),
        ("feedback", feedback(result="basically")),
        ("close", {"follow_up": "已改正。"}),
    ]
    for act, data in rounds:
        assert first.post(url(task, act), data).status_code == 302
        late = second.post(url(task, act), data)
        assert late.status_code == 409, act
        assert "可能有同事已先一步办理" in late.content.decode()
        assert url(task) in late.content.decode()
    assert Feedback.objects.filter(task=task).count() == 1


def test_managers_of_other_offices_departments_and_divisions_find_nothing(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = some.notified(clock.at)
    file = a_file(task, clock.at)
    addresses = [url(task), *(url(task, act) for act in ACTS), reverse("tasks:file", args=[task.number, file.pk])]
    managers = Posting.objects.filter(role__in=["office_manager", "office_deputy"]).exclude(office=task.office)
    same_department = managers.filter(department=task.department)
    here = task.department.division
    other_department = managers.filter(department__division=here).exclude(department=task.department)
    other_division = managers.exclude(department__division=here)
    strangers = [rows.select_related("user")[0].user.username for rows in (other_department, other_division)]
    strangers += [posting.user.username for posting in same_department.select_related("user")[:1]]
    strangers += ["chuangkou1", "duban1", "zhujian.shenchaa"]
    for name in strangers:
        browser = sign_in(name)
        for address in addresses:
            assert browser.get(address).status_code == 404, (name, address)
            assert browser.post(address, {"measure": "on_site"}).status_code == 404, (name, address)
    assert status(task) == TaskStatus.NOTIFIED
    for address in addresses:
        assert Client().get(address).status_code == 302


def a_file(task: SupervisionTask, now: dt.datetime) -> Upload:
    assert task.case is not None
    line = task.case.materials.order_by("order")[0]
    clerk = play.person("chuangkou1")
    upload = store(
        SimpleUploadedFile("执照.pdf", PDF), intake_key=task.case.intake_key, slot=slot_of(line), by=clerk, now=now
    )
    upload.case_material = line
    upload.save()
    return upload


def test_files_open_through_their_task_only_and_leave_a_trace(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    file = a_file(task, clock.at)
    browser = sign_in(some.manager_of(task))
    address = reverse("tasks:file", args=[task.number, file.pk])
    assert address in browser.get(url(task)).content.decode()
    response = browser.get(address)
    assert b"".join(response.streaming_content) == PDF  # type: ignore[attr-defined]
    assert file.neutral_name in "".join(response.headers.values()) or "filename" in response["Content-Disposition"]
    assert Entry.objects.filter(stream=task.stream, act="case.file_opened").count() == 1
    other = some.notified(clock.at)
    foreign = a_file(other, clock.at)
    assert browser.get(reverse("tasks:file", args=[task.number, foreign.pk])).status_code == 404


def test_a_file_that_the_store_lost_is_told_in_words(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    file = a_file(task, clock.at)
    Upload.objects.filter(pk=file.pk).update(path="zz/lost")
    response = sign_in(some.manager_of(task)).get(reverse("tasks:file", args=[task.number, file.pk]))
    assert response.status_code == 404
    assert "文件没有找到" in response.content.decode()


def test_an_address_of_an_act_leads_back_to_the_page(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    for act in ACTS:
        assert browser.get(url(task, act)).headers["Location"] == url(task)
