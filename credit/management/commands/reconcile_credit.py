"""`manage.py reconcile_credit [--platform]`: records = pushes = what the platform has; exits 1 on any difference."""

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credit import platform
from credit.reconciling import differences, differences_with, figures
from deadlines import clock


class Command(BaseCommand):
    """Recount the pushes."""

    help = "核对：信用记录和修复 = 推送 = 信用平台已接收"

    def add_arguments(self, parser: CommandParser) -> None:
        """``--platform``: ask the platform too."""
        parser.add_argument("--platform", action="store_true", help="与信用平台逐条核对")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a difference, then the figures."""
        if options["platform"] and not platform.is_on():
            raise CommandError("没有接入信用平台（CREDIT_URL）。")
        found = 0
        told = differences_with(platform.current()) if options["platform"] else ()
        try:
            for line in chain(differences(clock.now()), told):
                found += 1
                self.stdout.write(f"DIFFERENCE {line}")
        except platform.Unavailable as error:
            raise CommandError(f"信用平台没有给出推送清单：{error}") from error
        said = [f"{name} {number}" for name, number in figures().items()]
        self.stdout.write(", ".join([*said, f"differences {found}"]))
        if found:
            raise SystemExit(1)
