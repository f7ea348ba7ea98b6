"""检查 in the browser: the phone's page, the record and its photos, and the checklists that are looked at by."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.staticfiles import finders
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from catalogue.models import SupervisionSubItem
from deadlines.clock import local_date
from lianyungang_gov.problems import problem
from offices.access import Access
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting, User
from offices.web import PortalRequest, roles_required
from supervision import checklists, officers, papers, photos
from supervision.actions import correcting, inspecting, visiting
from supervision.enums import InspectionKind, Result
from supervision.forms_inspections import ChecklistForm, InspectForm, PhotoForm, PlanLimitForm
from supervision.models import Checklist, Finding, Inspection, Photo, Rectification, SetAside, SupervisionTask

logger = logging.getLogger(__name__)
Role = Posting.Role
field_people = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR)
readers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR, Role.OVERSEER, *papers.APPROVAL_SIDE)
owners = roles_required(Role.OFFICE_MANAGER, Role.DEPARTMENT_HEAD)
RESULT_TONES = {Result.CONFORMING: "good", Result.BASICALLY: "warn", Result.NONCONFORMING: "bad"}
SPARE_LINES = 3
READ = ("business_item", "subject", "office__department__division", "sub_item__item", "first_officer", "second_officer")


def _field_task(request: PortalRequest, number: str) -> SupervisionTask:
    """A task on which the person may record what was found; 404 otherwise."""
    return get_object_or_404(SupervisionTask.objects.for_field(request.access).select_related(*READ), number=number)


# --- the phone's page


@field_people
@require_http_methods(["GET", "HEAD", "POST"])
def inspect(request: PortalRequest, number: str) -> HttpResponse:
    """记录检查: a page that goes on without a connection; the same form serves browsers without script."""
    return _inspect(request, _field_task(request, number), InspectionKind.FIRST)


@field_people
@require_http_methods(["GET", "HEAD", "POST"])
def reinspect(request: PortalRequest, number: str) -> HttpResponse:
    """记录复查: what was not conforming, looked at again."""
    return _inspect(request, _field_task(request, number), InspectionKind.AGAIN)


def _form(request: PortalRequest, task: SupervisionTask, kind: InspectionKind) -> InspectForm:
    """The form of the moment: empty with what is known filled in, or as it came."""
    order = _order(task) if kind == InspectionKind.AGAIN else None
    version = _asked_version(request, task)
    asked = checklists.asked_of(task, version, order)
    people = list(inspecting.may_inspect(task, local_date(request.now)))
    if request.method == "POST":
        # Somebody on leave today may have been there on the day that the record is of: the action says.
        people = _once([*people, *_named(request, task)])
        return InspectForm(request.POST, task=task, kind=kind, asked=asked, officers=people)
    initial = {
        "client_key": uuid.uuid4(),
        "checklist_version": version.number,
        "first_officer": task.first_officer_id or (request.user.pk if request.user in people else None),
        "second_officer": task.second_officer_id,
    }
    return InspectForm(initial=initial, task=task, kind=kind, asked=asked, officers=people)


def _order(task: SupervisionTask) -> Rectification | None:
    """The order that a re-inspection looks at: the newest one; whether it is running, the action says."""
    return Rectification.objects.select_related("inspection", "paper").filter(task=task).order_by("-pk").first()


def _once(people: list[User]) -> list[User]:
    return list({person.pk: person for person in people}.values())


def _named(request: PortalRequest, task: SupervisionTask) -> list[User]:
    """The officers that the form names, if they were fit on the day that it names."""
    began = request.POST.get("began_at", "")[:10]
    try:
        day = dt.date.fromisoformat(began)
    except ValueError:
        return []
    wanted = {request.POST.get("first_officer", ""), request.POST.get("second_officer", "")}
    return [person for person in officers.eligible(task.office_id, day) if str(person.pk) in wanted]


def _asked_version(request: PortalRequest, task: SupervisionTask) -> checklists.Version:
    """The version that the form was made with, where it exists; else the current one."""
    known = checklists.versions(task.sub_item)
    asked = request.POST.get("checklist_version", "")
    return next((one for one in known if str(one.number) == asked), known[0])


def _wants_json(request: PortalRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _inspect(request: PortalRequest, task: SupervisionTask, kind: InspectionKind) -> HttpResponse:
    back = reverse("tasks:task", args=[task.number])
    form = _form(request, task, kind)
    if request.method != "POST":
        return _page(request, task, form)
    valid = form.is_valid()
    try:
        extra = _kept_files(request, task, form)
        if valid:
            done = inspecting.record_inspection(task, draft=form.draft(extra), by=request.user, now=request.now)
            return _recorded(request, done)
    except Refused as error:
        if _wants_json(request):
            return _refused(error)
        if error.conflict:
            return conflict(request, error, back, form)
        put_on_form(form, error)
    if _wants_json(request):
        faults = [{"field": name, "detail": str(text)} for name, texts in form.errors.items() for text in texts]
        count = len(faults)
        return problem(422, "invalid", f"有 {count} 处需要改正，草稿还在本机。", errors=faults)
    return _page(request, task, form)


def _why_not(task: SupervisionTask, kind: InspectionKind) -> str:
    """Why no record can be begun now; empty where one can."""
    if kind == InspectionKind.AGAIN:
        return "" if inspecting.running_order(task) else "这件任务没有整改中的通知书，不需要复查。"
    if inspecting.can_record(task):
        return ""
    return f"这件监管任务现在是“{task.get_status_display()}”，不能记录检查；请先签收并选定检查措施。"


def _kept_files(request: PortalRequest, task: SupervisionTask, form: InspectForm) -> list[uuid.UUID]:
    """Store what came with the form itself (no script): also when the form is refused, so that nothing is lost."""
    draft_key = form.cleaned_data.get("client_key") if hasattr(form, "cleaned_data") else None
    if draft_key is None or Inspection.objects.filter(client_key=draft_key).exists():
        return [one.client_key for one in photos.of_record(draft_key)] if draft_key and request.FILES else []
    kept = []
    for name in ["photo-all", *(row["photo"] for row in form.rows)]:
        finding = name.removeprefix("photo-")
        for file in request.FILES.getlist(name):
            key = photos.key_of_content(file, draft_key, finding)
            photo, _ = photos.store(
                file, task=task, draft_key=draft_key, client_key=key, finding="" if finding == "all" else finding,
                taken_at=None, by=request.user, now=request.now,
            )  # fmt: skip
            kept.append(photo.client_key)
    return kept


def _refused(error: Refused) -> JsonResponse:
    status = 409 if error.conflict else 422
    errors = [{"field": error.field, "detail": error.message}] if error.field else None
    return problem(status, error.code, error.message, errors=errors)


def _recorded(request: PortalRequest, done: Inspection) -> HttpResponse:
    url = reverse("tasks:inspection", args=[done.task.number, done.order])
    messages.success(request, "检查记录已发送。")
    if _wants_json(request):
        return JsonResponse({"number": done.task.number, "order": done.order, "url": url}, status=HTTPStatus.OK)
    return redirect(url)


def _page(request: PortalRequest, task: SupervisionTask, form: InspectForm) -> HttpResponse:
    again = form.kind == InspectionKind.AGAIN
    key = form["client_key"].value()
    kept = photos.of_draft(task, uuid.UUID(str(key)), request.user) if form.errors and _is_key(key) else []
    texts = {one.name: one.text for one in form.asked}
    # Where no record can be begun the page still opens: a draft that the browser keeps is shown, not lost.
    blocked = _why_not(task, form.kind)
    ready = None if form.manner == "off_site" else visiting.ready(task, local_date(request.now))
    context = {
        "task": task,
        "form": form,
        "again": again,
        "checklist": _asked_version(request, task).label,
        "blocked": blocked,
        "visit_note": ready.message if isinstance(ready, Refused) and form.manner == "on_site" else "",
        "order": _order(task) if again else None,
        "title": "记录复查" if again else "记录检查",
        "crumbs": [
            {"label": "监管任务", "url": reverse("tasks:list")},
            {"label": task.number, "url": reverse("tasks:task", args=[task.number])},
        ],
        "kept": [{"photo": one, "where": texts.get(one.finding_key, "整体")} for one in kept],
        "upload_url": reverse("tasks:photo_upload", args=[task.number]),
        "accept": photos.ACCEPT,
    }
    status = 422 if form.errors else 409 if blocked else 200
    return render(request, "tasks/inspect.html", context, status=status)


def _is_key(value: Any) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


@require_safe
def worker(request: PortalRequest) -> HttpResponse:
    """The service worker that opens the page of an inspection again without a connection; it acts under /tasks/."""
    path = finders.find("js/inspect-worker.js")
    if not isinstance(path, str):
        raise Http404
    response = HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@field_people
@require_POST
def photo_upload(request: PortalRequest, number: str) -> HttpResponse:
    """Take one photo of a draft (JSON answer); the same photo sent twice is one."""
    task = _field_task(request, number)
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        faults = [{"field": name, "detail": str(text)} for name, texts in form.errors.items() for text in texts]
        return problem(422, "invalid", "这张照片没有收到，请重新拍摄或选择。", errors=faults)
    data = form.cleaned_data
    try:
        kept, new = photos.store(
            data["file"], task=task, draft_key=data["draft_key"], client_key=data["client_key"],
            finding=data["finding"], taken_at=data["taken_at"], by=request.user, now=request.now,
        )  # fmt: skip
    except Refused as error:
        return _refused(error)
    body = {"client_key": str(kept.client_key), "size": kept.size, "digest": kept.digest}
    return JsonResponse(body, status=HTTPStatus.CREATED if new else HTTPStatus.OK)


# --- what was recorded


def found(access: Access, number: str, order: int) -> Inspection:
    """One inspection that the person may read, with what its page shows; 404 otherwise."""
    rows = Inspection.objects.select_related(
        *(f"task__{name}" for name in READ), "first_officer", "second_officer", "recorded_by", "visit"
    )
    one = get_object_or_404(rows, task__number=number, order=order)
    if not _may_read(access, one.task_id, one.pk):
        raise Http404
    return one


def _may_read(access: Access, task_id: int, inspection_id: int | None) -> bool:
    """Whether the person may read this inspection: of a task within reach, or put forward with a proposal.

    ``inspection_id`` is None for what no record has.
    """
    if papers.within(access).filter(pk=task_id).exists():
        return True
    return inspection_id is not None and f"look-{inspection_id}" in papers.put_forward(access, task_id)


def findings_of(inspection: Inspection) -> list[dict[str, Any]]:
    """Findings with their tones and photos, in their order; two statements."""
    pictures: dict[str, list[Photo]] = {}
    for one in inspection.photos.all():
        pictures.setdefault(one.finding_key, []).append(one)
    rows = [
        {
            "finding": one,
            "badge": {"label": one.get_result_display(), "tone": RESULT_TONES[Result(one.result)]},
            "photos": pictures.pop(f"{one.kind}-{one.key}", []),
        }
        for one in inspection.findings.all()
    ]
    rest = [one for group in pictures.values() for one in group]
    return [*rows, {"finding": None, "badge": None, "photos": rest}] if rest else rows


def result_badge(one: Inspection | Finding) -> dict[str, str]:
    """Label and tone of what was found."""
    return {"label": one.get_result_display(), "tone": RESULT_TONES[Result(one.result)]}


class Aside(NamedTuple):
    """A request that a record count no more, and whether an answer to it still makes a difference."""

    asked: SetAside
    waits: bool


def asides_of(task: SupervisionTask) -> dict[int, Aside]:
    """Record id → the newest request about it; none comes after a grant. Two statements at most."""
    rows = list(SetAside.objects.filter(inspection__task=task).select_related("settled_by").order_by("pk"))
    waits = set(SetAside.objects.waiting().filter(pk__in=[one.pk for one in rows]).values_list("pk", flat=True))
    return {one.inspection_id: Aside(one, one.pk in waits) for one in rows}


def said_aside(asked: SetAside) -> str:
    """Why a record counts no more, and who said so: 理由；何人何时批准：批复理由."""
    assert asked.settled_by is not None  # noqa: S101 - granted
    assert asked.settled_at is not None  # noqa: S101 - granted
    at = f"{timezone.localtime(asked.settled_at):%Y-%m-%d %H:%M}"
    return f"{asked.reason}（{asked.settled_by.full_name} {at} 批准：{asked.answer}）"


def _facts(inspection: Inspection) -> list[dict[str, Any]]:
    officers = [person.full_name for person in (inspection.first_officer, inspection.second_officer) if person]
    began, ended = timezone.localtime(inspection.began_at), timezone.localtime(inspection.ended_at)
    until = f"{ended:%H:%M}" if began.date() == ended.date() else f"{ended:%Y-%m-%d %H:%M}"
    facts: list[dict[str, Any]] = [
        {"label": "检查方式", "value": inspection.get_off_site_display() if inspection.off_site else "现场检查"},
        {"label": "时间", "value": f"{began:%Y-%m-%d %H:%M} 至 {until}"},
        {"label": "系统或资料" if inspection.off_site else "地点", "value": inspection.place},
        {"label": "检查人员", "value": "、".join(officers)},
    ]
    if inspection.identity_numbers:
        facts.append({"label": "执法证件", "value": f"已出示：{inspection.identity_numbers}"})
    facts += [
        {"label": "检查表", "value": checklists.name_of(inspection.checklist_version)},
        {
            "label": "记录提交",
            "value": f"{inspection.recorded_by.full_name} {timezone.localtime(inspection.recorded_at):%Y-%m-%d %H:%M}",
        },
        {"label": "被检查对象意见", "value": inspection.remarks, "wide": True},
    ]
    signed = inspection.signer or (f"未签名：{inspection.unsigned_reason}" if inspection.unsigned_reason else "")
    return [*facts, {"label": "被检查对象签名", "value": signed}]


def _context(request: PortalRequest, one: Inspection) -> dict[str, Any]:
    task = one.task
    mine = SupervisionTask.objects.for_office_people(request.access).filter(pk=task.pk).exists()
    back = reverse("tasks:task", args=[task.number]) if mine else ""
    asked, waits = asides_of(task).get(one.pk, (None, False))
    acts = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    leads = task.department_id in request.access.departments(Role.DEPARTMENT_HEAD)
    ask = f"{reverse('tasks:set_aside', args=[task.number])}?record={one.order}"
    return {
        "task": task,
        "inspection": one,
        "badge": result_badge(one),
        "facts": _facts(one),
        "findings": findings_of(one),
        "paper": inspecting.papers_of(task).get(one.pk),
        "aside": said_aside(asked) if asked is not None and asked.granted else "",
        "aside_waits": asked.reason if asked is not None and waits else "",
        "aside_answer_url": reverse("tasks:set_aside_answer", args=[asked.pk]) if asked and waits and leads else "",
        "aside_url": ask if acts and one in correcting.correctable(task) else "",
        "back_url": back,
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}, {"label": task.number, "url": back}]
        if back
        else [],
    }


@readers
@require_safe
def inspection(request: PortalRequest, number: str, order: int) -> HttpResponse:
    """One inspection: where, when, who, what was found, what the subject said, photos and paper."""
    one = found(request.access, number, order)
    return render(request, "tasks/inspection.html", _context(request, one))


@readers
@require_safe
def inspection_print(request: PortalRequest, number: str, order: int) -> HttpResponse:
    """The record for the printer; one made on the spot has its paper, which is printed instead."""
    one = found(request.access, number, order)
    context = _context(request, one)
    if context["paper"] is not None:
        return redirect("tasks:paper", pk=context["paper"].pk)
    context["paper"] = {
        "title": f"非现场{one.get_kind_display()}记录",
        "number": f"任务 {one.task.number} 第 {one.order} 次",
        "addressee": "",
        "authority": one.task.office.department.paper_name,
        "date": local_date(one.recorded_at),
        "state": "已作废" if context["aside"] else "",
    }
    context["back_url"] = reverse("tasks:inspection", args=[number, order])
    return render(request, "tasks/inspection_print.html", context)


@readers
@require_safe
def photo(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """A photo of an inspection, with a trace; whoever may read the inspection may look at it.

    One of a draft is its maker's own.
    """
    rows = Photo.objects.filter(Q(inspection__isnull=False) | Q(uploaded_by=request.user), task__number=number)
    one = get_object_or_404(rows.select_related("task"), pk=pk)
    if not _may_read(request.access, one.task_id, one.inspection_id):
        raise Http404
    if request.method == "GET":
        photos.note_reading(one.task, one, by=request.user, now=request.now)
    try:
        return photos.response(one)
    except FileNotFoundError:
        logger.exception("photo %s is not in the store", one.pk)
        advice = "这张照片暂时无法打开，请联系平台管理人员核对存储。"
        return render(request, "problem.html", {"status": 404, "title": "照片没有找到", "advice": advice}, status=404)


# --- checklists


def own_sub_items(access: Access) -> QuerySet[SupervisionSubItem]:
    """The sub-items of the departments in which the person manages an office or is the head."""
    departments = access.departments(Role.OFFICE_MANAGER, Role.DEPARTMENT_HEAD)
    return SupervisionSubItem.objects.filter(item__department__in=departments).select_related("item__department")


def with_version(rows: QuerySet[SupervisionSubItem], text: str) -> QuerySet[Any]:
    """Annotate ``version`` and ``published`` of the list in force; ``text`` is part of a name or code."""
    rows = rows.annotate(version=Max("checklists__version"), published=Max("checklists__published_at"))
    if not text:
        return rows
    return rows.filter(Q(name__icontains=text) | Q(code__icontains=text) | Q(item__name__icontains=text))


def _checklist_rows(request: PortalRequest) -> tuple[Listing, QuerySet[Any]]:
    own = Filter("own", "版本", (("1", "已修订"), ("0", "未修订")), "全部版本")
    listing = Listing(
        request, reverse("tasks:checklists"), filters=(own,), q_label="监管事项或子项", placeholder="名称或编码"
    )
    rows = with_version(own_sub_items(request.access), listing["q"])
    if listing["own"]:
        has = Exists(Checklist.objects.filter(sub_item=OuterRef("pk")))
        rows = rows.filter(has if listing["own"] == "1" else ~has)
    return listing, rows


@owners
@require_safe
def checklists_page(request: PortalRequest) -> HttpResponse:
    """The checklists of the department's sub-items, with the version that is in force."""
    listing, rows = _checklist_rows(request)
    page = listing.page(rows, ("code",))
    context = {
        "rows": list(page),
        "bar": listing.bar(),
        "pager": listing.pager(page, "份"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("tasks:checklists_export")),
    }
    return render(request, "tasks/checklists.html", context)


@owners
@require_safe
def checklists_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV: one line a sub-item."""
    _, rows = _checklist_rows(request)
    head = ("子项编码", "监管事项", "子项", "现行版本", "发布日期")

    def lines(page: list[Any]) -> Any:
        for one in page:
            published = local_date(one.published) if one.published else ""
            yield [one.code, one.item.name, one.name, one.version or 0, published]

    return csv_response(f"检查表-{local_date(request.now):%Y%m%d}", head, everything(rows, ("code",), lines))


def _sub_item(request: PortalRequest, pk: int) -> SupervisionSubItem:
    return get_object_or_404(own_sub_items(request.access), pk=pk)


def _checklist(
    request: PortalRequest, sub_item: SupervisionSubItem, number: int | None, limit: PlanLimitForm | None = None
) -> HttpResponse:
    known = checklists.versions(sub_item)
    shown = known[0] if number is None else next((one for one in known if one.number == number), None)
    if shown is None:
        raise Http404
    used = dict(
        Inspection.objects.filter(task__sub_item=sub_item, kind=InspectionKind.FIRST)
        .values_list("checklist_version")
        .annotate(times=Count("id"))
        .order_by()
    )
    context = {
        "sub_item": sub_item,
        "shown": shown,
        "is_current": shown is known[0],
        "versions": [{"version": one, "used": used.get(one.number, 0), "shown": one is shown} for one in known],
        "crumbs": [{"label": "检查表", "url": reverse("tasks:checklists")}],
        "limit_form": limit or PlanLimitForm(initial={"days": sub_item.longest_plan_days}),
        "limit_url": reverse("tasks:checklist", args=[sub_item.pk]),
        "limits": checklists.plan_limits(sub_item),
    }
    return render(request, "tasks/checklist.html", context, status=422 if limit else 200)


@owners
@require_http_methods(["GET", "HEAD", "POST"])
def checklist(request: PortalRequest, pk: int) -> HttpResponse:
    """The version in force, the earlier ones and how often each was used; sets the most days of a plan."""
    sub_item = _sub_item(request, pk)
    if request.method != "POST":
        return _checklist(request, sub_item, None)
    form = PlanLimitForm(request.POST)
    if form.is_valid():
        try:
            done = checklists.set_plan_limit(sub_item, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            put_on_form(form, error)
        else:
            messages.success(request, f"监管计划最长 {done.longest_plan_days} 天，此后签收和变更计划时按此办理。")
            return redirect("tasks:checklist", pk)
    return _checklist(request, sub_item, None, form)


@owners
@require_safe
def checklist_version(request: PortalRequest, pk: int, version: int) -> HttpResponse:
    """One version as it was published."""
    return _checklist(request, _sub_item(request, pk), version)


def _lines(request: PortalRequest) -> list[dict[str, str]]:
    """The lines as they were typed: key, text and basis side by side."""
    columns = [request.POST.getlist(name) for name in ("key", "text", "basis")]
    return [dict(zip(("key", "text", "basis"), line, strict=True)) for line in zip(*columns, strict=False)]


@owners
@require_http_methods(["GET", "HEAD", "POST"])
def checklist_new(request: PortalRequest, pk: int) -> HttpResponse:
    """Publish the next version; two at once: the second is told (409), and keeps what was typed by going back."""
    sub_item = _sub_item(request, pk)
    url = reverse("tasks:checklist", args=[pk])
    version = checklists.current(sub_item)
    if request.method != "POST":
        form = ChecklistForm(initial={"base": version.number})
        lines = [{"key": one.key, "text": one.text, "basis": one.basis} for one in version.points]
        return _checklist_form(request, sub_item, version, form, lines)
    form = ChecklistForm(request.POST)
    lines = _lines(request)
    if form.is_valid():
        try:
            done = checklists.publish(
                sub_item, points=lines, note=form.cleaned_data["note"], base=form.cleaned_data["base"],
                by=request.user, now=request.now,
            )  # fmt: skip
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url, form)
            put_on_form(form, error)
        else:
            messages.success(request, f"第 {done.version} 版检查表已发布，此后的检查按新版进行。")
            return redirect(url)
    return _checklist_form(request, sub_item, version, form, [one for one in lines if one["text"].strip()])


def _checklist_form(
    request: PortalRequest,
    sub_item: SupervisionSubItem,
    version: checklists.Version,
    form: ChecklistForm,
    lines: list[dict[str, str]],
) -> HttpResponse:
    spare = [{"key": "", "text": "", "basis": ""} for _ in range(SPARE_LINES)]
    context = {
        "sub_item": sub_item,
        "version": version,
        "next_number": version.number + 1,
        "form": form,
        "lines": [*lines, *spare],
        "longest_point": checklists.LONGEST_POINT,
        "longest_basis": checklists.LONGEST_BASIS,
        "follows": ("此后开始的检查按新版进行", "已作的检查保留当时的版本", "发布后不能修改，只能再发布新版"),
        "crumbs": [
            {"label": "检查表", "url": reverse("tasks:checklists")},
            {"label": sub_item.name, "url": reverse("tasks:checklist", args=[sub_item.pk])},
        ],
    }
    return render(request, "tasks/checklist_new.html", context, status=422 if form.errors else 200)
