"""System checks of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from notifications import kinds, transports

LONGEST_TIMEOUT = 60


@register()
def transport_fits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001–E005: the transport exists, leads somewhere, and is not a toy in production."""
    found: list[CheckMessage] = []
    production = settings.PORTAL_MODE == "production"
    if production and settings.DEMO_PHONE:
        found.append(Error("DEMO_PHONE cannot be switched on in production", id="notifications.E001"))
    if settings.SMS_TRANSPORT not in transports.NAMES:
        found.append(Error(f"SMS_TRANSPORT must be one of {', '.join(transports.NAMES)}", id="notifications.E002"))
    if settings.SMS_TRANSPORT == "demo_phone" and not settings.DEMO_PHONE:
        found.append(
            Error("SMS_TRANSPORT is demo_phone, but there is no demo phone (DEMO_PHONE)", id="notifications.E003")
        )
    if settings.SMS_TRANSPORT == "http":
        found += _gateway(production)
    return found


def _gateway(production: bool) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    url = settings.SMS_GATEWAY_URL
    if not url.startswith(("http://", "https://")) or (production and not url.startswith("https://")):
        found.append(Error("SMS_GATEWAY_URL must be an address (https in production)", id="notifications.E004"))
    if not 0 < settings.SMS_GATEWAY_TIMEOUT <= LONGEST_TIMEOUT:
        found.append(
            Error(
                f"SMS_GATEWAY_TIMEOUT must be above 0 and at most {LONGEST_TIMEOUT} s",
                hint="a request must end well within the lease on its message",
                id="notifications.E005",
            )
        )
    return found


@register()
def kinds_are_registered(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: a module queues a kind of message that nobody registered."""
    missing = kinds.unregistered()
    if not missing:
        return []
    return [Error(f"message kinds used but not registered: {', '.join(missing)}", id="notifications.E006")]
