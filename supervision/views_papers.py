"""Papers of the supervision side: page, print, and one file that opens without the portal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_safe

from approvals.notices import portal_address
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision import papers
from supervision.models import Paper, SupervisionTask

Role = Posting.Role
readers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR, Role.OVERSEER, *papers.APPROVAL_SIDE)


def _found(request: PortalRequest, pk: int) -> Paper:
    found = get_object_or_404(Paper.objects.select_related("task"), pk=pk)
    if not papers.may_read(request.access, found):
        raise Http404
    return found


def _state(paper: Paper) -> str:
    if not papers.is_intact(paper):
        return "内容与留痕不符"
    return "已作废" if papers.withdrawn(paper) else ""


def _context(paper: Paper) -> dict[str, Any]:
    content = paper.content
    return {
        "paper": {
            "title": content["title"],
            "number": content["number"],
            "addressee": content["to"],
            "authority": content["authority"],
            "date": local_date(paper.issued_at),
            "verify_url": f"{portal_address()}/verify/{paper.verify_code}/",
            "verify_code": paper.verify_code,
            "state": _state(paper),
        },
        "content": content,
        "digest": paper.digest,
    }


@readers
@require_safe
def paper(request: PortalRequest, pk: int) -> HttpResponse:
    """A paper on screen and for the printer."""
    found = _found(request, pk)
    mine = SupervisionTask.objects.for_office_people(request.access).filter(pk=found.task_id).exists()
    back = reverse("tasks:task", args=[found.task.number]) if mine else ""
    context = _context(found) | {"back_url": back, "file_url": reverse("tasks:paper_file", args=[pk])}
    return render(request, "papers/supervision.html", context)


@readers
@require_safe
def paper_file(request: PortalRequest, pk: int) -> HttpResponse:
    """The same paper as one file, its styles inside."""
    found = _found(request, pk)
    styles = finders.find("css/paper.css")
    context = _context(found) | {"css": Path(styles).read_text() if isinstance(styles, str) else ""}
    response = HttpResponse(render_to_string("papers/supervision_file.html", context))
    name = escape_uri_path(f"{found.content['title']}{found.number}.html")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response
