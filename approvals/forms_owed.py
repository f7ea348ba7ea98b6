"""Forms about what the applicant owes: 容缺 at the window, and what deciders settle once a day has passed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from approvals.actions.owing import LONGEST_REASON

DAY_ERRORS = {"required": "请选择日期。", "invalid": "请按 2026-10-20 的样子填写日期。"}


def _day(label: str, help_text: str, *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=DAY_ERRORS,
    )


def _reason(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="理由",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=help_text,
        error_messages={"required": "请写明理由。"},
    )


class LaterForm(forms.Form):
    """容缺办理: which materials follow the licence, by which written day, signed by whom."""

    slots = forms.MultipleChoiceField(
        label="容缺的材料",
        widget=forms.CheckboxSelectMultiple,
        help_text="只列出可以容缺、现在还没有交的次要材料。",
        error_messages={"required": "请勾选要容缺的材料。", "invalid_choice": "只能勾选可以容缺的材料。"},
    )
    until = _day("补交期限", "写在容缺补交告知书上；领证之后、这一天之前补交。")
    signer = forms.CharField(
        label="签署人",
        max_length=40,
        help_text="在容缺补交告知书上签字的人。",
        error_messages={"required": "请填写签署人姓名。"},
    )

    def __init__(self, *args: Any, lines: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.MultipleChoiceField", self.fields["slots"]).choices = list(lines)


class PromiseLapseForm(forms.Form):
    """承诺逾期的处理: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="处理",
        choices=(("keep", "继续办理"), ("cancel", "撤销办理")),
        error_messages={"required": "请选择“继续办理”或“撤销办理”。"},
    )
    reason = _reason("写入撤销办理决定书，或者随继续办理的决定留存。")
    until = _day("新的补交期限", "只在继续办理时填写，可不填；不填即继续等待，不定新的日期。", required=False)

    def clean(self) -> dict[str, Any]:
        """A day has no meaning for a handling that is cancelled."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("verdict") == "cancel" and data.get("until"):
            self.add_error("until", "撤销办理的，不填新的补交期限。")
        return data


class LaterExtensionForm(forms.Form):
    """容缺补交期限延长, once."""

    until = _day("延长至", "须晚于原来的期限；只能延长一次。")
    reason = _reason("延长的理由随决定留存，新的日期以短信告知申请人。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "extension_%s"} | kwargs))


class LaterSettlementForm(forms.Form):
    """容缺逾期的处理: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="处理",
        choices=(("apply", "适用逾期后果"), ("spare", "不适用逾期后果")),
        error_messages={"required": "请选择是否适用逾期的后果。"},
    )
    reason = _reason("理由以短信告知申请人，并随决定留存。")
