"""A pushing worker of its own, to be killed: ``python -m tests.credit.worker <moment> [<moment> …]``."""

from __future__ import annotations

import os
import sys
from datetime import datetime

import django


def main() -> None:
    """Push at each given moment until nothing more is due."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

    from credit.pushing import push_due

    for moment in sys.argv[1:]:
        while push_due(datetime.fromisoformat(moment)).more:
            pass


if __name__ == "__main__":
    main()
