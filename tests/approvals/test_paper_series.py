"""Paper numbers: every kind's series without gaps or repeats, whatever happens at once; every paper can be verified."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from approvals import papers
from approvals.enums import DocumentKind
from approvals.models import Case, Document
from approvals.numbers import case_number
from offices.models import Department, User
from tests import city as demo_city
from tests.approvals import play, window
from tests.conftest import Moment

LICENCE = {"to": "某公司", "licence": "连许1号", "name": "许可证", "issued": "2026年9月28日"}
SAID: Mapping[str, Mapping[str, Any]] = {
    "special": {"ground": "听证", "law": "", "days": 5, "until": "2026年10月12日"},
    "extension": {"more": "5个工作日", "until": "2026年10月12日", "paused": False, "basis": "行政许可法第四十二条"},
    "promise": {
        "signer": "张三", "capacity": "法定代表人", "method": "纸质签字",
        "modes": ["事后核查"], "consent": False, "deferred_until": None,
        "checks": ["现场核查。"], "consequences": ["撤销许可。"],
    },
    "later": {"until": dt.date(2026, 11, 9), "consequence": "暂停使用。", "signer": "张三"},
    "revoke_notice": LICENCE | {"ground": "不具备资格", "until": "2026年10月12日"},
    "hearing": LICENCE | {"on": "2026年10月13日", "place": "三楼", "chair": "张三"},
    **dict.fromkeys(
        ("revocation", "no_revocation"),
        LICENCE | {"ground": "不具备资格", "heard": [], "public_interest": "无。", "compensation": "不予。"},
    ),
    "licence_change": LICENCE | {"kind": "change", "basis": "行政许可法第四十九条", "rows": [["内容", "甲", "乙"]]},
}  # fmt: skip
POINTS = [{"key": "material:1", "text": "补交材料"}]
KINDS = [DocumentKind(kind) for kind in DocumentKind.values]


class UndoneError(Exception):
    """The act that gave out the paper failed after it."""


def bare(case: Case, number: int, now: dt.datetime) -> list[Case]:
    """As many cases like this one, without a paper yet."""
    found = []
    for _ in range(number):
        fields = {field.attname: getattr(case, field.attname) for field in Case._meta.concrete_fields}
        fields |= {name: None for name in fields if name.endswith("_deadline_id")}
        with transaction.atomic():
            fields |= {"id": None, "intake_key": uuid.uuid4(), "number": case_number(case.division.code, now)}
        found.append(Case.objects.bulk_create([Case(**fields)])[0])
    return found


def issue(case: Case, kind: DocumentKind, by: User, now: dt.datetime) -> Document:
    """Give out a paper of this kind."""
    return papers.issue(case, kind, by=by, now=now, points=POINTS, text="理由。", extra=SAID.get(kind, {}))[0]


def number_of(document: Document) -> int:
    """The running number: 连住建许准〔2026〕12号 → 12."""
    return int(document.number.split("〕")[1].removesuffix("号"))


@pytest.mark.django_db(transaction=True)
def test_every_series_has_no_gap_and_no_repeat_when_many_ask_at_once_and_some_are_undone(
    transactional_db: None, clock: Moment
) -> None:
    demo_city.load()
    clerk = play.person("chuangkou1")
    cases = bare(play.received(clock.at), 6, clock.at)
    before = {kind: Document.objects.filter(kind=kind).count() for kind in KINDS}

    def act(case: Case, kind: DocumentKind, undone: bool, together: Barrier) -> None:
        try:
            together.wait()
            with transaction.atomic():
                issue(case, kind, clerk, clock.at)
                if undone:
                    raise UndoneError
        except UndoneError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(len(cases)) as pool:
        for kind in KINDS:
            together = Barrier(len(cases))
            done = [pool.submit(act, case, kind, place % 3 == 1, together) for place, case in enumerate(cases)]
            for one in done:
                one.result()
            given = [number_of(document) for document in Document.objects.filter(kind=kind)]
            assert sorted(given) == list(range(1, before[kind] + 4 + 1)), kind
            late = next(case for case in cases if not case.documents.filter(kind=kind).exists())
            with transaction.atomic():
                assert number_of(issue(late, kind, clerk, clock.at)) == before[kind] + 5  # what was undone left no hole
    numbers = Document.objects.values_list("number", flat=True)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.django_db
def test_each_authority_and_each_year_counts_for_itself(city: None, clock: Moment) -> None:
    clerk = play.person("chuangkou1")
    one, two, three = bare(play.received(clock.at), 3, clock.at)
    first = issue(one, DocumentKind.APPROVAL, clerk, clock.at)
    three.department = Department.objects.filter(division=one.division).exclude(pk=one.department_id)[0]
    elsewhere = issue(three, DocumentKind.APPROVAL, clerk, clock.at)
    next_year = issue(two, DocumentKind.APPROVAL, clerk, clock.to("2027-01-04 09:00"))
    assert [number_of(document) for document in (first, elsewhere, next_year)] == [1, 1, 1]
    assert "〔2026〕" in first.number
    assert "〔2027〕" in next_year.number
    assert len({first.number, elsewhere.number, next_year.number}) == 3


def test_no_two_kinds_share_their_word() -> None:
    words = [kind.word for kind in KINDS]
    assert len(set(words)) == len(KINDS)
    assert all(words)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_verified_by_the_code_at_its_foot(city: None, clock: Moment, kind: DocumentKind) -> None:
    clerk = play.person("chuangkou1")
    case = bare(play.received(clock.at), 1, clock.at)[0]
    document = issue(case, kind, clerk, clock.at)
    answer = Client().get(reverse("verify", args=[document.verify_code]))
    assert answer.status_code == 200
    html = window.text_of(answer)
    assert all(text in html for text in (str(kind.label), document.number, document.digest, "有效"))
    told = Client().get(reverse("api:verify", args=[document.verify_code])).json()
    assert told["number"] == document.number
    Document.objects.filter(pk=document.pk).update(content=document.content | {"to": "别的公司"})
    assert "摘要不符" in window.text_of(Client().get(reverse("verify", args=[document.verify_code])))
