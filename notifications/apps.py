"""App configuration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """See the docs."""

    name = "notifications"
