"""The applicant's own door: an SMS code, then the acts of one case, for half an hour, in one browser (O2a)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import applicant, doors, uploads
from approvals import progress as progress_line
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import answer_correction
from approvals.actions.owing import hand_in
from approvals.actions.promising import withdraw_promise
from approvals.actions.revoking import hear_holder
from approvals.applicant import ANSWER, HAND_IN, STATE, WITHDRAW, WITHDRAW_PROMISE
from approvals.enums import CaseStatus, Door, HearingWish
from approvals.exceptions import Refused
from approvals.forms_public import CodeForm, ProgressForm, WithdrawalForm
from approvals.forms_revocation import HolderForm
from approvals.limiter import RateLimited, client_address
from approvals.models import Case
from approvals.promised import BEFORE_ACCEPTANCE, TAKEN_BACK, restorable
from approvals.views.papers import paper_response
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.crypto import mask_phone
from offices.web import PortalRequest

# What a browser came to the door for, where it is not the case itself.
CREDIT = "credit"
AFTER_HAND_IN = (
    "材料已补齐，{paper}已颁发，编号 {number}。请凭接收凭证和本人证件到出件窗口领取，也可以办理邮寄；"
    "短信随后发到您的手机。"
)
NOT_STAFF = "这里由申请人本人办理，登录工作人员账号时不能发送验证码。请申请人用自己的手机或者电脑办理。"
CLOSED = "时间已到或者还没有验证手机，请重新查询并获取短信验证码；已上传的文件还在。"
FOLLOWS = {
    ANSWER: ("已上传的全部文件一次提交给收件窗口", "窗口收到后 5 个工作日内答复：受理，或者依法不予受理"),
    HAND_IN: ("已上传的文件提交给收件窗口", "全部补齐后，材料延期的当天制发证件"),
    STATE: (
        "您的意见交给审批部门，写入决定书",
        "要求听证的，二十个工作日内组织，提前七个工作日通知您",
        "书面放弃的，审批部门可以立即作出决定",
    ),
    WITHDRAW: ("本机关不再办理这件申请，全部期限取消", "出具撤回申请确认书，并短信告知您", "以后需要时，要重新申请"),
}
DONE = {
    ANSWER: "补正已提交。窗口将在 5 个工作日内答复您。",
    HAND_IN: "材料已提交。",
    STATE: "您的意见已提交。",
    WITHDRAW: "申请已撤回，撤回申请确认书可以在本页查看、打印。",
}


def private(response: HttpResponseBase) -> HttpResponseBase:
    patch_cache_control(response, no_store=True)
    return response


def back_to_progress(request: PortalRequest, number: str) -> HttpResponse:
    """One answer for a case that is not open here and for a number that nobody has."""
    messages.warning(request, CLOSED)
    return redirect(f"{reverse('progress')}?{urlencode({'number': progress_line.clean(number)[:21]})}")


def _limited(request: PortalRequest, limited: RateLimited, what: str) -> HttpResponse:
    minutes = -(-limited.retry_after // 60)
    wait = f"{limited.retry_after} 秒" if limited.retry_after < 120 else f"{minutes} 分钟"
    context = {
        "heading": f"{what}过于频繁，请稍后再试",
        "reason": f"为保护您的办件，请 {wait}后再试；急需办理的，可以到收件窗口。",
    }
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(limited.retry_after)
    return response


@sensitive_post_parameters("code")
@require_POST
def door(request: PortalRequest) -> HttpResponseBase:
    """From the progress page: number and query code are shown once more, then an SMS code may be asked for."""
    form = ProgressForm(request.POST)
    if not form.is_valid():
        return render(request, "public/progress.html", {"nav": "progress", "form": form}, status=422)
    number = form.cleaned_data["number"]
    try:
        case = progress_line.find(number, form.cleaned_data["code"], client_address(request))
    except RateLimited as limited:
        return _limited(request, limited, "查询")
    if case is None:
        form.add_error(None, "没有查到：办件编号或查询码不对。请对照接收凭证核对后再试。")
        return render(request, "public/progress.html", {"nav": "progress", "form": form}, status=422)
    credit = request.POST.get("for") == CREDIT
    if doors.case_of(request, number) is not None:
        return redirect("door_credit" if credit else "door_acts", number=number)
    doors.note_asked(request, number, request.now)
    return redirect(_code_page(number, credit))


def _code_page(number: str, credit: bool) -> str:
    """The page of the SMS code, which leads on to the case's acts or to the subject's credit."""
    return reverse("door_code", args=[number]) + (f"?for={CREDIT}" if credit else "")


@sensitive_post_parameters("sms_code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: PortalRequest, number: str) -> HttpResponseBase:
    """Ask for the SMS code, and give it; only a browser that showed the query code comes here."""
    if not doors.may_ask(request, number, request.now):
        return back_to_progress(request, number)
    credit = request.GET.get("for") == CREDIT
    here = _code_page(number, credit)
    case = get_object_or_404(Case.objects.select_related("business_item"), number=number)
    form = CodeForm(request.POST if request.POST.get("act") == "open" else None)
    if request.method == "POST":
        try:
            if request.POST.get("act") == "send" and request.user.is_authenticated:
                messages.warning(request, NOT_STAFF)
                return redirect(here)
            if request.POST.get("act") == "send":
                doors.send_code(case, address=client_address(request), now=request.now)
                messages.success(request, "验证码已发送，10 分钟内有效。")
                return redirect(here)
            if form.is_valid():
                used = doors.check_code(
                    case, form.cleaned_data["sms_code"], address=client_address(request), now=request.now
                )
                doors.open_door(request, number, used)
                return redirect("door_credit" if credit else "door_acts", number=number)
        except RateLimited as limited:
            return _limited(request, limited, "验证码获取")
        except Refused as error:
            put_on_form(form, error)
    newest = case.phone_codes.order_by("-sent_at", "-id").first()
    live = newest is not None and newest.used_at is None and newest.expires_at > request.now
    context = {
        "nav": "progress", "case": case, "phone": mask_phone(case.contact_phone), "form": form,
        "sent": newest if live else None, "here": here, "credit": credit,
    }  # fmt: skip
    status = 422 if form.is_bound or request.method == "POST" else 200
    return private(render(request, "public/door_code.html", context, status=status))


@require_http_methods(["GET", "HEAD", "POST"])
def acts(request: PortalRequest, number: str) -> HttpResponseBase:
    """The case's acts that are the applicant's own; a POST does the one that its button names."""
    case = doors.case_of(request, number)
    if case is None:
        return back_to_progress(request, number)
    if request.method != "POST":
        return _page(request, case)
    act = request.POST.get("act", "")
    if request.POST.get("remove", "").isdecimal():
        applicant.take_back(case, int(request.POST["remove"]))
        return redirect(f"{reverse('door_acts', args=[number])}#files")
    if act in {ANSWER, HAND_IN, f"keep-{ANSWER}", f"keep-{HAND_IN}"}:
        return _with_files(request, case, act)
    if act == WITHDRAW:
        return _withdraw(request, case)
    if act == STATE:
        return _state(request, case)
    if act == WITHDRAW_PROMISE:
        return _finished(
            request, case, act, lambda: withdraw_promise(case, by=None, door=Door.PUBLIC, now=request.now), _taken_back
        )
    raise Http404


def _brought(before: Case, after: Case) -> str:
    """What handing in brought about: the licence with the last deferred material (L8a), or a receipt."""
    licence = getattr(after, "licence", None)
    if before.status == CaseStatus.APPROVED and after.status == CaseStatus.COMPLETED and licence is not None:
        return AFTER_HAND_IN.format(paper=after.business_item.result_name or "证件", number=licence.number)
    left = "、".join(line.name for line in [*progress_line.owed_lines(after), *progress_line.lacking_lines(after)])
    return f"{DONE[HAND_IN]}还没有补交：{left}。" if left else DONE[HAND_IN]


def _taken_back(before: Case, after: Case) -> str:
    """What withdrawing the promise brought about: the end of the case, or full materials."""
    if after.status == CaseStatus.WITHDRAWN:
        return f"承诺已撤回，{DONE[WITHDRAW]}"
    return f"承诺已撤回。{TAKEN_BACK}"


def _follows_of(case: Case) -> dict[str, tuple[str, ...]]:
    """What each act brings about, said before it is pressed; for the promise, what is owed again by name."""
    void = "告知承诺作废，不再按承诺免交、延期提交材料"
    if case.status not in BEFORE_ACCEPTANCE or case.business_item.is_promise_only:
        ends = "申请随承诺一并撤回，本机关不再办理这件申请"
        return FOLLOWS | {WITHDRAW_PROMISE: (void, ends, "以后需要时，要重新申请")}
    names = "、".join(line.name for line in restorable(case))
    owed = f"改按一般方式办理，须另外交齐：{names}" if names else "改按一般方式办理"
    return FOLLOWS | {WITHDRAW_PROMISE: (void, owed, "这件申请不能再次签署承诺；以后另行申请时仍可以选择")}


def _finished(
    request: PortalRequest,
    case: Case,
    act: str,
    do: Callable[[], object],
    says: Callable[[Case, Case], str] | None = None,
) -> HttpResponseBase:
    """Do an act that needs nothing more; somebody faster is said kindly.

    ``says`` gives what is told afterwards, of the case before and after.
    """
    here = reverse("door_acts", args=[case.number])
    try:
        do()
    except Refused as error:
        if error.conflict:
            return private(conflict(request, error, here))
        return _page(request, case, problem=error.message, status=422)
    messages.success(request, says(case, doors.case_of(request, case.number) or case) if says else DONE[act])
    return redirect(here)


def _with_files(request: PortalRequest, case: Case, pressed: str) -> HttpResponseBase:
    """Keep the files that came with the form; then submit, if that was the button and nothing is wrong with them."""
    act = pressed.removeprefix("keep-")
    if act not in applicant.offers(case, request.now):
        error = Refused(
            "state-conflict", "这件办件现在不能在这里提交材料，可能刚刚已经提交，请刷新查看。", conflict=True
        )
        return private(conflict(request, error, reverse("door_acts", args=[case.number])))
    slots = [row.slot for row in applicant.rows_for(case, act)]
    errors: dict[str, str] = {}
    for slot in slots:
        for file in request.FILES.getlist(f"file-{slot}"):
            try:
                applicant.keep_file(case, slot, file, slots=slots, now=request.now)
            except Refused as error:
                errors[slot] = f"{errors[slot]} {error.message}" if slot in errors else error.message
    if errors:
        problem = f"有 {len(errors)} 项的文件没有收下，其余文件都已保存；还没有提交。"
        return _page(request, case, errors=errors, problem=problem, status=422)
    if pressed != act:
        messages.success(request, "文件已保存，还没有提交。核对后请点提交。")
        return redirect(f"{reverse('door_acts', args=[case.number])}#files")

    def submit() -> None:
        applicant.refuse_empty(applicant.rows_for(case, act))
        do = answer_correction if act == ANSWER else hand_in
        do(case, provided={}, by=None, door=Door.PUBLIC, now=request.now)

    return _finished(request, case, act, submit, _brought if act == HAND_IN else None)


def _withdraw(request: PortalRequest, case: Case) -> HttpResponseBase:
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return _page(request, case, withdrawal=form, status=422)
    reason = form.cleaned_data["reason"]
    return _finished(
        request, case, WITHDRAW, lambda: withdraw_case(case, by=None, door=Door.PUBLIC, reason=reason, now=request.now)
    )


def _state(request: PortalRequest, case: Case) -> HttpResponseBase:
    """The holder's word on a revocation; wrong input comes back beside its field."""
    form, here = HolderForm(request.POST), reverse("door_acts", args=[case.number])
    revocation = progress_line.revocation_of(case)
    if revocation is None:
        gone = Refused("state-conflict", "这件证照没有等待您陈述的撤销建议，请刷新查看。", conflict=True)
        return private(conflict(request, gone, here))
    if form.is_valid():
        try:
            hear_holder(revocation, **form.cleaned_data, by=None, door=Door.PUBLIC, now=request.now)
        except Refused as error:
            if error.conflict:
                return private(conflict(request, error, here))
            put_on_form(form, error)
        else:
            messages.success(request, DONE[STATE])
            return redirect(here)
    return _page(request, case, statement=form, status=422)


def _page(
    request: PortalRequest,
    case: Case,
    *,
    errors: dict[str, str] | None = None,
    problem: str = "",
    withdrawal: WithdrawalForm | None = None,
    statement: HolderForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    today, offered = local_date(request.now), applicant.offers(case, request.now)
    act = next((one for one in (ANSWER, HAND_IN) if one in offered), "")
    rows = applicant.rows_for(case, act, errors) if act else []
    context: dict[str, Any] = {
        "nav": "progress",
        "case": case,
        "shown": progress_line.show(case, today),
        "today": today,
        "clocks": progress_line.public_clocks(case)[:1],
        "offered": offered,
        "act": act,
        "asked": [row for row in rows if row.named],
        "others": [row for row in rows if not row.named],
        "uploaded": sum(len(row.waiting) for row in rows),
        "empty": [row.line.name for row in rows if row.named and not row.waiting],
        "points": case.correction_notice.points if act == ANSWER else [],
        "follows": _follows_of(case),
        "accept": uploads.ACCEPT,
        "limit_text": uploads.LIMIT_TEXT,
        "problem": problem,
        "withdrawal": withdrawal or WithdrawalForm(),
        "statement": statement or HolderForm(initial={"wish": HearingWish.LATER}),
        "papers": list(case.documents.defer("content").order_by("-id")),
    }
    return private(render(request, "public/door_acts.html", context, status=status))


@require_safe
def paper(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """A paper of the case, for its applicant to read and print."""
    case = doors.case_of(request, number)
    if case is None:
        return back_to_progress(request, number)
    document = get_object_or_404(case.documents.all(), pk=pk)
    return private(paper_response(request, document, back_url=reverse("door_acts", args=[number])))
