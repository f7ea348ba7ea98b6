"""Proposing a year, seeing what it moves, publishing it or giving it up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deadlines import calendar as working_calendar
from deadlines import owners, sights
from deadlines.arithmetic import ONE_DAY, Calendar, DayInfo, Year
from deadlines.clock import local_date
from deadlines.enums import DayKind, DraftStatus, YearStatus
from deadlines.errors import Conflict, DeadlineError
from deadlines.forms_calendar import Initial, TypedYear, UploadForm
from deadlines.kinds import KINDS
from deadlines.models import CalendarDraft, CalendarMove, CalendarYear, Deadline
from deadlines.notice import YEARS, Notice
from deadlines.office import (
    check_again,
    discard,
    draft_year,
    import_file,
    missing_year,
    moves_by_kind,
    propose,
    publish,
    year_changes,
)
from deadlines.provisional import published_elsewhere
from deadlines.views_calendar.desk import conflict, office, onlookers, previews, publishers
from deadlines.views_calendar.years import badge
from deadlines.yearview import months, said, spans
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.templatetags.portal import cn_datetime
from offices.web import PortalRequest

ORDER = ("deadline_id",)
HEAD = ("期限种类", "事项", "编号", "原到期日", "新到期日", "变动", "已调整")
DIRECTIONS = (("later", "推后"), ("earlier", "提前"))
DRAFT_TONES = {
    DraftStatus.CHECKING: "active",
    DraftStatus.READY: "warn",
    DraftStatus.APPLYING: "active",
    DraftStatus.APPLIED: "good",
    DraftStatus.DISCARDED: "neutral",
}
DISCARD_FOLLOWS = ("这份草稿和它的预览作废，现行工作日历不变", "作废记入留痕，之后可以重新起草")
UNREAD = "请逐条核对并勾选存疑之处，再发布。"


# --- the list of drafts


@onlookers
@require_safe
def drafts(request: PortalRequest) -> HttpResponse:
    """All drafts, the newest first."""
    listing = Listing(
        request,
        reverse("calendar:drafts"),
        filters=[Filter("status", "状态", DraftStatus.choices)],
    )
    rows = CalendarDraft.objects.select_related("created_by", "published_by")
    if listing["status"]:
        rows = rows.filter(status=listing["status"])
    page = listing.page(rows, ("-id",))
    context = office(request, "drafts") | {
        "rows": [{"draft": row, "badge": draft_badge(row)} for row in page],
        "bar": listing.bar(),
        "pager": listing.pager(page, "份"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
    }
    return render(request, "calendar/drafts.html", context)


def draft_badge(draft: CalendarDraft) -> dict[str, str]:
    """The draft's state as a badge."""
    status = DraftStatus(draft.status)
    return {"label": str(status.label), "tone": DRAFT_TONES[status]}


# --- ways in


def _wanted_year(request: PortalRequest) -> int:
    """The year asked for (``?year=``), else the one that is missing, else the one after the last official one."""
    asked = request.GET.get("year") or request.POST.get("year") or ""
    if asked.isdecimal() and int(asked) in YEARS:
        return int(asked)
    today = local_date(request.now)
    last = CalendarYear.objects.filter(status=YearStatus.OFFICIAL).order_by("-year").values_list("year", flat=True)
    return missing_year(today) or (last.first() or today.year - 1) + 1


def _ways(request: PortalRequest, form: UploadForm | None = None, refused: str = "") -> HttpResponse:
    """The page of the ways in; with a form that came back, or a refusal of the proposal, as 422."""
    year = _wanted_year(request)
    row = CalendarYear.objects.filter(year=year).first()
    context = office(request, "drafts") | {
        "crumbs": [{"label": "年度安排草稿", "url": reverse("calendar:drafts")}],
        "year": year,
        "years": [{"year": number, "active": number == year} for number in _offered(request, year)],
        "row": row,
        "badge": badge(row.status) if row else None,
        "open": CalendarDraft.objects.open().filter(year=year).first(),
        "is_official": row is not None and row.status == YearStatus.OFFICIAL,
        "package": published_elsewhere(year) is not None,
        "form": form or UploadForm(),
        "returned": form,
        "refused": refused,
    }
    return render(request, "calendar/new.html", context, status=422 if form or refused else 200)


def _offered(request: PortalRequest, year: int) -> list[int]:
    today = local_date(request.now).year
    return sorted({today, today + 1, today + 2, year})


@publishers
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponseBase:
    """The ways to propose a year; POST takes the file."""
    if request.method != "POST":
        return _ways(request)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = import_file(file.name, file.read(), by=request.user, now=request.now)
        except Conflict as error:
            return conflict(request, error, reverse("calendar:drafts"))
        except DeadlineError as error:
            form.add_error("file", str(error))
        else:
            return _drafted(request, made)
    return _ways(request, form)


def _drafted(request: PortalRequest, made: Sequence[CalendarDraft]) -> HttpResponseBase:
    years = "、".join(str(draft.year) for draft in made)
    messages.success(request, f"已生成 {years} 年的草稿，正在核对会变动哪些期限。看过预览再发布。")
    if len(made) == 1:
        return redirect("calendar:draft", pk=made[0].pk)
    return redirect("calendar:drafts")


@publishers
@require_POST
def provisional(request: PortalRequest, year: int) -> HttpResponseBase:
    """Propose a provisional year from public data, or by the law alone."""
    if year not in YEARS:
        raise Http404
    try:
        made = propose(year, by=request.user, now=request.now)
    except Conflict as error:
        return conflict(request, error, reverse("calendar:drafts"))
    except DeadlineError as error:
        return _ways(request, refused=str(error))
    return _drafted(request, [made])


def _as_held(year: int) -> Notice | None:
    """The year as it stands, as a notice."""
    row = CalendarYear.objects.filter(year=year).first()
    if row is None:
        return None
    special = row.days.filter(kind__in=[DayKind.HOLIDAY, DayKind.MAKEUP]).values_list("day", "kind", "name")
    found = Notice(year, row.source if row.status == YearStatus.OFFICIAL else "")
    for day, kind, name in special:
        (found.off if kind == DayKind.HOLIDAY else found.makeup)[day] = name
    return found


def _from_package(year: int) -> Notice | None:
    """The year as the package has it; what the notice is called is for the person to say."""
    found = published_elsewhere(year)
    return Notice(year, "", off=found.off, makeup=found.makeup) if found else None


FILLS = {"held": _as_held, "package": _from_package}


@publishers
@require_http_methods(["GET", "HEAD", "POST"])
def typed(request: PortalRequest, year: int) -> HttpResponseBase:
    """A year typed by hand. ``act``: ``save``, ``show`` (look at it as a year), ``off`` or ``makeup`` (more rows)."""
    if year not in YEARS:
        raise Http404
    if request.method != "POST":
        fill = FILLS.get(request.GET.get("from", ""))
        notice = fill(year) if fill else None
        return _typed_answer(request, TypedYear(year, initial=Initial.of(notice) if notice else None))
    act = request.POST.get("act", "save")
    if act in {"off", "makeup"}:
        return _typed_answer(request, TypedYear(year, initial=Initial.typed(request.POST, act)))
    form = TypedYear(year, request.POST)
    if not form.is_valid() or form.notice is None:
        return _typed_answer(request, form, status=422)
    if act == "show":
        return _typed_answer(request, form, shown=form.notice.days())
    try:
        made = draft_year(form.notice, by=request.user, now=request.now)
    except Conflict as error:
        return conflict(request, error, reverse("calendar:drafts"))
    except DeadlineError as error:
        form.source.add_error(None, str(error))
        return _typed_answer(request, form, status=422)
    return _drafted(request, [made])


def _typed_answer(
    request: PortalRequest,
    form: TypedYear,
    *,
    status: int = 200,
    shown: Sequence[DayInfo] = (),
) -> HttpResponse:
    """The form as it stands, with the year that it makes."""
    year = form.year
    fills = [("package", "按公开数据预填")] if published_elsewhere(year) else []
    if CalendarYear.objects.filter(year=year).exists():
        fills.append(("held", "以现行安排为底稿"))
    here = reverse("calendar:typed", args=[year])
    context = office(request, "drafts") | {
        "crumbs": [
            {"label": "年度安排草稿", "url": reverse("calendar:drafts")},
            {"label": "起草年度安排", "url": f"{reverse('calendar:new')}?year={year}"},
        ],
        "year": year,
        "form": form,
        "errors": form.errors,
        "fills": [{"label": label, "url": f"{here}?from={name}"} for name, label in fills],
        "filled": request.GET.get("from", ""),
        "months": months(shown) if shown else [],
        "working": sum(info.is_working for info in shown),
    }
    return render(request, "calendar/typed.html", context, status=status)


# --- one draft


def calendar_with(draft: CalendarDraft) -> Calendar:
    """The calendar in which this draft's year stands as proposed; years that nobody holds are estimated."""
    held = working_calendar.recent()
    proposed: Year = draft.as_year()
    years = [year for number, year in held.years.items() if number != draft.year]
    return Calendar([*years, proposed], supply=held.year)


def moved_text(before: dt.date, after: dt.date, calendar: Calendar) -> str:
    """``推后 3 个工作日``, ``提前 1 个工作日``; in days where no working day lies between."""
    direction = "推后" if after > before else "提前"
    first, last = min(before, after), max(before, after)
    working = calendar.count(first, last)
    return f"{direction} {working} 个工作日" if working else f"{direction} {(last - first).days} 天"


CONDITIONS = {"": Q(), "done": Q(applied_at__isnull=False), "not": Q(applied_at__isnull=True)}


def narrowed(rows: QuerySet[CalendarMove], *, q: str, kind: str, direction: str) -> QuerySet[CalendarMove]:
    """The moves of one kind, in one direction, or of the owner with the number ``q``."""
    if q:
        rows = rows.filter(deadline__stream__in=sights.find_any(q.upper()))
    if kind:
        rows = rows.filter(deadline__kind=kind)
    if direction:
        rows = rows.filter(after__gt=F("before")) if direction == "later" else rows.filter(after__lt=F("before"))
    return rows.select_related("deadline")


def _listing(request: PortalRequest, draft: CalendarDraft) -> tuple[Listing, QuerySet[CalendarMove]]:
    kinds = [(str(kind), f"{KINDS[kind].label}（{number}）") for kind, number in moves_by_kind(draft)]
    listing = Listing(
        request,
        reverse("calendar:draft", args=[draft.pk]),
        filters=[Filter("kind", "期限种类", kinds), Filter("direction", "变动", DIRECTIONS)],
        q_label="办件或任务编号",
        placeholder="完整编号",
        tabs=("done", "not"),
    )
    rows = CalendarMove.objects.filter(draft=draft)
    return listing, narrowed(rows, q=listing["q"], kind=listing["kind"], direction=listing["direction"])


def _move_rows(request: PortalRequest, found: Sequence[CalendarMove], calendar: Calendar) -> list[dict[str, Any]]:
    """What a page of moves shows; a constant number of statements."""
    named = owners.names(row.deadline.stream for row in found)
    seen = sights.of((row.deadline.stream for row in found), request.access)
    return [
        {
            "move": row,
            "kind": row.deadline.get_kind_display(),
            "owner": named[row.deadline.stream],
            "url": seen[row.deadline.stream].url if row.deadline.stream in seen else "",
            "text": moved_text(row.before, row.after, calendar),
            "later": row.after > row.before,
        }
        for row in found
    ]


@onlookers
@require_safe
def moves_export(request: PortalRequest, pk: int) -> HttpResponseBase:
    """The moves as asked for, as CSV."""
    draft = get_object_or_404(CalendarDraft, pk=pk)
    listing, rows = _listing(request, draft)
    calendar = calendar_with(draft)

    def lines(found: list[CalendarMove]) -> Iterable[Sequence[Any]]:
        named = owners.names(row.deadline.stream for row in found)
        for row in found:
            owner = named[row.deadline.stream]
            text = moved_text(row.before, row.after, calendar)
            done = "是" if row.applied_at else ""
            yield row.deadline.get_kind_display(), owner.title, owner.number, row.before, row.after, text, done

    shown = rows.filter(CONDITIONS[listing["tab"]])
    return csv_response(f"{draft.year}年安排-变动的期限", HEAD, everything(shown, ORDER, lines))


def _changes(draft: CalendarDraft) -> list[dict[str, Any]]:
    """The days that differ from the year as it stands, in a row where they differ alike."""
    found: list[dict[str, Any]] = []
    for change in year_changes(draft):
        what = {"before": said(change.before) if change.before else "未载入", "after": said(change.after)}
        last = found[-1] if found else {}
        if last and last["last"] + ONE_DAY == change.day and what == {key: last[key] for key in what}:
            last["last"] = change.day
        else:
            found.append({"first": change.day, "last": change.day, **what})
    return found


def _broken(draft: CalendarDraft) -> list[dict[str, Any]]:
    """Clocks that could not be recomputed, by what they belong to."""
    clocks = list(Deadline.objects.filter(pk__in=draft.broken).order_by("pk"))
    named = owners.names(clock.stream for clock in clocks)
    return [{"kind": clock.get_kind_display(), "owner": named[clock.stream]} for clock in clocks]


def publish_follows(draft: CalendarDraft) -> list[str]:
    """What will follow a publication, in sentences."""
    kind = "正式安排" if draft.year_status == YearStatus.OFFICIAL else "暂定安排"
    lines = [f"{draft.year} 年成为{kind}第 {draft.version_label.removesuffix('p')} 版，对全市即时生效"]
    if draft.is_replacing:
        lines[0] += "，替换现行的正式安排"
    if draft.moving:
        concerned = draft.moves.order_by().values("deadline__stream").distinct().count()
        lines += [
            f"{draft.moving} 个未结期限移到新的到期日，每个期限记一次“重算”并留痕",
            f"涉及 {concerned} 件办件和任务，经办人员收到短信；告知过申请人的日期有变动的，申请人也收到短信",
        ]
    else:
        lines.append("没有未结期限因此移动")
    lines.append("发布不能撤回；以后再有变动，另行起草发布")
    return lines


def _lead(draft: CalendarDraft) -> str:
    """Where the draft stands and what is to be done next."""
    match DraftStatus(draft.status):
        case DraftStatus.CHECKING:
            return "正在核对会变动哪些期限，请稍候。"
        case DraftStatus.READY:
            if not draft.moving:
                return "核对完成：没有期限会变动。核对安排无误后发布。"
            return f"核对完成：{draft.moving} 个期限会变动。看过下面的清单，再发布。"
        case DraftStatus.APPLYING:
            return "安排已经生效，正在逐批调整期限。"
        case DraftStatus.APPLIED:
            if not draft.moved:
                return "已发布：没有期限因此移动。"
            foreseen = "" if draft.moved == draft.moving else f"（预览时为 {draft.moving} 个，其间有办结或新起算的）"
            return f"已发布：移动了 {draft.moved} 个期限{foreseen}，逐个留痕并告知。"
        case DraftStatus.DISCARDED:
            return "已作废，没有改动工作日历。"


def _facts(draft: CalendarDraft) -> list[dict[str, Any]]:
    """What is proposed, from where, by whom."""
    label = f"第 {draft.version_label.removesuffix('p')} 版（{YearStatus(draft.year_status).label}）"
    facts: list[dict[str, Any]] = [
        {"label": "依据", "value": draft.source, "wide": True},
        {"label": "来源", "value": draft.get_origin_display()},
        {"label": "成为" if draft.status == DraftStatus.APPLIED else "发布后成为", "value": label},
        {"label": "起草", "value": f"{draft.created_by.full_name} {cn_datetime(draft.created_at)}"},
    ]
    if draft.published_by is not None:
        facts.append({"label": "发布", "value": f"{draft.published_by.full_name} {cn_datetime(draft.published_at)}"})
    return facts


def progress(draft: CalendarDraft) -> dict[str, Any]:
    """What the progress bar shows, and says."""
    verb = "核对" if draft.status == DraftStatus.CHECKING else "调整"
    text = f"已{verb} {draft.looked_at} / {draft.total} 个未结期限" if draft.total else f"正在准备{verb}"
    return {"percent": draft.percent, "text": text, "busy": draft.is_busy, "error": draft.error}


@onlookers
@require_safe
def draft(request: PortalRequest, pk: int) -> HttpResponse:
    """What a year moves, from when to when, before it is published; and what it truly moved afterwards."""
    return _draft_answer(request, pk)


def _draft_answer(request: PortalRequest, pk: int, unread: str = "") -> HttpResponse:
    """The draft's page; with ``unread``, the doubts come back as 422."""
    found = get_object_or_404(CalendarDraft.objects.select_related("created_by", "published_by"), pk=pk)
    changes = _changes(found) if found.status in {DraftStatus.CHECKING, DraftStatus.READY} else []
    context = office(request, "drafts") | {
        "crumbs": [{"label": "年度安排草稿", "url": reverse("calendar:drafts")}],
        "draft": found,
        "lead": _lead(found),
        "facts": _facts(found),
        "badge": draft_badge(found),
        "progress": progress(found),
        "state_url": reverse("calendar:state", args=[found.pk]),
        "changes": changes,
        "changed": sum((one["last"] - one["first"]).days + 1 for one in changes),
        "spans": spans(found.days()),
        "broken": _broken(found),
        "discard_follows": DISCARD_FOLLOWS,
    }
    if not found.is_busy:
        listing, rows = _listing(request, found)
        counts = counted(rows, CONDITIONS)
        page = listing.page(rows.filter(CONDITIONS[listing["tab"]]), ORDER)
        context |= {
            "rows": _move_rows(request, page.rows, calendar_with(found)),
            "bar": listing.bar() if counts["all"] or listing.is_narrowed else None,
            "pager": listing.pager(page, "个"),
            "narrowed": listing.is_narrowed,
            "clear_url": listing.url,
            "export_url": listing.address(reverse("calendar:moves_export", args=[found.pk])),
            "stats": listing.stats(
                [
                    ("", "全部", counts["all"], "neutral"),
                    ("done", "已调整", counts["done"], "good"),
                    ("not", "未调整", counts["not"], "warn"),
                ]
            )
            if found.status == DraftStatus.APPLIED
            else [],
        }
    if found.status == DraftStatus.READY:
        context |= {
            "stale": found.is_stale(),
            "follows": publish_follows(found),
            "read": request.POST.getlist("read"),
            "unread": unread,
        }
    return render(request, "calendar/draft.html", context, status=422 if unread else 200)


@require_safe
def state(request: PortalRequest, pk: int) -> HttpResponse:
    """The progress alone, for htmx; when the worker is done, or the person is signed out, the page is loaded anew."""
    if request.user.is_authenticated and not previews(request.access):
        raise Http404
    found = get_object_or_404(CalendarDraft, pk=pk) if request.user.is_authenticated else None
    if found is None or not found.is_busy:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "calendar/_progress.html", {"progress": progress(found)})


@publishers
@require_POST
def publication(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Publish; each doubt must have been ticked as read."""
    found = get_object_or_404(CalendarDraft, pk=pk)
    doubts = {str(number) for number in range(len(found.doubts))}
    if found.status == DraftStatus.READY and not doubts <= set(request.POST.getlist("read")):
        return _draft_answer(request, pk, UNREAD)
    return _acted(request, found, partial(publish, found), f"{found.year} 年的安排已发布，正在调整期限。")


def _acted(request: PortalRequest, found: CalendarDraft, act: partial[CalendarDraft], done: str) -> HttpResponseBase:
    back = reverse("calendar:draft", args=[found.pk])
    try:
        act(by=request.user, now=request.now)
    except DeadlineError as error:
        return conflict(request, error, back)
    messages.success(request, done)
    return redirect(back)


@publishers
@require_POST
def again(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Preview anew."""
    found = get_object_or_404(CalendarDraft, pk=pk)
    return _acted(request, found, partial(check_again, found), "正在重新核对。")


@publishers
@require_POST
def discarding(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Give the draft up."""
    found = get_object_or_404(CalendarDraft, pk=pk)
    return _acted(request, found, partial(discard, found), f"{found.year} 年的草稿已作废，现行工作日历不变。")
