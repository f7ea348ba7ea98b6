"""Addresses of revocations, hearings and changes of licences; they live in the namespace ``office``."""

from django.urls import URLPattern, path

from approvals.views import licences, revocations

urlpatterns: list[URLPattern] = [
    path("revocations/", revocations.revocation_list, name="revocations"),
    path("revocations/export.csv", revocations.export, name="revocations_export"),
    path("revocations/<int:pk>/", revocations.revocation_page, name="revocation"),
    path("revocations/<int:pk>/papers/<int:document>/", revocations.paper, name="revocation_paper"),
    path("hearings/", revocations.hearing_list, name="hearings"),
    path("licences/", licences.licence_list, name="licences"),
    path("licences/export.csv", licences.export, name="licences_export"),
    path("licences/<slug:number>/", licences.licence_page, name="licence"),
]
