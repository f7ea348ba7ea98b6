"""Forms of 代码衔接; what the rules allow, ``credit.actions.joining`` says."""

from __future__ import annotations

from django import forms

from credit.actions import joining
from credit.models import SubjectLink

CARRIES = (("yes", "随同计算"), ("no", "不随同计算"))


def _words(label: str, longest: int, help_text: str, missing: str = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label, required=bool(missing), max_length=longest, help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing, "max_length": f"最多 {longest} 字，请精简。"},
    )  # fmt: skip


def _code(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=40, help_text=help_text, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": f"请填写{label}。", "max_length": "代码应为 18 位，请核对。"},
    )  # fmt: skip


class LinkForm(forms.Form):
    """A new link: two codes, how and since when, on what it rests."""

    before = _code("原代码", "被换发、被合并或者被分立的主体的统一社会信用代码。")
    after = _code("新代码", "承继的主体的统一社会信用代码；分立为几个的，每个登记一次。")
    kind = forms.ChoiceField(
        label="方式", choices=SubjectLink.Kind.choices, widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "请选择换发代码、吸收合并或者分立。"),
    )  # fmt: skip
    on = forms.DateField(
        label="生效日", input_formats=["%Y-%m-%d"], help_text="登记机关核准的日期。",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": "请填写生效日，以登记机关的文书为准。", "invalid": "请填写有效日期，例如 2026-09-28。",
        },
    )  # fmt: skip
    basis = _words(
        "依据", joining.LONGEST["basis"], "登记机关、文书名称和文号，至少 10 个字。",
        "请写明衔接的依据，例如登记机关的通知书文号。",
    )  # fmt: skip
    carries = forms.ChoiceField(
        label="原代码的信用记录", choices=CARRIES, widget=forms.RadioSelect,
        help_text="只有分立可以不随同计算。",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "请选择随同计算或者不随同计算。"),
    )  # fmt: skip
    carries_reason = _words("不随同计算的理由", joining.LONGEST["carries_reason"], "选择不随同计算的，须写明。", rows=2)
    # What the officer saw when it was checked; another proposal is shown before it is done.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class UndoForm(forms.Form):
    """撤销, with its reason."""

    reason = _words("撤销的理由", joining.LONGEST["reason"], "写明哪里有误，留痕备查。", "请写明撤销的理由。")
