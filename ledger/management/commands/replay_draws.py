"""`manage.py replay_draws 2026-09`: draws every draw of a month again and prints what differs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.draws import replay
from ledger.models import DrawPeriod


class Command(BaseCommand):
    """Exit 0 when the month replays to what is recorded, here and on the ledger; 1 otherwise."""

    help = "Replay the draws of a month from its revealed seed and compare results, pools and ledger entries."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--secret`` takes the encrypted seed of a month that is not revealed yet, for an auditor."""
        parser.add_argument("month", help="2026-09")
        parser.add_argument("--secret", action="store_true", help="use the secret seed; it is not printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line a difference and a closing line for each part of the month."""
        periods = list(DrawPeriod.objects.filter(month=options["month"]).order_by("part"))
        if not periods:
            raise CommandError(f"no draws in {options['month']}")
        if not options["secret"] and (closed := [one.name for one in periods if not one.is_revealed]):
            raise CommandError(f"the seed of {', '.join(closed)} is not revealed yet; an auditor may use --secret")
        differences = 0
        for period in periods:
            found = 0
            for one in replay(period, seed=period.seed if options["secret"] else period.revealed_seed):
                found += 1
                self.stdout.write(f"DIFFERS {one.period} #{one.number}: {one.reason}")
            late = ""
            if period.is_late:
                late = "; the commitment was published after the month began"
                late += ", together with its first draw" if period.is_for_draw else ""
            self.stdout.write(f"{period.name}: {period.drawn} draws, {found} differences{late}")
            differences += found
        if differences:
            raise SystemExit(1)
