"""Addresses of the discipline office's desk."""

from django.urls import path

from oversight.views import traces

app_name = "traces"
urlpatterns = [
    path("", traces.look_up, name="home"),
    path("<slug:number>/", traces.case_page, name="case"),
    path("<slug:number>/export.csv", traces.export, name="export"),
]
