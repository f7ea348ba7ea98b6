"""Forms of 更正检查记录."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from supervision.actions.correcting import LONGEST
from supervision.models import Inspection

VERDICTS = (("grant", "批准作废"), ("refuse", "不批准"))


def _words(label: str, help_text: str, missing: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=help_text,
        error_messages={"required": missing, "max_length": f"最多 {LONGEST} 字，请精简。"},
    )


def name_of(record: Inspection) -> str:
    """A record in one line: 第 2 次，2026-09-28，不符合."""
    return f"第 {record.order} 次，{timezone.localtime(record.ended_at):%Y-%m-%d}，{record.get_result_display()}"


class SetAsideForm(forms.Form):
    """申请作废: which record, and what is wrong with it."""

    record = forms.TypedChoiceField(
        label="检查记录",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择要作废的检查记录。", "invalid_choice": "请选择列出的检查记录。"},
    )
    reason = _words("作废的理由", "错在哪里、怎样发现，至少 10 字；随记录留存。", "请写明作废的理由。")

    def __init__(self, *args: Any, records: Sequence[Inspection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["record"]
        field.choices = [(one.order, name_of(one)) for one in records]


class SetAsideAnswerForm(forms.Form):
    """批复: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        choices=VERDICTS,
        error_messages={"required": "请选择批准或者不批准。", "invalid_choice": "请选择批准或者不批准。"},
    )
    answer = _words("批复理由", "批准、不批准都须写明，至少 10 字；随记录留存。", "请写明批准或者不批准的理由。")
