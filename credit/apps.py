"""App configuration."""

from django.apps import AppConfig


class CreditConfig(AppConfig):
    """信用."""

    name = "credit"
    verbose_name = "信用"
