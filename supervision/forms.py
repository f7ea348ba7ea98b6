"""Forms of the supervision side: they check what was typed; what the state and the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

from django import forms

from offices.models import User
from supervision import officers
from supervision.actions.taking import DRAWN_IS_CHECKED, PROMISED_IS_CHECKED, has_passed, measures_for
from supervision.enums import Measure, Origin, Platform, Result
from supervision.models import SupervisionTask

STAYS = "这位检查人员由抽签选定，能够办理的不能更换。"
DAY_ERRORS = {"invalid": "请填写有效日期，例如 2026-10-10。"}


def _day(label: str, missing: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": missing, **DAY_ERRORS},
        **kwargs,
    )


class PlanForm(forms.Form):
    """A measure, what it goes with, a day and a reason: what acknowledgement and every change of plan ask."""

    measure = forms.ChoiceField(
        label="监管措施", choices=Measure.choices, error_messages={"required": "请选择一项监管措施。"}
    )
    planned_finish_on = _day(
        "计划完成日", "请填写计划完成日，否则反馈期限无从起算。", help_text="已按 5 个工作日预填，可以修改。"
    )
    measure_with = forms.CharField(
        label="并入的计划或检查",
        required=False,
        max_length=120,
        help_text="选“纳入双随机抽查”“并入综合查一次”时必填：哪个抽查计划，或者哪次检查。",
    )
    reason = forms.CharField(
        label="说明",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="选“暂不检查”时必填，计划完成日即复核日；其他措施可不填。",
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned_finish_on"].widget.attrs["min"] = today.isoformat()


def _officer(label: str, **kwargs: Any) -> forms.ModelChoiceField[User]:
    return forms.ModelChoiceField(
        User.objects.none(),
        label=label,
        required=False,
        error_messages={"invalid_choice": "这位人员不在本处室任职，或者正在请假，请另选。"},
        **kwargs,
    )


def _offer(form: forms.Form, task: SupervisionTask, today: dt.date) -> None:
    """Put the people of the task's office who are at work into the officers' fields."""
    people = officers.eligible(task.office_id, today)
    for name in ("first_officer", "second_officer"):
        field = form.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = people
    if task.sub_item.two_officers:
        form.fields["second_officer"].help_text = "现场检查须两人以上。"


def _offer_drawn(form: forms.Form, task: SupervisionTask, today: dt.date) -> None:
    """Who was drawn by lot stays; whoever can no longer serve may give way to somebody else of the pool."""
    gone = officers.unable(task, today)
    stand_ins = list(officers.stand_ins(task, today).values_list("pk", flat=True))
    for name, person in (("first_officer", task.first_officer), ("second_officer", task.second_officer)):
        field = cast("forms.ModelChoiceField[User]", form.fields[name])
        own = [person.pk] if person else []
        stays = person is not None and person.pk not in gone
        field.queryset = User.objects.filter(pk__in=own if stays else own + stand_ins).order_by("full_name", "pk")
        field.required, field.empty_label = True, None if person else "请选择"
        field.error_messages["required"] = "双随机抽查由抽签选定的两人检查，不能减为一人。"
        field.error_messages["invalid_choice"] = STAYS if stays else "须从抽查人员池中在岗、不需回避的人员中选。"
        field.help_text = "由抽签选定，不能更换。" if stays else "不能继续办理的，从抽查人员池的其他人员中选。"
    form.fields["reason"] = forms.CharField(
        label="更换的原因",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="更换时必填，记入办理经过。",
    )


class OfficersForm(forms.Form):
    """分派: the first and the second officer, of the task's office and at work today; drawn by lot, as they are."""

    first_officer = _officer("主办人员", empty_label="请选择")
    second_officer = _officer("协办人员", empty_label="不安排")

    def __init__(self, *args: Any, task: SupervisionTask, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if task.origin == Origin.DRAW:
            _offer_drawn(self, task, today)
            return
        _offer(self, task, today)
        self.fields["first_officer"].required = True
        self.fields["first_officer"].error_messages["required"] = "请选择主办人员。"


class AcknowledgeForm(PlanForm):
    """签收: a measure and a planned finish day (L9c), and who does it where that is known already."""

    first_officer = _officer("主办人员", empty_label="稍后分派")
    second_officer = _officer("协办人员", empty_label="不安排")

    def __init__(self, *args: Any, task: SupervisionTask, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        if task.origin == Origin.DRAW:  # drawn by lot; who can no longer serve is replaced by itself, with a reason
            del self.fields["first_officer"], self.fields["second_officer"]
        else:
            _offer(self, task, today)


def _measures(tasks: Sequence[SupervisionTask]) -> forms.ChoiceField:
    """What at least one of these tasks may be taken with, and the sentence for what none may."""
    allowed = {measure for task in tasks for measure in measures_for(task)} if tasks else set(Measure)
    drawn = any(task.origin == Origin.DRAW for task in tasks)
    return forms.ChoiceField(
        label="监管措施",
        choices=[one for one in Measure.choices if one[0] in allowed],
        widget=forms.RadioSelect,
        error_messages={
            "required": "请选择一项监管措施。",
            "invalid_choice": DRAWN_IS_CHECKED if drawn else PROMISED_IS_CHECKED,
        },
    )


class ReplanForm(PlanForm):
    """变更计划: another measure or day, always with a reason."""

    def __init__(self, *args: Any, task: SupervisionTask, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.fields["measure"] = _measures([task])
        self.fields["planned_finish_on"].help_text = "选“暂不检查”的，填复核日。"
        if has_passed(task, today):
            self.fields["planned_finish_on"].help_text = "计划完成日已过，不能再改，照填原来的日期。"
            self.fields["planned_finish_on"].widget.attrs.pop("min")
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "变更监管措施或计划完成日须说明原因。"
        self.fields["reason"].label = "变更的原因"
        self.fields["reason"].help_text = "记入办理经过。"


class BulkForm(PlanForm):
    """批量签收: like tasks, one measure, one day."""

    def __init__(self, *args: Any, tasks: Sequence[SupervisionTask], today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, today=today, **kwargs)
        self.fields["measure"] = _measures(tasks)


class ReasonForm(forms.Form):
    """A reason and nothing else."""

    reason = forms.CharField(
        label="理由",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明理由。"},
    )


class GraveReasonForm(ReasonForm):
    """A reason for what ends a matter for good."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "写明具体情况，至少 10 字。"


class VisitForm(forms.Form):
    """申请入企检查: what for, when, and why it does not count where the cap is reached."""

    planned_on = _day("计划入企的日期", "请填写计划入企的日期。")
    purpose = forms.CharField(
        label="目的和内容",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="例如：核查承诺的设备和人员是否到位。",
        error_messages={"required": "请写明入企检查的目的和内容。"},
    )
    exemption = forms.CharField(
        label="不计入年度上限的理由",
        required=False,
        max_length=200,
        help_text="仅限投诉举报线索、转办交办、数据监测异常等情形；没有的不填。",
    )

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned_on"].widget.attrs["min"] = today.isoformat()


class VisitAnswerForm(forms.Form):
    """批准或不批准入企检查."""

    verdict = forms.ChoiceField(
        choices=[("approve", "批准"), ("refuse", "不批准")],
        error_messages={"required": "请选择批准或者不批准。", "invalid_choice": "请选择批准或者不批准。"},
    )
    reason = forms.CharField(
        label="说明",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不批准时必填。",
    )


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
