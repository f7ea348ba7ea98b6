"""Addresses of the overseers' desk."""

from django.urls import path

from oversight.views import board, cases, outbox, refusals, unlinked

app_name = "oversight"
urlpatterns = [
    path("", board.board_page, name="board"),
    path("export.csv", board.export, name="export"),
    path("cases/<slug:number>/", cases.case_page, name="case"),
    path("tasks/<slug:number>/", cases.task_page, name="task"),
    path("papers/<int:pk>/", cases.paper, name="paper"),
    path("refusals/", refusals.refusals, name="refusals"),
    path("refusals/export.csv", refusals.export, name="refusals_export"),
    path("unlinked/", unlinked.unlinked, name="unlinked"),
    path("unlinked/export.csv", unlinked.export, name="unlinked_export"),
    path("unlinked/<slug:number>/", unlinked.assign, name="assign"),
    path("messages/", outbox.outbox, name="messages"),
    path("messages/export.csv", outbox.export, name="messages_export"),
    path("messages/<int:pk>/again/", outbox.resend, name="resend"),
]
