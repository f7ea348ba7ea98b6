"""Two steps in one sitting: what the applicant at the counter expects to be done at once is done in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from approvals import credit_gate
from approvals.actions.intake import IntakeDraft, accept_case, add_materials, receive_case
from approvals.models import Case
from offices.models import User


@transaction.atomic
def receive_and_accept(draft: IntakeDraft, *, by: User, now: dt.datetime) -> Case:
    """Receive a complete application and accept it (收件并受理); refused, it leaves neither.

    The same form sent twice gives the same case, as it stands. Raises what ``receive_case`` and ``accept_case`` raise.
    """
    known = Case.objects.filter(intake_key=draft.intake_key, intake_by=by).first()
    if known is not None:
        return known
    return accept_case(receive_case(draft, by=by, now=now), by=by, now=now)


@transaction.atomic
def receive_to_sign(draft: IntakeDraft, *, by: User, now: dt.datetime) -> Case:
    """Receive an application on the promise way and ask for the credit at once; a person decides, then it is signed.

    Raises what ``receive_case`` raises.
    """
    case = receive_case(draft, by=by, now=now)
    credit_gate.ask(case, by=by, now=now)
    return case


@transaction.atomic
def supplement_and_accept(case: Case, *, provided: Mapping[str, str], by: User, now: dt.datetime) -> Case:
    """Take in what the applicant adds at the counter and accept (当场补齐并受理); refused, nothing was taken in.

    Raises what ``add_materials`` and ``accept_case`` raise.
    """
    return accept_case(add_materials(case, provided=provided, by=by, now=now), by=by, now=now)
