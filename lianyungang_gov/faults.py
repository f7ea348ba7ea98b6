"""Marked points at which a crash test may kill the process (never in production: settings refuse it).

A test arms one point by writing its name into ``FAULT_FILE``; the first process that reaches the point takes the file
away and kills itself with SIGKILL. So one running system can be crashed at every point in turn.
"""

import os
import signal
from pathlib import Path

from django.conf import settings


def reach(point: str) -> None:
    """Kill the own process with SIGKILL if ``point`` is armed; whoever takes the file away first is the one."""
    if not settings.FAULT_FILE:
        return
    armed = Path(settings.FAULT_FILE)
    try:
        if armed.read_text().strip() != point:
            return
        armed.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
