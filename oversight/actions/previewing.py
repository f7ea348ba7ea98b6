"""Changing a cell of the table of differential handling: looked at first, then confirmed or dropped (L12a)."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from credit import handling
from credit.handling import HandlingRefused
from credit.models import HandlingPreview
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed
from oversight import previews

State = HandlingPreview.State
# Whoever confirms has seen who moves: an older look says too little.
HOLDS = dt.timedelta(days=1)


def is_old(preview: HandlingPreview, now: dt.datetime) -> bool:
    """Whether the preview was asked for so long ago that it is to be made anew."""
    return now - preview.asked_at > HOLDS


@transaction.atomic
def begin(grade: str, way: str, *, is_open: bool, basis: str, by: User, now: dt.datetime) -> HandlingPreview:
    """Look who would move; a worker counts. Where only the basis changes, nobody does, and it is ready at once.

    Raises ``HandlingRefused`` as ``handling.check_cell``, ``Refused`` (``preview-open``).
    """
    basis = handling.check_cell(grade, way, is_open=is_open, basis=basis)
    was_open = handling.is_open(grade, way)
    same = was_open == is_open
    preview = HandlingPreview(
        grade=grade, way=way, is_open=is_open, was_open=was_open, basis=basis, asked_by=by, asked_at=now,
        state=State.READY if same else State.RUNNING, ready_at=now if same else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            preview.save()
    except IntegrityError as error:
        raise Refused("preview-open", "这一格已有一份没有确认的预览，请先确认或者放弃。", conflict=True) from error
    if not same:
        transaction.on_commit(previews.wake, robust=True)
    return preview


def _locked(pk: int) -> HandlingPreview:
    return HandlingPreview.objects.select_for_update().get(pk=pk)


def _settle(preview: HandlingPreview, state: State, by: User, now: dt.datetime) -> None:
    preview.state, preview.settled_by, preview.settled_at = state, by, now
    preview.save(update_fields=["state", "settled_by", "settled_at"])


@transaction.atomic
def confirm(preview: HandlingPreview, *, by: User, now: dt.datetime) -> HandlingPreview:
    """Set the cell as it was looked at. Raises ``Refused`` (``preview-old``), ``TransitionNotAllowed``."""
    preview = _locked(preview.pk)
    if preview.state != State.READY:
        raise TransitionNotAllowed(
            f"这份预览现在是“{preview.get_state_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    if is_old(preview, now) or handling.is_open(preview.grade, preview.way) != preview.was_open:
        raise Refused("preview-old", "预览已经过时，请放弃后重新预览，看过结果再确认。", conflict=True)
    try:
        handling.set_cell(preview.grade, preview.way, is_open=preview.is_open, basis=preview.basis, by=by, now=now)
    except HandlingRefused as error:
        raise Refused(error.code, error.message, conflict=True) from error
    _settle(preview, State.CONFIRMED, by, now)
    return preview


@transaction.atomic
def drop(preview: HandlingPreview, *, by: User, now: dt.datetime) -> HandlingPreview:
    """Leave the table as it is. Raises ``TransitionNotAllowed``."""
    preview = _locked(preview.pk)
    if not preview.is_unsettled:
        raise TransitionNotAllowed(
            f"这份预览现在是“{preview.get_state_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    _settle(preview, State.DROPPED, by, now)
    return preview
