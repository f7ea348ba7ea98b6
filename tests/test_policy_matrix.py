"""The policy matrix has every clause, and every row that works names living tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MATRIX = ROOT / "docs" / "policy-matrix.md"
CLAUSES = [
    # fmt: off
    "L1a",
    "L1b",
    "L2",
    "L3a",
    "L3b",
    "L4a",
    "L4b",
    "L5",
    "L6",
    "L7",
    "L8a",
    "L8b",
    "L8c",
    "L8d",
    "L8e",
    "L9a",
    "L9b",
    "L9c",
    "L10a",
    "L10b",
    "L10c",
    "L10d",
    "L11",
    "L12a",
    "L12b",
    "L12c",
    "L13a",
    "L13b",
    "L14",
    "L17",
    "L21",
    "O2a",
    "O2b",
    "O3.1.1a",
    "O3.1.1b",
    "O3.1.1c",
    "O3.1.2a",
    "O3.1.2b",
    "O3.1.2c",
    "O3.1.2d",
    "O3.1.3a",
    "O3.1.3b",
    "O3.1.3c",
    "O3.1.3d",
    "O3.1.3e",
    "O3.2.1a",
    "O3.2.1b",
    "O3.2.1d",
    "O3.2.1c",
    "O3.2.2a",
    "O3.2.2b",
    "O3.2.3a",
    "O3.2.3c",
    "O3.2.3b",
    "O3.3.1a",
    "O3.3.1b",
    "O3.3.1c",
    "O3.3.1d",
    "O3.3.2a",
    "O3.3.2b",
    "O3.3.3",
    "O3.3.4",
    "O4",
    "O5a",
    "O5c",
    "O5b",
    "OA1",
    "OA2",
    # fmt: on
]


def rows() -> list[list[str]]:
    lines = [line for line in MATRIX.read_text().splitlines() if re.match(r"\| [LO]", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_clause_has_its_row_once() -> None:
    assert [row[0] for row in rows()] == CLAUSES


def test_a_row_works_with_a_page_and_a_living_test_or_is_open_and_says_how_far() -> None:
    for clause, state, what, where, tests in rows():
        named = re.findall(r"`([^`]+)`", tests)
        assert state in {"works", "open"}, clause
        assert what, clause
        if state == "works":
            assert where, clause
            assert named, clause
        for name in named:
            path, _, function = name.partition("::")
            assert f"def {function}(" in (ROOT / path).read_text(), f"{clause}: {name} does not exist"
