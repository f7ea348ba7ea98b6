"""Addresses of the clocks' part of the API."""

from django.urls import URLPattern, path

from deadlines import api, api_calendar

app_name = "api-deadlines"
urlpatterns: list[URLPattern] = [
    path("deadlines/explain/", api.ExplainView.as_view(), name="explain"),
    path("deadlines/<int:pk>/", api.ClockView.as_view(), name="deadline"),
    path("calendar/", api_calendar.CalendarYearsView.as_view(), name="years"),
    path("calendar/drafts/", api_calendar.DraftsView.as_view(), name="drafts"),
    path("calendar/drafts/<int:pk>/", api_calendar.DraftView.as_view(), name="draft"),
    path("calendar/drafts/<int:pk>/moves/", api_calendar.MovesView.as_view(), name="draft_moves"),
    path("calendar/drafts/<int:pk>/check/", api_calendar.CheckView.as_view(), name="draft_check"),
    path("calendar/drafts/<int:pk>/publication/", api_calendar.PublicationView.as_view(), name="draft_publication"),
    path("calendar/<int:year>/", api.CalendarView.as_view(), name="calendar"),
]
