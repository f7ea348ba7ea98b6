"""The years for everybody: is that day a working day, what is a year like, since when, and what it moved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from deadlines import calendar as working_calendar
from deadlines import words
from deadlines.arithmetic import ONE_DAY, WEEKDAYS, Calendar, DayInfo
from deadlines.clock import local_date
from deadlines.enums import Act, DayKind, DraftStatus, YearStatus
from deadlines.hours import open_windows
from deadlines.models import CalendarDraft, CalendarYear, Day
from deadlines.notice import COLUMNS, YEARS
from deadlines.past_years import NOT_HELD
from deadlines.reading import event_day
from deadlines.views_calendar.desk import office, staff
from deadlines.yearview import MARKS, months, said, spans
from ledger.models import Entry
from offices.export import csv_response
from offices.web import PortalRequest

FORTNIGHT = 14
MISSING = "没有载入 {year} 年的工作日历，不能回答这一天是不是工作日。"


# --- one day


def _answer(day: dt.date, calendar: Calendar) -> dict[str, Any]:
    """What a day is, in a sentence; a year that nobody published is never guessed silently."""
    year = calendar.years.get(day.year)
    if year is None or year.version == NOT_HELD:
        return {"tone": "warn", "title": MISSING.format(year=day.year), "text": ""}
    info = calendar.info(day)
    verdict = "是工作日" if info.is_working else "不是工作日"
    title = f"{words.chinese_date(day)}{verdict}：{said(info)}"
    text = "" if not info.is_working else "这一天计入工作日期限。"
    if not info.is_working:
        text = f"这一天不计入工作日期限；之后的第一个工作日是{words.chinese_date(calendar.after(day, 1))}。"
    if year.provisional:
        text += f"{day.year} 年的安排尚未正式发布，这是按周末和法定节假日的暂定答案。"
    return {"tone": "warn" if year.provisional else "good" if info.is_working else "info", "title": title, "text": text}


def _fortnight(today: dt.date, calendar: Calendar) -> list[dict[str, Any]]:
    """Today and the days after it, each with its word."""
    days = [calendar.info(today + ONE_DAY * number) for number in range(FORTNIGHT)]
    return [
        {
            "day": info.day,
            "weekday": f"周{WEEKDAYS[info.day.weekday()]}",
            "kind": info.kind,
            "word": info.name if info.kind in MARKS else "上班" if info.is_working else "周末",
            "mark": MARKS.get(info.kind, ""),
            "working": info.is_working,
            "said": said(info),
            "provisional": calendar.is_provisional(info.day, info.day),
        }
        for info in days
    ]


def look_up(request: HttpRequest, today: dt.date) -> dict[str, Any]:
    """The question about one day (``?day=``), its answer, and the coming fortnight."""
    calendar = working_calendar.recent()
    asked = request.GET.get("day", "").strip()
    day = event_day(asked) if asked else None
    answer = None
    error = ""
    if day is not None:
        answer = _answer(day, calendar)
    elif asked:
        error = "日期没有看懂，请按 2026-10-10 的样子填写。"
    return {"day": asked[:20], "answer": answer, "error": error, "fortnight": _fortnight(today, calendar)}


# --- the years


def held_years() -> list[CalendarYear]:
    """The years held, the newest first; one statement."""
    return list(CalendarYear.objects.order_by("-year"))


def _counts(years: Iterable[CalendarYear]) -> dict[int, Counter[str]]:
    """Year → kind of day → how many; one statement."""
    found: dict[int, Counter[str]] = {}
    rows = Day.objects.filter(year__in=[row.pk for row in years]).values_list("year__year", "kind")
    for year, kind in rows:
        found.setdefault(year, Counter())[kind] += 1
    return found


def year_rows(url_name: str) -> list[dict[str, Any]]:
    """The years as a list shows them, newest first; two statements."""
    years = held_years()
    counts = _counts(years)
    return [
        {
            "year": row.year,
            "badge": badge(row.status),
            "version": row.version,
            "source": row.source,
            "since": row.published_at,
            "working": counts[row.year][DayKind.WORKDAY] + counts[row.year][DayKind.MAKEUP],
            "off": counts[row.year][DayKind.HOLIDAY],
            "makeup": counts[row.year][DayKind.MAKEUP],
            "url": reverse(url_name, args=[row.year]),
        }
        for row in years
    ]


def _days(row: CalendarYear) -> list[DayInfo]:
    rows = row.days.order_by("day").values_list("day", "is_working", "kind", "name")
    return [DayInfo(day, working, DayKind(kind), name) for day, working, kind, name in rows]


def versions(row: CalendarYear, *, names: bool) -> list[dict[str, Any]]:
    """Every version of a year, the newest first: what it rested on, since when, days changed, clocks moved.

    ``names``: who put it in place. Three statements.
    """
    drafts = {
        int(draft.version_label.removesuffix("p")): draft
        for draft in CalendarDraft.objects.filter(
            year=row.year, status__in=[DraftStatus.APPLYING, DraftStatus.APPLIED]
        ).order_by("pk")
    }
    changed = {
        entry.data.get("version"): entry.data.get("days")
        for entry in Entry.objects.filter(stream=f"calendar:{row.year}", act=Act.CALENDAR_LOADED)
    }
    found: dict[int, dict[str, Any]] = {}
    history = row.history.select_related("history_user") if names else row.history.all()
    for past in [*history.order_by("history_date", "history_id"), row]:
        if past.version in found:
            continue
        draft = drafts.get(past.version)
        found[past.version] = {
            "version": past.version,
            "badge": badge(past.status),
            "source": past.source,
            "since": past.published_at,
            "who": getattr(past, "history_user", None) if names else None,
            "days": changed.get(past.version) if past.version > 1 else None,
            "draft": draft,
            "moved": draft.moved if draft else None,
        }
    return list(reversed(found.values()))


def badge(status: str) -> dict[str, str]:
    """The state of a year: 已发布 or 暂定."""
    return {"label": str(YearStatus(status).label), "tone": "good" if status == YearStatus.OFFICIAL else "warn"}


def year_context(row: CalendarYear, today: dt.date, url_name: str, *, names: bool) -> dict[str, Any]:
    """Everything of a year's page that staff and the public share."""
    days = _days(row)
    tables = months(days, today)
    counts = Counter(info.kind for info in days)
    others = list(CalendarYear.objects.order_by("year").values_list("year", flat=True))
    here = others.index(row.year)
    return {
        "row": row,
        "badge": badge(row.status),
        "months": tables,
        "working": counts[DayKind.WORKDAY] + counts[DayKind.MAKEUP],
        "off": counts[DayKind.HOLIDAY],
        "makeup": counts[DayKind.MAKEUP],
        "versions": versions(row, names=names),
        "years": [{"year": year, "url": reverse(url_name, args=[year]), "active": year == row.year} for year in others],
        "earlier": reverse(url_name, args=[others[here - 1]]) if here > 0 else "",
        "later": reverse(url_name, args=[others[here + 1]]) if here < len(others) - 1 else "",
    }


# --- pages of the staff


@staff
@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """Is that day a working day; the years; what is under way."""
    today = local_date(request.now)
    context = office(request, "home") | {
        "look": look_up(request, today),
        "rows": year_rows("calendar:year"),
        "look_url": reverse("calendar:home"),
    }
    if context["may_preview"]:
        context["open"] = list(CalendarDraft.objects.open().order_by("year"))
    return render(request, "calendar/home.html", context)


@staff
@require_safe
def year(request: PortalRequest, year: int) -> HttpResponse:
    """A year, day by day, with its versions."""
    if year not in YEARS:
        raise Http404
    context = office(request, "home")
    context["crumbs"] = [{"label": "工作日历", "url": reverse("calendar:home")}]
    row = CalendarYear.objects.filter(year=year).first()
    if row is None:
        context |= {"number": year, "new_url": f"{reverse('calendar:new')}?year={year}"}
        return render(request, "calendar/year_missing.html", context)
    context |= year_context(row, local_date(request.now), "calendar:year", names=True)
    if context["may_preview"]:
        context["draft"] = CalendarDraft.objects.open().filter(year=year).first()
    return render(request, "calendar/year.html", context)


def _lines(row: CalendarYear) -> Iterator[Sequence[Any]]:
    for span in spans(_days(row)):
        kind = "work" if span.is_working else "off"
        yield row.year, span.first.isoformat(), span.last.isoformat(), kind, span.name, row.source


@staff
@require_safe
def export(request: PortalRequest, year: int) -> HttpResponseBase:
    """The named days of a year, in the columns in which a notice is imported."""
    row = get_object_or_404(CalendarYear, year=year)
    return csv_response(f"工作日历-{year}", COLUMNS, _lines(row))


# --- pages of the public


@require_safe
def public_calendar(request: PortalRequest) -> HttpResponse:
    """The working calendar for everybody: one day, the coming fortnight, the windows, the present year.

    Where nobody published the present year, the page says so and shows the newest year there is.
    """
    today = local_date(request.now)
    rows = list(CalendarYear.objects.filter(year__lte=today.year).order_by("-year")[:1])
    context = {
        "nav": "help",
        "look": look_up(request, today),
        "look_url": reverse("calendar_public"),
        "windows": open_windows(),
        "missing": today.year if not rows or rows[0].year != today.year else None,
    }
    if rows:
        context |= year_context(rows[0], today, "calendar_public_year", names=False)
    return render(request, "calendar/public.html", context)


@require_safe
def public_year(request: PortalRequest, year: int) -> HttpResponse:
    """A year for everybody; no officers."""
    row = get_object_or_404(CalendarYear, year=year)
    context = year_context(row, local_date(request.now), "calendar_public_year", names=False) | {"nav": "help"}
    return render(request, "calendar/public.html", context)
