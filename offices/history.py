"""Row history (simple-history) dated by the portal's clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import models

from offices.bulk import insert_rows


def _tell(instance: models.Model, now: dt.datetime, by: models.Model | None, reason: str | None) -> None:
    """Say what the history row is to carry, under the names that simple-history reads."""
    told = {"_history_date": now, "_history_user": by, "_change_reason": reason}
    for name, value in told.items():
        if value is not None:
            setattr(instance, name, value)


def save_at(
    instance: models.Model, now: dt.datetime, *, by: models.Model | None = None, reason: str | None = None
) -> None:
    """Save ``instance``; its history row carries ``now``, so that the training clock is not ignored.

    ``by`` and ``reason`` are written where no request tells them (commands, workers).
    """
    _tell(instance, now, by, reason)
    instance.save()


def delete_at(
    instance: models.Model, now: dt.datetime, *, by: models.Model | None = None, reason: str | None = None
) -> None:
    """Delete ``instance``; what it was stays in its history, dated ``now``, as by ``save_at``."""
    _tell(instance, now, by, reason)
    instance.delete()


def keep_rows(rows: Sequence[models.Model], now: dt.datetime, *, by: models.Model) -> None:
    """Write a history row of each of many rows of one model that were changed together; one statement on PostgreSQL."""
    if not rows:
        return
    history = type(rows[0]).history.model  # type: ignore[attr-defined]
    about = {"history_date": now, "history_user_id": by.pk, "history_type": "~"}
    own = [field.attname for field in history._meta.concrete_fields if not field.attname.startswith("history_")]
    insert_rows(history, [*own, *about], [(*(getattr(row, name) for name in own), *about.values()) for row in rows])
