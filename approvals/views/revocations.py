"""撤销许可: what supervision proposed to revoke, heard and decided by the deciders of the case's office (L10c).

It is after the grant, so the holder is shown. Who chairs a hearing sees that one revocation and writes its record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.actions.revoking import (
    CHAIRS,
    LEAST_DAYS,
    answer_day_passed,
    chairs,
    decide_revocation,
    give_notice,
    give_notice_anew,
    hear_holder,
    hearing_days,
    hearing_pends,
    may_decide,
    plan_hearing,
    record_hearing,
    supervisors,
)
from approvals.enums import DocumentKind, Door, HearingWish, RevocationGround, RevocationStatus
from approvals.exceptions import Refused
from approvals.forms_revocation import AnewForm, HearForm, NoticeForm, PlanForm, RecordForm, RevocationDecisionForm
from approvals.models import Document, Revocation
from approvals.models.revocations import RevocationQuerySet
from approvals.papers import cn_day
from approvals.views.papers import paper_response
from approvals.web import conflict, put_on_form
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.enums import OPEN
from deadlines.explaining import explain_many
from ledger.models import Entry
from offices.access import Access
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, everything
from offices.models import Posting, User
from offices.web import PortalRequest, roles_required

Role = Posting.Role
R = RevocationStatus
deciders = roles_required(Role.DECIDER)
readers = roles_required(*CHAIRS)
MOST = 999
HEAD = (
    "办件编号", "证照编号", "证照名称", "持有人", "证件号码", "建议单位", "监管任务", "收到时间", "办理期限", "时限",
    "状态", "法定情形", "决定", "决定时间",
)  # fmt: skip
ACTS = ("notice", "hear", "plan", "record", "decide", "anew")
ORIGINS = (("promise", "违背承诺"), ("other", "其他情形"))


def ready(today: dt.date) -> Q:
    """Those whose holder let the day to answer pass: the mirror of ``actions.revoking.may_decide``."""
    return Q(
        status=R.NOTICED, hearing_asked_at__isnull=True, answer_deadline__state__in=OPEN,
        answer_deadline__due_on__lt=today, answer_deadline__provisional=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the list: what is in it, in which order, what to say when it is empty."""

    key: str
    label: str
    rows: Callable[[RevocationQuerySet, dt.date], RevocationQuerySet]
    order: tuple[str, ...]
    lead: str
    empty: str


TABS = (
    Tab(
        "", "待告知", lambda rows, today: rows.filter(status=R.RECEIVED), ("id",),
        lead="监管部门建议撤销的许可。请先告知持证人事实、理由和权利，再听取意见。先收到的在前。",
        empty="没有待告知的撤销建议",
    ),
    Tab(
        "noticed", "待听取意见", lambda rows, today: rows.filter(status=R.NOTICED).exclude(ready(today)), ("id",),
        lead="已经告知、持证人还可以陈述申辩，或者等待听证的。",
        empty="没有等待听取意见的撤销建议",
    ),
    Tab(
        "heard", "待决定", lambda rows, today: rows.filter(Q(status=R.HEARD) | ready(today)), ("id",),
        lead="已经听取意见，或者期限届满没有陈述的，请作出决定。先收到的在前。",
        empty="没有待决定的撤销建议",
    ),
    Tab(
        "decided", "已决定", lambda rows, today: rows.filter(status=R.DECIDED), ("-id",),
        lead="已经作出决定的，新的在前。",
        empty="还没有作出过决定",
    ),
)  # fmt: skip


def with_rows(rows: RevocationQuerySet) -> RevocationQuerySet:
    """With everything that a line or a page shows; one statement."""
    return rows.select_related(
        "licence__holder", "case__business_item", "office__department", "deadline", "answer_deadline",
        "hearing_deadline", "hearing_chair", "noticed_by", "decided_by", "notice",
    ).defer("notice__content", "case__contact_phone", "licence__holder__id_number")  # fmt: skip


def searched(rows: RevocationQuerySet, text: str) -> RevocationQuerySet:
    """By number of the case, the licence or the task, or by the holder's name."""
    if not text:
        return rows
    number = text.upper()
    return rows.filter(
        Q(case__number=number) | Q(licence__number=number) | Q(source_number=number)
        | Q(licence__holder_name__icontains=text)
    )  # fmt: skip


def holder_of(revocation: Revocation) -> dict[str, str]:
    """The holder as staff sees it: persons masked."""
    licence = revocation.licence
    person = licence.holder.kind == CreditSubject.Kind.PERSON
    return {
        "kind": "person" if person else "company",
        "name": licence.holder.public_name if person else licence.holder_name,
        "code": licence.holder.public_identifier,
    }


def state_of(revocation: Revocation, today: dt.date) -> dict[str, str]:
    """Label and tone of where it stands on a day."""
    if revocation.status == R.DECIDED:
        return {"label": "已撤销", "tone": "bad"} if revocation.revoke else {"label": "不予撤销", "tone": "good"}
    if revocation.status == R.RECEIVED:
        return {"label": "待告知", "tone": "warn"}
    if may_decide(revocation, today):
        return {"label": "待决定", "tone": "warn"}
    return {"label": "待听证" if hearing_pends(revocation) else "待听取意见", "tone": "active"}


def _listing(request: PortalRequest) -> tuple[Listing, Tab, RevocationQuerySet]:
    listing = Listing(
        request,
        reverse("office:revocations"),
        filters=[
            Filter("ground", "法定情形", [(one.value, one.label) for one in RevocationGround]),
            Filter("origin", "起因", ORIGINS),
        ],
        q_label="办件、证照、任务编号或持有人",
        placeholder="完整的编号，或者持有人名称",
        tabs=[tab.key for tab in TABS if tab.key],
    )
    tab = next(one for one in TABS if one.key == listing["tab"])
    rows = searched(Revocation.objects.for_decider(request.access), listing["q"])
    if listing["ground"]:
        rows = rows.filter(ground=listing["ground"])
    if listing["origin"]:
        rows = rows.filter(broken_promise=listing["origin"] == "promise")
    return listing, tab, tab.rows(rows, local_date(request.now))


def _stats(access: Access, listing: Listing, today: dt.date) -> list[dict[str, Any]]:
    """How many are in each part, up to 999: four statements."""
    tones = {"": "warn", "noticed": "neutral", "heard": "warn", "decided": "neutral"}
    counts: list[tuple[str, str, int | str, str]] = []
    for tab in TABS:
        rows = tab.rows(Revocation.objects.for_decider(access), today)
        count = rows.order_by().values("pk")[: MOST + 1].count()
        counts.append((tab.key, tab.label, count if count <= MOST else f"{MOST}+", tones[tab.key]))
    return listing.stats(counts)


def _row(one: Revocation, today: dt.date) -> dict[str, Any]:
    return {
        "one": one,
        "holder": holder_of(one),
        "state": state_of(one, today),
        "url": link("office:revocation")(one.pk),
    }


@deciders
@require_safe
def revocation_list(request: PortalRequest) -> HttpResponse:
    """What was proposed to the offices in which the person decides."""
    listing, tab, rows = _listing(request)
    today = local_date(request.now)
    page = listing.page(with_rows(rows), tab.order)
    context = {
        "title": "撤销许可",
        "today": today,
        "tab": tab,
        "rows": [_row(one, today) for one in page],
        "stats": _stats(request.access, listing, today),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "export_url": listing.address(reverse("office:revocations_export")),
        "clear_url": listing.address(q="", ground="", origin=""),
    }
    return render(request, "office/revocations.html", context)


@deciders
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons stay masked."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: Revocation) -> Sequence[Any]:
        holder, decision = holder_of(one), {None: "", True: "撤销", False: "不予撤销"}[one.revoke]
        return (
            one.case.number, one.licence.number, one.licence.kind, holder["name"], holder["code"],
            one.proposed_by_name, one.source_number, moment(one.received_at), one.deadline.due_on,
            one.deadline.light_text(today), state_of(one, today)["label"], one.get_ground_display(), decision,
            moment(one.decided_at),
        )  # fmt: skip

    def lines(found: list[Revocation]) -> Iterator[Sequence[Any]]:
        return map(line, found)

    return csv_response(
        f"撤销许可-{tab.label}-{today:%Y%m%d}", HEAD, everything(with_rows(rows), tab.order, lines)
    )  # fmt: skip


@readers
@require_safe
def hearing_list(request: PortalRequest) -> HttpResponse:
    """The hearings that the person chairs, the newest first."""
    today = local_date(request.now)
    listing = Listing(request, reverse("office:hearings"))
    page = listing.page(with_rows(Revocation.objects.for_chair(request.access)), ("-id",))
    context = {
        "title": "听证主持",
        "today": today,
        "tab": Tab(
            "", "听证", lambda rows, _: rows, ("-id",), "请您主持的听证；会后在这里填写笔录。", "没有请您主持的听证"
        ),
        "rows": [_row(one, today) for one in page],
        "bar": None,
        "pager": listing.pager(page),
        "clear_url": "",
    }
    return render(request, "office/revocations.html", context)


# --- one revocation


def fetch(access: Access, pk: int) -> Revocation:
    """The revocation if the person decides in its office or chairs its hearing; 404 otherwise."""
    return get_object_or_404(with_rows(Revocation.objects.readable(access)), pk=pk)


def decides(one: Revocation, access: Access, barred: Collection[int]) -> bool:
    """Whether the person handles it: a decider of the office who neither chairs its hearing nor had a part in it."""
    own = one.office_id in access.offices(Role.DECIDER) and one.hearing_chair_id != access.user.pk
    return own and access.user.pk not in barred


def acts_of(one: Revocation, access: Access, today: dt.date, barred: Collection[int]) -> dict[str, bool]:
    """What this person may do now; ``barred``: ``actions.revoking.supervisors`` of it."""
    own, noticed = decides(one, access, barred), one.status == R.NOTICED
    pends = hearing_pends(one)
    chair = one.hearing_chair_id == access.user.pk and one.hearing_on is not None
    return {
        "notice": own and one.status == R.RECEIVED,
        "hear": own and one.status in {R.NOTICED, R.HEARD} and not one.hearing_held_at,
        "plan": own and noticed and pends,
        "record": chair and noticed and pends and one.hearing_on is not None and today >= one.hearing_on,
        "decide": own and may_decide(one, today),
        "anew": own and one.status in {R.NOTICED, R.HEARD},
    }


def _lead(one: Revocation, may: dict[str, bool], today: dt.date) -> str:
    if one.status == R.DECIDED:
        return "这件撤销建议已经作出决定，监管部门已收到答复。"
    if may["notice"]:
        return "请核对事实和证据，告知持证人拟撤销的事实、理由和依据，以及陈述申辩、申请听证的权利。"
    if one.status == R.RECEIVED:
        return "还没有告知持证人，由没有办理过这件监管任务的决定人员办理。"
    if may["record"]:
        return "请填写听证笔录；提交后不能修改。"
    if may["decide"]:
        passed = answer_day_passed(one, today) and not one.statement
        return "期限已过，持证人没有陈述申辩，请作出决定。" if passed else "已听取持证人的意见，请作出决定。"
    if hearing_pends(one):
        planned = f"听证定于{cn_day(one.hearing_on)}举行。" if one.hearing_on else "请安排听证。"
        return f"持证人申请了听证，办理期限停止计算。{planned}"
    if may_decide(one, today):
        return "持证人的意见已经听取，或者期限已过，由决定人员作出决定。"
    until = cn_day(one.answer_deadline.due_on) if one.answer_deadline else ""
    if one.answer_deadline is not None and one.answer_deadline.is_overdue(today):
        return f"持证人陈述申辩的期限（{until}）已过，尚待确认后作出决定。"
    return f"持证人可以在{until}前陈述申辩、申请听证，期限届满或者书面放弃后作出决定。"


FOLLOWS = {
    "notice": [
        "出具《撤销行政许可告知书》，短信通知持证人",
        "陈述申辩期限从明天起算",
        "持证人可以在窗口或者网上陈述、申请听证",
    ],
    "hear": [
        "记入这件撤销建议，写入决定书",
        "要求听证的，办理期限停止计算，二十个工作日内组织",
        "书面放弃的，可以立即作出决定",
    ],
    "plan": ["出具《听证通知书》，短信通知持证人时间、地点", "短信通知主持人"],
    "record": ["笔录提交后不能修改", "办理期限恢复计算，决定须根据笔录作出"],
    "revoke": [
        "许可被撤销，同时办理注销，公示和核验页当即显示",
        "出具《撤销行政许可决定书》，载明救济途径，短信通知持证人",
        "答复监管部门，其他未办结的监管任务同时得到通知",
        "撤销的事实送信用部门认定",
    ],
    "anew": [
        "出具新的《撤销行政许可告知书》代替原告知书，短信通知持证人；原告知书仍可查阅",
        "陈述申辩期限从明天起重新计算，持证人可以重新要求听证",
        "原来的放弃、听证申请不再作数，已作的陈述和笔录保留",
    ],
    "keep": ["出具《不予撤销行政许可决定书》，证照继续有效", "答复监管部门，监管任务随之归档"],
}  # fmt: skip


def _forms(one: Revocation, may: dict[str, bool], request: PortalRequest, data: Any = None) -> dict[str, BaseForm]:
    """The forms of what may be done; bound where ``data`` came back for one of them."""
    forms: dict[str, BaseForm] = {}
    if may["notice"]:
        initial = {"facts": one.facts, "days": LEAST_DAYS, "ground": one.ground}
        forms["notice"] = NoticeForm(data, initial=initial)
    if may["hear"]:
        forms["hear"] = HearForm(data, initial={"wish": HearingWish.LATER})
    if may["plan"]:
        people = [
            (str(person.pk), person.full_name)
            for person in chairs(one, request.now, by=request.user)
        ]  # fmt: skip
        first, last = hearing_days(one, local_date(request.now))
        days = f"{cn_day(first)}至{cn_day(last)}之间的工作日：提前七个工作日通知，申请后二十个工作日内组织。"
        initial = {"on": one.hearing_on, "place": one.hearing_place, "chair": str(one.hearing_chair_id or "")}
        forms["plan"] = PlanForm(data, people=people, between=(first, last), days=days, initial=initial)
    if may["record"]:
        forms["record"] = RecordForm(data)
    if may["anew"]:
        number = one.notice.number if one.notice is not None else ""
        initial = {"facts": one.facts, "days": LEAST_DAYS, "ground": one.ground, "replaces": number}
        forms["anew"] = AnewForm(data, initial=initial)
    if may["decide"]:
        forms["decide"] = RevocationDecisionForm(data, initial={"ground": one.ground})
    return forms


def timeline(one: Revocation) -> list[dict[str, Any]]:
    """What was done on this revocation; one statement."""
    rows = Entry.objects.filter(stream=one.case.stream, data__revocation=one.pk).select_related("actor").order_by("seq")
    return [{"at": row.at, "label": row.label, "who": row.actor.full_name if row.actor else "持证人"} for row in rows]


def papers_of(one: Revocation) -> QuerySet[Document]:
    """Its notices and its decision, and between them the letters about its hearing."""
    told = (DocumentKind.REVOCATION_NOTICE, DocumentKind.HEARING)
    between = Q(case=one.case_id, kind__in=told, issued_at__gte=one.received_at)
    if one.decided_at is not None:
        between &= Q(issued_at__lte=one.decided_at)
    return Document.objects.filter(Q(pk__in=[pk for pk in (one.notice_id, one.document_id) if pk]) | between)


def _page(
    request: PortalRequest, one: Revocation, came_back: tuple[str, BaseForm] | None = None
) -> HttpResponse:  # fmt: skip
    today = local_date(request.now)
    may = acts_of(one, request.access, today, supervisors(one))
    forms = _forms(one, may, request) | ({came_back[0]: came_back[1]} if came_back else {})
    own = one.office_id in request.access.offices(Role.DECIDER)
    clocks = [clock for clock in (one.deadline, one.answer_deadline, one.hearing_deadline) if clock is not None]
    shown = [clock for clock in clocks if clock.is_open]
    papers = papers_of(one).defer("content")
    context: dict[str, Any] = {
        "today": today,
        "one": one,
        "state": state_of(one, today),
        "holder": holder_of(one),
        "lead": _lead(one, may, today),
        "crumbs": [
            {"label": "撤销许可", "url": reverse("office:revocations")} if own
            else {"label": "听证主持", "url": reverse("office:hearings")}
        ],
        "clocks": shown,
        "explanations": explain_many(shown, today),
        "may": may,
        "forms": forms,
        "returned": came_back[1] if came_back else None,
        "follows": FOLLOWS,
        "papers": [
            {"label": paper.get_kind_display(), "number": paper.number,
             "url": reverse("office:revocation_paper", args=[one.pk, paper.pk])}
            for paper in papers.order_by("pk")
        ],
        "entries": timeline(one),
        "licence_url": reverse("office:licence", args=[one.licence.number]) if own else "",
        "facts": [
            {"label": "证照", "value": f"{one.licence.kind} {one.licence.number}"},
            {"label": "证照状态", "value": one.licence.state_text},
            {"label": "许可内容", "value": one.licence.content or "（未填写）", "wide": True},
            {"label": "办件编号", "value": one.case.number},
            {"label": "建议单位", "value": one.proposed_by_name},
            {"label": "监管任务", "value": one.source_number},
            {"label": "收到时间", "value": one.received_at},
            {"label": "起因", "value": "违背承诺" if one.broken_promise else "其他情形"},
        ],
    }  # fmt: skip
    return render(request, "office/revocation.html", context, status=422 if came_back else 200)


@readers
@require_http_methods(["GET", "HEAD", "POST"])
def revocation_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One revocation: facts and evidence, the holder's words, what may be done now."""
    one = fetch(request.access, pk)
    if request.method != "POST":
        return _page(request, one)
    act = request.POST.get("act", "")
    forms = _forms(one, dict.fromkeys(ACTS, True), request, request.POST)
    # Somebody who chairs writes the record; everything else is the deciders'.
    if act not in forms or (act != "record" and one.office_id not in request.access.offices(Role.DECIDER)):
        raise Http404
    form = forms[act]
    if form.is_valid():
        try:
            said = _do(request, one, act, form.cleaned_data)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("office:revocation", args=[pk]), form)
            put_on_form(form, error)
        else:
            messages.success(request, said)
            return redirect("office:revocation", pk=pk)
    return _page(request, one, (act, form))


def _do(request: PortalRequest, one: Revocation, act: str, data: dict[str, Any]) -> str:
    by, now = request.user, request.now
    if act == "notice":
        give_notice(one, **data, by=by, now=now)
        return "告知书已出具，已短信通知持证人。"
    if act == "anew":
        give_notice_anew(one, **data, by=by, now=now)
        return "新的告知书已出具，已短信通知持证人，陈述申辩期限重新计算。"
    if act == "hear":
        hear_holder(one, **data, by=by, door=Door.WINDOW, now=now)
        return "已记录持证人的意见。"
    if act == "plan":
        chair = User.objects.filter(pk=int(data["chair"])).first() if data["chair"] else None
        plan_hearing(one, on=data["on"], place=data["place"], chair=chair, by=by, now=now)
        return "听证已安排，已短信通知持证人和主持人。"
    if act == "record":
        record_hearing(one, **data, by=by, now=now)
        return "听证笔录已提交。"
    revoke = data.pop("verdict") == "revoke"
    decide_revocation(one, revoke=revoke, **data, by=by, now=now)
    return "已决定撤销许可，决定书已出具。" if revoke else "已决定不予撤销，决定书已出具。"


@readers
@require_safe
def paper(request: PortalRequest, pk: int, document: int) -> HttpResponseBase:
    """The notice, a letter about the hearing or the decision, for whoever may open the revocation."""
    one = fetch(request.access, pk)
    found = get_object_or_404(papers_of(one), pk=document)
    return paper_response(request, found, back_url=reverse("office:revocation", args=[pk]))


def waits_for(access: Access) -> RevocationQuerySet:
    """What this person has to see to: the count on the rail."""
    return Revocation.objects.open().for_decider(access)


def hearings_for(access: Access) -> RevocationQuerySet:
    """Hearings that this person chairs and whose record is not written."""
    return Revocation.objects.for_chair(access).filter(status=R.NOTICED, waived_at__isnull=True)
