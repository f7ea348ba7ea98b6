"""App configuration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The outbox: messages, attempts, receipts, transports."""

    name = "notifications"
    verbose_name = "短信"

    def ready(self) -> None:
        """Register the system checks."""
        from notifications import checks

        checks.__name__  # noqa: B018 - imported for its registrations
