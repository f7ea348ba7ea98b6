"""企业画像: what is known of one subject beside its time line (L13b), and how a subject is found."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, TextField, Value
from django.http import Http404

from credit import own
from credit.identifiers import check_ric, check_uscc, normalise
from credit.joining import of_lineage
from credit.lists import state_of
from credit.models import CreditRecord, CreditSubject, Grade, RiskClass, SubjectGrade, SubjectRisk
from credit.using import in_use
from offices import kept
from offices.crypto import keyed_hash, mask_name
from oversight.lifelines import moment
from oversight.scopes import Scope

DIGITS = 6  # no organisation's name begins with as many
SHORTEST_NAME = 2
BIGGEST = 2**63 - 1  # of a key
LIVE = 20
NAMES = 50


@dataclass(frozen=True, slots=True)
class Grading:
    """One of the two gradings as it was received; ``is_known`` False: there is none, and that is no good grade.

    Then ``given_at`` says since when the platform gives none any more; None: it never gave one.
    """

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
NONE = "none"  # of both
NO_GRADE = Grading(Grade.NONE.value, str(Grade.NONE.label))
NO_RISK = Grading(RiskClass.NONE.value, str(RiskClass.NONE.label))


def head(subject: CreditSubject, *, decides: bool) -> Head:
    """Earlier names and gradings; one statement.

    A person's gradings are only for those who decide on the person: for others they are not read at all.
    """
    person = subject.kind == CreditSubject.Kind.PERSON
    graded = decides or not person

    def write(pk: Any) -> list[QuerySet[Any, Any]]:
        nothing = Value("", output_field=TextField())
        names = CreditSubject.history.filter(id=pk).order_by("-history_date", "-history_id")
        parts: list[QuerySet[Any, Any]] = [
            names.values_list(Value(0), "name", nothing, "history_date", "history_date")[:NAMES]
        ]
        for place, model, value in ((1, SubjectRisk, "risk"), (2, SubjectGrade, "grade")):
            newest = model._default_manager.filter(subject=pk).order_by("-given_at", "-id")
            if graded:
                parts.append(newest.values_list(Value(place), value, "source", "given_at", "received_at")[:1])
        return parts

    rows = [
        (place, value, source, moment(at), moment(came))
        for place, value, source, at, came in kept.union((head, graded), write, subject.pk)
    ]
    borne = [(value, at) for place, value, _, at, _ in rows if place == 0]
    if not graded:
        return Head(_earlier(subject, borne), None, None)
    given = {
        place: Grading(value, str(kind(value).label), source, at, came, is_known=value != NONE)
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


def live(subject: CreditSubject, today: dt.date) -> list[dict[str, Any]]:
    """Records in use that count for the subject, the newest ``LIVE``, each with its state; one statement.

    Those of the codes that it took the place of are among them (``joining``), ``former`` naming whose they are.
    """

    def write(pk: Any) -> QuerySet[CreditRecord]:
        rows = CreditRecord.objects.filter(in_use(today), subject__in=of_lineage(pk))
        rows = rows.select_related("department", "subject")
        return rows.defer("subject__id_number").order_by("-found_at", "-pk")[:LIVE]

    return [
        {"record": row, "state": state_of(row, today), "former": own.former(subject, row.subject)}
        for row in kept.ask((live, today), write, subject.pk)
    ]


def visible(scope: Scope, pk: int) -> CreditSubject:
    """The subject, with ``decides`` as ``Scope.with_decides`` says; one statement. Raises ``Http404``."""
    if pk > BIGGEST:
        raise Http404
    found: list[CreditSubject] = kept.ask((visible, scope.key), lambda key: scope.with_decides().filter(pk=key), pk)
    if not found:
        raise Http404
    return found[0]


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
