"""Name the published items that nobody can be told of any more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.models import BusinessItem
from deadlines.clock import today


class Command(BaseCommand):
    """An item is published only with a reachable office; postings change afterwards (L2, O2b)."""

    help = "List published items without a reachable linked office; exit 1 if there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line an item, with its offices."""
        on = today()
        published = BusinessItem.objects.published().count()
        lost = BusinessItem.objects.unreachable(on).with_offices().prefetch_related("linkages__office__department")
        for item in lost:
            offices = "、".join(dict.fromkeys(str(row.office) for row in item.linkages.all() if row.active))
            self.stdout.write(f"{item.code} {item.name}：{offices or '没有审管关联'}")
        if lost:
            raise CommandError(f"{published} 个已发布事项中有 {len(lost)} 个没有可联系的监管处室。")
        self.stdout.write(f"{published} 个已发布事项都有可联系的监管处室。")
