"""How many SMS a text costs (domain.md, Messages): 70 characters in one, 67 in each of several, signature included."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

SINGLE = 70
EACH = 67


@dataclass(frozen=True, slots=True)
class Length:
    """Length of a text as the gateway counts it."""

    characters: int
    segments: int


def length(text: str) -> int:
    """Characters as an SMS counts them (UCS-2 units: an emoji takes two)."""
    return len(text.encode("utf-16-le")) // 2


def segments(text: str) -> Length:
    """Count ``text`` with the portal's signature in front of it."""
    characters = length(settings.SMS_SIGNATURE + text)
    return Length(characters, 1 if characters <= SINGLE else -(-characters // EACH))
