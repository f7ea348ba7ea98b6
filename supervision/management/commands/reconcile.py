"""`manage.py reconcile`: completed cases = tasks = messages; prints the differences and exits 1 on any."""

from typing import Any

from django.core.management.base import BaseCommand

from deadlines import clock
from supervision.reconcile import differences, figures


class Command(BaseCommand):
    """Recount the chain."""

    help = "核对：办结的办件 = 监管任务 = 任务短信"

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a difference, then the figures."""
        found = 0
        for line in differences(clock.now()):
            found += 1
            self.stdout.write(f"DIFFERENCE {line}")
        said = [f"{name} {number}" for name, number in figures().items()]
        self.stdout.write(", ".join([*said, f"differences {found}"]))
        if found:
            raise SystemExit(1)
