"""The lowest room: who people are and where they sit."""

from django.apps import AppConfig


class OfficesConfig(AppConfig):
    """Divisions, departments, offices, people, postings and roles."""

    name = "offices"
    verbose_name = "机构与人员"
