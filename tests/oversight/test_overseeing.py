"""Refusals under review, cases assigned from the pool, failed messages sent once more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from catalogue.models import Linkage, SupervisionSubItem
from ledger import verify
from ledger.models import Entry
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Department, Office, User
from supervision.models import SupervisionTask
from supervision.reconcile import differences
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


# --- refusals


def test_refusals_show_their_reason_and_the_share_of_what_came_in(clock: Moment, sign_in: SignIn) -> None:
    case = cast.refused(clock, reason="项目位于东海县，由东海县办理。")
    play.received(clock.at)
    response = sign_in("duban1").get("/oversight/refusals/")
    page = cast.text(response)
    assert "项目位于东海县，由东海县办理。" in page
    assert case.number in page
    assert response.context["lead"].startswith("本月收件 2 件，不予受理 1 件，占 50.0%")


def test_refusals_by_period_department_and_ground(clock: Moment, sign_in: SignIn) -> None:
    case = cast.refused(clock)
    clock.to("2026-10-08 10:00")
    browser = sign_in("duban1")
    assert not browser.get("/oversight/refusals/").context["rows"]
    assert [row.case_id for row in browser.get("/oversight/refusals/?period=last_month").context["rows"]] == [case.pk]
    year = "/oversight/refusals/?period=year"
    assert browser.get(f"{year}&department={case.department_id}").context["rows"]
    other = Department.objects.filter(division=case.division).exclude(pk=case.department_id)[0]
    assert not browser.get(f"{year}&department={other.pk}").context["rows"]
    assert not browser.get(f"{year}&ground=not_corrected").context["rows"]
    rows = cast.table(browser, "/oversight/refusals/export.csv?period=year")
    assert [row["办件编号"] for row in rows] == [case.number]


# --- the pool


def choice(name: str = "劳动保障监察处") -> tuple[Office, SupervisionSubItem]:
    """A reachable office and a sub-item of its department."""
    office = Office.objects.select_related("department").get(name=name)
    return office, SupervisionSubItem.objects.filter(item__department=office.department).order_by("pk")[0]


def test_an_unlinked_case_is_assigned_and_its_task_opens_with_its_sms(clock: Moment, sign_in: SignIn) -> None:
    case = cast.unlinked(clock)
    browser = sign_in("duban1")
    assert case.number in cast.text(browser.get("/oversight/unlinked/"))
    office, sub_item = choice()
    url = f"/oversight/unlinked/{case.number}/"
    assert "短信通知该处室管理员" in cast.text(browser.get(url))
    Linkage.objects.filter(business_item=case.business_item).exclude(office=office, sub_item=sub_item)
    response = browser.post(url, {"office": office.pk, "sub_item": sub_item.pk}, follow=True)
    assert "监管任务" in cast.text(response)
    task = SupervisionTask.objects.get(case=case)
    assert (task.office, task.sub_item) == (office, sub_item)
    assert task.linkage is not None
    assert task.linkage.active
    messages = Message.objects.filter(reference=task.stream, kind="task_opened")
    assert [m.to_user for m in messages] == office.managers(clock.at.date())
    case.unlinked.refresh_from_db()
    assert case.unlinked.settled_at == clock.at
    acts = list(Entry.objects.filter(stream=case.stream).order_by("seq").values_list("act", flat=True))
    assert acts[-1] == "case.assigned"
    assert Entry.objects.filter(stream=case.business_item.stream, act="item.linked").exists()
    assert list(verify.faults()) == []
    deliver(clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is not None
    assert list(differences(clock.at)) == []


def test_a_new_linkage_is_marked_unverified_and_later_cases_follow_it(clock: Moment, sign_in: SignIn) -> None:
    case = cast.unlinked(clock)
    office, sub_item = choice()
    Linkage.objects.filter(business_item=case.business_item, office=office, sub_item=sub_item).delete()
    browser = sign_in("duban1")
    browser.post(f"/oversight/unlinked/{case.number}/", {"office": office.pk, "sub_item": sub_item.pk})
    made = Linkage.objects.get(business_item=case.business_item, office=office, sub_item=sub_item)
    assert (made.active, made.source, made.certainty) == (True, "督办分派", "unverified")
    later = play.completed(clock.at, case.business_item)
    assert [task.linkage_id for task in later.tasks.all()] == [made.pk]


def test_the_second_of_two_overseers_reads_a_kind_sentence(clock: Moment, sign_in: SignIn) -> None:
    case = cast.unlinked(clock)
    office, sub_item = choice()
    browser, url = sign_in("duban1"), f"/oversight/unlinked/{case.number}/"
    data = {"office": office.pk, "sub_item": sub_item.pk}
    assert browser.post(url, data).status_code == 302
    again = browser.post(url, data)
    assert again.status_code == 409
    assert "已经分派" in cast.text(again)
    assert SupervisionTask.objects.filter(case=case).count() == 1
    assert browser.get(url)["Location"] == f"/oversight/cases/{case.number}/"


def test_a_choice_that_does_not_fit_is_refused_beside_its_field(clock: Moment, sign_in: SignIn) -> None:
    case = cast.unlinked(clock)
    office, sub_item = choice()
    browser, url = sign_in("duban1"), f"/oversight/unlinked/{case.number}/"
    foreign = SupervisionSubItem.objects.filter(item__department__division=case.division).exclude(
        item__department=office.department
    )[0]
    response = browser.post(url, {"office": office.pk, "sub_item": foreign.pk})
    assert response.status_code == 422
    assert "监管事项子项不属于该处室所在部门" in cast.text(response)
    assert f'value="{office.pk}" selected' in cast.text(response)
    county = Office.objects.filter(department__division__code="320722")[0]
    response = browser.post(url, {"office": county.pk, "sub_item": sub_item.pk})
    assert response.status_code == 422
    assert "不在本区划的可选范围内" in cast.text(response)
    response = browser.post(url, {})
    assert "请选择监管处室" in cast.text(response)
    assert not SupervisionTask.objects.filter(case=case).exists()


def test_the_pool_exports_and_says_when_it_is_empty(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")
    assert "没有待分派的办件" in cast.text(browser.get("/oversight/unlinked/"))
    case = cast.unlinked(clock)
    rows = cast.table(browser, "/oversight/unlinked/export.csv")
    assert [(row["办件编号"], row["分派时间"]) for row in rows] == [(case.number, "")]


# --- messages


def test_a_failed_message_is_sent_once_more_to_the_phone_of_today(clock: Moment, sign_in: SignIn) -> None:
    failed = cast.failed(clock)
    assert failed.to_user is not None
    person = User.objects.get(pk=failed.to_user_id)
    person.phone = "13800001234"
    person.save()
    browser = sign_in("duban1")
    page = cast.text(browser.get("/oversight/messages/"))
    assert "再次发送" in page
    assert "13800001234" not in page
    url = f"/oversight/messages/{failed.pk}/again/"
    assert browser.post(url).status_code == 302
    again = Message.objects.get(dedupe_key=f"{failed.dedupe_key}:again")
    assert (again.phone, again.text, again.reference) == ("13800001234", failed.text, failed.reference)
    entry = Entry.objects.filter(stream=failed.reference).order_by("-seq")[0]
    assert (entry.act, entry.data) == ("message.resent", {"message": failed.pk, "again": again.pk})
    second = browser.post(url)
    assert second.status_code == 409
    assert "已经再次发送过" in cast.text(second)
    assert "已再次发送" in cast.text(browser.get("/oversight/messages/?tab=failed"))
    deliver(clock.at)
    again.refresh_from_db()
    assert again.state in {"accepted", "delivered"}
    assert list(verify.faults()) == []


def test_a_message_that_may_still_arrive_is_not_sent_twice(clock: Moment, sign_in: SignIn) -> None:
    case = play.completed(clock.at)
    task = SupervisionTask.objects.filter(case=case)[0]
    message = Message.objects.get(reference=task.stream, kind="task_opened")
    browser = sign_in("duban1")
    response = browser.post(f"/oversight/messages/{message.pk}/again/")
    assert response.status_code == 409
    assert "只有发送失败的短信" in cast.text(response)
    assert Message.objects.filter(reference=task.stream).count() == 1


def test_trouble_is_counted_by_kind_and_masked(clock: Moment, sign_in: SignIn) -> None:
    failed = cast.failed(clock)
    deliver(clock.at)
    waiting = Message.objects.filter(state="delivered").first() or Message.objects.exclude(pk=failed.pk)[0]
    Message.objects.filter(pk=waiting.pk).update(state="queued", next_attempt_at=clock.at)
    browser = sign_in("duban1")
    clock.to("2026-09-28 10:30")
    response = browser.get("/oversight/messages/")
    counts = {stat["label"]: stat["count"] for stat in response.context["stats"]}
    assert (counts["发送失败"], counts["结果未知"], counts["滞留 10 分钟以上"]) == (1, 0, 1)
    rows = cast.table(browser, "/oversight/messages/export.csv?tab=failed")
    assert len(rows) == 1
    assert "*" in rows[0]["收信人"]
