"""The catalogue of what can be applied for and who watches it afterwards."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CatalogueConfig(AppConfig):
    """Approval items, business items, materials; supervision items; the linkage list."""

    name = "catalogue"
    verbose_name = "事项目录"

    def ready(self) -> None:
        """Name the acts, register the checks and keep the guards in place after every migration."""
        from catalogue import checks, guards
        from catalogue.enums import Act, SubItemAct
        from ledger import acts

        acts.register(Act)
        acts.register(SubItemAct)
        pre_migrate.connect(guards.lift, sender=self, dispatch_uid="catalogue.guards.lift")
        post_migrate.connect(guards.reinstall, sender=self, dispatch_uid="catalogue.guards")
        checks.__name__  # noqa: B018 - imported for its registrations
