"""What the staff's lists share: addresses that keep what was asked, filter bar, pager, export link."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest

from offices.keyset import Keyset, Page

M = TypeVar("M", bound=Model)
T = TypeVar("T")
EXPORT_SIZE = 500
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """A select of the filter bar: its name, label, options (value, label) and the label of "everything"."""

    name: str
    label: str
    options: Options
    everything: str = "全部"

    def chosen(self, request: HttpRequest) -> str:
        """The asked value, or nothing for one that is not offered."""
        asked = request.GET.get(self.name, "")
        return asked if any(value == asked for value, _ in self.options) else ""


@dataclass(slots=True)
class Listing:
    """One list as it was asked for: its address, the search text, the filters, the count filter (``tab``)."""

    request: HttpRequest
    url: str
    filters: Sequence[Filter] = ()
    q_label: str = ""
    placeholder: str = ""
    tabs: Sequence[str] = ()
    asked: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Read what was asked; unknown values are dropped."""
        get = self.request.GET
        self.asked = {"q": get.get("q", "").strip()[:60] if self.q_label else ""}
        self.asked |= {one.name: one.chosen(self.request) for one in self.filters}
        tab = get.get("tab", "")
        self.asked["tab"] = tab if tab in self.tabs else ""

    def __getitem__(self, name: str) -> str:
        """The asked value of a filter, of ``q`` or of ``tab``."""
        return self.asked[name]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was asked for."""
        return any(self.asked.values())

    def address(self, url: str = "", **values: str) -> str:
        """The list's address (or ``url``) with what was asked, changed by ``values``."""
        kept = {key: value for key, value in (self.asked | values).items() if value}
        return f"{url or self.url}?{urlencode(kept)}" if kept else url or self.url

    def stats(self, counts: Iterable[tuple[str, str, int | str, str]]) -> list[dict[str, Any]]:
        """Counts as filters: (tab, label, count, tone when not zero)."""
        return [
            {
                "label": label,
                "count": count,
                "url": self.address(tab=tab),
                "active": self["tab"] == tab,
                "tone": tone if str(count) != "0" else "neutral",
            }
            for tab, label, count, tone in counts
        ]

    def bar(self) -> dict[str, Any]:
        """The filter bar as ``components/filter_bar.html`` takes it."""
        chips = [{"label": f"查找：{self['q']}", "url": self.address(q="")}] if self["q"] else []
        for one in self.filters:
            label = next((label for value, label in one.options if value and value == self[one.name]), "")
            if label:
                chips.append({"label": f"{one.label}：{label}", "url": self.address(**{one.name: ""})})
        return {
            "action": self.url,
            "q": self["q"],
            "q_label": self.q_label,
            "placeholder": self.placeholder,
            "selects": [
                {
                    "name": one.name,
                    "label": one.label,
                    "options": [
                        {"value": value, "label": label, "selected": value == self[one.name]}
                        for value, label in [("", one.everything), *one.options]
                    ],
                }
                for one in self.filters
            ],
            "hidden": [{"name": "tab", "value": self["tab"]}] if self["tab"] else [],
            "chips": chips,
            "clear_url": self.url if chips else "",
        }

    def page(
        self,
        rows: QuerySet[M] | Callable[[], QuerySet[M]],
        order: Sequence[str],
        *,
        wide: bool | Callable[[Sequence[int]], QuerySet[M]] = False,
        key: Hashable = None,
    ) -> Page[M]:
        """The asked page of ``rows``; ``wide`` and ``key`` as ``Keyset``; the filters are part of the key."""
        key = None if key is None or self.asked["q"] else (key, tuple(self.asked.items()))
        return Keyset(rows, order, wide=wide, key=key).page(self.request.GET.get("page", ""))

    def pager(self, page: Page[Any], unit: str = "件") -> dict[str, str]:
        """The pager as ``components/pager.html`` takes it; nothing where one page holds everything."""
        if not page.next and not page.previous:
            return {"summary": f"共 {len(page)} {unit}" if len(page) else ""}
        return {
            "first_url": self.address(),
            "previous_url": self.address(page=page.previous) if page.previous else "",
            "next_url": self.address(page=page.next) if page.next else "",
            "summary": f"本页 {len(page)} {unit}",
        }


def everything(rows: QuerySet[M], order: Sequence[str], lines: Callable[[list[M]], Iterable[T]]) -> Iterator[T]:
    """Yield what ``lines`` makes of each page of ``rows``, page after page: an export in constant memory."""
    keyset = Keyset(rows, order, size=EXPORT_SIZE)
    page = keyset.page()
    while True:
        yield from lines(page.rows)
        if not page.next:
            return
        page = keyset.page(page.next)


def counted(rows: QuerySet[Any], conditions: Mapping[str, Q]) -> dict[str, int]:
    """How many of ``rows`` each tab has, and ``all``: one statement."""
    asked = {f"tab_{tab}": Count("pk", filter=condition) for tab, condition in conditions.items() if tab}
    found = rows.aggregate(tab_all=Count("pk"), **asked)
    return {name.removeprefix("tab_"): count for name, count in found.items()}
