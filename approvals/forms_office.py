"""Forms of the back office. What may be ticked comes from the item's published list; the actions check it."""

from __future__ import annotations

from typing import Any

from django import forms

from approvals.enums import CaseStatus

VERDICTS = (("approve", CaseStatus.APPROVED.label), ("reject", CaseStatus.REJECTED.label))


class Keys(forms.Field):
    """The ticked grounds, as sent; whether they are published is for the action to say."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        """Return the ticked keys, each once, in their order."""
        return list(dict.fromkeys(str(key) for key in value or []))


class OpinionForm(forms.Form):
    """审查意见: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="建议", choices=VERDICTS, error_messages={"required": "请选择“建议准予”或“建议不予”。"}
    )
    keys = Keys(label="不符合之处", required=False)
    text = forms.CharField(
        label="审查意见",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明审查情况和结论；不写申请人身份信息。",
        error_messages={"required": "请写明审查意见。"},
    )


class DecisionForm(forms.Form):
    """许可决定: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="决定", choices=VERDICTS, error_messages={"required": "请选择“准予许可”或“不予许可”。"}
    )
    keys = Keys(label="不予许可的理由", required=False)
    text = forms.CharField(
        label="说明",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不予许可时写入决定书；准予时可不填。",
    )
