"""Forms of the overseers and the administrators: they offer their own division's, the actions check the rest."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from catalogue.models import BusinessItem, SupervisionSubItem
from offices.models import Department, Office, Posting

Choices = list[tuple[str, Any]]


def date_field(label: str, *, help_text: str = "", required: bool = True) -> forms.DateField:
    """A day, by the browser's own picker."""
    return forms.DateField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": f"{label}不是有效日期，请按 2026-09-28 的样子填写。"},
    )


def grouped(pairs: Iterable[tuple[str, str, str]]) -> Choices:
    """Options under headings: (heading, value, label), already in the order of headings."""
    rows: Choices = [("", "请选择")]
    for heading, group in groupby(pairs, key=lambda pair: pair[0]):
        rows.append((heading, [(value, label) for _, value, label in group]))
    return rows


class Pick(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One row of a queryset, offered under headings; ``headings`` says how."""

    def __init__(self, queryset: QuerySet[Any], *, label: str, required: bool = True, help_text: str = "") -> None:
        super().__init__(
            queryset,
            label=label,
            required=required,
            help_text=help_text,
            empty_label="请选择",
            error_messages={"invalid_choice": f"所选的{label}不在本区划的可选范围内，请重新选择。"},
        )


def _offer(form: forms.Form, name: str, rows: QuerySet[Any], options: Choices | None = None) -> None:
    """Let the field ``name`` take the rows of ``rows``; ``options`` are what it shows, under headings."""
    pick = cast("Pick", form.fields[name])
    pick.queryset = rows
    if options is not None:
        pick.widget.choices = options


def _offices(rows: QuerySet[Office]) -> Choices:
    found = rows.select_related("department").order_by("department__division__code", "department_id", "id")
    return grouped((one.department.name, str(one.pk), one.name) for one in found)


class OfficeAndSubItem(forms.Form):
    """A supervising office and a sub-item of its department."""

    office = Pick(Office.objects.none(), label="监管处室", help_text="只列出有可联系的处室管理员的处室。")
    sub_item = Pick(SupervisionSubItem.objects.none(), label="监管事项子项", help_text="须属于该处室所在部门。")

    def __init__(
        self, *args: Any, offices: QuerySet[Office], sub_items: QuerySet[SupervisionSubItem], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "office", offices, _offices(offices))
        subs = sub_items.select_related("item__department").order_by("item__department_id", "code")
        named = grouped((one.item.department.name, str(one.pk), one.name) for one in subs)
        _offer(self, "sub_item", sub_items, named)


class LinkageForm(OfficeAndSubItem):
    """A linkage: business item, office, sub-item, and on what it rests."""

    business_item = Pick(BusinessItem.objects.none(), label="业务办理项")
    source = forms.CharField(
        label="依据",
        max_length=300,
        help_text="例如会议纪要、清单文件的名称和文号。",
        error_messages={"required": "请写明关联依据。"},
    )
    field_order = ("business_item", "office", "sub_item", "source")

    def __init__(self, *args: Any, items: QuerySet[BusinessItem], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = items.select_related("item__department").order_by("item__department_id", "code")
        _offer(self, "business_item", items, grouped((one.item.department.name, str(one.pk), one.name) for one in rows))


class SideForm(forms.Form):
    """The side of a department."""

    side = forms.ChoiceField(label="部门侧", choices=Department.Side.choices)


class OfficeForm(forms.Form):
    """A new office."""

    name = forms.CharField(label="处室名称", max_length=60)


class PostingForm(forms.Form):
    """A role in a department or one of its offices, for a time."""

    role = forms.ChoiceField(label="角色", choices=[("", "请选择"), *Posting.Role.choices])
    department = Pick(Department.objects.none(), label="部门")
    office = Pick(
        Office.objects.none(),
        label="处室",
        required=False,
        help_text="审查人员、决定人员、处室管理员和副管理员须选处室；其他角色不选。",
    )
    starts_on = date_field("任职开始日期")
    ends_on = date_field("任职结束日期", required=False, help_text="不填为长期；结束当天仍有效。")

    def __init__(self, *args: Any, departments: QuerySet[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices = Office.objects.filter(department__in=departments)
        _offer(self, "department", departments)
        _offer(self, "office", offices, _offices(offices))


class PasswordForm(forms.Form):
    """An initial password: shown here once, kept as its hash only."""

    password = forms.CharField(
        label="初始密码",
        min_length=10,
        max_length=128,
        strip=False,
        help_text="至少 10 位。只在本页显示这一次，请当面或电话告知本人，并请其登录后修改。",
        error_messages={"min_length": "初始密码至少 10 位。", "required": "请填写初始密码。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-private": ""}),
    )


class PhoneForm(forms.Form):
    """A mobile number."""

    phone = forms.CharField(
        label="手机",
        max_length=20,
        help_text="任务短信和时限提醒发到这个号码；加密保存。",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "data-private": ""}),
    )


class AccountForm(PasswordForm, PhoneForm, PostingForm):
    """A new account with its first posting."""

    username = forms.CharField(
        label="账号",
        max_length=40,
        help_text="3–40 位小写字母、数字、点、横线或下划线。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    full_name = forms.CharField(label="姓名", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    field_order = ("username", "full_name", "phone", "password", "role", "department", "office", "starts_on", "ends_on")


class EndForm(forms.Form):
    """The last day of a posting."""

    ends_on = date_field("任职结束日期", help_text="结束当天仍有效。")


class ReasonForm(forms.Form):
    """Why an item is closed."""

    reason = forms.CharField(
        label="停用原因", max_length=200, error_messages={"required": "请写明停用原因，它会记入留痕。"}
    )


class HandOverForm(forms.Form):
    """Why a case gets another reviewer."""

    reason = forms.CharField(
        label="改派的原因",
        max_length=100,
        help_text="例如请假、回避、岗位调整；记入办件历史，窗口和公众看不到。",
        error_messages={"required": "请写明改派的原因。"},
    )
