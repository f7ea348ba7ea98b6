"""Addresses of the window."""

from django.urls import path

from approvals.views.window import cases, cover, desk, intake, items, mend, owed, promise, statement, verify

app_name = "window"
urlpatterns = [
    path("", desk.desk, name="desk"),
    path("changes/", desk.changes, name="changes"),
    path("export/", desk.export, name="export"),
    path("subjects/", intake.subject, name="subject"),
    path("files/", intake.upload, name="upload"),
    path("files/<int:pk>/cover/", cover.cover, name="cover"),
    path("files/<int:pk>/cover/<int:page>.jpg", cover.picture, name="cover_picture"),
    path("new/", items.items, name="items"),
    path("new/<str:code>/", intake.intake, name="intake"),
    path("new/<str:code>/notice/", items.notice, name="notice"),
    path("cases/<str:number>/", cases.case, name="case"),
    path("cases/<str:number>/preview/", cases.preview, name="preview"),
    path("cases/<str:number>/correct/", cases.correct, name="correct"),
    path("cases/<str:number>/promise/", promise.promise, name="promise"),
    path("cases/<str:number>/refuse/", cases.refuse, name="refuse"),
    path("cases/<str:number>/mend/", mend.mend, name="mend"),
    path("cases/<str:number>/withdraw/", mend.withdraw, name="withdraw"),
    path("cases/<str:number>/statement/", statement.statement, name="statement"),
    path("cases/<str:number>/owed/", owed.owed, name="owed"),
    path("cases/<str:number>/later/", owed.later, name="later"),
    path("cases/<str:number>/verify/", verify.verify, name="verify"),
    path("cases/<str:number>/verification/", verify.verification, name="verification"),
    path("cases/<str:number>/verification/<int:pk>/", verify.sheet, name="verification_sheet"),
]
