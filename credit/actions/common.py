"""What every act of the credit side does first: lock the subject, see that the right department acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from credit.models import CreditSubject
from deadlines.clock import local_date
from offices.models import Posting, User
from offices.people import by_department
from offices.refusals import Refused


def lock_subject(pk: int) -> CreditSubject:
    """The subject, locked until the transaction ends; who writes its stream, its breaches or its records holds it.

    Locked after cases, licences and tasks; a case that names the subject may be made meanwhile.
    """
    return CreditSubject.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def lock_subjects(pks: Iterable[int]) -> dict[int, CreditSubject]:
    """Several at once, in the order of their ids, as whoever needs more than one locks them; one statement."""
    rows = CreditSubject.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(pks))
    return {one.pk: one for one in rows.order_by("pk")}


def refuse_stranger(department_id: int | None, by: User, now: dt.datetime) -> None:
    """Raise ``Refused`` (``not-your-department``) for who is not a credit officer of that department today."""
    mine = Posting.objects.active(local_date(now)).role(Posting.Role.CREDIT_OFFICER)
    if department_id is None or not mine.filter(user=by, user__is_active=True, department=department_id).exists():
        raise Refused("not-your-department", "这是其他单位认定的事项，请由该单位的信用管理员办理。", conflict=True)


def officers(department_id: int | None, now: dt.datetime) -> list[User]:
    """The credit officers of a department who can be reached."""
    if department_id is None:
        return []
    return by_department(Posting.Role.CREDIT_OFFICER, {department_id}, local_date(now)).get(department_id, [])
