"""企业画像: what is known of one subject beside its time line (L13b), and how a subject is found."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet, TextField, Value

from credit.identifiers import check_ric, check_uscc, normalise
from credit.lists import state_of
from credit.models import CreditRecord, CreditSubject, Grade, RiskClass, SubjectGrade, SubjectRisk
from offices.crypto import keyed_hash, mask_name
from oversight.lifelines import moment, together
from oversight.scopes import Scope, in_use

DIGITS = 6  # no organisation's name begins with as many
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


KINDS: Mapping[int, tuple[type[RiskClass] | type[Grade], ...]] = {1: (RiskClass,), 2: (Grade,)}
NO_GRADE = Grading(Grade.NONE.value, str(Grade.NONE.label))
NO_RISK = Grading(RiskClass.NONE.value, str(RiskClass.NONE.label))


def head(subject: CreditSubject, *, decides: bool) -> Head:
    """Earlier names and gradings; one statement.

    A person's gradings are only for those who decide on the person: for others they are not read at all.
    """
    person = subject.kind == CreditSubject.Kind.PERSON
    names = CreditSubject.history.filter(id=subject.pk).order_by("-history_date", "-history_id")
    nothing = Value("", output_field=TextField())
    parts: list[QuerySet[Any, Any]] = [
        names.values_list(Value(0), "name", nothing, "history_date", "history_date")[:NAMES]
    ]
    if decides or not person:
        for place, model, value in ((1, SubjectRisk, "risk"), (2, SubjectGrade, "grade")):
            newest = model._default_manager.filter(subject=subject).order_by("-given_at", "-id")
            parts.append(newest.values_list(Value(place), value, "source", "given_at", "received_at")[:1])
    text, values = together(parts)
    with connection.cursor() as asked:
        asked.execute(text, values)
        rows = [(place, value, source, moment(at), moment(came)) for place, value, source, at, came in asked.fetchall()]
    borne = [(value, at) for place, value, _, at, _ in rows if place == 0]
    if len(parts) == 1:
        return Head(_earlier(subject, borne), None, None)
    given = {
        place: Grading(value, str(kind(value).label), source, at, came, is_known=True)
        for place, value, source, at, came in rows
        for kind in KINDS.get(place, ())
    }
    return Head(_earlier(subject, borne), given.get(1, NO_RISK), given.get(2, NO_GRADE))


def _earlier(subject: CreditSubject, borne: Iterable[tuple[str, dt.datetime]]) -> list[tuple[str, dt.datetime]]:
    """Names other than the present one, each once, newest first."""
    person = subject.kind == CreditSubject.Kind.PERSON
    found: dict[str, dt.datetime] = {}
    for name, since in sorted(borne, key=lambda one: one[1], reverse=True):
        if name != subject.name:
            found.setdefault(name, since)
    return [(mask_name(name) if person else name, since) for name, since in found.items()]


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
    with contextlib.suppress(ValidationError):
        asked |= Q(code=check_uscc(typed))
    with contextlib.suppress(ValidationError):
        asked |= Q(id_hash=keyed_hash(check_ric(typed)))
    return scope.subjects().filter(asked).first() if asked else None


def is_identifier(typed: str) -> bool:
    """Whether it is meant as a code or a number, or has one in it: it must not get into an address."""
    return sum(char.isdigit() for char in normalise(typed)) >= DIGITS


def named(scope: Scope, typed: str) -> QuerySet[CreditSubject]:
    """Organisations whose name begins so; persons are not found by name."""
    rows = scope.subjects().exclude(kind=CreditSubject.Kind.PERSON)
    return rows.filter(name__startswith=typed) if len(typed) >= SHORTEST_NAME else rows.none()
