"""`manage.py verify_ledger`: reads every chain and names the first broken entry of each."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger import verify
from ledger.models import Entry


class Command(BaseCommand):
    """Exit 0 when every chain and every anchor holds, 1 otherwise."""

    help = "Verify the hash chain of every stream and every published anchor."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--stream case:12`` looks at one stream only."""
        parser.add_argument("--stream")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line a fault and a closing line."""
        found = list(verify.faults(options["stream"]))
        if options["stream"] is None:
            found += list(verify.anchor_faults())
        for fault in found:
            self.stdout.write(f"BROKEN {fault.stream} #{fault.seq}: {fault.reason}")
        total = Entry.objects.count()
        self.stdout.write(f"{total} entries, {len(found)} faults")
        if found:
            raise SystemExit(1)
