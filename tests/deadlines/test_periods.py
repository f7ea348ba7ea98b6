"""The table of kinds and the room that it leaves: generated from ``KINDS``, so that no kind is forgotten."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from deadlines import checks, periods, table
from deadlines.alarms import Alarms
from deadlines.enums import ART_45, PauseGround, Room, Unit
from deadlines.kinds import KINDS, STAGES, Extension, Kind, KindCode
from deadlines.models import PeriodRule
from deadlines.periods import PeriodRefused
from ledger.models import Entry
from offices.models import Division, User
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "mechanisms" / "periods.md"
SAID = {"reason": "会议纪要〔2026〕3号", "approved_by": "分管副市长"}


def most(kind: Kind) -> int:
    """The longest length that the law leaves to a division; 0 where it leaves none."""
    return {Room.SHORTER: kind.length or 0, Room.FREE: kind.longest or 0}.get(kind.room, 0)


LENGTHS = [
    (code, length) for code in KindCode for length in sorted({0, 1, 2, most(KINDS[code]), most(KINDS[code]) + 1, 366})
]


@pytest.fixture
def division() -> Division:
    return Division.objects.create(code="320700", name="连云港市", level=Division.Level.CITY)


@pytest.fixture
def admin() -> User:
    made: User = User.objects.create(username="admin", full_name="管理员")
    return made


# --- what may be set


@pytest.mark.parametrize(("code", "length"), LENGTHS)
def test_a_length_is_set_where_the_law_leaves_room_and_refused_where_not(
    division: Division, admin: User, clock: Moment, code: KindCode, length: int
) -> None:
    allowed = 1 <= length <= most(KINDS[code])
    assert bool(periods.refusal(code, length)) is not allowed
    if allowed:
        rule = periods.set_period(code, division, length, **SAID, by=admin, now=clock.at)
        assert periods.load([code]).length(code, division.pk) == length
        assert Entry.objects.get(stream=rule.stream).data == {
            "kind": str(code), "item": "", "from": None, "to": length,
        }  # fmt: skip
    else:
        with pytest.raises(PeriodRefused) as refused:
            periods.set_period(code, division, length, **SAID, by=admin, now=clock.at)
        assert refused.value.field == "length"
        assert re.fullmatch(r".+。", str(refused.value))
        assert not PeriodRule.objects.exists()
        assert not Entry.objects.exists()
        assert periods.load([code]).length(code, division.pk) == KINDS[code].length
        with pytest.raises(IntegrityError), transaction.atomic():  # the database says so too
            PeriodRule.objects.create(
                kind=code, division=division, length=length, **SAID, set_by=admin, set_at=clock.at
            )


def test_what_the_law_fixes_is_named_with_its_law() -> None:
    assert periods.refusal(KindCode.CORRECTION_NOTICE, 4).startswith("一次性告知期限由行政许可法第三十二条")
    assert periods.refusal(KindCode.JOINT_STATUTORY, 40)
    assert "最长10个工作日（行政许可法第四十四条）" in periods.refusal(KindCode.ISSUE, 11)
    assert "由事项依法设定" in periods.refusal(KindCode.DECISION_PROMISED, 3)


@pytest.mark.parametrize("field", ["reason", "approved_by"])
def test_a_length_needs_its_reason_and_its_approver(division: Division, admin: User, clock: Moment, field: str) -> None:
    with pytest.raises(PeriodRefused) as refused:
        periods.set_period(KindCode.ISSUE, division, 5, **(SAID | {field: "  "}), by=admin, now=clock.at)
    assert refused.value.field == field
    rule = periods.set_period(KindCode.ISSUE, division, 5, **SAID, by=admin, now=clock.at)
    with pytest.raises(IntegrityError), transaction.atomic():
        PeriodRule.objects.filter(pk=rule.pk).update(**{field: ""})


def test_the_item_goes_before_the_division_and_the_division_before_the_table(
    division: Division, admin: User, clock: Moment
) -> None:
    code = KindCode.STAGE_REVIEW
    other = Division.objects.create(code="320722", name="东海县", level=Division.Level.COUNTY, parent=division)

    def lengths() -> tuple[int | None, ...]:
        found = periods.load([code])
        pairs = ((division, "SP-0601"), (division, "SP-0101"), (division, ""), (other, "SP-0601"), (other, ""))
        return tuple(found.length(code, where.pk, item) for where, item in pairs)

    assert lengths() == (3, 3, 3, 3, 3)
    whole = periods.set_period(code, division, 4, **SAID, by=admin, now=clock.at)
    assert lengths() == (4, 4, 4, 3, 3)
    one = periods.set_period(code, division, 2, **SAID, by=admin, now=clock.at, item_code="SP-0601")
    assert lengths() == (2, 4, 4, 3, 3)
    periods.unset_period(one, by=admin, now=clock.at)
    assert lengths() == (4, 4, 4, 3, 3)
    periods.unset_period(whole, by=admin, now=clock.at)
    assert lengths() == (3, 3, 3, 3, 3)
    told = [(entry.data["item"], entry.data["from"], entry.data["to"]) for entry in Entry.objects.order_by("seq")]
    assert told == [("", None, 4), ("SP-0601", None, 2), ("SP-0601", 2, 4), ("", 4, 3)]


def test_the_same_again_writes_nothing_and_a_change_keeps_one_rule(
    division: Division, admin: User, clock: Moment
) -> None:
    rule = periods.set_period(KindCode.FEEDBACK, division, 4, **SAID, by=admin, now=clock.at)
    assert periods.set_period(KindCode.FEEDBACK, division, 4, **SAID, by=admin, now=clock.at) == rule
    assert (Entry.objects.count(), rule.history.count()) == (1, 1)
    periods.set_period(KindCode.FEEDBACK, division, 3, **SAID, by=admin, now=clock.at)
    for _ in range(2):
        periods.unset_period(rule, by=admin, now=clock.at)
    assert [entry.data["to"] for entry in Entry.objects.order_by("seq")] == [4, 3, 5]
    assert [(row.length, row.active, row.history_user) for row in rule.history.order_by("history_id")] == [
        (4, True, admin), (3, True, admin), (3, False, admin),
    ]  # fmt: skip
    assert [row.history_date for row in rule.history.all()] == [clock.at] * 3
    with pytest.raises(IntegrityError), transaction.atomic():
        PeriodRule.objects.create(
            kind=KindCode.FEEDBACK, division=division, length=2, set_by=admin, set_at=clock.at, **SAID
        )


# --- the table itself


def test_the_issue_of_the_step_finds_its_figures_in_the_table() -> None:
    assert {code: (KINDS[code].length, KINDS[code].unit) for code in KindCode if KINDS[code].length} == {
        KindCode.DECISION_STATUTORY: (20, Unit.WORKING),
        KindCode.JOINT_STATUTORY: (45, Unit.WORKING),
        KindCode.CORRECTION_NOTICE: (5, Unit.WORKING),
        KindCode.CORRECTION_ANSWER: (10, Unit.WORKING),
        KindCode.STAGE_WINDOW: (1, Unit.WORKING),
        KindCode.STAGE_REVIEW: (3, Unit.WORKING),
        KindCode.STAGE_DECIDE: (1, Unit.WORKING),
        KindCode.STAGE_CERTIFY: (2, Unit.WORKING),
        KindCode.ISSUE: (10, Unit.WORKING),
        KindCode.PUBLICATION: (7, Unit.WORKING),
        KindCode.HEARING_REQUEST: (5, Unit.WORKING),
        KindCode.HEARING_HOLD: (20, Unit.WORKING),
        KindCode.HEARING_NOTICE: (7, Unit.WORKING),
        KindCode.ACKNOWLEDGE: (3, Unit.WORKING),
        KindCode.FEEDBACK: (5, Unit.WORKING),
        KindCode.FOLLOW_UP: (10, Unit.WORKING),
        KindCode.DISPUTE: (5, Unit.WORKING),
        KindCode.EXPEDITE: (3, Unit.WORKING),
        KindCode.REVOCATION: (20, Unit.WORKING),
        KindCode.REVOCATION_HEARING: (5, Unit.WORKING),
        KindCode.CREDIT_OBJECTION: (5, Unit.WORKING),
        KindCode.CREDIT_REPAIR: (10, Unit.WORKING),
    }
    assert [KINDS[code].room for code in STAGES] == [Room.FREE] * 4
    assert {code for code in KindCode if KINDS[code].room is Room.FIXED} == {
        KindCode.JOINT_STATUTORY, KindCode.CORRECTION_NOTICE, KindCode.HEARING_REQUEST, KindCode.HEARING_HOLD,
        KindCode.HEARING_NOTICE,
    }  # fmt: skip


def test_the_statutory_clock_stops_for_a_public_notice_only_under_a_named_law() -> None:
    statutory, promised = KINDS[KindCode.DECISION_STATUTORY], KINDS[KindCode.DECISION_PROMISED]
    assert PauseGround.PUBLIC_NOTICE in statutory.needs_law
    assert PauseGround.PUBLIC_NOTICE in promised.pauses - promised.needs_law
    for kind in KINDS.values():
        assert PauseGround.NAMED_LAW not in kind.pauses - kind.needs_law or kind.code in STAGES
        assert not ART_45 & kind.needs_law


def test_the_table_is_coherent() -> None:
    assert checks.every_kind_is_coherent() == []
    assert [text for kind in KINDS.values() for text in checks.incoherent(kind)] == []


ISSUE, STAGE, PLANNED = KINDS[KindCode.ISSUE], KINDS[KindCode.STAGE_REVIEW], KINDS[KindCode.PLANNED_FINISH]


@pytest.mark.parametrize(
    "broken",
    [
        replace(ISSUE, length=None),
        replace(ISSUE, longest=12),
        replace(ISSUE, room=Room.FIXED, unit=Unit.FIXED),
        replace(ISSUE, legal_basis=""),
        replace(ISSUE, owner=""),
        replace(ISSUE, needs_law=frozenset({PauseGround.NAMED_LAW})),
        replace(ISSUE, extension=Extension(0, "负责人", "法")),
        replace(ISSUE, extension=Extension(5, "负责人", "")),
        replace(STAGE, longest=None),
        replace(STAGE, length=21),
        replace(PLANNED, length=5),
        replace(PLANNED, pauses=frozenset(PauseGround)),
        replace(KINDS[KindCode.SPECIAL_PROCEDURE], length=5),
    ],
)
def test_a_row_that_contradicts_itself_fails_the_start(broken: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, broken.code, broken)
    assert {error.id for error in checks.every_kind_is_coherent()} == {"deadlines.E004"}


def test_a_row_under_another_code_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, KindCode.ISSUE, STAGE)
    assert [str(error.msg) for error in checks.every_kind_is_coherent()] == ["issue holds the row of stage_review"]


# --- in words


def test_the_words_say_what_the_table_means() -> None:
    assert table.row(KindCode.ISSUE).room == "只能缩短：1–10个工作日"
    assert table.row(KindCode.STAGE_REVIEW).room == "可以设定：1–20个工作日"
    assert table.row(KindCode.CORRECTION_NOTICE).room == "法律规定，不得变更"
    assert table.row(KindCode.DECISION_PROMISED).length == "按事项（工作日）"
    assert table.row(KindCode.SPECIAL_PROCEDURE).length == "按告知（工作日）"
    assert (
        table.row(KindCode.DECISION_STATUTORY).pauses
        == "行政许可法第四十五条所列八项；公示、其他法律规定的事由须有法律明文"
    )
    assert table.row(KindCode.DECISION_PROMISED).pauses.startswith("行政许可法第四十五条所列八项、公示；")
    assert table.row(KindCode.ISSUE).pauses == "不停"
    extended = table.row(KindCode.DECISION_STATUTORY).extension
    assert extended == "一次，最多10个工作日，本行政机关负责人批准（行政许可法第四十二条第一款）"
    assert table.alarms(Alarms(first=-1)) == "到期前 1 个工作日起，逾期后每个工作日"
    assert table.alarms(Alarms(first=0, last=1)) == "到期当日起，至逾期后第 1 个工作日"
    assert table.alarms(Alarms(first=-2, last=0)) == "到期前 2 个工作日起，至到期当日"
    assert table.alarms(None) == "不提醒"
    for row in table.rows():
        assert bool(table.why_not(row.kind)) is (table.span(row.kind) is None)
        assert all(row.cells)


def test_the_document_shows_the_table_as_it_is() -> None:
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    begin = lines.index("| " + " | ".join(table.HEAD) + " |")
    shown = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines[begin + 1 :]]
    assert shown[: len(KINDS)] == [row.cells for row in table.rows()]
