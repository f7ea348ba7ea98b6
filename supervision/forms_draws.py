"""Forms of random draws: they check what was typed; what the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from catalogue.models import BusinessItem, SupervisionSubItem
from ledger.samples import WHOLE
from offices.models import Division, Office
from supervision.actions.drawing import (
    LONGEST_NAME,
    LONGEST_SPARE,
    Wanted,
    areas_for,
    items_for,
    sub_items_for,
)
from supervision.models import DrawPlan
from supervision.sampling import LONGEST_BASIS, MOST_TIMES, Rate


def key_of(post: Mapping[str, Any]) -> uuid.UUID:
    """The key with which the form of a new plan was shown; a new one where it is missing or broken."""
    try:
        return uuid.UUID(str(post.get("client_key", "")))
    except ValueError:
        return uuid.uuid4()


def _percent(label: str, *, required: bool, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=help_text,
        error_messages={
            "required": "请填写抽取比例。",
            "invalid": "请填写数字，例如 5 或 0.5。",
            "min_value": "比例不能小于 0.01%%。",
            "max_value": "比例不能大于 100%%。",
            "max_decimal_places": "比例最多两位小数。",
        },
    )


def _number(label: str, low: int, high: int, help_text: str = "") -> forms.IntegerField:
    said = f"请填写 {low} 到 {high} 之间的整数。"
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=high,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), said),
    )


def hundredths(percent: Decimal | None) -> int | None:
    """Hundredths of a percent of what was typed."""
    return None if percent is None else int(percent * (WHOLE // 100))


class _SubItemField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no type at run time
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}{'（重点领域）' if obj.is_key_field else ''}"


class PlanForm(forms.Form):
    """抽查计划: whose licences, where, when, how many."""

    name = forms.CharField(label="计划名称", max_length=LONGEST_NAME, error_messages={"required": "请填写计划名称。"})
    sub_item = _SubItemField(
        label="监管事项子项",
        queryset=SupervisionSubItem.objects.none(),
        empty_label="请选择",
        error_messages={"required": "请选择监管事项子项。", "invalid_choice": "请选择本部门的监管事项子项。"},
    )
    business_items: forms.ModelMultipleChoiceField[BusinessItem] = forms.ModelMultipleChoiceField(
        label="抽查对象持有的许可",
        queryset=BusinessItem.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="本处室监管的事项，可以多选；持有其中任一有效证照的进入对象池。",
        error_messages={
            "required": "请选择许可事项，至少一项。",
            "invalid_choice": "请选择本处室监管的许可事项。",
            "invalid_pk_value": "请选择本处室监管的许可事项。",
        },
    )
    area: forms.ModelChoiceField[Division] = forms.ModelChoiceField(
        label="地域",
        queryset=Division.objects.none(),
        required=False,
        empty_label="不限",
        error_messages={"invalid_choice": "请选择本区划或者下级区划。"},
    )
    month = forms.CharField(
        label="抽取月份",
        max_length=7,
        help_text="例如 2026-10；抽取须在这个月内进行。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写抽取月份。"},
    )
    planned_finish_on = forms.DateField(
        label="完成期限",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": "请填写完成期限。", "invalid": "请填写有效日期，例如 2026-10-31。"},
    )
    ratio = _percent("统一比例（%）", required=False, help_text="不填：按风险等级的比例。重点领域不能低于 C 级的比例。")
    spare_months = _number("近几个月查过的不抽", 0, LONGEST_SPARE, "0 表示不论何时查过都可以抽。")
    is_key_field = forms.BooleanField(
        label="重点领域",
        required=False,
        help_text="安全、食品、药品、环保等：信用好也不降低比例，统一比例和 A、B 级、未评定的都至少按 C 级抽。",
    )

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sub_item"].queryset = sub_items_for(office)  # type: ignore[attr-defined]
        self.fields["business_items"].queryset = items_for(office)  # type: ignore[attr-defined]
        self.fields["area"].queryset = areas_for(office)  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What was typed, as the action takes it."""
        said = dict(self.cleaned_data)
        said["ratio"] = hundredths(said["ratio"])
        said["business_items"] = list(said["business_items"])
        return Wanted(**said)

    @staticmethod
    def initial_of(plan: DrawPlan) -> dict[str, Any]:
        """The plan as it stands."""
        return {
            "name": plan.name,
            "sub_item": plan.sub_item_id,
            "business_items": list(plan.business_items.values_list("pk", flat=True)),
            "area": plan.area_id,
            "month": plan.month,
            "planned_finish_on": plan.planned_finish_on,
            "ratio": None if plan.ratio is None else f"{Decimal(plan.ratio) / 100:f}",
            "spare_months": plan.spare_months,
            "is_key_field": plan.is_key_field,
        }

    @staticmethod
    def initial_for(today: dt.date) -> dict[str, Any]:
        """A new plan: this month, six spare months."""
        return {"month": f"{today:%Y-%m}", "spare_months": 6}


class RuleForm(forms.Form):
    """抽查比例 of one class, with the basis."""

    ratio = _percent("抽取比例（%）", required=True, help_text="最多两位小数；按对象数计算，有余数的进一。")
    times_a_year = _number(
        "每年次数", 1, MOST_TIMES, "同一处室、同一子项一年内抽取的次数上限，按统一比例抽取的也计入。"
    )
    basis = forms.CharField(
        label="依据",
        max_length=LONGEST_BASIS,
        help_text="文件的名称和文号，或者会议纪要。",
        error_messages={"required": "请写明依据（文件名称、文号或者会议纪要）。"},
    )

    @staticmethod
    def initial_of(rate: Rate) -> dict[str, Any]:
        """The rate as it stands."""
        return {
            "ratio": f"{Decimal(rate.ratio) / 100:f}",
            "times_a_year": rate.times,
            "basis": rate.basis if rate.rule else "",
        }

    def said(self) -> dict[str, Any]:
        """What was typed, as the action takes it."""
        return self.cleaned_data | {"ratio": hundredths(self.cleaned_data["ratio"])}


class UnsetForm(forms.Form):
    """Taking a rule back, with a reason."""

    basis = forms.CharField(
        label="理由", max_length=LONGEST_BASIS, error_messages={"required": "请写明收回设定的理由。"}
    )
