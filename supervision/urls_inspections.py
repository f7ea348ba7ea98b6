"""Addresses of 检查; they live in the namespace ``tasks``."""

from django.urls import URLPattern, URLResolver, path

from supervision import views_inspections as views

urlpatterns: list[URLPattern | URLResolver] = [
    path("checklists/", views.checklists_page, name="checklists"),
    path("checklists/export.csv", views.checklists_export, name="checklists_export"),
    path("checklists/<int:pk>/", views.checklist, name="checklist"),
    path("checklists/<int:pk>/new/", views.checklist_new, name="checklist_new"),
    path("checklists/<int:pk>/<int:version>/", views.checklist_version, name="checklist_version"),
    path("inspect-worker.js", views.worker, name="inspect_worker"),
    path("<slug:number>/inspect/", views.inspect, name="inspect"),
    path("<slug:number>/reinspect/", views.reinspect, name="reinspect"),
    path("<slug:number>/inspect/photos/", views.photo_upload, name="photo_upload"),
    path("<slug:number>/inspections/<int:order>/", views.inspection, name="inspection"),
    path("<slug:number>/inspections/<int:order>/print/", views.inspection_print, name="inspection_print"),
    path("<slug:number>/photos/<int:pk>/", views.photo, name="photo"),
]
