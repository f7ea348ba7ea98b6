"""`manage.py begin_follow_ups`: a clock for each task that was fed back before 后续处理 had one; may run again."""

from typing import Any

from django.core.management.base import BaseCommand

from deadlines import clock
from supervision.actions import following


class Command(BaseCommand):
    """Leave no fault without a clock."""

    help = "为升级前已反馈、尚未处理完毕的监管任务起算后续处理期限"

    def handle(self, *args: Any, **options: Any) -> None:
        """Task by task, each in its own transaction; says how many."""
        keys = list(following.unwatched().order_by("pk").values_list("pk", flat=True))
        begun = sum(following.begin_unwatched(pk, clock.now()) for pk in keys)
        self.stdout.write(f"clocks begun {begun}")
