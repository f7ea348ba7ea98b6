"""Drawing anew: somebody hands a case back with a reason, or is on leave (O3.1.2c; L9c: no clock changes)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from approvals import notices, wording
from approvals.actions.clocks import hand_over_case
from approvals.actions.scoring import hand_over_sheet
from approvals.draws import DECIDER, draw_decider, draw_reviewer, pool_for
from approvals.enums import CaseAct, CaseStatus, Seat
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Opinion, Recusal, Sheet
from deadlines import actions as clocks
from deadlines.clock import local_date
from ledger.models import Draw
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import Leave, Posting, User
from offices.people import overseers

LONGEST_REASON = 300
NOBODY = "nobody-left"
Role = Posting.Role


def _decides(case: Case, person: User, on: dt.date) -> bool:
    """Whether ``person`` is one of those who may decide the case."""
    if case.on_the_spot and case.decider_id is not None:
        return case.decider_id == person.pk
    posted = Posting.objects.active(on).role(Role.DECIDER)
    return posted.filter(user=person, office=case.review_office_id).exists()


def seat_of(case: Case, person: User, on: dt.date) -> str:
    """The seat that ``person`` could hand back: ``first``, ``second``, ``lead`` or ``decider``.

    Raises ``TransitionNotAllowed`` when there is none, or what it was for is done.
    """
    if case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不需要再回避；请刷新查看。")
    sheet = Sheet.objects.filter(case=case, reviewer=person).first()
    if case.reviewer_id == person.pk or sheet is not None:
        given = sheet is not None and sheet.given_at is not None
        if given or (case.reviewer_id == person.pk and Opinion.objects.filter(case=case).exists()):
            raise TransitionNotAllowed("您已经出具审查意见，不能再重新抽取；发现应当回避的，请告知督办人员。")
        return Seat(sheet.seat).value if sheet is not None else Seat.FIRST.value
    if _decides(case, person, on):
        return DECIDER
    raise TransitionNotAllowed("这件办件没有抽取到您名下，不需要由您回避；请刷新查看。")


def recuse(case: Case, *, by: User, reason: str, now: dt.datetime) -> Case:
    """Hand a case back with a reason; another is drawn, ``by`` never again for this case. Every clock goes on.

    Where nobody else can be drawn it stays as it was and the overseers are told. Raises ``TransitionNotAllowed``, or
    ``Refused`` for the reason (missing, too long, naming the applicant) and for an empty pool.
    """
    wording.refuse_applicant(case, {"reason": reason}, by=by, now=now)
    try:
        return _recuse(case, by=by, reason=reason.strip(), now=now)
    except Refused as refusal:
        if refusal.code == NOBODY:
            _tell_nobody_left(case, by=by, now=now)
        raise


def _nobody(case: Case, who: str) -> Refused:
    return Refused(
        NOBODY,
        f"{case.review_office.name}没有其他可抽取的{who}，已告知督办人员协调；在此之前请不要办理这件办件。",
    )


@transaction.atomic
def _recuse(case: Case, *, by: User, reason: str, now: dt.datetime) -> Case:
    case = Case.objects.lock(case.pk)
    seat = seat_of(case, by, local_date(now))
    if not reason:
        raise Refused("reason-missing", "请写明回避的理由。", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refused("reason-too-long", f"回避的理由不超过 {LONGEST_REASON} 字。", field="reason")
    if Recusal.objects.filter(case=case, user=by).exists():
        raise TransitionNotAllowed("您已经回避这件办件，请刷新查看。")
    Recusal.objects.create(case=case, user=by, seat=seat, reason=reason, at=now)
    drafts, to = _decider_anew(case, by, now) if seat == DECIDER else _reviewer_anew(case, seat, by, now)
    case.touched_at = now
    save_at(case, now)
    if seat == Seat.FIRST or (seat == DECIDER and case.on_the_spot):
        clocks.hand_over(case.deciding_clocks, at=now, to=to, reason="redrawn", by=by)
    data = {"seat": seat, "from": by.pk, "to": to.pk if to else None}
    record_many([Draft(case.stream, CaseAct.REDRAWN, data, by), *drafts], at=now)
    return case


def _reviewer_anew(case: Case, seat: str, by: User, now: dt.datetime) -> tuple[list[Draft], User]:
    """Draw for a reviewer's seat; its sheet, if the item has sheets, goes over as well."""
    try:
        draft = draw_reviewer(case, by=by, now=now, not_again=by.pk, seat=seat)
    except Refused as refusal:
        raise _nobody(case, "审查人员") from refusal
    drawn: User = User.objects.get(pk=draft.data["drawn"])
    Sheet.objects.filter(case=case, seat=seat).update(reviewer=drawn, drawn_at=now)
    return [draft], drawn


def _decider_anew(case: Case, by: User, now: dt.datetime) -> tuple[list[Draft], User | None]:
    """On the spot another on duty is drawn; else any other decider of the office decides, so there must be one."""
    if not pool_for(case, Role.DECIDER, now, {by.pk}):
        raise _nobody(case, "决定人员")
    if not case.on_the_spot:
        return [], None
    draft = draw_decider(case, by=by, now=now, not_again=by.pk)
    return [draft], case.decider


@transaction.atomic
def _tell_nobody_left(case: Case, *, by: User, now: dt.datetime) -> None:
    """Tell the overseers; that it was asked for stands on the ledger, its reason does not."""
    case = Case.objects.lock(case.pk)
    record_many([Draft(case.stream, CaseAct.REDRAWN, {"from": by.pk, "to": None, "refused": NOBODY}, by)], at=now)
    people = overseers({case.division_id}, local_date(now)).get(case.division_id, [])
    text = f"办件{case.number}的承办人员申请回避，处室内没有其他可抽取的人员，请协调。"
    notices.tell_people(case, notices.Kind.NOBODY_REVIEWS, text, f"recusal:{by.pk}", people, now)


# --- leave


def _drawn_at(case: Case, person: int) -> dt.datetime | None:
    """When the case was last drawn to ``person``; None for one that came without a draw."""
    drawn = Draw.objects.filter(stream=case.stream, result=person).order_by("-id")
    return drawn.values_list("at", flat=True).first()


def _deputy(case: Case, leave: Leave, person: int) -> User | None:
    """The deputy, for what was drawn after the leave was entered: nobody names a reviewer for a case that they know."""
    drawn = _drawn_at(case, person)
    return leave.deputy if drawn is not None and drawn > leave.entered_at else None


def hand_over_away(now: dt.datetime) -> tuple[int, int]:
    """Hand over the cases and score sheets of everybody who is on leave today; safe to repeat, and two at once.

    The deputy stands in for what was drawn between the entry of the leave and its start, if eligible; everything else
    is drawn anew. It does not come back after the leave. Returns (handed over, left without anybody: overseers told).
    """
    today = local_date(now)
    leaves = {one.user_id: one for one in Leave.objects.on(today).select_related("deputy").order_by("entered_at")}
    if not leaves:
        return 0, 0
    away = Leave.objects.on(today).values("user_id")
    moved = stuck = 0
    seat = Sheet.objects.filter(case=OuterRef("pk"), seat=Seat.FIRST).values("given_at")[:1]
    waiting = Case.objects.filter(status=CaseStatus.IN_REVIEW, opinion__isnull=True).annotate(scored=Subquery(seat))
    mine = Q(on_the_spot=False, reviewer_id__in=away) | Q(on_the_spot=True, decider_id__in=away)
    for case in waiting.filter(mine, scored__isnull=True).select_related("division").order_by("pk"):
        person = case.decider_id if case.on_the_spot else case.reviewer_id
        if person is None or person not in leaves:
            continue
        leave = leaves[person]
        done = _moved(case, leave, now, lambda case=case, leave=leave, person=person: hand_over_case(  # type: ignore[misc]
            case, reason="请假", by=None, now=now, away=person, deputy=_deputy(case, leave, person)
        ))  # fmt: skip
        moved, stuck = moved + (done is True), stuck + (done is False)
    sheets = Sheet.objects.filter(given_at__isnull=True, reviewer_id__in=away, case__status=CaseStatus.IN_REVIEW)
    for sheet in sheets.exclude(seat=Seat.FIRST).select_related("case").order_by("pk"):
        leave = leaves[sheet.reviewer_id]
        done = _moved(sheet.case, leave, now, lambda sheet=sheet: hand_over_sheet(sheet, by=None, now=now))  # type: ignore[misc]
        moved, stuck = moved + (done is True), stuck + (done is False)
    return moved, stuck


def _moved(case: Case, leave: Leave, now: dt.datetime, act: Callable[[], object]) -> bool | None:
    """Each in a transaction of its own: True when moved, False when nobody is left, None when somebody was faster."""
    try:
        with transaction.atomic():
            act()
    except TransitionNotAllowed:
        return None
    except Refused:
        people = overseers({case.division_id}, local_date(now)).get(case.division_id, [])
        text = f"办件{case.number}的承办人员请假，处室内没有其他可抽取的人员，请协调。"
        notices.tell_people(case, notices.Kind.NOBODY_REVIEWS, text, f"leave:{leave.pk}", people, now)
        return False
    return True
