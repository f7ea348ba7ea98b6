"""The lowest room: who people are and where they sit."""

from django.apps import AppConfig


class OfficesConfig(AppConfig):
    """Divisions, departments, offices, people, postings and roles."""

    name = "offices"
    verbose_name = "机构与人员"

    def ready(self) -> None:
        """Say in a sentence of our own what Django's translation says badly, on pages and through the API.

        Lay the indexes of searches after every migration.
        """
        from django.core.validators import ProhibitNullCharactersValidator
        from django.db.models.signals import post_migrate

        from offices import trigrams

        post_migrate.connect(trigrams.reinstall, sender=self, dispatch_uid="offices.trigrams")
        ProhibitNullCharactersValidator.message = "内容里有看不见的空字符（NUL），请删除后重新填写。"
