"""``explain_deadline`` and ``load_calendar``, as they are typed."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deadlines.actions import Start, start_deadline, start_many
from deadlines.arithmetic import Calendar
from deadlines.enums import YearStatus
from deadlines.kinds import KindCode
from deadlines.models import CalendarYear, Day
from deadlines.provisional import build_days
from deadlines.publishing import install_year
from tests.deadlines.conftest import at

pytestmark = pytest.mark.django_db


def explain(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("explain_deadline", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def test_the_acceptance_example(calendar: Calendar) -> None:
    lines = explain("--start", "2026-09-28T15:00", "--days", "5")
    assert lines[-1] == "2026-10-10"
    assert len(lines) == 14
    assert [line[:10] for line in lines[:13]] == [f"2026-09-{n}" for n in (28, 29, 30)] + [
        f"2026-10-{n:02}" for n in range(1, 11)
    ]
    assert "不计入" in lines[0]
    assert "国庆节放假" in lines[3]
    assert "计入第5日" in lines[12]


def test_calendar_days_and_months(calendar: Calendar) -> None:
    assert explain("--start", "2026-09-28T15:00", "--days", "5", "--unit", "calendar")[-1] == "2026-10-08"
    assert explain("--start", "2026-08-31", "--days", "1", "--unit", "months")[-1] == "2026-09-30"


def test_a_moment_with_a_zone_is_taken_to_shanghai(calendar: Calendar) -> None:
    assert explain("--start", "2026-09-27T17:00+00:00", "--days", "2")[-1] == "2026-09-30"


def test_a_provisional_year_is_announced(calendar: Calendar) -> None:
    lines = explain("--start", "2026-12-30T15:00", "--days", "3")
    assert lines[-1] == "2027-01-05"
    assert "尚未发布" in lines[-2]


def test_before_anything_is_loaded_the_shipped_file_answers() -> None:
    assert not CalendarYear.objects.exists()
    assert explain("--start", "2026-09-28T15:00", "--days", "5")[-1] == "2026-10-10"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--start", "2030-01-05T10:00", "--days", "5"], "还没有 2030 年的工作日历，无法计算期限"),
        (["--start", "2027-12-30T10:00", "--days", "5"], "还没有 2028 年的工作日历"),
        (["--start", "yesterday", "--days", "5"], "--start 要写成"),
        (["--start", "2026-02-30T10:00", "--days", "5"], "--start 要写成"),
        (["--start", "2026-09-28T15:00", "--days", "0"], "--days 要在"),
    ],
)
def test_what_cannot_be_answered_exits_2_with_a_sentence(
    calendar: Calendar, arguments: list[str], sentence: str
) -> None:
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("explain_deadline", *arguments, stdout=out, stderr=err)
    assert stopped.value.code == 2
    assert sentence in err.getvalue()
    assert out.getvalue() == ""


def load(*arguments: str) -> str:
    out = StringIO()
    call_command("load_calendar", *arguments, stdout=out)
    return out.getvalue()


def test_loading_twice_is_loading_once() -> None:
    assert "2027 年（暂定）：新载入" in load()
    assert load().count("无变化") == 3
    assert dict(CalendarYear.objects.values_list("year", "status")) == {
        2025: YearStatus.OFFICIAL,
        2026: YearStatus.OFFICIAL,
        2027: YearStatus.PROVISIONAL,
    }
    assert Day.objects.count() == 1095


def test_an_official_year_takes_the_place_of_a_provisional_one_and_moves_its_clocks(tmp_path: Path) -> None:
    load()
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-12-30 10:00"), stream="task:1")
    path = tmp_path / "2027.csv"
    path.write_text("year,from,to,kind,name,notice\n2027,2027-01-01,2027-01-04,off,元旦,某通知\n")
    said = load("--csv", str(path), "--provisional", "0")
    assert "2027 年：已更新，1 个期限的到期日随之移动" in said
    clock.refresh_from_db()
    assert clock.due_on.isoformat() == "2027-01-06"
    # The shipped file, loaded again at the next start, does not undo it.
    assert "2027 年（暂定）：已有正式安排，保留不动" in load()


def test_a_provisional_year_from_elsewhere_is_not_displaced_by_the_rule() -> None:
    load()
    better = build_days(2027, off={date(2027, 1, 1): "元旦"}, makeup={date(2027, 1, 9): "元旦调休"})
    install_year(2027, better, status=YearStatus.PROVISIONAL, source="软件包", at=at("2026-10-01 10:00"), replace=True)
    assert "2027 年（暂定）：已有人工核定的暂定安排，保留不动" in load()
    assert CalendarYear.objects.get(year=2027).version_label == "2p"


def test_a_long_run_says_how_far_it_is(tmp_path: Path) -> None:
    load()
    start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(600)], at=at("2026-12-30 10:00"))
    path = tmp_path / "2027.csv"
    path.write_text("year,from,to,kind,name,notice\n2027,2027-01-01,2027-01-04,off,元旦,某通知\n")
    said = load("--csv", str(path), "--provisional", "0")
    assert "2027 年：已重算 500 / 600 个期限" in said
    assert "2027 年：已重算 600 / 600 个期限" in said
    assert "2027 年：已更新，600 个期限的到期日随之移动" in said


def test_an_official_year_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    load()
    path = tmp_path / "2026.csv"
    path.write_text("year,from,to,kind,name,notice\n2026,2026-01-01,2026-01-03,off,元旦,某通知\n")
    with pytest.raises(CommandError, match="2026 年未改动"):
        load("--csv", str(path), "--provisional", "0")
    assert CalendarYear.objects.get(year=2026).version == 1
    load("--csv", str(path), "--provisional", "0", "--replace")
    assert CalendarYear.objects.get(year=2026).version == 2


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("year,from,to,kind,name,notice\n2026,x,y,off,元旦,某通知\n")
    with pytest.raises(CommandError, match="第 2 行"):
        load("--csv", str(path))
    assert not CalendarYear.objects.exists()
