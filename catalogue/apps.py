"""App configuration."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """See the docs."""

    name = "catalogue"
