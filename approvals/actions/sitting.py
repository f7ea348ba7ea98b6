"""Two steps in one sitting: what the applicant at the counter expects to be done at once is done in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from approvals import covering, credit_gate
from approvals.actions.intake import IntakeDraft, accept_looked, add_materials, receive_case
from approvals.exceptions import Refused
from approvals.models import Case, Upload
from approvals.wording import identity
from offices.models import User


def receive_and_accept(draft: IntakeDraft, *, by: User, now: dt.datetime) -> Case:
    """Receive a complete application and accept it (收件并受理); refused, it leaves neither.

    Only where a file must be covered or looked at first it stays received, and ``held_up`` of the case says why.
    The same form sent twice gives the same case, as it stands. Raises what ``receive_case`` and ``accept_case`` raise.
    """
    known = Case.objects.filter(intake_key=draft.intake_key, intake_by=by).first()
    if known is not None:
        return known
    files = Upload.objects.filter(intake_key=draft.intake_key, case_material__isnull=True, uploaded_by=by)
    said = identity([draft.name], [draft.identifier], phone=draft.contact_phone, contact=draft.contact_name)
    covering.look_at(files, covering.plain_words(said), now)
    try:
        with transaction.atomic():
            return _accept_or_hold(receive_case(draft, by=by, now=now), by, now)
    except Exception:
        # The form may come again with another name: what was found was found for this one.
        files.update(looked_at=None, findings=[])
        raise


def _accept_or_hold(case: Case, by: User, now: dt.datetime) -> Case:
    """Accept what was just taken in; keep it taken in where its files hold the acceptance up."""
    try:
        return accept_looked(case, by=by, now=now)
    except Refused as refusal:
        if refusal.code not in covering.HELD_UP:
            raise
        held = Case.objects.get(pk=case.pk)
        held.held_up = refusal.message  # type: ignore[attr-defined]
        return held


def receive_to_sign(draft: IntakeDraft, *, by: User, now: dt.datetime) -> Case:
    """Receive an application on the promise way and ask for the credit at once; a person decides, then it is signed.

    The public platform is asked once the case stands, in no transaction. Raises what ``receive_case`` raises.
    """
    case = receive_case(draft, by=by, now=now)
    credit_gate.ask(case, by=by, now=now)
    return case


def supplement_and_accept(case: Case, *, provided: Mapping[str, str], by: User, now: dt.datetime) -> Case:
    """Take in what the applicant adds at the counter and accept (当场补齐并受理); refused, nothing was taken in.

    Where a file must be covered or looked at first, it is taken in and ``held_up`` of the case says why it waits.
    Raises what ``add_materials`` and ``accept_case`` raise.
    """
    covering.look_now(case, now)
    with transaction.atomic():
        return _accept_or_hold(add_materials(case, provided=provided, by=by, now=now), by, now)
