"""Forms of 整改、移送、撤销建议: they check what was typed; what the state and the rules allow, the actions say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms

from supervision.actions.ordering import LONGEST, LONGEST_ORDER
from supervision.enums import OrderStatus
from supervision.forms import DAY_ERRORS

OUTCOMES = (
    (OrderStatus.MENDED.value, "复查合格"),
    (OrderStatus.NOT_MENDED.value, "逾期未改或者复查不合格"),
    (OrderStatus.REFUSED.value, "拒不整改"),
)
VERDICTS = (("grant", "批准"), ("decline", "不批准"))


def _text(label: str, missing: str, longest: int, rows: int = 3, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=longest,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": missing, "max_length": f"最多 {longest} 字，请精简。"},
        **kwargs,
    )


def _day(label: str, missing: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": missing, **DAY_ERRORS},
        **kwargs,
    )


class OrderForm(forms.Form):
    """责令限期整改, prefilled from the findings."""

    facts = _text("违反的事实", "请写明事实。", LONGEST["facts"], 6, help_text="已按检查发现预填，请核对、补充。")
    basis = _text("依据", "请写明依据。", LONGEST["basis"], 2, help_text="法律、法规、规章或者标准的条款，写入通知书。")
    demands = _text("整改要求", "请写明整改要求。", LONGEST["demands"], 5, help_text="一行一项，写到当事人照着能做。")
    due_on = _day("整改期限", "请填写整改期限。", help_text="今天之后，最长 180 天；期限内可以申请延长一次。")
    consequence = _text("逾期后果", "请写明逾期后果。", LONGEST["consequence"], 2)

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_on"].widget.attrs |= {
            "min": (today + dt.timedelta(days=1)).isoformat(),
            "max": (today + LONGEST_ORDER).isoformat(),
        }


class AskExtensionForm(forms.Form):
    """申请延长整改期限: a day and a reason."""

    until = _day("申请延长至", "请填写延长后的期限。", help_text="只能延长一次，由部门负责人批准。")
    reason = _text("延长的理由", "请写明延长的理由。", LONGEST["reason"], help_text="写入延长通知书。")

    def __init__(self, *args: Any, due_on: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].widget.attrs["min"] = (due_on + dt.timedelta(days=1)).isoformat()


class AnswerExtensionForm(forms.Form):
    """批复: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(label="批复", choices=VERDICTS, error_messages={"required": "请选择“批准”或“不批准”。"})
    answer = _text("说明", "请写明理由。", LONGEST["answer"], required=False, help_text="不批准的，必须写明理由。")


class SettleForm(forms.Form):
    """认定整改结果."""

    outcome = forms.ChoiceField(
        label="整改结果", choices=OUTCOMES, widget=forms.RadioSelect, error_messages={"required": "请选择整改结果。"}
    )
    reason = _text(
        "认定理由",
        "请写明认定的理由。",
        2000,
        required=False,
        help_text="写入复查意见书；复查合格的可以不填，其他的至少 10 字。",
    )


class HandoverForm(forms.Form):
    """移送执法."""

    to_name = forms.CharField(
        label="接收单位",
        max_length=120,
        help_text="有权处罚的执法机关全称。",
        error_messages={"required": "请填写接收移送的单位。"},
    )
    facts = _text("违法事实", "请写明违法事实。", 4000, 6)
    basis = _text("移送依据", "请写明移送的依据。", 300, 2)


class ReceiptForm(forms.Form):
    """登记回执."""

    number = forms.CharField(label="回执编号", max_length=60, error_messages={"required": "请填写回执编号。"})
    received_on = _day("回执日期", "请填写回执日期。")


class HandoverResultForm(forms.Form):
    """登记处理结果; the task closes."""

    result = _text("处理结果", "请写明处理结果。", 2000, 4, help_text="登记后任务归档。")
    number = forms.CharField(
        label="处罚或处理文书号", max_length=60, error_messages={"required": "请填写处罚或者处理文书的文号。"}
    )
    result_on = _day("处理日期", "请填写处理日期。")


class ProposalForm(forms.Form):
    """建议撤销行政许可: facts and the evidence that goes with them."""

    facts = _text(
        "事实和理由", "请写明事实和理由。", 4000, 8, help_text="已按通知书和认定结果预填，请核对、补充，至少 10 字。"
    )
    keys = forms.MultipleChoiceField(
        label="证据",
        widget=forms.CheckboxSelectMultiple,
        help_text="整改通知书必须附上；审批部门可以查阅所选文书。",
        error_messages={"required": "请至少选择一项证据。", "invalid_choice": "请从列出的证据中选择。"},
    )

    def __init__(self, *args: Any, evidence: Sequence[dict[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["keys"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(one["key"], f"{one['label']}：{one['text']}") for one in evidence]
