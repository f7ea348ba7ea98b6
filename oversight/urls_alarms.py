"""Addresses of 政务小闹钟, each person's own alarm board."""

from django.urls import path

from oversight.views import alarms

urlpatterns = [
    path("", alarms.alarms, name="alarms"),
    path("export.csv", alarms.export, name="alarms_export"),
]
