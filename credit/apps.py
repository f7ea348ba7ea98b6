"""App configuration."""

from django.apps import AppConfig


class CreditConfig(AppConfig):
    """信用."""

    name = "credit"
    verbose_name = "信用"

    def ready(self) -> None:
        """Name the acts and the messages, answer the clocks."""
        from credit import alarms, enums, messages, owning
        from credit.actions.listing_measures import ListAct
        from credit.actions.ruling import RuleAct
        from credit.asking import ReceivedAct
        from credit.handling import Act
        from credit.pushing import PushAct
        from ledger import acts

        acts.register(Act)
        acts.register(PushAct)
        acts.register(ReceivedAct)
        acts.register(RuleAct)
        acts.register(ListAct)
        acts.register(enums.CreditAct)
        messages.register()
        alarms.connect()
        owning.register()
