"""Break-glass on the back office's pages: one look at the applicant before the decision, for a reason (O3.1.2c)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals import blind
from approvals.actions.unveiling import LONGEST_REASON, Unveiled
from approvals.actions.unveiling import unveil as show
from approvals.blind import BlindCase
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.models import Case, Unveiling
from approvals.web import conflict, put_on_form
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
FOLLOWS = (
    "只在下一页显示一次，再看须再写理由",
    "立即短信告知督办人员，列入决定前查看清单",
    "决定人员看得到有人查看过和理由",
)


class UnveilForm(forms.Form):
    """查看申请人: why."""

    reason = forms.CharField(
        label="为什么必须在决定前知道申请人是谁",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写明具体情形，不写申请人名称；督办人员逐条核查。",
        error_messages={"required": "请写明为什么必须在决定前知道申请人是谁。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "unveil_%s"} | kwargs))


def may_unveil(case: BlindCase) -> bool:
    """Whether there is still something to be unveiled."""
    return case.status == CaseStatus.IN_REVIEW


def unveil_context(case: BlindCase, form: forms.BaseForm | None = None) -> dict[str, Any]:
    """What ``office/_unveil.html`` needs: the form while the case is blind, and every look that was taken."""
    looks = list(Unveiling.objects.filter(case_id=case.pk).select_related("user").order_by("id"))
    may = may_unveil(case)
    return {"unveil_form": (form or UnveilForm()) if may else None, "unveil_follows": FOLLOWS, "unveilings": looks}


def _page(
    request: PortalRequest, case: BlindCase, *, form: forms.BaseForm | None = None, seen: Unveiled | None = None
) -> HttpResponse:
    context = {
        "case": case,
        "seen": seen,
        "crumbs": [
            {"label": "审批办件", "url": reverse("office:list")},
            {"label": case.number, "url": reverse("office:case", args=[case.number])},
        ],
        "back_url": reverse("office:case", args=[case.number]),
        **unveil_context(case, form),
    }
    response = render(request, "office/unveil.html", context, status=422 if form is not None else 200)
    response["Cache-Control"] = "private, no-store"
    return response


@roles_required(Role.REVIEWER, Role.DECIDER)
@require_http_methods(["GET", "HEAD", "POST"])
def unveil(request: PortalRequest, number: str) -> HttpResponseBase:
    """Show the applicant once, in the answer to the press; the address itself shows nothing."""
    rows = blind.blind(Case.objects.for_back_office(request.access))
    case = BlindCase.of(get_object_or_404(rows, number=number))
    url = reverse("office:case", args=[number])
    if request.method != "POST":
        return redirect(url)
    form = UnveilForm(request.POST)
    if form.is_valid():
        try:
            seen = show(Case(pk=case.pk), by=request.user, reason=form.cleaned_data["reason"], now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            return _page(request, case, seen=seen)
    return _page(request, case, form=form)
