"""Text as it enters an act of supervision: what nobody can see is no text, and nothing unseen goes on a paper."""

from __future__ import annotations

import unicodedata

from approvals.characters import UNSEEN, has_unseen, refuse_unseen

# Characters with a width or a letter's category of which nothing is drawn.
BLANK = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
LABELS = {
    "facts": "事实", "basis": "依据", "demands": "整改要求", "consequence": "逾期后果", "reason": "理由",
    "answer": "批复", "to_name": "接收单位", "number": "编号", "result": "处理结果",
}  # fmt: skip


def is_empty(text: str) -> bool:
    """Whether nothing of ``text`` can be seen."""
    return all(one.isspace() or one in BLANK or unicodedata.category(one) in UNSEEN for one in text)


def visible(text: str) -> str:
    """``text`` without its margins; empty where nothing of it can be seen."""
    return "" if is_empty(text) else text.strip()


def seen(text: str, field: str, label: str = "") -> str:
    """``visible`` text; raises ``Refused`` (``characters-unseen``) beside the field for what cannot be seen in it."""
    found = visible(text)
    refuse_unseen(field, label or LABELS.get(field, "填写的内容"), found, lines=True)
    return found


def half_width(text: str) -> str:
    """``text`` as a number or a code is compared: half width, without margins, in capitals."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def refuse_in_cell(label: str, text: str) -> None:
    """Raise ``ValueError`` for a cell of a table with such a character."""
    if has_unseen(text, lines=True):
        raise ValueError(f"{label}里有看不见的控制字符，请删除后重新填写。")
