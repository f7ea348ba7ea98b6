"""Why a clock stands where it stands, in words: its days, its events, its rules, its calendars.

Page, command and API print what is said here and nothing of their own, so that they agree.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from django.db import models
from django.utils import timezone

from deadlines import calendar as working_calendar
from deadlines import sights, timeline, words
from deadlines.alarms import local
from deadlines.arithmetic import Calendar, DayLine, DayRange, due_date, is_paused
from deadlines.enums import ART_45, EventKind, PauseGround, State, Unit
from deadlines.errors import DeadlineError
from deadlines.kinds import KINDS, KindCode
from deadlines.models import CalendarYear, ClockEvent, Deadline
from deadlines.past_years import parts, years_as_they_were
from deadlines.provisional import provisional_year
from deadlines.reading import event_day
from deadlines.sights import Paper
from deadlines.timeline import BrokenTimelineError, Event, Timeline
from offices.models import User

logger = logging.getLogger(__name__)

# A period of up to so many days is listed day by day, a longer one in runs of days that are alike.
SHORT = 16
DERIVING = {EventKind.START, EventKind.RESUME, EventKind.EXTEND, EventKind.RECOMPUTE}
HAND_OVERS = {"redrawn": "重新抽取审查人员"}
LICENSING_LAW = "行政许可法"
MOST_PAUSES = 12


class Standing(models.TextChoices):
    """What became of a day."""

    COUNTED = "counted", "计入"
    SKIPPED = "skipped", "不计入"
    PAUSED = "paused", "暂停"


@dataclass(frozen=True, slots=True)
class Row:
    """A day, or a run of days that are alike: counted under which numbers, passed over or paused, and why."""

    first: date
    last: date
    standing: Standing
    number: int | None
    until: int | None
    reason: str
    provisional: bool
    is_due: bool

    @property
    def count(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def weekday(self) -> str:
        """周一 … 周日 of the first day."""
        return f"周{'一二三四五六日'[self.first.weekday()]}"

    @property
    def numbers(self) -> str:
        """``第 3 日``, ``第 6 至 10 日``, ``不计入``, ``暂停 7 天``."""
        if self.number is None:
            return f"{self.standing.label} {self.count} 天" if self.count > 1 else str(self.standing.label)
        return f"第 {self.number} 日" if self.number == self.until else f"第 {self.number} 至 {self.until} 日"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of counting that was used, and where it stands."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class CalendarNote:
    """A year of the working calendar that was counted by; ``version`` 0 is a year that is not held."""

    year: int
    version: int
    provisional: bool

    @property
    def text(self) -> str:
        """``2026年第1版（已发布）``, ``2027年暂定``."""
        return f"{self.year}年暂定" if self.provisional else f"{self.year}年第{self.version}版（已发布）"


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event of the clock in words. ``who`` is empty where officers are not named; ``due_on`` None: not moved."""

    at: datetime
    kind: EventKind
    text: str
    who: str = ""
    due_on: date | None = None

    @property
    def label(self) -> str:
        """起算, 暂停, 恢复 …"""
        return str(self.kind.label)

    @property
    def on(self) -> date:
        """The local day."""
        return local(self.at).date()


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why a clock stands still, since when, how long that was said to take, and what follows if it ended ``on``."""

    since: date
    why: str
    estimate: int | None
    estimated_end: date | None
    on: date
    due_on: date
    counted: int
    total: int

    @property
    def is_beyond_estimate(self) -> bool:
        """Whether it takes longer than the applicant was told."""
        return self.estimated_end is not None and self.on > self.estimated_end

    @property
    def text(self) -> str:
        """Since when, why, how long; the day itself stands in ``promise``."""
        said = f"自{words.chinese_date(self.since)}起暂停，次日起不计入：{self.why}。"
        if self.estimated_end is not None:
            said += f"已书面告知预计需 {self.estimate} 个工作日，至{words.chinese_date(self.estimated_end)}"
            said += "，现已超过。" if self.is_beyond_estimate else "。"
        return f"{said}暂停前已计 {self.counted} 日，还剩 {self.total - self.counted} 日。"

    @property
    def promise(self) -> str:
        """``如今天恢复，到期日为2026年10月22日（周四）。``"""
        return f"如今天恢复，到期日为{words.chinese_date(self.due_on)}。"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is said of a period. ``length`` leaves the extension out; ``days`` has every day, ``rows`` runs.

    For a clock that stands still the days are those that would be, were it resumed on the day of the reading.
    """

    unit: Unit
    length: int | None
    extended_by: int
    basis: str
    days: tuple[Row, ...]
    rows: tuple[Row, ...]
    rules: tuple[Rule, ...]
    calendars: tuple[CalendarNote, ...]
    events: tuple[EventLine, ...] = ()
    still: Standstill | None = None
    caveat: str = ""
    clock: Deadline | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the clock has ended."""
        return self.clock is not None and not self.clock.is_open

    @property
    def start_on(self) -> date:
        """The day of the event."""
        return self.days[0].first

    @property
    def due_on(self) -> date:
        """The last day of the period."""
        return self.days[-1].last

    @property
    def is_long(self) -> bool:
        """Whether ``rows`` holds runs of days."""
        return len(self.rows) < len(self.days)

    @property
    def length_text(self) -> str:
        """``20个工作日``, ``20个工作日，延长10个工作日，共30个工作日``."""
        plain = words.length(self.length, self.unit)
        if not self.extended_by or self.length is None:
            return plain
        more, whole = (words.length(number, self.unit) for number in (self.extended_by, self.length + self.extended_by))
        return f"{plain}，延长{more}，共{whole}"

    @property
    def calendar_text(self) -> str:
        """``2026年第1版（已发布）、2027年暂定``."""
        return "、".join(note.text for note in self.calendars)

    @property
    def provisional(self) -> str:
        """What a person must know about a day that rests on an unpublished year; empty when it does not."""
        if self.unit is Unit.FIXED:
            return ""
        years = "、".join(str(note.year) for note in self.calendars if note.provisional)
        if not years:
            return ""
        if self.is_closed:
            return f"{years} 年的节假日安排当时尚未发布，到期日按周末和法定节假日暂计。"
        return f"{years} 年的节假日安排尚未发布，到期日按周末和法定节假日暂计，发布后会重新计算并告知。"

    @property
    def summary(self) -> str:
        """``5个工作日，自2026年9月28日（周一）起算，至2026年10月10日（周六）届满。``"""
        begin, end = words.chinese_date(self.start_on), words.chinese_date(self.due_on)
        if self.unit is Unit.FIXED:
            return f"约定的固定日期：{end}。"
        return f"{self.length_text}，自{begin}起算，{'如今天恢复，' if self.still else ''}至{end}届满。"

    @property
    def has_history(self) -> bool:
        """Whether more than the start happened."""
        return len(self.events) > 1


# --- clocks


def explain_many(clocks: Iterable[Deadline | None], on: date, *, names: bool = False) -> dict[int, Explanation]:
    """Explain the clocks of a page as read on the local date ``on``, by their keys.

    ``names``: officers are named to this reader; everybody else reads their role. One statement for all events; one
    more for papers where a clock was paused or extended, one for the people of hand-overs where they are named, two
    for a calendar that has changed since. A clock whose events make no sense is logged and left out.
    """
    asked = [clock for clock in clocks if clock is not None]
    if not asked:
        return {}
    found = ClockEvent.objects.filter(deadline__in=asked).order_by("deadline_id", "seq")
    if names:
        found = found.select_related("by")
    events = {key: list(group) for key, group in groupby(found, key=lambda event: event.deadline_id)}
    known = [clock for clock in asked if _is_sound(clock, events.get(clock.pk, []))]
    told = [clock.stream for clock in known if _needs_papers(events[clock.pk])]
    papers = sights.papers(told) if told else {}
    people = _people(event for group in events.values() for event in group) if names else None
    present, then = _calendars(known)
    return {
        clock.pk: explain(
            clock,
            events[clock.pk],
            on,
            present,
            then=then.get(clock.pk),
            papers=papers.get(clock.stream, ()),
            people=people,
        )
        for clock in known
    }


def _is_sound(clock: Deadline, events: Sequence[ClockEvent]) -> bool:
    try:
        timeline.read(events)
    except BrokenTimelineError as error:
        logger.error("deadline %d cannot be explained: %s", clock.pk, error)
        return False
    return True


def explain(
    clock: Deadline,
    events: Sequence[ClockEvent],
    on: date,
    present: Calendar,
    *,
    then: Calendar | None = None,
    papers: Sequence[Paper] = (),
    people: Mapping[int, str] | None = None,
) -> Explanation:
    """Explain one clock from its events; no statement.

    ``present`` is the calendar as it is, one that estimates; ``then`` as it was when the due date was derived, where
    that was another one.
    """
    calendar = then or present
    line = timeline.read(events)
    until = on if clock.closed_at is None else local(clock.closed_at).date()
    lines = line.explain(calendar, until)
    shown = line.standing(until)
    return Explanation(
        unit=line.unit,
        length=None if line.length is None else line.length - line.extended_by,
        extended_by=line.extended_by,
        basis=clock.legal_basis,
        days=_rows(lines, shown.pauses, grouped=False),
        rows=_rows(lines, shown.pauses, grouped=len(lines) > SHORT),
        rules=_rules(shown, lines, events, clock.legal_basis),
        calendars=_notes(calendar, lines),
        events=_told(clock, events, calendar, papers, people),
        still=_still(clock, line, events, lines, calendar, on, papers),
        caveat=_caveat(clock, line, lines, present),
        clock=clock,
    )


def sources(explanations: Iterable[Explanation]) -> dict[CalendarNote, str]:
    """What the years that were counted by rest on, where they still stand as they were; one statement."""
    notes = {note for explanation in explanations for note in explanation.calendars}
    rows = CalendarYear.objects.filter(year__in={note.year for note in notes})
    found = {_note(row.year, row.version_label): row.source for row in rows}
    return {note: source for note, source in found.items() if note in notes}


def _rows(lines: Sequence[DayLine], pauses: Sequence[DayRange], *, grouped: bool) -> tuple[Row, ...]:
    """The days, or runs of them: alike in standing, reason and certainty. The due date always stands alone."""
    rows: list[Row] = []
    for line in lines:
        standing = Standing.COUNTED if line.counted else Standing.SKIPPED
        if is_paused(line.day, pauses):
            standing = Standing.PAUSED
        row = Row(line.day, line.day, standing, line.number, line.number, line.reason, line.provisional, line.is_due)
        last = rows[-1] if grouped and rows else None
        if last is not None and _alike(last) == _alike(row) and not row.is_due:
            rows[-1] = Row(last.first, row.last, standing, last.number, row.until, row.reason, row.provisional, False)
        else:
            rows.append(row)
    return tuple(rows)


def _alike(row: Row) -> tuple[Standing, str, bool]:
    return row.standing, row.reason, row.provisional


def _notes(calendar: Calendar, lines: Sequence[DayLine]) -> tuple[CalendarNote, ...]:
    version = calendar.version(lines[0].day, lines[-1].day)
    return tuple(_note(year, label) for year, label in parts(version).items())


def _note(year: int, label: str) -> CalendarNote:
    return CalendarNote(year, int(label.rstrip("p")), label.endswith("p"))


def _rules(line: Timeline, lines: Sequence[DayLine], events: Iterable[Event], basis: str) -> tuple[Rule, ...]:
    """The rules that this period was counted by, each once."""
    if line.unit is Unit.FIXED:
        return (Rule("约定的固定日期，不逐日计算，逢休息日不顺延", basis),)
    rules = [Rule("起算当日不计入，自下一日开始计算", "民法典第二百零一条")]
    if line.unit is Unit.WORKING:
        counted = "以工作日计算，不含法定节假日"
        by_law = LICENSING_LAW in basis
        rules.append(Rule(counted, f"{LICENSING_LAW}第八十二条") if by_law else Rule(f"按本期限的依据，{counted}", ""))
    elif line.unit is Unit.MONTHS:
        rules.append(Rule("按月计算，到期月的对应日为最后一日；没有对应日的，月末日为最后一日", "民法典第二百零二条"))
    else:
        rules.append(Rule("按公历日连续计算，期间内的休息日也计入", "民法典第二百条"))
    last = lines[-1]
    if not last.counted and is_paused(last.day, line.pauses) is None:
        rules.append(Rule("最后一日是法定休假日的，以休假日结束的次日为最后一日", "民法典第二百零三条"))
    for event in events:
        if event.kind == EventKind.PAUSE:
            rules.append(Rule("依法进行的程序所需时间不计入期限", _pause_source(event.data)))
        elif event.kind == EventKind.EXTEND:
            rules.append(Rule("经批准可以延长一次", str(event.data.get("basis") or basis)))
    return tuple(dict.fromkeys(rules))


def _pause_source(data: Mapping[str, Any]) -> str:
    if law := str(data.get("law") or ""):
        return law
    if data.get("ground") == PauseGround.PUBLIC_NOTICE:
        return "本事项公布的承诺期限规定"
    return f"{LICENSING_LAW}第四十五条" if data.get("ground") in ART_45 else ""


def _caveat(clock: Deadline, line: Timeline, lines: Sequence[DayLine], present: Calendar) -> str:
    """What must be said where the days are not simply those of the due date that is on record; mostly empty."""
    if clock.state == State.PAUSED:
        return ""
    if line.paused_since is not None:
        return f"期限在暂停中结束，以下按结束当日恢复列出；登记的到期日是{words.chinese_date(clock.due_on)}。"
    on_record = f"登记的到期日是{words.chinese_date(clock.due_on)}"
    now = parts(present.version(clock.start_on, clock.due_on))
    changed = [_note(year, now[year]).text for year, _ in _differing(clock, present)]
    if changed:
        text = f"工作日历其后更新为{'、'.join(changed)}，"
        if lines[-1].day != clock.due_on:
            return f"{text}原日历已无法还原，以下按现行日历列出；{on_record}。"
        return f"{text}{'尚未据此重新计算。' if clock.is_open else '不影响已经结束的期限。'}"
    return f"{on_record}，与逐日推算的不一致，请联系系统管理员核对。" if lines[-1].day != clock.due_on else ""


# --- the calendar that a clock is counted by


def _calendars(clocks: Sequence[Deadline]) -> tuple[Calendar, dict[int, Calendar]]:
    """The present calendar; and for clocks whose due date rests on another one, that one as far as it is known.

    A clock that stands still is counted anew by the present one.
    """
    present = working_calendar.recent()
    if all(_stands_by(clock, present) for clock in clocks):
        return present, {}
    present = working_calendar.estimating()
    behind = {clock.pk: _differing(clock, present) for clock in clocks if not _stands_by(clock, present)}
    years = years_as_they_were(pair for pairs in behind.values() for pair in pairs)
    then = {}
    for key, pairs in behind.items():
        past = {number: years[number, label] for number, label in pairs if (number, label) in years}
        then[key] = Calendar((dict(present.years) | past).values(), supply=provisional_year)
    return present, then


def _stands_by(clock: Deadline, calendar: Calendar) -> bool:
    return clock.state == State.PAUSED or not _differing(clock, calendar)


def _differing(clock: Deadline, calendar: Calendar) -> list[tuple[int, str]]:
    """The years, with the labels of their versions, that the clock counts by and that are other ones now."""
    now = parts(calendar.version(clock.start_on, clock.due_on))
    return [(year, label) for year, label in parts(clock.calendar_version).items() if now.get(year, label) != label]


# --- events in words


def _needs_papers(events: Iterable[ClockEvent]) -> bool:
    return any(event.kind == EventKind.EXTEND or event.data.get("document") for event in events)


def _people(events: Iterable[ClockEvent]) -> dict[int, str]:
    """Id → name of those to whom clocks were handed over; a statement only if one was."""
    wanted = {event.data["to"] for event in events if event.kind == EventKind.HAND_OVER and event.data.get("to")}
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "full_name")) if wanted else {}


def _told(
    clock: Deadline,
    events: Sequence[ClockEvent],
    calendar: Calendar,
    papers: Sequence[Paper],
    people: Mapping[int, str] | None,
) -> tuple[EventLine, ...]:
    dues = _dues(clock, events, calendar)
    rows = []
    version = ""
    for event in events:
        kind = EventKind(event.kind)
        text = _words(clock, event, papers, people)
        if kind is EventKind.RECOMPUTE:
            text += _why_recomputed(version, str(event.data.get("calendar", "")))
        version = str(event.data.get("calendar") or version)
        who = event.by.full_name if people is not None and event.by is not None else ""
        rows.append(EventLine(event.at, kind, text, who, dues.get(event.seq)))
    return tuple(rows)


def _words(clock: Deadline, event: ClockEvent, papers: Sequence[Paper], people: Mapping[int, str] | None) -> str:
    """What happened, in words; a person is named only where ``people`` is given."""
    data = event.data
    match EventKind(event.kind):
        case EventKind.START if data.get("fixed_on"):
            return f"约定{words.chinese_date(date.fromisoformat(data['fixed_on']))}"
        case EventKind.START:
            return f"{words.length(data['length'], Unit(data['unit']))}，当日不计入"
        case EventKind.PAUSE:
            estimate = f"，告知预计需 {data['estimate']} 个工作日" if data.get("estimate") else ""
            return f"{_why_paused(data, papers)}{estimate}"
        case EventKind.RESUME:
            return "继续计算，恢复当日不计入"
        case EventKind.EXTEND:
            row = KINDS[KindCode(clock.kind)].extension
            by = f"经{row.allowed_by}批准，" if row else ""
            basis = f"（{data['basis']}）" if data.get("basis") else ""
            paper = next((f"，{paper.text}" for paper in papers if paper.told is EventKind.EXTEND), "")
            more = f"延长{words.length(data['length'], Unit(clock.unit))}" if data.get("length") else "延长"
            return f"{by}{more}{basis}{paper}"
        case EventKind.RECOMPUTE:
            before, after = (words.chinese_date(date.fromisoformat(data[name])) for name in ("from", "to"))
            return f"到期日由{before}改为{after}"
        case EventKind.HAND_OVER:
            why = HAND_OVERS.get(str(data.get("reason", "")), "改由他人办理")
            to = (people or {}).get(data.get("to") or 0, "")
            return f"{why}{f'：{to}' if to else ''}，期限不变"
        case EventKind.CANCEL:
            reason = str(data.get("reason", ""))
            return f"不再计算：{reason}" if not reason.isascii() else "不再计算"
        case EventKind.MET | EventKind.MISSED as kind:
            due = words.chinese_date(date.fromisoformat(data["due_on"])) if data.get("due_on") else ""
            return f"{'没有超过' if kind is EventKind.MET else '超过'}到期日{due}"


def _why_paused(data: Mapping[str, Any], papers: Sequence[Paper]) -> str:
    paper = next((one.text for one in papers if one.key == data.get("document")), "")
    return f"{timeline.ground_text(data)}{f'（{paper}）' if paper else ''}"


def _why_recomputed(before: str, after: str) -> str:
    """Because of which versions: those that are other than before."""
    old, new = parts(before), parts(after)
    changed = [year for year in new if old.get(year, new[year]) != new[year]] or list(new)
    return f"，因工作日历更新为{'、'.join(_note(year, new[year]).text for year in changed)}" if changed else ""


def _dues(clock: Deadline, events: Sequence[ClockEvent], calendar: Calendar) -> dict[int, date]:
    """Number of the event → the due date after it. What an older calendar gave and nobody wrote down is left out."""
    deriving = [event for event in events if EventKind(event.kind) in DERIVING]
    first = parts(str(events[0].data.get("calendar", clock.calendar_version)))
    steady = all(label == calendar.version(date(year, 1, 1), date(year, 1, 1)).partition(".")[2]
                 for year, label in (first | parts(clock.calendar_version)).items())  # fmt: skip
    found: dict[int, date] = {}
    for event, following in zip(deriving, [*deriving[1:], None], strict=True):
        if following is None:
            found[event.seq] = clock.due_on
        elif following.kind == EventKind.RECOMPUTE:
            found[event.seq] = date.fromisoformat(following.data["from"])
        elif steady:
            found[event.seq] = timeline.derive_due([one for one in events if one.seq <= event.seq], calendar)
    return found


def _still(
    clock: Deadline,
    line: Timeline,
    events: Sequence[ClockEvent],
    lines: Sequence[DayLine],
    calendar: Calendar,
    on: date,
    papers: Sequence[Paper],
) -> Standstill | None:
    if clock.state != State.PAUSED or line.paused_since is None:
        return None
    data = next(event.data for event in reversed(events) if event.kind == EventKind.PAUSE)
    numbers = [row.number for row in lines if row.number is not None]
    return Standstill(
        since=line.paused_since,
        why=_why_paused(data, papers),
        estimate=data.get("estimate"),
        estimated_end=calendar.after(line.paused_since, data["estimate"]) if data.get("estimate") else None,
        on=on,
        due_on=lines[-1].day,
        counted=sum(row.counted for row in lines if row.day <= line.paused_since),
        total=numbers[-1] if numbers else 0,
    )


# --- periods that nobody has started


class NoSense(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """A pause or an extension that no clock can have; ``field`` is where the sentence belongs."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Supposed:
    """A pause that is supposed: the day of the event that stops the clock, that of the one that resumes it, and why."""

    first: date
    last: date
    ground: str = ""
    law: str = ""


@dataclass(frozen=True, slots=True)
class _Happened:
    kind: str
    at: datetime
    data: Mapping[str, Any]


PAUSE_FORM = (
    "暂停要写成 2026-10-12..2026-10-20 或 2026-10-12..2026-10-20:expert_review 的样子（暂停之日..恢复之日:事由）。"
)


def read_pause(text: str) -> Supposed:
    """Read ``FROM..TO[:ground[:law]]``, the ground by its code or its name; raises ``NoSense``."""
    days, _, why = text.strip().partition(":")
    begin, dots, end = days.partition("..")
    first, last = event_day(begin.strip()), event_day(end.strip())
    if not dots or first is None or last is None:
        raise NoSense(PAUSE_FORM, "pause")
    name, _, law = why.replace("：", ":").partition(":")
    name = name.strip()
    ground = next((one for one in PauseGround if name in {one.value, one.label}), None)
    if name and ground is None:
        known = "、".join(f"{one.value}（{one.label}）" for one in PauseGround)
        raise NoSense(f"没有“{name}”这一暂停事由。可以写：{known}。", "pause")
    if ground is PauseGround.NAMED_LAW and not law.strip():
        raise NoSense("因其他法律规定暂停的，要写明是哪部法律哪一条，如 named_law:《…法》第…条。", "pause")
    return Supposed(first, last, ground.value if ground else "", law.strip())


def what_if(
    start_on: date,
    length: int,
    unit: Unit,
    calendar: Calendar,
    *,
    pauses: Sequence[Supposed] = (),
    extension: int = 0,
) -> Explanation:
    """Explain a period that begins with an event on ``start_on``, as its clock would be. No statement.

    Raises ``MissingYear``, and ``NoSense`` for pauses that overlap, run backwards or begin before the period.
    """
    if len(pauses) > MOST_PAUSES:
        raise NoSense(f"最多可以设 {MOST_PAUSES} 次暂停。", "pause")
    ordered = sorted(pauses, key=lambda one: (one.first, one.last))
    free = start_on
    for pause in ordered:
        if pause.last < pause.first:
            raise NoSense(f"恢复之日（{pause.last}）不能早于暂停之日（{pause.first}）。", "pause")
        if pause.first < free:
            before = "起算之日" if free == start_on else "前一次恢复之日"
            raise NoSense(f"暂停之日（{pause.first}）不能早于{before}（{free}）。", "pause")
        free = pause.last
        calendar.info(pause.last)
    due_date(start_on, length + extension, unit, calendar)  # a year that is missing is told before days are walked
    events = [_happened(EventKind.START, start_on, {"length": length, "unit": unit.value})]
    for pause in ordered:
        events.append(_happened(EventKind.PAUSE, pause.first, {"ground": pause.ground, "law": pause.law}))
        events.append(_happened(EventKind.RESUME, pause.last, {}))
    if extension:
        events.append(_happened(EventKind.EXTEND, free, {"length": extension}))
    line = timeline.read(events)
    lines = line.explain(calendar)
    return Explanation(
        unit=unit,
        length=length,
        extended_by=extension,
        basis="",
        days=_rows(lines, line.pauses, grouped=False),
        rows=_rows(lines, line.pauses, grouped=len(lines) > SHORT),
        rules=_rules(line, lines, events, LICENSING_LAW),
        calendars=_notes(calendar, lines),
    )


def _happened(kind: EventKind, day: date, data: Mapping[str, Any]) -> _Happened:
    return _Happened(kind, datetime.combine(day, time(12), tzinfo=timezone.get_default_timezone()), data)
