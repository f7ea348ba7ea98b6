"""Papers, set from the content that was frozen when they were issued."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from approvals.enums import DECIDED, DocumentKind
from approvals.models import Case, Document
from approvals.notices import portal_address
from deadlines.clock import local_date
from ledger.hashing import canonical, sm3
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role


def paper_response(
    request: HttpRequest, document: Document, *, back_url: str = "", with_code: bool = True
) -> HttpResponse:
    """Set ``document`` on paper; the caller has checked that the person may see it.

    ``with_code`` false leaves out the applicant's query code, which is for the applicant and the window alone.
    """
    content = document.content if with_code else _without_code(document)
    paper = {
        "title": content["title"],
        "number": content["number"],
        "addressee": content["to"],
        "authority": content["authority"],
        "date": local_date(document.issued_at),
        "verify_url": f"{portal_address()}/verify/{document.verify_code}/",
        "verify_code": document.verify_code,
        "state": "" if sm3(canonical(document.content)) == document.digest else "内容与留痕不符",
    }
    signed = document.digest if document.kind == DocumentKind.PROMISE else ""
    progress_url = ""
    if document.kind == DocumentKind.RECEIPT:
        progress_url = f"{portal_address()}/progress/?{urlencode({'number': content['case']})}"
    context = {"paper": paper, "content": content, "back_url": back_url, "progress_url": progress_url, "digest": signed}
    return render(request, "papers/paper.html", context)


def _without_code(document: Document) -> dict[str, Any]:
    """The frozen content with the query code struck out wherever a paragraph gives it."""
    code = document.case.query_code
    content = dict(document.content)
    for part in ("paragraphs", "closing"):
        content[part] = [text.replace(code, "（略）") for text in content.get(part, ())]
    return content


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK, Role.REVIEWER, Role.DECIDER)
@require_safe
def paper(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Show a paper to the window of its division; to the back office only once the case is decided (O3.1.2c).

    Of the back office to those who may open the case, and never with the applicant's query code.
    """
    access = request.access
    window = Case.objects.for_window(access)
    office = Case.objects.for_back_office(access).filter(status__in=DECIDED)
    papers = Document.objects.filter(Q(case__in=window) | Q(case__in=office)).select_related("case")
    document = get_object_or_404(papers, pk=pk)
    own = access.divisions(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
    at_window = document.case.division_id in own
    back = reverse("window:case", args=[document.case.number]) if at_window else ""
    return paper_response(request, document, back_url=back, with_code=at_window)
