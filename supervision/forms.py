"""Forms of the supervision side: they check what was typed; what the state and the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from supervision.enums import Measure, Platform, Result

DAY_ERRORS = {"invalid": "请填写有效日期，例如 2026-10-10。"}


def _day(label: str, missing: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": missing, **DAY_ERRORS},
        **kwargs,
    )


class AcknowledgeForm(forms.Form):
    """签收: a measure and a planned finish day (L9c)."""

    measure = forms.ChoiceField(
        label="监管措施", choices=Measure.choices, error_messages={"required": "请选择一项监管措施。"}
    )
    planned_finish_on = _day(
        "计划完成日", "请填写计划完成日，否则反馈期限无从起算。", help_text="已按 5 个工作日预填，可以修改。"
    )
    reason = forms.CharField(
        label="说明",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="选“暂不检查”时必填；其他措施可不填。",
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned_finish_on"].widget.attrs["min"] = today.isoformat()


class FinishForm(forms.Form):
    """完成监管: on which day; not in the future."""

    finished_on = _day(
        "完成监管日", "请填写完成监管的日期。", help_text="监管工作实际完成的那一天；5 个工作日的反馈期限从这一天起算。"
    )

    def __init__(self, *args: Any, today: dt.date, earliest: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["finished_on"].widget.attrs |= {"max": today.isoformat(), "min": earliest.isoformat()}


class FeedbackForm(forms.Form):
    """反馈: clause by clause, the whole result, on which platform, under which number (L10a, L10b)."""

    result = forms.ChoiceField(
        label="监管结果",
        choices=Result.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择监管结果。"},
    )
    text = forms.CharField(
        label="情况说明",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "请填写情况说明。"},
    )
    platform = forms.ChoiceField(
        label="开展监管工作的平台",
        choices=[("", "请选择"), *Platform.choices],
        error_messages={"required": "请选择开展监管工作的平台。"},
    )
    platform_number = forms.CharField(
        label="该平台的文书编号",
        max_length=60,
        help_text="检查记录、文书在该平台的编号。",
        error_messages={"required": "请填写该平台的文书编号。"},
    )

    def __init__(self, *args: Any, clauses: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clause_names = [f"clause_{number}" for number in range(1, len(clauses) + 1)]
        for number, (name, clause) in enumerate(zip(self.clause_names, clauses, strict=True), start=1):
            self.fields[name] = forms.ChoiceField(
                label=f"承诺第 {number} 条：{clause}",
                choices=Result.choices,
                widget=forms.RadioSelect,
                error_messages={"required": "请核查这一条承诺。"},
            )

    @property
    def clause_fields(self) -> list[forms.BoundField]:
        """The fields of the promise clauses, in their order."""
        return [self[name] for name in self.clause_names]

    def clause_results(self) -> list[str]:
        """The findings per clause of a valid form."""
        return [self.cleaned_data[name] for name in self.clause_names]


class CloseForm(forms.Form):
    """归档: what was done about a finding that was not fully conforming."""

    follow_up = forms.CharField(
        label="后续处理情况",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="例如责令改正、复查结果。",
        error_messages={"required": "归档前请写明后续处理情况。"},
    )
