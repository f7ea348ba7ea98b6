"""The working calendar for everybody. Its names stand without a namespace, as those of all public pages."""

from django.urls import URLPattern, path

from deadlines.views_calendar import years

urlpatterns: list[URLPattern] = [
    path("", years.public_calendar, name="calendar_public"),
    path("<int:year>/", years.public_year, name="calendar_public_year"),
]
