"""The case page of the window: what the case is, where it is, what comes next."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode

from approvals import progress, uploads
from approvals.actions.ending import may_withdraw
from approvals.actions.mending import may_mend
from approvals.actions.revoking import to_hear
from approvals.enums import ENDED_EARLY, CaseStatus, Way
from approvals.forms import DeliveryForm
from approvals.models import Case, CorrectionNotice
from approvals.notices import portal_address
from approvals.papers import cn_day
from approvals.promised import live_promise, taken_back
from approvals.views.window import debts
from approvals.views.window.checklist import Row, lines_of, rows_of, shown
from approvals.views.window.desk import case_mark, next_verb, with_row
from approvals.views.window.story import cards, documents_of, timeline
from approvals.views.window.verification import panel
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from deadlines.words import chinese_date
from offices.models import Posting
from offices.web import PortalRequest

Role = Posting.Role
S = CaseStatus
BEFORE_ACCEPTANCE = (S.SUBMITTED, S.CORRECTION_REQUESTED)
BEFORE_DECISION = (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW)
LEADS: dict[str, str] = {
    S.SUBMITTED: "核对材料：齐全的受理，缺的一次说全，不该受理的说明理由。",
    S.CORRECTION_REQUESTED: "等申请人补正；材料送来时在下面登记，再点“补正收件”。",
    S.ACCEPTED: "已受理，还没有抽取到审查人员，督办人员会重新抽取；期限照常计算。请把受理通知书交申请人。",
    S.DEEMED_ACCEPTED: "已依法视为受理，还没有审查人员，督办人员会改派；窗口请把受理通知书交申请人。",
    S.IN_REVIEW: "审查处室正在办理，窗口不用做什么；有进展时本页自动更新。",
    S.APPROVED: "已准予许可，正在制证；办结后即可出件。",
    S.REJECTED: "已决定不予许可，请把决定书送达申请人。",
    S.NOT_ACCEPTED: "不予受理，窗口办理到此结束。",
    S.WITHDRAWN: "申请人已撤回申请，不再办理；请把撤回申请确认书和材料原件交申请人。",
    S.LAPSED: "逾期未补正，已按补正告知书终止办理；请把终止办理通知书送达申请人。",
    S.CANCELLED: "承诺的材料逾期未交，已撤销办理；请把撤销办理决定书送达申请人。",
}
COMPLETED_LEADS = ("已办结，请核对领取人后出件。", "结果已送达，办件到此结束。")


def fetch(request: PortalRequest, number: str, *, clerk: bool = False) -> Case:
    """The case if the person's window has it (else 404); ``clerk``: only where the person takes in."""
    access = request.access
    cases = Case.objects.for_window(access)
    if clerk:
        cases = cases.filter(division_id__in=access.divisions(Role.WINDOW_CLERK))
    return get_object_or_404(
        with_row(cases).defer(None).select_related(
            "business_item__item", "business_item__standard_item", "department", "division", "applicant", "opinion",
            "correction_notice", "refusal", "decision", "licence", "delivery", "notice_deadline", "answer_deadline",
            "statutory_deadline", "promised_deadline", "issue_deadline",
        ),
        number=number,
    )  # fmt: skip


def url_of(case: Case) -> str:
    return reverse("window:case", args=[case.number])


def one(case: Case, name: str) -> Any:
    """The notice, refusal, licence or delivery of the case, or None."""
    try:
        return getattr(case, name)
    except ObjectDoesNotExist:
        return None


def notice_of(case: Case) -> CorrectionNotice | None:
    """The one correction notice of the case, if it was given."""
    found: CorrectionNotice | None = one(case, "correction_notice")
    return found


def applicant_of(case: Case) -> dict[str, Any]:
    person = case.applicant.kind == CreditSubject.Kind.PERSON
    code = case.applicant.public_identifier
    return {"kind": "person" if person else "company", "name": case.applicant_name, "code": code}


def facts_of(case: Case) -> list[dict[str, Any]]:
    item = case.business_item
    facts: list[dict[str, Any]] = [
        {"label": "业务办理项", "value": item.name, "wide": True},
        {"label": "实施部门", "value": case.department.name},
        {"label": "办理方式", "value": case.get_way_display()},
        {"label": "办件类型", "value": "备案" if case.is_filing else item.get_handling_display()},
        {"label": "联系人", "value": f"{case.contact_name} {case.contact_phone}"},
    ]
    if case.content:
        facts.append({"label": "申请内容", "value": case.content, "wide": True})
    if licence := one(case, "licence"):
        facts.append({"label": "证照编号", "value": licence.number, "wide": True})
    if case.status in ENDED_EARLY and (ending := one(case, "ending")):
        why = f"：{ending.reason}" if ending.reason else ""
        facts.append({"label": "终止", "value": f"{ending.get_kind_display()}{why}", "wide": True})
    if handed := one(case, "delivery"):
        text = f"{handed.get_method_display()}，{handed.receiver} {handed.tracking}"
        facts.append({"label": "送达", "value": text.strip(), "wide": True})
    return facts


def clocks_of(case: Case, *, explained_on: dt.date | None = None) -> list[dict[str, Any]]:
    """The clocks of the case's stage, the pressing one first; the open ones explained if a day is given."""
    found = [case.current_deadline]
    if case.status not in BEFORE_ACCEPTANCE:
        found += [case.issue_deadline, case.promised_deadline, case.statutory_deadline]
    clocks = dict.fromkeys(clock for clock in found if clock is not None)
    told = explain_many((clock for clock in clocks if clock.is_open), explained_on) if explained_on else {}
    return [{"deadline": clock, "explain": told.get(clock.pk)} for clock in clocks]


def deemed_text(case: Case) -> str:
    """What the law made of a case that nobody answered in time; empty for any other (行政许可法 art. 32)."""
    late, accepted = case.notice_deadline, case.accepted_at
    if not case.is_deemed or late is None or accepted is None:
        return ""
    since = cn_day(local_date(accepted))
    return (
        f"应于{chinese_date(late.due_on)}前答复而没有答复，依法自收到材料之日（{since}）起即为受理，审批期限自该日起计算；"
        "不能再补正告知或者不予受理。请打印受理通知书交申请人。"
    )


def acts_of(request: PortalRequest, case: Case, rows: list[Row]) -> dict[str, Any]:
    """Which act is open to this person now, and what it says beforehand."""
    verb = next_verb(case, request.access)
    missing = [row.line.name for row in rows if row.is_lacking]
    notice = notice_of(case)
    promise = live_promise(case) if case.way == Way.PROMISE else None
    unsigned = case.way == Way.PROMISE and promise is None and case.status in BEFORE_ACCEPTANCE
    follows = ["出具受理通知书，写明作出决定的日期"]
    if case.is_filing:
        follows = ["备案材料齐全，当场出具备案凭证并办结", "同时生成监管任务，短信通知监管处室"]
    elif case.on_the_spot:
        follows += ["当场抽取值班决定人员作出决定", "办结后本页自动更新，即可出件"]
    else:
        follows += ["法定期限和承诺期限从今天起计算", "随机抽取审查人员，窗口和申请人均不知道是谁"]
        if promise is not None and promise.deferred_until is None:
            follows[-1] = "告知承诺材料齐备：有值班决定人员的当场抽取作出决定，否则随机抽取审查人员"
    if promise is not None and promise.deferred_until is not None:
        follows.append(f"延期材料须在{cn_day(promise.deferred_until)}前补齐，期限从今天起提醒")
    return {
        "verb": verb,
        "missing": missing,
        "notice": notice,
        "lead": LEADS.get(case.status, COMPLETED_LEADS[case.delivered_at is not None]),
        "promise": promise,
        "unsigned": unsigned,
        "may_withdraw_promise": case.way == Way.PROMISE and case.status in (*BEFORE_ACCEPTANCE, *BEFORE_DECISION),
        "may_correct": verb == "受理" and notice is None,
        "may_mend": may_mend(case) and case.division_id in request.access.divisions(Role.WINDOW_CLERK),
        "may_withdraw": may_withdraw(case) and case.division_id in request.access.divisions(Role.WINDOW_CLERK),
        "may_refuse": verb == "受理",
        "follows": follows,
    }


def case_page(
    request: PortalRequest,
    case: Case,
    *,
    said: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    problem: str = "",
    delivery: BaseForm | None = None,
    judge: bool = False,
    status: int = 200,
) -> HttpResponse:
    open_now = case.status in BEFORE_ACCEPTANCE
    waiting = uploads.waiting(case.intake_key) if open_now else {}
    clerk = case.division_id in request.access.divisions(Role.WINDOW_CLERK)
    lines = lines_of(case, may_cover=clerk)
    verification = panel(case, lines)
    again = case.status == CaseStatus.CORRECTION_REQUESTED
    rows = rows_of(lines, said or {}, waiting, errors or {}, judge=judge, modes=case.promise_modes, again=again)
    scope = {"case": case.number}
    documents = documents_of(case)
    acts = acts_of(request, case, rows)
    editable = acts["verb"] in {"受理", "补正收件"}
    today = local_date(request.now)
    owed = debts.panel(case, lines) if clerk else debts.without_links(debts.panel(case, lines))
    acts["lead"] = debts.lead_of(case, owed) or acts["lead"]
    clocks = clocks_of(case, explained_on=today)
    seen = progress.show(case, today)
    steps = seen.steps[1:-1]
    current = next((step.label for step in steps if step.state in {"current", "stopped"}), "送达")
    context = {
        "case": case,
        "applicant": applicant_of(case),
        "facts": facts_of(case),
        "rows": shown(request, rows, scope) if editable else [{"row": row.shown(), "control": ""} for row in rows],
        "scope": scope,
        "clocks": [clock for clock in clocks if clock["deadline"].is_open],
        "past": [clock["deadline"] for clock in clocks if not clock["deadline"].is_open],
        "documents": cards(documents),
        "entries": timeline(case, documents),
        "steps": steps,
        "deemed": deemed_text(case),
        "step": current,
        "tasks": seen.afterwards,
        "delivery": delivery or (DeliveryForm() if acts["verb"] == "出件" else None),
        "problem": problem,
        "progress_url": f"{portal_address()}/progress/?{urlencode({'number': case.number})}",
        "poll_url": poll_url(case, acts["verb"]),
        "verification": verification,
        "owed": owed,
        "being_revoked": to_hear(case) if clerk and case.status == S.COMPLETED else None,
        "crumbs": [{"label": "窗口办件", "url": reverse("window:desk")}, {"label": case.number, "url": url_of(case)}],
        "is_promise": case.way == Way.PROMISE,
        "taken_back": taken_back(case),
        "is_clerk": clerk,
        "today": local_date(request.now),
        **acts,
    }
    return render(request, "window/case.html", context, status=status)


def poll_url(case: Case, verb: str) -> str:
    """Where the page asks whether the case has changed since it was read."""
    asked = {"number": case.number, "since": case_mark(case)}
    return f"{reverse('window:changes')}?{urlencode(asked | ({'idle': '1'} if verb == '查看' else {}))}"
