"""Forms of the credit side: they check what was typed; what the state and the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from credit.actions import judging, repairing
from credit.listing import BY_CODE, OF_FACT
from credit.models import CreditFact, CreditSubject, Level, Repair
from credit.models.records import KEPT

SERVED = ("当面送达", "邮寄送达", "电子送达", "留置送达", "公告送达")
DECISIONS = (("record", "予以记录"), ("drop", "不予记录"))
VERDICTS = (("grant", "同意"), ("refuse", "不同意"))


def _text(label: str, missing: str, longest: int, rows: int = 4, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing, "max_length": f"最多 {longest} 字，请精简。"},
        **kwargs,
    )


class TellForm(forms.Form):
    """告知拟认定失信: the entry of the list, the level, the facts, how it was served, whose it is."""

    identifier = forms.CharField(
        label="主体代码",
        max_length=40,
        error_messages={"required": "请填写认定文书上的代码或者号码，核对是不是同一主体。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    listed = forms.ChoiceField(
        label="目录项", widget=forms.RadioSelect, help_text="目录以外的行为不能认定为失信。",
        error_messages={"required": "请选择目录项。", "invalid_choice": "这条事实不属于所选的目录项。"},
    )  # fmt: skip
    level = forms.ChoiceField(
        label="等级", choices=Level.choices, widget=forms.RadioSelect,
        help_text="轻微的一般不公示；一般的公示 3 个月至 1 年；严重的公示 1 至 3 年，自认定之日起算。",
        error_messages={"required": "请选择等级。", "invalid_choice": "请选择轻微、一般或者严重。"},
    )  # fmt: skip
    text = _text("拟认定的事实", "请写明拟认定的事实，告知书将载明。", judging.LONGEST["text"], 5)
    how = forms.ChoiceField(
        label="送达方式", choices=[(one, one) for one in SERVED], help_text="短信只作提醒，不代替告知书的送达。",
        error_messages={"required": "请选择送达方式。", "invalid_choice": "请选择列出的送达方式。"},
    )  # fmt: skip

    def __init__(self, *args: Any, fact: CreditFact, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entries = [BY_CODE[code] for code in OF_FACT.get(fact.kind, ())]
        labels = {str(value): str(label) for value, label in Level.choices}
        levels = {one.code: "、".join(labels[level] for level in one.levels) for one in entries}
        listed = self.fields["listed"]
        assert isinstance(listed, forms.ChoiceField)  # noqa: S101 - declared above
        listed.choices = [(one.code, f"{one.code} {one.name}（{levels[one.code]}）") for one in entries]
        person = fact.subject.kind == CreditSubject.Kind.PERSON
        what = "身份证号码" if person else "统一社会信用代码"
        self.fields["identifier"].label = what
        self.fields["identifier"].help_text = f"照认定文书填写{what}，与这条事实的主体核对，避免记到其他主体名下。"


def proposed(fact: CreditFact) -> dict[str, str]:
    """What the form says at first: the entry of the list that fits the fact, its first level, what the finding says.

    A revocation is proposed as a fraud only where its ground says so.
    """
    codes = OF_FACT.get(fact.kind, ())
    if fact.kind == CreditFact.Kind.REVOKED and "不正当手段" not in fact.basis:
        codes = tuple(reversed(codes))
    first = BY_CODE[codes[0]] if codes else None
    return {
        "listed": first.code if first else "",
        "level": first.levels[0] if first else "",
        "text": f"{fact.get_kind_display()}（{fact.basis}）。",
        "how": SERVED[0],
    }


class ObjectionForm(forms.Form):
    """异议, as the subject put it."""

    text = _text(
        "异议的内容和理由", "请写明异议的内容和理由。", judging.LONGEST["objection"], 5,
        help_text="照当事人的陈述记录；书面异议请摘录要点。",
    )  # fmt: skip


class DecisionForm(forms.Form):
    """决定: recorded or not; the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="决定", choices=DECISIONS, error_messages={"required": "请选择“予以记录”或“不予记录”。"}
    )
    final_on = forms.DateField(
        label="认定文书生效日", required=False, input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="复议、诉讼期限届满之日，或者复议、判决维持之日；还没有生效的，不能记录。",
        error_messages={"invalid": "请填写有效日期，例如 2026-10-10。"},
    )  # fmt: skip
    reason = _text("决定理由", "请写明决定的理由。", judging.LONGEST["reason"], 4, help_text="有异议的，请逐条回应。")

    def __init__(self, *args: Any, found_on: dt.date, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["final_on"].widget.attrs |= {"min": found_on.isoformat(), "max": today.isoformat()}

    def clean(self) -> dict[str, Any]:
        """Where something else is missing, the day that a record takes is asked for in the same answer."""
        said = super().clean() or self.cleaned_data
        if self.errors and said.get("verdict") == "record" and "final_on" in said and said["final_on"] is None:
            self.add_error("final_on", "请填写认定文书的生效日；还在复议、诉讼期限内或者正在复议、诉讼的，不能记录。")
        return said


class AskForm(forms.Form):
    """修复 or 更正, as the subject asks for it."""

    ground = forms.ChoiceField(
        label="申请事由", choices=Repair.Ground.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择申请的事由。", "invalid_choice": "请选择列出的事由。"},
    )  # fmt: skip
    statement = _text(
        "申请人陈述", "请写明申请的理由和纠正的情况。", repairing.LONGEST["statement"], 5,
        help_text="申请修复的，写明怎样纠正；申请更正的，写明哪里有误。",
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str = "", **kwargs: Any) -> None:
        """``kind``: that of the record; what speaks for a subject can only be withdrawn as wrong."""
        super().__init__(*args, **kwargs)
        if kind in KEPT:
            ground = self.fields["ground"]
            assert isinstance(ground, forms.ChoiceField)  # noqa: S101 - declared above
            ground.choices = [one for one in Repair.Ground.choices if one[0] == Repair.Ground.WRONG]
            ground.initial = Repair.Ground.WRONG
            self.fields["statement"].help_text = "写明记录哪里有误。"


class SettleForm(forms.Form):
    """决定 on a request; the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(label="决定", choices=VERDICTS, error_messages={"required": "请选择“同意”或“不同意”。"})
    reason = _text(
        "决定理由", "请写明决定的理由；理由会告知申请人。", repairing.LONGEST["reason"], 3,
        help_text="短信告知申请人，请不要写身份证号码。",
    )  # fmt: skip


class NoticeForm(forms.Form):
    """信用平台的修复通知."""

    notice = forms.CharField(
        label="通知编号", max_length=repairing.LONGEST["notice"],
        error_messages={"required": "请填写修复通知的编号。", "max_length": "通知编号最多 60 字。"},
    )  # fmt: skip
    text = _text("通知内容", "请写明修复通知的内容。", repairing.LONGEST["reason"], 3)
