"""Lay the tables of an empty database at once, as the models say; every migration then counts as run.

Running the migrations one after another rebuilds the same tables dozens of times and takes most of a first start.
Only the demonstration and the tests begin so: what is switched on for a city runs ``manage.py migrate``.
``tests/infra/test_migrations.py`` holds that both ways lay the same tables: on PostgreSQL from nothing, on SQLite
from the last release.
"""

from __future__ import annotations

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def lay_tables() -> bool:
    """Lay all tables in one transaction if the database has none; tell whether it had none."""
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            return False
    emit_pre_migrate_signal(0, False, connection.alias, stdout=None, plan=[])
    loader, recorder = MigrationLoader(connection), MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        editor.create_model(recorder.Migration)
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        for app, name in sorted(loader.graph.nodes):
            recorder.migration_qs.create(app=app, name=name)
    emit_post_migrate_signal(0, False, connection.alias, stdout=None, plan=[])
    return True
