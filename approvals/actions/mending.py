"""当场更正: small errors put right at the window before acceptance, while the applicant stands there (O2a).

It is not the notice and does not use it up. Who applies is no small error: a wrong applicant is withdrawn and received
anew. The ledger names the fields, never their words.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals import doors
from approvals.characters import refuse_unseen
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Mending
from approvals.wording import betrays
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import User

FIELDS = ("contact_name", "contact_phone", "content")
LABELS = {"contact_name": "联系人", "contact_phone": "联系手机", "content": "申请内容"}
BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)


def may_mend(case: Case) -> bool:
    """Whether small errors may still be mended."""
    return case.status in BEFORE_ACCEPTANCE


@transaction.atomic
def mend_case(case: Case, *, contact_name: str, contact_phone: str, content: str, by: User, now: dt.datetime) -> Case:
    """Put right what changed among contact name, phone and content.

    Raises ``TransitionNotAllowed`` after acceptance, ``Refused`` where nothing changed or the content says who applies.
    """
    case = Case.objects.lock(case.pk)
    if not may_mend(case):
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，受理之前才可以当场更正。")
    said = {"contact_name": contact_name.strip(), "contact_phone": contact_phone.strip(), "content": content.strip()}
    changed = [name for name in FIELDS if getattr(case, name) != said[name]]
    if not changed:
        raise Refused("nothing-mended", "没有需要更正的内容，请修改后再确认。")
    for name in ("contact_name", "contact_phone"):
        if not said[name]:
            raise Refused("contact-missing", f"请填写{LABELS[name]}。", field=name)
    for name in changed:
        refuse_unseen(name, LABELS[name], said[name], lines=name == "content")
    subject = case.applicant
    known = (
        case.applicant_name, subject.name, subject.code, subject.id_number, said["contact_phone"], said["contact_name"],
    )  # fmt: skip
    if "content" in changed and betrays(said["content"], known):
        raise Refused(
            "content-names-applicant",
            "申请内容里有申请人名称（字号）、证照号码、联系人或电话。审查人员在决定前不应知道是谁的办件，请只写地址、范围、规模等。",
            field="content",
        )
    for name in changed:
        setattr(case, name, said[name])
    if "contact_phone" in changed:
        doors.void_codes(case)
    case.touched_at = now
    save_at(case, now)
    Mending.objects.create(case=case, fields=changed, by=by, at=now)
    record_many([Draft(case.stream, CaseAct.MENDED, {"fields": changed}, by)], at=now)
    return case
