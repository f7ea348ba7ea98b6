"""The overseers' home: every open clock, the most pressing first, counted with its denominator (O2b, O3.3.1c/d)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from deadlines.clock import local_date
from deadlines.models import Deadline
from deadlines.querysets import DeadlineQuerySet
from offices.export import csv_response
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import board
from oversight.board import Horizon
from oversight.lists import Filter, Listing, everything
from oversight.queries import departments_of

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
    "时限",
    "最近提醒时间",
    "最近提醒人员",
)


def _listing(request: PortalRequest) -> tuple[Listing, DeadlineQuerySet, Horizon]:
    """The board as it was asked for: the listing, its clocks before the tab is applied, and the horizon."""
    departments = departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:board"),
        filters=[
            Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门"),
            Filter("kind", "期限", board.KINDS, "全部期限"),
        ],
        q_label="办件或任务编号",
        placeholder="编号的一部分",
        tabs=("overdue", "today", "next", "week", "paused"),
    )
    chosen = [int(listing["department"])] if listing["department"] else list(departments)
    rows = board.clocks(chosen, listing["kind"], listing["q"])
    return listing, rows, Horizon.on(local_date(request.now))


def _shown(listing: Listing, rows: DeadlineQuerySet, horizon: Horizon) -> DeadlineQuerySet:
    tab = listing["tab"]
    return board.with_alarm(rows.filter(horizon.conditions()[tab]) if tab else rows)


def _many(count: int) -> str | int:
    return f"{board.MOST}+" if count > board.MOST else count


def _lead(counts: dict[str, int]) -> str:
    if not counts["all"]:
        return "目前没有计时中的期限。"
    late = counts["overdue"]
    share = f"（{late / counts['all']:.1%}）" if late else ""
    return f"未结期限 {_many(counts['all'])} 个，其中已超期 {_many(late)} 个{share}，请先督促办理。"


@overseers
@require_safe
def board_page(request: PortalRequest) -> HttpResponse:
    """The alarm board."""
    listing, rows, horizon = _listing(request)
    counts = board.counts(rows, horizon)
    page = listing.page(_shown(listing, rows, horizon), board.ORDER)
    following = horizon.next_working
    stats = [
        ("", "全部未结", _many(counts["all"]), "neutral"),
        ("overdue", "已超期", _many(counts["overdue"]), "bad"),
        ("today", "今天到期", _many(counts["today"]), "warn"),
        ("next", f"下一工作日（{following.month}月{following.day}日）到期", _many(counts["next"]), "warn"),
        ("week", "本周内到期", _many(counts["week"]), "neutral"),
        ("paused", "暂停计时", _many(counts["paused"]), "neutral"),
    ]
    context = {
        "today": horizon.today,
        "lead": _lead(counts),
        "rows": board.decorate(page.rows),
        "stats": listing.stats(stats),
        "bar": listing.bar(),
        "pager": listing.pager(page, "个期限"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:export")),
    }
    return render(request, "oversight/board.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The board as asked for, as CSV."""
    listing, rows, horizon = _listing(request)

    def line(row: board.Row) -> Sequence[Any]:
        clock = row.deadline
        side = "监管任务" if clock.kind in board.TASK_CLOCKS else "办件"
        rang = f"{timezone.localtime(row.alarmed_at):%Y-%m-%d %H:%M}" if row.alarmed_at else ""
        what = (row.number, side, row.item, row.note, row.department, row.office, row.status)
        return (
            *what, clock.get_kind_display(), clock.due_on, clock.light_text(horizon.today), rang, "、".join(row.alarmed)
        )  # fmt: skip

    def lines(clocks: list[Deadline]) -> list[Sequence[Any]]:
        return [line(row) for row in board.decorate(clocks)]

    shown = _shown(listing, rows, horizon)
    return csv_response(f"时限督办-{horizon.today:%Y%m%d}", HEAD, everything(shown, board.ORDER, lines))
