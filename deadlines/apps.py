"""App configuration."""

from django.apps import AppConfig


class DeadlinesConfig(AppConfig):
    """See the docs."""

    name = "deadlines"
