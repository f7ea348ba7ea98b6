"""/healthz: 200 when web, database, cache, worker and beat are well; 503 with what is not."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis.exceptions import RedisError

from oversight.tasks import FRESH_SECONDS, HEARTBEAT


class NotHealth(logging.Filter):
    """Keep the 503s of a starting portal out of the log: whoever asked has the answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` is about anything but /healthz."""
        request = getattr(record, "request", None)
        return not (isinstance(request, HttpRequest) and request.path == "/healthz")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "ok"


def _worker_and_beat() -> str:
    try:
        at = cache.get(HEARTBEAT)
    except (RedisError, OSError):
        return "cache down"
    if at is None or timezone.now().timestamp() - at > FRESH_SECONDS:
        return "silent"
    return "ok"


def healthz(request: HttpRequest) -> JsonResponse:
    """Say how web, database, worker and beat are; nothing else."""
    parts = {"web": "ok", "database": _database(), "worker_and_beat": _worker_and_beat()}
    well = all(state == "ok" for state in parts.values())
    return JsonResponse(parts, status=200 if well else 503, headers={"Cache-Control": "no-store"})
