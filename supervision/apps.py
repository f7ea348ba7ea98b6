"""App configuration."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    """监管."""

    name = "supervision"
    verbose_name = "监管"
