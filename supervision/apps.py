"""The supervision side."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    """Tasks, feedback; the only listener to approvals' signal."""

    name = "supervision"
    verbose_name = "监管"

    def ready(self) -> None:
        """Connect to the signal, the alarms and the outbox; name the acts."""
        from approvals.models import Case
        from approvals.progress import provide_afterwards
        from approvals.signals import case_completed
        from deadlines import owners
        from ledger import acts
        from supervision import alarms, checks, enums, messages, moves, progress, receivers, sights
        from supervision.names import names_of

        acts.register(enums.TaskAct)
        messages.register()
        alarms.connect()
        moves.connect()
        case_completed.connect(receivers.open_tasks, sender=Case, dispatch_uid="supervision.open_tasks")
        provide_afterwards(progress.afterwards)
        owners.register("task", names_of)
        sights.register()
        checks.register()
