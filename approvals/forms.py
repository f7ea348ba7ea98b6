"""The window's forms: each says what is wrong beside the field, and keeps everything that was typed."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict

from approvals.actions.intake import TICKS, IntakeDraft
from approvals.actions.promising import LONGEST_SIGNER, Signing, capacities
from approvals.enums import FILING_GROUNDS, DeliveryMethod, RefusalGround, SignMethod, Way
from approvals.models import Case
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit.identifiers import check_ric, check_uscc, normalise
from credit.models import CreditSubject

MOBILE = re.compile(r"1[3-9]\d{9}")
# Numbers that no network can route; invented people in demonstrations have them.
INVENTED = re.compile(r"100\d{8}")
CODE = re.compile(r"(?=([0-9A-Z]{18}))")


def clean_phone(text: str) -> str:
    """Return a mobile number in half width without blanks and country code. Raises ``ValidationError``."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", text) if char.isdigit())
    number = plain.removeprefix("0086").removeprefix("86") if len(plain) > 11 else plain
    if MOBILE.fullmatch(number) or (settings.DEMO_PHONE and INVENTED.fullmatch(number)):
        return number
    raise ValidationError(f"手机号码应为 1 开头的 11 位数字，现为 {len(number)} 位，请核对。", code="phone")


def clean_identifier(kind: str, text: str) -> str:
    """Return the checked code or identity number; what a scanner read around it is left out.

    Raises ``ValidationError`` with a sentence that says which part is wrong (GB 32100, GB 11643).
    """
    check = check_ric if kind == CreditSubject.Kind.PERSON else check_uscc
    plain = normalise(text)
    if len(plain) > 18:
        for found in CODE.findall(plain):
            try:
                return check(found)
            except ValidationError:
                continue
    return check(plain)


def ticks(post: Mapping[str, Any], slots: Sequence[str]) -> dict[str, str]:
    """Slot → what the clerk ticked for it: "provided", "not_needed" or "deferred"."""
    said = {slot: str(post.get(f"m-{slot}", "")) for slot in slots}
    return {slot: value for slot, value in said.items() if value in TICKS}


class IntakeForm(forms.Form):
    """收件: who applies, for what, in which way."""

    intake_key = forms.UUIDField(widget=forms.HiddenInput)
    subject_kind = forms.ChoiceField(
        label="申请人类型",
        choices=CreditSubject.Kind.choices,
        widget=forms.RadioSelect,
        initial=CreditSubject.Kind.ORGANISATION,
    )
    identifier = forms.CharField(
        label="统一社会信用代码或身份证号码", max_length=500, help_text="可扫营业执照二维码，或者读身份证。"
    )
    renamed = forms.BooleanField(label="名称已变更，已核对新证照", required=False)
    name = forms.CharField(label="申请人名称（姓名）", max_length=120, help_text="与营业执照或者身份证一致。")
    contact_name = forms.CharField(label="联系人", max_length=40)
    contact_phone = forms.CharField(label="联系手机", max_length=30, help_text="接收办理进度短信。")
    content = forms.CharField(
        label="申请内容",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="地址、范围、规模等，写入决定书。审查期间审查人员可见，请勿写申请人名称。",
    )
    way = forms.ChoiceField(label="办理方式", choices=Way.choices, widget=forms.RadioSelect, initial=Way.ORDINARY)
    modes = forms.MultipleChoiceField(
        label="承诺的方式",
        choices=PromiseMode.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="可选一种或者几种，由申请人决定。",
        error_messages={"required": "请选择承诺的方式，至少一种；一种都不选的，请改为一般方式。"},
    )
    deferred_until = forms.DateField(
        label="拟承诺补齐的日期", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, item: BusinessItem, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.item = item
        if not item.allows_promise:
            del self.fields["way"], self.fields["modes"], self.fields["deferred_until"]
            return
        chosen = [(mode, PromiseMode(mode).label) for mode in item.promise_modes]
        self.fields["modes"].choices = chosen  # type: ignore[attr-defined]
        self.fields["modes"].initial = item.promise_modes
        self.fields["modes"].required = (self.data or self.initial).get("way") == Way.PROMISE
        if PromiseMode.DEFERRED_MATERIAL not in item.promise_modes:
            del self.fields["deferred_until"]
        if item.is_promise_only:
            self.fields["way"].choices = [(Way.PROMISE.value, Way.PROMISE.label)]  # type: ignore[attr-defined]
            self.fields["way"].initial = Way.PROMISE

    @classmethod
    def kept(cls, item: BusinessItem, data: Mapping[str, Any]) -> IntakeForm:
        """The form with what was typed so far, not judged yet."""
        kept = {name: data[name] for name in cls.base_fields if name in data}
        if isinstance(data, QueryDict) and "modes" in data:
            kept["modes"] = data.getlist("modes")
        return cls(item, initial=kept)

    def clean_contact_phone(self) -> str:
        """Check the mobile number."""
        return clean_phone(self.cleaned_data["contact_phone"])

    def clean(self) -> dict[str, Any]:
        """Check the identifier by the kind of subject."""
        values = super().clean() or {}
        if values.get("identifier") and values.get("subject_kind"):
            try:
                values["identifier"] = clean_identifier(values["subject_kind"], values["identifier"])
            except ValidationError as error:
                self.add_error("identifier", error)
        return values

    def draft(self, provided: Mapping[str, str]) -> IntakeDraft:
        """What the form says, for ``receive_case``; only after ``is_valid``."""
        values = self.cleaned_data
        return IntakeDraft(
            business_item=self.item,
            intake_key=values["intake_key"],
            subject_kind=values["subject_kind"],
            identifier=values["identifier"],
            name=values["name"],
            contact_name=values["contact_name"],
            contact_phone=values["contact_phone"],
            content=values["content"],
            way=values.get("way", Way.ORDINARY),
            modes=values.get("modes") or (),
            deferred_until=values.get("deferred_until"),
            provided=provided,
            renamed=values["renamed"],
        )


class PromiseForm(forms.Form):
    """签署承诺书: each clause apart, who signs and how, the day of what is deferred; consent to publish apart."""

    clauses = forms.MultipleChoiceField(
        label="承诺内容", required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    )
    deferred_until = forms.DateField(
        label="延期材料的承诺日", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "invalid": "请填写日期，例如 2026-10-20。",
            "required": "有材料延期提交，请填写承诺补齐的日期。",
        },
    )  # fmt: skip
    signer = forms.CharField(
        label="签署人", max_length=LONGEST_SIGNER, help_text="申请人本人、法定代表人或者受托人的姓名。",
        error_messages={"required": f"请填写签署人姓名（最多 {LONGEST_SIGNER} 字）。"},
    )  # fmt: skip
    capacity = forms.ChoiceField(
        label="签署人身份", widget=forms.RadioSelect, help_text="委托代理人签署的，请核对授权委托书。",
        error_messages={"required": "请选择签署人身份。", "invalid_choice": "请选择签署人身份。"},
    )  # fmt: skip
    method = forms.ChoiceField(
        label="签署方式",
        choices=SignMethod.choices,
        widget=forms.RadioSelect,
        initial=SignMethod.PAPER,
        error_messages={"required": "请选择签署方式。"},
    )
    sms_code = forms.CharField(label="短信验证码", max_length=12, required=False, help_text="发到联系手机，6 位数字。")
    consents = forms.BooleanField(label="同意公开本承诺书", required=False, help_text="单独征求，不影响办理。")

    def __init__(self, case: Case, data: Any = None, *, deferring: bool = False, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        clauses = case.promise_clauses
        self.fields["capacity"].choices = capacities(case.applicant)  # type: ignore[attr-defined]
        choices = [(str(number), text) for number, text in enumerate(clauses, start=1)]
        self.fields["clauses"].choices = choices  # type: ignore[attr-defined]
        if not deferring:
            del self.fields["deferred_until"]

    def signing(self, address: str) -> Signing:
        """What the form says; only after ``is_valid``."""
        values = self.cleaned_data
        return Signing(
            signer=values["signer"],
            capacity=values["capacity"],
            method=values["method"],
            clauses=[int(number) for number in values["clauses"]],
            consents=values["consents"],
            deferred_until=values.get("deferred_until"),
            code=values["sms_code"],
            address=address,
        )


def key_of(post: Mapping[str, Any]) -> uuid.UUID:
    """The form's intake key; a new one where it is missing or broken."""
    try:
        return uuid.UUID(str(post.get("intake_key", "")))
    except ValueError:
        return uuid.uuid4()


class CorrectionForm(forms.Form):
    """一次性补正: everything at once, from what was published."""

    keys = forms.MultipleChoiceField(
        label="须补正的内容",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "补正只能依据已公布的材料和条件；“%(value)s”不在其中。"},
    )

    def __init__(self, choices: Sequence[Mapping[str, str]], data: Any = None) -> None:
        super().__init__(data)
        self.fields["keys"].choices = [(choice["key"], choice["text"]) for choice in choices]  # type: ignore[attr-defined]

    def remarks(self) -> dict[str, str]:
        """Key → the clerk's words beside it."""
        prefix = "remark-"
        return {name.removeprefix(prefix): str(self.data[name]) for name in self.data if name.startswith(prefix)}


class RefusalForm(forms.Form):
    """不予受理: a ground in law and a reason in words."""

    ground = forms.ChoiceField(
        label="法定理由",
        choices=RefusalGround.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择不予受理的法定理由。"},
    )
    reason = forms.CharField(
        label="具体说明",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明事实和理由，载入不予受理通知书，申请人和督办人员都会看到。",
        error_messages={"required": "不予受理必须说明原因，请写明具体情况。"},
    )
    keys = forms.MultipleChoiceField(label="未补齐的内容", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, points: Sequence[Mapping[str, str]], data: Any = None, *, filing: bool = False, barred: bool = False
    ) -> None:
        super().__init__(data)
        if not barred:
            known = [(value, label) for value, label in RefusalGround.choices if value != RefusalGround.BARRED]
            self.fields["ground"].choices = known  # type: ignore[attr-defined]
        if filing:
            self.fields["ground"].label = "理由"
            self.fields["ground"].choices = list(FILING_GROUNDS.items())  # type: ignore[attr-defined]
            self.fields["reason"].help_text = "写明事实和理由，载入不予备案通知书，申请人和督办人员都会看到。"
        if points:
            self.fields["keys"].choices = [(point["key"], point["text"]) for point in points]  # type: ignore[attr-defined]
        else:
            del self.fields["keys"]


class DeliveryForm(forms.Form):
    """出件: how and to whom the result goes."""

    method = forms.ChoiceField(
        label="送达方式",
        choices=DeliveryMethod.choices,
        widget=forms.RadioSelect,
        initial=DeliveryMethod.COUNTER,
        error_messages={"required": "请选择送达方式。"},
    )
    receiver = forms.CharField(
        label="领取人或收件人",
        max_length=40,
        help_text="核对领取人证件后填写姓名。",
        error_messages={"required": "请填写领取人或收件人姓名。"},
    )
    tracking = forms.CharField(label="邮件号", max_length=40, required=False, help_text="邮寄送达时必填。")

    def clean(self) -> dict[str, Any]:
        """Ask for the tracking number where the result goes by post."""
        values = super().clean() or {}
        if values.get("method") == DeliveryMethod.POST and not values.get("tracking"):
            self.add_error("tracking", "邮寄送达请填写邮件号。")
        return values
