"""`manage.py demo_accounts`: who does what in the demonstration, with accounts, password and addresses."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from deadlines import clock
from oversight.demo import people, walk

PAGES = (
    ("公众首页", "home"),
    ("工作人员登录", "login"),
    ("全部演示账号", "demo_accounts"),
    ("演示手机", "notifications:phones"),
    ("演练时钟", "training"),
)


def width(text: str) -> int:
    """Columns that ``text`` takes in a terminal: a wide character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out ``rows`` in columns."""
    columns = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell + " " * (columns[place] - width(cell)) for place, cell in enumerate(row)).rstrip()
        for row in rows
    ]


class Command(BaseCommand):
    """Prints a short table; refused in production."""

    help = "列出演示账号和一件事的走法"

    def add_arguments(self, parser: CommandParser) -> None:
        """``--base`` is the address under which the portal is running."""
        parser.add_argument("--base", default=settings.PUBLIC_BASE_URL)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print addresses, then the way of each item."""
        if settings.PRODUCTION:
            raise CommandError("生产环境没有演示账号。")
        walks = walk.walks(clock.today())
        if not walks:
            raise CommandError("还没有演示数据，请先运行 manage.py load_demo。")
        base = options["base"].rstrip("/")
        absent = {"training": not settings.TRAINING_ALLOWED, "notifications:phones": not settings.DEMO_PHONE}
        pages = [(label, base + reverse(name)) for label, name in PAGES if not absent.get(name)]
        lines = ["", *table(pages), "", f"演示密码（所有账号相同）：{people.PASSWORD}"]
        for way in walks:
            lines += ["", f"走一遍“{way.item}”："]
            lines += [
                f"  {line}"
                for line in table(
                    [
                        [
                            str(number),
                            step.verb,
                            step.role_label,
                            " / ".join(a.username for a in step.accounts),
                            step.note,
                        ]
                        for number, step in enumerate(way.steps, start=1)
                    ]
                )
            ]
        self.stdout.write("\n".join(lines))
