"""Two gradings side by side, read by whom, written by nobody; kinds of subjects; the name of a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from credit.identifiers import Form, form_label, form_of
from credit.models import CreditSubject, SubjectGrade, SubjectRisk
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make
from tests.credit.platforms import company as invented

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
LIST = reverse("credit:grades")
ROOT = "/api/v1/credit/grades/"


def graded(subject: CreditSubject, now: dt.datetime, grade: str = "good", days: int = 30) -> SubjectGrade:
    given = now - dt.timedelta(days=days)
    return SubjectGrade.objects.create(
        subject=subject, grade=grade, source="公共信用综合评价", given_at=given, received_at=now
    )


def risked(subject: CreditSubject, now: dt.datetime, risk: str = "C", days: int = 20) -> SubjectRisk:
    given = now - dt.timedelta(days=days)
    return SubjectRisk.objects.create(
        subject=subject, risk=risk, source="企业信用风险分类", given_at=given, received_at=now
    )


# --- kinds of subjects


@pytest.mark.parametrize(
    ("code", "form", "label"),
    [
        ("91320700MA1DEM0010", "company", "企业"),
        ("92320700MA1DEM0010", "self_employed", "个体工商户"),
        ("93320700MA1DEM0010", "cooperative", "农民专业合作社"),
        ("12320700MA1DEM0010", "institution", "事业单位"),
        ("11320700MA1DEM0010", "organ", "机关"),
        ("51320700MA1DEM0010", "association", "社会团体"),
        ("52320700MA1DEM0010", "private_unit", "民办非企业单位"),
        ("53320700MA1DEM0010", "foundation", "基金会"),
        ("31320700MA1DEM0010", "law_firm", "律师事务所"),
        ("32320700MA1DEM0010", "other", "公证处"),
        ("13320700MA1DEM0010", "other", "群众团体"),
        ("N2320700MA1DEM0010", "other", "村级集体经济组织"),
        ("Y1320700MA1DEM0010", "other", "其他组织"),
        (None, "person", "自然人"),
    ],
)
def test_the_code_tells_the_kind(code: str | None, form: str, label: str) -> None:
    assert (form_of(code), form_label(code)) == (form, label)


def test_records_are_narrowed_by_the_kind_of_subject(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    kinds = {
        "company": make.company(), "person": make.person(),
        "self_employed": invented("92320700MA1PXH001", "连云港推送小吃店（演示）"),
        "other": invented("32320700MA1PXH001", "连云港推送公证处（演示）"),
    }  # fmt: skip
    for form, subject in kinds.items():
        make.recorded(clock, subject=subject, source=f"{form}-1")
    browser, api = sign_in(make.OFFICER), caller(make.OFFICER)
    page = text_of(browser.get(reverse("credit:records")))
    for label in ("个体工商户", "公证处", "自然人", "企业"):
        assert f"<small>{label}</small>" in page
    for form in kinds:
        rows = text_of(browser.get(reverse("credit:records"), {"form": form}))
        assert [other for other in kinds if f">{other}-1<" in rows] == [form]
        [row] = api.get(f"/api/v1/credit/records/?form={form}").json()["results"]
        assert (row["source"], row["subject"]["form"]) == (f"{form}-1", form)
    assert api.get("/api/v1/credit/records/?form=foundation").json()["results"] == []
    assert {one.form for one in CreditSubject.objects.all().of_form(Form.OTHER)} <= {Form.OTHER}
    exported = body(browser.get(reverse("credit:records_export"), {"form": "other"})).decode()
    assert "公证处" in exported
    assert "个体工商户" not in exported


# --- names


def test_a_notice_keeps_the_name_of_its_day(sign_in: SignIn, clock: Moment) -> None:
    breach = make.told(clock.at)
    old = breach.subject.name
    browser = sign_in(make.OFFICER)
    clock.to("2026-09-29 10:00")
    breach.subject.rename("连云港更名以后有限公司（演示）", clock.at)
    paper = text_of(browser.get(reverse("credit:breach_paper", args=[breach.pk])))
    assert old in paper
    assert "更名以后" not in paper
    page = text_of(browser.get(reverse("credit:breach", args=[breach.pk])))
    assert "更名以后" in page
    assert old not in page
    later = make.told(clock.at, source="连住建撤〔2026〕2号")
    assert "更名以后" in text_of(browser.get(reverse("credit:breach_paper", args=[later.pk])))
    names = breach.subject.history.order_by("history_id").values_list("name", flat=True)
    assert list(names) == [old, "连云港更名以后有限公司（演示）"]


# --- gradings


def test_both_side_by_side_with_source_and_day(sign_in: SignIn, clock: Moment) -> None:
    both, one, none = make.company(), make.company(1), make.company(2)
    graded(both, clock.at, "poor", days=90)
    graded(both, clock.at, "excellent")
    risked(both, clock.at)
    risked(one, clock.at, "D")
    browser = sign_in(make.OFFICER)
    page = text_of(browser.get(LIST))
    for words in (both.name, "<strong>优</strong>", "C（较高）", "公共信用综合评价", "2026年8月29日", "2026年9月8日"):
        assert words in page
    assert one.name not in page
    risky = text_of(browser.get(LIST, {"tab": "risk"}))
    assert one.name in risky
    assert "未评价（不视为良好）" in risky
    assert none.name not in page + risky
    assert one.name in text_of(browser.get(LIST, {"tab": "risk", "q": one.code or ""}))
    assert one.name in text_of(browser.get(LIST, {"tab": "risk", "q": one.name[:8]}))
    assert one.name not in text_of(browser.get(LIST, {"tab": "risk", "form": "foundation"}))
    history = text_of(browser.get(reverse("credit:grade", args=[both.pk]))).split("timeline", 1)[1]
    assert history.index("优") < history.index("差")
    exported = body(browser.get(reverse("credit:grades_export"))).decode()
    assert both.name in exported
    assert "优,公共信用综合评价,2026-08-29" in exported


def test_a_persons_grading_is_read_only_by_who_found_something(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    breach = make.told(clock.at, subject=make.person())
    person = breach.subject
    graded(person, clock.at)
    url = reverse("credit:grade", args=[person.pk])
    mine, other = sign_in(make.OFFICER), sign_in(make.STRANGER)
    for page in (LIST, url):
        shown = text_of(mine.get(page))
        assert person.public_name in shown
        assert "王小明" not in shown
        assert make.PERSON not in shown
    assert person.public_name not in text_of(other.get(LIST))
    assert other.get(url).status_code == 404
    api = caller(make.STRANGER)
    assert api.get(ROOT).json()["results"] == []
    problem(api.get(f"{ROOT}{person.pk}/"), 404, "not-found")
    found = caller(make.OFFICER).get(f"{ROOT}{person.pk}/").json()
    assert [one["grade"] for one in found["grades"]] == ["good"]
    assert make.PERSON not in str(found)


def test_of_whom_nothing_was_received_there_is_no_page(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    bare, good, risky = make.company(), make.company(1), make.company(2)
    graded(good, clock.at)
    risked(risky, clock.at)
    browser, api = sign_in(make.STRANGER), caller(make.STRANGER)
    for subject, status in ((bare, 404), (good, 200), (risky, 200)):
        assert browser.get(reverse("credit:grade", args=[subject.pk])).status_code == status
        assert api.get(f"{ROOT}{subject.pk}/").status_code == status
    problem(api.get(f"{ROOT}{bare.pk}/"), 404, "not-found")


def test_a_grade_from_nowhere_is_refused(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    subject = make.company()
    graded(subject, clock.at)
    browser, api = sign_in(make.OFFICER), caller(make.OFFICER)
    said = {"subject": subject.pk, "grade": "excellent", "source": "本单位"}
    for url in (LIST, reverse("credit:grade", args=[subject.pk])):
        assert browser.post(url, said).status_code == 405
        content = text_of(browser.get(url)).split("<main", 1)[1]
        assert 'method="post"' not in content
    for url in (ROOT, f"{ROOT}{subject.pk}/"):
        problem(api.post(url, said, format="json"), 405, "method-not-allowed")
        problem(api.put(url, said, format="json"), 405, "method-not-allowed")
    given: dict[str, Any] = {"subject": subject, "given_at": clock.at, "received_at": clock.at}
    for model, value in ((SubjectGrade, {"grade": "good"}), (SubjectRisk, {"risk": "A"})):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(**given, **value, source="")
    assert SubjectGrade.objects.count() == 1


@pytest.mark.parametrize("username", ["chuangkou1", "zhujian.fuzeren", "duban1", "guanliyuan1"])
def test_for_everybody_else_there_are_no_gradings(sign_in: SignIn, clock: Moment, username: str) -> None:
    subject = make.company()
    graded(subject, clock.at)
    browser = sign_in(username)
    for url in (LIST, reverse("credit:grades_export"), reverse("credit:grade", args=[subject.pk])):
        assert browser.get(url).status_code == 404


def test_the_list_of_gradings_costs_the_same_for_one_and_for_many(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(make.OFFICER)

    def cost() -> int:
        browser.get(LIST)
        with CaptureQueriesContext(connection) as found:
            browser.get(LIST)
        return len(found)

    graded(make.company(), clock.at)
    before = cost()
    for place in range(1, 8):
        graded(make.company(place), clock.at)
        risked(make.company(place), clock.at)
    assert cost() == before
