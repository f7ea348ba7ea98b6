"""Forms of what the window does for the applicant who stands there: 当场更正 and 撤回申请."""

from __future__ import annotations

from typing import Any

from django import forms

from approvals.forms import clean_phone
from approvals.models import Case


class MendForm(forms.Form):
    """Contact and content as they should have been; who applies is not among them."""

    contact_name = forms.CharField(label="联系人", max_length=40)
    contact_phone = forms.CharField(
        label="联系手机", max_length=30, help_text="接收办理短信和验证码；更正后，以前发出的验证码作废。"
    )
    content = forms.CharField(
        label="申请内容",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="地址、范围、规模等，写入决定书。审查期间审查人员可见，请勿写申请人名称。",
    )

    def __init__(self, case: Case, data: Any = None) -> None:
        names = ("contact_name", "contact_phone", "content")
        super().__init__(data, initial={name: getattr(case, name) for name in names})

    def clean_contact_phone(self) -> str:
        """Check the mobile number."""
        return clean_phone(self.cleaned_data["contact_phone"])


class WindowWithdrawalForm(forms.Form):
    """撤回申请 at the window: the clerk checked who stands there."""

    checked = forms.BooleanField(
        label="已核对申请人或者受托人的证件，并收下撤回的书面申请",
        error_messages={"required": "请核对证件并收下书面申请后勾选。"},
    )
    reason = forms.CharField(
        label="撤回的理由",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="申请人说明的理由，写入撤回申请确认书；可以不填。",
    )
