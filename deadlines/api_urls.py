"""Addresses of the clocks' part of the API."""

from django.urls import URLPattern, path

from deadlines import api

app_name = "api-deadlines"
urlpatterns: list[URLPattern] = [
    path("deadlines/explain/", api.ExplainView.as_view(), name="explain"),
    path("calendar/<int:year>/", api.CalendarView.as_view(), name="calendar"),
]
