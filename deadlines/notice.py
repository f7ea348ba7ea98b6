"""Reading the State Council's yearly notice from a CSV: ``year,from,to,kind,name,notice``, ranges inclusive."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from deadlines.arithmetic import ONE_DAY, DayInfo
from deadlines.errors import NoticeError
from deadlines.provisional import build_days

SHIPPED = Path(__file__).parent / "data" / "holidays.csv"
COLUMNS = ("year", "from", "to", "kind", "name", "notice")


@dataclass(slots=True)
class Notice:
    """One year's notice: days off and make-up working days by name, and what it is called."""

    year: int
    source: str
    off: dict[date, str] = field(default_factory=dict)
    makeup: dict[date, str] = field(default_factory=dict)

    def days(self) -> list[DayInfo]:
        """Every day of the year."""
        return build_days(self.year, off=self.off, makeup=self.makeup)


def read_notices(path: Path = SHIPPED) -> dict[int, Notice]:
    """Return year → notice. Raises ``NoticeError`` naming the line for a file that does not hold together."""
    notices: dict[int, Notice] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise NoticeError(f"{path.name}：表头应为 {','.join(COLUMNS)}。")
        for row in reader:
            where = f"{path.name} 第 {reader.line_num} 行"
            _take(row, notices, where)
    if not notices:
        raise NoticeError(f"{path.name}：没有任何节假日安排。")
    return notices


def _take(row: dict[str, str], notices: dict[int, Notice], where: str) -> None:
    """Add one line of the file to its year's notice."""
    try:
        year, first, last = int(row["year"]), date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
    except (TypeError, ValueError) as error:
        raise NoticeError(f"{where}：年份或日期写法不对，应如 2026,2026-10-01。") from error
    if not first <= last or {first.year, last.year} != {year}:
        raise NoticeError(f"{where}：起止日期颠倒，或不在 {year} 年内。")
    if row["kind"] not in {"off", "work"} or not row["name"] or not row["notice"]:
        raise NoticeError(f"{where}：kind 只能是 off 或 work，名称和通知不能为空。")
    notice = notices.setdefault(year, Notice(year, row["notice"]))
    for day in _days(first, last):
        if day in notice.off or day in notice.makeup:
            raise NoticeError(f"{where}：{day} 已在前面的行里安排过。")
        if row["kind"] == "off":
            notice.off[day] = row["name"]
        elif day.weekday() < 5:
            raise NoticeError(f"{where}：{day} 本来就是工作日，不能再列为调休上班。")
        else:
            notice.makeup[day] = row["name"]


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
