"""Bring the catalogue to what its data files say."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.errors import DataError
from catalogue.loading import DATA, load, read
from deadlines.clock import now


class Command(BaseCommand):
    """Validates all files first; writes all or nothing; a second run changes nothing."""

    help = "Load approval items, materials, supervision items and linkages from catalogue/data."

    def add_arguments(self, parser: CommandParser) -> None:
        """--check writes nothing; --strict fails if an item could not be published."""
        parser.add_argument("--check", action="store_true", help="validate and count, write nothing")
        parser.add_argument("--strict", action="store_true", help="exit 1 if an item marked for it cannot be published")
        parser.add_argument("--data", type=Path, default=DATA, help="folder of the data files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the counts; exit 1 with every problem named if the files cannot be loaded."""
        try:
            report = load(read(options["data"]), now=now(), check=options["check"])
        except DataError as error:
            raise CommandError("事项数据不能装入：\n" + str(error)) from error
        lead = "将有" if options["check"] else "共有"
        self.stdout.write(
            f"{lead} {report.changes} 处变化：新增 {report.created}，更新 {report.updated}，"
            f"停用 {report.switched_off}，发布 {len(report.published)}；未变 {report.unchanged}。"
        )
        if report.reopened:
            self.stdout.write(f"清单有变动，{report.reopened} 条审管关联待核对。")
        for line in report.kept:
            self.stdout.write(f"保留区划在页面上设定的承诺期限：{line}")
        for line in report.refused:
            self.stderr.write(line)
        if report.refused and options["strict"]:
            raise CommandError(f"有 {len(report.refused)} 个事项不能发布。")
