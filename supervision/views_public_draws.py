"""双随机抽查公开: published plans, how many were in the pool, who was drawn, what the check found.

Never an inspector. A company's risk class is the regulators' own tool and no public verdict: names stand in an order of
their own, and the drawn positions, by which everybody can check the draw, in a list without names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from credit.models import CreditSubject
from ledger.models import Draw
from ledger.views import state_of as seed_state
from offices.export import csv_response
from offices.lists import Listing, everything
from offices.web import PortalRequest
from supervision.enums import TaskStatus
from supervision.models import DrawnSubject, DrawPlan, DrawPlanQuerySet, DrawRun, SupervisionTask
from supervision.pools import left_out_words
from supervision.views_draws import period_of, ratio_words, search, shares_of, state_of, with_office

HEAD = ("检查对象", "统一社会信用代码", "检查结果", "归档情形")
POSITIONS_HEAD = ("抽取先后", "池中位置")
BY_SUBJECT = ("subject_id",)
TONES = {"conforming": "good", "basically": "warn", "nonconforming": "bad"}


def public_plans() -> DrawPlanQuerySet:
    """Every published plan, with what its page reads."""
    return with_office(DrawPlan.objects.published())


def drawn_of(run: DrawRun) -> QuerySet[DrawnSubject]:
    """Who was drawn, with the task's end and result; nobody who was sent, no identity number."""
    return (
        DrawnSubject.objects.filter(run=run)
        .select_related("task__subject", "task__feedback")
        .only(
            "run_id", "subject_id", "task__status", "task__end", "task__subject_name",
            "task__subject__kind", "task__subject__code", "task__feedback__result",
        )
    )  # fmt: skip


def result_of(task: SupervisionTask) -> dict[str, str]:
    """The result of a closed task in words; one that is open has none yet."""
    if task.status != TaskStatus.CLOSED:
        return {"label": "尚未办结", "tone": "neutral", "end": ""}
    feedback = getattr(task, "feedback", None)
    if feedback is None:
        return {"label": "未作检查", "tone": "neutral", "end": task.get_end_display()}
    return {"label": feedback.get_result_display(), "tone": TONES[feedback.result], "end": task.get_end_display()}


def row_of(one: DrawnSubject) -> dict[str, Any]:
    """One who was drawn, as everybody may read it."""
    subject = one.task.subject
    return {
        "name": one.task.public_subject,
        "code": subject.code if subject.kind == CreditSubject.Kind.ORGANISATION else "",
        "result": result_of(one.task),
    }


def digests_of(run: DrawRun) -> dict[str, Any]:
    """What makes the draw checkable: the period's commitment and seed, the digests of the pools and of the draw."""
    period = period_of(run)
    made = Draw.objects.filter(period=period, number=run.number).only("people", "pool_hash").first()
    return {"period": period, "draw": made}


@require_safe
def draws(request: HttpRequest) -> HttpResponse:
    """Published plans, newest first."""
    listing = Listing(
        request, reverse("inspection_draws"), q_label="计划名称、子项或部门", placeholder="名称、子项、部门或月份"
    )
    page = listing.page(search(public_plans(), listing["q"]), ("-id",))
    context = {
        "rows": [
            {
                "plan": plan,
                "state": state_of(plan),
                "ratio": ratio_words(plan),
                "taken": sum(group["taken"] for group in plan.run.pools["groups"]) if plan.is_drawn else None,
            }
            for plan in page
        ],
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "pager": listing.pager(page, "份"),
    }
    return render(request, "public/inspection_draws.html", context)


@require_safe
def draw(request: PortalRequest, pk: int) -> HttpResponse:
    """One published plan and, once drawn, its numbers, digests and who was drawn with what result."""
    plan = get_object_or_404(public_plans(), pk=pk)
    run = plan.run if plan.is_drawn else None
    names = "、".join(plan.business_items.order_by("name", "pk").values_list("name", flat=True))
    context: dict[str, Any] = {
        "plan": plan,
        "badge": state_of(plan),
        "facts": [
            {"label": "检查单位", "value": str(plan.office)},
            {"label": "检查事项", "value": plan.sub_item.name},
            {"label": "抽取月份", "value": plan.month},
            {"label": "完成期限", "value": f"{plan.planned_finish_on:%Y-%m-%d}"},
            {"label": "地域", "value": plan.area.name if plan.area else "不限"},
            {"label": "比例", "value": ratio_words(plan) + ("（重点领域）" if plan.keeps_ratio else "")},
            {"label": "抽查对象持有的许可", "value": names, "wide": True},
        ],
        "run": run,
        "crumbs": [{"label": "双随机抽查公开", "url": reverse("inspection_draws")}],
    }
    if run:
        listing = Listing(request, reverse("inspection_draw", args=[pk]), q_label="单位名称", placeholder="单位名称")
        rows = drawn_of(run)
        if listing["q"]:  # organisations only: a masked name is not to be found by typing it
            rows = rows.filter(
                task__subject_name__icontains=listing["q"], task__subject__kind=CreditSubject.Kind.ORGANISATION
            )
        page = listing.page(rows, BY_SUBJECT)
        shares = shares_of(run)
        digests = digests_of(run)
        context |= digests | {
            "seed": seed_state(digests["period"], request.now)["seed"] if digests["period"] else "",
            "shares": shares,
            "sum_size": sum(share.size for share in shares),
            "sum_taken": sum(share.taken for share in shares),
            "left_out": left_out_words(run.pools["left_out"]),
            "inspectors": len(run.pools["inspectors"]),
            "rows": [row_of(one) for one in page],
            "bar": listing.bar(),
            "narrowed": listing.is_narrowed,
            "clear_url": listing.url,
            "pager": listing.pager(page, "个"),
            "export_url": reverse("inspection_draw_export", args=[pk]),
            "positions_url": reverse("inspection_draw_positions", args=[pk]),
        }
    return render(request, "public/inspection_draw.html", context)


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Who was drawn, as CSV."""
    plan = get_object_or_404(public_plans(), pk=pk)
    if not plan.is_drawn:
        raise Http404

    def lines(found: list[DrawnSubject]) -> list[Sequence[Any]]:
        return [(row["name"], row["code"], row["result"]["label"], row["result"]["end"]) for row in map(row_of, found)]

    return csv_response(f"双随机抽查结果-{plan.month}-{pk}", HEAD, everything(drawn_of(plan.run), BY_SUBJECT, lines))


def positions_of(run: DrawRun) -> QuerySet[DrawnSubject]:
    """The drawn positions in the order of drawing, without a name."""
    return DrawnSubject.objects.filter(run=run).only("order", "position", "run_id")


@require_safe
def positions(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The drawn positions, from 1, as CSV: what the revealed seed must give again."""
    plan = get_object_or_404(public_plans(), pk=pk)
    if not plan.is_drawn:
        raise Http404
    rows = everything(positions_of(plan.run), ("order",), lambda page: [(one.order, one.position + 1) for one in page])
    return csv_response(f"双随机抽取位置-{plan.month}-{pk}", POSITIONS_HEAD, rows)
