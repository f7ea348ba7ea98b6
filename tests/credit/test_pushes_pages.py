"""信用推送 at the desk: whose pushes one sees, and how a dead one is read, mended and sent again (L11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from credit.models import Push
from credit.pushing import push_due
from ledger.models import Entry
from offices.models import Department, Posting, User
from scripts.standin_credit import REFUSED_WORDS, Mode, Service
from tests.approvals.window import text_of
from tests.conftest import Moment
from tests.credit.platforms import company, person, queued, running, settle

pytestmark = pytest.mark.django_db
Role = Posting.Role
SignIn = Callable[[str], Client]


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A platform that speaks HTTP on a port of its own."""
    with running(settings) as one:
        yield one


def officer_of(department: Department) -> str:
    return Posting.objects.get(department=department, role=Role.CREDIT_OFFICER).user.username


@pytest.fixture
def departments(city: None) -> list[Department]:
    """Two departments of the city with a credit officer each."""
    found = Posting.objects.filter(role=Role.CREDIT_OFFICER, department__division__parent__isnull=True)
    return [posting.department for posting in found.order_by("pk")[:2]]


def refused(now: Moment, service: Service, department: Department | None, source: str = "甲字1号") -> Push:
    """A push that the platform would not take."""
    push = queued(company(), now.at, source, department=department)
    service.script.append(Mode.REFUSE)
    push_due(now.at)
    push.refresh_from_db()
    assert push.state == "dead"
    return push


def page_of(push: Push) -> str:
    return reverse("pushes:push", args=[push.pk])


def test_an_officer_sees_the_own_departments_and_the_citys_overseer_nobodys(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    mine, other = departments
    own = refused(clock, service, mine, "甲字1号")
    officer, stranger, overseer = sign_in(officer_of(mine)), sign_in(officer_of(other)), sign_in("duban1")
    assert "甲字1号" in text_of(officer.get(reverse("pushes:list")))
    for browser in (stranger, overseer):
        assert "甲字1号" not in text_of(browser.get(reverse("pushes:list")))
        assert browser.get(page_of(own)).status_code == 404
        assert browser.post(page_of(own), {"act": "again"}).status_code == 404
    nobodys = queued(company("91320700MA1PXH002"), clock.at, "乙字2号")
    assert "乙字2号" in text_of(overseer.get(reverse("pushes:list"), {"tab": "waiting"}))
    assert officer.get(page_of(nobodys)).status_code == 404
    county = User.objects.filter(
        postings__role=Role.OVERSEER, postings__department__division__parent__isnull=False
    ).first()
    if county is not None:
        assert sign_in(county.username).get(page_of(nobodys)).status_code == 404


@pytest.mark.parametrize("username", ["chuangkou1", "guanliyuan1", "jijian1"])
def test_for_everybody_else_the_page_does_not_exist(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department], username: str
) -> None:
    push = refused(clock, service, departments[0])
    browser = sign_in(username)
    assert browser.get(reverse("pushes:list")).status_code == 404
    assert browser.get(page_of(push)).status_code == 404
    assert browser.get(reverse("pushes:export")).status_code == 404
    assert "/credit/pushes/" not in browser.get("/leave/").content.decode()


def test_a_dead_push_is_read_mended_and_sent_again(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    push = refused(clock, service, departments[0])
    queued(company(), clock.at, "甲字2号", department=departments[0])
    browser = sign_in(officer_of(departments[0]))
    listed = text_of(browser.get(reverse("pushes:list")))
    assert REFUSED_WORDS in listed
    assert "后面 1 条在等" in listed
    shown = text_of(browser.get(page_of(push)))
    for words in (REFUSED_WORDS, str(push.key), "同一主体后面有", push.subject.code or "", "一般", "违背承诺"):
        assert words in shown
    for posted in ({}, {"act": "withdraw"}):
        assert browser.post(page_of(push), posted).status_code == 422
        push.refresh_from_db()
        assert push.state == Push.State.DEAD
    wrong = browser.post(page_of(push), {"act": "mend", "name": "", "source": "甲字1号", "basis": "新的依据"})
    assert wrong.status_code == 422
    assert "请填写主体名称。" in text_of(wrong)
    assert "新的依据" in wrong.content.decode()
    same = browser.post(
        page_of(push), {"act": "mend", "name": push.subject.name, "source": "甲字1号", "basis": push.record.basis}
    )
    assert same.status_code == 422
    assert "内容没有改动" in text_of(same)
    said = {"act": "mend", "name": "连云港推送检验有限公司（演示）", "source": "甲字1号", "basis": push.record.basis}
    assert browser.post(page_of(push), said).status_code == 302
    settle(clock.at)
    push.refresh_from_db()
    assert (push.state, push.attempts) == ("accepted", 1)
    assert Push.objects.filter(state="accepted").count() == 2
    assert "更正：主体名称" in text_of(browser.get(page_of(push)))
    # Whoever comes late changes nothing, and keeps what was typed.
    late = browser.post(page_of(push), said | {"name": "第三个名称"})
    assert late.status_code == 409
    assert "第三个名称" in text_of(late)
    assert Entry.objects.filter(act="credit.push_mended").count() == 1


def test_a_push_that_only_failed_is_sent_again_as_it_is(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    push = queued(company(), clock.at, department=departments[0])
    Push.objects.filter(pk=push.pk).update(state="dead", next_attempt_at=None, attempts=20, error="没有答复")
    browser = sign_in(officer_of(departments[0]))
    assert 'name="basis"' not in browser.get(page_of(push)).content.decode()
    assert browser.post(page_of(push), {"act": "mend", "basis": "另一个依据"}).status_code == 409
    assert browser.post(page_of(push), {"act": "again"}).status_code == 302
    push_due(clock.at)
    push.refresh_from_db()
    assert push.state == "accepted"
    assert service.taken[str(push.key)]["record"]["basis"] == "连政办发〔2022〕67号"


def test_a_person_stays_masked_on_page_export_and_api(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    subject = person()
    push = queued(subject, clock.at, department=departments[0])
    service.script.append(Mode.REFUSE)
    push_due(clock.at)
    username = officer_of(departments[0])
    browser = sign_in(username)
    api = APIClient()
    api.force_authenticate(User.objects.get(username=username))
    texts = [
        browser.get(reverse("pushes:list")).content.decode(),
        browser.get(page_of(push)).content.decode(),
        b"".join(browser.get(reverse("pushes:export"))).decode(),
        api.get("/api/v1/credit-pushes/").content.decode(),
    ]
    for text in texts:
        assert "欧阳*" in text
        assert "欧阳海" not in text
        assert subject.id_number not in text
    assert 'name="name"' not in texts[1]


def test_the_list_is_found_through_filtered_and_exported(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    push = refused(clock, service, departments[0])
    browser = sign_in(officer_of(departments[0]))
    url = reverse("pushes:list")
    for query in (str(push.subject.code), "推送测试", "甲字1"):
        assert "甲字1号" in text_of(browser.get(url, {"q": query}))
    assert "没有符合条件的推送" in text_of(browser.get(url, {"q": "nobody"}))
    assert "没有符合条件的推送" in text_of(browser.get(url, {"kind": "lifted"}))
    assert "还没有推送过" in text_of(browser.get(url, {"tab": "accepted"}))
    sheet = b"".join(browser.get(reverse("pushes:export"), {"q": "甲字1"})).decode()
    assert str(push.key) in sheet
    assert REFUSED_WORDS in sheet


def test_a_longer_list_costs_no_more_statements(
    service: Service, clock: Moment, sign_in: SignIn, departments: list[Department]
) -> None:
    browser = sign_in(officer_of(departments[0]))
    url = reverse("pushes:list")
    counts = []
    for letter, size in (("A", 2), ("B", 30)):
        for number in range(size):
            queued(company(f"91320700MA1PX{letter}{number:03d}"), clock.at, department=departments[0])
        Push.objects.update(state="dead", next_attempt_at=None)
        browser.get(url)
        with CaptureQueriesContext(connection) as seen:
            browser.get(url)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12


def test_the_api_reads_what_the_page_reads(service: Service, clock: Moment, departments: list[Department]) -> None:
    push = refused(clock, service, departments[0])
    mine, other = APIClient(), APIClient()
    mine.force_authenticate(User.objects.get(username=officer_of(departments[0])))
    other.force_authenticate(User.objects.get(username=officer_of(departments[1])))
    [row] = mine.get("/api/v1/credit-pushes/").json()["results"]
    assert (row["key"], row["state"], row["seq"], row["held"]) == (str(push.key), "dead", 1, 0)
    assert (row["error"], row["record_source"]) == (push.error, "甲字1号")
    assert mine.get("/api/v1/credit-pushes/", {"state": "accepted"}).json()["results"] == []
    whole = mine.get(f"/api/v1/credit-pushes/{push.pk}/").json()
    assert whole["content"]["record"]["source"] == "甲字1号"
    assert other.get("/api/v1/credit-pushes/").json()["results"] == []
    assert other.get(f"/api/v1/credit-pushes/{push.pk}/").status_code == 404
