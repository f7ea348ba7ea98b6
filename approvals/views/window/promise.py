"""签署承诺书 at the window: the credit query and the decision on it, every clause, the signature (L5, L7, L8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals import credit_gate, uploads
from approvals.actions import accept_case, sign_promise, withdraw_promise
from approvals.actions.intake import missing_lines, slot_of
from approvals.actions.promising import (
    Signing,
    checks_of,
    consequences_of,
    letter_of,
    refuse_taken_back,
    send_code,
)
from approvals.credit_gate import LONGEST_REASON
from approvals.enums import CaseStatus, Door, MaterialState, SignMethod, Way
from approvals.exceptions import Refused
from approvals.forms import PromiseForm
from approvals.limiter import RateLimited
from approvals.models import Case, CaseMaterial, Promise, Upload
from approvals.promised import TAKEN_BACK, deferred_lines, last_lawful_day, taken_back
from approvals.views.window.checklist import files_of, keep_files, lines_of, rows_of
from approvals.views.window.page import BEFORE_ACCEPTANCE, BEFORE_DECISION, applicant_of, fetch, url_of
from approvals.web import conflict, put_on_form
from catalogue.enums import PromiseMode
from offices.crypto import mask_phone
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
SIGNS = {"sign", "sign_accept"}
BACK_FOLLOWS = (
    "办件改为一般方式，以承诺代替和延期的材料都要交齐",
    "已签署的承诺书作废，记入办件留痕；本件不能再次签署承诺",
    "办件编号和答复期限不变",
)
END_FOLLOWS = ("申请随承诺一并撤回，办理终止，出具撤回申请确认书", "各项期限终止，短信通知申请人", "申请人可以重新申请")


def signed_of(case: Case) -> Promise | None:
    """What was signed for the case, withdrawn or not."""
    return Promise.objects.filter(case=case).select_related("document").first()


def _form(request: PortalRequest, case: Case) -> PromiseForm:
    """The form with what was typed so far, not judged; else with what the case suggests."""
    deferring = bool(deferred_lines(case))
    last = last_lawful_day(case, request.now) if deferring else None
    until = case.deferred_until or last
    initial: dict[str, Any] = {"signer": case.contact_name, "deferred_until": until}
    if request.method == "POST":
        post: QueryDict = request.POST
        names = ("signer", "capacity", "method", "deferred_until", "sms_code", "consents")
        initial |= {name: post[name] for name in names if name in post}
        initial["clauses"] = post.getlist("clauses")
    return PromiseForm(case, deferring=deferring, initial=initial)


def _scans(letter: CaseMaterial | None) -> list[Upload]:
    """The letter's scans as they were handed in, not the copies with something covered."""
    return list(letter.uploads.filter(covers__isnull=True)) if letter else []


def _page(
    request: PortalRequest,
    case: Case,
    *,
    form: PromiseForm | None = None,
    reason: str = "",
    reason_error: str = "",
    errors: dict[str, str] | None = None,
    sent: bool = False,
    status: int = 200,
) -> HttpResponse:
    check = credit_gate.check_of(case)
    undecided = case.way == Way.PROMISE and case.status == CaseStatus.SUBMITTED
    shaken = credit_gate.shaken(check, request.now) if undecided and check else ""
    signed = signed_of(case)
    letter = letter_of(case)
    slot = slot_of(letter) if letter else ""
    rows = rows_of(lines_of(case), {}, {}, {}, modes=case.promise_modes)
    takes = {MaterialState.PROMISED: "免交", MaterialState.DEFERRED: "延期提交", MaterialState.VERIFIED: "已核验"}
    effects = [
        {"name": row.line.name, "effect": takes.get(MaterialState(row.line.state), row.effect or "须交")}
        for row in rows
        if not row.is_letter
    ]
    deferring = bool(deferred_lines(case))
    live = signed is not None and signed.withdrawn_at is None
    on_promise = case.way == Way.PROMISE
    can_sign = on_promise and case.status == CaseStatus.SUBMITTED and not live
    ends = case.status in BEFORE_DECISION or case.business_item.is_promise_only
    context = {
        "case": case,
        "applicant": applicant_of(case),
        "check": check,
        "answer": credit_gate.answer_of(check) if check else None,
        "form": form or _form(request, case),
        "reason": reason,
        "reason_error": reason_error,
        "longest_reason": LONGEST_REASON,
        "letter": letter,
        "slot": slot,
        "scans": files_of([*_scans(letter), *uploads.waiting(case.intake_key).get(slot, [])]),
        "scan_error": (errors or {}).get(slot, ""),
        "accept": uploads.ACCEPT,
        "limit_text": uploads.LIMIT_TEXT,
        "modes": [PromiseMode(mode).label for mode in case.promise_modes],
        "effects": effects,
        "checks": checks_of(case.promise_modes),
        "consequences": consequences_of(case.promise_modes),
        "deferring": deferring,
        "last_day": last_lawful_day(case, request.now) if deferring else None,
        "phone": mask_phone(case.contact_phone),
        "sent": sent,
        "signed": signed,
        "taken_back": taken_back(case),
        "can_sign": can_sign,
        "shaken": shaken,
        "earlier": credit_gate.earlier_of(check) if check else [],
        "can_decide": undecided and check is not None and check.allowed is None and not shaken,
        "may_sign": can_sign
        and check is not None
        and not shaken
        and (check.allowed or (check.allowed is None and check.rule_allows)),
        "may_withdraw": on_promise and case.status in (*BEFORE_ACCEPTANCE, *BEFORE_DECISION),
        "withdraw_verb": "撤回承诺和申请" if ends else "改为一般方式",
        "withdraw_follows": END_FOLLOWS if ends else BACK_FOLLOWS,
        "missing": [row.line.name for row in rows if row.is_lacking],
        "crumbs": [
            {"label": "窗口办件", "url": reverse("window:desk")},
            {"label": case.number, "url": url_of(case)},
        ],
        "back_url": url_of(case),
    }
    return render(request, "window/promise.html", context, status=status)


def _again(case: Case) -> HttpResponseBase:
    return redirect("window:promise", case.number)


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def promise(request: PortalRequest, number: str) -> HttpResponseBase:
    """Ask for the credit, decide on the answer, sign (and accept), or take the promise back."""
    case = fetch(request, number, clerk=True)
    if case.way != Way.PROMISE and signed_of(case) is None:
        raise Http404
    if request.method != "POST":
        return _page(request, case)
    act = request.POST.get("act", "")
    errors: dict[str, str] = {}
    letter = letter_of(case)
    if letter is not None and case.status in BEFORE_ACCEPTANCE:
        slots = [slot_of(letter)]
        errors = keep_files(request, key=case.intake_key, slots=slots, by=request.user, now=request.now)
        if request.POST.get("remove", "").isdecimal():
            uploads.discard(int(request.POST["remove"]), intake_key=case.intake_key)
            return _page(request, case, errors=errors)
    if errors or act in {"", "refresh"}:
        return _page(request, case, errors=errors, status=422 if errors else 200)
    try:
        if act in {"ask", "allow", "deny"}:
            return _credit(request, case, act)
        if act == "code":
            return _code(request, case)
        if act == "withdraw":
            return _withdraw(request, case)
        if act in SIGNS:
            return _sign(request, case, act)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, url_of(case))
        return _refused(request, case, error)
    raise Http404


def _refused(request: PortalRequest, case: Case, error: Refused) -> HttpResponse:
    """The page again, with the sentence beside its field and everything that was typed."""
    if error.field == "credit_reason":
        said = request.POST.get("credit_reason", "")
        return _page(request, case, reason=said, reason_error=error.message, status=422)
    form = PromiseForm(case, request.POST, deferring=bool(deferred_lines(case)))
    form.is_valid()
    errors = {}
    if error.field == "letter" and (letter := letter_of(case)):
        errors = {slot_of(letter): error.message}
    put_on_form(form, error)
    return _page(request, case, form=form, errors=errors, status=422)


def _credit(request: PortalRequest, case: Case, act: str) -> HttpResponseBase:
    if act == "ask":
        credit_gate.ask(case, by=request.user, now=request.now)
        messages.success(request, "信用已查询，结果已存入办件，请据此决定是否采用告知承诺。")
        return _again(case)
    reason = request.POST.get("credit_reason", "")
    try:
        ProhibitNullCharactersValidator()(reason)
    except ValidationError as error:
        raise Refused("invalid", error.messages[0], field="credit_reason") from error
    check = credit_gate.settle(case, allowed=act == "allow", reason=reason, by=request.user, now=request.now)
    told = (
        "已决定采用告知承诺，请申请人签署。"
        if check.allowed
        else "已决定不采用告知承诺，请征得申请人同意后改为一般方式。"
    )
    messages.success(request, told)
    return _again(case)


def _code(request: PortalRequest, case: Case) -> HttpResponse:
    """Send the code that signs the letter as it is filled in now; nothing typed is lost."""
    form = PromiseForm(case, request.POST, deferring=bool(deferred_lines(case)))
    form.is_valid()
    said = form.cleaned_data
    signing = Signing(
        signer=said.get("signer", ""), capacity=said.get("capacity", ""), method=SignMethod.SMS_CODE, clauses=(),
        consents=said.get("consents", False), deferred_until=said.get("deferred_until"),
        address=f"staff:{request.user.pk}",
    )  # fmt: skip
    try:
        send_code(case, signing=signing, now=request.now)
    except RateLimited as limited:
        wait = f"验证码发送太频繁，请 {limited.retry_after} 秒后再发。"
        return _refused(request, case, Refused("rate-limited", wait, field="sms_code"))
    phone = mask_phone(case.contact_phone)
    messages.success(request, f"签署验证码已发送到 {phone}，10 分钟内有效；此后改动承诺书内容的，要重新发送。")
    return _page(request, case, sent=True)


def _sign(request: PortalRequest, case: Case, act: str) -> HttpResponseBase:
    refuse_taken_back(case)
    form = PromiseForm(case, request.POST, deferring=bool(deferred_lines(case)))
    if not form.is_valid():
        return _page(request, case, form=form, status=422)
    by, now = request.user, request.now
    check = credit_gate.check_of(case)
    if check is not None and check.allowed is None and check.rule_allows and request.POST.get("take"):
        credit_gate.settle(case, allowed=True, reason="", by=by, now=now)
    try:
        sign_promise(case, signing=form.signing(f"staff:{by.pk}"), by=by, now=now)
    except RateLimited as limited:
        wait = f"验证码输入太频繁，请 {limited.retry_after} 秒后再试。"
        return _refused(request, case, Refused("rate-limited", wait, field="sms_code"))
    if act == "sign" or missing_lines(case):
        messages.success(request, "承诺书已签署，请打印交申请人；材料齐全后受理。")
        return redirect(url_of(case))
    try:
        done = accept_case(case, by=by, now=now)
    except Refused as error:
        messages.warning(request, f"承诺书已签署；还没有受理：{error.message}")
        return redirect(url_of(case))
    told = "已当场转值班决定人员。" if done.on_the_spot else "已抽取审查人员。"
    messages.success(request, f"承诺书已签署并受理，{told}请打印承诺书和受理通知书交申请人。")
    return redirect(url_of(case))


def _withdraw(request: PortalRequest, case: Case) -> HttpResponseBase:
    done = withdraw_promise(case, by=request.user, door=Door.WINDOW, now=request.now)
    back = done.way == Way.ORDINARY
    messages.success(request, f"承诺已撤回。{TAKEN_BACK}" if back else "承诺和申请已撤回，请打印撤回申请确认书。")
    return redirect(url_of(case))
