"""Addresses of the draws' part of the API."""

from django.urls import URLPattern, path

from ledger import api

app_name = "api-ledger"
urlpatterns: list[URLPattern] = [
    path("draws/", api.PeriodsView.as_view(), name="draw-periods"),
    path("draws/<slug:name>/", api.DrawsView.as_view(), name="draws-of-period"),
]
