"""How pages answer an action that was refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.forms import BaseForm, ChoiceField, Field, FileField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from offices.refusals import Refused

# Fields that come back on the page of a conflict where no form says what it asks: no code, number, phone or name.
TYPED: dict[str, str] = {
    "text": "意见、说明", "reason": "理由、说明", "credit_reason": "与规则不一致的理由", "findings": "核查情况",
    "result": "结果", "answer": "批复、答复", "content": "申请内容", "follow_up": "后续处理情况", "facts": "事实和理由",
    "basis": "依据", "public_interest": "是否可能对公共利益造成重大损害", "compensation": "是否给予赔偿",
    "record": "听证笔录", "waiver": "书面放弃的情况", "place": "地点", "on": "日期", "planned_on": "日期",
    "until": "期限", "days": "工作日", "estimated_days": "预计所需工作日", "law": "法律依据", "remarks": "意见",
    "summary": "情况", "purpose": "目的和内容", "exemption": "例外的理由", "note": "修订说明", "demands": "整改要求",
    "consequence": "逾期后果", "deferred_until": "承诺日", "starts_on": "开始日期", "ends_on": "结束日期",
}  # fmt: skip
TYPED_OF_MANY: dict[str, str] = {"remark-": "具体说明", "evidence_": "评分依据"}
# What no page says again, whatever its form: secrets, numbers of people, who signed, and what the machine wrote.
UNSAID = frozenset(
    {
        "code", "sms_code", "password", "phone", "contact_phone", "contact_name", "identifier", "id_number", "signer",
        "receiver", "username", "csrfmiddlewaretoken", "client_key", "draft_key", "intake_key", "photos", "step",
        "replaces",
    }
)  # fmt: skip
MOST_TYPED = 120


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed or chosen and had no effect."""

    label: str
    text: str

    @property
    def rows(self) -> int:
        """How high its field is."""
        return min(12, 1 + len(self.text) // 40 + self.text.count("\n") + (len(self.text) > 20))


def _words(field: Field | None, values: list[str]) -> str:
    """What was posted for a field, in words: the label of a choice, or what was typed."""
    if not isinstance(field, ChoiceField):
        return "\n".join(values)
    labels: dict[str, str] = {}
    for key, label in cast("Iterable[tuple[Any, Any]]", field.choices):
        inner: list[Any] = list(label) if isinstance(label, list | tuple) else [(key, label)]
        labels |= {str(one): str(said) for one, said in inner}
    return "\n".join(labels.get(value, value) for value in values)


def _label(name: str, form: BaseForm | None) -> str:
    """What a posted field is called; empty where it does not come back."""
    if name in UNSAID:
        return ""
    field = form.fields.get(name) if form is not None else None
    if field is not None:
        return "" if field.widget.is_hidden or isinstance(field, FileField) else str(field.label or "")
    return TYPED.get(name) or next((word for start, word in TYPED_OF_MANY.items() if name.startswith(start)), "")


def typed(request: HttpRequest, form: BaseForm | None = None) -> list[Typed]:
    """What came with the form, in its order, so that it can be copied; ``form`` gives the labels of all its fields.

    Without one only the known fields come back: a name that nobody lists may be a secret.
    """
    found = []
    for posted, values in request.POST.lists():
        name = posted.removeprefix(f"{form.prefix}-") if form is not None and form.prefix else posted
        said = [str(value).strip() for value in values if str(value).strip()]
        label = _label(name, form) if said else ""
        if label:
            found.append(Typed(label, _words(form.fields.get(name) if form is not None else None, said)))
    return found[:MOST_TYPED]


def conflict(request: HttpRequest, error: Refused, back: str, form: BaseForm | None = None) -> HttpResponse:
    """Answer 409 in a friendly sentence with the way back: somebody else was faster, and nothing doubled or is lost.

    ``form``: the one that came; everything on it is shown again. Not where it may name an applicant.
    """
    context = {"reason": error.message, "next_url": back, "typed": typed(request, form)}
    return render(request, "409.html", context, status=409)


def put_on_form(form: BaseForm, error: Refused) -> None:
    """Show a refusal beside the field that it names, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)
