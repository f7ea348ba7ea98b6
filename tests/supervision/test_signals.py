"""The page that lists every signal says what is true."""

from __future__ import annotations

from pathlib import Path

from django.dispatch import Signal

import approvals.signals
import catalogue.signals
from approvals.models import Case
from approvals.signals import case_completed
from supervision import checks, receivers

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mechanisms" / "linkage.md"


def signals() -> set[str]:
    return {
        f"{module.__name__}.{name}"
        for module in (approvals.signals, catalogue.signals)
        for name, value in vars(module).items()
        if isinstance(value, Signal)
    }


def test_every_signal_is_on_the_page_and_no_other() -> None:
    listed = {line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    assert listed == signals()


def test_supervision_alone_listens_to_completion() -> None:
    live, _ = case_completed._live_receivers(Case)
    assert live == [receivers.open_tasks]


def test_nobody_listening_is_an_error_at_start_up() -> None:
    assert checks.somebody_listens(None) == []
    case_completed.disconnect(sender=Case, dispatch_uid="supervision.open_tasks")
    try:
        assert [found.id for found in checks.somebody_listens(None)] == ["supervision.E001"]
    finally:
        case_completed.connect(receivers.open_tasks, sender=Case, dispatch_uid="supervision.open_tasks")
