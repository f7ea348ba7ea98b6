"""Forms of 存量证照: a file, the rule of its batch, and from which day clocks run; the actions check the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms

from offices.models import Division
from supervision import starting

DAY_ERRORS = {"invalid": "请填写有效日期，例如 2026-10-10。"}


def _day(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=DAY_ERRORS,
        help_text=help_text,
    )


class UploadForm(forms.Form):
    """A file of old licences."""

    division = forms.ChoiceField(label="区划", error_messages={"required": "请选择区划。"})
    file = forms.FileField(
        label="存量证照表格",
        help_text="CSV 文件（UTF-8 或 GBK），不超过 20 MB、10 万行。",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={
            "required": "请选择要载入的文件。",
            "empty": "文件是空的，请重新选择。",
            "missing": "请选择要载入的文件。",
        },
    )

    def __init__(self, *args: Any, divisions: Sequence[Division], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.code, one.name) for one in divisions]
        field = self.fields["division"]
        field.choices = choices  # type: ignore[attr-defined]
        field.initial = choices[0][0]
        if len(choices) == 1:
            field.required = False
            field.widget = forms.HiddenInput()

    def clean_division(self) -> str:
        """The only division where there is one."""
        return str(self.cleaned_data["division"] or self.fields["division"].initial)


class LoadForm(forms.Form):
    """The rule of a batch: what it is called, whether tasks are opened, and for licences in force on which day."""

    name = forms.CharField(
        label="批次名称",
        max_length=120,
        error_messages={"required": "请填写批次名称。"},
        help_text="例如：2020—2025年食品经营许可。",
    )
    rule = forms.ChoiceField(
        label="规则",
        choices=[("tasks", "为仍在有效期内的证照生成监管任务"), ("none", "只载入证照，不生成任务")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择是否生成监管任务。"},
    )
    valid_on = _day("按哪一天判断有效", "这一天不在有效期内的证照只载入，不生成任务。")

    def rules(self) -> dict[str, Any]:
        """What the action is told."""
        data = self.cleaned_data
        return {"name": data["name"], "opens_tasks": data["rule"] == "tasks", "valid_on": data["valid_on"]}


class StartsForm(forms.Form):
    """The first day of each kind of clock; empty: from always."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in starting.KINDS_THAT_START:
            help_text = "此前发生的，视为在这一天发生；不填则没有启用日期。"
            self.fields[kind.value] = _day(starting.label(kind), help_text)

    def days(self) -> dict[str, dt.date | None]:
        """Kind → the day."""
        return {kind.value: self.cleaned_data[kind.value] for kind in starting.KINDS_THAT_START}
