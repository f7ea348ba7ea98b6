"""`manage.py replay_inspection_draw 12`: draws a run of 双随机 again and prints what differs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supervision.models import DrawRun
from supervision.redrawing import differences, period_of


class Command(BaseCommand):
    """Exit 0 when the run replays to what is recorded, here and on the ledger; 1 otherwise."""

    help = "Replay a random draw of inspections from its month's revealed seed: pools, who was drawn, who is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--secret`` takes the encrypted seed of a month that is not revealed yet, for an auditor."""
        parser.add_argument("run", help="the run's id, or its draw as 2026-10#3")
        parser.add_argument("--secret", action="store_true", help="use the secret seed; it is not printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line a difference and a closing line."""
        run = self._run(options["run"])
        period = period_of(run)
        if not options["secret"] and not period.is_revealed:
            raise CommandError(f"the seed of {period.name} is not revealed yet; an auditor may use --secret")
        found = 0
        for reason in differences(run, seed=period.seed if options["secret"] else period.revealed_seed):
            found += 1
            self.stdout.write(f"DIFFERS {run.draw_period}#{run.number}: {reason}")
        drawn = sum(group["taken"] for group in run.pools["groups"])
        self.stdout.write(f"{run.draw_period}#{run.number}: {drawn} drawn, {found} differences")
        if found:
            raise SystemExit(1)

    def _run(self, asked: str) -> DrawRun:
        name, mark, number = asked.partition("#")
        known = {"draw_period": name, "number": number} if mark else {"pk": name}
        found = (
            DrawRun.objects.filter(**known).first()
            if all(v.isdigit() for k, v in known.items() if k != "draw_period")
            else None
        )
        if found is None:
            raise CommandError(f"no run {asked}")
        return found
