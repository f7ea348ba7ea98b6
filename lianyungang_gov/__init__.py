"""The project: settings, URLs and the Celery application."""

from lianyungang_gov.celery import app as celery_app

__all__ = ["celery_app"]
