"""Forms of the calendar office: a file, a year typed by hand, the publication, and the hours of windows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile

from deadlines.arithmetic import WEEKDAYS
from deadlines.enums import DayKind
from deadlines.errors import NoticeError
from deadlines.notice import LARGEST, NAME_LENGTH, SOURCE_LENGTH, Notice, typed_year
from deadlines.yearview import named_spans

if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[forms.Form]
else:
    _FormSet = forms.BaseFormSet

MOST_ROWS = 60
FIRST_ROWS = 8
BLANK: Sequence[Mapping[str, Any]] = ({},) * 4
# Where ``typed_year`` says that a range or a day is at fault, it begins with its number.
PLACE = re.compile(r"第 (\d+) (段放假|个调休上班日)：(.+)", re.DOTALL)
SESSIONS = range(3)


class UploadForm(forms.Form):
    """The notice as a file."""

    file = forms.FileField(
        label="节假日安排文件",
        help_text="CSV 表格（列为 year,from,to,kind,name,notice）或 holiday-cn 格式的 JSON，不超过 1 MB。"
        "一个文件可以有几个年份。",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.json", "data-limit": str(LARGEST)}),
        error_messages={"empty": "文件是空的，请重新选择。", "required": "请选择节假日安排文件。"},
    )

    def clean_file(self) -> UploadedFile[bytes]:
        """Refuse a file that no notice is as large as."""
        found: UploadedFile[bytes] = self.cleaned_data["file"]
        if (found.size or 0) > LARGEST:
            raise forms.ValidationError("文件超过 1 MB，节假日安排没有这么大，请核对是否选错了文件。")
        return found


def _day_field(label: str, year: int) -> forms.DateField:
    limits = {"type": "date", "min": f"{year}-01-01", "max": f"{year}-12-31"}
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"],
        widget=forms.DateInput(attrs=limits, format="%Y-%m-%d"),
        error_messages={"invalid": f"{label}不是有效日期，请按 {year}-10-01 的样子填写。"},
    )


def _name_field(placeholder: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label="名称", max_length=NAME_LENGTH, widget=widget)


class OffForm(forms.Form):
    """Days off in a row, with their name."""

    def __init__(self, *args: Any, year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first"] = _day_field("第一天", year)
        self.fields["last"] = _day_field("最后一天", year)
        self.fields["name"] = _name_field("如 国庆节")


class MakeupForm(forms.Form):
    """A make-up working day."""

    def __init__(self, *args: Any, year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"] = _day_field("日期", year)
        self.fields["name"] = _name_field("如 国庆节调休")


class SourceForm(forms.Form):
    """What the notice is called."""

    source = forms.CharField(
        label="通知的名称和文号",
        max_length=SOURCE_LENGTH,
        help_text="照通知的标题和文号填写，例如 国务院办公厅关于2026年部分节假日安排的通知（国办发明电〔2025〕7号）。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "请填写国务院办公厅通知的名称和文号。"},
    )


class Rows(_FormSet):
    """Rows of which any may be left blank, also those that came filled in."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "missing_management_form": "表格不完整，请返回上一页刷新后重新填写。",
        "too_many_forms": f"最多 {MOST_ROWS} 行。",
    }

    def initial_form_count(self) -> int:
        """No row must be kept."""
        return 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What ``typed_year`` refused: the rows (``off`` or ``makeup``), the row from 0, the field, and why."""

    rows: str
    number: int
    name: str
    why: str

    @classmethod
    def of(cls, text: str) -> Fault | None:
        """Read the refusal; None where it names no row."""
        found = PLACE.fullmatch(text)
        if found is None:
            return None
        number, what, why = found.groups()
        rows, first = ("off", "first") if what == "段放假" else ("makeup", "day")
        return cls(rows, int(number) - 1, "name" if why.startswith("名称") else first, why)


@dataclass(frozen=True, slots=True)
class Initial:
    """What stands in the form of a year before it is judged: rows as their fields have them, blank ones included."""

    source: str = ""
    off: Sequence[Mapping[str, Any]] = ({},) * FIRST_ROWS
    makeup: Sequence[Mapping[str, Any]] = ({},) * FIRST_ROWS

    @classmethod
    def of(cls, notice: Notice) -> Initial:
        """The rows of a notice, and a few blank ones."""
        off = [
            {"first": span.first, "last": span.last, "name": span.name}
            for span in named_spans(notice.off, DayKind.HOLIDAY)
        ]
        makeup = [{"day": day, "name": notice.makeup[day]} for day in sorted(notice.makeup)]
        return cls(notice.source, [*off, *BLANK], [*makeup, *BLANK])

    @classmethod
    def typed(cls, data: Mapping[str, Any], more: str) -> Initial:
        """What was typed, not judged yet, with a few more rows of one kind (``off`` or ``makeup``)."""
        rows: dict[str, list[Mapping[str, Any]]] = {
            prefix: [
                {name: data.get(f"{prefix}-{number}-{name}", "") for name in names} for number in _numbers(data, prefix)
            ]
            for prefix, names in (("off", ("first", "last", "name")), ("makeup", ("day", "name")))
        }
        if more in rows:
            rows[more] = [*rows[more], *BLANK][:MOST_ROWS]
        return cls(data.get("source", ""), rows["off"], rows["makeup"])


def _numbers(data: Mapping[str, Any], prefix: str) -> range:
    held = data.get(f"{prefix}-TOTAL_FORMS", "")
    return range(min(int(held), MOST_ROWS) if held.isdecimal() else FIRST_ROWS)


class TypedYear:
    """A year typed by hand: the notice's name, ranges off, make-up days. Rows left blank are passed over."""

    def __init__(self, year: int, data: Mapping[str, Any] | None = None, initial: Initial | None = None) -> None:
        self.year = year
        self.is_bound = data is not None
        initial = initial or Initial()
        self.source = SourceForm(data, initial={"source": initial.source})
        self.off = _rows(OffForm, "off", year, data, initial.off)
        self.makeup = _rows(MakeupForm, "makeup", year, data, initial.makeup)
        self.notice: Notice | None = None

    def is_valid(self) -> bool:
        """Whether all of it holds together; ``notice`` is then the year, else every error stands where it belongs."""
        parts = (self.source.is_valid(), self.off.is_valid(), self.makeup.is_valid())
        if not all(parts):
            return False
        off, makeup = _filled(self.off), _filled(self.makeup)
        try:
            self.notice = typed_year(
                self.year,
                [(row.cleaned_data["first"], row.cleaned_data["last"], row.cleaned_data["name"]) for row in off],
                [(row.cleaned_data["day"], row.cleaned_data["name"]) for row in makeup],
                self.source.cleaned_data["source"],
            )
        except NoticeError as error:
            self._place(str(error), off, makeup)
        return self.notice is not None

    def _place(self, text: str, off: Sequence[forms.Form], makeup: Sequence[forms.Form]) -> None:
        """Put a refusal beside the row that it names, or above the form."""
        fault = Fault.of(text)
        if fault is None:
            self.source.add_error("source" if text.startswith("通知") else None, text)
        else:
            rows = off if fault.rows == "off" else makeup
            rows[fault.number].add_error(fault.name, fault.why)

    @property
    def errors(self) -> list[dict[str, str]]:
        """Every error with the id of its field: ``[{"id", "where", "text"}]``; for the list above the form."""
        if not self.is_bound:
            return []
        found = [{"id": "", "where": "", "text": str(text)} for text in self.source.non_field_errors()]
        groups: list[tuple[str, Iterable[forms.Form]]] = [
            ("", [self.source]),
            ("放假第 {} 段", self.off.forms),
            ("调休上班第 {} 天", self.makeup.forms),
        ]
        for where, rows in groups:
            for number, row in enumerate(rows, start=1):
                for bound in row:
                    texts = " ".join(_said(bound))
                    if texts:
                        label = f"{where.format(number)}{bound.label}" if where else str(bound.label)
                        found.append({"id": bound.id_for_label, "where": label, "text": texts})
        for rows in (self.off, self.makeup):
            found += [{"id": "", "where": "", "text": str(text)} for text in rows.non_form_errors()]
        return found


def _said(bound: forms.BoundField) -> list[str]:
    stock = str(forms.Field.default_error_messages["required"])
    return [f"请填写{bound.label}。" if text == stock else text for text in map(str, bound.errors)]


def _rows(
    form: type[forms.Form],
    prefix: str,
    year: int,
    data: Mapping[str, Any] | None,
    initial: Sequence[Mapping[str, Any]],
) -> Rows:
    made = forms.formset_factory(form, formset=Rows, extra=len(initial), max_num=MOST_ROWS, absolute_max=MOST_ROWS + 1)
    return cast("Rows", made(data, prefix=prefix, initial=list(initial), form_kwargs={"year": year}))


def _filled(rows: Rows) -> list[forms.Form]:
    return [row for row in rows.forms if row.cleaned_data]


class HoursForm(forms.Form):
    """Up to three sessions for each weekday: ``d0s0_opens``, ``d0s0_closes`` …"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, word in enumerate(WEEKDAYS):
            for session in SESSIONS:
                for end, label in (("opens", "开始"), ("closes", "结束")):
                    text = f"周{word}第 {session + 1} 段{label}时间"
                    self.fields[f"d{weekday}s{session}_{end}"] = forms.TimeField(
                        label=text,
                        required=False,
                        input_formats=["%H:%M", "%H:%M:%S"],
                        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                        error_messages={"invalid": f"{text}不对，请按 09:00 的样子填写。"},
                    )

    def clean(self) -> dict[str, Any]:
        """A session has both ends, the later one last; sessions of a day follow each other."""
        data = self.cleaned_data
        for weekday in range(7):
            until: dt.time | None = None
            for session in SESSIONS:
                names = f"d{weekday}s{session}_opens", f"d{weekday}s{session}_closes"
                if set(names) & set(self.errors):
                    continue
                opens, closes = (data.get(name) for name in names)
                if (opens is None) != (closes is None):
                    self.add_error(names[0] if opens is None else names[1], "开始和结束时间都要填写，或者都留空。")
                elif opens is None or closes is None:
                    continue
                elif closes <= opens:
                    self.add_error(names[1], "结束时间应晚于开始时间。")
                elif until is not None and opens < until:
                    self.add_error(names[0], "与前一段时间重叠，请按先后填写。")
                else:
                    until = closes
        return data

    def sessions(self) -> list[tuple[int, dt.time, dt.time]]:
        """What was filled in, as (weekday, opens, closes)."""
        data = self.cleaned_data
        return [
            (weekday, data[f"d{weekday}s{session}_opens"], data[f"d{weekday}s{session}_closes"])
            for weekday in range(7)
            for session in SESSIONS
            if data.get(f"d{weekday}s{session}_opens")
        ]

    @property
    def days(self) -> list[dict[str, Any]]:
        """The rows of the page: ``[{"word", "sessions": [{"opens_label", "opens", "closes_label", "closes"}]}]``."""
        return [
            {
                "word": f"周{word}",
                "sessions": [
                    {
                        "opens_label": f"第 {session + 1} 段开始",
                        "closes_label": f"第 {session + 1} 段结束",
                        "opens": self[f"d{weekday}s{session}_opens"],
                        "closes": self[f"d{weekday}s{session}_closes"],
                    }
                    for session in SESSIONS
                ],
            }
            for weekday, word in enumerate(WEEKDAYS)
        ]


def hours_as_held(sessions: Iterable[tuple[int, dt.time, dt.time]]) -> dict[str, dt.time]:
    """Initial values of ``HoursForm`` from (weekday, opens, closes) in order."""
    found: dict[str, dt.time] = {}
    number: dict[int, int] = {}
    for weekday, opens, closes in sessions:
        session = number.get(weekday, 0)
        number[weekday] = session + 1
        found |= {f"d{weekday}s{session}_opens": opens, f"d{weekday}s{session}_closes": closes}
    return found


def with_monday_all_week(data: Any) -> Any:
    """Return the posted ``data`` with Monday's sessions on Tuesday to Friday."""
    more = data.copy()
    for weekday in range(1, 5):
        for session in SESSIONS:
            for end in ("opens", "closes"):
                more[f"d{weekday}s{session}_{end}"] = data.get(f"d0s{session}_{end}", "")
    return more
