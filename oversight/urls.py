"""Addresses of the overseers' desk."""

from django.urls import path

from oversight.views import (
    board,
    cases,
    deemed,
    disputes,
    exemptions,
    outbox,
    refusals,
    returns,
    undrawn,
    unlinked,
    unsigned,
    unveilings,
)

app_name = "oversight"
urlpatterns = [
    path("", board.board_page, name="board"),
    path("export.csv", board.export, name="export"),
    path("cases/<slug:number>/", cases.case_page, name="case"),
    path("cases/<slug:number>/hand-over/", cases.hand_over, name="hand_over"),
    path("tasks/<slug:number>/", cases.task_page, name="task"),
    path("papers/<int:pk>/", cases.paper, name="paper"),
    path("deemed/", deemed.deemed_page, name="deemed"),
    path("deemed/export.csv", deemed.export, name="deemed_export"),
    path("refusals/", refusals.refusals, name="refusals"),
    path("refusals/export.csv", refusals.export, name="refusals_export"),
    path("unveilings/", unveilings.unveilings, name="unveilings"),
    path("unveilings/export.csv", unveilings.export, name="unveilings_export"),
    path("returns/", returns.figures_page, name="returns"),
    path("returns/export.csv", returns.figures_export, name="returns_export"),
    path("returns/<slug:key>/", returns.rows_page, name="returned"),
    path("returns/<slug:key>/export.csv", returns.rows_export, name="returned_export"),
    path("exemptions/", exemptions.for_overseers, name="exemptions"),
    path("exemptions/export.csv", exemptions.overseers_export, name="exemptions_export"),
    path("disputes/", disputes.disputes, name="disputes"),
    path("disputes/export.csv", disputes.export, name="disputes_export"),
    path("disputes/<int:pk>/", disputes.dispute, name="dispute"),
    path("unlinked/", unlinked.unlinked, name="unlinked"),
    path("unlinked/export.csv", unlinked.export, name="unlinked_export"),
    path("unlinked/undrawn/", undrawn.undrawn, name="undrawn"),
    path("unlinked/undrawn/export.csv", undrawn.export, name="undrawn_export"),
    path("unlinked/unsigned/", unsigned.unsigned, name="unsigned"),
    path("unlinked/unsigned/export.csv", unsigned.export, name="unsigned_export"),
    path("unlinked/<slug:number>/", unlinked.assign, name="assign"),
    path("messages/", outbox.outbox, name="messages"),
    path("messages/export.csv", outbox.export, name="messages_export"),
    path("messages/<int:pk>/again/", outbox.resend, name="resend"),
]
