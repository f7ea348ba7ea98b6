"""The supervision side."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class SupervisionConfig(AppConfig):
    """Tasks, feedback; the only listener to approvals' signal."""

    name = "supervision"
    verbose_name = "监管"

    def ready(self) -> None:
        """Connect to the signal, the alarms and the outbox; name the acts."""
        from approvals import states, verification
        from approvals.models import Case
        from approvals.progress import provide_afterwards
        from approvals.signals import case_completed, licence_changed, revocation_decided
        from deadlines import owners
        from ledger import acts, draws
        from offices import trigrams
        from supervision import (
            alarms,
            checks,
            enums,
            messages,
            messages_corrections,
            messages_orders,
            messages_stock,
            moves,
            papers,
            pressing,
            progress,
            receivers,
            receivers_licence,
            receivers_revocation,
            sights,
            table,
        )
        from supervision.actions.drawing import PURPOSES
        from supervision.names import names_of

        pre_migrate.connect(pressing.DAY.lift, sender=self, dispatch_uid="supervision.pressing.lift")
        post_migrate.connect(pressing.DAY.reinstall, sender=self, dispatch_uid="supervision.pressing")
        # The search of the inbox, and of its archive.
        for name, which in (("task_open_by_part", "status <> 'closed'"), ("task_closed_by_part", "status = 'closed'")):
            trigrams.register(name, "supervision_supervisiontask", "upper(subject_name)", "number", where=which)
        acts.register(enums.TaskAct)
        acts.register(enums.PlanAct)
        acts.register(enums.StockAct)
        acts.register(enums.ChecklistAct)
        draws.name_purposes(PURPOSES)
        messages.register()
        messages_orders.register()
        messages_corrections.register()
        messages_stock.register()
        alarms.connect()
        moves.connect()
        case_completed.connect(receivers.open_tasks, sender=Case, dispatch_uid="supervision.open_tasks")
        receivers_licence.register()
        licence_changed.connect(receivers_licence.tell_tasks, dispatch_uid="supervision.licence_changed")
        revocation_decided.connect(receivers_revocation.close_with_answer, dispatch_uid="supervision.answered")
        provide_afterwards(progress.afterwards)
        verification.look_also(papers.find)
        owners.register("task", names_of)
        sights.register()
        checks.register()
        states.write_also(table.document)
