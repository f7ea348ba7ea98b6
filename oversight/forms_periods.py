"""Forms of the periods: a length for a kind of clock, and the promise of a business item; the actions check."""

from __future__ import annotations

from typing import Any

from django import forms

from catalogue.enums import INNER_LIMIT_WORKING_DAYS, Certainty
from catalogue.models import BusinessItem
from catalogue.periods import NO_SOURCE, Promise, faults
from deadlines.kinds import KindCode
from deadlines.periods import refusal


def _days(label: str, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        error_messages={"invalid": "请填写整数，例如 3。", "required": "请填写天数。"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class PeriodForm(forms.Form):
    """The length of a kind of clock, on what it rests, and who allowed it."""

    length = _days("长度")
    reason = forms.CharField(
        label="依据或理由",
        max_length=300,
        help_text="例如会议纪要、文件的名称和文号。",
        error_messages={"required": "请写明设定这一期限的依据或理由。"},
    )
    approved_by = forms.CharField(label="批准人", max_length=120, error_messages={"required": "请写明批准人。"})

    def __init__(self, *args: Any, kind: KindCode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean_length(self) -> int:
        """Say what the law leaves beside the other fields' faults, not after them."""
        length: int = self.cleaned_data["length"]
        if text := refusal(self.kind, length):
            raise forms.ValidationError(text)
        return length


class PromiseForm(forms.Form):
    """The promised period of a business item (O3.2.1a)."""

    length = _days("承诺期限（工作日）", "自受理之日起计算。")
    source = forms.CharField(
        label="依据",
        max_length=300,
        help_text="公布这一期限的文件名称和文号。",
        error_messages={"required": NO_SOURCE},
    )
    certainty = forms.ChoiceField(
        label="依据的核实程度",
        choices=Certainty.choices,
        initial=Certainty.UNVERIFIED,
        help_text="会显示在办事指南上。",
    )
    reports_to_province = forms.BooleanField(label="须上报省主管部门审批", required=False)
    exemption = forms.CharField(
        label=f"超过 {INNER_LIMIT_WORKING_DAYS} 个工作日的理由",
        max_length=300,
        required=False,
        help_text=f"不超过 {INNER_LIMIT_WORKING_DAYS} 个工作日，或者须上报省主管部门的，不用填写，也不保存。",
    )
    exemption_by = forms.CharField(label="豁免批准人", max_length=120, required=False)

    def __init__(self, *args: Any, item: BusinessItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item

    def clean(self) -> None:
        """Say everything that the action would refuse at once, beside its field."""
        if "length" not in self.cleaned_data or "certainty" not in self.cleaned_data:
            return
        for name, text in faults(self.item, self.promise()).items():
            if name not in self.errors:
                self.add_error(name, text)

    @classmethod
    def of(cls, item: BusinessItem) -> PromiseForm:
        """The form as the item's promise stands."""
        return cls(
            item=item,
            initial={
                "length": item.promised_length,
                "source": item.promised_source,
                "certainty": item.promised_certainty or Certainty.UNVERIFIED,
                "reports_to_province": item.reports_to_province,
                "exemption": item.promised_exemption,
                "exemption_by": item.promised_exemption_by,
            },
        )

    def promise(self) -> Promise:
        """What was typed, as the action takes it."""
        data: dict[str, Any] = {"source": "", "exemption": "", "exemption_by": ""} | self.cleaned_data
        return Promise(**data)
