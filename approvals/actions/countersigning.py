"""内部会签: other offices of the department answer in parallel with the review (O3.2.1c)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals import wording
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Countersignature, Sheet, SiteCheck
from ledger.record import Draft, record_many
from offices.models import Office, User


def ask_countersignatures(case: Case, *, by: User | None, now: dt.datetime) -> list[Draft]:
    """Ask the item's countersigning offices about a case that enters review; safe to repeat. The caller records."""
    asked = set(Countersignature.objects.filter(case=case).values_list("office_id", flat=True))
    offices = case.business_item.countersign_offices.order_by("pk").values_list("pk", flat=True)
    missing = [office for office in offices if office not in asked]
    if not missing:
        return []
    Countersignature.objects.bulk_create(
        Countersignature(case=case, office_id=office, asked_at=now) for office in missing
    )
    return [Draft(case.stream, CaseAct.COUNTERSIGN_ASKED, {"offices": missing}, by)]


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
