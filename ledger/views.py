"""抽取公开: what was committed, what is revealed, and how to check it. Nobody who was drawn can be read from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from ledger.draws import SAMPLE, is_over, purpose_label
from ledger.models import Draw, DrawPeriod
from offices.export import csv_response
from offices.lists import Listing, everything
from offices.web import PortalRequest

ORDER = ("-month", "-part")
HEAD = ("序号", "日期", "用途", "算法", "名单人员摘要", "各席在办件数", "名单摘要", "抽中第几席")
# What everybody may read; the people themselves are not among it.
PUBLIC = ("number", "at", "purpose", "algorithm", "people", "pool", "pool_hash", "position")


def published() -> QuerySet[DrawPeriod]:
    """The periods without their secrets."""
    return DrawPeriod.objects.defer("seed", "blind")


def revealed_draws(name: str) -> QuerySet[Draw]:
    """The draws of a revealed period by its name; raises ``Http404`` for one that is secret or unknown."""
    month, part = (name[:7], name[8:] or "1") if name[7:8] in {"", "-"} else ("", "")
    period = published().exclude(revealed_seed="").filter(month=month, part=part if part.isdigit() else 0).first()
    if period is None or period.name != name:
        raise Http404
    return Draw.objects.filter(period=period).only(*PUBLIC)


def state_of(period: DrawPeriod, now: dt.datetime) -> dict[str, str]:
    """Label, tone and what is said of the seed of where a period is at ``now``: by the day, not by when it was told."""
    if period.is_revealed:
        return {"label": "种子已公开", "tone": "good", "seed": "已公开"}
    if is_over(period, now):
        return {"label": "本月抽取已结束", "tone": "active", "seed": "即将公开"}
    return {"label": "种子保密，已公布承诺值", "tone": "active", "seed": "月末之后公开"}


@require_safe
def periods(request: PortalRequest) -> HttpResponse:
    """Every month, the newest first."""
    listing = Listing(request, reverse("draws"))
    page = listing.page(published(), ORDER)
    context = {
        "rows": [
            {
                "period": period,
                "state": state_of(period, request.now),
                "csv": reverse("draws_export", args=[period.name]) if period.is_revealed else "",
            }
            for period in page
        ],
        "pager": listing.pager(page, "期"),
    }
    return render(request, "public/draws.html", context)


@require_safe
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    """The draws of a revealed month as CSV: enough to draw each again, nobody's name or number."""
    rows = revealed_draws(name)

    def lines(found: list[Draw]) -> list[Sequence[Any]]:
        return [
            (
                draw.number, f"{timezone.localtime(draw.at):%Y-%m-%d}", purpose_label(draw.purpose), draw.algorithm,
                draw.people, " ".join(str(load) for load in draw.loads), draw.pool_hash,
                "" if draw.algorithm == SAMPLE else draw.position + 1,
            )
            for draw in found
        ]  # fmt: skip

    return csv_response(f"抽取-{name}", HEAD, everything(rows, ("number",), lines))
