"""App configuration."""

from django.apps import AppConfig


class OversightConfig(AppConfig):
    """督办."""

    name = "oversight"
    verbose_name = "督办"

    def ready(self) -> None:
        """Name the acts, enter the message kinds."""
        from ledger import acts
        from oversight import enums, sights
        from oversight.actions import calendar_watch

        acts.register(enums.OverseerAct)
        acts.register(enums.DivisionAct)
        acts.register(enums.TraceAct)
        sights.register()
        calendar_watch.register()
