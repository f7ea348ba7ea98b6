"""内部会签: other offices of the department answer in parallel with the review (O3.2.1c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from approvals import countersigning, notices, wording
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Countersignature, Recusal, Sheet, SiteCheck
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from notifications.models import Message
from offices.models import Office, User
from offices.people import overseers


def ask_countersignatures(case: Case, *, by: User | None, now: dt.datetime) -> list[Draft]:
    """Ask the item's countersigning offices about a case that enters review; safe to repeat. The caller records.

    Whoever can answer there is told; of an office without anybody the overseers are told.
    """
    known = set(Countersignature.objects.filter(case=case).values_list("office_id", flat=True))
    missing = [office for office in case.business_item.countersign_offices.order_by("pk") if office.pk not in known]
    if not missing:
        return []
    Countersignature.objects.bulk_create(Countersignature(case=case, office=office, asked_at=now) for office in missing)
    empty = _tell(case, missing, now)
    data = {"offices": [office.pk for office in missing]} | ({"nobody": empty} if empty else {})
    return [Draft(case.stream, CaseAct.COUNTERSIGN_ASKED, data, by)]


def _tell(case: Case, offices: Sequence[Office], now: dt.datetime) -> list[int]:
    """Tell those who can answer, once each; ids of the offices without anybody, of which the overseers are told."""
    people = countersigning.people_for(case, [office.pk for office in offices], local_date(now))
    for office in offices:
        if office.pk in people:
            text = f"办件{case.number}的审查已开始，请{office.name}会签，登录平台在“待会签”中办理。"
            _send(case, notices.Kind.COUNTERSIGN_ASKED, text, office, people[office.pk], now)
    empty = [office for office in offices if office.pk not in people]
    if empty:
        chasers = overseers({case.division_id}, local_date(now)).get(case.division_id, [])
        for office in empty:
            text = f"办件{case.number}须由{office.name}会签，该处室现在没有可以会签的人员，请协调。"
            _send(case, notices.Kind.NOBODY_COUNTERSIGNS, text, office, chasers, now)
    return [office.pk for office in empty]


def _send(case: Case, kind: notices.Kind, text: str, office: Office, people: Sequence[User], now: dt.datetime) -> None:
    """Once a case, office and person; somebody without a phone finds it in the list all the same."""
    notices.tell_people(case, kind, text, f"{office.pk}", [person for person in people if person.phone_hash], now)


def tell_left(now: dt.datetime) -> int:
    """Tell the overseers of what nobody can answer any more, and people of an office that had none; safe to repeat.

    Returns how many requests have nobody.
    """
    on = local_date(now)
    rows = countersigning.waiting().select_related("case", "office").order_by("pk")
    stream = Concat(Value("case:"), Cast(OuterRef("case_id"), CharField()))
    told = Message.objects.filter(kind=notices.Kind.NOBODY_COUNTERSIGNS.value, reference=stream)
    stuck = list(rows.filter(countersigning.unanswerable(on)))
    again = rows.filter(Exists(told)).exclude(pk__in=[row.pk for row in stuck])
    for row in [*stuck, *again]:
        with transaction.atomic():
            _tell(row.case, [row.office], now)
    return len(stuck)


def sign_countersignature(
    case: Case, *, office: Office, agree: bool, text: str, by: User, now: dt.datetime
) -> Countersignature:
    """Answer for an office, once, with words. The caller has checked that ``by`` serves there.

    Raises ``TransitionNotAllowed`` (answered, or the case is decided) or ``Refused``.
    """
    wording.refuse_applicant(case, {"text": text}, by=by, now=now)
    return _sign(case, office=office, agree=agree, text=text, by=by, now=now)


@transaction.atomic
def _sign(case: Case, *, office: Office, agree: bool, text: str, by: User, now: dt.datetime) -> Countersignature:
    case = Case.objects.lock(case.pk)
    asked = Countersignature.objects.select_for_update().filter(case=case, office=office).first()
    if asked is None or asked.signed_at is not None or case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed("这件会签已经答复，或者办件已经作出决定；请刷新查看。")
    if by.pk in {case.intake_by_id, case.reviewer_id} or knows_the_case(case, by):
        raise Refused("same-person", "您已经以其他身份参与这件办件，不能再由您会签，请由本处室其他人员办理。")
    if Recusal.objects.filter(case=case, user=by).exists():
        raise TransitionNotAllowed("您已经回避这件办件，不能由您会签，请由本处室其他人员办理。")
    if not text.strip():
        raise Refused("countersign-text", "请写明会签意见。", field="text")
    asked.agree, asked.text, asked.signed_by, asked.signed_at = agree, text.strip(), by, now
    asked.save(update_fields=["agree", "text", "signed_by", "signed_at"])
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([Draft(case.stream, CaseAct.COUNTERSIGNED, {"office": office.pk, "agree": agree}, by)], at=now)
    return asked


def knows_the_case(case: Case, by: User) -> bool:
    """Whether the person scores the case on a further seat, or went to the site and saw the applicant."""
    return (
        Sheet.objects.filter(case=case, reviewer=by).exists()
        or SiteCheck.objects.filter(case=case, first=by).exists()
        or SiteCheck.objects.filter(case=case, second=by).exists()
    )


def refuse_while_waiting(case: Case) -> None:
    """Refuse to decide before every office that was asked has answered."""
    waiting = Countersignature.objects.filter(case=case, signed_at__isnull=True).order_by("pk")
    names = list(waiting.values_list("office__name", flat=True))
    if names:
        raise Refused("countersign-waiting", f"{'、'.join(names)}还没有会签，不能作出决定；请等会签答复。")
