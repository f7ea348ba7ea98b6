"""Out of use: repair and correction asked for and decided, a platform's notice taken; nothing twice, nothing early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from credit import gate
from credit.actions import repairing
from credit.lists import state_of
from credit.models import CreditRecord, CreditSubject, Push, Repair, note_kept_promise
from credit.using import in_use
from credit.words import by_day
from deadlines.clock import local_date
from deadlines.sweep import sweep
from ledger.models import Entry
from notifications.models import Message
from offices.refusals import Refused, TransitionNotAllowed
from oversight import portraits
from tests import city as demo_city
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make
from tests.supervision.racing import behind

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
MINOR: dict[str, Any] = {"kind": "late_material", "listed": "A04", "level": "minor"}
ASKED = {"ground": "mended", "statement": "材料已补齐，已培训经办人。"}
WRONG = {"ground": "wrong", "statement": "决定书已被复议撤销。"}


def page(record: CreditRecord) -> str:
    return reverse("credit:record", args=[record.pk])


def url(name: str, pk: int) -> str:
    return reverse(f"credit:{name}", args=[pk])


def pushes(record: CreditRecord) -> list[tuple[str, int]]:
    return list(Push.objects.filter(record=record).order_by("seq").values_list("kind", "seq"))


def acts(subject: CreditSubject) -> list[str]:
    found = Entry.objects.filter(stream=subject.stream, act__startswith="credit.").order_by("seq")
    return [entry.act for entry in found]


def test_asked_granted_and_everything_lifts(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock, **MINOR)
    browser = sign_in(make.OFFICER)
    assert "登记修复或者更正申请" in text_of(browser.get(page(record)))
    bare = browser.post(url("record_repair", record.pk), {"ground": "mended", "statement": " "})
    assert bare.status_code == 422
    assert browser.post(url("record_repair", record.pk), ASKED).status_code == 302
    repair = Repair.objects.get()
    assert repair.deadline is not None
    assert record.source in text_of(browser.get("/credit/records/?tab=waiting"))
    second = browser.post(url("record_repair", record.pk), ASKED)
    assert second.status_code == 409
    assert "未办结的申请" in text_of(second)
    assert ASKED["statement"] in text_of(second)
    unsaid = browser.post(url("repair_decision", repair.pk), {"verdict": "grant", "reason": ""})
    assert unsaid.status_code == 422
    verdict = {"verdict": "grant", "reason": "已经纠正。"}
    assert browser.post(url("repair_decision", repair.pk), verdict).status_code == 302
    record.refresh_from_db()
    repair.refresh_from_db()
    assert record.repaired_at == clock.at
    assert (repair.granted, repair.decided_by, repair.deadline.state) == (True, make.officer(), "met")
    assert pushes(record) == [("record", 1), ("lifted", 2)]
    assert acts(record.subject)[-3:] == ["credit.repair_asked", "credit.record_repaired", "credit.push_queued"]
    assert Message.objects.filter(dedupe_key__endswith=f"record:{record.pk}:lifted").count() == 1
    assert record.source not in text_of(browser.get("/credit/records/"))
    assert "已修复" in text_of(browser.get(page(record)))
    # A second repair of it, by whatever way.
    for name, pk, posted in (
        ("record_repair", record.pk, ASKED),
        ("record_repair", record.pk, WRONG),
        ("record_notice", record.pk, {"notice": "XF1", "text": "修复"}),
    ):
        answer = browser.post(url(name, pk), posted)
        assert answer.status_code == 409
        assert "不能再次修复" in text_of(answer)
    assert browser.post(url("repair_decision", repair.pk), verdict).status_code == 409
    assert pushes(record) == [("record", 1), ("lifted", 2)]


def test_too_early_for_repair_but_never_for_a_correction(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    browser = sign_in(make.OFFICER)
    assert record.repair_from is not None
    clock.at = make.noon(record.repair_from - dt.timedelta(days=1))
    early = browser.post(url("record_repair", record.pk), ASKED)
    assert early.status_code == 422
    assert "最短公示期未满" in text_of(early)
    assert ASKED["statement"] in text_of(early)
    assert browser.post(url("record_repair", record.pk), WRONG).status_code == 302
    repair = Repair.objects.get()
    verdict = {"verdict": "grant", "reason": "决定书已被撤销。"}
    assert browser.post(url("repair_decision", repair.pk), verdict).status_code == 302
    record.refresh_from_db()
    assert (record.withdrawn_at, record.repaired_at) == (clock.at, None)
    assert pushes(record) == [("record", 1), ("withdrawn", 2)]
    assert "已更正撤回" in text_of(browser.get(page(record)))


def test_on_the_first_day_repair_may_be_asked_for(city: None, clock: Moment) -> None:
    record = make.recorded(clock)
    assert record.repair_from is not None
    now = make.noon(record.repair_from)
    assert repairing.ask(record, **ASKED, by=make.officer(), now=now).granted is None


def test_refused_with_reasons_it_stays_and_may_be_asked_for_again(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock, **MINOR)
    browser = sign_in(make.OFFICER)
    browser.post(url("record_repair", record.pk), ASKED)
    first = Repair.objects.get()
    said = {"verdict": "refuse", "reason": "材料仍未补齐。"}
    assert browser.post(url("repair_decision", first.pk), said).status_code == 302
    record.refresh_from_db()
    assert not record.is_lifted
    assert pushes(record) == [("record", 1)]
    [sms] = Message.objects.filter(dedupe_key__contains=f"repair:{first.pk}")
    assert "材料仍未补齐" in sms.text
    assert browser.post(url("record_repair", record.pk), ASKED).status_code == 302
    assert Repair.objects.filter(granted__isnull=True).count() == 1


def test_a_notice_of_the_platform_lifts_once_and_answers_what_was_asked(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    other = make.recorded(clock, **MINOR, source="连住建撤〔2026〕2号")
    assert record.repair_from is not None
    now = clock.at = make.noon(record.repair_from)
    asked = repairing.ask(record, **WRONG, by=make.officer(), now=now)
    browser = sign_in(make.OFFICER)
    said = {"notice": "信用修复〔2026〕8号", "text": "准予修复。"}
    assert browser.post(url("record_notice", record.pk), {"notice": "", "text": "准予"}).status_code == 422
    assert browser.post(url("record_notice", record.pk), said).status_code == 302
    record.refresh_from_db()
    asked.refresh_from_db()
    assert (asked.granted, asked.notice) == (True, said["notice"])
    assert (record.repaired_at, record.withdrawn_at) == (now, None)
    assert pushes(record) == [("record", 1), ("lifted", 3)]
    # The platform says it twice: nothing more happens.
    assert repairing.take_notice(record, notice=said["notice"], text=said["text"], now=now) == asked
    assert pushes(record) == [("record", 1), ("lifted", 3)]
    # However its number is typed, it is the same notice.
    for typed in ("信用修复〔2026〕8号", "信用修复(2026)８号", " 信用修复［2026］ 8 号"):
        again = browser.post(url("record_notice", record.pk), said | {"notice": typed})
        assert again.status_code == 302
    for typed in ("信用修复〔2026〕8号", "信用修复（2026）８号"):
        answer = browser.post(url("record_notice", other.pk), said | {"notice": typed})
        assert answer.status_code == 422
        assert "另一条记录" in text_of(answer)
    assert Repair.objects.count() == 1


def test_no_notice_repairs_before_the_shortest_period_is_over(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    assert record.repair_from is not None
    browser = sign_in(make.OFFICER)
    clock.at = make.noon(record.repair_from - dt.timedelta(days=1))
    assert "登记信用平台的修复通知" not in text_of(browser.get(page(record)))
    early = browser.post(url("record_notice", record.pk), {"notice": "N1", "text": "准予修复。"})
    assert early.status_code == 422
    assert "起才能登记修复通知" in text_of(early)
    assert "准予修复。" in text_of(early)
    record.refresh_from_db()
    assert not record.is_lifted
    assert not Repair.objects.exists()
    clock.at = make.noon(record.repair_from)
    assert "登记信用平台的修复通知" in text_of(browser.get(page(record)))
    assert browser.post(url("record_notice", record.pk), {"notice": "N1", "text": "准予修复。"}).status_code == 302


def test_a_notice_without_a_request_is_a_repair_of_the_platforms(city: None, clock: Moment) -> None:
    record = make.recorded(clock)
    repair = make.noticed(record, clock.at)
    assert (repair.origin, repair.granted, repair.decided_by, repair.deadline) == ("platform", True, None, None)
    assert acts(record.subject)[-3:] == ["credit.notice_taken", "credit.record_repaired", "credit.push_queued"]


def _outside(subject: CreditSubject, kind: str, now: dt.datetime, **values: Any) -> CreditRecord:
    return CreditRecord.objects.create(
        subject=subject, kind=kind, origin="platform", source="外部1号", basis="信用中国", found_at=now, **values
    )


def test_records_from_outside_are_mended_outside(city: None, clock: Moment) -> None:
    subject = make.company()
    sanction = _outside(subject, "sanction", clock.at)
    serious = _outside(subject, "serious", clock.at)
    kept = note_kept_promise(subject, source="T1", basis="演示", at=clock.at)
    with pytest.raises(Refused) as nothing:
        repairing.ask(kept, ground="mended", statement="请修复。", by=None, now=clock.at)
    assert nothing.value.code == "repair-nothing"
    for record, code in ((sanction, "repair-elsewhere"), (serious, "serious-read-only")):
        for ground in Repair.Ground.values:
            with pytest.raises(Refused) as error:
                repairing.ask(record, ground=ground, statement="请修复。", by=None, now=clock.at)
            assert error.value.code == code
    for record, code in ((serious, "serious-read-only"), (kept, "repair-nothing")):
        with pytest.raises(Refused) as error:
            repairing.take_notice(record, notice="N1", text="移出。", now=clock.at)
        assert error.value.code == code
    # A notice about a record that the platform itself gave: out of use here, and nothing to tell the platform.
    repairing.take_notice(sanction, notice="N2", text="准予修复。", now=clock.at)
    sanction.refresh_from_db()
    assert sanction.repaired_at == clock.at
    assert not Push.objects.filter(record=sanction).exists()
    assert not Repair.objects.filter(record__in=[serious, kept]).exists()


def test_a_kept_promise_is_withdrawn_as_wrong_and_never_repaired(sign_in: SignIn, clock: Moment) -> None:
    record = note_kept_promise(
        make.company(), source="JG-1", basis="核查属实", at=clock.at, department=make.department()
    )  # fmt: skip
    breach = make.recorded(clock, **MINOR)
    browser = sign_in(make.OFFICER)
    listed = text_of(browser.get("/credit/records/", {"kind": "kept_promise"}))
    assert "JG-1" in listed
    assert breach.source not in listed
    shown = text_of(browser.get(page(record)))
    assert "不需要修复；记录有误的，可以随时申请更正" in shown
    assert "登记更正申请" in shown
    assert 'value="mended"' not in shown
    assert "登记信用平台的修复通知" not in shown
    assert browser.post(url("record_repair", record.pk), ASKED).status_code == 422
    notice = browser.post(url("record_notice", record.pk), {"notice": "N1", "text": "修复"})
    assert notice.status_code == 409
    assert not Repair.objects.exists()
    assert browser.post(url("record_repair", record.pk), WRONG).status_code == 302
    verdict = {"verdict": "grant", "reason": "核查结果有误。"}
    assert browser.post(url("repair_decision", Repair.objects.get().pk), verdict).status_code == 302
    record.refresh_from_db()
    assert (record.withdrawn_at, record.repaired_at) == (clock.at, None)
    assert [kind for kind, _ in pushes(record)][-1] == "withdrawn"
    assert "JG-1" in text_of(browser.get("/credit/records/", {"tab": "lifted", "kind": "kept_promise"}))


def test_another_departments_record_does_not_exist(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock, **MINOR)
    repair = repairing.ask(record, **ASKED, by=make.officer(), now=clock.at)
    stranger = sign_in(make.STRANGER)
    assert record.source not in text_of(stranger.get("/credit/records/"))
    for address, posted in (
        (page(record), None),
        (url("record_repair", record.pk), ASKED),
        (url("record_notice", record.pk), {"notice": "N", "text": "修复"}),
        (url("repair_decision", repair.pk), {"verdict": "grant", "reason": "同意"}),
    ):
        assert stranger.get(address).status_code == 404, address
        if posted:
            assert stranger.post(address, posted).status_code == 404, address
    with pytest.raises(Refused, match="信用管理员"):
        repairing.settle(repair, grant=True, reason="同意", by=make.officer(make.STRANGER), now=clock.at)
    repair.refresh_from_db()
    assert repair.granted is None


def test_an_open_request_presses_the_officer_then_the_head_then_the_overseers(city: None, clock: Moment) -> None:
    record = make.recorded(clock, **MINOR)
    repair = repairing.ask(record, **ASKED, by=None, now=clock.at)
    assert repair.deadline is not None
    [asked] = Message.objects.filter(kind="credit_staff")
    assert asked.to_user == make.officer()
    due = repair.deadline.due_on
    assert f"请{by_day(due)}办结" in asked.text
    [received] = Message.objects.filter(dedupe_key__endswith=f"repair:{repair.pk}:received")
    assert f"{by_day(due)}决定并告知您" in received.text
    sweep(make.noon(due))
    told = {one.to_user.username for one in Message.objects.filter(kind="credit_reminder") if one.to_user}
    assert told == {make.OFFICER}
    for days in range(1, 12):
        sweep(make.noon(due + dt.timedelta(days=days)))
    told = {one.to_user.username for one in Message.objects.filter(kind="credit_reminder") if one.to_user}
    assert told == {make.OFFICER, "zhujian.fuzeren", "duban1"}
    said = "".join(Message.objects.filter(kind="credit_reminder").values_list("text", flat=True))
    assert f"已超期1个工作日（最迟应在{due.month}月{due.day}日办结）" in said
    before = Message.objects.filter(kind="credit_reminder").count()
    late = make.noon(due + dt.timedelta(days=12))
    repairing.settle(repair, grant=True, reason="同意。", by=make.officer(), now=late)
    sweep(make.noon(due + dt.timedelta(days=15)))
    assert Message.objects.filter(kind="credit_reminder").count() == before
    with pytest.raises(TransitionNotAllowed):
        repairing.settle(repair, grant=False, reason="反悔。", by=make.officer(), now=late)


def test_display_ends_by_itself_after_its_last_day(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    browser = sign_in(make.OFFICER)
    assert record.shown_until is not None
    clock.at = make.noon(record.shown_until)
    assert record.source in text_of(browser.get("/credit/records/"))
    make.after(clock, record.shown_until)
    assert record.source not in text_of(browser.get("/credit/records/"))
    assert record.source in text_of(browser.get("/credit/records/?tab=ended"))
    assert "公示期满" in text_of(browser.get(page(record)))
    assert "公示期满" in body(browser.get("/credit/records/export.csv?tab=ended")).decode()
    record.refresh_from_db()
    assert local_date(clock.at) > record.shown_until
    assert not record.is_lifted


def test_a_record_is_said_to_be_what_it_is(sign_in: SignIn, clock: Moment) -> None:
    office, subject, old = make.department(), make.company(), clock.at - dt.timedelta(days=3 * 366)

    def found(source: str, kind: str, at: dt.datetime = clock.at, **more: Any) -> CreditRecord:
        said = {"subject": subject, "department": office, "basis": "依据", "found_at": at} | more
        return CreditRecord.objects.create(source=source, kind=kind, **said)

    platform: dict[str, Any] = {"origin": "platform", "department": None}
    live = {
        found("轻微1号", "sanction", level="minor"): ("使用中，不公示", "warn"),
        found("一般1号", "sanction", level="general", shown_until=local_date(clock.at)): ("公示中", "warn"),
        found("履约1号", "kept_promise"): ("使用中", "good"),
        found("表彰旧号", "praise", old): ("使用中", "good"),
        found("名单1号", "serious", **platform): ("使用中", "warn"),
    }
    over = {
        found("轻微旧号", "sanction", old, level="minor"): ("已满三年，不再使用", "neutral"),
        found("一般旧号", "sanction", level="general", shown_until=clock.at.date() - dt.timedelta(days=1)): (
            "公示期满", "neutral",
        ),
        found("名单旧号", "serious", old, **platform): ("已满三年，不再使用", "neutral"),
    }  # fmt: skip
    used = CreditRecord.objects.filter(in_use(local_date(clock.at)))
    assert set(used) == set(live)
    officer, overseer = sign_in(make.OFFICER), sign_in("duban1")
    for tab, rows in (("", live), ("ended", over)):
        listed = text_of(officer.get("/credit/records/", {"tab": tab}))
        exported = body(officer.get("/credit/records/export.csv", {"tab": tab})).decode().splitlines()[1:]
        mine = {row: said for row, said in rows.items() if row.department}
        assert listed.count("row-title") == len(exported) == len(mine), tab
        for row, (label, _) in mine.items():
            assert row.source in listed
            assert any(row.source in line and line.strip().endswith(label) for line in exported), row
    portrait = text_of(overseer.get(reverse("subjects:subject", args=[subject.pk])))
    assert portrait.count("使用中，不公示") == 1
    for row, (label, tone) in (live | over).items():
        assert state_of(row, local_date(clock.at)) == {"label": label, "tone": tone}
    assert not set(over) & {row["record"] for row in portraits.live(subject, local_date(clock.at))}


def test_the_records_are_searched_and_filtered(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock, **MINOR)
    browser = sign_in(make.OFFICER)
    for query, found in (
        ("q=" + record.source, 1), ("q=海州湾", 1), (f"q={record.subject.code}", 1), ("q=nobody", 0),
        ("level=minor", 1), ("level=serious", 0), ("kind=broken_promise", 1), ("kind=revoked", 0),
    ):  # fmt: skip
        assert text_of(browser.get(f"/credit/records/?{query}")).count("row-title") == found, query


def test_what_was_withdrawn_as_wrong_closes_nothing(city: None, clock: Moment) -> None:
    record = make.recorded(clock)
    assert not gate.ask(record.subject, clock.at).opens("promise")
    asked = repairing.ask(record, **WRONG, by=None, now=clock.at)
    repairing.settle(asked, grant=True, reason="决定书已被撤销。", by=make.officer(), now=clock.at)
    answer = gate.ask(record.subject, clock.at)
    assert (answer.opens("promise"), answer.records) == (True, ())


def test_a_number_that_grows_when_it_is_written_plainly_is_measured_as_it_is_kept(
    sign_in: SignIn, clock: Moment
) -> None:
    record = make.recorded(clock, **MINOR)
    CreditRecord.objects.filter(pk=record.pk).update(repair_from=local_date(clock.at))
    browser = sign_in(make.OFFICER)
    long = browser.post(url("record_notice", record.pk), {"notice": "№" * 31, "text": "准予修复。"})
    assert (long.status_code, "60" in text_of(long)) == (422, True)
    assert browser.post(url("record_notice", record.pk), {"notice": "№" * 30, "text": "准予修复。"}).status_code == 302
    assert Repair.objects.get().notice == "NO" * 30


def test_of_what_has_no_contact_the_officer_is_told_to_tell_the_subject(sign_in: SignIn, clock: Moment) -> None:
    record = note_kept_promise(
        make.company(), source="JG-1", basis="核查属实", at=clock.at, department=make.department()
    )  # fmt: skip
    browser = sign_in(make.OFFICER)
    assert browser.post(url("record_repair", record.pk), WRONG).status_code == 302
    shown = text_of(browser.get(page(record)))
    assert ("请另行告知当事人" in shown, "短信告知当事人的联系人" in shown) == (True, False)
    verdict = {"verdict": "refuse", "reason": "核查结果无误，维持记录。"}
    done = text_of(browser.post(url("repair_decision", Repair.objects.get().pk), verdict, follow=True))
    assert ("理由请另行告知当事人" in done, "理由已告知申请人" in done) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_one_notice_for_records_of_two_subjects_at_once(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    first = make.recorded(clock)
    other = make.recorded(clock, subject=make.company(1), source="连住建撤〔2026〕2号")
    assert other.repair_from is not None
    now = make.noon(other.repair_from)

    def take(record: CreditRecord) -> Repair:
        return repairing.take_notice(record, notice="N1", text="准予修复。", now=now, by=make.officer())

    assert behind(partial(take, first), partial(take, other)) == ("done", "notice-of-another")
    assert Repair.objects.get().record == first
    other.refresh_from_db()
    assert not other.is_lifted
    assert pushes(other) == [("record", 1)]
