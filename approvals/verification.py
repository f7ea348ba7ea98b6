"""Verification of a paper by the code at its foot. It answers what the paper is and whether it is ours, no more.

The rooms above have papers of their own and say so from their ``apps.py`` (``look_also``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from approvals.enums import DocumentKind
from approvals.models import Document, Licence
from approvals.papers import cn_day
from credit import papers as credit_papers
from credit.models import CreditSubject
from deadlines.clock import local_date
from ledger.hashing import canonical, sm3
from offices.crypto import mask_name


@dataclass(frozen=True, slots=True)
class Found:
    """A paper that was given out by this portal."""

    kind: str
    number: str
    party: str
    authority: str
    date: str
    digest: str
    intact: bool
    licence: Licence | None
    expired: bool
    withdrawn: bool = False

    @property
    def state(self) -> str:
        """The answer in a word: of a grant, what became of its licence."""
        if not self.intact:
            return "摘要不符"
        if self.licence is not None and self.licence.state != Licence.State.VALID:
            return f"证照{self.licence.get_state_display()}"
        if self.withdrawn:
            return "已作废"
        return "有效期已过" if self.expired else "有效"

    @property
    def stands(self) -> bool:
        """Whether what the paper granted may be relied on today."""
        return (
            not self.expired
            and not self.withdrawn
            and (self.licence is None or self.licence.state == Licence.State.VALID)
        )


Finder = Callable[[str, dt.date], Found | None]
_finders: list[Finder] = []


def look_also(finder: Finder) -> None:
    """Let a room above find its own papers by code and local day; asked where the approval side knows none."""
    if finder not in _finders:
        _finders.append(finder)


def _told(code: str) -> Found | None:
    """A notice of the credit side, if the code is one's."""
    breach = credit_papers.find(code)
    if breach is None:
        return None
    return Found(
        kind=credit_papers.TITLE, number=breach.number, party=breach.subject.public_name,
        authority=breach.department.paper_name, date=cn_day(local_date(breach.told_at)),
        digest=credit_papers.digest_of(breach), intact=True, licence=None, expired=False,
    )  # fmt: skip


def find(code: str, on: dt.date) -> Found | None:
    """Return what the code opens, judged on the local day ``on``; one statement, one more for each room asked."""
    document = (
        Document.objects.filter(verify_code=code)
        .select_related("case__applicant", "case__licence")
        .defer("case__contact_phone", "case__applicant__id_number")
        .first()
    )
    if document is None:
        told = _told(code)
        return told or next((found for finder in _finders if (found := finder(code, on))), None)
    content = document.content
    grants = document.kind in {DocumentKind.APPROVAL, DocumentKind.FILING}
    licence: Licence | None = getattr(document.case, "licence", None) if grants else None
    person = document.case.applicant.kind == CreditSubject.Kind.PERSON
    party = content.get("promisor") or content["to"]
    return Found(
        kind=content["title"],
        number=document.number,
        party=mask_name(party) if person else party,
        authority=content["authority"],
        date=content["date"],
        digest=document.digest,
        intact=sm3(canonical(content)) == document.digest,
        licence=licence,
        expired=licence is not None and licence.valid_to is not None and licence.valid_to < on,
    )
