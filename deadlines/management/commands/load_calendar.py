"""``manage.py load_calendar``: put the working calendar in place from a file of notices; safe to repeat."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deadlines import clock
from deadlines.enums import YearStatus
from deadlines.errors import NoticeError
from deadlines.notice import SHIPPED, read_notices
from deadlines.provisional import SOURCE, provisional_days
from deadlines.publishing import Outcome, install_year
from deadlines.recompute import BATCH, label_now, outdated, recompute_year


class Command(BaseCommand):
    """Load the official years of the file and one provisional year after them."""

    help = "载入工作日历：文件中的年份为正式，其后一年按法定节假日暂定；可重复执行"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--csv", type=Path, default=SHIPPED, help="节假日安排文件（默认随系统发布的文件）")
        parser.add_argument("--provisional", type=int, default=1, help="其后暂定的年数（默认 1）")
        parser.add_argument("--replace", action="store_true", help="用文件替换内容不同的正式年份")

    def handle(self, *args: Any, **options: Any) -> None:
        """Validate the whole file, then put each year in place and recompute what it moves."""
        try:
            notices = read_notices(options["csv"])
        except (NoticeError, FileNotFoundError) as error:
            raise CommandError(str(error)) from error
        now = clock.now()
        last = max(notices)
        refused = []
        for year in [*sorted(notices), *range(last + 1, last + 1 + options["provisional"])]:
            notice = notices.get(year)
            outcome = install_year(
                year,
                notice.days() if notice else provisional_days(year),
                status=YearStatus.OFFICIAL if notice else YearStatus.PROVISIONAL,
                source=notice.source if notice else SOURCE,
                at=now,
                replace=options["replace"],
            )
            # Also where nothing changed: a recompute that was cut short last time is finished.
            moved = self._recomputed(year, now)
            suffix = f"，{moved} 个期限的到期日随之移动" if moved else ""
            self.stdout.write(f"{year} 年{'（暂定）' if notice is None else ''}：{outcome.value}{suffix}")
            if outcome is Outcome.DIFFERS:
                refused.append(str(year))
        if refused:
            raise CommandError(f"{'、'.join(refused)} 年未改动；确认要替换请加 --replace。")

    def _recomputed(self, year: int, now: datetime) -> int:
        """Bring the clocks of a year to it, saying how far it is, and return how many moved."""
        total = outdated(year, label_now(year)).count()
        moved = looked_at = 0
        for moves in recompute_year(year, at=now):
            looked_at += BATCH
            moved += len(moves)
            if total > BATCH:
                self.stdout.write(f"{year} 年：已重算 {min(looked_at, total)} / {total} 个期限")
        return moved
