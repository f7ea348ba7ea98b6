"""存量证照 as a table: its columns, what a row must say, and where an uploaded file waits until it is loaded.

A file lies under the digest of its content, outside the web, readable by the portal alone; it goes when it was loaded
or when nobody confirmed it for a day.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from approvals.exceptions import Refused
from catalogue.models import BusinessItem, Linkage
from credit.identifiers import RIC, check_ric, check_uscc, normalise
from credit.models import CreditSubject
from ledger.hashing import sm3
from offices.models import Division
from supervision import words
from supervision.enums import Origin
from supervision.models import StockBatch, StockLicence, SupervisionTask

HEADER = (
    "业务办理项编码", "证照编号", "持有人", "统一社会信用代码或身份证号码", "许可内容", "有效期自", "有效期至",
    "监管处室",
)  # fmt: skip
OPTIONAL = HEADER[-1]
LARGEST = 20 * 1024 * 1024
MOST_ROWS = 100_000
LONGEST = {"证照编号": 60, "持有人": 120, "许可内容": 500}
FOR_EVER = ("", "长期", "永久")
FOREIGN = (b"PK", b"\xd0\xcf\x11\xe0", b"%PDF")
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
DIGEST = re.compile(r"[0-9a-f]{64}")
# No licence of this state is older, and none that has an end runs for longer; further off is a slip of the pen.
FOUNDED = dt.date(1949, 10, 1)
LONGEST_YEARS = 100
FARTHEST = dt.timedelta(days=366)
ABANDONED = dt.timedelta(days=1)
PERSON = CreditSubject.Kind.PERSON
ORGANISATION = CreditSubject.Kind.ORGANISATION


@dataclass(slots=True)
class Row:
    """A line of the file; ``fault``: why it cannot be loaded, empty where it can; ``doubt``: what to look at first."""

    line: int
    code: str = ""
    number: str = ""
    name: str = ""
    kind: str = ""
    identifier: str = ""
    content: str = ""
    valid_from: dt.date = dt.date.min
    valid_to: dt.date | None = None
    office: str = ""
    fault: str = ""
    doubt: str = ""

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the licence is in force on that day."""
        return self.valid_from <= day and (self.valid_to is None or self.valid_to >= day)


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 (with or without mark) or GBK. Raises ``Refused``."""
    if len(content) > LARGEST:
        raise Refused("stock-too-big", f"文件超过 {LARGEST // 1048576} MB，请分成几个文件。", field="file")
    if not content.strip():
        raise Refused("stock-empty", "文件是空的，请重新选择。", field="file")
    if not content.startswith(FOREIGN) and b"\0" not in content:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise Refused("stock-not-text", "不是文本表格。请用 Excel 另存为“CSV UTF-8（逗号分隔）”后重新上传。", field="file")


def parse(content: bytes) -> list[Row]:
    """The rows of a file, each with what is wrong with it by itself. Raises ``Refused`` for the whole file."""
    reader = csv.reader(io.StringIO(decoded(content), newline=""), strict=True)
    try:
        header = [_plain(cell) for cell in next(reader, [])]
        missing = [name for name in HEADER if name != OPTIONAL and name not in header]
        if missing:
            raise Refused(
                "stock-header", f"第 1 行缺少列：{'、'.join(missing)}。请下载模板，按模板的表头填写。", field="file"
            )
        rows = list(_rows(reader, header))
    except csv.Error as error:
        raise Refused(
            "stock-broken", f"第 {reader.line_num} 行的引号或分隔符不对，请另存后重新上传。", field="file"
        ) from error
    if not rows:
        raise Refused("stock-empty", "文件只有表头，没有证照。", field="file")
    return rows


def _rows(reader: Iterator[list[str]], header: Sequence[str]) -> Iterator[Row]:
    seen: dict[tuple[str, str], int] = {}
    for line, cells in enumerate(reader, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(seen) >= MOST_ROWS or line > 2 * MOST_ROWS:
            raise Refused("stock-too-long", f"一个文件最多 {MOST_ROWS} 行，请分成几个文件。", field="file")
        row = _row(line, dict(zip(header, (_plain(cell) for cell in cells), strict=False)))
        if not row.fault:
            first = seen.setdefault((row.code, row.number), line)
            if first != line:
                row.fault = f"与第 {first} 行是同一证照。"
        yield row


def _plain(cell: str) -> str:
    """Half width, without spaces around and without the mark that keeps a spreadsheet from a formula."""
    return unicodedata.normalize("NFKC", cell).strip().removeprefix("'").strip()


def _row(line: int, cells: dict[str, str]) -> Row:
    row = Row(
        line, cells.get(HEADER[0], ""), cells.get(HEADER[1], ""), cells.get(HEADER[2], ""),
        content=cells.get(HEADER[4], ""), office=cells.get(OPTIONAL, ""),
    )  # fmt: skip
    try:
        for name, value in zip(HEADER[:3], (row.code, row.number, row.name), strict=True):
            if not value:
                raise ValueError(f"没有填写{name}。")
        for name in LONGEST:
            words.refuse_in_cell(name, cells.get(name, ""))
        for name, longest in LONGEST.items():
            if len(cells.get(name, "")) > longest:
                raise ValueError(f"{name}超过 {longest} 个字。")
        row.kind, row.identifier = _identified(cells.get(HEADER[3], ""))
        row.valid_from = _day(HEADER[5], cells.get(HEADER[5], ""))
        until = cells.get(HEADER[6], "")
        row.valid_to = None if until in FOR_EVER else _day(HEADER[6], until)
        if row.valid_to is not None and row.valid_to < row.valid_from:
            raise ValueError("有效期至早于有效期自。")
        _check_span(row.valid_from, row.valid_to)
    except ValueError as error:
        row.fault = str(error)
    return row


def _identified(text: str) -> tuple[str, str]:
    """Whether the text is a person's number or an organisation's code, and the code itself; raises ``ValueError``."""
    if not text:
        raise ValueError("没有填写统一社会信用代码或身份证号码。")
    if re.fullmatch(r"[0-9.]+[eE]\+[0-9]+", text):
        raise ValueError("证件号码被表格软件改成了科学计数法，请把该列设为文本后重新填写。")
    # A person's number is tried first: its birth date makes it the stricter of the two.
    try:
        return PERSON, check_ric(text)
    except ValidationError as of_person:
        try:
            return ORGANISATION, check_uscc(text)
        except ValidationError as of_code:
            plain = normalise(text)
            told = of_person if RIC.fullmatch(plain) and plain[6:8] in ("19", "20") else of_code
            raise ValueError(told.messages[0]) from of_code


def _day(name: str, text: str) -> dt.date:
    """``2026-09-28``, ``2026/9/28``, ``2026年9月28日`` or ``20260928``; raises ``ValueError``."""
    found = DAY.fullmatch(text) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    try:
        if found:
            return dt.date(*(int(part) for part in found.groups()))
    except ValueError:
        pass
    said = f"“{text}”" if text else "空白"
    raise ValueError(f"{name}应为日期（例如 2026-09-28），现为{said}。")


def _check_span(first: dt.date, last: dt.date | None) -> None:
    """Raise ``ValueError`` for days that no licence has."""
    if first < FOUNDED:
        raise ValueError(f"有效期自早于 {FOUNDED}，现为“{first}”。")
    if last is not None and last.year > first.year + LONGEST_YEARS:
        raise ValueError(f"有效期至在有效期自 {LONGEST_YEARS} 年以后，现为“{last}”；长期有效的请填“长期”。")


@dataclass(frozen=True, slots=True)
class Known:
    """What the division's catalogue says of the rows: items by code, active linkages by item."""

    items: dict[str, BusinessItem]
    linkages: dict[int, list[Linkage]]
    loaded: set[tuple[int, str]]

    def fault(self, row: Row) -> str:
        """Why the row does not fit the catalogue or is there already; empty where it does."""
        item = self.items.get(row.code)
        if item is None:
            return "本区划没有这个业务办理项编码。"
        if (item.pk, row.number) in self.loaded:
            return "这个证照已经载入过。"
        if row.office and not self.linked(row):
            return f"“{row.office}”与这个业务办理项没有有效的审管关联；请先配置关联，或者不填监管处室。"
        return ""

    def linked(self, row: Row) -> list[Linkage]:
        """The linkages that a task of the row goes along: all active ones, or those of the named office."""
        found = self.linkages.get(self.items[row.code].pk, [])
        return [one for one in found if not row.office or row.office in (one.office.name, str(one.office))]


def known(division_id: int, rows: Collection[Row]) -> Known:
    """Look the rows up; three statements for each thousand of licence numbers and one for the rest."""
    codes = {row.code for row in rows}
    items = {
        item.code: item
        for item in BusinessItem.objects.filter(item__division_id=division_id, code__in=codes).select_related("item")
    }
    linkages: dict[int, list[Linkage]] = {}
    active = Linkage.objects.active().filter(business_item__in=items.values())
    for one in active.select_related("office__department").order_by("office_id", "sub_item_id"):
        linkages.setdefault(one.business_item_id, []).append(one)
    numbers = [row.number for row in rows if not row.fault]
    loaded: set[tuple[int, str]] = set()
    for first in range(0, len(numbers), 1000):
        found = StockLicence.objects.filter(business_item__in=items.values(), number__in=numbers[first : first + 1000])
        loaded.update(found.values_list("business_item_id", "number"))
    return Known(items, linkages, loaded)


def check(rows: Sequence[Row], catalogue: Known, today: dt.date) -> None:
    """Write on each row what the catalogue finds wrong with it, or that it begins far after ``today``."""
    for row in rows:
        if not row.fault and row.valid_from > today + FARTHEST:
            row.fault = f"有效期自在一年以后，现为“{row.valid_from}”。"
        row.fault = row.fault or catalogue.fault(row)


def _alike(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def doubt(rows: Sequence[Row]) -> list[Row]:
    """The good rows whose code has another name in the file, or on the platform (organisations), with that as doubt.

    A company may have changed its name, so this is no fault. One statement for each thousand of codes.
    """
    good = [row for row in rows if not row.fault]
    codes = list({row.identifier for row in good if row.kind == ORGANISATION})
    names: dict[str | None, str] = {}
    for first in range(0, len(codes), 1000):
        found = CreditSubject.objects.filter(code__in=codes[first : first + 1000])
        names |= dict(found.values_list("code", "name"))
    firsts: dict[str, Row] = {}
    for row in good:
        known, before = names.get(row.identifier), firsts.setdefault(row.identifier, row)
        if known is not None and _alike(known) != _alike(row.name):
            row.doubt = f"这个代码在平台上的名称是“{known}”，表中是“{row.name}”。"
        elif _alike(before.name) != _alike(row.name):
            row.doubt = f"与第 {before.line} 行的证件号码相同，持有人不同。"
    return [row for row in good if row.doubt]


# --- where a file waits


def _path(division_id: int, digest: str) -> Path:
    if not DIGEST.fullmatch(digest):
        raise FileNotFoundError(digest)
    return Path(settings.UPLOAD_ROOT) / "stock" / f"{division_id}-{digest}.csv"


def keep(content: bytes, division: Division) -> str:
    """Keep a file until it is confirmed, and return its digest. Raises ``Refused`` for one that was loaded before."""
    digest = sm3(content)
    if batch := StockBatch.objects.filter(division=division, digest=digest).first():
        raise Refused("stock-file-known", f"这个文件已经载入过（批次“{batch.name}”），没有重复载入。", field="file")
    sweep()
    path = _path(division.pk, digest)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    return digest


def content_of(division_id: int, digest: str) -> bytes:
    """The kept file. Raises ``FileNotFoundError``."""
    return _path(division_id, digest).read_bytes()


def discard(division_id: int, digest: str) -> None:
    """Take a file away that was loaded."""
    _path(division_id, digest).unlink(missing_ok=True)


def sweep() -> None:
    """Take away files that nobody confirmed for a day, and those whose batch is finished."""
    waiting = set(StockBatch.objects.filter(finished_at__isnull=True).values_list("division_id", "digest"))
    kept = {f"{division}-{digest}.csv" for division, digest in waiting}
    for path in (Path(settings.UPLOAD_ROOT) / "stock").glob("*"):
        old = dt.datetime.now(dt.UTC).timestamp() - path.stat().st_mtime > ABANDONED.total_seconds()
        if path.name not in kept and old:
            path.unlink(missing_ok=True)


# --- what a task of old stock is called


def prefix(batch_id: int) -> str:
    """How the numbers of a batch's tasks begin."""
    return f"JS{batch_id:06d}"


def number_of(batch_id: int, licence_id: int, order: int) -> str:
    """``JS`` + six digits of the batch + ten of the licence + two of the order."""
    return f"{prefix(batch_id)}{licence_id:010d}{order:02d}"


def licence_of(number: str) -> StockLicence | None:
    """The licence that a task of old stock is about, by the task's number; one statement."""
    return _of_number(number).first()


def _of_number(number: str) -> QuerySet[StockLicence]:
    if not re.fullmatch(r"JS\d{18}", number):
        return StockLicence.objects.none()
    return StockLicence.objects.filter(pk=int(number[8:18]))


def has_run_out(task: SupervisionTask, today: dt.date) -> bool:
    """Whether the old licence that the task is about is past its last day; one statement, none for a task of a case.

    A draw freezes the licence in its pool alone: its task is over when every old licence that the holder has for the
    item is.
    """
    if task.origin == Origin.CASE:
        return False
    licences = _of_number(task.number)
    if task.origin == Origin.DRAW:
        licences = StockLicence.objects.filter(holder_id=task.subject_id, business_item_id=task.business_item_id)
    days = list(licences.values_list("valid_to", flat=True))
    return bool(days) and all(day is not None and day < today for day in days)
