"""Score sheets by published criteria, by one reviewer or two, and the lead where two are apart (O3.1.2d, O3.2.1b)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from approvals import notices, sheets, wording
from approvals.actions.advice import advice_of, refuse_while_paused, refuse_while_site_check, write_opinion
from approvals.actions.countersigning import ask_countersignatures
from approvals.draws import draw_reviewer
from approvals.enums import CaseAct, CaseStatus, Seat
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Opinion, Score, Sheet
from approvals.sheets import Mark
from catalogue.models import Criterion
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.models import User
from offices.people import overseers


def open_review(case: Case, *, by: User | None, now: dt.datetime, not_again: int | None = None) -> list[Draft]:
    """Draw the reviewers of a locked case, one or two, and ask the countersigning offices; all at once or nothing.

    The caller saves the case and writes the entries. Raises ``Refused`` when there is nobody for a seat.
    """
    before = case.reviewer_id
    try:
        with transaction.atomic():
            drafts = [draw_reviewer(case, by=by, now=now, not_again=not_again)]
            if case.business_item.reviewers == 2:
                drafts.append(_seat(case, Seat.SECOND, by=by, now=now))
            return drafts + ask_countersignatures(case, by=by, now=now)
    except Refused:
        case.reviewer_id = before
        raise


def _seat(case: Case, seat: Seat, *, by: User | None, now: dt.datetime) -> Draft:
    """Draw somebody for a further seat and lay an empty sheet before them."""
    draft = draw_reviewer(case, by=by, now=now, seat=seat)
    Sheet.objects.create(case=case, seat=seat, reviewer_id=draft.data["drawn"], drawn_at=now)
    return draft


@transaction.atomic
def hand_over_sheet(sheet: Sheet, *, by: User | None, now: dt.datetime) -> None:
    """Draw another for a further seat whose reviewer is away or has left; every clock goes on.

    Raises ``TransitionNotAllowed`` (given, or drawn anew meanwhile) or ``Refused`` when nobody is eligible.
    """
    case = Case.objects.lock(sheet.case_id)
    still = Sheet.objects.select_for_update().filter(pk=sheet.pk, reviewer=sheet.reviewer_id, given_at__isnull=True)
    advised = Opinion.objects.filter(case=case).exists()
    if case.status != CaseStatus.IN_REVIEW or advised or still.first() is None:
        raise TransitionNotAllowed("这份评分表已经提交或者改派，请刷新查看。")
    draft = draw_reviewer(case, by=by, now=now, not_again=sheet.reviewer_id, seat=sheet.seat)
    Sheet.objects.filter(pk=sheet.pk).update(reviewer=draft.data["drawn"], drawn_at=now)
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    data = {"seat": sheet.seat, "from": sheet.reviewer_id, "to": draft.data["drawn"]}
    record_many([Draft(case.stream, CaseAct.HANDED_OVER, data, by), draft], at=now)


def give_sheet(
    case: Case, *, scores: Mapping[int, Mark], approve: bool, text: str, keys: Sequence[str], by: User, now: dt.datetime
) -> Sheet:
    """Give one's score sheet, once: a mark for every criterion, and the advice that follows from the sum.

    ``scores`` maps the criterion's id to its mark. The last sheet makes the opinion, or calls the lead where two
    reviewers are apart; the lead's sheet makes it alone. Raises ``TransitionNotAllowed`` (not one's seat, given
    before) or ``Refused`` (a mark is missing, out of its degrees, or the advice is against the arithmetic).
    """
    texts = {"text": text} | {f"evidence_{pk}": mark.evidence for pk, mark in scores.items()}
    wording.refuse_applicant(case, texts, by=by, now=now)
    return _give(case, scores=scores, approve=approve, text=text, keys=keys, by=by, now=now)


@transaction.atomic
def _give(
    case: Case, *, scores: Mapping[int, Mark], approve: bool, text: str, keys: Sequence[str], by: User, now: dt.datetime
) -> Sheet:
    case = Case.objects.lock(case.pk)
    known = {Seat(sheet.seat): sheet for sheet in Sheet.objects.filter(case=case)}
    sheet = _own_sheet(case, known, by, now)
    refuse_while_paused(case)
    refuse_while_site_check(case)
    grounds = advice_of(case, approve=approve, text=text, keys=keys)
    marks = _marks(list(case.business_item.effective_criteria()), scores)
    _weigh(sheet, case, marks)
    if approve:
        _refuse_against(sheet, marks)
    sheet.approve, sheet.text, sheet.grounds, sheet.given_at = approve, text.strip(), grounds, now
    sheet.save()
    for mark in marks:
        mark.sheet = sheet
    Score.objects.bulk_create(marks)
    known[Seat(sheet.seat)] = sheet
    data = {
        "sheet": sheet.pk, "seat": sheet.seat, "total": sheet.total, "pass_mark": sheet.pass_mark,
        "vetoes": sheet.vetoes, "approve": approve,
    }  # fmt: skip
    drafts = [Draft(case.stream, CaseAct.SCORED, data, by), *_settle(case, known, by=by, now=now)]
    Case.objects.filter(pk=case.pk).update(touched_at=now, stage_deadline=case.stage_deadline)
    record_many(drafts, at=now)
    reach("sheet.before_commit")
    return sheet


def _own_sheet(case: Case, known: Mapping[Seat, Sheet], by: User, now: dt.datetime) -> Sheet:
    """The sheet that ``by`` may give now."""
    if case.status != CaseStatus.IN_REVIEW or Opinion.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件已经有了审查意见，或者不在审查中；请刷新查看。")
    mine = next((sheet for sheet in known.values() if sheet.reviewer_id == by.pk), None)
    if mine is not None and mine.given_at is not None:
        raise TransitionNotAllowed("您已经提交过评分表，提交后不能修改；请刷新查看。")
    if mine is not None:
        return mine
    if case.reviewer_id != by.pk or case.on_the_spot:
        raise TransitionNotAllowed("这件办件没有抽取到您名下，不能由您评分。")
    if Seat.FIRST in known:
        raise TransitionNotAllowed("审查人一的评分表已经提交，不能再评一次；请刷新查看。")
    if not sheets.wants_sheet(case.business_item) and not known:
        raise Refused("no-criteria", "本事项没有评分的裁量准则，请直接出具审查意见。")
    return Sheet(case=case, seat=Seat.FIRST, reviewer=by, drawn_at=case.accepted_at or now)


def _marks(criteria: Sequence[Criterion], scores: Mapping[int, Mark]) -> list[Score]:
    """One mark a criterion, each checked against its published degrees."""
    if unknown := set(scores) - {criterion.pk for criterion in criteria}:
        raise Refused("criterion-unknown", f"编号 {min(unknown)} 不是本事项公布的裁量准则。", field="scores")
    return [_mark(criterion, scores.get(criterion.pk, Mark())) for criterion in criteria]


def _mark(criterion: Criterion, mark: Mark) -> Score:
    name, field = criterion.name, f"criterion_{criterion.pk}"
    if (mark.met if criterion.is_veto else mark.points) is None:
        verb = "选择是否符合" if criterion.is_veto else "选择档次"
        raise Refused("score-missing", f"请为“{name}”{verb}。", field=field)
    if (mark.points if criterion.is_veto else mark.met) is not None:
        kind = "是一票否决项，只选是否符合，不记分" if criterion.is_veto else "按档次记分，不选是否符合"
        raise Refused("score-out-of-range", f"“{name}”{kind}。", field=field)
    listed = [grade["score"] for grade in criterion.grades]
    if not criterion.is_veto and mark.points not in listed:
        said = "、".join(str(score) for score in listed)
        raise Refused("score-out-of-range", f"“{name}”只能评 {said} 分，{mark.points} 分不是公布的档次。", field=field)
    full = mark.met if criterion.is_veto else mark.points == criterion.max_score
    if not full and not mark.evidence.strip():
        raise Refused("evidence-missing", f"“{name}”没有得满分，请写明依据。", field=f"evidence_{criterion.pk}")
    return Score(
        criterion=criterion,
        name=name,
        points=mark.points,
        max_score=criterion.max_score,
        met=mark.met,
        evidence=mark.evidence.strip(),
    )


def _weigh(sheet: Sheet, case: Case, marks: Sequence[Score]) -> None:
    """Write sum, pass mark and failed vetoes on the sheet; a sheet without criteria has no sum."""
    sheet.pass_mark = case.business_item.pass_mark
    sheet.total = sum(mark.points or 0 for mark in marks) if marks else None
    sheet.vetoes = [mark.criterion_id for mark in marks if mark.met is False]


def _refuse_against(sheet: Sheet, marks: Sequence[Score]) -> None:
    """Refuse to advise approval against the arithmetic."""
    failed = [mark.name for mark in marks if mark.met is False]
    if failed:
        names = "、".join(f"“{name}”" for name in failed)
        raise Refused(
            "score-fails",
            f"一票否决项{names}不符合，不能建议准予；请建议不予，并勾选不符合之处。",
            field="verdict",
        )
    if sheet.pass_mark is not None and (sheet.total or 0) < sheet.pass_mark:
        raise Refused(
            "score-fails",
            f"总分 {sheet.total} 分，低于合格分 {sheet.pass_mark} 分，不能建议准予；请建议不予，并勾选不符合之处。",
            field="verdict",
        )


def _settle(case: Case, known: Mapping[Seat, Sheet], *, by: User, now: dt.datetime) -> list[Draft]:
    """Make the opinion from the last sheet, call the lead where two are apart, or wait for the other."""
    lead = known.get(Seat.LEAD)
    if lead is not None:
        return write_opinion(
            case, approve=bool(lead.approve), text=lead.text, grounds=lead.grounds, reviewer=by, by=by, now=now
        )
    first, second = known.get(Seat.FIRST), known.get(Seat.SECOND)
    if first is None or first.given_at is None or (second is not None and second.given_at is None):
        return []
    if second is None:
        return write_opinion(
            case, approve=bool(first.approve), text=first.text, grounds=first.grounds, reviewer=by, by=by, now=now
        )
    if sheets.diverge(first, second, case.business_item.divergence):
        return _call_lead(case, (first, second), by=by, now=now)
    text = f"{Seat.FIRST.label}：{first.text}\n{Seat.SECOND.label}：{second.text}"
    grounds = list({ground["key"]: ground for ground in [*first.grounds, *second.grounds]}.values())
    return write_opinion(
        case, approve=bool(first.approve), text=text, grounds=grounds, reviewer=first.reviewer, by=by, now=now
    )


def _call_lead(case: Case, apart: tuple[Sheet, Sheet], *, by: User, now: dt.datetime) -> list[Draft]:
    """Draw the lead; without anybody to draw the overseers are told, and the draw is tried again on request."""
    data: dict[str, Any] = {
        "totals": [sheet.total for sheet in apart],
        "approve": [sheet.approve for sheet in apart],
        "divergence": case.business_item.divergence,
    }
    try:
        with transaction.atomic():
            drawn = _seat(case, Seat.LEAD, by=by, now=now)
    except Refused:
        people = overseers({case.division_id}, local_date(now)).get(case.division_id, [])
        text = f"办件{case.number}的两份评分有分歧，处室内没有可抽取的牵头人，请协调。"
        notices.tell_people(case, notices.Kind.NOBODY_REVIEWS, text, "lead", people, now)
        return [Draft(case.stream, CaseAct.LEAD_CALLED, {**data, "drawn": None}, by)]
    return [Draft(case.stream, CaseAct.LEAD_CALLED, data | {"drawn": drawn.data["drawn"]}, by), drawn]


def awaits_lead(case: Case) -> bool:
    """Whether two sheets are apart and nobody has been drawn as the lead."""
    known = {Seat(sheet.seat): sheet for sheet in Sheet.objects.filter(case=case)}
    first, second = known.get(Seat.FIRST), known.get(Seat.SECOND)
    return (
        Seat.LEAD not in known
        and first is not None
        and second is not None
        and first.given_at is not None
        and second.given_at is not None
        and not Opinion.objects.filter(case=case).exists()
    )


@transaction.atomic
def call_lead(case: Case, *, by: User, now: dt.datetime) -> Case:
    """Draw the lead of a case whose sheets are apart, where nobody could be drawn before.

    Raises ``TransitionNotAllowed`` (no lead is waited for) or ``Refused`` (still nobody).
    """
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.IN_REVIEW or not awaits_lead(case):
        raise TransitionNotAllowed("这件办件不需要抽取牵头人，可能有同事已先一步办理，请刷新查看。")
    record_many([_seat(case, Seat.LEAD, by=by, now=now)], at=now)
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    return case
