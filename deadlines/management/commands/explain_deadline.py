"""``manage.py explain_deadline``: every day of a period, counted or not and why; the due date alone at the end."""

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from deadlines import arithmetic
from deadlines import calendar as working_calendar
from deadlines.arithmetic import Calendar, MissingYear
from deadlines.enums import Unit
from deadlines.models import CalendarYear
from deadlines.reading import event_day

COUNTED_UNITS = (Unit.WORKING, Unit.CALENDAR, Unit.MONTHS)


class Command(BaseCommand):
    """Exit codes: 0, and 2 for input that makes no sense or a year without any data."""

    help = "逐日说明一个期限如何计算，最后一行是到期日"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--start", required=True, help="事件发生的时刻，如 2026-09-28T15:00；当日不计入")
        parser.add_argument("--days", required=True, type=int, help="期限长度（单位见 --unit）")
        parser.add_argument(
            "--unit", default=Unit.WORKING.value, choices=[u.value for u in COUNTED_UNITS], help="工作日、自然日或月"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the explanation."""
        unit = Unit(options["unit"])
        start_on = event_day(options["start"])
        if start_on is None:
            self._refuse("--start 要写成 2026-09-28T15:00 或 2026-09-28 的样子。")
        if not 1 <= options["days"] <= 3660:
            self._refuse("--days 要在 1 到 3660 之间。")
        try:
            lines = arithmetic.explain(start_on, options["days"], unit, self._calendar())
        except MissingYear as error:
            self._refuse(str(error))
        for line in lines:
            counted = f"计入第{line.number}日" if line.counted else "不计入"
            notes = "（暂定）" if line.provisional else ""
            self.stdout.write(f"{line.day.isoformat()} {line.weekday} {counted}：{line.reason}{notes}")
        if any(line.provisional for line in lines):
            self.stdout.write("注意：所涉年份的节假日安排尚未发布，按周末和法定节假日暂计，发布后会重新计算。")
        self.stdout.write(lines[-1].day.isoformat())

    def _calendar(self) -> Calendar:
        """The calendar of the database; before one is loaded, the shipped file."""
        if CalendarYear._meta.db_table in connection.introspection.table_names() and CalendarYear.objects.exists():
            return working_calendar.load()
        self.stderr.write("提示：数据库尚未载入工作日历，按随系统发布的节假日安排计算。")
        return working_calendar.shipped()

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(2)
