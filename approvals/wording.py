"""What is written about a case before its decision must not tell whose case it is (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction

from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case
from credit.identifiers import normalise
from ledger.record import Draft, record_many
from offices.models import User


def betrays(text: str, words: Iterable[str | None]) -> bool:
    """Whether one of ``words`` (names, codes, a phone) stands in ``text``, however it is written."""
    plain = normalise(text)
    return any(word and normalise(word) in plain for word in words)


def refuse_applicant(case: Case, texts: Mapping[str, str], *, by: User, now: dt.datetime) -> None:
    """Refuse a text, by its field, in which the applicant's name, code or phone stands; as intake does for its content.

    A refusal would also answer a guess, so each is written on the ledger, outside of the act that it stops.
    """
    if not any(text.strip() for text in texts.values()):
        return
    known = Case.objects.select_related("applicant").get(pk=case.pk)
    subject = known.applicant
    words = (known.applicant_name, subject.name, subject.code, subject.id_number, known.contact_phone)
    for field, text in texts.items():
        if betrays(text, words):
            with transaction.atomic():
                Case.objects.lock(known.pk)
                record_many([Draft(known.stream, CaseAct.APPLICANT_NAMED, {"field": field}, by)], at=now)
            raise Refused(
                "text-names-applicant",
                "文字里有申请人名称、证照号码或电话。决定作出前不得写明是谁的办件，请改写；这次填写已记入留痕。",
                field=field,
            )
