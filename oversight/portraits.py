"""企业画像: what is known of one subject beside its time line (L13b), and how a subject is found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from credit.identifiers import check_ric, check_uscc, normalise
from credit.lists import state_of
from credit.models import CreditRecord, CreditSubject, Grade, RiskClass, SubjectGrade, SubjectRisk
from offices.crypto import keyed_hash, mask_name
from oversight.scopes import Scope, in_use

CODE_LENGTH = 18
SHORTEST_NAME = 2
LIVE = 20
NAMES = 50


@dataclass(frozen=True, slots=True)
class Grading:
    """One of the two gradings as it was received; ``is_known`` False: nothing was, and that is no good grade."""

    value: str
    label: str
    source: str = ""
    given_at: dt.datetime | None = None
    received_at: dt.datetime | None = None
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """Who it is: earlier names, newest first (masked for persons), and both gradings, never mixed.

    ``grade`` and ``risk`` are None where a person's are not for the asker.
    """

    names: list[tuple[str, dt.datetime]]
    risk: Grading | None
    grade: Grading | None


NO_GRADE = Grading(Grade.NONE.value, str(Grade.NONE.label))
NO_RISK = Grading(RiskClass.NONE.value, str(RiskClass.NONE.label))


def _grade(subject: CreditSubject) -> Grading:
    row = SubjectGrade.objects.filter(subject=subject).order_by("-given_at", "-id").first()
    if row is None:
        return NO_GRADE
    return Grading(row.grade, str(row.get_grade_display()), row.source, row.given_at, row.received_at, is_known=True)


def _risk(subject: CreditSubject) -> Grading:
    row = SubjectRisk.objects.filter(subject=subject).order_by("-given_at", "-id").first()
    if row is None:
        return NO_RISK
    return Grading(row.risk, str(row.get_risk_display()), row.source, row.given_at, row.received_at, is_known=True)


def _names(subject: CreditSubject) -> list[tuple[str, dt.datetime]]:
    """Names that the subject bore before, each with the day from which it was known; one statement."""
    known = {subject.name}
    found = []
    person = subject.kind == CreditSubject.Kind.PERSON
    rows = CreditSubject.history.filter(id=subject.pk).order_by("-history_date", "-history_id")
    for name, since in rows.values_list("name", "history_date")[:NAMES]:
        if name not in known:
            known.add(name)
            found.append((mask_name(name) if person else name, since))
    return found


def head(subject: CreditSubject, *, decides: bool) -> Head:
    """Names and gradings; three statements, one where a person's gradings are not for the asker."""
    if subject.kind == CreditSubject.Kind.PERSON and not decides:
        return Head(_names(subject), None, None)
    return Head(_names(subject), _risk(subject), _grade(subject))


def live(scope: Scope, subject: CreditSubject, today: dt.date) -> list[dict[str, Any]]:
    """Records in use, the newest ``LIVE``, each with its state; one statement."""
    rows = CreditRecord.objects.filter(in_use(today), subject=subject).select_related("department")
    return [{"record": row, "state": state_of(row, today)} for row in rows.order_by("-found_at", "-pk")[:LIVE]]


# --- finding a subject


def identified(scope: Scope, typed: str) -> CreditSubject | None:
    """The subject with the code, or the person with the identity number, that was typed, if the asker may see it.

    An identity number is compared by its keyed hash and goes nowhere else. One statement, none for what is neither.
    """
    asked = Q()
    try:
        asked |= Q(code=check_uscc(typed))
    except ValidationError:
        pass
    try:
        asked |= Q(id_hash=keyed_hash(check_ric(typed)))
    except ValidationError:
        pass
    return scope.subjects().filter(asked).first() if asked else None


def is_identifier(typed: str) -> bool:
    """Whether it is meant as a code or a number: it must not get into an address."""
    plain = normalise(typed)
    return plain.isascii() and sum(char.isdigit() for char in plain) >= 8


def named(scope: Scope, typed: str) -> QuerySet[CreditSubject]:
    """Organisations whose name begins so; persons are not found by name."""
    rows = scope.subjects().exclude(kind=CreditSubject.Kind.PERSON)
    return rows.filter(name__startswith=typed) if len(typed) >= SHORTEST_NAME else rows.none()
