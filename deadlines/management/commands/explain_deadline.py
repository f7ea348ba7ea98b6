"""``manage.py explain_deadline``: every day of a period, counted or not and why; the due date alone at the end.

A period that is supposed (``--start`` and ``--days``), one clock (``--deadline``), or every clock of a case or a task.
"""

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from deadlines import calendar as working_calendar
from deadlines import clock, explaining, owners, sights
from deadlines.alarms import local
from deadlines.arithmetic import Calendar, MissingYear
from deadlines.enums import Unit
from deadlines.explaining import Explanation, NoSense, Row
from deadlines.models import CalendarYear, Deadline
from deadlines.owners import Owner
from deadlines.reading import event_day
from deadlines.words import chinese_date

COUNTED_UNITS = (Unit.WORKING, Unit.CALENDAR, Unit.MONTHS)
MOST_DAYS = 3660
# Keys of the database end here.
MOST_KEY = 2**63 - 1


class Command(BaseCommand):
    """Exit codes: 0, and 2 for input that makes no sense, a clock that is not there, or a year without any data."""

    help = "逐日说明一个期限如何计算，最后一行是到期日"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        supposed = parser.add_argument_group("推算一个期限")
        supposed.add_argument("--start", help="事件发生的时刻，如 2026-09-28T15:00；当日不计入")
        supposed.add_argument("--days", type=int, help="期限长度（单位见 --unit）")
        supposed.add_argument(
            "--unit", default=Unit.WORKING.value, choices=[u.value for u in COUNTED_UNITS], help="工作日、自然日或月"
        )
        supposed.add_argument(
            "--pause",
            action="append",
            default=[],
            metavar="FROM..TO[:事由]",
            help="暂停之日..恢复之日，可重复；暂停次日起至恢复当日不计入，如 2026-10-12..2026-10-20:expert_review",
        )
        supposed.add_argument("--extension", type=int, default=0, help="延长多少（单位同 --unit）")
        known = parser.add_argument_group("说明已有的期限")
        known.add_argument("--deadline", type=int, help="期限的编号（页面地址 /clocks/<编号>/）")
        known.add_argument("--case", help="办件编号：说明这件办件的全部期限")
        known.add_argument("--task", help="监管任务编号：说明这件任务的全部期限")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the explanation."""
        asked = [name for name in ("deadline", "case", "task", "start") if options[name] is not None]
        if len(asked) != 1:
            self._refuse("请给出 --start 和 --days，或者 --deadline、--case、--task 中的一个。")
        if asked != ["start"]:
            if options["days"] is not None or options["pause"] or options["extension"]:
                self._refuse("--days、--pause、--extension 只与 --start 一起使用。")
            self._known(asked[0], options[asked[0]])
            return
        self._supposed(options)

    # --- a period that is supposed

    def _supposed(self, options: dict[str, Any]) -> None:
        start_on = event_day(options["start"])
        if start_on is None:
            self._refuse("--start 要写成 2026-09-28T15:00 或 2026-09-28 的样子。")
        if options["days"] is None or not 1 <= options["days"] <= MOST_DAYS:
            self._refuse(f"--days 要在 1 到 {MOST_DAYS} 之间。")
        if not 0 <= options["extension"] <= MOST_DAYS:
            self._refuse(f"--extension 要在 0 到 {MOST_DAYS} 之间。")
        try:
            found = explaining.what_if(
                start_on,
                options["days"],
                Unit(options["unit"]),
                self._calendar(),
                pauses=[explaining.read_pause(text) for text in options["pause"]],
                extension=options["extension"],
            )
        except NoSense as error:
            self._refuse(f"--{error.field} 不对：{error}")
        except MissingYear as error:
            self._refuse(str(error))
        self._days(found)
        if found.provisional:
            self.stdout.write("注意：所涉年份的节假日安排尚未发布，按周末和法定节假日暂计，发布后会重新计算。")
        self.stdout.write(found.due_on.isoformat())

    def _calendar(self) -> Calendar:
        """The calendar of the database; before one is loaded, the shipped file."""
        if CalendarYear._meta.db_table in connection.introspection.table_names() and CalendarYear.objects.exists():
            return working_calendar.load()
        self.stderr.write("提示：数据库尚未载入工作日历，按随系统发布的节假日安排计算。")
        return working_calendar.shipped()

    # --- clocks

    def _known(self, kind: str, asked: Any) -> None:
        if kind == "deadline":
            clocks = list(Deadline.objects.filter(pk=asked)) if 0 < asked <= MOST_KEY else []
            missing = f"没有编号为 {asked} 的期限。"
        else:
            stream = sights.find(kind, asked.strip().upper())
            clocks = list(Deadline.objects.filter(stream=stream).order_by("pk")) if stream else []
            name = {"case": "办件", "task": "监管任务"}[kind]
            missing = f"{name} {asked} 还没有期限。" if stream else f"没有编号为 {asked} 的{name}，请核对。"
        if not clocks:
            self._refuse(missing)
        found = explaining.explain_many(clocks, clock.today())
        if broken := [str(row.pk) for row in clocks if row.pk not in found]:
            self._refuse(f"期限 {'、'.join(broken)} 的事件不完整，无法说明，请联系系统管理员核对。")
        named = owners.names(row.stream for row in clocks)
        for number, row in enumerate(clocks):
            if number:
                self.stdout.write("")
            self._clock(row, found[row.pk], named[row.stream])

    def _clock(self, row: Deadline, found: Explanation, owner: Owner) -> None:
        say = self.stdout.write
        say(f"{row.get_kind_display()}（期限 {row.pk}）　{owner.title} {owner.number}".rstrip())
        say(f"状态：{row.get_state_display()}，{row.light_text(clock.today())}")
        say(found.summary)
        if found.still:
            say(f"{found.still.text}{found.still.promise}")
        say(f"依据：{found.basis}")
        for rule in found.rules:
            say(f"规则：{rule.text}（{rule.source}）" if rule.source else f"规则：{rule.text}")
        say(f"工作日历：{found.calendar_text}")
        for text in filter(None, (found.provisional, found.caveat)):
            say(f"注意：{text}")
        for event in found.events:
            due = f"；到期日{chinese_date(event.due_on)}" if event.due_on else ""
            say(f"{local(event.at):%Y-%m-%d %H:%M} {event.label}：{event.text}{due}")
        self._days(found)
        say(found.due_on.isoformat())

    # --- both

    def _days(self, found: Explanation) -> None:
        for row in found.days:
            self.stdout.write(f"{row.first.isoformat()} {row.weekday} {_counted(row)}：{_why(row)}")

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(2)


def _counted(row: Row) -> str:
    return str(row.standing.label) if row.number is None else f"计入第{row.number}日"


def _why(row: Row) -> str:
    return f"{row.reason}{'（暂定）' if row.provisional else ''}"
