"""Texts that the credit side checks and writes."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from django.conf import settings
from django.urls import reverse

from offices.refusals import Refused

YEAR = re.compile(r"[(\[{【〖〔](\d{4})[)\]}】〗〕]")


def cn_day(day: dt.date) -> str:
    """Return a day as papers write it: 2026年9月28日."""
    return f"{day.year}年{day.month}月{day.day}日"


def by_day(day: dt.date) -> str:
    """A last day, that day included: 最迟在2026年9月28日（含当日）."""
    return f"最迟在{cn_day(day)}（含当日）"


def paper_number(text: str) -> str:
    """Return a paper's number as everybody's typing gives it: half width, no spaces, capitals, the year in 〔〕."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    return YEAR.sub(r"〔\1〕", plain)


def portal_address() -> str:
    """The address printed on papers and in QR codes."""
    return str(settings.PUBLIC_BASE_URL).rstrip("/")


def door_address() -> str:
    """Where a subject enters its own door: the public progress page; no number and no code in it."""
    return portal_address() + reverse("progress")


def said(value: str, field: str, code: str, message: str, longest: int) -> str:
    """``value`` without its margins; raises ``Refused`` where nothing, or too much, was written."""
    text = value.strip()
    if not text:
        raise Refused(code, message, field=field)
    if len(text) > longest:
        raise Refused("text-too-long", f"最多 {longest} 字，现为 {len(text)} 字，请精简。", field=field)
    return text
