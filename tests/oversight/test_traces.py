"""The discipline office: the whole trace, whether it is whole, and a trace of every look."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from approvals.models import Case
from ledger import guards, verify
from ledger.models import Entry
from offices.models import Department
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def test_a_number_leads_to_the_whole_trace_with_people(clock: Moment, sign_in: SignIn) -> None:
    case = play.completed(clock.at)
    verify.anchor(clock.at)
    browser = sign_in("jijian1")
    found = browser.get("/traces/", {"number": f" {case.number.lower()} "})
    assert found["Location"] == f"/traces/{case.number}/"
    response = browser.get(found["Location"])
    page = cast.text(response)
    assert case.reviewer is not None
    for word in ("链条完整", "抽取审查人员", case.reviewer.full_name, "生成监管任务", "锚值固定"):
        assert word in page
    written = Entry.objects.filter(stream__in=[case.stream, *(task.stream for task in case.tasks.all())])
    assert len(response.context["entries"]) == written.count()


def test_every_look_and_every_export_is_recorded_and_shown(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    browser = sign_in("jijian1")
    browser.get(f"/traces/{case.number}/")
    rows = cast.table(browser, f"/traces/{case.number}/export.csv")
    entries = Entry.objects.filter(stream=case.stream).order_by("pk")
    assert [row["本条摘要"] for row in rows] == [entry.hash for entry in entries]
    looks = list(Entry.objects.filter(stream="traces").order_by("seq").values_list("act", "data", "actor__username"))
    assert looks == [
        ("trace.viewed", {"case": case.pk}, "jijian1"),
        ("trace.exported", {"case": case.pk}, "jijian1"),
    ]
    assert "导出留痕" in cast.text(browser.get("/traces/"))
    assert list(verify.faults()) == []


def test_an_altered_entry_is_named(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    connection.check_constraints()  # PostgreSQL alters no table while deferred checks wait
    guards.remove(connection)
    Entry.objects.filter(stream=case.stream, seq=2).update(data={"forged": True})
    connection.check_constraints()
    guards.install(connection)
    page = cast.text(sign_in("jijian1").get(f"/traces/{case.number}/"))
    assert "链条断裂" in page
    assert "第 2 条起不可信：内容与摘要不符" in page


def test_an_unknown_number_and_another_divisions_case_are_not_there(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    county = Department.objects.filter(division__code="320722")[0]
    Case.objects.filter(pk=case.pk).update(division=county.division, department=county)
    browser = sign_in("jijian1")
    for number in ("3207", case.number):
        response = browser.get("/traces/", {"number": number})
        assert response.status_code == 404
        assert "没有这件办件" in cast.text(response)
    assert browser.get(f"/traces/{case.number}/").status_code == 404
    assert not Entry.objects.filter(stream="traces").exists()
