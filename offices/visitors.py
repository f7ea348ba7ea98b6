"""Where a visitor comes from: the peer, or what the configured proxies say; a forged header says nothing."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str | None:
    """Return the visitor's IP address, or None where there is none to be had.

    Behind ``PROXY_COUNT`` proxies it is that many hops from the right of X-Forwarded-For: further left anybody can
    write what they like. Without proxies the header is not read at all.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if settings.PROXY_COUNT and len(hops) >= settings.PROXY_COUNT:
        found = hops[-settings.PROXY_COUNT]
    try:
        return str(ipaddress.ip_address(found))
    except ValueError:
        return None
