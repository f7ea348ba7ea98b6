"""Addresses of the back office."""

from django.urls import path

from approvals.views import clock_acts, extensions, office

app_name = "office"
urlpatterns = [
    path("", office.work_list, name="list"),
    path("export.csv", office.export, name="export"),
    path("duty/", office.set_duty, name="duty"),
    path("extensions/", extensions.waiting_list, name="extensions"),
    path("extensions/export.csv", extensions.export, name="extensions_export"),
    path("extensions/<int:pk>/", extensions.extension_page, name="extension"),
    path("<slug:number>/", office.case_page, name="case"),
    path("<slug:number>/opinion/", office.opinion, name="opinion"),
    path("<slug:number>/decision/", office.decision, name="decision"),
    path("<slug:number>/completion/", office.completion, name="complete"),
    path("<slug:number>/procedure/", clock_acts.procedure, name="procedure"),
    path("<slug:number>/procedure/end/", clock_acts.procedure_end, name="procedure_end"),
    path("<slug:number>/extension/", clock_acts.extension, name="extend"),
]
