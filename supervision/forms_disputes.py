"""Forms of 不属本处室: they offer the offices that the task may go to; the actions check the rest."""

from __future__ import annotations

from itertools import groupby
from typing import Any, cast

from django import forms

from offices.models import OfficeQuerySet
from supervision.enums import DisputeOutcome


def office_choices(offices: OfficeQuerySet) -> list[tuple[str, Any]]:
    """Offices under the names of their departments; one statement."""
    rows = offices.select_related("department").order_by("department_id", "pk")
    groups = groupby(rows, key=lambda one: one.department.name)
    return [("", "请选择"), *((name, [(str(one.pk), one.name) for one in group]) for name, group in groups)]


def _office(label: str, help_text: str) -> forms.ModelChoiceField:  # type: ignore[type-arg]
    return forms.ModelChoiceField(
        None,
        label=label,
        required=False,
        help_text=help_text,
        error_messages={"invalid_choice": "请选择可选的处室，或者刷新后重新选择。"},
    )


def _offer(form: forms.Form, name: str, offices: OfficeQuerySet) -> None:
    field = cast("forms.ModelChoiceField[Any]", form.fields[name])
    field.queryset = offices
    field.widget.choices = office_choices(offices)


class DisputeForm(forms.Form):
    """An objection: why, and whose the task is."""

    reason = forms.CharField(
        label="理由",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="写明不属本处室职责的依据，例如三定方案、权责清单的条目。",
        error_messages={"required": "请写明这件任务为什么不属本处室职责。"},
    )
    proposed_office = _office("建议的处室", "知道应由哪个处室监管的，请选择；不清楚可以不选。")

    def __init__(self, *args: Any, offices: OfficeQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "proposed_office", offices)


class DecisionForm(forms.Form):
    """What the overseers decide, why, and for another office which."""

    outcome = forms.ChoiceField(
        label="处理",
        choices=DisputeOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择维持原派或者改派。"},
    )
    office = _office("改派到", "改派时必选；只列出本区划有可联系的处室管理员的监管处室。")
    reason = forms.CharField(
        label="处理理由",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "请写明处理的理由。"},
    )

    def __init__(self, *args: Any, offices: OfficeQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "office", offices)
