"""Codes that were replaced, merged or split: what is refused, what counts for whom, two officers at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from credit.actions import joining
from credit.joining import MOST, lineage
from credit.models import CreditRecord, CreditSubject, Push, SubjectGrade, SubjectLink
from ledger.models import Entry
from ledger.verify import faults
from offices.models import Department, Posting
from offices.refusals import Refused
from oversight.demo.cases import code_of
from tests import city as demo_city
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.approvals.window import body, text_of, value_of
from tests.conftest import Moment
from tests.credit import facts as make
from tests.credit.platforms import company as invented

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 1)
BASIS = "连云港市市场监督管理局准予变更登记通知书"
NEW = reverse("credit:link_new")


def linked(
    before: CreditSubject, after: CreditSubject, now: dt.datetime, kind: str = "merged", **more: Any
) -> SubjectLink:
    """A link by an officer of the city."""
    said: dict[str, Any] = {"before": before.code or "", "after": after.code or "", "kind": kind, "on": DAY}
    said |= {"basis": BASIS} | more
    return joining.link(**said, by=make.officer(), now=now)


def said(old: CreditSubject, new: CreditSubject, **changes: str) -> dict[str, str]:
    """The form, as it is typed."""
    typed = {
        "before": old.code or "",
        "after": new.code or "",
        "kind": "merged",
        "on": "2026-09-01",
        "basis": BASIS,
    }
    return typed | {"carries": "yes", "carries_reason": "", "step": "check"} | changes


def numbered(number: int) -> CreditSubject:
    """One of many invented companies."""
    return invented(f"91320700MA1PXJ{number:03d}", f"连云港第{number}号衔接测试有限公司（演示）")


def to_county(username: str) -> None:
    """Move an officer's posting to a department of a county."""
    county = Department.objects.filter(division__parent__isnull=False).first()
    Posting.objects.filter(user__username=username, role=Posting.Role.CREDIT_OFFICER).update(department=county)


def test_linked_after_what_follows_was_shown(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    old, new = record.subject, make.company(1)
    browser = sign_in(make.OFFICER)
    checked = browser.post(NEW, said(old, new))
    assert checked.status_code == 200
    shown = text_of(checked)
    for words in (
        old.name,
        new.name,
        "使用中的信用记录 1 条",
        "公共信用评价不随同计算",
        "不移动、不改写",
    ):
        assert words in shown
    assert not SubjectLink.objects.exists()
    seen = value_of(shown, "seen")
    # Something else than was shown is shown before it is done.
    other = browser.post(NEW, said(old, make.company(2), step="confirm", seen=seen))
    assert other.status_code == 200
    assert make.company(2).name in text_of(other)
    assert not SubjectLink.objects.exists()
    done = browser.post(NEW, said(old, new, step="confirm", seen=seen))
    made = SubjectLink.objects.get()
    assert done.url == reverse("credit:link", args=[made.pk])  # type: ignore[attr-defined]
    assert (made.before, made.after, made.kind, made.on, made.carries) == (old, new, "merged", DAY, True)
    assert made.history.count() == 1
    assert lineage(new) == [new.pk, old.pk]
    assert lineage(old) == [old.pk]
    for one in (old, new):
        [entry] = Entry.objects.filter(stream=one.stream, act="credit.linked")
        assert (entry.actor, entry.data["before"], entry.data["after"]) == (make.officer(), old.pk, new.pk)
    # The record stays where it was found; nothing more is pushed.
    record.refresh_from_db()
    assert record.subject == old
    assert Push.objects.get().payload["subject"]["code"] == old.code
    assert old.name in text_of(browser.get(reverse("credit:links")))
    assert BASIS in text_of(browser.get(reverse("credit:link", args=[made.pk])))
    assert BASIS in body(browser.get(reverse("credit:links_export"))).decode()
    assert not list(faults())


def test_shown_is_what_counts_and_no_finding_that_waits(sign_in: SignIn, clock: Moment) -> None:
    """What is out of use counts for nobody; what another department found and nobody has heard of is not told."""
    older, old, new = (make.company(place) for place in range(3))
    linked(older, old, clock.at)
    used, ended, repaired, long_ago, kept = (
        CreditRecord.objects.create(
            subject=subject, kind="revoked", source=f"S-{place}", basis="行政许可法", found_at=clock.at,
            department=make.department(make.STRANGER),
        )
        for place, subject in enumerate((old, old, old, older, older))
    )  # fmt: skip
    today = clock.at.date()
    CreditRecord.objects.filter(pk=used.pk).update(shown_until=today)
    CreditRecord.objects.filter(pk=ended.pk).update(shown_until=today - dt.timedelta(days=1))
    CreditRecord.objects.filter(pk=repaired.pk).update(repaired_at=clock.at)
    CreditRecord.objects.filter(pk=long_ago.pk).update(found_at=clock.at - dt.timedelta(days=3 * 366))
    CreditRecord.objects.filter(pk=kept.pk).update(kind="praise")
    make.fact(clock.at, subject=old, who=make.STRANGER)
    SubjectGrade.objects.create(
        subject=old, grade="poor", source="公共信用", given_at=clock.at, received_at=clock.at
    )  # fmt: skip
    shown = text_of(sign_in(make.OFFICER).post(NEW, said(old, new)))
    assert f"一并计算“{old.name}”使用中的信用记录 2 条；公共信用评价不随同计算" in shown
    assert "以前衔接的 1 个代码一并计算" in shown
    assert "待认定" not in shown.split("<main")[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"before": ""}, "请填写原代码。"),
        ({"after": "91320700MA1DEM0"}, "统一社会信用代码应为 18 位"),
        ({"after": "91320700MA1PXHZZ9X"}, "不允许的字符"),
        ({"before": make.PERSON}, "自然人不作代码衔接"),
        ({"after": "same"}, "原代码和新代码相同"),
        ({"after": "unknown"}, "本平台没有代码为"),
        ({"kind": ""}, "请选择换发代码、吸收合并或者分立。"),
        ({"kind": "bought"}, "请选择换发代码、吸收合并或者分立。"),
        ({"on": ""}, "请填写生效日"),
        ({"on": "2026-09-29"}, "生效日不能晚于今天"),
        ({"basis": "变更通知"}, "依据至少 10 个字"),
        ({"basis": " "}, "请写明衔接的依据"),
        ({"carries": "no"}, "换发代码、吸收合并的，信用记录一律随同计算。"),
        ({"carries": "no", "kind": "split"}, "请写明信用记录不随同计算的理由"),
    ],
)
def test_what_is_refused_in_words(sign_in: SignIn, clock: Moment, changes: dict[str, str], words: str) -> None:
    old, new = make.company(), make.company(1)
    places = {"same": old.code or "", "unknown": code_of("91320700MA1PXJ999")}
    changed = {name: places.get(value, value) for name, value in changes.items()}
    make.person()
    for step in ("check", "confirm"):
        answer = sign_in(make.OFFICER).post(NEW, said(old, new, **changed, step=step, seen="1"))
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert BASIS in text_of(answer) or "basis" in changes
    assert not SubjectLink.objects.exists()


def test_chains_count_and_circles_are_refused(sign_in: SignIn, clock: Moment) -> None:
    a, b, c, d = (make.company(place) for place in range(4))
    linked(a, b, clock.at, "replaced")
    linked(b, c, clock.at)
    linked(d, c, clock.at)
    assert lineage(c) == [c.pk, b.pk, d.pk, a.pk]
    browser = sign_in(make.OFFICER)
    for old, new, words in (
        (c, a, "不能反过来再衔接"),
        (b, a, "不能反过来再衔接"),
        (a, b, "已经衔接"),
        (a, d, "原代码已经换发、合并或者分立"),
    ):
        answer = browser.post(NEW, said(old, new))
        assert answer.status_code == 422
        assert words in text_of(answer)
    assert SubjectLink.objects.count() == 3


def test_a_split_counts_for_each_unless_the_link_says_not(clock: Moment, city: None) -> None:
    old, one, two, three = (make.company(place) for place in range(4))
    linked(old, one, clock.at, "split")
    kept = linked(old, two, clock.at, "split", carries=False, carries_reason="分立协议约定由甲方承继。")
    assert lineage(one) == [one.pk, old.pk]
    assert lineage(two) == [two.pk]
    assert kept.carries_reason
    with pytest.raises(Refused) as refused:
        linked(old, three, clock.at, "merged")
    assert refused.value.code == "link-succeeded"


def test_set_aside_stays_to_be_read_and_may_be_linked_anew(sign_in: SignIn, clock: Moment) -> None:
    old, new = make.company(), make.company(1)
    made = linked(old, new, clock.at)
    browser = sign_in(make.STRANGER)  # an officer of another department of the city
    page, undo = (reverse(f"credit:{name}", args=[made.pk]) for name in ("link", "link_undo"))
    assert browser.post(undo, {"reason": " "}).status_code == 422
    assert browser.post(undo, {"reason": "通知书看错了代码。"}).status_code == 302
    assert lineage(new) == [new.pk]
    made.refresh_from_db()
    assert (made.set_aside_by, made.set_aside_at) == (make.officer(make.STRANGER), clock.at)
    assert made.history.count() == 2
    assert "通知书看错了代码。" in text_of(browser.get(page))
    assert "通知书看错了代码。" in body(browser.get(reverse("credit:links_export"), {"tab": "aside"})).decode()
    assert old.name not in text_of(browser.get(reverse("credit:links")))
    again = browser.post(undo, {"reason": "再撤一次看看。"})
    assert again.status_code == 409
    assert "再撤一次看看。" in text_of(again)
    assert Entry.objects.filter(act="credit.unlinked").count() == 2
    linked(old, new, clock.at)
    assert lineage(new) == [new.pk, old.pk]


def test_officers_of_a_county_read_and_do_not_link(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    old, new = make.company(), make.company(1)
    made = linked(old, new, clock.at)
    to_county(make.STRANGER)
    browser = sign_in(make.STRANGER)
    listed, page = text_of(browser.get(reverse("credit:links"))), reverse("credit:link", args=[made.pk])
    assert old.name in listed
    assert NEW not in listed
    undo = reverse("credit:link_undo", args=[made.pk])
    assert undo not in text_of(browser.get(page))
    for method, url in ((browser.get, NEW), (browser.post, NEW), (browser.post, undo)):
        assert method(url).status_code == 404
    api = caller(make.STRANGER)
    wanted = {"before": new.code, "after": make.company(2).code, "kind": "merged", "on": "2026-09-01", "basis": BASIS}
    problem(api.post("/api/v1/credit/links/", wanted, format="json"), 409, "city-officers-only")
    problem(
        api.post(f"/api/v1/credit/links/{made.pk}/set-aside/", {"reason": "不对"}, format="json"), 409,
        "city-officers-only",
    )  # fmt: skip
    assert lineage(new) == [new.pk, old.pk]


@pytest.mark.parametrize("username", ["chuangkou1", "zhujian.fuzeren", "duban1", "guanliyuan1"])
def test_for_everybody_else_there_is_nothing(sign_in: SignIn, clock: Moment, username: str) -> None:
    made = linked(make.company(), make.company(1), clock.at)
    browser = sign_in(username)
    for url in (reverse("credit:links"), NEW, reverse("credit:links_export"), reverse("credit:link", args=[made.pk])):
        assert browser.get(url).status_code == 404
    assert browser.post(NEW, said(make.company(2), make.company(3))).status_code == 404
    assert browser.post(reverse("credit:link_undo", args=[made.pk]), {"reason": "不对"}).status_code == 404
    assert SubjectLink.objects.count() == 1


def test_the_api(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    old, new = make.company(), make.company(1)
    officer, root = caller(make.OFFICER), "/api/v1/credit/links/"
    wanted: dict[str, Any] = {
        "before": old.code, "after": new.code, "kind": "split", "on": "2026-09-01", "basis": BASIS, "carries": False,
    }  # fmt: skip
    problem(officer.post(root, wanted, format="json"), 422, "link-carries-reason-missing")
    problem(officer.post(root, wanted | {"before": make.PERSON}, format="json"), 422, "link-person")
    problem(officer.post(root, wanted | {"on": None}, format="json"), 422, "link-day-missing")
    problem(officer.post(root, {}, format="json"), 422, "link-code-missing")
    made = officer.post(root, wanted | {"carries_reason": "分立协议约定。"}, format="json")
    assert made.status_code == 201
    assert (made.json()["before"]["form"], made.json()["carries"]) == ("company", False)
    assert [row["id"] for row in officer.get(root).json()["results"]] == [made.json()["id"]]
    assert officer.get(f"{root}?q={new.code}").json()["results"]
    assert officer.get(f"{root}?q=nobody").json()["results"] == []
    aside = f"{root}{made.json()['id']}/set-aside/"
    problem(officer.post(aside, {}, format="json"), 422, "reason-missing")
    assert officer.post(aside, {"reason": "登记有误。"}, format="json").json()["set_aside_at"]
    problem(officer.post(aside, {"reason": "登记有误。"}, format="json"), 409, "state-conflict")
    assert officer.get(root).json()["results"] == []
    assert officer.get(f"{root}?tab=aside").json()["results"][0]["set_aside_reason"] == "登记有误。"


def test_the_database_refuses_what_the_act_would_not_write(clock: Moment, city: None) -> None:
    old, new = make.company(), make.company(1)
    good: dict[str, Any] = {"before": old, "after": new, "kind": "merged", "on": DAY, "basis": BASIS}
    good |= {"by": make.officer(), "at": clock.at}
    SubjectLink.objects.create(**good)
    for wrong in (
        {"after": old}, {}, {"after": make.company(2)}, {"before": make.company(2), "carries": False},
        {"before": make.company(2), "kind": "split", "carries": False},
        {"before": make.company(2), "set_aside_at": clock.at},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            SubjectLink.objects.create(**(good | wrong))


def test_a_lineage_is_bounded_in_one_statement_and_safe_in_a_circle(
    clock: Moment, city: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    chain = [numbered(place) for place in range(MOST + 1)]
    for old, new in zip(chain[: MOST - 1], chain[1:MOST], strict=True):
        linked(old, new, clock.at, "replaced")
    with django_assert_num_queries(1):
        assert lineage(chain[MOST - 1]) == [one.pk for one in reversed(chain[:MOST])]
    with pytest.raises(Refused) as refused:
        linked(chain[MOST - 1], chain[MOST], clock.at)
    assert refused.value.code == "link-too-many"
    # As if somebody had written past the act.
    given: dict[str, Any] = {"kind": "merged", "on": DAY, "basis": BASIS, "by": make.officer(), "at": clock.at}
    SubjectLink.objects.create(before=chain[MOST - 1], after=chain[0], **given)
    assert sorted(lineage(chain[0])) == sorted(one.pk for one in chain[:MOST])
    with django_assert_num_queries(0):
        person = CreditSubject(pk=1, kind=CreditSubject.Kind.PERSON)
        assert lineage(person) == [1]


def test_the_list_costs_the_same_for_one_and_for_many(sign_in: SignIn, clock: Moment) -> None:
    linked(numbered(1), numbered(2), clock.at)
    browser = sign_in(make.OFFICER)
    browser.get(reverse("credit:links"))
    before = count(browser)
    for number in range(3, 13):
        linked(numbered(number), numbered(2), clock.at)
    assert count(browser) == before


def count(browser: Client) -> int:
    """Statements of the list."""
    with CaptureQueriesContext(connection) as found:
        browser.get(reverse("credit:links"))
    return len(found)


# --- at once


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts at the same moment, each on its own connection; return results or what they raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


@pytest.mark.django_db(transaction=True)
def test_two_officers_link_both_ways_at_once(town: None, clock: Moment) -> None:
    for number in range(3):
        a, b = numbered(2 * number), numbered(2 * number + 1)
        results = together(partial(linked, a, b, clock.at), partial(linked, b, a, clock.at))
        [refusal] = [one for one in results if isinstance(one, Refused)]
        assert refusal.code == "link-circle"
        assert SubjectLink.objects.filter(before__in=(a, b)).count() == 1


@pytest.mark.django_db(transaction=True)
def test_four_codes_never_close_a_circle(town: None, clock: Moment) -> None:
    """B → C and D → A stand; A → B and C → D at once would close it, though neither names a code of the other."""
    for number in range(3):
        a, b, c, d = (numbered(4 * number + place) for place in range(4))
        linked(b, c, clock.at)
        linked(d, a, clock.at)
        results = together(partial(linked, a, b, clock.at), partial(linked, c, d, clock.at))
        [refusal] = [one for one in results if isinstance(one, Refused)]
        assert refusal.code in {"link-circle", "state-conflict"}


@pytest.mark.django_db(transaction=True)
def test_two_officers_set_aside_at_once(town: None, clock: Moment) -> None:
    made = linked(numbered(1), numbered(2), clock.at)
    people = (make.officer(), make.officer(make.STRANGER))
    results = together(*(lambda by=by: joining.undo(made, reason="登记有误。", by=by, now=clock.at) for by in people))
    [refusal] = [one for one in results if isinstance(one, Refused)]
    assert (refusal.code, refusal.conflict) == ("state-conflict", True)
    assert Entry.objects.filter(act="credit.unlinked").count() == 2
    assert CreditRecord.objects.count() == 0
