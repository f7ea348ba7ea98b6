"""What the browser gets: weight, contrast of the tokens, nothing that a strict CSP would refuse."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import RequestFactory

from offices.styleguide import FRAMES, styleguide

ROOT = Path(__file__).resolve().parents[2]
FIRST_VISIT = [
    "css/bootstrap.min.css",
    "css/portal.css",
    "css/components.css",
    "django_htmx/htmx-2.min.js",
    "js/portal.js",
]
PAIRS = [
    ("#ffffff", "blue"),
    ("blue", "blue-tint"),
    ("blue", "surface"),
    ("ink", "surface"),
    ("ink-soft", "surface"),
    ("grey", "#ffffff"),
    ("grey", "surface"),
    ("grey", "grey-tint"),
    ("green", "green-tint"),
    ("amber", "amber-tint"),
    ("red", "red-tint"),
]


def _tokens() -> dict[str, str]:
    text = (ROOT / "static/css/portal.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_pair_of_tokens_is_readable(text: str, ground: str) -> None:
    tokens = _tokens()
    dark, bright = sorted(_luminance(tokens.get(one, one)) for one in (text, ground))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_the_first_visit_weighs_less_than_80_kilobytes() -> None:
    weight = 0
    for name in FIRST_VISIT:
        found = finders.find(name)
        assert found, name
        weight += len(gzip.compress(Path(str(found)).read_bytes(), 9))
    assert weight < 80 * 1024


@pytest.mark.parametrize("frame", ["", *FRAMES])
def test_the_style_guide_needs_nothing_that_the_csp_forbids(frame: str) -> None:
    html = styleguide(RequestFactory().get("/styleguide", {"frame": frame})).content.decode()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)", html)
    assert "{{" not in html
    assert "{%" not in html
