"""The Celery application and the whole beat schedule.

Messages only wake the sweeps: what is due is found in the database, so a lost broker costs minutes and nothing else.
"""

import os

from celery import Celery
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianyungang_gov.settings")

app = Celery("lianyungang_gov")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@beat_init.connect
def first_heartbeat(**kwargs: object) -> None:
    """Let /healthz know at once that beat has started; the schedule's first one comes five seconds later."""
    app.send_task("oversight.tasks.heartbeat", expires=20)


app.conf.beat_scheduler = "lianyungang_gov.beat:Scheduler"
app.conf.beat_schedule = {
    "sweep-deadlines": {"task": "deadlines.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "deliver-messages": {"task": "notifications.tasks.deliver", "schedule": 5.0, "options": {"expires": 5}},
    "run-calendar-jobs": {"task": "deadlines.tasks.run_calendar_jobs", "schedule": 10.0, "options": {"expires": 10}},
    "refresh-outdated": {"task": "deadlines.tasks.refresh_outdated", "schedule": 3600.0, "options": {"expires": 3600}},
    "watch-calendar": {"task": "oversight.tasks.watch_calendar", "schedule": 3600.0, "options": {"expires": 3600}},
    "preview-handling": {"task": "oversight.tasks.run_previews", "schedule": 10.0, "options": {"expires": 10}},
    "heartbeat": {"task": "oversight.tasks.heartbeat", "schedule": 5.0, "options": {"expires": 20}},
    "deem-lapsed": {"task": "approvals.tasks.deem_lapsed", "schedule": 60.0, "options": {"expires": 60}},
    "lapse-unanswered": {"task": "approvals.tasks.lapse_unanswered", "schedule": 60.0, "options": {"expires": 60}},
    "verify-materials": {"task": "approvals.tasks.verify_materials", "schedule": 10.0, "options": {"expires": 10}},
    "push-credit": {"task": "credit.tasks.push", "schedule": 10.0, "options": {"expires": 10}},
    "find-overdue-owed": {"task": "approvals.tasks.find_overdue_owed", "schedule": 60.0, "options": {"expires": 60}},
    "look-through-files": {"task": "approvals.tasks.look_through", "schedule": 20.0, "options": {"expires": 20}},
    "draw-covers": {"task": "approvals.tasks.draw_covers", "schedule": 20.0, "options": {"expires": 20}},
    "hand-over-cases": {"task": "approvals.tasks.hand_over_cases", "schedule": 600.0, "options": {"expires": 600}},
    "keep-draw-periods": {
        "task": "approvals.tasks.keep_draw_periods",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "sweep-uploads": {"task": "approvals.tasks.discard_abandoned", "schedule": 3600.0, "options": {"expires": 3600}},
    "load-stock": {"task": "supervision.tasks.load_stock", "schedule": 10.0, "options": {"expires": 10}},
    "sweep-photos": {"task": "supervision.tasks.discard_photos", "schedule": 3600.0, "options": {"expires": 3600}},
    "anchor-ledger": {"task": "ledger.tasks.anchor", "schedule": 3600.0, "options": {"expires": 3600}},
}
