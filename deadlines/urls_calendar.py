"""Addresses of the calendar office."""

from django.urls import path

from deadlines.views_calendar import drafts, hours, years

app_name = "calendar"
urlpatterns = [
    path("", years.home, name="home"),
    path("hours/", hours.hours, name="hours"),
    path("drafts/", drafts.drafts, name="drafts"),
    path("drafts/<int:pk>/", drafts.draft, name="draft"),
    path("drafts/<int:pk>/state/", drafts.state, name="state"),
    path("drafts/<int:pk>/moves.csv", drafts.moves_export, name="moves_export"),
    path("drafts/<int:pk>/publish/", drafts.publication, name="publish"),
    path("drafts/<int:pk>/again/", drafts.again, name="again"),
    path("drafts/<int:pk>/discard/", drafts.discarding, name="discard"),
    path("new/", drafts.new, name="new"),
    path("new/<int:year>/", drafts.typed, name="typed"),
    path("new/<int:year>/provisional/", drafts.provisional, name="provisional"),
    path("<int:year>/", years.year, name="year"),
    path("<int:year>/holidays.csv", years.export, name="export"),
]
