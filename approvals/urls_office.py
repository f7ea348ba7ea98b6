"""Addresses of the back office."""

from django.urls import path

from approvals.views import office

app_name = "office"
urlpatterns = [
    path("", office.work_list, name="list"),
    path("export.csv", office.export, name="export"),
    path("duty/", office.set_duty, name="duty"),
    path("<slug:number>/", office.case_page, name="case"),
    path("<slug:number>/opinion/", office.opinion, name="opinion"),
    path("<slug:number>/decision/", office.decision, name="decision"),
    path("<slug:number>/completion/", office.completion, name="complete"),
]
