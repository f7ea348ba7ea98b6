"""The Celery application and the whole beat schedule.

Messages only wake the sweeps: what is due is found in the database, so a lost broker costs minutes and nothing else.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianyungang_gov.settings")

app = Celery("lianyungang_gov")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "sweep-deadlines": {"task": "deadlines.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "deliver-messages": {"task": "notifications.tasks.deliver", "schedule": 5.0, "options": {"expires": 5}},
    "heartbeat": {"task": "oversight.tasks.heartbeat", "schedule": 5.0, "options": {"expires": 20}},
    "anchor-ledger": {"task": "ledger.tasks.anchor", "schedule": 3600.0, "options": {"expires": 3600}},
}
