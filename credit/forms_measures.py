"""Forms of 联合奖惩: they check what was typed; what the state and the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms

from credit.actions import measures
from credit.models import CreditRecord, JointMeasure, MeasureRule
from offices.models import Department


def _day(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label, input_formats=["%Y-%m-%d"], help_text=help_text,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": f"请填写{label}。", "invalid": "请填写有效日期，例如 2026-10-10。"},
    )  # fmt: skip


class MeasureForm(forms.Form):
    """实施联合奖惩: for whom, what, on which basis and record, from when until when.

    With ``record`` the subject and the record are known and not asked for; ``departments`` to choose of, if several.
    With ``rule`` the kind is the rule's.
    """

    department = forms.TypedChoiceField(
        label="决定单位", coerce=int, error_messages={"required": "请选择作出决定的单位。"}
    )
    identifier = forms.CharField(
        label="主体代码", max_length=40, help_text="统一社会信用代码；自然人填写身份证号码。",
        error_messages={"required": "请填写主体的代码或者号码。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="类别", choices=JointMeasure.Kind.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择联合激励或者联合惩戒。", "invalid_choice": "请选择联合激励或者联合惩戒。"},
    )  # fmt: skip
    source = forms.CharField(
        label="所依据记录的文书文号", max_length=60, required=False,
        help_text="联合惩戒依据信用记录的，填写认定文书的文号；记录修复后措施随之终止。",
    )  # fmt: skip
    what = forms.CharField(
        label="措施", max_length=measures.LONGEST["what"], widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明具体措施，例如：限制申请财政补助资金。",
        error_messages={"required": "请写明采取的措施。", "max_length": "最多 500 字，请精简。"},
    )  # fmt: skip
    basis = forms.CharField(
        label="法律依据", max_length=measures.LONGEST["basis"], required=False,
        help_text="法律、法规或者文件的名称和条款；联合惩戒依据信用记录的，可以不填，适用该记录的依据。",
        error_messages={"max_length": "最多 200 字，请精简。"},
    )  # fmt: skip
    starts_on = _day("开始日期", "今天或者以后，最晚一年以内。")
    ends_on = _day("结束日期", "当日仍然实施；不得晚于所依据记录的公示截止日，没有记录的最长三年。")

    def __init__(
        self, *args: Any, departments: Sequence[Department], record: CreditRecord | None, today: dt.date,
        rule: MeasureRule | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        chosen = self.fields["department"]
        assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 - declared above
        chosen.choices = [(one.pk, one.name) for one in departments]
        if len(departments) < 2:
            del self.fields["department"]
        if record is not None:
            del self.fields["identifier"], self.fields["source"]
        if rule is not None:
            del self.fields["kind"]
        for name in ("starts_on", "ends_on"):
            self.fields[name].widget.attrs["min"] = today.isoformat()


class EndForm(forms.Form):
    """提前终止, with reasons."""

    reason = forms.CharField(
        label="提前终止的理由", max_length=measures.LONGEST["reason"], widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明提前终止的理由。", "max_length": "最多 2000 字，请精简。"},
    )  # fmt: skip
