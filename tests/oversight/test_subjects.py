"""企业画像: who sees whom and what of it, the order of its time line, how a subject is found (L13b)."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from credit.models import (
    CreditFact,
    CreditRecord,
    CreditSubject,
    JointMeasure,
    SubjectGrade,
    SubjectLink,
    SubjectRisk,
    queue_fact,
)
from ledger.models import Entry
from offices.access import Access, access_for
from offices.models import Department, Posting, User
from oversight import lifelines
from oversight.scopes import Scope
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.credit import facts
from tests.oversight import cast
from tests.supervision import ordering
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
Role = Posting.Role
SignIn = Callable[[str], Client]


def page_of(subject: CreditSubject, **asked: str) -> str:
    url = reverse("subjects:subject", args=[subject.pk])
    return f"{url}?{'&'.join(f'{key}={value}' for key, value in asked.items())}" if asked else url


def holder(role: str, department: Department) -> str:
    """An account with that role in the department."""
    found = Posting.objects.filter(role=role, department=department, ends_on__isnull=True).order_by("pk").first()
    if found is None:
        user = User.objects.create_user(f"{role}.{department.pk}", full_name="测试人员")
        since = dt.date(2025, 1, 1)
        found = Posting.objects.create(user=user, department=department, role=role, starts_on=since)
    return found.user.username


def another(*not_these: Department) -> Department:
    """A department of the city with none of the business."""
    return Department.objects.filter(division__code="320700").exclude(pk__in=[one.pk for one in not_these]).order_by(
        "pk"
    )[0]  # fmt: skip


def records(subject: CreditSubject, department: Department | None, days: int, now: dt.datetime, **values: Any) -> None:
    """That many records, one a day backwards from ``now``."""
    values = {"kind": CreditRecord.Kind.KEPT_PROMISE, "basis": "按期补齐"} | values
    CreditRecord.objects.bulk_create(
        CreditRecord(subject=subject, source=f"连诺〔2026〕{number}号", department=department,
                     found_at=now - dt.timedelta(days=number), **values)
        for number in range(days)
    )  # fmt: skip


@pytest.fixture
def task(city: None, clock: Moment) -> SupervisionTask:
    """A task of a completed case."""
    return some.notified(clock.at)


# --- who sees whom


def test_departments_with_business_and_the_citys_watch_see_a_subject_and_nobody_else_does(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    case = task.case
    assert case is not None
    stranger = another(case.department, *(one.department for one in case.tasks.select_related("department")))
    url = page_of(task.subject)
    for department in (case.department, task.department):
        for role in (Role.DEPARTMENT_HEAD, Role.CREDIT_OFFICER):
            assert sign_in(holder(role, department)).get(url).status_code == 200
    assert sign_in(some.manager_of(task)).get(url).status_code == 200
    for watch in ("duban1", "jijian1"):
        assert sign_in(watch).get(url).status_code == 200
    nothing = sign_in(holder(Role.DEPARTMENT_HEAD, stranger)).get(reverse("subjects:subject", args=[999_999_999]))
    for role in (Role.DEPARTMENT_HEAD, Role.CREDIT_OFFICER):
        foreign = sign_in(holder(role, stranger)).get(url)
        assert foreign.status_code == 404
        assert task.subject.name not in cast.text(foreign)
    assert nothing.status_code == 404
    assert sign_in("duban1").get(f"/subjects/{10**25}/").status_code == 404
    assert case.reviewer is not None
    decider = Posting.objects.filter(role=Role.DECIDER, office=case.review_office).order_by("pk")[0].user
    for username in ("chuangkou1", case.reviewer.username, decider.username, "guanliyuan1"):
        browser = sign_in(username)
        assert browser.get(url).status_code == 404, username
        assert browser.get(reverse("subjects:home")).status_code == 404, username
        assert browser.post(reverse("subjects:home"), {"who": task.subject.code}).status_code == 404, username
    assert Client().get(url).status_code == 302


def test_a_countys_watch_sees_what_its_departments_have_to_do_with(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    county = Posting.objects.filter(role=Role.OVERSEER, department__division__parent__isnull=False).order_by("pk")[0]
    browser = sign_in(county.user.username)
    assert browser.get(page_of(task.subject)).status_code == 404
    CreditRecord.objects.create(
        subject=task.subject, kind=CreditRecord.Kind.PRAISE, source="东表〔2026〕1号", basis="表彰", found_at=clock.at,
        department=county.department,
    )  # fmt: skip
    shown = cast.text(browser.get(page_of(task.subject)))
    assert "东表〔2026〕1号" in shown
    assert task.number not in shown


def test_an_undecided_case_is_neither_shown_to_departments_nor_a_reason_to_be_found(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at)
    subject = case.applicant
    own = [holder(role, case.department) for role in (Role.DEPARTMENT_HEAD, Role.CREDIT_OFFICER)]
    for username in own:
        assert sign_in(username).get(page_of(subject)).status_code == 404
        found = sign_in(username).post(reverse("subjects:home"), {"who": subject.code})
        assert found.status_code == 404
        assert subject.name not in cast.text(sign_in(username).get(reverse("subjects:home"), {"q": subject.name[:4]}))
    facts.fact(clock.at, subject=subject, who=holder(Role.CREDIT_OFFICER, case.department))
    for username in own:
        assert case.number not in cast.text(sign_in(username).get(page_of(subject)))
    for watch in ("duban1", "jijian1"):
        assert case.number in cast.text(sign_in(watch).get(page_of(subject)))
    both = User.objects.get(username="duban1")
    Posting.objects.create(
        user=both, department=case.department, office=case.review_office, role=Role.REVIEWER, starts_on="2026-01-01"
    )
    assert case.number not in cast.text(sign_in("duban1").get(page_of(subject)))


def test_a_decided_case_is_shown_to_its_own_department_and_its_licence_to_all(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    case = task.case
    assert case is not None
    foreign = another(case.department, *(one.department for one in case.tasks.select_related("department")))
    queue_fact(
        task.subject, CreditFact.Kind.REVOKED, source="外撤〔2026〕1号", basis="另案", found_at=clock.at, now=clock.at,
        department=foreign,
    )  # fmt: skip
    own = cast.text(sign_in(holder(Role.DEPARTMENT_HEAD, case.department)).get(page_of(task.subject)))
    other = cast.text(sign_in(holder(Role.DEPARTMENT_HEAD, foreign)).get(page_of(task.subject)))
    assert case.number in own
    assert case.number not in other
    assert task.number not in other
    assert case.licence.number in other


def test_records_of_others_are_shown_while_in_use_and_no_longer(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    foreign = another(task.department)
    common: dict[str, Any] = {"subject": task.subject, "basis": "依据", "department": foreign, "level": "general",
                              "kind": CreditRecord.Kind.BROKEN_PROMISE}  # fmt: skip
    until = clock.at.date()
    found = clock.at - dt.timedelta(days=30)
    day = dt.timedelta(days=1)
    rows = {
        "使用甲": {"shown_until": until}, "期满乙": {"shown_until": until - day},
        "修复丙": {"shown_until": until + day, "repaired_at": clock.at},
        "撤回丁": {"shown_until": until + day, "withdrawn_at": clock.at},
    }  # fmt: skip
    for source, values in rows.items():
        CreditRecord.objects.create(source=source, found_at=found, **common, **values)
    long_ago = clock.at.replace(year=clock.at.year - 3) - day
    CreditRecord.objects.create(source="三年戊", found_at=long_ago, **common)
    for username, seen in ((ordering.head(task).username, {"使用甲"}), ("duban1", {*rows, "三年戊"})):
        shown = cast.text(sign_in(username).get(page_of(task.subject)))
        assert {one for one in (*rows, "三年戊") if one in shown} == seen, username
    live = cast.text(sign_in("duban1").get(page_of(task.subject, kind="case")))
    assert "使用甲" in live
    assert "期满乙" not in live


def test_joint_measures_and_linked_codes_stand_on_the_time_line(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    subject, foreign, today = task.subject, another(task.department), clock.at.date()
    day, by = dt.timedelta(days=1), User.objects.order_by("pk")[0]
    common: dict[str, Any] = {"subject": subject, "kind": "penalty", "basis": "社会信用条例有关条款", "decided_by": by,
                              "decided_at": clock.at - 40 * day, "starts_on": today - 40 * day}  # fmt: skip
    ended = {"ended_at": clock.at - day, "ended_by": by, "end_reason": "已主动纠正"}
    for what, department, values in (
        ("自家甲", task.department, {"ends_on": today - 2 * day}),
        ("自家乙", task.department, {"ends_on": today} | ended),
        ("别家丙", foreign, {"ends_on": today}), ("别家丁", foreign, {"ends_on": today - day}),
        ("别家戊", foreign, {"ends_on": today} | ended),
    ):  # fmt: skip
        JointMeasure.objects.create(what=what, department=department, **common, **values)
    for before, after in ((facts.company(7), subject), (subject, facts.company(8))):
        SubjectLink.objects.create(
            before=before, after=after, kind="split", on=today, basis="登记机关通知书", by=by, at=clock.at,
            **({"set_aside_at": clock.at, "set_aside_by": by, "set_aside_reason": "误登"} if before == subject else {}),
        )  # fmt: skip
    everything = {"自家甲", "自家乙", "别家丙", "别家丁", "别家戊"}
    for username, seen in (
        (ordering.head(task).username, {"自家甲", "自家乙", "别家丙"}), ("duban1", everything),
    ):  # fmt: skip
        browser = sign_in(username)
        shown = cast.text(browser.get(page_of(subject, kind="measure")))
        assert {one for one in everything if one in shown} == seen, username
        assert ("提前终止：自家乙" in shown, "已主动纠正" in shown) == (True, True)
        links: Any = browser.get(page_of(subject, kind="link"))
        rows = [row for _, rows in links.context["years"] for row in rows]
        assert [row["label"] for row in rows] == ["撤销代码衔接（分立）", "代码衔接（分立）", "代码衔接（分立）"]
        assert f"{facts.company(7).name} → {subject.name}" in {row["note"] for row in rows}
        assert "联合惩戒：别家丙" in cast.text(browser.get(page_of(subject)))
    officer = sign_in(holder(Role.CREDIT_OFFICER, task.department))
    response: Any = officer.get(page_of(subject))
    urls = [
        row["url"] for _, rows in response.context["years"] for row in rows if row["kind"] in {"联合奖惩", "代码衔接"}
    ]
    assert sum(bool(url) for url in urls) == 3 + 3
    assert all(officer.get(url).status_code == 200 for url in urls if url)


def test_records_of_a_former_code_are_in_use_for_its_successor_and_say_whose_they_are(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    old = facts.company(7)
    CreditRecord.objects.create(
        subject=old, kind=CreditRecord.Kind.BROKEN_PROMISE, source="旧〔2026〕1号", basis="依据", level="general",
        department=task.department, found_at=clock.at, shown_until=dt.date(2027, 1, 1),
    )  # fmt: skip
    browser = sign_in(ordering.head(task).username)
    assert browser.get(page_of(task.subject)).context["live"] == []
    SubjectLink.objects.create(
        before=old, after=task.subject, kind="merged", on=clock.at.date(), basis="登记机关通知书",
        by=facts.officer(), at=clock.at,
    )  # fmt: skip
    page = browser.get(page_of(task.subject))
    assert [row["record"].source for row in page.context["live"]] == ["旧〔2026〕1号"]
    assert f"原主体{old.name}（{old.code}），代码已衔接" in cast.text(page)


# --- a person


@pytest.fixture
def person(city: None, clock: Moment) -> CreditSubject:
    """A person of whom a department found something, with a grade."""
    subject = facts.person()
    CreditRecord.objects.create(
        subject=subject, kind=CreditRecord.Kind.BROKEN_PROMISE, source="人〔2026〕1号", basis="依据", level="general",
        department=facts.department(), found_at=clock.at, shown_until=dt.date(2027, 1, 1),
    )  # fmt: skip
    said = {"source": "市公共信用信息中心", "given_at": clock.at, "received_at": clock.at}
    SubjectGrade.objects.create(subject=subject, grade="fair", **said)
    return subject


def test_a_person_is_masked_and_graded_only_for_those_who_decide(person: CreditSubject, sign_in: SignIn) -> None:
    person.rename("王大明", dt.datetime(2026, 9, 28, 3, tzinfo=dt.UTC))
    other = another(facts.department())
    queue_fact(
        person, CreditFact.Kind.REVOKED, source="他〔2026〕1号", basis="另案", found_at=person.records.get().found_at,
        now=person.records.get().found_at, department=other,
    )  # fmt: skip
    for username in (facts.OFFICER, holder(Role.DEPARTMENT_HEAD, facts.department()), "duban1", "jijian1",
                     holder(Role.CREDIT_OFFICER, other)):  # fmt: skip
        shown = cast.text(sign_in(username).get(page_of(person)))
        decides = username in {facts.OFFICER, holder(Role.DEPARTMENT_HEAD, facts.department())}
        assert ("市公共信用信息中心" in shown) is decides, username
        assert ("自然人的评价只对就其作出决定的部门显示" in shown) is not decides, username
        assert "王**" in shown
        for secret in ("大明", "小明", facts.PERSON, facts.PERSON[6:14]):
            assert secret not in shown, username


# --- gradings


def test_nothing_known_is_said_and_never_called_good(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")
    shown = cast.text(browser.get(page_of(task.subject)))
    for words in ("未评价", "未评定", "没有收到过，不视为良好"):
        assert words in shown
    assert 'grading-value">' not in shown
    said = {"given_at": clock.at, "received_at": clock.at}
    SubjectGrade.objects.create(subject=task.subject, grade="poor", source="信用中心", **said)
    SubjectRisk.objects.create(subject=task.subject, risk="A", source="市监局", **said)
    known = cast.text(browser.get(page_of(task.subject)))
    assert "未评价" not in known
    risk, grade = known.index("信用风险分类"), known.index("公共信用评价（信用平台）")
    assert "A（低）" in known[risk:grade]
    assert "市监局" in known[risk:grade]
    assert "信用中心" in known[grade:]
    assert "信用中心" not in known[risk:grade]


def test_earlier_names_come_from_the_history(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    before = task.subject.name
    task.subject.save()
    task.subject.rename("连云港新名演示有限公司", clock.at)
    shown = cast.text(sign_in("duban1").get(page_of(task.subject)))
    assert f"曾用名：{before}" in shown


# --- the time line


def test_the_time_line_is_newest_first_and_pages_to_the_last_row(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    # Many at the same moment, of two sources, so that a page ends among equals.
    records(task.subject, task.department, 60, clock.at)
    CreditRecord.objects.filter(subject=task.subject).update(found_at=clock.at - dt.timedelta(days=3))
    records(task.subject, task.department, 70, clock.at - dt.timedelta(days=3), kind="praise")
    access = Scope(_access("duban1", clock))
    whole: list[lifelines.Event] = []
    cursor, pages = "", 0
    while True:
        page = lifelines.lines(access, task.subject, clock.at.date(), cursor=cursor)
        whole += page.events
        pages += 1
        cursor = page.next
        assert len(page.events) == lifelines.SIZE or not cursor
        if not cursor:
            break
    keys = [(event.source, event.pk) for event in whole]
    assert len(set(keys)) == len(keys)
    assert sum(source == "record" for source, _ in keys) == 130
    assert {"received", "decided", "licence", "completed", "opened"} <= {source for source, _ in keys}
    assert [event.at for event in whole] == sorted((event.at for event in whole), reverse=True)
    assert pages == -(-len(whole) // lifelines.SIZE)
    # The same through the door: 更早 leads to the last page.
    browser, url, seen = sign_in("duban1"), page_of(task.subject), 0
    while url:
        response: Any = browser.get(url)
        seen += sum(len(rows) for _, rows in response.context["years"])
        url = response.context["older_url"]
    assert seen == len(whole)


def _access(username: str, clock: Moment) -> Access:
    return access_for(User.objects.get(username=username), clock.at.date())


def test_a_cursor_of_another_subject_begins_anew(task: SupervisionTask, clock: Moment) -> None:
    records(task.subject, task.department, 60, clock.at)
    scope = Scope(_access("duban1", clock))
    first = lifelines.lines(scope, task.subject, clock.at.date())
    assert lifelines.place_of(first.next, task.subject.pk) is not None
    assert lifelines.place_of(first.next, task.subject.pk + 1) is None
    assert lifelines.place_of("nonsense", task.subject.pk) is None


def test_filters_by_kind_and_year_and_each_number_opens_as_many_rows(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    found, _ = ordering.unmended(clock.at)
    clock.at += dt.timedelta(hours=8)
    kinds = CreditRecord.Kind
    records(found.subject, found.department, 3, clock.at.replace(year=2025), kind=kinds.BROKEN_PROMISE)
    records(found.subject, found.department, 2, clock.at.replace(year=2024))
    browser = sign_in("duban1")
    response: Any = browser.get(page_of(found.subject))
    counts = {
        (row["series"], cell["year"]): (cell["count"], cell["url"])
        for row in response.context["figure"]["rows"]
        for cell in row["cells"]
    }
    assert {key: count for key, (count, _) in counts.items() if count} == {
        ("kept", 2024): 2, ("broken", 2025): 3, ("check", 2026): 1, ("faults", 2026): 1,
    }  # fmt: skip
    for count, url in counts.values():
        opened: Any = browser.get(url)
        assert sum(len(rows) for _, rows in opened.context["years"]) == count
    only: Any = browser.get(page_of(found.subject, kind="order"))
    assert {row["kind"] for _, rows in only.context["years"] for row in rows} == {"责令整改"}
    nothing = cast.text(browser.get(page_of(found.subject, kind="draw")))
    assert "没有符合条件的记录" in nothing


def test_every_kind_of_row_reads_as_words(city: None, clock: Moment, sign_in: SignIn) -> None:
    found, _ = ordering.unmended(clock.at)
    clock.at += dt.timedelta(hours=8)
    shown = cast.text(sign_in("duban1").get(page_of(found.subject)))
    for words in ("申请", "签署告知承诺", "准予许可", "发证", "监管任务", "检查：不符合", "监管结果：不符合",
                  "责令限期整改", "整改认定：拒不整改"):  # fmt: skip
        assert words in shown


def test_rows_lead_only_to_pages_that_exist_for_the_reader(city: None, clock: Moment, sign_in: SignIn) -> None:
    found, _ = ordering.unmended(clock.at)
    clock.at += dt.timedelta(hours=8)
    assert found.case is not None
    readers = {
        ordering.head(found).username, some.manager_of(found), "duban1", "jijian1",
        holder(Role.CREDIT_OFFICER, found.department), holder(Role.DEPARTMENT_HEAD, found.case.department),
    }  # fmt: skip
    for username in readers:
        browser = sign_in(username)
        response: Any = browser.get(page_of(found.subject))
        urls = {row["url"] for _, rows in response.context["years"] for row in rows if row["url"]}
        for url in urls:
            assert browser.get(url).status_code == 200, (username, url)


def test_the_number_of_statements_does_not_grow(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    def statements(username: str) -> int:
        browser = sign_in(username)
        browser.get(page_of(task.subject))
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page_of(task.subject)).status_code == 200
        return len(asked)

    for username in ("duban1", some.manager_of(task), ordering.head(task).username):
        few = statements(username)
        records(task.subject, task.department, 80, clock.at, kind=CreditRecord.Kind.PRAISE)
        assert statements(username) == few, username
        CreditRecord.objects.filter(subject=task.subject, kind="praise").delete()
        assert few <= 15, (username, few)


# --- finding


def test_a_code_and_an_identity_number_open_the_page_and_get_into_no_address_log_or_ledger(
    person: CreditSubject, task: SupervisionTask, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    home = reverse("subjects:home")
    browser = sign_in("duban1")
    for typed, subject in ((task.subject.code, task.subject), (facts.PERSON, person)):
        answer = browser.post(home, {"who": typed})
        assert answer.status_code == 302
        assert answer.headers["Location"] == page_of(subject)
        page = cast.text(browser.get(answer.headers["Location"]))
        if subject == person:
            assert facts.PERSON not in page
    wrong = browser.post(home, {"who": "王小明11010119900307"})
    unknown = browser.post(home, {"who": "11010119900307109X"})
    for answer in (wrong, unknown):
        assert answer.status_code == 404
        assert "11010119900307" not in cast.text(answer)
    assert facts.PERSON not in cast.text(browser.get(home, {"q": facts.PERSON}))
    logged = " ".join(record.getMessage() for record in caplog.records if record.name != "django.db.backends")
    assert facts.PERSON not in logged
    assert all(facts.PERSON not in json.dumps(data) for data in Entry.objects.values_list("data", flat=True))


def test_what_is_not_yours_is_not_found_in_the_same_words(
    person: CreditSubject, task: SupervisionTask, sign_in: SignIn
) -> None:
    browser = sign_in(facts.STRANGER)
    home = reverse("subjects:home")
    known = browser.post(home, {"who": facts.PERSON})
    unknown = browser.post(home, {"who": "11010119900307109X"})
    assert known.status_code == unknown.status_code == 404

    def plain(response: Any) -> str:
        return cast.text(response).replace(str(response.context["csrf_token"]), "")

    assert plain(known) == plain(unknown)


def test_organisations_are_found_by_the_beginning_of_their_name_and_persons_never(
    person: CreditSubject, task: SupervisionTask, sign_in: SignIn
) -> None:
    home = reverse("subjects:home")
    browser = sign_in("duban1")
    name = task.subject.name
    led = browser.post(home, {"who": name[:5]}, follow=True)
    assert name in cast.text(led)
    assert str(task.subject.code) in cast.text(led)
    assert "没有名称以此开头的单位" in cast.text(browser.get(home, {"q": name[2:8]}))
    assert "没有名称以此开头的单位" in cast.text(browser.get(home, {"q": "王小"}))
    assert "名称太短" in cast.text(browser.get(home, {"q": name[:1]}))
    assert "请输入代码、名称或者号码" in cast.text(browser.get(home))


# --- looks, print, API, links


def test_the_watchs_look_is_on_the_record_and_a_departments_is_not(task: SupervisionTask, sign_in: SignIn) -> None:
    looks = Entry.objects.filter(stream="traces")
    sign_in(some.manager_of(task)).get(page_of(task.subject))
    assert not looks.exists()
    for watch in ("duban1", "jijian1"):
        sign_in(watch).get(page_of(task.subject))
    assert list(looks.order_by("seq").values_list("act", "data", "actor__username")) == [
        ("trace.subject_viewed", {"subject": task.subject_id}, watch) for watch in ("duban1", "jijian1")
    ]
    listed = cast.text(sign_in("jijian1").get(reverse("traces:home")))
    assert "查阅企业画像" in listed
    assert page_of(task.subject) in listed


def test_the_api_tells_the_same_by_the_same_rules(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    url = f"/api/v1/subjects/{task.subject_id}/"

    def caller(username: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(User.objects.get(username=username))
        return client

    records(task.subject, task.department, 60, clock.at)
    head = caller(ordering.head(task).username)
    said = head.get(url).json()
    assert said["name"] == task.subject.name
    assert said["grade"] == {"value": "none", "label": "未评价", "source": "", "given_at": None}
    assert len(said["events"]) == 50
    rest = head.get(url, {"cursor": said["next"]}).json()
    assert rest["next"] == ""
    every = [*said["events"], *rest["events"]]
    assert [one["at"] for one in every] == sorted((one["at"] for one in every), reverse=True)
    assert task.number in {one["number"] for one in every}
    kept = [row["count"] for row in said["figure"] if row["kind"] == "kept"]
    assert sum(kept) == 60
    assert {one["kind"] for one in head.get(url, {"kind": "task"}).json()["events"]} == {"task"}
    assert head.get(url, {"cursor": "x"}).json()["code"] == "bad-cursor"
    assert head.get(url, {"kind": "x"}).status_code == 422
    assert task.case is not None
    foreign = another(task.case.department, *(one.department for one in task.case.tasks.select_related("department")))
    for username in ("chuangkou1", holder(Role.DEPARTMENT_HEAD, foreign)):
        assert caller(username).get(url).status_code == 404
    assert not Entry.objects.filter(stream="traces").exists()
    assert caller("jijian1").get(url).status_code == 200
    assert Entry.objects.filter(stream="traces").count() == 1


def test_the_page_prints_without_its_controls(task: SupervisionTask, sign_in: SignIn) -> None:
    shown = cast.text(sign_in("duban1").get(page_of(task.subject)))
    assert "打印时间" in shown
    assert "css/subjects" in shown


def test_the_page_is_linked_where_a_subject_stands_and_only_for_whom_it_exists(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    link = f'href="{page_of(task.subject)}"'
    address = reverse("tasks:task", args=[task.number])
    assert link in cast.text(sign_in(some.manager_of(task)).get(address))
    inspector = some.inspector(task)
    SupervisionTask.objects.filter(pk=task.pk).update(first_officer=inspector)
    assert link not in cast.text(sign_in(inspector.username).get(address))
    assert task.case is not None
    assert link in cast.text(sign_in("duban1").get(reverse("oversight:case", args=[task.case.number])))
    fact = facts.fact(clock.at)
    page = cast.text(sign_in(facts.OFFICER).get(reverse("credit:fact", args=[fact.pk])))
    assert f'href="{page_of(fact.subject)}"' in page
