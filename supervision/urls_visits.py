"""Addresses of 入企检查; they live in the namespace ``tasks``."""

from django.urls import path

from supervision import views_visits

urlpatterns = [
    path("visits/", views_visits.waiting_list, name="visits"),
    path("visits/export.csv", views_visits.export, name="visits_export"),
    path("visits/<int:pk>/", views_visits.visit_page, name="visit"),
    path("<slug:number>/visit/", views_visits.requesting, name="visit_request"),
    path("<slug:number>/visit-cancellation/", views_visits.cancelling, name="visit_cancel"),
]
