"""System checks of this app."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from deadlines import moves, registry
from deadlines.enums import Room, Unit
from deadlines.kinds import KINDS, Kind, KindCode


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
        if kind.alarms is None or not kind.stands or registry.is_registered(kind.code):
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


def incoherent(kind: Kind) -> Iterator[str]:
    """What a row of the table of kinds says against itself."""
    counted = kind.unit is not Unit.FIXED
    if not (kind.legal_basis and kind.addressees and kind.owner):
        yield "has no legal basis, no addressees or no owner"
    if not counted and (kind.length is not None or kind.pauses or kind.extension):
        yield "is a fixed day and has a length, a pause or an extension"
    if kind.room in {Room.FIXED, Room.SHORTER} and not (counted and kind.length):
        yield "leaves the length to the law and has none"
    if kind.room is Room.PERSON and kind.length is not None:
        yield "is set by a person and has a length"
    if (kind.longest is not None) is not (kind.room is Room.FREE):
        yield "has a longest length where none may be set, or none where it may"
    if kind.room is Room.FREE and not (counted and kind.length and kind.longest and kind.length <= kind.longest):
        yield "has a length outside its own room"
    if not kind.needs_law <= kind.pauses:
        yield "asks for a law of a pause that it does not know"
    if kind.extension and not (kind.extension.longest > 0 and kind.extension.allowed_by and kind.extension.legal_basis):
        yield "has an extension without length, approver or legal basis"


@register
def every_kind_is_coherent(**kwargs: Any) -> list[CheckMessage]:
    """E004: a row of the table of kinds that says something against itself, or stands under another code."""
    found: list[CheckMessage] = [
        Error(f"{code} {text}", hint="deadlines/kinds.py", id="deadlines.E004")
        for code, kind in KINDS.items()
        for text in incoherent(kind)
    ]
    return found + [
        Error(f"{code} holds the row of {kind.code}", id="deadlines.E004")
        for code, kind in KINDS.items()
        if code is not kind.code
    ]


@register
def every_move_is_told(**kwargs: Any) -> list[CheckMessage]:
    """E005: a kind that can alarm, but whose owner tells nobody when a change of the calendar moves it."""
    return [
        Error(
            f"moves of {kind.code} have no handler",
            hint=f"deadlines.moves.register_moved in {kind.owner}/apps.py",
            id="deadlines.E005",
        )
        for kind in KINDS.values()
        if kind.alarms is not None
        and kind.stands
        and apps.is_installed(kind.owner)
        and not moves.is_registered(kind.code)
    ]
