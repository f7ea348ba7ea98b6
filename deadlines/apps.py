"""The working calendar and the clocks."""

from django.apps import AppConfig


class DeadlinesConfig(AppConfig):
    """Working calendar, running clocks and their events, alarms, the training clock."""

    name = "deadlines"
    verbose_name = "期限"

    def ready(self) -> None:
        """Name the acts and register the system checks."""
        from deadlines import checks
        from deadlines.enums import Act
        from ledger import acts

        acts.register(Act)
        checks.__name__  # noqa: B018 - imported for its registrations
