"""How often a stranger may ask: small fixed-window counters in the cache.

The windows run on the real clock, whatever the training clock says. When the shared cache is lost, each process counts
for itself until it is back: a query code cannot be guessed freely because Redis is down.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from redis.exceptions import RedisError

from offices import visitors

log = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600}
_own = LocMemCache("limiter", {})


class RateLimited(Exception):  # noqa: N818 - what happened, as in the other refusals
    """Too many questions; ``retry_after`` says in seconds when the next one is answered."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Rate:
    """So many points in so many seconds."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``30/m`` (s, m or h). Raises ``ValueError`` for anything else."""
        limit, _, unit = text.partition("/")
        if unit not in SECONDS or not limit.isdigit() or int(limit) < 1:
            raise ValueError(f"a rate reads like 30/m, not {text!r}")
        return cls(int(limit), SECONDS[unit])


def client_address(request: HttpRequest) -> str:
    """Return what a limit counts: the visitor's address; of IPv6 the network (/64), which one household has."""
    address = visitors.address(request)
    if address is None:
        return "unknown"
    found = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def charge(keys: Sequence[str], rate: Rate, points: int = 1) -> None:
    """Add ``points`` to each key's window; raises ``RateLimited`` when one of them is over its limit."""
    try:
        _charge(cache, keys, rate, points)
    except RedisError as error:
        log.warning("limiter: cache lost (%s); this process counts for itself", type(error).__name__)
        _charge(_own, keys, rate, points)


def _charge(store: BaseCache, keys: Sequence[str], rate: Rate, points: int) -> None:
    now = time.time()
    window = int(now // rate.seconds)
    over = False
    for key in keys:
        name = f"limit:{key}:{rate.seconds}:{window}"
        # Kept for two windows, so that a counter never ends while it is added to.
        used = points if store.add(name, points, 2 * rate.seconds) else store.incr(name, points)
        over = over or used > rate.limit
    if over:
        raise RateLimited(max(1, int((window + 1) * rate.seconds - now) + 1))
