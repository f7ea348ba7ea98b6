"""上报省主管部门 on the case page of the back office: the panel and its forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms import BaseForm

from approvals.actions.province import LONGEST_ANSWER, LONGEST_NUMBER
from approvals.blind import BlindCase
from approvals.enums import CaseStatus
from approvals.models import ProvinceReport
from catalogue.models import BusinessItem

LAW_RUNS = "法定期限照常计算，不因上报停止（行政许可法第四十三条）。"


class ReportForm(forms.Form):
    """上报: the number of the letter."""

    number = forms.CharField(
        label="上报文号",
        max_length=LONGEST_NUMBER,
        help_text="不写申请人名称、证照号码和电话。",
        error_messages={"required": "请填写上报文号。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "province_%s"} | kwargs))


class AnswerForm(forms.Form):
    """省主管部门的答复."""

    answer = forms.CharField(
        label="省主管部门的答复",
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明文号和意见；不写申请人名称、证照号码和电话。",
        error_messages={"required": "请写明省主管部门的答复。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "province_%s"} | kwargs))


def province_context(case: BlindCase, item: BusinessItem, came_back: Mapping[str, BaseForm | None]) -> dict[str, Any]:
    """The panel of an item that reports to the province (``province``), with the form that is open now; one statement.

    ``came_back``: forms under ``report`` and ``province_answer``. Nothing for other items.
    """
    if not item.reports_to_province:
        return {}
    report = ProvinceReport.objects.select_related("reported_by", "answered_by").filter(case_id=case.pk).first()
    form: BaseForm | None = None
    if case.status == CaseStatus.IN_REVIEW:
        if report is None:
            form = came_back.get("report") or ReportForm()
        elif report.answered_at is None:
            form = came_back.get("province_answer") or AnswerForm()
    return {"province": {"report": report, "form": form, "law": LAW_RUNS}}
