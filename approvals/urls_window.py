"""Addresses of the window."""

from django.urls import path

from approvals.views.window import cases, desk, intake, items

app_name = "window"
urlpatterns = [
    path("", desk.desk, name="desk"),
    path("changes/", desk.changes, name="changes"),
    path("export/", desk.export, name="export"),
    path("subjects/", intake.subject, name="subject"),
    path("files/", intake.upload, name="upload"),
    path("new/", items.items, name="items"),
    path("new/<str:code>/", intake.intake, name="intake"),
    path("new/<str:code>/notice/", items.notice, name="notice"),
    path("cases/<str:number>/", cases.case, name="case"),
    path("cases/<str:number>/preview/", cases.preview, name="preview"),
    path("cases/<str:number>/correct/", cases.correct, name="correct"),
    path("cases/<str:number>/refuse/", cases.refuse, name="refuse"),
]
