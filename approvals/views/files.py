"""Files of a case, for those who work on it; everybody else finds nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from approvals import covering
from approvals.enums import CaseAct
from approvals.models import Case, Upload
from approvals.uploads import file_response
from ledger.record import record
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK, Role.REVIEWER, Role.DECIDER)
@require_safe
def file(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Send a file: to the window under its own name, to the back office under a neutral one and with a trace.

    Before the decision the back office finds the cover of a covered file, and the file itself does not exist for it.

    A file whose form was not sent yet belongs to whoever uploaded it. The supervision side has its own address.
    """
    access = request.access
    window = Upload.objects.filter(
        Q(case_material__isnull=True, uploaded_by=request.user)
        | Q(case_material__case__in=Case.objects.for_window(access))
    )
    upload = window.select_related("case_material").filter(pk=pk).first()
    neutral = upload is None
    if upload is None:
        cases = Case.objects.readable(access)
        rows = covering.for_blind_eyes(Upload.objects.all()).select_related("case_material__case")
        upload = get_object_or_404(rows, pk=pk, case_material__case__in=cases)
        if request.method == "GET":
            _trace(request, upload)
    try:
        return file_response(upload, neutral=neutral)
    except FileNotFoundError as error:
        raise Http404 from error


@transaction.atomic
def _trace(request: PortalRequest, upload: Upload) -> None:
    line = upload.case_material
    if line is None:
        return
    held = Case.objects.select_for_update().only("pk").get(pk=line.case_id)
    data = {"file": upload.pk, "digest": upload.digest}
    record(held.stream, CaseAct.FILE_OPENED, at=request.now, by=request.user, data=data)
