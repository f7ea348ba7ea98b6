"""待认定的信用事实 and 拟认定失信: the list, a fact's page to tell its subject, the notice, objection and decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit import lists
from credit.actions import judging
from credit.forms import DecisionForm, ObjectionForm, TellForm, proposed
from credit.listing import BY_CODE
from credit.models import Breach, CreditFact, CreditRecord
from credit.papers import notice, span_of
from credit.rules import Periods
from credit.words import cn_day
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.refusals import Refused
from offices.refusing import conflict, put_on_form
from offices.web import PortalRequest, roles_required

officers = roles_required(Posting.Role.CREDIT_OFFICER)
HEAD = ("类别", "主体", "主体代码", "认定文书", "认定日期", "告知书", "告知日期", "异议期限", "状态")
CRUMB = {"label": "信用管理", "url": "/credit/"}


def act(
    request: PortalRequest, form: BaseForm, done: Callable[[], Any], said: str, *, back: str,
    onwards: Callable[[Any], str] | None = None,
) -> HttpResponse | None:  # fmt: skip
    """Validate and do one action: redirect when done, 409 where somebody was faster, None to show the form again."""
    if not form.is_valid():
        return None
    try:
        result = done()
    except Refused as error:
        if error.conflict:
            return conflict(request, error, back, form)
        put_on_form(form, error)
        return None
    messages.success(request, said)
    return redirect(onwards(result) if onwards else back)


def shown(request: PortalRequest, template: str, context: dict[str, Any], form: BaseForm | None = None) -> HttpResponse:
    """The page; 422 where a form came back with errors."""
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, template, {"today": local_date(request.now), "now": request.now, **context}, status=status)


# --- the list


def _listing(request: PortalRequest) -> tuple[Listing, lists.Tab, QuerySet[CreditFact]]:
    listing = Listing(
        request,
        reverse("credit:facts"),
        filters=[Filter("kind", "类别", CreditFact.Kind.choices)],
        q_label="文号、名称或代码",
        placeholder="文号、名称或统一社会信用代码",
        tabs=[tab.key for tab in lists.FACTS if tab.key],
    )
    tab = lists.tab_of(lists.FACTS, listing["tab"])
    rows = lists.facts(request.access).filter(lists.fact_condition(tab.key, local_date(request.now)))
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    return listing, tab, lists.facts_with_rows(lists.facts_searched(rows, listing["q"]))


def _breach_of(fact: CreditFact) -> Breach | None:
    return getattr(fact, "breach", None)


def _url(fact: CreditFact) -> str:
    breach = _breach_of(fact)
    return reverse("credit:breach", args=[breach.pk]) if breach else reverse("credit:fact", args=[fact.pk])


@officers
@require_safe
def fact_list(request: PortalRequest) -> HttpResponse:
    """What the department found and what became of it."""
    listing, tab, rows = _listing(request)
    page = listing.page(rows, tab.order)
    counts = lists.fact_counts(request.access, local_date(request.now))
    context = {
        "tab": tab,
        "rows": [{"fact": one, "breach": _breach_of(one), "url": _url(one)} for one in page],
        "stats": listing.stats([(one.key, one.label, counts[one.key], one.tone) for one in lists.FACTS]),
        "bar": listing.bar(),
        "pager": listing.pager(page, "条"),
        "export_url": listing.address(reverse("credit:facts_export")),
        "clear_url": listing.address(q="", kind=""),
    }
    return shown(request, "credit/facts.html", context)


@officers
@require_safe
def facts_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons are masked."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def line(fact: CreditFact) -> Sequence[Any]:
        breach = _breach_of(fact)
        found = (breach.number, local_date(breach.told_at), breach.deadline.due_on) if breach else ("", "", "")
        state = breach.get_status_display() if breach else "待告知"
        code = fact.subject.code or ""
        return (
            fact.get_kind_display(), fact.subject.public_name, code, fact.source, local_date(fact.found_at), *found,
            state,
        )  # fmt: skip

    lines = everything(rows, tab.order, lambda found: map(line, found))
    return csv_response(f"信用事实-{tab.label}-{today:%Y%m%d}", HEAD, lines)


# --- a fact: telling its subject


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def fact_page(request: PortalRequest, pk: int) -> HttpResponse:
    """A fact that waits: what was found, and the form that tells its subject."""
    rows = lists.facts(request.access).select_related("subject", "breach", "department")
    fact = get_object_or_404(rows, pk=pk)
    if request.method != "POST" and _breach_of(fact):
        return redirect(_url(fact))
    back = reverse("credit:fact", args=[pk])
    form = TellForm(request.POST if request.method == "POST" else None, fact=fact, initial=proposed(fact))
    if request.method == "POST":
        answer = act(
            request, form,
            lambda: judging.tell(fact, **form.cleaned_data, by=request.user, now=request.now),
            "告知书已编号，异议期限开始计算，请打印告知书送达当事人。",
            back=back, onwards=lambda breach: reverse("credit:breach", args=[breach.pk]),
        )  # fmt: skip
        if answer is not None:
            return answer
    context = {
        "fact": fact,
        "crumbs": [CRUMB],
        "form": form,
        "follows": [
            "生成《拟认定失信告知书》编号，异议期限开始计算",
            "短信告知当事人的联系人" if fact.phone else "没有登记联系电话，请当面或者邮寄送达告知书",
            "现在不记录；当事人提出异议，或者异议期限届满以后，再作决定",
        ],
    }
    return shown(request, "credit/fact.html", context, form)


# --- a breach that its subject was told of


def _breach(request: PortalRequest, pk: int) -> Breach:
    """A breach of the person's departments; 404 otherwise."""
    rows = Breach.objects.filter(department__in=lists.own(request.access)).select_related(
        "fact", "subject", "department__division", "deadline", "told_by", "decided_by", "record"
    )
    return get_object_or_404(rows, pk=pk)


def _lead(breach: Breach, may_decide: bool, today: dt.date) -> str:
    if not breach.is_open:
        return "已经决定。" + ("记录有误的，当事人可以随时申请更正。" if breach.record_id else "")
    if breach.status == Breach.Status.OBJECTED:
        return "当事人提出了异议，请审查后决定是否记录。"
    if may_decide:
        return "异议期限已过，当事人没有提出异议，请决定是否记录。"
    return judging.why_not_yet(breach, today)


def _record_follows(breach: Breach, span: Periods) -> list[str]:
    shown_text = f"向社会公示至{cn_day(span.shown_until)}，到期自动停止" if span.shown_until else "不向社会公示"
    return [
        f"记入{breach.subject.public_name}的信用记录，等级“{breach.get_level_display()}”",
        shown_text,
        f"自{cn_day(span.repair_from)}起可以申请修复",
        "推送公共信用信息平台，短信告知当事人的联系人",
    ]


def _breach_page(
    request: PortalRequest, breach: Breach, *, objection: BaseForm | None = None, decision: BaseForm | None = None
) -> HttpResponse:
    """The breach's page; a form that came back stands in its place, as 422."""
    today = local_date(request.now)
    ready = breach.is_open and judging.may_decide(breach, today)
    waits = breach.status == Breach.Status.TOLD and not judging.objection_is_over(breach, today)
    found_on = local_date(breach.fact.found_at)
    span = span_of(breach)
    context = {
        "breach": breach,
        "entry": BY_CODE.get(breach.listed),
        "crumbs": [CRUMB],
        "lead": _lead(breach, ready, today),
        "explanations": explain_many([breach.deadline], today),
        "objection": (objection or ObjectionForm()) if waits else None,
        "decision": (decision or DecisionForm(found_on=found_on, today=today)) if breach.is_open else None,
        "ready": ready,
        "span": span,
        "record_follows": _record_follows(breach, span),
        "drop_follows": ["不记入信用记录，不公示，不推送", "短信告知当事人的联系人", "决定后不能撤回"],
    }
    bound = next((one for one in (objection, decision) if one), None)
    return shown(request, "credit/breach.html", context, bound)


@officers
@require_safe
def breach_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One breach: what its subject was told, what it objected, what was decided."""
    return _breach_page(request, _breach(request, pk))


@officers
@require_safe
def breach_paper(request: PortalRequest, pk: int) -> HttpResponse:
    """拟认定失信告知书, as it is served: the whole name stands on it, no identity number."""
    context = notice(_breach(request, pk), back_url=reverse("credit:breach", args=[pk]))
    return render(request, "credit/notice.html", context)


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def breach_objection(request: PortalRequest, pk: int) -> HttpResponse:
    """登记异议, as the subject put it."""
    breach = _breach(request, pk)
    back = reverse("credit:breach", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = ObjectionForm(request.POST)
    answer = act(
        request, form,
        lambda: judging.object_to(breach, **form.cleaned_data, by=request.user, now=request.now),
        "异议已登记，请审查后决定是否记录。", back=back,
    )  # fmt: skip
    return answer or _breach_page(request, breach, objection=form)


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def breach_decision(request: PortalRequest, pk: int) -> HttpResponse:
    """决定: recorded, or not."""
    breach = _breach(request, pk)
    back = reverse("credit:breach", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = DecisionForm(request.POST, found_on=local_date(breach.fact.found_at), today=local_date(request.now))

    def decide() -> CreditRecord | Breach:
        said = {"reason": form.cleaned_data["reason"], "by": request.user, "now": request.now}
        if form.cleaned_data["verdict"] == "drop":
            return judging.drop(breach, **said)
        return judging.record_breach(breach, final_on=form.cleaned_data["final_on"], **said)

    recorded = request.POST.get("verdict") == "record"
    said = "已记入信用记录，并排队推送公共信用信息平台。" if recorded else "已决定不予记录。"
    answer = act(request, form, decide, said, back=back)
    return answer or _breach_page(request, breach, decision=form)
