"""How pages answer an action that was refused."""

from __future__ import annotations

from dataclasses import dataclass

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from approvals.exceptions import Refused

# Fields of free text that come back on the page of a conflict. Anything else does not: no code, number, phone or name.
TYPED: dict[str, str] = {
    "text": "意见、说明", "reason": "理由、说明", "credit_reason": "与规则不一致的理由", "findings": "核查情况",
    "result": "结果", "answer": "批复、答复", "content": "申请内容", "follow_up": "后续处理情况",
}  # fmt: skip
TYPED_OF_MANY: dict[str, str] = {"remark-": "具体说明", "evidence_": "评分依据"}
MOST_TYPED = 30


@dataclass(frozen=True, slots=True)
class Typed:
    """A text that was typed and had no effect."""

    label: str
    text: str

    @property
    def rows(self) -> int:
        """How high its field is."""
        return min(12, 2 + len(self.text) // 40 + self.text.count("\n"))


def typed(request: HttpRequest) -> list[Typed]:
    """The free texts that came with the form, in its order, so that they can be copied."""
    found = []
    for name, value in request.POST.items():
        label = TYPED.get(name) or next((word for start, word in TYPED_OF_MANY.items() if name.startswith(start)), "")
        if label and isinstance(value, str) and value.strip():
            found.append(Typed(label, value.strip()))
    return found[:MOST_TYPED]


def conflict(request: HttpRequest, error: Refused, back: str) -> HttpResponse:
    """Answer 409 in a friendly sentence with the way back: somebody else was faster, and nothing doubled or is lost."""
    context = {"reason": error.message, "next_url": back, "typed": typed(request)}
    return render(request, "409.html", context, status=409)


def put_on_form(form: BaseForm, error: Refused) -> None:
    """Show a refusal beside the field that it names, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)
