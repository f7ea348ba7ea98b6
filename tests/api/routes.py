"""Every address of the API, read from the URL map: a new one without a word on who may use it fails the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

ROOT = "api/v1/"


@dataclass(frozen=True, slots=True)
class Route:
    """An address with its methods and who is behind it."""

    name: str
    path: str
    methods: tuple[str, ...]
    view: type[Any]

    @property
    def is_public(self) -> bool:
        """Whether no token is asked for."""
        return not self.view.authentication_classes

    def url(self, **values: str) -> str:
        """The address with its variables filled in."""
        filled = "/" + self.path
        for name, value in values.items():
            for kind in ("slug", "int"):
                filled = filled.replace(f"<{kind}:{name}>", value)
        return filled


def _walk(patterns: list[Any], prefix: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += _walk(pattern.url_patterns, path)
        else:
            found.append((path, pattern))
    return found


def routes() -> list[Route]:
    """Every route under /api/v1/."""
    found = []
    for path, pattern in _walk(get_resolver().url_patterns):
        if path.startswith(ROOT):
            view = pattern.callback.cls  # type: ignore[attr-defined]
            methods = tuple(name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name))
            found.append(Route(str(pattern.name), path, methods, view))
    return found
