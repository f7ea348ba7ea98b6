"""Forms of the back office. What may be ticked comes from the item's published list; the actions check it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms

from approvals.enums import CaseStatus
from approvals.sheets import Mark
from catalogue.models import Criterion
from deadlines.enums import PauseGround

VERDICTS = (("approve", CaseStatus.APPROVED.label), ("reject", CaseStatus.REJECTED.label))


class Keys(forms.Field):
    """The ticked grounds, as sent; whether they are published is for the action to say."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        """Return the ticked keys, each once, in their order."""
        return list(dict.fromkeys(str(key) for key in value or []))


class OpinionForm(forms.Form):
    """审查意见: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="建议", choices=VERDICTS, error_messages={"required": "请选择“建议准予”或“建议不予”。"}
    )
    keys = Keys(label="不符合之处", required=False)
    text = forms.CharField(
        label="审查意见",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明审查情况和结论；不写申请人身份信息。",
        error_messages={"required": "请写明审查意见。"},
    )


class DecisionForm(forms.Form):
    """许可决定: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="决定", choices=VERDICTS, error_messages={"required": "请选择“准予许可”或“不予许可”。"}
    )
    keys = Keys(label="不予许可的理由", required=False)
    text = forms.CharField(
        label="说明",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不予许可时写入决定书；准予时可不填。",
    )


class ProcedureForm(forms.Form):
    """启动特别程序: ground, law where the ground needs one, how long, who does what."""

    ground = forms.ChoiceField(label="事由", error_messages={"required": "请选择法律列明的事由。"})
    law = forms.CharField(
        label="法律依据",
        required=False,
        max_length=200,
        help_text="选“其他法律规定的事由”的，写明是哪部法律哪一条。",
    )
    estimated_days = forms.IntegerField(
        label="预计所需工作日",
        help_text="书面告知申请人；从明天起算。",
        error_messages={"required": "请填写预计所需的工作日数。", "invalid": "请填写整数，例如 15。"},
    )
    reason = forms.CharField(
        label="说明",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明由谁、就什么进行；写入告知书，不写申请人名称、证照号码和电话。",
        error_messages={"required": "请写明由谁、就什么进行这一程序。"},
    )

    def __init__(self, *args: Any, grounds: Iterable[PauseGround], **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "procedure_%s"} | kwargs))
        choice = cast("forms.ChoiceField", self.fields["ground"])
        choice.choices = [("", "请选择"), *((ground.value, ground.label) for ground in grounds)]
        choice.error_messages["invalid_choice"] = "只有法律列明的事由才能停止计算审批期限，请选择其中一项。"


class ProcedureEndForm(forms.Form):
    """结束特别程序: what came of it."""

    result = forms.CharField(
        label="结果",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明这一程序的结论；不写申请人名称、证照号码和电话。",
        error_messages={"required": "请写明这一程序的结果。"},
    )


class ExtensionForm(forms.Form):
    """申请延期: how much more, and why."""

    days = forms.IntegerField(
        label="延长", error_messages={"required": "请填写要延长多少。", "invalid": "请填写整数，例如 5。"}
    )
    reason = forms.CharField(
        label="延期的理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="批准后写入延期告知书，告知申请人；不写申请人名称、证照号码和电话。",
        error_messages={"required": "请写明延期的理由，批准后将告知申请人。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "extension_%s"} | kwargs))


class AnswerForm(forms.Form):
    """批复延期: the verdict is the button that was pressed; declining needs a reason."""

    verdict = forms.ChoiceField(
        label="批复",
        choices=(("grant", "批准"), ("decline", "不同意")),
        error_messages={"required": "请选择“批准”或“不同意”。"},
    )
    answer = forms.CharField(
        label="批复意见",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不同意的，须写明理由；批准的可不填。",
    )


class SheetForm(OpinionForm):
    """评分表 with the opinion that follows from it: one choice a criterion, and words on what it rests."""

    def __init__(self, *args: Any, criteria: Sequence[Criterion], pass_mark: int | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria, self.pass_mark = list(criteria), pass_mark
        for criterion in self.criteria:
            verb = "选择是否符合" if criterion.is_veto else "选择档次"
            self.fields[f"criterion_{criterion.pk}"] = forms.ChoiceField(
                label=criterion.name,
                choices=[(value, value) for value, _ in _degrees(criterion)],
                error_messages={
                    "required": f"请{verb}。",
                    "invalid_choice": "不是公布的档次，请重新选择。",
                },
            )
            self.fields[f"evidence_{criterion.pk}"] = forms.CharField(
                label=f"“{criterion.name}”的依据", required=False, max_length=500
            )

    def marks(self) -> dict[int, Mark]:
        """What was given for each criterion, of a valid form."""
        found = {}
        for criterion in self.criteria:
            said, evidence = (self.cleaned_data[f"{name}_{criterion.pk}"] for name in ("criterion", "evidence"))
            if criterion.is_veto:
                found[criterion.pk] = Mark(met=said == "met", evidence=evidence)
            else:
                found[criterion.pk] = Mark(points=int(said), evidence=evidence)
        return found

    @property
    def full(self) -> int:
        """The most that can be given."""
        return sum(criterion.max_score for criterion in self.criteria)

    @property
    def grid(self) -> list[dict[str, Any]]:
        """The rows of ``components/scoring_grid.html``."""
        return [self._row(criterion) for criterion in self.criteria]

    def _row(self, criterion: Criterion) -> dict[str, Any]:
        choice, evidence = self[f"criterion_{criterion.pk}"], self[f"evidence_{criterion.pk}"]
        chosen = str(choice.value() or "")
        degrees = [
            {"value": value, "text": text, "id": f"{choice.id_for_label}_{place}", "checked": value == chosen}
            for place, (value, text) in enumerate(_degrees(criterion))
        ]
        return {"criterion": criterion, "choice": choice, "degrees": degrees, "evidence": evidence}


def _degrees(criterion: Criterion) -> list[tuple[str, str]]:
    """The values that may be sent for a criterion, each with its words."""
    if criterion.is_veto:
        return [("met", "符合"), ("not", "不符合")]
    return [(str(grade["score"]), grade["text"]) for grade in criterion.grades]


class CountersignForm(forms.Form):
    """内部会签: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="会签",
        choices=(("agree", "同意"), ("disagree", "不同意")),
        error_messages={"required": "请选择“同意”或“不同意”。"},
    )
    text = forms.CharField(
        label="会签意见",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="从本处室职责出发写明意见；不写申请人身份信息。",
        error_messages={"required": "请写明会签意见。"},
    )


class SitePlanForm(forms.Form):
    """安排现场核查: the day, and why it is planned anew."""

    planned_on = forms.DateField(
        label="核查日期",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="系统从本处室现场核查人员中抽取两名；现场核查不停止计算审批期限。",
        error_messages={"required": "请选择核查日期。", "invalid": "请填写日期，例如 2026-10-09。"},
    )
    reason = forms.CharField(label="重新安排的原因", required=False, max_length=300, help_text="不写申请人身份信息。")

    def __init__(self, *args: Any, again: bool, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "site_%s"} | kwargs))
        if not again:
            del self.fields["reason"]


class SiteConfirmForm(forms.Form):
    """What the other of the two says to the report: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="意见",
        choices=(("confirm", "确认"), ("return", "退回")),
        error_messages={"required": "请选择“确认”或“退回”。"},
    )
    reason = forms.CharField(
        label="退回的理由", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="只在退回时填写：与现场不一致之处。不写申请人名称、证照号码、电话。",
    )  # fmt: skip


class SiteReportForm(forms.Form):
    """现场核查情况: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="结论",
        choices=(("conforms", "符合"), ("not", "不符合")),
        error_messages={"required": "请选择“符合”或“不符合”。"},
    )
    findings = forms.CharField(
        label="核查情况",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="审查人员会看到这段文字，但不知道是谁的办件：不写申请人名称、证照号码、电话。",
        error_messages={"required": "请写明核查情况。"},
    )
    place = forms.CharField(
        label="核查地点", required=False, max_length=200, help_text="存档用，决定作出前审查人员看不到。"
    )
