"""Papers of the supervision side: numbers in their series, frozen content, page, file, verification by code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals import verification
from credit.models import CreditSubject
from ledger.hashing import canonical, sm3
from offices.crypto import mask_name
from offices.models import Posting
from supervision.enums import PaperKind
from supervision.models import Paper
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def order_paper(now: dt.datetime) -> Paper:
    return make.ordered(make.faulty(now), now).paper


def test_numbers_run_in_the_series_of_the_department(city: None, clock: Moment) -> None:
    first = order_paper(clock.at)
    second = make.ordered(make.faulty(clock.at), clock.at).paper
    department = first.task.office.department
    stem = f"{department.division.document_prefix}{department.short_name}责改〔2026〕"
    assert [first.number, second.number] == [f"{stem}1号", f"{stem}2号"]


def test_the_page_and_the_file_say_it(city: None, clock: Moment, sign_in: SignIn) -> None:
    paper = order_paper(clock.at)
    browser = sign_in(some.manager_of(paper.task))
    html = browser.get(reverse("tasks:paper", args=[paper.pk])).content.decode()
    for text in (paper.number, paper.task.subject_name, "六十日", "六个月", paper.verify_code, paper.digest,
                 "2026年10月8日", "内容与留痕不符"):  # fmt: skip
        assert (text in html) is (text != "内容与留痕不符")
    assert not re.search(r"\sstyle=|<style", html)
    answer = browser.get(reverse("tasks:paper_file", args=[paper.pk]))
    assert "attachment" in answer["Content-Disposition"]
    file = answer.content.decode()
    assert paper.number in file
    assert "@page" in file
    assert "/static/" not in file


def test_a_changed_content_is_seen(city: None, clock: Moment, sign_in: SignIn) -> None:
    paper = order_paper(clock.at)
    assert paper.digest == sm3(canonical(paper.content))
    Paper.objects.filter(pk=paper.pk).update(content=paper.content | {"basis": "别的依据"})
    html = sign_in(some.manager_of(paper.task)).get(reverse("tasks:paper", args=[paper.pk])).content.decode()
    assert "内容与留痕不符" in html
    found = verification.find(paper.verify_code, clock.at.date())
    assert found is not None
    assert found.state == "摘要不符"


def test_everybody_may_verify_it_by_its_code(city: None, clock: Moment, client: Client) -> None:
    paper = order_paper(clock.at)
    html = client.get(f"/verify/{paper.verify_code}/").content.decode()
    assert "本平台出具的文书，有效" in html
    assert PaperKind.ORDER.label in html
    assert paper.content["demands" if "demands" in paper.content else "closing"][1] not in html
    body = client.get(f"/api/v1/verify/{paper.verify_code}/").json()
    assert (body["number"], body["state"], body["licence"]) == (paper.number, "有效", None)
    assert client.get("/verify/nothing-like-it/").status_code == 404


def test_a_person_is_masked_where_everybody_looks(city: None, clock: Moment, client: Client) -> None:
    task = make.faulty(clock.at)
    name = "欧阳娜娜"
    task.subject = CreditSubject.objects.create(kind="person", name=name, id_number="32070319900230001X", id_hash="h")
    task.subject_name = name
    task.save()
    paper = make.ordered(task, clock.at).paper
    html = client.get(f"/verify/{paper.verify_code}/").content.decode()
    assert name not in html
    assert mask_name(name) in html


def test_an_overseer_of_the_division_reads_it(city: None, clock: Moment, sign_in: SignIn) -> None:
    paper = order_paper(clock.at)
    overseer = Posting.objects.filter(
        role="overseer", department__division=paper.task.department.division
    ).order_by("pk")[0].user  # fmt: skip
    assert sign_in(overseer.username).get(reverse("tasks:paper", args=[paper.pk])).status_code == 200
    assert Client().get(reverse("tasks:paper", args=[paper.pk])).status_code == 302
