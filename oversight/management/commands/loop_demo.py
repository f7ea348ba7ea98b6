"""`manage.py loop_demo`: the loop approval → supervision → credit → approval, step by step with its ledger entries.

Played on the people and the catalogue of this database, and taken back at the end: nothing of it stays.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from deadlines import clock
from ledger import acts
from offices.refusals import Refused
from oversight.demo.loop import Loop, Step


class Command(BaseCommand):
    """Play the loop and print every step with its time and its entry on the ledger; refused in production."""

    help = "演示闭环：审批、监管、信用、再审批，逐步显示时间和留痕（演示后全部撤回）"

    def add_arguments(self, parser: CommandParser) -> None:
        """``--fraud``: the licence was got by fraud, so that art. 79 bars it even after the repair."""
        parser.add_argument("--fraud", action="store_true", help="许可以欺骗手段取得：修复后三年内仍不得再次申请")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play it in one transaction that is taken back."""
        if settings.PRODUCTION:
            raise CommandError("闭环演示不能在生产环境运行。")
        with transaction.atomic():
            try:
                loop = Loop(clock.now(), fraud=options["fraud"])
            except LookupError as error:
                raise CommandError("目录中没有演示用的事项，请先运行 load_demo。") from error
            try:
                for number, step in enumerate(loop.play(), start=1):
                    self._print(number, step)
            except Refused as error:
                raise CommandError(f"演示没有做完，以上各步已全部撤回。{error.message}") from error
            transaction.set_rollback(True)
        self.stdout.write("演示完毕，以上各步已全部撤回，数据库没有变化。")

    def _print(self, number: int, step: Step) -> None:
        self.stdout.write(f"{number:>2}. {timezone.localtime(step.at):%Y-%m-%d %H:%M}  {step.title}：{step.found}")
        if step.entry is not None:
            one = step.entry
            self.stdout.write(f"      {one.stream} 第{one.seq}条 {acts.label(one.act)} SM3 {one.hash[:16]}…")
