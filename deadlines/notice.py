"""Reading the State Council's yearly notice: from a CSV, from JSON as ``holiday-cn`` has it, or typed by hand.

CSV: ``year,from,to,kind,name,notice``, ranges inclusive, ``kind`` off or work; UTF-8 or GBK, as Excel saves it
(2026/10/1 is read too). JSON: ``{"year": 2026, "papers": [address …], "days": [{"name", "date", "isOffDay"} …]}``,
one or a list of them. Each ends in a ``Notice``; each refusal is a ``NoticeError`` that names the line or the day.

A JSON object goes by its notice's year, so it may hold days of the year before (2018-12-31 in the notice for 2019).
Such a day changes another year's calendar: it is taken if that year is in the same file, passed over if it only says
that a Saturday or Sunday is off, and refused otherwise.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from deadlines.arithmetic import ONE_DAY, DayInfo
from deadlines.errors import NoticeError
from deadlines.provisional import build_days, statutory_holidays

SHIPPED = Path(__file__).parent / "data" / "holidays.csv"
COLUMNS = ("year", "from", "to", "kind", "name", "notice")
LARGEST = 1_000_000
YEARS = range(2000, 2100)
# As wide as the columns that keep them; a make-up day is called after its holiday and 调休.
NAME_LENGTH = 40
SOURCE_LENGTH = 200
DATE = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))", re.ASCII)
# What is no text at all: a zip (xlsx), an old Office file, a PDF.
FOREIGN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")


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
    return _read_csv(path.name, _decoded(path.name, path.read_bytes()))


def read_text(name: str, content: bytes) -> dict[int, Notice]:
    """Return year → notice of an uploaded file, CSV or JSON by its content; ``name`` is for the messages.

    Raises ``NoticeError`` naming the line or the day, also for a file that is too large or no text.
    """
    text = _decoded(name, content)
    return _read_json(name, text) if text.lstrip().startswith(("{", "[")) else _read_csv(name, text)


def typed_year(
    year: int, off_ranges: Iterable[tuple[date, date, str]], work_days: Iterable[tuple[date, str]], source: str
) -> Notice:
    """Return a year typed by hand: days off as (first, last, name), make-up days as (day, name), the notice's title.

    Raises ``NoticeError`` naming the range or the day by its number from 1.
    """
    if year not in YEARS:
        raise NoticeError(f"年份应在 {YEARS.start} 到 {YEARS.stop - 1} 之间。")
    notice = Notice(year, _worded(source, SOURCE_LENGTH, "通知的名称和文号"))
    for number, (first, last, name) in enumerate(off_ranges, start=1):
        where = f"第 {number} 段放假："
        if not first <= last or {first.year, last.year} != {year}:
            raise NoticeError(f"{where}起止日期颠倒，或不在 {year} 年内。")
        called = _worded(name, NAME_LENGTH, "名称", where)
        for day in _days(first, last):
            _arrange(notice, day, called, where, is_off=True)
    for number, (day, name) in enumerate(work_days, start=1):
        where = f"第 {number} 个调休上班日："
        if day.year != year:
            raise NoticeError(f"{where}{day} 不在 {year} 年内。")
        _arrange(notice, day, _worded(name, NAME_LENGTH, "名称", where), where, is_off=False)
    return _checked({year: notice})[year]


def doubts(notice: Notice) -> list[str]:
    """What a person should look at twice before publishing, in Chinese; empty for a year like the others.

    Measured against the law's own holidays and against the notices of 2005–2026.
    """
    statutory = statutory_holidays(notice.year)
    found = _statutory_doubts(notice, statutory)
    if not 4 <= len(notice.makeup) <= 9:
        found.append(f"调休上班共 {len(notice.makeup)} 天，往年一般为 5 到 8 天。")
    near = [*notice.off, date(notice.year + 1, 1, 1)]
    found += [
        f"调休上班日 {day} 离最近的放假日超过一个月。"
        for day in sorted(notice.makeup)
        if all(abs((day - other).days) > 31 for other in near)
    ]
    days = notice.days()
    total = sum(info.is_working for info in days)
    lawful = sum(len(name.split("、")) for name in statutory.values())
    expected = sum(info.day.weekday() < 5 for info in days) - lawful
    if not 240 <= total <= 255:
        found.append(f"全年工作日 {total} 天，往年在 248 到 252 天之间。")
    elif total != expected:
        found.append(
            f"全年工作日 {total} 天；按法定放假 {lawful} 天推算应为 {expected} 天。"
            "可能漏列或多列了放假日、调休上班日（跨年调休会相差一两天）。"
        )
    return found


def _statutory_doubts(notice: Notice, statutory: dict[date, str]) -> list[str]:
    """The holidays of the law that the notice does not give."""
    missing: dict[str, list[str]] = {}
    for day in sorted(statutory):
        if day not in notice.off:
            state = "，列为上班" if day in notice.makeup else "，周末" if day.weekday() >= 5 else ""
            missing.setdefault(statutory[day], []).append(f"{day}{state}")
    return [f"法定节假日“{name}”没有列为放假：{'；'.join(days)}。" for name, days in missing.items()]


def _decoded(name: str, content: bytes) -> str:
    """The text of a file in UTF-8 (with or without BOM) or GBK."""
    if len(content) > LARGEST:
        raise NoticeError(f"{name}：文件超过 {LARGEST // 1000} KB，节假日安排没有这么大。")
    if not content.strip():
        raise NoticeError(f"{name}：文件是空的。")
    if not content.startswith(FOREIGN) and b"\0" not in content:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise NoticeError(f"{name}：不是文本文件。请用 Excel 另存为“CSV UTF-8（逗号分隔）”，或上传 JSON 文件。")


def _read_csv(name: str, text: str) -> dict[int, Notice]:
    notices: dict[int, Notice] = {}
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(column.strip() for column in reader.fieldnames or ())
        if header != COLUMNS:
            raise NoticeError(f"{name}：表头应为 {','.join(COLUMNS)}（半角逗号分隔）。")
        reader.fieldnames = list(header)
        for row in reader:
            _take(row, notices, f"{name} 第 {reader.line_num} 行：")
    except csv.Error as error:
        raise NoticeError(f"{name} 第 {reader.line_num + 1} 行：引号不成对，或一格太长。") from error
    if not notices:
        raise NoticeError(f"{name}：没有任何节假日安排。")
    return _checked(notices, f"{name}：")


def _take(row: dict[str, Any], notices: dict[int, Notice], where: str) -> None:
    """Add one line of the file to its year's notice; a line of nothing but commas is passed over."""
    extra = row.pop(None, [])  # type: ignore[call-overload] # what stands beyond the columns of the header
    cells = {column: (row[column] or "").strip() for column in COLUMNS}
    if any(extra):
        raise NoticeError(f"{where}比表头多出了列；名称里如有半角逗号，请改为顿号。")
    if not any(cells.values()):
        return
    try:
        year = int(cells["year"])
        first, last = _date(cells["from"]), _date(cells["to"])
    except ValueError as error:
        raise NoticeError(f"{where}年份或日期写法不对，应如 2026,2026-10-01。") from error
    if year not in YEARS:
        raise NoticeError(f"{where}年份应在 {YEARS.start} 到 {YEARS.stop - 1} 之间。")
    if not first <= last or {first.year, last.year} != {year}:
        raise NoticeError(f"{where}起止日期颠倒，或不在 {year} 年内。")
    kind = unicodedata.normalize("NFKC", cells["kind"]).lower()
    if kind not in {"off", "work"} or not cells["name"] or not cells["notice"]:
        raise NoticeError(f"{where}kind 只能是 off 或 work，名称和通知不能为空。")
    called = _worded(cells["name"], NAME_LENGTH, "名称", where)
    source = _worded(cells["notice"], SOURCE_LENGTH, "通知", where)
    notice = notices.setdefault(year, Notice(year, source))
    for day in _days(first, last):
        _arrange(notice, day, called, where, is_off=kind == "off")


@dataclass(frozen=True, slots=True)
class _Guest:
    """A day that stands in another year's file."""

    day: date
    name: str
    is_off: bool
    where: str


def _read_json(name: str, text: str) -> dict[int, Notice]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise NoticeError(f"{name} 第 {error.lineno} 行：JSON 写法不对，文件可能不完整。") from error
    except (ValueError, RecursionError) as error:
        raise NoticeError(f"{name}：JSON 写法不对。") from error
    blocks = data if isinstance(data, list) else [data]
    notices: dict[int, Notice] = {}
    guests: list[_Guest] = []
    for number, block in enumerate(blocks, start=1):
        where = f"{name} 第 {number} 份" if len(blocks) > 1 else name
        notice = _take_block(block, guests, name, where)
        if notice.year in notices:
            raise NoticeError(f"{where}：{notice.year} 年在前面已有一份。")
        notices[notice.year] = notice
    if not notices:
        raise NoticeError(f"{name}：没有任何节假日安排。")
    for guest in guests:
        _seat(guest, notices)
    return _checked(notices, f"{name}：")


def _take_block(block: object, guests: list[_Guest], name: str, where: str) -> Notice:
    """The notice of one object; days of the years beside it are added to ``guests``."""
    if not isinstance(block, dict):
        raise NoticeError(f"{where}：应有 year、papers、days 三项。")
    year, papers, days = block.get("year"), block.get("papers", []), block.get("days")
    if type(year) is not int or year not in YEARS:
        raise NoticeError(f"{where}：year 应为 {YEARS.start} 到 {YEARS.stop - 1} 之间的年份。")
    if not isinstance(days, list):
        raise NoticeError(f"{where}：days 应为日期的列表。")
    notice = Notice(year, _papers(papers, name, where))
    for number, entry in enumerate(days, start=1):
        guest = _read_day(entry, f"{where} 第 {number} 天")
        if guest.day.year == year:
            _arrange(notice, guest.day, guest.name, guest.where, is_off=guest.is_off)
        elif abs(guest.day.year - year) == 1:
            guests.append(guest)
        else:
            raise NoticeError(f"{guest.where}不在 {year} 年内。")
    return notice


def _read_day(entry: object, where: str) -> _Guest:
    """One entry of ``days``; a make-up day is called after its holiday and 调休, as in the CSV."""
    values = entry if isinstance(entry, dict) else {}
    text, name, is_off = values.get("date"), values.get("name"), values.get("isOffDay")
    if not isinstance(text, str) or not isinstance(name, str) or not isinstance(is_off, bool):
        raise NoticeError(f"{where}：应有 name（名称）、date（日期）、isOffDay（true 或 false）三项。")
    try:
        day = _date(text)
    except ValueError as error:
        raise NoticeError(f"{where}：日期写法不对，应如 2026-10-01。") from error
    where = f"{where}（{day}）："
    called = _worded(name, NAME_LENGTH - 2, "名称", where)
    return _Guest(day, called if is_off or called.endswith("调休") else f"{called}调休", is_off, where)


def _papers(papers: object, name: str, where: str) -> str:
    """What the notice is called: the addresses of its papers, as many as there is room for."""
    if not isinstance(papers, list) or not all(isinstance(p, str) and re.match(r"https?://\S+$", p) for p in papers):
        raise NoticeError(f"{where}：papers 应为国务院通知网址的列表。")
    if not papers:
        return _worded(f"{name[: SOURCE_LENGTH - 30]}（文件未写明国务院通知的网址）", SOURCE_LENGTH, "文件名")
    source = _worded(papers[0], SOURCE_LENGTH, "papers 的网址", f"{where}：")
    for paper in papers[1:]:
        if len(source) + 1 + len(paper) <= SOURCE_LENGTH:
            source = f"{source}；{paper}"
    return source


def _seat(guest: _Guest, notices: dict[int, Notice]) -> None:
    """Put a day that stands in another year's file into its own year's notice, or refuse it."""
    own = notices.get(guest.day.year)
    weekend_off = guest.is_off and guest.day.weekday() >= 5
    if own is None:
        if not weekend_off:
            raise NoticeError(
                f"{guest.where}这一天属于 {guest.day.year} 年，会改动 {guest.day.year} 年的工作日历。"
                f"请把 {guest.day.year} 年的安排放进同一个文件一起导入。"
            )
    elif guest.day not in (own.off if guest.is_off else own.makeup):
        if guest.day in own.off or guest.day in own.makeup:
            raise NoticeError(f"{guest.where}与文件中 {guest.day.year} 年的安排不一致。")
        _arrange(own, guest.day, guest.name, guest.where, is_off=guest.is_off)


def _arrange(notice: Notice, day: date, name: str, where: str, *, is_off: bool) -> None:
    """Put a day into its year's notice; ``where`` ends with a colon."""
    if day in notice.off or day in notice.makeup:
        raise NoticeError(f"{where}{day} 已在前面安排过。")
    if is_off:
        notice.off[day] = name
    elif day.weekday() < 5:
        raise NoticeError(f"{where}{day} 本来就是工作日，不能再列为调休上班。")
    else:
        notice.makeup[day] = name


def _checked(notices: dict[int, Notice], where: str = "") -> dict[int, Notice]:
    """The notices, each with a day off; a year without one was not published yet."""
    for year, notice in notices.items():
        if not notice.off:
            raise NoticeError(f"{where}{year} 年没有一天放假，国务院的通知可能还没有发布。")
    return notices


def _date(text: str) -> date:
    """Return the day of 2026-10-01, 2026/10/1, 2026.10.1, 2026年10月1日 or 20261001; raises ``ValueError``."""
    found = DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in found.groups() if part and part.isdecimal())
    return date(year, month, day)


def _worded(text: str, longest: int, what: str, where: str = "") -> str:
    """``text`` without the blanks around it, if the database can keep it and a page can show it."""
    text = text.strip()
    if not text:
        raise NoticeError(f"{where}{what}不能为空。")
    if len(text) > longest:
        raise NoticeError(f"{where}{what}最多 {longest} 个字。")
    if not text.isprintable():
        raise NoticeError(f"{where}{what}里有不能显示的字符。")
    return text


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
