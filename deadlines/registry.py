"""Which handler answers an alarm of which kind. Upper apps register from their ``apps.py``; a check finds the gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ImproperlyConfigured

from deadlines.kinds import KindCode


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    """An alarm that rings: of which clock, its stage (see ``deadlines.alarms``) and the missed stages it speaks for."""

    deadline_id: int
    kind: KindCode
    stage: int
    due_on: date
    stream: str
    missed: tuple[int, ...] = ()


# Called with all alarms of one kind in a batch, in the sweep's transaction; its statements must not grow with the rows.
Handler = Callable[[Sequence[AlarmNotice], datetime], None]

_HANDLERS: dict[KindCode, Handler] = {}


def register(kind: KindCode, handler: Handler) -> None:
    """Let ``handler`` answer alarms of ``kind``; a second, different handler is refused."""
    if _HANDLERS.get(kind, handler) is not handler:
        raise ImproperlyConfigured(f"alarms of {kind} already have a handler")
    _HANDLERS[kind] = handler


def is_registered(kind: KindCode) -> bool:
    """Whether alarms of ``kind`` are answered."""
    return kind in _HANDLERS


def handler_for(kind: KindCode) -> Handler:
    """Return the handler of ``kind``; raises ``ImproperlyConfigured``."""
    if kind not in _HANDLERS:
        raise ImproperlyConfigured(f"no handler answers alarms of {kind}")
    return _HANDLERS[kind]


@contextmanager
def handlers(replacing: dict[KindCode, Handler]) -> Iterator[None]:
    """Answer alarms by ``replacing`` for a while, for benchmarks and tests."""
    kept = dict(_HANDLERS)
    _HANDLERS.update(replacing)
    try:
        yield
    finally:
        _HANDLERS.clear()
        _HANDLERS.update(kept)
