"""Addresses of the credit side, under ``/credit/``."""

from django.urls import URLPattern, URLResolver, path

from credit import (
    views_breaches,
    views_grades,
    views_late,
    views_links,
    views_measures,
    views_proposals,
    views_records,
)

app_name = "credit"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views_breaches.fact_list, name="facts"),
    path("export.csv", views_breaches.facts_export, name="facts_export"),
    path("facts/<int:pk>/", views_breaches.fact_page, name="fact"),
    path("breaches/<int:pk>/", views_breaches.breach_page, name="breach"),
    path("breaches/<int:pk>/notice/", views_breaches.breach_paper, name="breach_paper"),
    path("breaches/<int:pk>/objection/", views_breaches.breach_objection, name="breach_objection"),
    path("breaches/<int:pk>/decision/", views_breaches.breach_decision, name="breach_decision"),
    path("records/", views_records.record_list, name="records"),
    path("records/export.csv", views_records.records_export, name="records_export"),
    path("records/<int:pk>/", views_records.record_page, name="record"),
    path("records/<int:pk>/repair/", views_records.record_repair, name="record_repair"),
    path("records/<int:pk>/notice/", views_records.record_notice, name="record_notice"),
    path("measures/", views_measures.measure_list, name="measures"),
    path("measures/export.csv", views_measures.measures_export, name="measures_export"),
    path("measures/new/", views_measures.measure_new, name="measure_new"),
    path("measures/proposals/", views_proposals.proposal_list, name="proposals"),
    path("measures/proposals/export.csv", views_proposals.proposals_export, name="proposals_export"),
    path("measures/proposals/begin/", views_proposals.proposals_begin, name="proposals_begin"),
    path("measures/<int:pk>/", views_measures.measure_page, name="measure"),
    path("measures/<int:pk>/end/", views_measures.measure_end, name="measure_end"),
    path("repairs/<int:pk>/decision/", views_records.repair_decision, name="repair_decision"),
    path("late/", views_late.late_list, name="late"),
    path("late/export.csv", views_late.late_export, name="late_export"),
    path("links/", views_links.link_list, name="links"),
    path("links/export.csv", views_links.links_export, name="links_export"),
    path("links/new/", views_links.link_new, name="link_new"),
    path("links/<int:pk>/", views_links.link_page, name="link"),
    path("links/<int:pk>/set-aside/", views_links.link_undo, name="link_undo"),
    path("grades/", views_grades.grade_list, name="grades"),
    path("grades/export.csv", views_grades.grades_export, name="grades_export"),
    path("grades/<int:pk>/", views_grades.grade_page, name="grade"),
]
