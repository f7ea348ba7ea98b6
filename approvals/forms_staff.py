"""Forms of leave, conflicts and recusal; the actions check what they say."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from approvals.actions.drawing import LONGEST_REASON
from approvals.forms import clean_identifier
from credit.models import CreditSubject
from offices.models import User


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": f"请填写{label}。",
            "invalid": f"{label}不是有效日期，请按 2026-09-28 的样子填写。",
        },
    )


class LeaveForm(forms.Form):
    """登记请假."""

    starts_on = _day("开始日期", "当天起不再抽取。")
    ends_on = _day("结束日期", "含当天。")
    deputy = forms.ModelChoiceField(
        User.objects.none(),
        label="代理人",
        required=False,
        empty_label="不指定，重新抽取",
        help_text="登记之后才抽取到名下的办件，请假期间由代理人接办；登记之前的一律重新抽取。",
        error_messages={"invalid_choice": "所选代理人不在同部门人员中，请重新选择。"},
    )
    reason = forms.CharField(label="事由", required=False, max_length=200, help_text="可不填；请勿写病情等隐私。")

    def __init__(self, *args: Any, colleagues: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[User]", self.fields["deputy"]).queryset = colleagues


class ConflictForm(forms.Form):
    """申报回避."""

    kind = forms.ChoiceField(
        label="对方是",
        choices=CreditSubject.Kind.choices,
        widget=forms.RadioSelect,
        initial=CreditSubject.Kind.ORGANISATION,
        error_messages={"required": "请选择对方是单位还是个人。"},
    )
    identifier = forms.CharField(
        label="统一社会信用代码或身份证号码",
        max_length=60,
        error_messages={"required": "请填写统一社会信用代码或身份证号码。"},
    )
    name = forms.CharField(
        label="名称（姓名）", max_length=120, error_messages={"required": "请填写对方的名称或者姓名。"}
    )
    reason = forms.CharField(
        label="您与对方的关系",
        max_length=200,
        help_text="例如：配偶任该公司法定代表人；本人持股。",
        error_messages={"required": "请写明您与对方的关系。"},
    )

    def clean(self) -> dict[str, Any]:
        """Check the identifier by the kind of subject."""
        values = super().clean() or {}
        if values.get("identifier") and values.get("kind"):
            try:
                values["identifier"] = clean_identifier(values["kind"], values["identifier"])
            except ValidationError as error:
                self.add_error("identifier", error)
        return values


class RecusalForm(forms.Form):
    """回避并重新抽取."""

    reason = forms.CharField(
        label="回避的理由",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明为什么不宜由您办理；不写申请人名称、证照号码和电话。",
        error_messages={"required": "请写明回避的理由。"},
    )
