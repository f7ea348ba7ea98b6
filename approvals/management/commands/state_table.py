"""`manage.py state_table`: write docs/mechanisms/states.md from the table of acts and the table of moves."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from approvals import states

PLACE = "docs/mechanisms/states.md"


class Command(BaseCommand):
    """Overwrites the document; safe to repeat."""

    help = f"Write {PLACE} from approvals.states and what other rooms add to it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        (settings.BASE_DIR / PLACE).write_text(states.document(), encoding="utf-8")
        self.stdout.write(f"{PLACE}: {len(states.ACTS)} acts")
