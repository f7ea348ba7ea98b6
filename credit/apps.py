"""App configuration."""

from django.apps import AppConfig


class CreditConfig(AppConfig):
    """信用."""

    name = "credit"
    verbose_name = "信用"

    def ready(self) -> None:
        """Name the acts."""
        from credit.handling import Act
        from ledger import acts

        acts.register(Act)
