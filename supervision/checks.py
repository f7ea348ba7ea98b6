"""System check: the approval side's signal must be heard."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from approvals.models import Case
from approvals.signals import case_completed


def somebody_listens(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a completed case would open no task, because nobody listens to ``case_completed``."""
    if case_completed.has_listeners(Case):
        return []
    return [checks.Error("nobody listens to approvals.signals.case_completed", id="supervision.E001")]


def register() -> None:
    """Register the check (from ``apps.py``)."""
    checks.register(somebody_listens)
