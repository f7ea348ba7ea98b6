"""What the applicant owes, seen by the clocks and the sweeps: reminders to the applicant, tasks for the approval side.

The applicant is reminded on the working day before the promised day and on the day (L8b); afterwards nothing is
cancelled by machine: the sweep notes the lapse, the alarms press whoever has to decide (L8c).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from approvals import sweeping
from approvals.actions.owing import find_later_lapse, find_promise_lapse
from approvals.alarms import when
from approvals.enums import OWED, CaseAct, CaseStatus, MaterialState
from approvals.models import Case, CaseMaterial, LaterSubmission, PromiseLapse
from approvals.notices import Kind, names_of_lines
from approvals.papers import cn_day
from approvals.querysets import CaseQuerySet, first
from deadlines.clock import local_date
from deadlines.enums import OPEN
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from deadlines.moves import Move, Publication, register_moved
from deadlines.registry import AlarmNotice, register
from deadlines.words import chinese_date
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications.outbox import Draft, post
from offices import kept
from offices.access import Access
from offices.models import Posting, User
from offices.people import by_department, by_office, overseers

# So many lapses a sweep and kind: the next one, a minute later, takes the rest.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Debt:
    """A kind of debt: the way from the case to its clock, the state of its lines, and what follows when they are in."""

    clock: str
    state: MaterialState
    label: str
    then: str
    threat: str


DEBTS = {
    KindCode.PROMISE: Debt(
        "promise_deadline", MaterialState.DEFERRED, "承诺补交期限", "补齐即颁发证件", "逾期未交的，可能撤销办理"
    ),
    KindCode.LATER_SUBMISSION: Debt(
        "later_submission__deadline", MaterialState.LATER, "容缺补交期限", "", "逾期未交的，按告知书写明的后果处理"
    ),
}
# Where somebody has to decide once the day has passed: a case that is not decided yet has its decision before it.
SETTLED_BY_PEOPLE = {
    KindCode.PROMISE: frozenset({CaseStatus.APPROVED}),
    KindCode.LATER_SUBMISSION: frozenset({CaseStatus.COMPLETED}),
}


def _cases(kind: KindCode, clocks: Iterable[int]) -> list[Case]:
    """The cases of these clocks with what they owe; three statements. ``clock_id`` is the clock."""
    debt = DEBTS[kind]
    owed = CaseMaterial.objects.filter(state=debt.state).order_by("order")
    rows = Case.objects.filter(**{f"{debt.clock}__in": list(clocks)}).annotate(clock_id=F(f"{debt.clock}_id"))
    return list(
        rows.select_related("business_item").prefetch_related(Prefetch("materials", queryset=owed, to_attr="owed"))
    )


def _inclusive(day: str) -> str:
    """A day in words, that day included; beside the weekday where it is named."""
    return f"{day.removesuffix('）')}，含当日）" if day.endswith("）") else f"{day}（含当日）"


def _to_applicant(case: Case, notice: AlarmNotice, today: dt.date) -> Draft:
    """The SMS to the contact: what is owed and by when (L8b); once the day has passed, that somebody will decide."""
    debt = DEBTS[notice.kind]
    names = names_of_lines(case.owed) or "材料"  # type: ignore[attr-defined]
    day = chinese_date(notice.due_on)
    if notice.stage > 0:
        said = f"尚未补交{names}，补交期限{day}已过，将由审批部门决定如何处理，请尽快补交。"
    elif notice.stage == 0:
        said = f"请于今天（{day}）补交{names}。{debt.threat}。"
    else:
        said = f"请最迟{_inclusive(day)}补交{names}{'，' + debt.then if debt.then else ''}。{debt.threat}。"
    return Draft(
        kind=Kind.OWED_REMINDER.value,
        text=f"您申请的{case.business_item.name}（{case.number}）{said}",
        # After the day the applicant hears it once, not every morning.
        dedupe_key=f"owed:{notice.deadline_id}:{notice.due_on}:{min(notice.stage, 1)}",
        reference=case.stream,
        phone=case.contact_phone,
        due_on=notice.due_on,
    )


def _to_people(case: Case, notice: AlarmNotice, people: Sequence[User], today: dt.date) -> list[Draft]:
    debt = DEBTS[notice.kind]
    text = f"办件{case.number}的{debt.label}{when(notice.due_on, today)}，申请人仍未补齐，请登录平台作出处理决定。"
    return [
        Draft(
            kind=Kind.OWED_LATE.value,
            text=text,
            dedupe_key=f"owed-late:{notice.deadline_id}:{notice.due_on}:{notice.stage}:{person.pk}",
            reference=case.stream,
            to_user=person,
            bundle_key=f"reminder:{person.pk}:{today}",
            due_on=notice.due_on,
        )
        for person in people
    ]


def remind(notices: Sequence[AlarmNotice], now: dt.datetime) -> None:
    """Answer a batch of alarms of one kind; statements are constant in its size.

    Stages up to the day itself speak to the applicant alone; after it deciders and heads, two days late the overseers.
    """
    kind, today = notices[0].kind, local_date(now)
    by_clock = {notice.deadline_id: notice for notice in notices}
    cases = _cases(kind, by_clock)
    late = [case for case in cases if _pressed(case, by_clock)]
    deciders = by_office(Posting.Role.DECIDER, {case.review_office_id for case in late}, today)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {case.department_id for case in late}, today)
    very = {case.division_id for case in late if _notice(case, by_clock).stage >= 2}
    chasers = overseers(very, today) if very else {}
    drafts, acts = [], []
    for case in cases:
        notice = _notice(case, by_clock)
        people: list[User] = []
        if case in late:
            people = [p for p in deciders.get(case.review_office_id, []) if p.pk != case.intake_by_id]
            people += heads.get(case.department_id, [])
            people += chasers.get(case.division_id, []) if notice.stage >= 2 else []
            people = list(dict.fromkeys(people))
        if case.owed:  # type: ignore[attr-defined]
            drafts.append(_to_applicant(case, notice, today))
        drafts += _to_people(case, notice, people, today)
        data = {
            "deadline": notice.deadline_id,
            "stage": notice.stage,
            "missed": list(notice.missed),
            "applicant": bool(case.owed),  # type: ignore[attr-defined]
            "people": [person.pk for person in people],
        }
        acts.append(LedgerDraft(case.stream, CaseAct.ALARM, data))
    post(drafts, now)
    record_many(acts, at=now)


def _notice(case: Case, by_clock: dict[int, AlarmNotice]) -> AlarmNotice:
    return by_clock[case.clock_id]  # type: ignore[attr-defined]


def _pressed(case: Case, by_clock: dict[int, AlarmNotice]) -> bool:
    """Whether officers are pressed: the day has passed, and there is something that a person may decide on."""
    notice = _notice(case, by_clock)
    return notice.stage > 0 and case.status in SETTLED_BY_PEOPLE[notice.kind]


def moved(moves: Sequence[Move], publication: Publication, now: dt.datetime) -> None:
    """Tell the applicant of a day that moved. A day that people wrote does not; should one, nobody is kept ignorant."""
    by_clock = {move.deadline_id: move for move in moves}
    debt = DEBTS[moves[0].kind]
    drafts = []
    for case in _cases(moves[0].kind, by_clock):
        move = by_clock[case.clock_id]  # type: ignore[attr-defined]
        change = f"{debt.label}由{cn_day(move.before)}改为{cn_day(move.after)}"
        drafts.append(
            Draft(
                kind=Kind.DUE_MOVED.value,
                text=f"您申请的{case.business_item.name}（{case.number}）{publication.because}，{change}。",
                dedupe_key=f"{Kind.DUE_MOVED}:{move.deadline_id}:{publication.key}",
                reference=case.stream,
                phone=case.contact_phone,
            )
        )
    post(drafts, now)


# --- the sweep


def _promises(now: dt.datetime) -> list[int]:
    """Ids of approved cases whose promised day passed and was not noted; a day of an unpublished year decides nothing.

    Served by the partial index of open clocks by due date.
    """
    noted = PromiseLapse.objects.filter(due_on=F("case__promise_deadline__due_on")).values("case")
    rows = Case.objects.filter(
        status=CaseStatus.APPROVED,
        promise_deadline__kind=KindCode.PROMISE,
        promise_deadline__state__in=OPEN,
        promise_deadline__due_on__lt=local_date(now),
        promise_deadline__provisional=False,
    ).exclude(pk__in=noted)
    return list(rows.order_by("promise_deadline__due_on", "pk").values_list("pk", flat=True)[:BATCH])


def _laters(now: dt.datetime) -> list[int]:
    rows = LaterSubmission.objects.filter(
        overdue_at__isnull=True,
        deadline__kind=KindCode.LATER_SUBMISSION,
        deadline__state__in=OPEN,
        deadline__due_on__lt=local_date(now),
        deadline__provisional=False,
    )
    return list(rows.order_by("deadline__due_on", "pk").values_list("case_id", flat=True)[:BATCH])


def sweep(now: dt.datetime) -> list[sweeping.Report]:
    """Note every day that passed with something still owed; safe to run twice, and two at once."""
    return [
        sweeping.run("promise-lapse", _promises(now), lambda case: find_promise_lapse(case, now=now)),
        sweeping.run("later-lapse", _laters(now), lambda case: find_later_lapse(case, now=now)),
    ]


# --- adjectives for the lists


def owing(access: Access, among: CaseQuerySet | None = None) -> CaseQuerySet:
    """Decided cases of the offices in which the person decides, in which something is or was owed (O3.1.2c).

    ``among``: those that are few already. PostgreSQL begins with what is named first where it does not know better.
    """
    found = (Case.objects.all() if among is None else among).for_decider(access)
    return with_day(
        found.filter(
            Q(promise_deadline__isnull=False) | Q(later_submission__deadline__isnull=False),
            status__in=[CaseStatus.APPROVED, CaseStatus.COMPLETED, CaseStatus.CANCELLED],
        )
    )


def with_day(cases: CaseQuerySet) -> CaseQuerySet:
    """Annotate ``owed_on``: the day of the debt that runs or ran last; looked up, not joined."""
    later = LaterSubmission.objects.filter(case=OuterRef("pk")).values("deadline__due_on")
    promised = Deadline.objects.filter(pk=OuterRef("promise_deadline_id")).values("due_on")
    return cases.annotate(owed_on=Coalesce(Subquery(later), Subquery(promised)))


def to_settle(access: Access) -> CaseQuerySet:
    """Those that wait for a person: a promised day or that of a later submission passed, and nobody decided on it."""
    return owing(access, Case.objects.filter(pk__in=_to_settle(access)))


def _to_settle(access: Access) -> QuerySet[Any]:
    """Ids of such cases of the person's offices: few, and found by indexes of their own."""
    lapses = _lapses(access).filter(cancel__isnull=True, case__status=CaseStatus.APPROVED)
    laters = _laters_of(access).filter(overdue_at__isnull=False, settled_at__isnull=True)
    return _both(lapses, laters)


def _both(lapses: QuerySet[PromiseLapse], laters: QuerySet[LaterSubmission]) -> QuerySet[Any]:
    """Ids of the cases of both, found before anything that an office ever decided is looked at."""
    return first(lapses.values_list("case").union(laters.values_list("case"), all=True))


def _lapses(access: Access) -> QuerySet[PromiseLapse]:
    """The promised days that passed in cases of the offices in which the person decides."""
    offices = access.offices(Posting.Role.DECIDER)
    return PromiseLapse.objects.filter(case__review_office_id__in=offices).order_by()


def _laters_of(access: Access) -> QuerySet[LaterSubmission]:
    """What was to be handed in later in such cases."""
    offices = access.offices(Posting.Role.DECIDER)
    return LaterSubmission.objects.filter(case__review_office_id__in=offices).order_by()


def to_wait_for(access: Access) -> CaseQuerySet:
    """Those in which something is owed and nobody has to decide now, those that were kept going included."""
    lines = CaseMaterial.objects.filter(case=OuterRef("pk"), state__in=OWED)
    return (
        owing(access)
        .filter(Exists(lines), status__in=[CaseStatus.APPROVED, CaseStatus.COMPLETED])
        .exclude(pk__in=_to_settle(access))
        .exclude(later_submission__settled_at__isnull=False)
    )


def settled(access: Access) -> CaseQuerySet:
    """Those on which a person decided after a day had passed."""
    lapses, laters = _lapses(access).filter(cancel__isnull=False), _laters_of(access).filter(settled_at__isnull=False)
    return owing(access, Case.objects.filter(pk__in=_both(lapses, laters)))


def waits_for(access: Access) -> CaseQuerySet:
    """What this person may settle now: the count on the rail."""
    return to_settle(access).exclude(intake_by=access.user)


def texts_of(case_ids: Iterable[int]) -> dict[int, str]:
    """Case → why its licence waits, for those among ``case_ids`` that owe deferred materials; one statement."""
    return {case: f"等待申请人补交{count}项材料" for case, count in kept.ask(_deferred, _deferred, list(case_ids))}


def _deferred(case_ids: Sequence[int]) -> QuerySet[CaseMaterial, tuple[int, int]]:
    rows = CaseMaterial.objects.filter(case__pk__in=case_ids, state=MaterialState.DEFERRED)
    return rows.values_list("case").annotate(Count("pk"))


def connect() -> None:
    """Register with the room of the clocks (from ``apps.py``)."""
    for kind in DEBTS:
        register(kind, remind)
        register_moved(kind, moved)
