"""What the back office works on, and how little of it may be read before the decision (O3.1.2c).

Blindness is a property of the query: ``blind`` names the columns that are read, and none of them tells whose case it
is. Pages and exports get a ``BlindCase``, from which nothing more can be reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from django.db.models import Case as Choose
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from approvals import countersigning
from approvals.draws import on_duty
from approvals.enums import DECIDED, CaseStatus, Way
from approvals.models import Case, Extension, Opinion, Sheet
from approvals.querysets import CaseQuerySet, first
from approvals.sheets import given_by
from credit.models import CreditSubject
from deadlines.enums import State
from deadlines.models import Deadline
from deadlines.querysets import DeadlineQuerySet
from offices import kept
from offices.access import Access
from offices.models import Posting

Role = Posting.Role

OWN_COLUMNS = (
    "number", "status", "outcome", "way", "promise_clauses", "content", "reviewer_id", "decider_id",
    "received_at", "accepted_at", "deemed_at", "decided_at", "completed_at", "delivered_at", "on_the_spot", "queue_on",
)  # fmt: skip
ITEM_COLUMNS = ("business_item__name", "business_item__code", "business_item__standard_item")
CLOCKS = ("promised_deadline", "statutory_deadline", "stage_deadline", "procedure_deadline", "issue_deadline")
CLOCK_COLUMNS = tuple(f"{clock}__{field.name}" for clock in CLOCKS for field in Deadline._meta.concrete_fields)
# Nothing outside this list leaves the database for a back-office page before the decision.
COLUMNS = ("pk", *(name.removesuffix("_id") for name in OWN_COLUMNS), *ITEM_COLUMNS, *CLOCK_COLUMNS)


# A line of a queue needs less.
ROW_COLUMNS = ("number", "status", "on_the_spot", "queue_on", "business_item__name")
APPLICANT_COLUMNS = tuple(f"applicant__{name}" for name in ("kind", "code", "id_number", "name"))


@dataclass(frozen=True, slots=True)
class BlindRow:
    """A case as a line of a queue; ``deadline`` is the clock that presses now."""

    pk: int
    number: str
    item_name: str
    status: CaseStatus
    is_on_the_spot: bool
    deadline: Deadline | None


@dataclass(frozen=True, slots=True)
class BlindCase:
    """A case as those see it who decide on it without knowing whose it is."""

    pk: int
    number: str
    item_id: int
    item_name: str
    item_code: str
    status: CaseStatus
    way: Way
    is_on_the_spot: bool
    promise_clauses: tuple[str, ...]
    content: str
    reviewer_id: int | None
    decider_id: int | None
    received_at: dt.datetime
    accepted_at: dt.datetime | None
    deemed_at: dt.datetime | None
    decided_at: dt.datetime | None
    completed_at: dt.datetime | None
    promised: Deadline | None
    statutory: Deadline | None
    stage: Deadline | None
    procedure: Deadline | None
    issue: Deadline | None

    @classmethod
    def of(cls, case: Case) -> Self:
        """Copy what may be seen out of a row of ``blind``."""
        return cls(
            pk=case.pk,
            number=case.number,
            item_id=case.business_item.pk,
            item_name=case.business_item.name,
            item_code=case.business_item.code,
            status=CaseStatus(case.status),
            way=Way(case.way),
            is_on_the_spot=case.on_the_spot,
            promise_clauses=tuple(case.promise_clauses),
            content=case.content,
            reviewer_id=case.reviewer_id,
            decider_id=case.decider_id,
            received_at=case.received_at,
            accepted_at=case.accepted_at,
            deemed_at=case.deemed_at,
            decided_at=case.decided_at,
            completed_at=case.completed_at,
            promised=case.promised_deadline,
            statutory=case.statutory_deadline,
            stage=case.stage_deadline,
            procedure=case.procedure_deadline,
            issue=case.issue_deadline,
        )

    @property
    def is_decided(self) -> bool:
        """Whether the decision stands: from here on the applicant may be shown."""
        return self.status in DECIDED

    @property
    def in_procedure(self) -> bool:
        """Whether a special procedure goes on, so that nobody advises or decides."""
        return self.procedure is not None and self.procedure.is_open

    @property
    def deadline(self) -> Deadline | None:
        """The clock that presses now."""
        return self.issue if self.is_decided else self.promised or self.statutory

    @property
    def clocks(self) -> list[Deadline]:
        """Both clocks of the decision, or the one of art. 44; with that of the inner stage while it is open."""
        found = (self.issue,) if self.is_decided else (self.promised, self.statutory)
        stage = self.stage if self.stage is not None and self.stage.is_open else None
        return [clock for clock in (*found, stage) if clock is not None]

    @property
    def deciding_clocks(self) -> list[Deadline]:
        """The open clocks that a special procedure may stop."""
        found = (self.statutory, self.promised, self.stage)
        return [] if self.is_decided else [clock for clock in found if clock is not None and clock.is_open]


def blind(cases: CaseQuerySet) -> CaseQuerySet:
    """Read only the columns that betray nobody."""
    return cases.select_related("business_item", *CLOCKS).only(*COLUMNS)


def revealed(cases: CaseQuerySet) -> CaseQuerySet:
    """As ``blind``, with the applicant; only cases that were decided come through."""
    return (
        cases.filter(status__in=DECIDED)
        .select_related("business_item", "applicant", *CLOCKS)
        .only(*COLUMNS, *APPLICANT_COLUMNS)
    )


def listed(keys: Sequence[int]) -> CaseQuerySet:
    """These cases with what ``rows`` makes lines of; which they are was asked of a queue before."""
    return with_pressing(Case.objects.filter(pk__in=keys)).select_related("business_item").only(*ROW_COLUMNS).order_by()


def listed_decided(keys: Sequence[int]) -> CaseQuerySet:
    """The decided ones of these cases, with their applicants."""
    shown = with_pressing(Case.objects.filter(pk__in=keys, status__in=DECIDED))
    return shown.select_related("business_item", "applicant").only(*ROW_COLUMNS, *APPLICANT_COLUMNS).order_by()


def rows(cases: Sequence[Case]) -> list[BlindRow]:
    """Lines of ``listed`` cases, in their order; one statement for their clocks."""
    pressing: dict[int, int | None] = {case.pk: case.pressing for case in cases}  # type: ignore[attr-defined]
    asked = sorted({clock for clock in pressing.values() if clock})
    clocks = {clock.pk: clock for clock in kept.ask(_clocks, _clocks, asked)}
    return [
        BlindRow(
            case.pk, case.number, case.business_item.name, CaseStatus(case.status), case.on_the_spot,
            clocks.get(pressing[case.pk] or 0),
        )
        for case in cases
    ]  # fmt: skip


def _clocks(keys: Sequence[int]) -> DeadlineQuerySet:
    return Deadline.objects.filter(pk__in=keys)


def applicant_of(case: BlindCase) -> CreditSubject | None:
    """Whose case it is, once it is decided; before that nobody is asked."""
    if not case.is_decided:
        return None
    whole = Case.objects.select_related("applicant").only("applicant_name", "applicant").get(pk=case.pk)
    whole.applicant.name = whole.applicant_name  # as this case knows it
    return whole.applicant


def to_review(access: Access) -> CaseQuerySet:
    """待审查: drawn to this reviewer, on whichever seat, without an opinion and without one's own sheet."""
    mine = Case.objects.for_reviewer(access).filter(status=CaseStatus.IN_REVIEW)
    return mine.filter(~Exists(_opinion()), ~Exists(_own_sheet(access)))


def _opinion() -> QuerySet[Opinion]:
    """The opinion on a case, for a subquery: bounded counts end early, a join over all opinions would come first."""
    return Opinion.objects.filter(case=OuterRef("pk"))


def _own_sheet(access: Access) -> QuerySet[Sheet]:
    """The sheet that the person gave on a case, for a subquery."""
    return given_by(access.user).filter(case=OuterRef("pk"))


def advised(access: Access) -> CaseQuerySet:
    """已出意见: what this reviewer advised on, or scored, and nobody has decided yet."""
    mine = Case.objects.for_reviewer(access).filter(status=CaseStatus.IN_REVIEW)
    # A scalar subquery: bounded counts end early, a join over all opinions would come first.
    mine = mine.alias(advice=Subquery(Opinion.objects.filter(case=OuterRef("pk")).values("pk")[:1]))
    return mine.filter(Q(advice__isnull=False) | Q(pk__in=given_by(access.user).values("case_id")))


def to_countersign(access: Access) -> CaseQuerySet:
    """待会签: what an office of the person was asked and has not answered; no case in which the person has a part."""
    return Case.objects.filter(pk__in=first(countersigning.waits_for(access).values("case_id")))


def to_decide(access: Access) -> CaseQuerySet:
    """待决定: with an opinion, or on the spot and not drawn to another on duty; never one's own intake or review."""
    spot = Q(on_the_spot=True)
    free = Q(decider__isnull=True) | Q(decider=access.user) | ~on_duty(access.on)
    return (
        Case.objects.for_decider(access)
        .filter(status=CaseStatus.IN_REVIEW)
        .filter((spot & free) | (~spot & Exists(_opinion())))
        .exclude(reviewer=access.user)
        .exclude(intake_by=access.user)
        .filter(~Exists(_own_sheet(access)))
    )


def to_issue(access: Access) -> CaseQuerySet:
    """待制证: approved in the person's office and not completed."""
    return Case.objects.filter(
        review_office_id__in=access.offices(Role.REVIEWER, Role.DECIDER), status=CaseStatus.APPROVED
    )


def done(access: Access) -> CaseQuerySet:
    """已办: decided and out of the office's hands."""
    return Case.objects.for_back_office(access).filter(status__in=[CaseStatus.REJECTED, CaseStatus.COMPLETED])


def with_pressing(cases: CaseQuerySet) -> CaseQuerySet:
    """Annotate ``pressing``: the id of the clock that presses in the queue."""
    return cases.annotate(
        pressing=Choose(
            When(status=CaseStatus.IN_REVIEW, then=Coalesce("promised_deadline_id", "statutory_deadline_id")),
            default="issue_deadline_id",
        )
    )


def late(cases: CaseQuerySet, on: dt.date) -> CaseQuerySet:
    """Rows of ``with_pressing`` whose day has passed; a clock that stands still is not late.

    By the day in the row first (``approvals.queueing``); that of a case to be decided on the spot tells nothing.
    """
    passed = Deadline.objects.filter(pk=OuterRef("pressing"), due_on__lt=on).exclude(state=State.PAUSED)
    return cases.filter(Exists(passed), queue_on__lt=on)


def matching(text: str, prefix: str = "") -> Q:
    """By case number or item; an applicant's name finds nothing, so that nobody can ask whose case it is."""
    asked = {
        "number__icontains": text,
        "business_item__name__icontains": text,
        "business_item__initials__istartswith": text,
        "business_item__code__iexact": text,
    }
    found = Q()
    for name, value in asked.items():
        found |= Q(**{f"{prefix}{name}": value})
    return found


def search(cases: CaseQuerySet, text: str) -> CaseQuerySet:
    """Rows that match what was typed; all without it."""
    text = text.strip()
    return cases.filter(matching(text)) if text else cases


# --- requests for more time, as the authority's head sees them: no applicant either

EXTENSION_COLUMNS = (
    "days", "reason", "requested_at", "granted", "answered_at", "answer",
    *(f"{who}__{name}" for who in ("requested_by", "answered_by") for name in ("full_name", "username")),
    *(f"case__{name}" for name in (
        "number", "status", "content", "received_at", "accepted_at", "deemed_at", "decided_at", "way",
        "review_office__name", "business_item__name", "business_item__code", "business_item__statutory_length",
        "business_item__statutory_unit", "business_item__extension_length", "business_item__extension_source",
    )),
    *(f"case__{clock}__{field.name}" for clock in ("promised_deadline", "statutory_deadline")
      for field in Deadline._meta.concrete_fields),
)  # fmt: skip
WAITS = Q(granted__isnull=True, case__status=CaseStatus.IN_REVIEW)


def extensions(access: Access) -> QuerySet[Extension]:
    """What was asked of the heads of the person's departments; no column that tells whose case it is."""
    theirs = Extension.objects.filter(case__department_id__in=access.departments(Role.DEPARTMENT_HEAD))
    return _told(theirs)


def extensions_listed(keys: Sequence[int]) -> QuerySet[Extension]:
    """The requests of these keys, with the same columns; in no order."""
    return _told(Extension.objects.filter(pk__in=keys)).order_by()


def _told(requests: QuerySet[Extension]) -> QuerySet[Extension]:
    return requests.select_related(
        "requested_by", "answered_by", "case__business_item", "case__review_office", "case__statutory_deadline",
        "case__promised_deadline",
    ).only(*EXTENSION_COLUMNS)  # fmt: skip


def waiting_extensions(access: Access) -> QuerySet[Extension]:
    """待批: not answered, and the case not decided meanwhile."""
    return extensions(access).filter(WAITS)


def answered_extensions(access: Access) -> QuerySet[Extension]:
    """已批: answered, or the case was decided before anybody did."""
    return extensions(access).exclude(WAITS)
