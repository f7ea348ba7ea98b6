"""Row history (simple-history) dated by the portal's clock."""

from __future__ import annotations

import datetime as dt

from django.db import models


def save_at(
    instance: models.Model, now: dt.datetime, *, by: models.Model | None = None, reason: str | None = None
) -> None:
    """Save ``instance``; its history row carries ``now``, so that the training clock is not ignored.

    ``by`` and ``reason`` are written where no request tells them (commands, workers).
    """
    told = {"_history_date": now, "_history_user": by, "_change_reason": reason}
    for name, value in told.items():  # the names that simple-history reads
        if value is not None:
            setattr(instance, name, value)
    instance.save()
