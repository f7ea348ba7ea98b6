"""System checks of this app."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from deadlines import registry
from deadlines.kinds import KINDS, KindCode


@register
def training_stays_out_of_production(**kwargs: Any) -> list[CheckMessage]:
    """E001: the training clock in production."""
    if settings.PORTAL_MODE == "production" and settings.TRAINING_ALLOWED:
        return [Error("TRAINING_ALLOWED in production: the clock would not tell the time", id="deadlines.E001")]
    return []


@register
def every_alarm_is_answered(**kwargs: Any) -> list[CheckMessage]:
    """E002: a kind that can alarm, whose owner is installed but registered no handler; W001: whose owner is absent."""
    found: list[CheckMessage] = []
    for kind in KINDS.values():
        if kind.alarms is None or registry.is_registered(kind.code):
            continue
        text = f"alarms of {kind.code} have no handler"
        if apps.is_installed(kind.owner):
            found.append(Error(text, hint=f"deadlines.registry.register in {kind.owner}/apps.py", id="deadlines.E002"))
        else:
            found.append(checks.Warning(text, hint=f"{kind.owner} is not installed", id="deadlines.W001"))
    return found


@register
def every_kind_has_its_row(**kwargs: Any) -> list[CheckMessage]:
    """E003: a code of a clock without a row in the table of kinds."""
    return [Error(f"{code} has no row in KINDS", id="deadlines.E003") for code in KindCode if code not in KINDS]
