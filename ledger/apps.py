"""The record of acts."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    """Append-only, hash-chained record of acts."""

    name = "ledger"
    verbose_name = "留痕账"

    def ready(self) -> None:
        """Check the hash, register the system checks and keep the guards in place after every migration."""
        from ledger import checks, draws, guards, hashing

        hashing.self_test()
        post_migrate.connect(guards.reinstall, sender=self, dispatch_uid="ledger.guards")
        for module in (checks, draws):
            module.__name__  # noqa: B018 - imported for its registrations
