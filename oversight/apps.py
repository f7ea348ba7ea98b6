"""App configuration."""

from django.apps import AppConfig


class OversightConfig(AppConfig):
    """督办."""

    name = "oversight"
    verbose_name = "督办"
