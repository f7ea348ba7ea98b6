"""`manage.py load_demo`: units, offices, calendar, invented people, the catalogue and a few cases; safe to repeat."""

from __future__ import annotations

import csv
from datetime import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

import catalogue
from approvals.models import Case
from deadlines import clock
from deadlines.alarms import is_working_time
from deadlines.calendar import estimating
from deadlines.hours import Session, set_window_hours, window_hours
from offices.models import Department, Division, Office
from oversight.demo import cases, listed, people, supervising

DATA = Path(catalogue.__file__).resolve().parent / "data"
DEMO_HOURS = ((time(9), time(12)), (time(13, 30), time(17)))


class Command(BaseCommand):
    """Everything that a newcomer needs to live through a case; refused in production."""

    help = "载入演示数据（可重复执行）"

    def add_arguments(self, parser: CommandParser) -> None:
        """``--no-cases`` leaves the case list empty, ``--no-supervising`` what went before the cases (tests)."""
        parser.add_argument("--no-cases", action="store_true")
        parser.add_argument("--no-supervising", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load in the order in which things stand on one another."""
        if settings.PRODUCTION:
            raise CommandError("演示数据不能载入生产环境。")
        call_command("load_units", stdout=self.stdout)
        call_command("load_calendar", stdout=self.stdout)
        with transaction.atomic():
            self._offices()
            self._hours()
            made = people.load()
        self.stdout.write(f"演示人员新增 {made} 名")
        call_command("load_catalogue", stdout=self.stdout)
        if not options["no_cases"] and not Case.objects.exists():
            self._set_clock()
            now = clock.now()
            # What began weeks ago first: numbers, ledger and messages are in the order of time.
            if not options["no_supervising"]:
                self.stdout.write(f"演示监管任务 {supervising.load(now)} 件")
            self.stdout.write(f"演示办件 {cases.load(now)} 件")
        if not options["no_cases"]:
            self.stdout.write(f"联合奖惩措施清单新增 {listed.load(clock.now())} 项")

    def _offices(self) -> None:
        with (DATA / "county_departments.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                Department.objects.update_or_create(
                    division=Division.objects.get(code=row["division_code"]),
                    name=row["name"],
                    defaults={
                        "short_name": row["short_name"],
                        "side": row["side"],
                        "is_demo": row["source"].startswith("演示"),
                    },
                )
        with (DATA / "offices.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                Office.objects.update_or_create(
                    department=Department.objects.get(division__code=row["division_code"], name=row["department"]),
                    name=row["office"],
                    defaults={"is_demo": row["source"] == "演示", "source": row["source"]},
                )

    def _hours(self) -> None:
        """The city's windows open as public offices commonly do; the real hours are not known here."""
        city = Division.objects.get(level=Division.Level.CITY)
        if not window_hours(city):
            sessions = [Session(weekday, *span) for weekday in range(5) for span in DEMO_HOURS]
            set_window_hours(city, sessions, by=None, now=clock.now(), note="演示")

    def _set_clock(self) -> None:
        """On a first start at night or on a day off, begin the training on the next working morning."""
        now = clock.now()
        if settings.TRAINING_ALLOWED and not is_working_time(now, estimating()):
            clock.jump_to(clock.next_working_morning(now), None)
