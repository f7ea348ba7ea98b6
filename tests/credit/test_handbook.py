"""The credit officers' handbook says what the portal says: its addresses open, its quoted sentences are the portal's."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from scripts.runtime import ROOT

HANDBOOK = (ROOT / "docs" / "handbooks" / "credit-officer.zh-CN.md").read_text(encoding="utf-8")
ADDRESSES = sorted(set(re.findall(r"`(/[^`]*)`", HANDBOOK)))
HINTS = [line.split("|")[1].strip() for line in HANDBOOK.split("## 十、")[1].split("## 十一")[0].splitlines()[4:] if line]
# Names of places, tabs and buttons stand in these marks.
QUOTED = sorted(set(re.findall(r"“([^”]+)”", HANDBOOK)))


@pytest.fixture(scope="module")
def said() -> str:
    """All that the portal says: its code and its pages."""
    folders = ("credit", "templates", "lianyungang_gov", "oversight", "approvals", "offices")
    files = [path for one in folders for kind in ("*.py", "*.html") for path in (ROOT / one).rglob(kind)]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_there_is_something_to_look_at() -> None:
    assert len(ADDRESSES) >= 8
    assert len(HINTS) == 7
    assert len(QUOTED) >= 15


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_pages(address: str) -> None:
    assert resolve(urlsplit(address).path)


@pytest.mark.parametrize("words", HINTS + [part.strip() for one in QUOTED for part in one.split("→")])
def test_words_are_the_portals(words: str, said: str) -> None:
    assert words in said
