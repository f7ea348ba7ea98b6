"""政务小闹钟: what one person has to do by when, the most pressing first (O3.3.1c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from deadlines.clock import local_date
from deadlines.models import Deadline
from deadlines.querysets import DeadlineQuerySet
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import board, mine
from oversight.board import Horizon

Role = Posting.Role
people = roles_required(*mine.ROLES)
HEAD = (
    "编号",
    "类别",
    "业务办理项",
    "监管对象与子项",
    "处室",
    "状态",
    "办理",
    "期限",
    "到期日",
    "暂定",
    "时限",
    "其他期限",
)
NOTHING: dict[str, tuple[str, str]] = {
    "": ("没有计时中的事", "轮到您办理的办件和任务会出现在这里，到期前一个工作日起短信提醒。"),
    "overdue": ("没有超期的事", "请继续按到期日先后办理。"),
    "today": ("今天没有到期的事", "可以先办后面的，点“下一个工作日”或“本周”查看。"),
    "next": ("下一个工作日没有到期的事", "可以先办本周的。"),
    "week": ("本周没有到期的事", "点“以后到期”查看后面的。"),
    "later": ("以后没有到期的事", "全部在本周内到期。"),
    "paused": ("没有暂停计时的事", "进行听证、专家评审等特别程序时，期限会暂停。"),
}
NOTHING_LATE = ("本部门没有超期的事", "审批和监管两侧超期的办件、任务会出现在这里，并短信告知您。")


@dataclass(frozen=True, slots=True)
class Asked:
    """The board as it was asked for: what waits for the person, and the lines before the tab is applied."""

    listing: Listing
    waiting: list[str]
    rows: DeadlineQuerySet
    horizon: Horizon

    @property
    def shown(self) -> DeadlineQuerySet:
        """The lines of the tab."""
        tab = self.listing["tab"]
        return self.rows.filter(self.horizon.conditions()[tab]) if tab else self.rows


def _asked(request: PortalRequest) -> Asked:
    listing = Listing(
        request,
        reverse("alarms"),
        filters=[
            Filter("kind", "期限", board.kind_options(every=False), "全部期限"),
            Filter("light", "时限状态", board.LIGHTS, "全部状态"),
        ],
        q_label="办件或任务编号",
        placeholder="编号的一部分",
        tabs=board.TABS,
    )
    horizon = Horizon.on(local_date(request.now))
    waiting = mine.streams(request.access, listing["q"])
    own = mine.clocks(request.access, waiting, listing["q"])
    rows = board.leading(own, board.kinds_of(listing["kind"], board.OWN))
    return Asked(listing, waiting, board.lit(rows, listing["light"], horizon), horizon)


def _lead(counts: dict[str, int], horizon: Horizon, *, acts: bool) -> str:
    if not acts:
        late = counts["overdue"]
        return f"本部门 {late} 件已超期，请督促办理。" if late else "本部门没有超期的办件和监管任务。"
    if counts["overdue"]:
        today = f"，今天到期 {counts['today']} 件" if counts["today"] else ""
        return f"{counts['overdue']} 件已超期{today}，请先办理。"
    if counts["today"]:
        return f"今天到期 {counts['today']} 件，请先办理。"
    if counts["next"]:
        return f"今天没有到期的事；{horizon.next_label} {counts['next']} 件。"
    return "今天没有到期的事。" if counts["all"] else "目前没有计时中的事。"


@people
@require_safe
def alarms(request: PortalRequest) -> HttpResponse:
    """The person's own board: a line for each case or task, and what happened to their clocks lately."""
    asked = _asked(request)
    listing, horizon = asked.listing, asked.horizon
    counts = board.counts(lambda: asked.rows, horizon)
    page = listing.page(asked.shown, board.ORDER)
    events = mine.recent_events(asked.waiting, request.now)
    owners = mine.owners_of(
        {clock.stream for clock in page} | {event.deadline.stream for event in events}, request.access
    )
    shown = mine.decorate(page.rows, owners, request.access)
    labels = board.tab_labels(horizon)
    acts = request.access.has(*Posting.ACTING_ROLES)
    title, text = NOTHING[listing["tab"]] if acts else NOTHING_LATE
    context = {
        "today": horizon.today,
        "lead": _lead(counts, horizon, acts=acts),
        "acts": acts,
        "rows": shown,
        "changes": mine.changes(events, owners, request.access),
        "several_offices": len({row.office for row in shown}) > 1 or request.access.has(Role.DEPARTMENT_HEAD),
        "stats": listing.stats(
            [("", "全部", counts["all"], "neutral")]
            + [(tab, labels[tab][0], counts[tab], labels[tab][1]) for tab in board.TABS]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "filtered": bool(listing["q"] or listing["kind"] or listing["light"]),
        "nothing": {"title": title, "text": text, "url": listing.url if listing["tab"] and counts["all"] else ""},
        "clear_url": listing.url,
        "export_url": listing.address(reverse("alarms_export")),
    }
    return render(request, "oversight/alarms.html", context)


@people
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The board as asked for, as CSV."""
    asked = _asked(request)
    today = asked.horizon.today

    def line(row: mine.Row) -> Sequence[Any]:
        clock = row.deadline
        return (
            row.number, "监管任务" if row.is_task else "办件", row.item, row.about, row.office,
            row.owner.get_status_display(), row.verb, clock.get_kind_display(), clock.due_on,
            "暂定" if clock.provisional else "", clock.light_text(today), board.in_words(row.others, today),
        )  # fmt: skip

    def lines(clocks: list[Deadline]) -> list[Sequence[Any]]:
        owners = mine.owners_of({clock.stream for clock in clocks}, request.access)
        return [line(row) for row in mine.decorate(clocks, owners, request.access)]

    return csv_response(f"小闹钟-{today:%Y%m%d}", HEAD, everything(asked.shown, board.ORDER, lines))
