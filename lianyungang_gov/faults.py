"""Marked points at which a crash test may kill the process (never in production: settings refuse it)."""

import os
import signal
from pathlib import Path

from django.conf import settings


def reach(point: str) -> None:
    """Kill the own process with SIGKILL if ``point`` is the configured fault point and has not fired yet."""
    if not settings.FAULT_POINT or settings.FAULT_POINT != point:
        return
    marker = Path(settings.FAULT_MARKER)
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
