"""Addresses of the division administrators' desk."""

from django.urls import path

from oversight.views import exemptions, handling, items, linkages, people, periods, units

app_name = "division"
urlpatterns = [
    path("", units.units, name="home"),
    path("export.csv", units.export, name="export"),
    path("departments/<int:pk>/", units.department, name="department"),
    path("departments/<int:pk>/side/", units.side, name="side"),
    path("departments/<int:pk>/offices/", units.new_office, name="office_new"),
    path("people/", people.people, name="people"),
    path("people/export.csv", people.export, name="people_export"),
    path("people/new/", people.new, name="person_new"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/postings/", people.add_posting, name="posting_new"),
    path("people/<int:pk>/active/", people.set_active, name="active"),
    path("people/<int:pk>/phone/", people.phone, name="phone"),
    path("people/<int:pk>/password/", people.password, name="password"),
    path("people/<int:pk>/unlock/", people.unlock, name="unlock"),
    path("postings/<int:pk>/end/", people.end_posting, name="posting_end"),
    path("linkages/", linkages.linkages, name="linkages"),
    path("linkages/export.csv", linkages.export, name="linkages_export"),
    path("linkages/new/", linkages.new, name="linkage_new"),
    path("linkages/<int:pk>/turn/", linkages.turn, name="linkage_turn"),
    path("linkages/<int:pk>/confirmation/", linkages.confirmation, name="linkage_confirm"),
    path("items/", items.items, name="items"),
    path("items/export.csv", items.items_export, name="items_export"),
    path("items/<int:pk>/", items.item, name="item"),
    path("items/<int:pk>/publish/", items.publish, name="publish"),
    path("items/<int:pk>/retire/", items.retire, name="retire"),
    path("items/<int:pk>/promise/", items.promise, name="promise"),
    path("items/<int:pk>/periods/<slug:kind>/", items.period, name="item_period"),
    path("periods/", periods.periods, name="periods"),
    path("periods/export.csv", periods.export, name="periods_export"),
    path("periods/rules/<int:pk>/off/", periods.off, name="period_off"),
    path("periods/<slug:kind>/", periods.period, name="period"),
    path("handling/", handling.table, name="handling"),
    path("handling/export.csv", handling.export, name="handling_export"),
    path("handling/previews/<int:pk>/", handling.preview, name="handling_preview"),
    path("handling/previews/<int:pk>/state/", handling.preview_state, name="handling_preview_state"),
    path("handling/<slug:grade>/<slug:way>/", handling.cell, name="handling_cell"),
    path("exemptions/", exemptions.for_division, name="exemptions"),
    path("exemptions/export.csv", exemptions.division_export, name="exemptions_export"),
]
