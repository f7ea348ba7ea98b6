"""补交与逾期: what applicants still owe after the decision, and what deciders settle once a day has passed (L8c).

Only decided cases are here, so the applicant is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals import blind
from approvals import owed as debts
from approvals.actions.owing import extend_later, has_passed, settle_later, settle_promise_lapse
from approvals.enums import OWED, CaseStatus, MaterialState
from approvals.exceptions import Refused
from approvals.forms_owed import LaterExtensionForm, LaterSettlementForm, PromiseLapseForm
from approvals.models import Case, CaseMaterial, LaterSubmission, PromiseLapse
from approvals.papers import cn_day
from approvals.promised import last_lawful_day
from approvals.querysets import CaseQuerySet
from approvals.web import conflict, put_on_form
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from deadlines.models import Deadline
from offices import kept
from offices.access import Access
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.tally import MOST, tally, up_to
from offices.web import PortalRequest, roles_required

deciders = roles_required(Posting.Role.DECIDER)
S = CaseStatus
DEFERRED, LATER = "deferred", "later"
KINDS = ((DEFERRED, "材料延期（先补齐、后发证）"), (LATER, "容缺（先发证、后补交）"))
HEAD = (
    "办件编号", "业务办理项", "申请人", "证件号码", "方式", "待补交的材料", "补交期限", "时限", "办件状态", "处理",
    "处理理由", "处理时间",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the list: what is in it, in which order, what to say when it is empty."""

    key: str
    label: str
    rows: Callable[[Access], CaseQuerySet]
    order: tuple[str, ...]
    lead: str
    empty: str
    text: str


TABS = (
    Tab(
        "", "待处理", debts.to_settle, ("owed_on", "id"),
        lead="补交期限已过，由您决定：承诺延期的是否撤销办理，容缺的是否适用逾期的后果。逾期早的在前。",
        empty="没有待处理的逾期",
        text="承诺或容缺的补交期限过后，办件会出现在这里，并短信提醒您。",
    ),
    Tab(
        "waiting", "等待补交", debts.to_wait_for, ("owed_on", "id"),
        lead="申请人还欠材料、期限未过或者已决定继续等待的办件；期限早的在前。",
        empty="没有等待补交的办件",
        text="以材料延期或者容缺方式办理的办件，作出决定后会出现在这里。",
    ),
    Tab(
        "settled", "已处理", debts.settled, ("-id",),
        lead="已经作出逾期处理决定的办件，新的在前。",
        empty="还没有处理过逾期",
        text="处理决定作出后，在这里查看。",
    ),
)  # fmt: skip


def _later(case: Case) -> LaterSubmission | None:
    return getattr(case, "later_submission", None)


def is_later(case: Case) -> bool:
    """Whether the debt of the case is one that follows the licence."""
    later = _later(case)
    return later is not None and later.deadline_id is not None


def clock_of(case: Case) -> Deadline | None:
    """The clock of the debt that runs or ran last."""
    later = _later(case)
    return later.deadline if later is not None and later.deadline_id else case.promise_deadline


def with_rows(cases: CaseQuerySet) -> CaseQuerySet:
    """With everything that a line or a page shows; three statements."""
    lines = CaseMaterial.objects.filter(state__in=OWED).order_by("order")
    return (
        cases.select_related(
            "business_item", "applicant", "review_office", "promise_deadline", "issue_deadline",
            "later_submission__deadline",
        )
        .defer("contact_phone")
        .prefetch_related(
            Prefetch("materials", queryset=lines, to_attr="owed_lines"),
            Prefetch("promise_lapses", queryset=PromiseLapse.objects.select_related("decided_by").order_by("id")),
        )
    )  # fmt: skip


CLOCK = ("state", "start_on", "due_on", "yellow_on")
# What a line of the list reads.
LINE = (
    "number", "status", "applicant_name", "applicant__kind", "business_item__name",
    *(f"{clock}__{name}" for clock in ("promise_deadline", "later_submission__deadline") for name in CLOCK),
    *(f"later_submission__{name}" for name in ("settled_at", "settle_reason", "applied")),
)  # fmt: skip


def listed(keys: Sequence[int]) -> CaseQuerySet:
    """These cases with what a line of the list shows; materials and lapses are read for the page (``_beside``)."""
    cases = debts.with_day(Case.objects.filter(pk__in=keys).order_by())
    shown = cases.select_related("business_item", "applicant", "promise_deadline", "later_submission__deadline")
    return shown.only(*LINE)


def _owed_lines(cases: Sequence[int]) -> QuerySet[CaseMaterial]:
    return CaseMaterial.objects.filter(case__pk__in=cases, state__in=OWED).order_by("order")


def _lapses(cases: Sequence[int]) -> QuerySet[PromiseLapse]:
    return PromiseLapse.objects.filter(case__pk__in=cases).order_by("id")


def _beside(read: Callable[[Sequence[int]], QuerySet[Any]], page: Iterable[Case]) -> dict[int, list[Any]]:
    """Case → its rows of what ``read`` finds; one statement."""
    found: dict[int, list[Any]] = {}
    for row in kept.ask(read, read, [case.pk for case in page]):
        found.setdefault(row.case_id, []).append(row)
    return found


def verdict_of(case: Case, lapses: Iterable[PromiseLapse]) -> tuple[str, str, Any]:
    """What was decided last, with its reason and its moment; empty where nobody had to."""
    later = _later(case)
    if later is not None and later.settled_at:
        return ("适用逾期后果" if later.applied else "不适用逾期后果"), later.settle_reason, later.settled_at
    decided = [lapse for lapse in lapses if lapse.cancel is not None]
    if not decided:
        return "", "", None
    last = decided[-1]
    kept = f"继续办理，{cn_day(last.until)}前补交" if last.until else "继续办理"
    return ("撤销办理" if last.cancel else kept), last.reason, last.decided_at


def _person(case: Case) -> dict[str, str]:
    person = case.applicant.kind == CreditSubject.Kind.PERSON
    return {
        "kind": "person" if person else "company",
        "name": case.public_name,
        "code": case.applicant.public_identifier,
    }


def _row(case: Case, lines: Sequence[CaseMaterial], lapses: Sequence[PromiseLapse]) -> dict[str, Any]:
    return {
        "case": case,
        "url": link("office:owed_case")(case.number),
        "who": case.public_name,
        "kind": "容缺" if is_later(case) else "材料延期",
        "lines": lines,
        "clock": clock_of(case),
        "verdict": verdict_of(case, lapses)[0],
    }


def searched(cases: CaseQuerySet, text: str) -> CaseQuerySet:
    """By case number, item or, the case being decided, the applicant's name."""
    if not text:
        return cases
    return cases.filter(blind.matching(text)) | cases.filter(applicant_name__icontains=text)


def _of_kind(cases: CaseQuerySet, kind: str) -> CaseQuerySet:
    if not kind:
        return cases
    return cases.filter(later_submission__deadline__isnull=kind == DEFERRED)


def _listing(request: PortalRequest) -> tuple[Listing, Tab, Callable[[], CaseQuerySet]]:
    listing = Listing(
        request,
        reverse("office:owed"),
        filters=[Filter("kind", "方式", KINDS)],
        q_label="办件编号、事项或申请人",
        placeholder="编号、事项名称或拼音首字母、申请人名称",
        tabs=[tab.key for tab in TABS if tab.key],
    )
    tab = next(one for one in TABS if one.key == listing["tab"])

    def rows() -> CaseQuerySet:
        return _of_kind(searched(tab.rows(request.access), listing["q"]), listing["kind"])

    return listing, tab, rows


def _stats(access: Access, listing: Listing) -> list[dict[str, Any]]:
    """How many are in each part: one statement."""
    tones = {"": "bad", "waiting": "warn", "settled": "neutral"}
    counts = tally(access, _parts)
    return listing.stats((tab.key, tab.label, _count(counts[tab.key]), tones[tab.key]) for tab in TABS)


def _parts(access: Access) -> dict[str, CaseQuerySet]:
    return {tab.key: tab.rows(access) for tab in TABS}


def _count(found: int) -> int | str:
    return found if found <= MOST else up_to(found)


@deciders
@require_safe
def owed_list(request: PortalRequest) -> HttpResponse:
    """What waits for a decider, what is waited for, what was settled."""
    listing, tab, rows = _listing(request)
    page = listing.page(rows, tab.order, wide=listed, key=(owed_list, request.access.key))
    lines, lapses = _beside(_owed_lines, page), _beside(_lapses, page)
    context = {
        "today": local_date(request.now),
        "tab": tab,
        "rows": [_row(case, lines.get(case.pk, []), lapses.get(case.pk, [])) for case in page],
        "stats": _stats(request.access, listing),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "export_url": listing.address(reverse("office:owed_export")),
        "clear_url": listing.address(q="", kind=""),
    }
    return render(request, "office/owed.html", context)


@deciders
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons stay masked."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def line(case: Case) -> Sequence[Any]:
        clock, (verdict, reason, at) = clock_of(case), verdict_of(case, case.promise_lapses.all())
        return (
            case.number, case.business_item.name, case.public_name, case.applicant.public_identifier,
            "容缺" if is_later(case) else "材料延期",
            "、".join(one.name for one in case.owed_lines),  # type: ignore[attr-defined]
            clock.due_on if clock else "", clock.light_text(today) if clock else "", case.get_status_display(),
            verdict, reason, f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else "",
        )  # fmt: skip

    def lines(found: list[Case]) -> Iterator[Sequence[Any]]:
        return map(line, found)

    name = f"补交与逾期-{tab.label}-{today:%Y%m%d}"
    return csv_response(name, HEAD, everything(with_rows(rows()), tab.order, lines))


# --- one case


ACTS = {"promise", "extension", "settlement"}


def fetch(access: Access, number: str) -> Case:
    """The case if it is within the decider's reach; 404 otherwise."""
    return get_object_or_404(with_rows(debts.owing(access)), number=number)


def acts_of(case: Case, request: PortalRequest) -> dict[str, bool]:
    """What this person may do on the page now."""
    now, later = request.now, _later(case)
    mine = case.intake_by_id != request.user.pk
    waits = any(lapse.cancel is None for lapse in case.promise_lapses.all())
    passed = has_passed(case.promise_deadline, now)
    open_later = is_later(case) and later is not None and later.settled_at is None
    late = later is not None and (later.overdue_at is not None or has_passed(later.deadline, now))
    return {
        "promise": mine and case.status == S.APPROVED and (waits or passed),
        "extension": mine and open_later and not late and later is not None
        and later.extended_to is None and later.fulfilled_at is None,
        "settlement": mine and open_later and late,
    }  # fmt: skip


def _lead(case: Case, may: dict[str, bool], request: PortalRequest) -> str:
    owed = case.owed_lines  # type: ignore[attr-defined]
    if may["promise"]:
        return "承诺的补交期限已过，请决定是否撤销办理。" if owed else "材料已逾期补齐，请决定是否仍予发证。"
    if may["settlement"]:
        return "容缺的补交期限已过，请决定是否适用逾期的后果。"
    if case.intake_by_id == request.user.pk:
        return "这件办件由您收件，逾期的处理须由其他决定人员作出。"
    if owed and case.status in {S.APPROVED, S.COMPLETED}:
        return "申请人还有材料等待补交。"
    return "这件办件不需要处理。"


def _follows(case: Case, request: PortalRequest) -> dict[str, list[str]]:
    owed = case.owed_lines  # type: ignore[attr-defined]
    later = _later(case)
    keep = ["短信告知申请人继续办理和新的期限", "补齐之时证件当即颁发"]
    return {
        "cancel_follows": [
            "不颁发证件，办件以“撤销办理”结束，不能恢复",
            "出具撤销办理决定书，写明理由和救济途径，短信通知申请人",
            "违背承诺的记录随后纳入诚信档案",
        ],
        "keep_follows": keep if owed else ["证件当即颁发，监管任务同时生成", "短信通知申请人领证"],
        "apply_follows": [
            f"适用：{later.consequence if later else ''}",
            "短信告知申请人决定和理由",
            "逾期的记录随后纳入诚信档案",
        ],
        "spare_follows": ["不适用逾期的后果，短信告知申请人", "材料仍可在窗口补交"],
        "extend_follows": ["补交期限延长到新的日期，短信告知申请人", "只能延长一次"],
    }


def _answer(request: PortalRequest, case: Case, **forms: BaseForm) -> HttpResponse:
    """The page of one case; with a form that came back, as 422."""
    today, may, later, clock = local_date(request.now), acts_of(case, request), _later(case), clock_of(case)
    clocks = [one for one in (clock, case.issue_deadline if case.status == S.APPROVED else None) if one is not None]
    last = last_lawful_day(case, request.now)
    done = case.materials.filter(owed_as__in=OWED).order_by("order")
    context: dict[str, Any] = {
        "case": case,
        "applicant": _person(case),
        "is_later": is_later(case),
        "later": later if is_later(case) else None,
        "lines": [
            {"name": line.name, "label": line.get_state_display(), "tone": "warn", "at": None}
            for line in case.owed_lines  # type: ignore[attr-defined]
        ]
        + [
            {"name": line.name, "label": "已补交", "tone": "good", "at": line.received_at, "late": _late(case, line)}
            for line in done
        ],
        "lapses": list(case.promise_lapses.all()),
        "clocks": clocks,
        "explanations": explain_many((one for one in clocks if one.is_open), today),
        "may": may,
        "last_day": cn_day(last) if last > today else "",
        "keep_label": "继续办理" if case.owed_lines else "准予发证",  # type: ignore[attr-defined]
        "lead": _lead(case, may, request),
        "crumbs": [{"label": "补交与逾期", "url": reverse("office:owed")}],
        "facts": [
            {"label": "办件编号", "value": case.number},
            {"label": "审查处室", "value": case.review_office.name},
            {"label": "申请内容", "value": case.content or "（未填写）", "wide": True},
        ],
        "case_url": reverse("office:case", args=[case.number]),
        "today": today,
        "form": forms.get("promise") or PromiseLapseForm(),
        "extension": forms.get("extension") or LaterExtensionForm(),
        "settlement": forms.get("settlement") or LaterSettlementForm(),
        **_follows(case, request),
    }
    return render(request, "office/owed_case.html", context, status=422 if forms else 200)


def _late(case: Case, line: CaseMaterial) -> bool:
    """Whether the material came after its day."""
    if line.received_at is None:
        return False
    day = local_date(line.received_at)
    if line.owed_as == MaterialState.LATER:
        later = _later(case)
        return later is not None and day > (later.extended_to or later.until)
    return any(day > lapse.due_on for lapse in case.promise_lapses.all())


@deciders
@require_http_methods(["GET", "HEAD", "POST"])
def owed_case(request: PortalRequest, number: str) -> HttpResponse:
    """One case: what is owed, what was decided, and what may be decided now."""
    case = fetch(request.access, number)
    if request.method != "POST":
        return _answer(request, case)
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    forms: dict[str, BaseForm] = {
        "promise": PromiseLapseForm(request.POST),
        "extension": LaterExtensionForm(request.POST),
        "settlement": LaterSettlementForm(request.POST),
    }
    form = forms[act]
    if form.is_valid():
        try:
            said = _do(request, case, act, form.cleaned_data)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("office:owed_case", args=[number]))
            put_on_form(form, error)
        else:
            messages.success(request, said)
            return redirect("office:owed")
    return _answer(request, case, **{act: form})


def _do(request: PortalRequest, case: Case, act: str, data: dict[str, Any]) -> str:
    by, now = request.user, request.now
    if act == "extension":
        extend_later(case, **data, by=by, now=now)
        return f"办件 {case.number} 的补交期限已延长，已短信告知申请人。"
    verdict, reason = data.pop("verdict"), data["reason"]
    if act == "settlement":
        settle_later(case, apply=verdict == "apply", reason=reason, by=by, now=now)
        return f"办件 {case.number} 的容缺逾期已处理，已短信告知申请人。"
    done = settle_promise_lapse(
        case, cancel=verdict == "cancel", reason=reason, until=data.get("until"), by=by, now=now
    )
    said = {
        S.CANCELLED: "已撤销办理，撤销办理决定书由窗口送达。",
        S.COMPLETED: "已准予发证，证件当即颁发，办件移交出件窗口。",
    }
    return said.get(CaseStatus(done.status), f"办件 {case.number} 继续办理，已短信告知申请人。")
