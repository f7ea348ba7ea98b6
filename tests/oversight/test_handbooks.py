"""The handbooks say what the portal says: their addresses open, the words that they quote are the portal's."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from scripts.runtime import ROOT

BOOKS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "handbooks").glob("*.md"))}
FOLDERS = ("approvals", "credit", "deadlines", "lianyungang_gov", "offices", "oversight", "supervision", "templates")
# Where a book has a table of hints, its first column quotes the portal.
_HINTS = re.compile(r"\| 提示 \|.*\n\|[-|]+\n((?:\|.*\n)+)")


def _addresses(text: str) -> list[str]:
    return sorted(set(re.findall(r"`(/[^`]*)`", text)))


def _quoted(text: str) -> list[str]:
    """Names of places, tabs and buttons, which stand in “”, a way through several with arrows; and the hints."""
    ways = sorted(set(re.findall(r"“([^”]+)”", text)))
    hints = [line.split("|")[1] for table in _HINTS.findall(text) for line in table.splitlines()]
    return [part.strip() for way in [*ways, *hints] for part in way.split("→")]


@pytest.fixture(scope="module")
def said() -> str:
    """All that the portal says: its code and its pages."""
    files = [path for one in FOLDERS for kind in ("*.py", "*.html") for path in (ROOT / one).rglob(kind)]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("book", BOOKS)
def test_there_is_something_to_look_at(book: str) -> None:
    assert len(_addresses(BOOKS[book])) >= 8
    assert len(_quoted(BOOKS[book])) >= 8


@pytest.mark.parametrize(("book", "address"), [(name, one) for name, text in BOOKS.items() for one in _addresses(text)])
def test_addresses_are_pages(book: str, address: str) -> None:
    assert resolve(urlsplit(address).path), book


@pytest.mark.parametrize(("book", "words"), [(name, one) for name, text in BOOKS.items() for one in _quoted(text)])
def test_words_are_the_portals(book: str, words: str, said: str) -> None:
    assert words in said, book
