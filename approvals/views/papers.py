"""Papers, set from the content that was frozen when they were issued."""

from __future__ import annotations

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


def paper_response(request: HttpRequest, document: Document, *, back_url: str = "") -> HttpResponse:
    """Set ``document`` on paper; the caller has checked that the person may see it."""
    content = document.content
    paper = {
        "title": content["title"],
        "number": content["number"],
        "addressee": content["to"],
        "authority": content["authority"],
        "date": local_date(document.issued_at),
        "verify_url": f"{portal_address()}/verify/{document.verify_code}/",
        "verify_code": document.verify_code,
        "state": "" if sm3(canonical(content)) == document.digest else "内容与留痕不符",
    }
    signed = document.digest if document.kind == DocumentKind.PROMISE else ""
    progress_url = ""
    if document.kind == DocumentKind.RECEIPT:
        progress_url = f"{portal_address()}/progress/?{urlencode({'number': content['case']})}"
    context = {"paper": paper, "content": content, "back_url": back_url, "progress_url": progress_url, "digest": signed}
    return render(request, "papers/paper.html", context)


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK, Role.REVIEWER, Role.DECIDER)
@require_safe
def paper(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Show a paper to the window of its division; to the back office only once the case is decided (O3.1.2c)."""
    access = request.access
    window = Case.objects.for_window(access)
    office = Case.objects.for_back_office(access).filter(status__in=DECIDED)
    papers = Document.objects.filter(Q(case__in=window) | Q(case__in=office)).select_related("case")
    document = get_object_or_404(papers, pk=pk)
    own = access.divisions(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
    back = reverse("window:case", args=[document.case.number]) if document.case.division_id in own else ""
    return paper_response(request, document, back_url=back)
