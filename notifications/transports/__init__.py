"""The ways out of the house: one is chosen by ``SMS_TRANSPORT``."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from notifications.transports.base import Transport
from notifications.transports.demo_phone import DemoPhone
from notifications.transports.http_gateway import HttpGateway

NAMES = ("demo_phone", "http")


@lru_cache(maxsize=4)
def _http(url: str, token: str, timeout: float) -> HttpGateway:
    """One gateway a process, so that its connections stay open from batch to batch."""
    return HttpGateway(url, token, timeout)


def current() -> Transport:
    """Return the transport that the settings name."""
    if settings.SMS_TRANSPORT == "http":
        return _http(settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_TOKEN, settings.SMS_GATEWAY_TIMEOUT)
    return DemoPhone()
