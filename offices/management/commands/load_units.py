"""`manage.py load_units`: divisions and departments of the plan's annex (OA1); safe to repeat."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from offices.models import Department, Division

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "units.csv"


class Command(BaseCommand):
    """Load divisions (areas) first, then departments; names and duties are data and follow the file."""

    help = "载入区划与部门（可重复执行）"

    def add_arguments(self, parser: CommandParser) -> None:
        """``--csv`` names another file of the same columns."""
        parser.add_argument("--csv", type=Path, default=SHIPPED)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse a row that names an unknown division, side or level."""
        with options["csv"].open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for line, row in enumerate(rows, start=2):
            if row["kind"] == "area":
                self._division(row, line)
        for line, row in enumerate(rows, start=2):
            if row["kind"] == "department":
                self._department(row, line)
        self.stdout.write(f"区划 {Division.objects.count()} 个，部门 {Department.objects.count()} 个")

    def _division(self, row: dict[str, str], line: int) -> None:
        if row["level"] not in Division.Level.values:
            raise CommandError(f"第 {line} 行：没有这种层级“{row['level']}”")
        parent = Division.objects.filter(code=row["parent_code"]).first()
        if row["parent_code"] and parent is None:
            raise CommandError(f"第 {line} 行：没有上级区划 {row['parent_code']}")
        Division.objects.update_or_create(
            code=row["division_code"],
            defaults={
                "name": row["name"],
                "level": row["level"],
                "parent": parent,
                "document_prefix": row["short_name"],
            },
        )

    def _department(self, row: dict[str, str], line: int) -> None:
        if row["side"] not in Department.Side.values:
            raise CommandError(f"第 {line} 行：没有这种侧“{row['side']}”")
        division = Division.objects.filter(code=row["division_code"]).first()
        if division is None:
            raise CommandError(f"第 {line} 行：没有区划 {row['division_code']}")
        Department.objects.update_or_create(
            division=division,
            name=row["name"],
            defaults={"short_name": row["short_name"], "official_name": row["official_name"], "side": row["side"]},
        )
