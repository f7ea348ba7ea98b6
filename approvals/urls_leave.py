"""Addresses of the leave pages, for everybody on the staff."""

from django.urls import path

from approvals.views import leaves

app_name = "leave"
urlpatterns = [
    path("", leaves.leaves, name="list"),
    path("export.csv", leaves.export, name="export"),
    path("new/", leaves.new, name="new"),
    path("<int:pk>/cancel/", leaves.cancel, name="cancel"),
]
