"""Addresses of the conflict pages, for everybody on the staff."""

from django.urls import path

from approvals.views import conflicts

app_name = "conflicts"
urlpatterns = [
    path("", conflicts.conflicts, name="list"),
    path("export.csv", conflicts.export, name="export"),
    path("new/", conflicts.new, name="new"),
    path("<int:pk>/end/", conflicts.end, name="end"),
]
