"""Which handler answers an alarm of which kind. Upper apps register from their ``apps.py``; a check finds the gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from deadlines.handlers import Handlers
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

_alarms: Handlers[Handler] = Handlers("alarms")
register = _alarms.register
is_registered = _alarms.is_registered
handler_for = _alarms.get
handlers = _alarms.replaced
