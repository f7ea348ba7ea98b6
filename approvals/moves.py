"""Who is told when a change of the calendar moves the clocks of a case: the applicant, and whoever has the case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef

from approvals.actions.revoking import handlers_of
from approvals.alarms import OWNERS, REVOCATION_OWNERS, holders
from approvals.models import Case, Extension, Revocation
from approvals.notices import Kind
from approvals.papers import cn_day
from deadlines import owners
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.moves import Move, Publication, register_moved
from notifications.outbox import Draft, post
from offices.models import Posting, User
from offices.people import by_office

# What the applicant was told of each clock. Of the two decision clocks it is the promised one, where there is one.
TOLD = {
    KindCode.DECISION_PROMISED: "作出决定的日期",
    KindCode.DECISION_STATUTORY: "作出决定的日期",
    KindCode.CORRECTION_ANSWER: "补正的截止日期",
}
READ = ("number", "status", "review_office", "contact_phone", "promised_deadline", "opinion__case")
# Of the people and items of a batch there are few: read once each, not joined to every case.
SHARED = ("reviewer", "decider", "intake_by", "business_item")


def tell_cases(moves: Sequence[Move], publication: Publication, now: dt.datetime) -> None:
    """Tell about the moves of one kind; statements are constant in their number."""
    column = OWNERS[moves[0].kind][0]
    by_clock = {move.deadline_id: move for move in moves}
    cases = list(
        Case.objects.filter(**{f"{column}__in": by_clock})
        .select_related("opinion")
        .only(*READ, *SHARED, column)
        .annotate(is_extended=Exists(Extension.objects.filter(case=OuterRef("pk"), granted=True)))
        .prefetch_related(*SHARED)
    )
    deciders = by_office(Posting.Role.DECIDER, {case.review_office_id for case in cases}, local_date(now))
    told = [applicant_draft(case, by_clock[getattr(case, column)], publication) for case in cases]
    people = [(person, case.stream) for case in cases for person in holders(case, deciders)]
    post([draft for draft in told if draft] + staff_drafts(people, publication), now)


def applicant_draft(case: Case, move: Move, publication: Publication) -> Draft | None:
    """The SMS about the day that the applicant was told, once a case and publication; None where it was another day.

    After an extension the day told in writing is the statutory one (延期告知书), beside the promise or without.
    While a clock stands still no day holds: the resume tells the new one.
    """
    if move.kind not in TOLD or move.is_paused:
        return None
    by_promise = case.promised_deadline_id is not None and not case.is_extended  # type: ignore[attr-defined]
    if move.kind is (KindCode.DECISION_STATUTORY if by_promise else KindCode.DECISION_PROMISED):
        return None
    return Draft(
        kind=Kind.DUE_MOVED.value,
        text=(
            f"您申请的{case.business_item.name}（{case.number}）{publication.because}，"
            f"{TOLD[move.kind]}由{cn_day(move.before)}改为{cn_day(move.after)}。"
        ),
        dedupe_key=f"{Kind.DUE_MOVED}:{case.pk}:{publication.key}",
        reference=case.stream,
        phone=case.contact_phone,
    )


def staff_drafts(people: Iterable[tuple[User, str]], publication: Publication) -> list[Draft]:
    """One SMS a person and publication, however many clocks moved; it belongs to the first owner of one (a stream)."""
    first: dict[int, tuple[User, str]] = {}
    for person, stream in people:
        first.setdefault(person.pk, (person, stream))
    return [
        Draft(
            kind=Kind.CALENDAR_MOVED.value,
            text=f"{publication.because}，您经办事项的部分到期日随之移动，请登录平台在“小闹钟”查看。",
            dedupe_key=f"{publication.key}:{person.pk}",
            reference=stream,
            to_user=person,
        )
        for person, stream in first.values()
    ]


def tell_revocations(moves: Sequence[Move], publication: Publication, now: dt.datetime) -> None:
    """Tell about moved clocks of proposals to revoke: who handles them, and the holder whose day to answer moved."""
    column, label = REVOCATION_OWNERS[moves[0].kind]
    by_clock = {move.deadline_id: move for move in moves}
    rows = list(Revocation.objects.filter(**{f"{column}__in": by_clock}).select_related("case", "office"))
    told = [
        Draft(
            kind=Kind.DUE_MOVED.value,
            text=f"证照（办件{row.case.number}）的{label}{publication.because}，"
            f"由{cn_day(by_clock[getattr(row, column)].before)}改为{cn_day(by_clock[getattr(row, column)].after)}。",
            dedupe_key=f"{Kind.DUE_MOVED}:revocation:{row.pk}:{publication.key}",
            reference=row.case.stream,
            phone=row.case.contact_phone,
        )
        for row in rows
        if moves[0].kind == KindCode.REVOCATION_HEARING
    ]
    handlers = handlers_of(rows, local_date(now))
    people = [(person, row.case.stream) for row in rows for person in handlers[row.pk]]
    post(told + staff_drafts(people, publication), now)


def connect() -> None:
    """Register with the room of the clocks (from ``apps.py``)."""
    for kind in OWNERS:
        register_moved(kind, tell_cases)
    for kind in REVOCATION_OWNERS:
        register_moved(kind, tell_revocations)
    owners.register_rows("case", Case.objects.all)
