"""App configuration."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """审批."""

    name = "approvals"
    verbose_name = "审批"
