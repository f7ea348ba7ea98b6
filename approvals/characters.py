"""Characters that nobody types and that make a text read otherwise than it is stored: controls, bidirectional marks."""

from __future__ import annotations

import unicodedata

from approvals.exceptions import Refused

# Unicode's own switches of direction (UAX 9), beside what the categories below already hold.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LINES = {"\n", "\r", "\t"}
SENTENCE = "{label}里有看不见的控制字符（例如改变书写方向的字符），请删除后重新填写。"


def has_unseen(text: str, *, lines: bool = False) -> bool:
    """Whether ``text`` holds such a character; ``lines`` allows line breaks and tabs."""
    return any(unicodedata.category(char) in UNSEEN and not (lines and char in LINES) for char in text)


def refuse_unseen(field: str, label: str, text: str, *, lines: bool = False) -> None:
    """Raise ``Refused`` beside the field."""
    if has_unseen(text, lines=lines):
        raise Refused("characters-unseen", SENTENCE.format(label=label), field=field)
