"""A worker that loads what waits of old stock: ``python -m tests.supervision.stock_worker MOMENT``."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

import django


def main(moment: str) -> None:
    """One run, as the beat starts it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianyungang_gov.settings")
    django.setup()
    from django.conf import settings

    from supervision.actions import stocking

    settings.UPLOAD_ROOT = Path(os.environ["UPLOADS_AT"])

    stocking.load_waiting(dt.datetime.fromisoformat(moment))


if __name__ == "__main__":
    main(sys.argv[1])
