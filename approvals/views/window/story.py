"""What has happened to a case, as the window may read it: acts and stages, never an officer of the back office."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from approvals.enums import CaseAct, DocumentKind, Door, VerificationState
from approvals.models import Case, Document
from ledger.models import Entry

A = CaseAct
WINDOW, OFFICE, SYSTEM = "窗口", "审查处室", "系统"
WHO = {
    A.RECEIVED: WINDOW, A.MATERIAL_ADDED: WINDOW, A.CORRECTION_REQUESTED: WINDOW, A.CORRECTION_ANSWERED: WINDOW,
    A.ACCEPTED: WINDOW, A.NOT_ACCEPTED: WINDOW, A.DELIVERED: WINDOW, A.REVIEWER_DRAWN: SYSTEM, A.DECIDER_DRAWN: SYSTEM,
    A.OPINION_GIVEN: OFFICE, A.APPROVED: OFFICE, A.REJECTED: OFFICE, A.LICENCE_ISSUED: OFFICE, A.COMPLETED: OFFICE,
    A.ALARM: SYSTEM, A.DEEMED_ACCEPTED: SYSTEM, A.PROCEDURE_STARTED: OFFICE, A.PROCEDURE_ENDED: OFFICE,
    A.EXTENSION_GRANTED: OFFICE, A.HANDED_OVER: SYSTEM, A.MENDED: WINDOW, A.WITHDRAWN: WINDOW, A.LAPSED: SYSTEM,
    A.MATERIAL_VERIFIED: SYSTEM, A.CREDIT_ASKED: WINDOW, A.CREDIT_DECIDED: WINDOW, A.PROMISE_SIGNED: WINDOW,
    A.PROMISE_WITHDRAWN: WINDOW, A.DEFERRED_IN: WINDOW, A.PROMISE_LAPSED: SYSTEM, A.PROMISE_OVERDUE_SETTLED: OFFICE,
    A.CANCELLED: OFFICE, A.LATER_ALLOWED: WINDOW, A.LATER_IN: WINDOW, A.LATER_LAPSED: SYSTEM, A.LATER_EXTENDED: OFFICE,
    A.LATER_SETTLED: OFFICE,
}  # fmt: skip
TONES = {
    A.RECEIVED: "active", A.ACCEPTED: "active", A.CORRECTION_REQUESTED: "warn", A.NOT_ACCEPTED: "bad",
    A.APPROVED: "good", A.REJECTED: "bad", A.COMPLETED: "good", A.DELIVERED: "good", A.ALARM: "warn",
    A.DEEMED_ACCEPTED: "warn", A.PROCEDURE_STARTED: "warn", A.PROCEDURE_ENDED: "active", A.EXTENSION_GRANTED: "warn",
    A.WITHDRAWN: "warn", A.LAPSED: "bad", A.DEFERRED_IN: "active", A.PROMISE_LAPSED: "warn", A.CANCELLED: "bad",
    A.LATER_ALLOWED: "active", A.LATER_IN: "active", A.LATER_LAPSED: "warn",
}  # fmt: skip


def documents_of(case: Case) -> list[Document]:
    """The case's papers in the order of their issue, without their text; one statement."""
    return list(case.documents.defer("content").order_by("id"))


def timeline(case: Case, documents: list[Document]) -> list[dict[str, Any]]:
    """The acts on the ledger, newest first, as ``components/timeline.html`` takes them; one statement.

    Clocks and the reading of files are left out: the panels show the clocks, and who read what is not the window's.
    """
    papers = {document.pk: document for document in documents}
    shown = [*WHO, A.DOCUMENT_ISSUED]
    entries = []
    for entry in Entry.objects.filter(stream=case.stream, act__in=shown).order_by("-seq"):
        act = CaseAct(entry.act)
        row: dict[str, Any] = {
            "at": entry.at,
            "label": act.label,
            "who": WHO.get(act, ""),
            "tone": TONES.get(act, "neutral"),
        }
        if act is A.MATERIAL_VERIFIED:
            row["label"] += f"：{VerificationState(entry.data['state']).label}"
        if entry.data.get("door") == Door.PUBLIC:
            row["who"] = "申请人网上办理"
        paper = papers.get(entry.data.get("document", 0)) if act is A.DOCUMENT_ISSUED else None
        if paper is not None:
            url = reverse("paper", args=[paper.pk])
            row |= {"label": f"出具{paper.get_kind_display()}", "url": url, "link": paper.number}
        entries.append(row)
    return entries


def cards(documents: list[Document]) -> list[dict[str, Any]]:
    """Papers as ``components/paper_card.html`` takes them, newest first."""
    found = []
    for paper in reversed(documents):
        url = reverse("paper", args=[paper.pk])
        title = DocumentKind(paper.kind).label
        found.append({"title": title, "number": paper.number, "date": paper.issued_at, "url": url, "print_url": url})
    return found
