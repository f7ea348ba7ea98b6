"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's name and mode."""
    return {"portal_name": settings.PORTAL_NAME, "portal_mode": settings.PORTAL_MODE}
