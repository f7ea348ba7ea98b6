"""Forms of 检查: the record made in the field, and a new version of a checklist."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms

from catalogue.models.supervision import MOST_PLAN_DAYS
from offices.models import User
from supervision.actions.inspecting import LONGEST_WORDS, FindingDraft, InspectionDraft, assigned, is_owed, worst
from supervision.checklists import Asked
from supervision.enums import InspectionKind, Measure, OffSite, Result
from supervision.models import SupervisionTask

MOMENT = "%Y-%m-%dT%H:%M"
ON_SITE = ("", "现场检查")
STALE = "页面已过期，请刷新后重新打开。"
ON_THE_SPOT = {
    "second_officer": "现场检查须两人以上，请选择另一名检查人员。",
    "showed_identity": "现场检查须出示执法证件，请确认已出示。",
    "identity_numbers": "请填写两名检查人员的执法证号。",
}

# Neither always asked for nor left to the person; their helps, or the answer, say when.
CONDITIONAL = ("off_site", "second_officer", "identity_numbers", "signer", "unsigned_reason")


class Keys(forms.Field):
    """The client keys of the photos that belong to the record; what is no key is dropped."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[uuid.UUID]:
        """Return the keys, each once."""
        found: list[uuid.UUID] = []
        for text in value or []:
            try:
                found.append(uuid.UUID(str(text)))
            except ValueError:
                continue
        return list(dict.fromkeys(found))


def _text(label: str, longest: int, missing: str = "", rows: int = 0, **kwargs: Any) -> forms.CharField:
    """A text field; required with the sentence ``missing``, of several rows or of one."""
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    errors = {"required": missing, "max_length": f"{label}最多 {longest} 字。"}
    return forms.CharField(
        label=label, max_length=longest, required=bool(missing), widget=widget, error_messages=errors, **kwargs
    )


def _moment(label: str, missing: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=[MOMENT, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local"}),
        error_messages={"required": missing, "invalid": "请填写有效时间，例如 2026-09-28 10:30。"},
    )


class InspectForm(forms.Form):
    """检查记录: one field and one text for everything that has to be found out."""

    client_key = forms.UUIDField(
        label="草稿标识", widget=forms.HiddenInput, error_messages={"required": STALE, "invalid": STALE}
    )
    checklist_version = forms.IntegerField(
        label="检查表版本", widget=forms.HiddenInput, min_value=0, max_value=32767,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), STALE),
    )  # fmt: skip
    off_site = forms.ChoiceField(label="检查方式", required=False, choices=[ON_SITE, *OffSite.choices])
    place = _text("检查地点", 200, "请填写检查地点；非现场检查填写所用的系统或资料。")
    began_at = _moment("开始时间", "请填写开始时间。")
    ended_at = _moment("结束时间", "请填写结束时间。")
    first_officer = forms.TypedChoiceField(
        label="检查人员一", coerce=int, error_messages={"required": "请选择检查人员。"}
    )
    second_officer = forms.TypedChoiceField(label="检查人员二", coerce=int, empty_value=None, required=False)
    showed_identity = forms.BooleanField(label="已向被检查对象出示执法证件", required=False)
    identity_numbers = _text("执法证号", 120, help_text="两人各自的证号，用顿号隔开。")
    summary = _text("检查情况", 2000, "请填写检查情况。", rows=4)
    result = forms.ChoiceField(
        label="检查结论",
        choices=Result.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择检查结论。"},
    )
    remarks = _text("被检查对象意见", 1000, rows=2)
    signer = _text("被检查对象签名", 40, help_text="由对方本人或现场负责人输入姓名。")
    confirmed = forms.BooleanField(label="以上记录已当场看过，姓名由本人输入，内容属实", required=False)
    unsigned_reason = _text("未签名的原因", 200, help_text="没有签名的，必须写明，例如拒绝签名、无人在场。")
    photos = Keys(required=False)

    def __init__(
        self,
        *args: Any,
        task: SupervisionTask,
        kind: InspectionKind,
        asked: Sequence[Asked],
        officers: Sequence[User],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.asked = kind, list(asked)
        people = [(str(person.pk), person.full_name) for person in officers]
        for name in ("first_officer", "second_officer"):
            field = cast(forms.ChoiceField, self.fields[name])
            field.choices = [("", "请选择"), *people]
            field.error_messages["invalid_choice"] = "该人员不在本处室任职或者在请假，请另选。"
        if assigned(task):
            self.fields["first_officer"].help_text = "由办理人员检查；由其他人检查的，请先在任务页分派或者改派。"
        self._manner(task)
        for name in CONDITIONAL:
            self.fields[name].conditional = True  # type: ignore[attr-defined]  # read by components/_field_mark.html
        for one in self.asked:
            self.fields[one.name] = forms.ChoiceField(
                label=one.text,
                choices=Result.choices,
                widget=forms.RadioSelect,
                help_text=f"依据：{one.basis}" if one.basis else "",
                error_messages={"required": "请核对这一项。"},
            )
            self.fields[f"{one.name}-words"] = _text("情况说明", LONGEST_WORDS, rows=2)

    def _manner(self, task: SupervisionTask) -> None:
        """What the measure leaves open: on the spot, not on the spot, or either."""
        field = cast(forms.ChoiceField, self.fields["off_site"])
        open_to_both = self.kind == InspectionKind.AGAIN or task.measure not in {Measure.ON_SITE, Measure.OFF_SITE}
        if open_to_both or (task.measure == Measure.ON_SITE and is_owed(task)):
            self.manner = "either"
        elif task.measure == Measure.ON_SITE:
            self.manner = "on_site"
            for name, missing in ON_THE_SPOT.items():
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = missing
            field.choices, field.widget = [ON_SITE], forms.HiddenInput()
        else:
            self.manner = "off_site"
            field.choices, field.required = [("", "请选择"), *OffSite.choices], True
            field.error_messages["required"] = "请选择非现场检查的方式。"

    def clean(self) -> dict[str, Any]:
        """Say at once all that can be said; what the state and the rules allow, the action says."""
        data: dict[str, Any] = super().clean() or {}
        results = []
        for one in self.asked:
            result = data.get(one.name)
            results.append(result)
            if result and result != Result.CONFORMING and not data.get(f"{one.name}-words", "").strip():
                self.add_error(f"{one.name}-words", "不是“符合”的，请写明情况。")
        if data.get("result") and all(results) and (whole := worst([str(one) for one in results])) != data["result"]:
            self.add_error("result", f"逐项结果中最差的是“{whole.label}”，检查结论应与之一致。")
        if not data.get("off_site") and "off_site" not in self.errors:
            self._on_the_spot(data)
        return data

    def _on_the_spot(self, data: dict[str, Any]) -> None:
        for name, missing in ON_THE_SPOT.items():
            if not data.get(name) and name not in self.errors:
                self.add_error(name, missing)
        if data.get("signer") and not data.get("confirmed"):
            self.add_error("confirmed", "请由被检查对象确认签名；拒绝签名的，删去姓名并写明原因。")
        elif not data.get("signer") and not data.get("unsigned_reason"):
            self.add_error("signer", "请由被检查对象签名；未签名的，须写明原因。")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Everything that has to be found out, with its fields and the name of its photos."""
        return [
            {"asked": one, "field": self[one.name], "words": self[f"{one.name}-words"], "photo": f"photo-{one.name}"}
            for one in self.asked
        ]

    def draft(self, extra: Sequence[uuid.UUID] = ()) -> InspectionDraft:
        """What a valid form says; ``extra``: photos that came with the form itself."""
        data = self.cleaned_data
        same = (
            "client_key", "checklist_version", "off_site", "place", "began_at", "ended_at", "second_officer",
            "showed_identity", "identity_numbers", "result", "summary", "remarks", "signer", "confirmed",
            "unsigned_reason",
        )  # fmt: skip
        return InspectionDraft(
            **{name: data[name] for name in same},
            first_officer=data["first_officer"],
            kind=self.kind,
            findings=[
                FindingDraft(one.kind.value, one.key, data[one.name], data[f"{one.name}-words"]) for one in self.asked
            ],
            photos=list(dict.fromkeys([*data["photos"], *extra])),
        )


class PhotoForm(forms.Form):
    """One photo of a draft, with the keys that make it one however often it comes."""

    draft_key = forms.UUIDField()
    client_key = forms.UUIDField()
    finding = forms.CharField(max_length=50, required=False)
    taken_at = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M:%S%z", MOMENT])
    file = forms.FileField(
        allow_empty_file=True, max_length=255, error_messages={"required": "请选择照片。", "missing": "请选择照片。"}
    )


class PlanLimitForm(forms.Form):
    """The most days of a plan, and why."""

    days = forms.IntegerField(
        label="最长天数",
        min_value=1,
        max_value=MOST_PLAN_DAYS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=f"从签收起算，1 到 {MOST_PLAN_DAYS} 天。",
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), f"请填写 1 到 {MOST_PLAN_DAYS} 之间的天数。"
        ),
    )
    reason = forms.CharField(
        label="设定的理由",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="例如依据哪份文件；记入设定经过。",
        error_messages={"required": "请写明为什么这样设定。", "max_length": "理由最多 300 字。"},
    )


class ChecklistForm(forms.Form):
    """A new version: lines of a point and its basis; emptied lines fall away."""

    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    note = forms.CharField(
        label="修订说明",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="改了什么、为什么改，例如依据哪份新文件。",
        error_messages={"required": "请写明这次改了什么、为什么改。", "max_length": "修订说明最多 300 字。"},
    )
    points = forms.Field(required=False, label="检查要点", widget=forms.MultipleHiddenInput)
