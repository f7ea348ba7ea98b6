"""The approval side."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ApprovalsConfig(AppConfig):
    """Intake, review, decision, licence, delivery; window, back office and public faces."""

    name = "approvals"
    verbose_name = "审批"

    def ready(self) -> None:
        """Name the acts, enter the message kinds and answer the alarms."""
        from approvals import alarms, enums, moves, notices, owed, queueing, sights
        from approvals.actions.leaves import StaffAct
        from approvals.draws import PURPOSES
        from approvals.names import names_of
        from deadlines import owners
        from ledger import acts
        from ledger.draws import name_purposes

        pre_migrate.connect(queueing.DAY.lift, sender=self, dispatch_uid="approvals.queueing.lift")
        post_migrate.connect(queueing.DAY.reinstall, sender=self, dispatch_uid="approvals.queueing")
        acts.register(enums.CaseAct)
        acts.register(StaffAct)
        name_purposes(PURPOSES)
        notices.register()
        alarms.connect()
        moves.connect()
        owed.connect()
        owners.register("case", names_of)
        sights.register()
