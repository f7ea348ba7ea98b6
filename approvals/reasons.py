"""Words that a grave act rests on: they go into a paper or close a matter for good, so that one word is too little."""

from __future__ import annotations

from approvals.exceptions import Refused

# Characters that are no space: fewer say neither who nor what.
SHORTEST = 10


def grave(text: str, field: str, what: str) -> str:
    """``text`` if it is long enough for a grave act; ``what``: the sentence that asks for it, without its end.

    Raises ``Refused`` (``reason-too-short``) beside ``field``.
    """
    said = len("".join(text.split()))
    if said < SHORTEST:
        raise Refused("reason-too-short", f"{what}，至少 {SHORTEST} 字，现为 {said} 字。", field=field)
    return text
