"""责令限期整改 through the pages: order, extension, re-inspection, verdict; who may, when, and what is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.actions.licences import change_licence
from approvals.exceptions import Refused
from approvals.models import Licence
from deadlines.models import Deadline
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from offices.tokens import issue
from supervision import reconcile
from supervision.actions import ordering
from supervision.enums import InspectionKind, OrderStatus, PaperKind, TaskEnd, TaskStatus
from supervision.models import Feedback, Paper, Rectification, SupervisionTask
from supervision.models.orders import unanswered
from tests.approvals import play, revoking
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def acts(task: SupervisionTask) -> list[str]:
    return list(Entry.objects.filter(stream=task.stream).order_by("seq").values_list("act", flat=True))


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def form(due_on: str = "2026-10-12", **changes: str) -> dict[str, str]:
    return make.ORDER | {"due_on": due_on} | changes


def new_url(task: SupervisionTask) -> str:
    return reverse("tasks:order_new", args=[task.number])


def order_url(order: Rectification, act: str = "order") -> str:
    return reverse(f"tasks:{act}", args=[order.pk])


def test_ordered_extended_mended_closed(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, promise=True)
    clock.to("2026-09-28 15:00")
    manager, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    html = manager.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "责令限期整改" in html
    html = manager.get(new_url(task)).content.decode()
    assert f"1．{task.promise_clauses[0]}：与承诺不符。" in html
    assert "依法撤销行政许可决定" in html
    said = manager.post(new_url(task), form(), follow=True)
    assert "责令限期整改通知书已出具" in said.content.decode()
    order = Rectification.objects.select_related("paper", "deadline").get(task=task)
    assert (order.due_on, order.deadline.kind, order.deadline.due_on) == (
        dt.date(2026, 10, 12), "rectification", dt.date(2026, 10, 12),
    )  # fmt: skip
    task.refresh_from_db()
    assert task.status == TaskStatus.IN_PROGRESS  # mending comes after feedback: docs/decisions/0005
    make.fed_back(task, clock.at)
    task.refresh_from_db()
    assert task.status == TaskStatus.RECTIFYING
    assert order.paper.number in Feedback.objects.get(task=task).follow_up
    # the extension, once
    clock.to("2026-10-09 10:00")
    page = manager.post(
        order_url(order, "order_extension"), {"until": "2026-10-20", "reason": "设备到货迟延。"}, follow=True
    )
    assert "等候部门负责人批复" in page.content.decode()
    assert order.paper.number in head.get(reverse("tasks:orders") + "?tab=waiting").content.decode()
    page = head.post(order_url(order, "order_answer"), {"verdict": "grant", "answer": ""}, follow=True)
    assert "已批准延长" in page.content.decode()
    order.refresh_from_db()
    assert (order.due_on, order.deadline.due_on) == (dt.date(2026, 10, 20), dt.date(2026, 10, 20))
    assert Deadline.objects.filter(kind="rectification", stream=task.stream, state="cancelled").count() == 1
    # looked at again, mended
    clock.to("2026-10-19 10:00")
    make.look(task, clock.at, bad=False, kind=InspectionKind.AGAIN)
    page = manager.post(order_url(order, "order_outcome"), {"outcome": "mended", "reason": ""}, follow=True)
    assert "整改结果已认定" in page.content.decode()
    task.refresh_from_db()
    order.refresh_from_db()
    assert (task.status, task.end, order.status) == (TaskStatus.CLOSED, TaskEnd.MENDED, OrderStatus.MENDED)
    assert order.deadline.state == "met"
    kinds = list(Paper.objects.filter(task=task).order_by("pk").values_list("kind", flat=True))
    assert kinds == [PaperKind.ORDER, PaperKind.ORDER_EXTENSION, PaperKind.REINSPECTION]
    wanted = [
        "task.ordered", "task.order_extension_asked", "task.order_extended", "task.order_settled", "task.closed",
    ]  # fmt: skip
    assert [act for act in acts(task) if act in wanted] == wanted
    assert list(reconcile.differences(clock.at)) == []


def test_the_subject_and_the_managers_are_told(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at + dt.timedelta(hours=3))
    assert task.case is not None
    told = list(Message.objects.filter(kind__in=["subject_order", "order_staff"]))
    assert {one.to_user for one in told if one.kind == "order_staff"} == set(task.office.managers(clock.at.date()))
    (subject,) = [one for one in told if one.kind == "subject_order"]
    assert subject.phone == task.case.contact_phone
    for one in told:
        assert order.paper.number in one.text
        assert task.case.applicant.code is not None
        assert task.case.applicant.code not in one.text


def test_ordered_when_fed_back_already(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=3)
    make.fed_back(task, at)
    order = make.ordered(task, at)
    task.refresh_from_db()
    assert task.status == TaskStatus.RECTIFYING
    assert Feedback.objects.get(task=task).follow_up == f"责令限期整改：{order.paper.number}，限2026年10月8日前改正。"


def test_mended_before_the_feedback_closes_with_it(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=3)
    order = make.ordered(task, at)
    make.look(task, at + dt.timedelta(hours=1), bad=False, kind=InspectionKind.AGAIN)
    at += dt.timedelta(hours=2)
    ordering.settle_order(order, outcome="mended", reason="", by=make.manager(task), now=at)
    task.refresh_from_db()
    assert task.status == TaskStatus.IN_PROGRESS
    make.fed_back(task, at)
    task.refresh_from_db()
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.MENDED)


def mended(order: Rectification, at: dt.datetime) -> SupervisionTask:
    """The order is followed, which the manager says at ``at``."""
    task = order.task
    make.look(task, at, bad=False, kind=InspectionKind.AGAIN)
    ordering.settle_order(order, outcome="mended", reason="", by=make.manager(task), now=at)
    task.refresh_from_db()
    return task


def answers_for(task: SupervisionTask, at: dt.datetime) -> None:
    """What a later record found waits with a clock of its own, is ordered, and only then the task ends."""
    assert (task.status, task.end) == (TaskStatus.FED_BACK, "")
    assert task.follow_up_deadline is not None
    assert task.follow_up_deadline.is_open
    assert list(reconcile.differences(at)) == []
    second = make.ordered(task, at)
    assert second.inspection.order == task.inspections.filter(kind=InspectionKind.FIRST).latest("order").order
    assert not Deadline.objects.get(pk=task.follow_up_deadline.pk).is_open
    task = mended(second, at + dt.timedelta(hours=2))
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.MENDED)
    assert list(reconcile.differences(at)) == []


def test_what_was_found_after_a_followed_order_is_not_closed_with_it(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=3)
    task = mended(make.ordered(task, at), at + dt.timedelta(hours=1))
    make.look(task, at + dt.timedelta(hours=2), bad=True)
    task = make.fed_back(task, at + dt.timedelta(hours=3))
    answers_for(standing.fresh(task), at + dt.timedelta(hours=3))


def test_what_was_found_while_an_order_ran_is_not_closed_with_it(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=3)
    first = make.ordered(task, at)
    make.look(task, at + dt.timedelta(hours=1), bad=True)
    task = make.fed_back(task, at + dt.timedelta(hours=2))
    assert standing.fresh(task).status == TaskStatus.RECTIFYING
    task = mended(first, at + dt.timedelta(hours=3))
    clock.at = at + dt.timedelta(hours=3)
    page = sign_in(some.manager_of(task)).get(reverse("tasks:task", args=[task.number])).content.decode()
    assert new_url(task) in page
    answers_for(standing.fresh(task), at + dt.timedelta(hours=3))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"facts": " "}, "请写明事实"),
        ({"basis": ""}, "请写明依据"),
        ({"demands": ""}, "请写明整改要求"),
        ({"consequence": ""}, "请写明逾期后果"),
        ({"due_on": ""}, "请填写整改期限"),
        ({"due_on": "2026-09-28"}, "今天之后"),
        ({"due_on": "2027-03-28"}, "180 天"),
        ({"demands": "一" * 4001}, "4000"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    city: None, clock: Moment, sign_in: SignIn, changes: dict[str, str], said: str
) -> None:
    task = make.faulty(clock.at)
    answer = sign_in(some.manager_of(task)).post(new_url(task), form(facts="我写的事实", **changes)
                                                 if "facts" not in changes else form(**changes))  # fmt: skip
    html = answer.content.decode()
    assert answer.status_code == 422
    assert said in html
    assert "facts" in changes or "我写的事实" in html
    assert not Rectification.objects.exists()
    assert not Deadline.objects.filter(kind="rectification").exists()


def test_the_last_day_allowed_is_taken(city: None, clock: Moment) -> None:
    order = make.ordered(make.faulty(clock.at), clock.at, days=180)
    assert order.due_on == dt.date(2027, 3, 27)


def test_no_order_without_a_finding(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    answer = sign_in(some.manager_of(task)).post(new_url(task), form())
    assert answer.status_code == 409
    assert "不符合" in answer.content.decode()
    with pytest.raises(Refused) as refused:
        make.ordered(task, clock.at)
    assert refused.value.conflict


def test_a_second_order_is_a_conflict(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    make.ordered(task, clock.at)
    answer = sign_in(some.manager_of(task)).post(new_url(task), form())
    assert answer.status_code == 409
    assert Rectification.objects.count() == 1


def test_before_its_day_is_over_it_is_not_unmended(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)  # to 2026-10-08
    manager = sign_in(some.manager_of(task))
    clock.to("2026-10-07 15:00")
    make.look(task, clock.at, bad=True, kind=InspectionKind.AGAIN)
    clock.to("2026-10-08 23:59")
    verdict = {"outcome": "not_mended", "reason": "复查时堵塞处仍没有改。"}
    answer = manager.post(order_url(order, "order_outcome"), verdict)
    assert answer.status_code == 422
    assert "届满之前" in answer.content.decode()
    clock.to("2026-10-09 00:00")
    early = manager.post(order_url(order, "order_outcome"), verdict)  # the only look was before the day
    assert early.status_code == 422
    assert "届满当日（2026年10月8日）或者之后复查" in early.content.decode()
    make.look(task, clock.to("2026-10-09 09:00"), bad=True, kind=InspectionKind.AGAIN)
    assert manager.post(order_url(order, "order_outcome"), verdict | {"reason": ""}).status_code == 422
    assert manager.post(order_url(order, "order_outcome"), verdict).status_code == 302
    order.refresh_from_db()
    assert (order.status, order.deadline.state) == (OrderStatus.NOT_MENDED, "missed")
    remedies = Paper.objects.get(task=task, kind=PaperKind.REINSPECTION).content["remedies"]
    assert "六十日" in remedies
    assert "六个月" in remedies


def test_the_verdict_and_the_look_agree(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    order, by = make.ordered(task, clock.at), make.manager(task)

    def code(outcome: str, now: dt.datetime) -> str:
        with pytest.raises(Refused) as refused:
            ordering.settle_order(order, outcome=outcome, reason="复查所见与通知书所列一致。", by=by, now=now)
        return refused.value.code

    at = clock.at + dt.timedelta(hours=4)
    assert code("mended", at) == "reinspection-missing"
    assert code("", at) == "outcome-missing"
    make.look(task, at, bad=True, kind=InspectionKind.AGAIN)
    assert code("mended", at) == "reinspection-contradicts"
    make.look(task, at + dt.timedelta(hours=2), bad=False, kind=InspectionKind.AGAIN)
    assert code("not_mended", clock.to("2026-10-09 09:00")) == "reinspection-contradicts"
    done = ordering.settle_order(order, outcome="mended", reason="", by=by, now=clock.at)
    assert done.deadline.state == "met"  # seen mended in time, although settled after the day
    with pytest.raises(Refused) as refused:
        ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=clock.at)
    assert refused.value.conflict


@pytest.mark.parametrize("later_is_bad", [True, False])
def test_of_two_looks_the_later_one_counts_whenever_it_arrives(
    city: None, clock: Moment, sign_in: SignIn, later_is_bad: bool
) -> None:
    """Two phones, one long without a connection: what was looked at last counts, not what arrived last."""
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)  # to 2026-10-08
    manager = sign_in(some.manager_of(task))
    earlier, later = clock.to("2026-10-08 10:00"), clock.to("2026-10-10 10:00")
    make.look(task, later, bad=later_is_bad, kind=InspectionKind.AGAIN)
    clock.to("2026-10-10 15:00")
    sent = make.draft(task, earlier, bad=not later_is_bad, kind=InspectionKind.AGAIN)
    url = f"/api/v1/tasks/{task.number}/inspections/"
    phone = APIClient()
    phone.credentials(HTTP_AUTHORIZATION=f"Token {issue(make.manager(task)).token}")
    answer = phone.post(url, standing.as_json(sent), format="json")
    assert answer.status_code == 200, answer.content
    html = manager.get(order_url(order)).content.decode()
    assert "最近一次复查（2026年10月10日（周六）10:00）" in html
    wrong, right = ("mended", "not_mended") if later_is_bad else ("not_mended", "mended")
    verdict = {"reason": "复查时堵塞处仍没有改。"}
    back = manager.post(order_url(order, "order_outcome"), verdict | {"outcome": wrong})
    assert back.status_code == 422
    assert "最近一次复查" in back.content.decode()
    assert manager.post(order_url(order, "order_outcome"), verdict | {"outcome": right}).status_code == 302
    order.refresh_from_db()
    assert order.reinspection is not None
    assert (order.status, order.reinspection.ended_at) == (right, later)
    assert order.deadline.state == "missed"  # at no moment was it seen mended in time, as the later look says
    words = "".join(Paper.objects.get(task=task, kind=PaperKind.REINSPECTION).content["paragraphs"])
    assert "2026年10月10日，本机关进行了复查" in words


def test_a_look_on_the_last_day_is_enough(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    order, by = make.ordered(task, clock.at), make.manager(task)  # to 2026-10-08
    make.look(task, clock.to("2026-10-08 16:00"), bad=True, kind=InspectionKind.AGAIN)
    done = ordering.settle_order(
        order, outcome="not_mended", reason="复查时堵塞处仍没有改。", by=by, now=clock.to("2026-10-09 09:00")
    )
    assert done.status == OrderStatus.NOT_MENDED


def test_a_refusal_says_who_refused_and_when(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    manager = sign_in(some.manager_of(task))
    for short in ("", "拒绝整改，不改了。"):
        answer = manager.post(order_url(order, "order_outcome"), {"outcome": "refused", "reason": short})
        assert answer.status_code == 422
        assert "请写明" in answer.content.decode()
    said = {"outcome": "refused", "reason": "负责人当面拒绝整改。"}
    assert manager.post(order_url(order, "order_outcome"), said).status_code == 302


@pytest.mark.parametrize(("promise", "said"), [(True, "请建议撤销许可"), (False, "请移送执法")])
def test_the_page_says_what_follows(city: None, clock: Moment, sign_in: SignIn, promise: bool, said: str) -> None:
    task, order = make.unmended(clock.at, promise=promise)
    browser = sign_in(some.manager_of(task))
    pages = [reverse("tasks:task", args=[task.number]), order_url(order)]
    for html in (browser.get(page).content.decode() for page in pages):
        assert said in html
        assert "请复查并认定结果" not in html


def test_the_draft_demands_nothing_of_the_agency(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    looks = list(unanswered(task))
    words, [fault] = ordering.drafted(task, looks), ordering.faults_of(looks)
    assert fault.kind == "point"
    assert words["facts"] == "1．与承诺不符。"
    assert words["demands"] == "1．改正检查发现的问题：与承诺不符。"
    assert all(fault.text not in said for said in words.values())


def test_a_day_that_was_extended_is_said_beside_the_first(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order, by = make.ordered(task, clock.at), make.manager(task)  # to 2026-10-08
    ordering.ask_extension(order, until=dt.date(2026, 10, 15), reason="等配件。", by=by, now=clock.at)
    ordering.settle_extension(order, grant=True, answer="", by=make.head(task), now=clock.at)
    html = sign_in(some.manager_of(task)).get(order_url(order)).content.decode()
    assert "原期限 2026年10月8日，经批准延期至 2026年10月15日" in html


def ended(task: SupervisionTask, now: dt.datetime) -> None:
    """The approval side strikes the licence of the task off."""
    assert task.licence is not None
    assert task.case is not None
    change_licence(
        task.licence,
        kind="deregistration",
        basis="行政许可法",
        reason="申请注销",
        by=revoking.decider(task.case),
        now=now,
    )


@pytest.mark.parametrize("where", ["fed back", "running", "settled"])
def test_a_fault_under_a_licence_that_ended_is_closed(city: None, clock: Moment, sign_in: SignIn, where: str) -> None:
    task = make.fed_back(make.faulty(clock.at, promise=True), clock.at + dt.timedelta(hours=3))
    order = None if where == "fed back" else make.ordered(task, clock.at + dt.timedelta(hours=3))
    if order is not None and where == "settled":
        ordering.settle_order(
            order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=clock.at
        )
    clock.to("2026-09-30 10:00")
    browser = sign_in(some.manager_of(task))
    page, act = (reverse(f"tasks:{name}", args=[task.number]) for name in ("task", "licence_ended"))
    reason = {"reason": "许可证已注销，不再整改。"}
    assert act not in browser.get(page).content.decode()
    assert browser.post(act, reason).status_code == 409
    ended(SupervisionTask.objects.select_related("licence", "case").get(pk=task.pk), clock.at)
    assert act in browser.get(page).content.decode()
    assert browser.get(act).status_code == 200
    assert browser.post(act, {"reason": " "}).status_code == 422
    assert browser.post(act, reason).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.end, task.end_reason) == (TaskStatus.CLOSED, TaskEnd.LICENCE_ENDED, reason["reason"])
    assert list(reconcile.differences(clock.at)) == []
    if order is not None:
        order = Rectification.objects.select_related("deadline", "paper").get(pk=order.pk)
        assert order.deadline.state == "cancelled"
        lapsed = where == "running"
        assert order.status == ("lapsed" if lapsed else "refused")
        html = browser.get(reverse("tasks:orders") + "?tab=settled").content.decode()
        assert order.paper.number in html
        assert ("证照失效，不再整改" in html) == lapsed
        assert order.paper.number not in browser.get(reverse("tasks:orders")).content.decode()
        assert browser.get(order_url(order)).status_code == 200
        again = browser.post(
            order_url(order, "order_outcome"), {"outcome": "refused", "reason": "负责人当面拒绝整改。"}
        )
        assert again.status_code == 409


def test_a_licence_that_ran_out_closes_it_as_well(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at, promise=True), clock.at + dt.timedelta(hours=3))
    act = reverse("tasks:licence_ended", args=[task.number])
    Licence.objects.filter(tasks=task).update(valid_to="2026-09-30")
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-30 10:00")  # its last day
    assert browser.post(act, {"reason": "许可证已过期，不再整改。"}).status_code == 409
    clock.to("2026-10-01 10:00")
    assert browser.post(act, {"reason": "许可证已过期，不再整改。"}).status_code == 302


def test_what_was_typed_comes_back_when_somebody_was_faster(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    browser = sign_in(some.manager_of(task))
    html = browser.get(new_url(task)).content.decode()
    make.ordered(task, clock.at)
    assert 'name="facts"' in html
    sent = form(facts="走廊堆放货架，宽度不足一米。")
    answer = browser.post(new_url(task), sent)
    html = answer.content.decode()
    assert answer.status_code == 409
    for label, text in (("违反的事实", sent["facts"]), ("依据", sent["basis"]), ("整改期限", sent["due_on"]),
                        ("逾期后果", sent["consequence"])):  # fmt: skip
        assert f">{label}</label>" in html
        assert text in html
    assert "csrf" not in html.split("您刚才填写的内容")[1]
    assert browser.get(new_url(task)).status_code == 409  # at once, before anything is written


def test_a_feedback_that_came_second_comes_back_whole_and_in_words(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, promise=True)
    browser = sign_in(some.manager_of(task))
    make.fed_back(task, clock.at + dt.timedelta(hours=3))
    clauses = {f"clause_{number}": "conforming" for number in range(2, len(task.promise_clauses) + 1)}
    sent = {"clause_1": "nonconforming", **clauses, "result": "nonconforming", "text": "堵塞通道。",
            "platform": "market", "platform_number": "检〔2026〕7号", "csrfmiddlewaretoken": "abc"}  # fmt: skip
    answer = browser.post(reverse("tasks:feedback", args=[task.number]), sent)
    assert answer.status_code == 409
    shown = [(one.label, one.text) for one in answer.context["typed"]]
    words = ["不符合", *["符合"] * len(clauses), "不符合", "堵塞通道。", "省市场监管信息平台", "检〔2026〕7号"]
    assert [text for _, text in shown] == words
    assert [label for label, _ in shown][-4:] == ["监管结果", "情况说明", "开展监管工作的平台", "该平台的文书编号"]


def test_more_time_is_asked_once_and_in_time(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    manager, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    url, more = order_url(order, "order_extension"), {"until": "2026-10-15", "reason": "等配件。"}
    for wrong in ({"until": "2026-10-08"}, {"until": "2027-04-07"}, {"until": ""}, {"reason": " "}):
        assert manager.post(url, more | wrong).status_code == 422
    answer = order_url(order, "order_answer")
    assert head.post(answer, {"verdict": "grant"}).status_code == 409  # nothing was asked
    assert manager.post(url, more).status_code == 302
    assert manager.post(url, more).status_code == 409
    told = Message.objects.filter(kind="order_extension_asked")
    assert {one.to_user for one in told} == set(task.department.heads(clock.at.date()))
    assert head.post(answer, {"verdict": "decline", "answer": ""}).status_code == 422
    clock.to("2026-10-09 08:00")
    assert head.post(answer, {"verdict": "grant"}).status_code == 409  # its day has passed
    assert head.post(answer, {"verdict": "decline", "answer": "已逾期。"}).status_code == 302
    order.refresh_from_db()
    assert (order.extension_granted, order.due_on) == (False, dt.date(2026, 10, 8))
    assert manager.post(url, more).status_code == 409


def test_nobody_answers_the_own_request(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order, head = make.ordered(task, clock.at), make.head(task)
    Posting.objects.create(
        user=head, role="office_manager", office=task.office, department=task.department, starts_on="2026-01-01"
    )
    browser = sign_in(head.username)
    more = {"until": "2026-10-15", "reason": "等配件。"}
    assert browser.post(order_url(order, "order_extension"), more).status_code == 302
    assert browser.post(order_url(order, "order_answer"), {"verdict": "grant"}).status_code == 409
    order.refresh_from_db()
    assert order.extension_granted is None


@pytest.mark.parametrize("who", ["another office", "another department", "another division", "window", "reviewer"])
def test_to_everybody_else_it_does_not_exist(city: None, clock: Moment, sign_in: SignIn, who: str) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    others = Posting.objects.filter(role="office_manager").exclude(office=task.office).select_related("user")
    people = {
        "another office": others.filter(department=task.department),
        "another department": others.exclude(department=task.department).filter(
            department__division=task.department.division
        ),
        "another division": others.exclude(department__division=task.department.division),
        "window": Posting.objects.filter(role="window_clerk"),
        "reviewer": Posting.objects.filter(role="reviewer"),
    }[who]
    person = next(one.user for one in people if not one.user.postings.filter(department=task.department,
                                                                             role="department_head").exists()
                  and not one.user.postings.filter(office=task.office).exists())  # fmt: skip
    browser = sign_in(person.username)
    for name in ("order", "order_extension", "order_answer", "order_outcome"):
        assert browser.get(order_url(order, name)).status_code == 404
        assert browser.post(order_url(order, name), {}).status_code in ({404, 405} if name == "order" else {404})
    for name in ("order_new", "handover", "proposal"):
        assert browser.post(reverse(f"tasks:{name}", args=[task.number]), {}).status_code == 404
    assert browser.get(reverse("tasks:paper", args=[order.paper_id])).status_code == 404
    assert browser.get(reverse("tasks:paper_file", args=[order.paper_id])).status_code == 404
    if who.startswith("another"):
        assert order.paper.number not in browser.get(reverse("tasks:orders")).content.decode()
        assert order.paper.number not in text_of(browser.get(reverse("tasks:orders_export")))


def test_a_head_reads_and_answers_but_does_not_settle(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    head, manager = sign_in(make.head(task).username), sign_in(some.manager_of(task))
    assert head.get(order_url(order)).status_code == 200
    assert (
        head.post(
            order_url(order, "order_outcome"), {"outcome": "refused", "reason": "负责人当面拒绝整改。"}
        ).status_code
        == 404
    )
    assert head.post(order_url(order, "order_extension"), {}).status_code == 404
    assert manager.post(order_url(order, "order_answer"), {"verdict": "grant"}).status_code == 404
    assert Rectification.objects.get().status == OrderStatus.RUNNING


def test_the_list_by_part_search_and_export(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    browser = sign_in(some.manager_of(task))
    url = reverse("tasks:orders")

    def there(query: str = "") -> bool:
        return order.paper.number in browser.get(url + query).content.decode()

    assert there()
    assert not there("?tab=overdue")
    assert not there("?tab=due")
    assert there(f"?q={task.number}")
    assert not there("?q=没有这个")
    clock.to("2026-10-08 09:00")
    assert there("?tab=due")
    clock.to("2026-10-09 09:00")
    assert there("?tab=overdue")
    assert not there("?tab=due")
    table = text_of(browser.get(reverse("tasks:orders_export") + "?tab=overdue"))
    assert order.paper.number in table
    assert task.number in table
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=clock.at)
    assert there("?tab=settled")
    assert not there()


def test_the_list_takes_a_constant_number_of_statements(
    city: None, clock: Moment, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    browser = sign_in(some.manager_of(task))
    browser.get(reverse("tasks:orders"))
    copies = []
    for number in range(30):
        paper, clock_row = Paper.objects.get(pk=order.paper_id), Deadline.objects.get(pk=order.deadline_id)
        paper.pk, paper.number, paper.verify_code = None, f"副本{number}", f"copy{number}"
        paper.save()
        clock_row.pk = None
        clock_row.save()
        row = Rectification.objects.get(pk=order.pk)
        row.pk, row.paper, row.deadline, row.status = None, paper, clock_row, OrderStatus.REFUSED
        row.settled_by, row.settled_at = play.person(some.manager_of(task)), clock.at
        copies.append(row)
    Rectification.objects.bulk_create(copies)
    with django_assert_max_num_queries(14):
        assert "副本29" in browser.get(reverse("tasks:orders") + "?tab=settled").content.decode()
