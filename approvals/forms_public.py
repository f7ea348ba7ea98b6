"""Forms of the public side."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from approvals.numbers import is_case_number, read_case_number
from approvals.progress import clean
from credit.forms import AskForm, ObjectionForm


class ProgressForm(forms.Form):
    """Case number and query code, typed, pasted or scanned; full width and lower case are put right."""

    number = forms.CharField(
        label="办件编号", max_length=60, help_text="接收凭证上的 21 位编号，也可扫描凭证上的二维码"
    )
    code = forms.CharField(label="查询码", max_length=40, help_text="接收凭证上的 8 位字母和数字，不分大小写")

    def clean_number(self) -> str:
        """Return the number in its one shape; its check character tells a slip of the pen at once."""
        number = read_case_number(clean(self.cleaned_data["number"]))
        if len(number) != 21:
            raise ValidationError(f"办件编号是 21 位，您填写了 {len(number)} 位，请核对接收凭证。")
        if not is_case_number(number):
            raise ValidationError("办件编号有一位不对（末位校验不符），请核对接收凭证。")
        return number

    def clean_code(self) -> str:
        """Return the code in its one shape."""
        code = clean(self.cleaned_data["code"])
        if len(code) != 8:
            raise ValidationError(f"查询码是 8 位，您填写了 {len(code)} 位，请核对接收凭证。")
        return code


class VerifyForm(forms.Form):
    """The code at the foot of a paper."""

    code = forms.CharField(label="核验码", max_length=200, help_text="文书下方二维码旁的一串字母和数字，区分大小写")

    def clean_code(self) -> str:
        """Take the last part of a scanned address."""
        text: Any = self.cleaned_data["code"]
        code = "".join(str(text).split()).rstrip("/").rpartition("/")[2]
        if not code.replace("-", "").replace("_", "").isalnum() or not code.isascii():
            raise ValidationError("核验码只有字母、数字、短横和下划线，请核对文书下方的文字。")
        return code


class CodeForm(forms.Form):
    """The code that came by SMS."""

    sms_code = forms.CharField(label="短信验证码", max_length=40, help_text="短信里的 6 位数字")

    def clean_sms_code(self) -> str:
        """Return six digits in half width."""
        code = clean(self.cleaned_data["sms_code"])
        if len(code) != 6 or not code.isdecimal():
            raise ValidationError("验证码是 6 位数字，请核对短信。")
        return code


class OwnObjectionForm(ObjectionForm):
    """异议, in the subject's own words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].help_text = "写明哪些事实不对、为什么，最多 4000 字；证明材料请交认定单位。"


class OwnAskForm(AskForm):
    """修复 or 更正, in the subject's own words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statement = self.fields["statement"]
        statement.label = "理由和纠正的情况"
        statement.help_text = "申请修复的，写明怎样纠正；申请更正的，写明哪里有误。最多 4000 字；证明材料请交认定单位。"


class WithdrawalForm(forms.Form):
    """撤回申请: a reason may be told, and need not be."""

    reason = forms.CharField(
        label="撤回的理由",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写入撤回申请确认书。",
    )
