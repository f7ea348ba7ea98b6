"""The bar over a public list (search, choices, chips) and the links of its pager, as the components take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from offices.keyset import Page

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Select:
    """A choice over a list: its parameter, its label and the (value, label) pairs that may be asked for."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    everything: str = "全部"


class Listing:
    """What a request asks of a list. Values that no option has are left aside."""

    def __init__(self, request: HttpRequest, selects: Sequence[Select], *, q_label: str, placeholder: str) -> None:
        self.path = request.path
        self.selects = selects
        self.q_label = q_label
        self.placeholder = placeholder
        self.q = request.GET.get("q", "").strip()[:LONGEST]
        self.cursor = request.GET.get("page", "")
        self.wants_csv = request.GET.get("format") == "csv"
        self.chosen: dict[str, str] = {}
        for select in selects:
            value = request.GET.get(select.name, "")
            if any(value == known for known, _ in select.options):
                self.chosen[select.name] = value

    def get(self, name: str) -> str:
        """The chosen value, or an empty text."""
        return self.chosen.get(name, "")

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a choice is on."""
        return bool(self.q or self.chosen)

    def url(self, *without: str, **extra: str) -> str:
        """This list's address with its search and choices, less those named, plus ``extra``."""
        query = QueryDict(mutable=True)
        query.update({"q": self.q} if self.q and "q" not in without else {})
        query.update({name: value for name, value in self.chosen.items() if name not in without})
        query.update(extra)
        return f"{self.path}?{query.urlencode()}" if query else self.path

    def bar(self) -> dict[str, Any]:
        """For ``components/filter_bar.html``."""
        chips = [{"label": f"“{self.q}”", "url": self.url("q")}] if self.q else []
        for select in self.selects:
            value = self.get(select.name)
            if value:
                label = dict(select.options)[value]
                chips.append({"label": f"{select.label}：{label}", "url": self.url(select.name)})
        return {
            "action": self.path,
            "q": self.q,
            "q_label": self.q_label,
            "placeholder": self.placeholder,
            "selects": [self._select(select) for select in self.selects],
            "chips": chips,
            "clear_url": self.path if len(chips) > 1 else "",
        }

    def _select(self, select: Select) -> Mapping[str, Any]:
        chosen = self.get(select.name)
        options = [{"value": "", "label": select.everything, "selected": not chosen}]
        options += [{"value": v, "label": label, "selected": v == chosen} for v, label in select.options]
        return {"name": select.name, "label": select.label, "options": options}

    def pager(self, page: Page[Any], summary: str) -> dict[str, str]:
        """For ``components/pager.html``."""
        return {
            "first_url": self.url(),
            "previous_url": self.url(page=page.previous) if page.previous else "",
            "next_url": self.url(page=page.next) if page.next else "",
            "summary": summary,
        }
