"""双随机: plans of an office, their publication and draw, what was drawn; the division's table of ratios."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from ledger.models import DrawPeriod, Entry
from ledger.views import published
from offices.access import covered
from offices.export import csv_response
from offices.keyset import Page
from offices.lists import Filter, Listing, counted, everything
from offices.models import Division, Office, Posting
from offices.web import PortalRequest, roles_required
from supervision import sampling
from supervision.actions import drawing
from supervision.enums import PlanAct
from supervision.forms_draws import PlanForm, RuleForm, UnsetForm, key_of
from supervision.models import DrawnSubject, DrawPlan, DrawPlanQuerySet, DrawRun, SamplingRule
from supervision.pools import Share, left_out_words, preview

Role = Posting.Role
MAKERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD)
READERS = (*MAKERS, Role.OVERSEER)
readers = roles_required(*READERS)
makers = roles_required(*MAKERS)
rate_readers = roles_required(*READERS, Role.DIVISION_ADMIN)
administrators = roles_required(Role.DIVISION_ADMIN)

STATES = {
    "draft": {"label": "未公布", "tone": "neutral"},
    "published": {"label": "已公布，待抽取", "tone": "active"},
    "drawn": {"label": "已抽取", "tone": "good"},
}
TABS = {
    "": Q(),
    "draft": Q(is_published=False),
    "published": Q(is_published=True, run__isnull=True),
    "drawn": Q(run__isnull=False),
}
HEAD = (
    "计划名称", "处室", "监管事项子项", "抽取月份", "完成期限", "地域", "比例", "近几个月查过的不抽", "重点领域",
    "状态", "对象数", "抽中数", "抽取时间",
)  # fmt: skip
DRAWN_HEAD = ("序号", "风险等级", "池中位置", "检查对象", "任务编号", "主办人员", "协办人员", "任务状态")
RATE_HEAD = ("风险等级", "抽取比例", "每年次数", "依据", "本区划设定")
PUBLISH_FOLLOWS = ("计划即在网上公开，任何人都可以查看", "公布之后内容不再变更")
REMOVE_FOLLOWS = ("计划从列表中删去，不能恢复，需要时另行制定", "计划内容和删除记入留痕")
DRAW_FOLLOWS = (
    "固定对象池和人员池，摘要记入留痕",
    "按本月保密种子抽取，结果不能重抽",
    "每个抽中对象生成一件监管任务，随机派两名检查人员，并短信通知处室管理员",
)
RATE_FOLLOWS = ("只对此后的抽取生效，已抽取的不变", "记入留痕和变更记录，注明依据")
OFF_FOLLOWS = ("此后的抽取恢复平台预置的比例", "记入留痕和变更记录，注明理由")


def state_of(plan: DrawPlan) -> dict[str, str]:
    """Label and tone of where a plan is."""
    return STATES["drawn" if plan.is_drawn else "published" if plan.is_published else "draft"]


def ratio_words(plan: DrawPlan) -> str:
    """``统一 5%`` or by class."""
    return "按风险等级" if plan.ratio is None else f"统一 {sampling.percent(plan.ratio)}"


def shares_of(run: DrawRun) -> list[Share]:
    """The groups of a run as they were frozen."""
    return [Share.of(kept) for kept in run.pools["groups"]]


def period_of(run: DrawRun) -> DrawPeriod | None:
    """The month's period without its secrets."""
    return published().filter(month=run.draw_period[:7], part=int(run.draw_period[8:] or 1)).first()


def with_office(plans: DrawPlanQuerySet) -> DrawPlanQuerySet:
    """Plans with what their rows and pages read."""
    return plans.select_related("office__department__division", "sub_item", "area", "run")


def search(plans: DrawPlanQuerySet, text: str) -> DrawPlanQuerySet:
    """Find by name, sub-item, office or month."""
    if not text:
        return plans
    return plans.filter(
        Q(name__icontains=text)
        | Q(sub_item__name__icontains=text)
        | Q(office__name__icontains=text)
        | Q(office__department__name__icontains=text)
        | Q(month=text)
    )


# --- the list


def _listing(request: PortalRequest) -> Listing:
    return Listing(
        request, reverse("tasks:draws"), q_label="名称、子项或处室", placeholder="名称、子项、处室或月份",
        tabs=tuple(TABS),
    )  # fmt: skip


@readers
@require_safe
def plans(request: PortalRequest) -> HttpResponse:
    """The plans that the person may read, newest first; three statements."""
    listing = _listing(request)
    found = search(DrawPlan.objects.for_readers(request.access), listing["q"])
    counts = counted(found, {tab: condition for tab, condition in TABS.items() if tab})
    page = listing.page(with_office(found.filter(TABS[listing["tab"]])), ("-id",))
    own = request.access.has(*MAKERS)
    context = {
        "rows": [{"plan": plan, "state": state_of(plan), "ratio": ratio_words(plan)} for plan in page],
        "lead": "制定计划，公布之后按保密种子抽取；抽中的对象生成监管任务。" if own else "各处室的抽查计划，只能查看。",
        "stats": listing.stats(
            [
                ("", "全部计划", counts["all"], "neutral"),
                ("draft", "未公布", counts["draft"], "neutral"),
                ("published", "待抽取", counts["published"], "warn"),
                ("drawn", "已抽取", counts["drawn"], "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "may_make": own,
        "export_url": listing.address(reverse("tasks:draws_export")),
        "pager": listing.pager(page, "份"),
    }
    return render(request, "tasks/draws.html", context)


def _line(plan: DrawPlan) -> Sequence[Any]:
    run = plan.run if plan.is_drawn else None
    groups = run.pools["groups"] if run else []
    return (
        plan.name, str(plan.office), plan.sub_item.name, plan.month, plan.planned_finish_on,
        plan.area.name if plan.area else "不限", ratio_words(plan), plan.spare_months,
        "是" if plan.keeps_ratio else "", state_of(plan)["label"],
        sum(group["size"] for group in groups) if run else "", sum(group["taken"] for group in groups) if run else "",
        f"{timezone.localtime(run.drawn_at):%Y-%m-%d %H:%M}" if run else "",
    )  # fmt: skip


@readers
@require_safe
def plans_export(request: PortalRequest) -> HttpResponseBase:
    """The asked plans as CSV."""
    listing = _listing(request)
    found = search(DrawPlan.objects.for_readers(request.access), listing["q"]).filter(TABS[listing["tab"]])
    rows = everything(with_office(found), ("-id",), lambda page: [_line(plan) for plan in page])
    return csv_response(f"抽查计划-{local_date(request.now):%Y%m%d}", HEAD, rows)


# --- one plan


def _own(request: PortalRequest, pk: int) -> DrawPlan:
    """A plan that the person may change, publish and draw; 404 otherwise, for overseers too."""
    return get_object_or_404(with_office(DrawPlan.objects.for_makers(request.access)), pk=pk)


def _facts(plan: DrawPlan) -> list[dict[str, Any]]:
    names = "、".join(plan.business_items.order_by("name", "pk").values_list("name", flat=True))
    return [
        {"label": "处室", "value": str(plan.office)},
        {"label": "监管事项子项", "value": plan.sub_item.name},
        {"label": "抽取月份", "value": plan.month},
        {"label": "完成期限", "value": f"{plan.planned_finish_on:%Y-%m-%d}"},
        {"label": "地域", "value": plan.area.name if plan.area else "不限"},
        {"label": "比例", "value": ratio_words(plan)},
        {"label": "近几个月查过的不抽", "value": f"{plan.spare_months} 个月" if plan.spare_months else "不限"},
        {"label": "重点领域", "value": "是，信用好也不降低比例，至少按 C 级" if plan.keeps_ratio else "否"},
        {"label": "抽查对象持有的许可", "value": names, "wide": True},
    ]


def _entries(plan: DrawPlan) -> list[dict[str, Any]]:
    rows = Entry.objects.filter(stream=plan.stream).select_related("actor").order_by("seq")
    tones = {PlanAct.PUBLISHED: "active", PlanAct.DRAWN: "good"}
    return [
        {
            "at": row.at,
            "label": row.label,
            "who": row.actor.full_name if row.actor else "",
            "note": f"对象池摘要 {row.data['subjects']}" if row.act == PlanAct.FROZEN else "",
            "tone": tones.get(row.act, "neutral"),  # type: ignore[call-overload]
        }
        for row in rows
    ]


def _drawn_rows(run: DrawRun) -> QuerySet[DrawnSubject]:
    return (
        DrawnSubject.objects.filter(run=run)
        .select_related("task__subject", "first_officer", "second_officer")
        .defer("task__subject__id_number", "first_officer__phone", "second_officer__phone")
    )


def _answer(request: PortalRequest, plan: DrawPlan, problem: str = "") -> HttpResponse:
    """The plan's page; with what an act refused, as 422."""
    run = plan.run if plan.is_drawn else None
    listing = Listing(request, reverse("tasks:draw", args=[plan.pk]), q_label="检查对象", placeholder="名称")
    own = DrawPlan.objects.for_makers(request.access).filter(pk=plan.pk).exists()
    context: dict[str, Any] = {
        "plan": plan,
        "facts": _facts(plan),
        "badge": state_of(plan),
        "own": own,
        "lead": _lead(plan, own=own),
        "problem": problem,
        "run": run,
        "entries": _entries(plan),
        "crumbs": [{"label": "双随机抽查", "url": reverse("tasks:draws")}],
        "publish_follows": PUBLISH_FOLLOWS,
        "draw_follows": DRAW_FOLLOWS,
        "remove_follows": REMOVE_FOLLOWS,
    }
    if run:
        rows = _drawn_rows(run)
        if listing["q"]:
            rows = rows.filter(task__subject_name__icontains=listing["q"])
        page = listing.page(rows, ("order",))
        shares = shares_of(run)
        context |= {
            "shares": shares,
            "sum_size": sum(share.size for share in shares),
            "sum_taken": sum(share.taken for share in shares),
            "left_out": left_out_words(run.pools["left_out"]),
            "raised": run.pools.get("raised", 0),
            "inspectors": len(run.pools["inspectors"]),
            "period": period_of(run),
            "rows": page,
            "bar": listing.bar(),
            "narrowed": listing.is_narrowed,
            "clear_url": listing.url,
            "pager": listing.pager(page, "个"),
            "export_url": reverse("tasks:draw_drawn", args=[plan.pk]),
        }
    elif "preview" in request.GET:
        context["found"] = preview(plan, request.now)
    return render(request, "tasks/draw.html", context, status=422 if problem else 200)


def _lead(plan: DrawPlan, *, own: bool) -> str:
    if plan.is_drawn:
        return "已经抽取，抽中的对象都已生成监管任务。"
    if not own:
        return "这份计划还没有抽取，只能查看。"
    return f"请在 {plan.month} 抽取。" if plan.is_published else "核对无误后请公布；公布之后才能抽取。"


@readers
@require_safe
def plan_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One plan: what it says, what a draw would find, what was drawn."""
    plan = get_object_or_404(with_office(DrawPlan.objects.for_readers(request.access)), pk=pk)
    return _answer(request, plan)


def _form_page(
    request: PortalRequest, office: Office, form: PlanForm, plan: DrawPlan | None, offices: Sequence[Office] = (),
    key: uuid.UUID | None = None,
) -> HttpResponse:  # fmt: skip
    crumbs = [{"label": "双随机抽查", "url": reverse("tasks:draws")}]
    if plan:
        crumbs.append({"label": plan.name, "url": reverse("tasks:draw", args=[plan.pk])})
    context = {
        "office": office,
        "offices": [
            {"office": one, "url": f"{reverse('tasks:draw_new')}?office={one.pk}", "current": one == office}
            for one in offices
        ]
        if len(offices) > 1
        else [],
        "form": form,
        "key": key,
        "plan": plan,
        "crumbs": crumbs,
        "follows": ("计划存为未公布，还可以修改",) if plan is None else ("计划按填写的内容修改，仍未公布",),
    }
    return render(request, "tasks/draw_form.html", context, status=422 if form.is_bound else 200)


@makers
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Make a plan for one of the person's offices; the same form sent twice is one plan."""
    offices = list(drawing.offices_for(request.access))
    if not offices:
        raise Http404
    asked = request.POST.get("office") or request.GET.get("office") or str(offices[0].pk)
    office = next((one for one in offices if str(one.pk) == asked), None)
    if office is None:
        raise Http404
    if request.method != "POST":
        initial = PlanForm.initial_for(local_date(request.now))
        return _form_page(request, office, PlanForm(office=office, initial=initial), None, offices, uuid.uuid4())
    form, key = PlanForm(request.POST, office=office), key_of(request.POST)
    if form.is_valid():
        try:
            plan = drawing.make_plan(office, form.wanted(), by=request.user, now=request.now, key=key)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, _made_by(key, request) or reverse("tasks:draws"), form)
            put_on_form(form, error)
        else:
            messages.success(request, "抽查计划已保存。核对对象池之后请公布。")
            return redirect("tasks:draw", pk=plan.pk)
    return _form_page(request, office, form, None, offices, key)


def _made_by(key: uuid.UUID, request: PortalRequest) -> str:
    """Where the plan stands that a form became, if the person may read it."""
    plan = DrawPlan.objects.for_makers(request.access).filter(client_key=key).first()
    return reverse("tasks:draw", args=[plan.pk]) if plan else ""


@makers
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: PortalRequest, pk: int) -> HttpResponse:
    """Change a plan that is not published."""
    plan = _own(request, pk)
    if request.method != "POST":
        if plan.is_published:
            return redirect("tasks:draw", pk=plan.pk)
        return _form_page(request, plan.office, PlanForm(office=plan.office, initial=PlanForm.initial_of(plan)), plan)
    form = PlanForm(request.POST, office=plan.office)
    if form.is_valid():
        try:
            drawing.change_plan(plan, form.wanted(), by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:draw", args=[plan.pk]), form)
            put_on_form(form, error)
        else:
            messages.success(request, "抽查计划已修改。")
            return redirect("tasks:draw", pk=plan.pk)
    return _form_page(request, plan.office, form, plan)


@makers
@require_POST
def remove(request: PortalRequest, pk: int) -> HttpResponse:
    """删除: a plan that is not published."""
    plan = _own(request, pk)
    try:
        drawing.remove_plan(plan, by=request.user, now=request.now)
    except Refused as error:
        return conflict(request, error, reverse("tasks:draw", args=[plan.pk]))
    messages.success(request, f"抽查计划“{plan.name}”已删除。")
    return redirect("tasks:draws")


@makers
@require_POST
def publish(request: PortalRequest, pk: int) -> HttpResponse:
    """公布."""
    plan = _own(request, pk)
    try:
        drawing.publish_plan(plan, by=request.user, now=request.now)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, reverse("tasks:draw", args=[plan.pk]))
        return _answer(request, plan, error.message)
    messages.success(request, "抽查计划已公布。")
    return redirect("tasks:draw", pk=plan.pk)


@makers
@require_POST
def draw(request: PortalRequest, pk: int) -> HttpResponse:
    """抽取: once, by the month's seed."""
    plan = _own(request, pk)
    try:
        run = drawing.draw_plan(plan, by=request.user, now=request.now)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, reverse("tasks:draw", args=[plan.pk]))
        return _answer(request, plan, error.message)
    taken = sum(group["taken"] for group in run.pools["groups"])
    messages.success(request, f"已抽取 {taken} 个检查对象，监管任务已生成。")
    return redirect("tasks:draw", pk=plan.pk)


@readers
@require_safe
def drawn_export(request: PortalRequest, pk: int) -> HttpResponseBase:
    """What was drawn, with the people who are sent, as CSV for the office."""
    plan = get_object_or_404(with_office(DrawPlan.objects.for_readers(request.access)), pk=pk)
    if not plan.is_drawn:
        raise Http404

    def lines(found: list[DrawnSubject]) -> list[Sequence[Any]]:
        return [
            (
                one.order, one.get_risk_display(), one.position + 1, one.task.public_subject, one.task.number,
                one.first_officer.full_name, one.second_officer.full_name, one.task.get_status_display(),
            )
            for one in found
        ]  # fmt: skip

    rows = everything(_drawn_rows(plan.run), ("order",), lines)
    return csv_response(f"抽中对象-{plan.month}-{plan.pk}", DRAWN_HEAD, rows)


# --- the table of ratios


def _divisions(request: PortalRequest) -> list[Division]:
    """Divisions whose table the person may read, by code."""
    access = request.access
    ids = access.divisions(Role.DIVISION_ADMIN, *MAKERS)
    ids |= set(covered(access, Role.OVERSEER).values_list("pk", flat=True))
    return list(Division.objects.filter(pk__in=ids).order_by("code"))


def _rates(request: PortalRequest) -> tuple[Listing, Division]:
    divisions = _divisions(request)
    several = [Filter("division", "区划", [(one.code, one.name) for one in divisions[1:]], divisions[0].name)]
    listing = Listing(request, reverse("tasks:sampling"), filters=several if len(divisions) > 1 else ())
    asked = listing["division"] if len(divisions) > 1 else ""
    return listing, next((one for one in divisions if one.code == asked), divisions[0])


def _changes(division: Division) -> QuerySet[Any]:
    before = SamplingRule.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    rows: QuerySet[Any] = (
        SamplingRule.history.filter(division=division)
        .select_related("history_user")
        .annotate(before=Subquery(before.order_by("-history_id").values("ratio")[:1]))
    )
    return rows


def _change_entries(page: Page[Any]) -> list[dict[str, Any]]:
    return [
        {
            "at": row.history_date,
            "label": f"{row.get_risk_display()}：收回设定，恢复预置"
            if row.history_type == "-"
            else f"{row.get_risk_display()}：{sampling.percent(row.ratio)}，每年 {row.times_a_year} 次"
            f"（此前 {sampling.percent(row.before or sampling.PROPOSED[row.risk][0])}）",
            "who": row.history_user.full_name if row.history_user else "",
            "note": f"理由：{row.history_change_reason}" if row.history_type == "-" else f"依据：{row.basis}",
            "tone": "neutral" if row.history_type == "-" else "active",
        }
        for row in page.rows
    ]


@rate_readers
@require_safe
def rates(request: PortalRequest) -> HttpResponse:
    """The division's table with its basis, and what was changed by whom."""
    listing, division = _rates(request)
    own = division.pk in request.access.divisions(Role.DIVISION_ADMIN)
    page = listing.page(_changes(division), ("-history_id",))
    context = {
        "division": division,
        "rows": [
            {"rate": rate, "url": f"{reverse('tasks:sampling_rule', args=[rate.risk])}?division={division.code}"}
            for rate in sampling.table(division.pk).values()
        ],
        "own": own,
        "basis": sampling.BASIS,
        "bar": listing.bar() if listing.filters else None,
        "entries": _change_entries(page),
        "pager": listing.pager(page, "次变更"),
        "export_url": listing.address(reverse("tasks:sampling_export")),
        "is_admin": request.access.has(Role.DIVISION_ADMIN),
    }
    return render(request, "tasks/draw_sampling.html", context)


@rate_readers
@require_safe
def rates_export(request: PortalRequest) -> HttpResponseBase:
    """The table as CSV."""
    _, division = _rates(request)

    def lines() -> Iterator[Sequence[Any]]:
        for rate in sampling.table(division.pk).values():
            yield rate.label, rate.percent, rate.times, rate.basis, "是" if rate.rule else "否"

    return csv_response(f"抽查比例-{division.name}-{local_date(request.now):%Y%m%d}", RATE_HEAD, lines())


def _own_division(request: PortalRequest) -> Division:
    divisions = Division.objects.filter(pk__in=request.access.divisions(Role.DIVISION_ADMIN)).order_by("code")
    asked = request.POST.get("division") or request.GET.get("division")
    return get_object_or_404(divisions, code=asked) if asked else divisions[0]


def _rate(division: Division, risk: str) -> sampling.Rate:
    found = sampling.table(division.pk).get(risk)
    if found is None:
        raise Http404
    return found


def _rate_page(
    request: PortalRequest, division: Division, rate: sampling.Rate, form: RuleForm, unset: UnsetForm
) -> HttpResponse:
    rows = _changes(division).filter(risk=rate.risk).order_by("-history_id")[:20]
    context = {
        "division": division,
        "rate": rate,
        "form": form,
        "unset": unset,
        "returned": form if form.is_bound else unset if unset.is_bound else None,
        "follows": RATE_FOLLOWS,
        "off_follows": OFF_FOLLOWS,
        "entries": _change_entries(Page(list(rows), "", "")),
        "crumbs": [{"label": "抽查比例", "url": f"{reverse('tasks:sampling')}?division={division.code}"}],
    }
    return render(
        request, "tasks/draw_sampling_rule.html", context, status=422 if form.is_bound or unset.is_bound else 200
    )


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: PortalRequest, risk: str) -> HttpResponse:
    """Set one class's ratio and times a year, with the basis."""
    division = _own_division(request)
    held = _rate(division, risk)
    if request.method != "POST":
        return _rate_page(request, division, held, RuleForm(initial=RuleForm.initial_of(held)), UnsetForm())
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            sampling.set_rule(division, risk, **form.said(), by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:sampling"))
            put_on_form(form, error)
        else:
            messages.success(request, f"{division.name}的{held.label}抽查比例已设定，此后的抽取适用。")
            return redirect(f"{reverse('tasks:sampling')}?division={division.code}")
    return _rate_page(request, division, held, form, UnsetForm())


@administrators
@require_POST
def rate_off(request: PortalRequest, risk: str) -> HttpResponse:
    """Take a class's own ratio back, with a reason."""
    division = _own_division(request)
    held = _rate(division, risk)
    unset = UnsetForm(request.POST)
    if held.rule is None:
        raise Http404
    if unset.is_valid():
        try:
            sampling.unset_rule(held.rule, reason=unset.cleaned_data["basis"], by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:sampling"))
            put_on_form(unset, error)
        else:
            messages.success(request, f"已收回{held.label}的设定，此后的抽取恢复平台预置。")
            return redirect(f"{reverse('tasks:sampling')}?division={division.code}")
    return _rate_page(request, division, held, RuleForm(initial=RuleForm.initial_of(held)), unset)
