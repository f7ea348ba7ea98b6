"""收件: one page from the applicant to the papers; a refused form loses nothing, files included."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from approvals import uploads
from approvals.actions import receive_case
from approvals.actions.intake import checklist, slot_of
from approvals.actions.promising import MEANINGS, checks_of, consequences_of
from approvals.actions.sitting import receive_and_accept, receive_to_sign
from approvals.barring import bar_of
from approvals.enums import MaterialState, Way
from approvals.exceptions import Refused
from approvals.forms import IntakeForm, clean_identifier, key_of, ticks
from approvals.models import Case, CaseMaterial
from approvals.promised import last_lawful_day
from approvals.views.window.checklist import Row, control, keep_files, rows_of, shown
from approvals.views.window.items import open_items
from approvals.web import conflict, put_on_form
from approvals.wording import may_betray
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit import gate
from credit.models import CreditSubject
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
SUBMITS = {"receive": receive_case, "accept": receive_and_accept}


def known_subject(kind: str, text: str, now: dt.datetime, item: BusinessItem | None) -> dict[str, Any]:
    """What is known of a typed identifier: ``{}`` for nothing typed, an ``error``, or a first look at the credit.

    ``bar``: what keeps it from applying for ``item`` again (行政许可法 art. 79).

    The query that counts is asked when the case stands, and kept with it (L7).
    """
    if not text.strip():
        return {}
    try:
        identifier = clean_identifier(kind, text)
    except ValidationError as error:
        return {"error": error.messages[0]}
    subject = CreditSubject.objects.by_identifier(kind, identifier).first()
    answer = gate.ask(subject, now) if subject else None
    bar = bar_of(subject, item, local_date(now)) if subject and item and not item.item.is_filing else None
    return {"identifier": identifier, "subject": subject, "answer": answer, "bar": bar}


def _lines(item: BusinessItem, way: str, modes: Sequence[str] = ()) -> list[CaseMaterial]:
    offered = [mode for mode in modes if mode in item.promise_modes]
    return checklist(item, way if item.allows_promise else Way.ORDINARY, offered)


def _modes(item: BusinessItem, post: QueryDict) -> list[str]:
    """The modes that are ticked; all of the item's where the form did not show them yet."""
    return post.getlist("modes") if {"modes", "modes_said"} & set(post) else list(item.promise_modes)


def _effects(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What the chosen modes do, material by material."""
    names: dict[str, list[str]] = {"免交": [], "延期提交": [], "数据核验": []}
    for row in rows:
        if row.line.state == MaterialState.PROMISED:
            names["免交"].append(row.line.name)
        elif row.line.state == MaterialState.DEFERRED:
            names["延期提交"].append(row.line.name)
        elif row.effect:
            names["数据核验"].append(row.line.name)
    return [{"label": label, "names": found} for label, found in names.items() if found]


def _page(
    request: PortalRequest,
    form: IntakeForm,
    rows: list[Row],
    *,
    key: uuid.UUID,
    way: str,
    modes: Sequence[str] = (),
    status: int = 200,
) -> HttpResponse:
    item = form.item
    promise = way == Way.PROMISE and item.allows_promise
    deferring = any(row.line.state == MaterialState.DEFERRED or row.may_defer for row in rows)
    asked = [row for row in rows if row.line.required and row.line.state == MaterialState.MISSING]
    required = [row for row in asked if not row.is_letter]
    taken = sum(row.is_in for row in required)
    scope = {"intake_key": str(key), "item": item.code}
    known = known_subject(str(form["subject_kind"].value()), str(form["identifier"].value() or ""), request.now, item)
    context = {
        "item": item,
        "form": form,
        "key": key,
        "scope": scope,
        "rows": shown(request, rows, scope),
        "required": len(required),
        "taken": taken,
        "left": len(required) - taken,
        "promise": promise,
        "meanings": [{"label": PromiseMode(mode).label, "text": MEANINGS[mode]} for mode in item.promise_modes],
        "effects": _effects(rows) if promise else [],
        "deferring": promise and deferring,
        "last_day": _last_day(item, request.now) if promise and deferring else None,
        "checks": checks_of(modes),
        "consequences": consequences_of(modes),
        "verb": "收件，签署承诺书" if promise else "收件并受理",
        "known": {} if form.errors.get("identifier") else known,
        "keys": [
            {"key": "1", "label": "证照号码"},
            {"key": "2", "label": "材料清单"},
            {"key": "a", "label": "必要材料全部已收"},
            {"key": "d", "label": "仅收件"},
            {"key": "s", "label": "收件并受理，或转签署承诺书" if item.allows_promise else "收件并受理"},
        ],
        "crumbs": [
            {"label": "窗口办件", "url": reverse("window:desk")},
            {"label": "新收件", "url": reverse("window:items")},
        ],
        "today": local_date(request.now),
    }
    return render(request, "window/intake.html", context, status=status)


def _last_day(item: BusinessItem, now: dt.datetime) -> dt.date:
    """The last day that may be promised, were the application accepted now."""
    return last_lawful_day(Case(business_item=item, received_at=now), now)


def _prefill(form: IntakeForm, known: Mapping[str, Any]) -> None:
    subject = known.get("subject")
    if subject is not None and not form.initial.get("name"):
        form.initial["name"] = subject.name


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def intake(request: PortalRequest, code: str) -> HttpResponseBase:
    """Take in an application: 仅收件, or 收件并受理 in one transaction; 更新清单 and 查询主体 work without scripts."""
    item = get_object_or_404(open_items(request.access), code=code)
    if request.method != "POST":
        key = uuid.uuid4()
        first = Way.PROMISE if item.is_promise_only else Way.ORDINARY
        form = IntakeForm(item, initial={"intake_key": key, "way": first})
        modes: list[str] = list(item.promise_modes)
        rows = rows_of(_lines(item, first, modes), {}, {}, {}, modes=modes if first == Way.PROMISE else ())
        return _page(request, form, rows, key=key, way=first, modes=modes)
    key = key_of(request.POST)
    known = Case.objects.filter(intake_key=key).first()
    if known is not None:
        return _seen_before(request, known)
    way = request.POST.get("way", Way.ORDINARY.value)
    modes = _modes(item, request.POST) if way == Way.PROMISE else []
    lines = _lines(item, way, modes)
    # A file of a line that promise waives stays with the form: the clerk may switch back.
    slots = {slot_of(line): "" for line in (*lines, *_lines(item, Way.PROMISE.value))}
    errors = keep_files(request, key=key, slots=slots, by=request.user, now=request.now)
    if request.POST.get("remove", "").isdecimal():
        uploads.discard(int(request.POST["remove"]), intake_key=key)
    said = ticks(request.POST, [slot_of(line) for line in lines if line.state != MaterialState.PROMISED])
    act = request.POST.get("act", "")
    posted = request.POST.copy()
    posted["intake_key"] = str(key)
    if way == Way.PROMISE:
        posted.setlist("modes", modes)
    if act not in SUBMITS:
        form = IntakeForm.kept(item, posted)
        typed = request.POST.get("identifier", "")
        _prefill(form, known_subject(str(form["subject_kind"].value()), typed, request.now, item))
        rows = rows_of(lines, said, uploads.waiting(key, request.user), errors, modes=modes)
        return _page(request, form, rows, key=key, way=way, modes=modes, status=422 if errors else 200)
    form = IntakeForm(item, posted)
    promise = way == Way.PROMISE
    if form.is_valid() and not errors:
        try:
            submit = receive_to_sign if promise and act == "accept" else SUBMITS[act]
            case = submit(form.draft(said), by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("window:desk"))
            put_on_form(form, error)
        else:
            if promise and act == "accept":
                messages.success(request, f"已收件，办件编号 {case.number}。信用已查询，请申请人逐条确认并签署承诺书。")
                return redirect("window:promise", case.number)
            if warning := may_betray(case.content, (case.applicant_name,)):
                messages.warning(request, warning)
            if held := getattr(case, "held_up", ""):
                messages.warning(request, f"已收件，办件编号 {case.number}；还没有受理：{held}")
                return redirect("window:case", case.number)
            done = "已收件" if case.accepted_at is None else "已收件并受理"
            messages.success(request, f"{done}，办件编号 {case.number}，请打印文书交申请人。")
            return redirect("window:case", case.number)
    rows = rows_of(lines, said, uploads.waiting(key, request.user), errors, judge=act == "accept", modes=modes)
    return _page(request, form, rows, key=key, way=way, modes=modes, status=422)


def _seen_before(request: PortalRequest, known: Case) -> HttpResponseBase:
    """The same form sent twice is one case; somebody else's key is nobody's business."""
    if known.intake_by_id != request.user.pk:
        refused = Refused("intake-key-taken", "这张收件表已由其他窗口人员提交，请重新打开收件页。", conflict=True)
        return conflict(request, refused, reverse("window:items"))
    messages.info(request, f"这张收件表此前已经提交，没有重复收件，办件编号 {known.number}。")
    return redirect("window:case", known.number)


@roles_required(Role.WINDOW_CLERK)
@require_POST
def subject(request: PortalRequest) -> HttpResponse:
    """Answer what is known of a typed identifier as a fragment; posted, so that no number stands in a log."""
    item = BusinessItem.objects.published().filter(code=request.POST.get("item", "")).select_related("item").first()
    typed = request.POST.get("identifier", "")
    known = known_subject(request.POST.get("subject_kind", ""), typed, request.now, item)
    found = known.get("subject")
    fill = found.name if found is not None and not request.POST.get("name", "").strip() else ""
    return render(request, "window/_subject.html", {"known": known, "fill": fill})


@roles_required(Role.WINDOW_CLERK)
@require_POST
def upload(request: PortalRequest) -> HttpResponse:
    """Take or take back the files of one line at once (htmx); answers the line's control as a fragment."""
    number = request.POST.get("case", "")
    scope = {"intake_key": request.POST.get("intake_key", "")}
    if number:
        divisions = request.access.divisions(Role.WINDOW_CLERK)
        cases = Case.objects.for_window(request.access).filter(division_id__in=divisions, accepted_at__isnull=True)
        case = get_object_or_404(cases, number=number)
        key, lines = case.intake_key, list(case.materials.select_related("material").order_by("order"))
        modes = case.promise_modes
        scope = {"case": number}
    else:
        key = key_of(request.POST)
        if Case.objects.filter(intake_key=key).exists():
            raise Http404
        item = get_object_or_404(open_items(request.access), code=request.POST.get("item", ""))
        way = request.POST.get("way", "")
        modes = _modes(item, request.POST) if way == Way.PROMISE else []
        lines = [*checklist(item, Way.PROMISE), *checklist(item, Way.ORDINARY), *_lines(item, way, modes)]
        scope |= {"item": item.code}
    by_slot = {slot_of(line): line for line in lines}
    slot = request.POST.get("slot", "")
    if slot not in by_slot:
        raise Http404
    errors = keep_files(request, key=key, slots=[slot], by=request.user, now=request.now)
    said = ticks(request.POST, [slot])
    if request.POST.get("remove", "").isdecimal():
        uploads.discard(int(request.POST["remove"]), intake_key=key)
        said = said if uploads.waiting(key).get(slot) else {}
    [row] = rows_of([by_slot[slot]], said, uploads.waiting(key), errors, modes=modes)
    return HttpResponse(control(request, row, scope), status=422 if errors else 200)
