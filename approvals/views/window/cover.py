"""The redaction tool: pages as pictures, places drawn or typed as numbers, a covered copy of it (O3.1.2c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals import covering
from approvals.actions.covering import BEFORE_ACCEPTANCE, ask_cover, discard_cover, leave_open
from approvals.covering import Box, Found, Unusable
from approvals.enums import DECIDED, ENDED_EARLY
from approvals.exceptions import Refused
from approvals.models import Case, Covering, Upload
from approvals.web import conflict
from offices.models import Posting
from offices.web import PortalRequest, roles_required

clerks = roles_required(Posting.Role.WINDOW_CLERK)
SIDES = ("x", "y", "w", "h")
WORDS = {"x": "左", "y": "上", "w": "宽", "h": "高"}
SPARE = 2  # empty rows under each page, for those who type


@dataclass(slots=True)
class Row:
    """One place as it is typed: shares of the page in per cent."""

    page: int
    values: dict[str, str] = field(default_factory=dict)
    hint: str = ""
    error: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not any(self.values.values())

    @property
    def cells(self) -> list[dict[str, str]]:
        """The four fields with their words."""
        return [{"name": side, "label": WORDS[side], "value": self.values.get(side, "")} for side in SIDES]

    def box(self) -> Box | None:
        """The place in shares of the page, None with ``error`` set where it is none."""
        try:
            x, y, width, height = (float(self.values.get(side, "").replace("%", "")) / 100 for side in SIDES)
        except ValueError:
            self.error = "左、上、宽、高都要填数字（页面的百分之几，例如 12.5）。"
            return None
        if not (0 <= x < 1 and 0 <= y < 1 and width > 0 and height > 0):
            self.error = "左和上在 0 到 100 之间，宽和高大于 0。"
            return None
        return [self.page, x, y, width, height]


def _row(box: Sequence[float], hint: str = "") -> Row:
    shares = {side: f"{value * 100:.1f}" for side, value in zip(SIDES, box[1:], strict=True)}
    return Row(int(box[0]), shares, hint)


def _typed(data: QueryDict) -> list[Row]:
    """The rows of the form, empty ones dropped."""
    pages = data.getlist("page")
    columns = {side: data.getlist(side) for side in SIDES}
    if any(len(column) != len(pages) for column in columns.values()):
        return []
    rows = [
        Row(int(page), {side: columns[side][place].strip()[:12] for side in SIDES})
        for place, page in enumerate(pages)
        if page.isdecimal() and len(page) < 4
    ]
    return [row for row in rows if not row.is_empty]


def _file(request: PortalRequest, pk: int) -> tuple[Upload, Case]:
    """A file of a case of this window that is not decided yet; 404 otherwise."""
    own = request.access.divisions(Posting.Role.WINDOW_CLERK)
    rows = Upload.objects.filter(case_material__case__division_id__in=own, covers__isnull=True)
    found = get_object_or_404(rows.select_related("case_material__case__applicant"), pk=pk)
    assert found.case_material is not None  # noqa: S101 - asked for
    return found, found.case_material.case


@clerks
@require_safe
def picture(request: PortalRequest, pk: int, page: int) -> HttpResponseBase:
    """One page of the file as handed in, to draw on."""
    upload, _ = _file(request, pk)
    try:
        drawn = covering.picture(upload, page)
    except Unusable as error:
        raise Http404 from error
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(drawn, content_type="image/jpeg", headers=headers)


@clerks
@require_http_methods(["GET", "HEAD", "POST"])
def cover(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Show the pages with what is, or should be, covered; a POST covers, takes back, adds rows, or says why not."""
    upload, case = _file(request, pk)
    if request.method != "POST":
        return _page(request, upload, case)
    act, url = request.POST.get("act", ""), reverse("window:cover", args=[pk])
    back = reverse("window:case", args=[case.number])
    said: dict[str, Any] = {"by": request.user, "now": request.now}
    rows = _typed(request.POST)
    try:
        if act == "discard":
            discard_cover(upload, **said)
            messages.success(request, "遮盖已撤销。")
            return redirect(url)
        if act == "leave":
            leave_open(upload, reason=request.POST.get("reason", ""), **said)
            messages.success(request, "理由已记录，这份材料不遮盖。")
            return redirect(back)
        if act == "cover":
            boxes = [row.box() for row in rows]
            if None in boxes:
                return _page(request, upload, case, rows=rows, problem="有一块的位置没有填对，已在下面标出。")
            done = ask_cover(upload, boxes=[box for box in boxes if box is not None], **said)
            told = (
                "遮盖件已生成，审查人员看到的是遮盖件。" if done.done_at else "页数较多，正在生成遮盖件，稍后刷新查看。"
            )
            messages.success(request, told)
            return redirect(url if done.done_at is None else back)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, url)
        at_reason = error.field == "reason"
        said_of_places, said_of_reason = ("", error.message) if at_reason else (error.message, "")
        return _page(request, upload, case, rows=rows, problem=said_of_places, reason_error=said_of_reason)
    return _page(request, upload, case, rows=rows, spare=SPARE * 3, status=200)


def _page(
    request: PortalRequest,
    upload: Upload,
    case: Case,
    *,
    rows: list[Row] | None = None,
    problem: str = "",
    reason_error: str = "",
    spare: int = SPARE,
    status: int = 422,
) -> HttpResponse:
    """The tool; with rows that came back, as 422 unless more rows were asked for."""
    held = covering.live(upload)
    closed = case.status in DECIDED or case.status in ENDED_EARLY
    found, unusable = Found([], [], []), ""
    if upload.extension not in covering.COVERABLE:
        unusable = "OFD 文件不能在这里遮盖；请改交 PDF 或者图片，或者收纸质材料。"
    else:
        try:
            found = covering.look(upload, case)
        except Unusable as error:
            unusable = error.text
    shown = _rows(found, held) if rows is None else rows
    pages = [
        {
            "number": number,
            "width": round(width),
            "height": round(height),
            "url": reverse("window:cover_picture", args=[upload.pk, number]),
            "rows": [*(row for row in shown if row.page == number), *(Row(number) for _ in range(spare))],
        }
        for number, (width, height) in enumerate(found.pages, start=1)
    ]
    line = upload.case_material
    context = {
        "upload": upload,
        "case": case,
        "line": line,
        "pages": pages,
        "lead": _lead(found, upload, held, unusable),
        "unusable": unusable,
        "problem": problem,
        "reason": request.POST.get("reason", upload.left_reason),
        "reason_error": reason_error,
        "held": held,
        "held_problem": covering.PROBLEMS.get(held.problem, "") if held else "",
        "cover_url": reverse("file", args=[held.cover_id]) if held and held.cover_id else "",
        "may_cover": not closed and not unusable,
        "may_discard": held is not None and (case.status in BEFORE_ACCEPTANCE or bool(held.problem)) and not closed,
        "may_leave": held is None and not closed,
        "closed": closed,
        "back_url": reverse("window:case", args=[case.number]),
        "crumbs": [
            {"label": "窗口办件", "url": reverse("window:desk")},
            {"label": case.number, "url": reverse("window:case", args=[case.number])},
        ],
        "follows": [
            "生成一份新的文件：每页变成图片，框住的地方涂黑，不能还原",
            "决定作出前，审查人员只能看到这份遮盖件；原件仍在窗口，决定作出后可以查看",
            "受理前可以撤销；受理后只能再加，不能减少",
        ],
    }
    return render(request, "window/cover.html", context, status=status if rows is not None else 200)


def _rows(found: Found, held: Covering | None) -> list[Row]:
    """What is covered now, or what a machine would cover."""
    if held is not None:
        return [_row(box) for box in held.boxes]
    return [_row(box, "机器找到的，请核对") for box in found.boxes]


def _lead(found: Found, upload: Upload, held: Covering | None, unusable: str) -> str:
    """What a machine found; the same as the list beside the file says."""
    if held is not None:
        return "这份材料已经遮盖。下面是涂黑的位置。"
    kinds = {*found.kinds, *upload.findings}
    told = covering.named(kinds)
    unseen = " 其中还有机器读不出的图片、扫描页。" if covering.UNREADABLE in kinds else ""
    if found.boxes:
        framed = f"机器在文字里找到{told}，已经框好 {len(found.boxes)} 处。"
        return f"{framed}{unseen}请逐页看一遍，补上印章、签字、图片里的。"
    if told and unusable:
        return f"机器在这份材料里找到{told}，但是不能在这里遮盖。请换一份材料，或者说明不遮盖的理由。"
    if told:
        return f"文件属性或者批注里有{told}，生成遮盖件时会一并去掉。{unseen}请再逐页看一遍。"
    if unusable or covering.UNREADABLE in kinds:
        return covering.UNSEEN
    return "机器在文字里没有找到申请人信息。印章、签字、图片里的字机器看不见，请您逐页看一遍。"
