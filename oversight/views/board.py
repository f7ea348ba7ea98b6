"""The overseers' home: every case and task with open clocks, the most pressing first, counted with its denominator.

Source: O2b, O3.3.1c/d.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from deadlines.clock import local_date
from deadlines.models import Deadline
from deadlines.querysets import DeadlineQuerySet
from offices import kept
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Department, Posting
from offices.web import PortalRequest, roles_required
from oversight import board, deemed
from oversight.board import Horizon
from oversight.queries import departments_by_division

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
HEAD = (
    "编号",
    "类别",
    "业务办理项",
    "监管事项子项",
    "部门",
    "处室",
    "状态",
    "期限",
    "到期日",
    "暂定",
    "时限",
    "其他期限",
    "最近提醒时间",
    "最近提醒人员",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The board as it was asked for: its lines before the tab is applied; deemed acceptances of this month beside.

    ``key``: what the text of its statement depends on besides the filters.
    """

    listing: Listing
    rows: Callable[[], DeadlineQuerySet]
    horizon: Horizon
    deemed: int
    key: Hashable

    @property
    def shown(self) -> DeadlineQuerySet:
        """The lines of the tab, with their last alarm."""
        tab = self.listing["tab"]
        return board.with_alarm(self.rows().filter(self.horizon.conditions()[tab]) if tab else self.rows())


def _asked(request: PortalRequest) -> Asked:
    horizon = Horizon.on(local_date(request.now))
    access, month = request.access, deemed.this_month(horizon.today)

    def departments() -> QuerySet[Department]:
        return deemed.by_department(departments_by_division(access, Role.OVERSEER), month)

    places = kept.ask((_asked, access.key, month), departments)
    divisions = {str(place.division_id): place.division.name for place in places}
    filters = [
        Filter("department", "部门", [(str(place.pk), place.name) for place in places], "全部部门"),
        Filter("kind", "期限", board.kind_options(every=True), "主要期限"),
        Filter("light", "时限状态", [*board.LIGHTS, (board.PROVISIONAL, "暂定（年份未公布）")], "全部状态"),
    ]
    if len(divisions) > 1:
        filters.insert(0, Filter("division", "区划", list(divisions.items()), "全部区划"))
    listing = Listing(
        request,
        reverse("oversight:board"),
        filters=filters,
        q_label="办件或任务编号",
        placeholder="编号的一部分",
        tabs=board.TABS,
    )
    division = listing.asked.get("division", "")
    chosen = [
        place.pk
        for place in places
        if listing["department"] in {"", str(place.pk)} and division in {"", str(place.division_id)}
    ]

    def rows() -> DeadlineQuerySet:
        kinds = board.kinds_of(listing["kind"], board.MAIN)
        provisional = listing["light"] == board.PROVISIONAL
        led = board.leading(board.clocks(chosen, listing["q"]), kinds, provisional=provisional)
        return board.lit(led, listing["light"], horizon)

    found = sum(place.deemed for place in places)
    return Asked(listing, rows, horizon, found, (tuple(chosen), horizon))


def _many(count: int) -> str | int:
    return f"{board.MOST}+" if count > board.MOST else count


def _lead(counts: dict[str, int]) -> str:
    if not counts["all"]:
        return "目前没有计时中的期限。"
    late = counts["overdue"]
    share = f"（{late / counts['all']:.1%}）" if late and counts["all"] <= board.MOST else ""
    return f"在计时的办件和任务 {_many(counts['all'])} 件，其中已超期 {_many(late)} 件{share}，请先督促办理。"


def _stats(asked: Asked, counts: dict[str, int]) -> list[dict[str, Any]]:
    """The tabs; then, where there is any, what rests on an unpublished year, and this month's deemed acceptances."""
    listing, labels = asked.listing, board.tab_labels(asked.horizon)
    tabs = [("", "全部在计", _many(counts["all"]), "neutral")]
    tabs += [(tab, labels[tab][0], _many(counts[tab]), labels[tab][1]) for tab in board.TABS]
    stats = listing.stats(tabs)
    if counts["provisional"]:
        stats.append(
            {
                "label": "暂定（年份未公布）",
                "count": _many(counts["provisional"]),
                "url": listing.address(tab="", light=board.PROVISIONAL),
                "active": listing["light"] == board.PROVISIONAL,
                "tone": "warn",
            }
        )
    stats.append(
        {
            "label": "本月视为受理",
            "count": asked.deemed,
            "url": reverse("oversight:deemed"),
            "active": False,
            "tone": "bad" if asked.deemed else "neutral",
        }
    )
    return stats


def _year_warning(asked: Asked, counts: dict[str, int]) -> dict[str, str] | None:
    """What stands on the board from 1 November on while the next year is not published."""
    year = board.year_missing(asked.horizon.today)
    if year is None:
        return None
    text = f"涉及 {year} 年的到期日按周末和法定节假日暂计，发布后会重新计算并告知。请督促尽快发布。"
    url = asked.listing.address(tab="", light=board.PROVISIONAL) if counts["provisional"] else ""
    return {"title": f"{year} 年的工作日历还没有正式发布", "text": text, "url": url}


@overseers
@require_safe
def board_page(request: PortalRequest) -> HttpResponse:
    """The alarm board."""
    asked = _asked(request)
    listing = asked.listing
    key = None if listing["q"] else (board_page, asked.key, tuple(listing.asked.items()))
    counts = board.counts(asked.rows, asked.horizon, key)
    page = listing.page(lambda: asked.shown, board.ORDER, key=(board_page, asked.key))
    context = {
        "today": asked.horizon.today,
        "lead": _lead(counts),
        "missing_year": _year_warning(asked, counts),
        "rows": board.decorate(page.rows),
        "stats": _stats(asked, counts),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:export")),
    }
    return render(request, "oversight/board.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The board as asked for, as CSV."""
    asked = _asked(request)
    today = asked.horizon.today

    def line(row: board.Row) -> Sequence[Any]:
        clock = row.deadline
        rang = f"{timezone.localtime(row.alarmed_at):%Y-%m-%d %H:%M}" if row.alarmed_at else ""
        side = "监管任务" if row.is_task else "办件"
        return (
            row.number, side, row.item, row.note, row.department, row.office, row.status, clock.get_kind_display(),
            clock.due_on, "暂定" if clock.provisional else "", clock.light_text(today),
            board.in_words(row.others, today), rang, "、".join(row.alarmed),
        )  # fmt: skip

    def lines(clocks: list[Deadline]) -> list[Sequence[Any]]:
        return [line(row) for row in board.decorate(clocks)]

    return csv_response(f"时限督办-{today:%Y%m%d}", HEAD, everything(asked.shown, board.ORDER, lines))
