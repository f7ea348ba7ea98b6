"""Forms of a revocation and of changes of a licence.

What has to be filled in for some choices only carries no mark (``conditional``): its help says when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from django import forms

from approvals.actions.licences import BY_HAND
from approvals.actions.revoking import LEAST_DAYS, LONGEST, MOST_DAYS
from approvals.enums import HearingWish, RevocationGround

DAY_ERRORS = {"required": "请选择日期。", "invalid": "请按 2026-10-20 的样子填写日期。"}
WISH_ERRORS = {"required": "请选择是否要求听证。"}
NONE = [("", "请选择")]


F = TypeVar("F", bound=forms.Field)


def _conditional(field: F) -> F:
    """A field that is neither always asked for nor left to the person."""
    field.required = field.widget.is_required = False
    field.conditional = True  # type: ignore[attr-defined]  # read by components/_field_mark.html
    return field


def _area(label: str, help_text: str, missing: str, rows: int = 4, most: int = LONGEST) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=help_text,
        error_messages={"required": missing},
    )


def _day(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=DAY_ERRORS,
    )


class NoticeForm(forms.Form):
    """撤销行政许可告知书."""

    ground = forms.ChoiceField(
        label="拟适用的法定情形",
        choices=NONE + RevocationGround.choices,
        error_messages={"required": "请选择拟适用的法定情形（行政许可法第六十九条）。"},
    )
    facts = _area(
        "拟撤销的事实和理由", "写入告知书；以监管部门的建议为基础，核对后填写。", "请写明拟撤销的事实和理由。", 6
    )
    days = forms.IntegerField(
        label="陈述申辩期限（工作日）",
        help_text=f"{LEAST_DAYS} 到 {MOST_DAYS} 个工作日，从明天起算。",
        error_messages={"required": "请填写陈述申辩的期限。", "invalid": "请填写整数，例如 5。"},
    )


class AnewForm(NoticeForm):
    """另行告知: another ground or other facts, in the place of the notice ``replaces`` (its number)."""

    replaces = forms.CharField(
        label="原告知书",
        max_length=60,
        widget=forms.HiddenInput,
        error_messages={"required": "请刷新页面，确认要代替的告知书。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "anew_%s"} | kwargs))


class HearForm(forms.Form):
    """陈述、申辩, a hearing or none."""

    text = _conditional(_area("陈述和申辩", "按持证人的原意记录；书面材料的，写明要点和材料名称。", "", 5))
    wish = forms.ChoiceField(
        label="听证", choices=HearingWish.choices, widget=forms.RadioSelect, error_messages=WISH_ERRORS
    )
    waiver = _conditional(
        forms.CharField(label="书面放弃的情况", max_length=300, help_text="选“书面放弃”的，写明何人何日签署。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "hear_%s"} | kwargs))


class HolderForm(forms.Form):
    """What the holder says through the own door."""

    text = _conditional(_area("陈述和申辩", "写明您的意见和理由；要求听证或者书面放弃的，可以不填。", "", 5))
    wish = forms.ChoiceField(
        label="听证", choices=HearingWish.choices, widget=forms.RadioSelect, error_messages=WISH_ERRORS
    )


class PlanForm(forms.Form):
    """听证的安排."""

    on = _day("听证日期", "")
    place = forms.CharField(label="听证地点", max_length=120, error_messages={"required": "请填写听证地点。"})
    chair = forms.ChoiceField(
        label="听证主持人",
        help_text="本部门的决定人员或者负责人，没有审查、决定过这件许可，也不办理本建议。",
        error_messages={"required": "请选择听证主持人。"},
    )

    def __init__(
        self,
        *args: Any,
        people: Iterable[tuple[str, str]] = (),
        between: tuple[dt.date, dt.date] | None = None,
        days: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **({"auto_id": "plan_%s"} | kwargs))
        cast("forms.ChoiceField", self.fields["chair"]).choices = NONE + list(people)
        self.fields["on"].help_text = days
        if between is not None:
            first, last = between
            self.fields["on"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}


class RecordForm(forms.Form):
    """听证笔录, by the chair."""

    record = _area("听证笔录", "写明到场人员、经过、双方的意见和证据。", "请写明听证的经过和双方的意见。", 10, 20000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "record_%s"} | kwargs))


class RevocationDecisionForm(forms.Form):
    """撤销或者不予撤销: the verdict is the button that was pressed."""

    verdict = forms.ChoiceField(
        label="决定",
        choices=(("revoke", "撤销许可"), ("keep", "不予撤销")),
        error_messages={"required": "请选择“撤销许可”或“不予撤销”。"},
    )
    ground = _conditional(
        forms.ChoiceField(
            label="法定情形", choices=NONE + RevocationGround.choices, help_text="撤销的必选，须与告知书一致。"
        )
    )
    reason = _area("事实和理由", "写入决定书，至少 10 字。", "请写明决定的理由；理由写入决定书。", 5)
    public_interest = _conditional(
        _area("是否可能对公共利益造成重大损害", "撤销的必填；可能造成重大损害的，不予撤销。", "", 3)
    )
    compensation = _conditional(
        _area("是否给予赔偿", "撤销的必填；以欺骗、贿赂等不正当手段取得的，基于许可取得的利益不受保护。", "", 3)
    )

    bars = _conditional(
        forms.ChoiceField(
            label="是否属于直接关系公共安全、人身健康、生命财产安全的事项",
            choices=[*NONE, ("yes", "属于：自决定之日起三年内不得再次申请该许可"), ("no", "不属于")],
            help_text="以欺骗、贿赂等不正当手段取得的必选（行政许可法第七十九条）。",
        )
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"auto_id": "decide_%s"} | kwargs))


class ChangeForm(forms.Form):
    """证照变动."""

    kind = forms.ChoiceField(
        label="变动",
        widget=forms.RadioSelect,
        error_messages={
            "required": "请选择要办理的变动。",
            "invalid_choice": "请选择列出的变动；撤销须按撤销许可的程序办理。",
        },
    )
    basis = forms.CharField(
        label="依据",
        max_length=300,
        help_text="哪部法律、法规的哪一条。",
        error_messages={"required": "请写明依据：哪部法律、法规的哪一条。"},
    )
    reason = _area(
        "理由",
        "写入证照变动通知书；持证人申请注销的，写明申请的日期。",
        "请写明理由；理由写入证照变动通知书。",
        4,
        2000,
    )
    holder_name = _conditional(
        forms.CharField(label="变更后的持有人名称", max_length=120, help_text="选“变更”时填写，不变的留空。")
    )
    content = _conditional(_area("变更后的许可内容", "选“变更”时填写，不变的留空。", "", 2, 500))
    valid_to = _conditional(_day("延续至", "选“延续”时填写。"))

    def __init__(self, *args: Any, kinds: Iterable[str] = BY_HAND, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(kind.value, kind.label) for kind in BY_HAND if kind in set(kinds)]
        cast("forms.ChoiceField", self.fields["kind"]).choices = known
