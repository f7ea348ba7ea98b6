"""What the room of the clocks asks of the owner of a stream ``subject:<id>``: its name, its lock, who sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.urls import reverse

from credit import late
from credit.alarms import KINDS, reminded
from credit.messages import Kind, to_subject
from credit.models import Breach, CreditSubject
from credit.words import cn_day
from deadlines import owners, sights
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.moves import Confirmed, Move, Publication, register_confirmed, register_moved
from deadlines.owners import Owner
from deadlines.sights import Sight
from notifications.outbox import Draft, post
from offices.access import Access
from offices.models import Posting
from offices.people import by_department


def names_of(keys: Collection[int]) -> dict[int, Owner]:
    """The name as others may read it; one statement."""
    rows = CreditSubject.objects.filter(pk__in=keys).only("kind", "name")
    return {row.pk: Owner(f"信用：{row.public_name}") for row in rows}


def found_here(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Subjects whom the person's department told of a breach: the newest notice; one statement."""
    mine = access.departments(Posting.Role.CREDIT_OFFICER)
    if not mine:
        return {}
    told = Breach.objects.filter(subject__in=keys, department__in=mine).order_by("pk").values_list("subject_id", "pk")
    return {subject: Sight(reverse("credit:breach", args=[pk])) for subject, pk in told}


def followed_here(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Subjects with a repair that is late, or was, for the heads and overseers who are rung of it; one statement.

    They see its clock and no other: what is asked of whom, no more of the request and nothing of the subject.
    """
    found: dict[int, dict[int, str]] = {}
    for repair in late.followed(access).filter(record__subject__in=keys, deadline__isnull=False):
        assert repair.deadline_id is not None  # noqa: S101 - as asked for
        about = f"{late.what(repair)}，由{repair.record.department}的信用管理人员决定。"
        found.setdefault(repair.record.subject_id, {})[repair.deadline_id] = about
    return {subject: Sight(reverse("credit:late"), clocks=clocks) for subject, clocks in found.items()}


def tell_moved(moves: Sequence[Move], publication: Publication, now: dt.datetime) -> None:
    """A change of the calendar moved clocks of one kind: the officers learn it; statements are constant."""
    by_clock = {move.deadline_id: move for move in moves}
    rows = reminded(moves[0].kind, list(by_clock))
    people = by_department(Posting.Role.CREDIT_OFFICER, {row.department_id for row in rows}, local_date(now))
    drafts = [
        Draft(
            kind=Kind.STAFF.value,
            text=f"{row.name}{publication.because}改为{cn_day(by_clock[row.clock_id].after)}。",
            dedupe_key=f"{Kind.STAFF}:moved:{row.clock_id}:{publication.key}:{person.pk}",
            reference=f"clock:{row.clock_id}",
            to_user=person,
        )
        for row in rows
        for person in people.get(row.department_id, [])
    ]
    if moves[0].kind == KindCode.CREDIT_OBJECTION:
        drafts += _to_subjects(by_clock, publication)
    post(drafts, now)


def tell_confirmed(clocks: Sequence[Confirmed], publication: Publication, now: dt.datetime) -> None:
    """Days to object that rang as provisional and stand now: the officers learn that they may decide.

    One whose day is still to come rings when it has passed, with the same words.
    """
    today = local_date(now)
    over = {one.deadline_id: one for one in clocks if one.due_on < today}
    rows = reminded(KindCode.CREDIT_OBJECTION, list(over)) if over else []
    people = by_department(Posting.Role.CREDIT_OFFICER, {row.department_id for row in rows}, today)
    drafts = [
        Draft(
            kind=Kind.STAFF.value,
            text=f"{row.name}{publication.because}确定为{cn_day(over[row.clock_id].due_on)}，已届满，"
            "当事人没有提出异议，请决定是否记录。",
            dedupe_key=f"{Kind.STAFF}:stands:{row.clock_id}:{publication.key}:{person.pk}",
            reference=f"clock:{row.clock_id}",
            to_user=person,
        )
        for row in rows
        for person in people.get(row.department_id, [])
    ]
    post(drafts, now)


def _to_subjects(by_clock: Mapping[int, Move], publication: Publication) -> list[Draft]:
    """Whose day to object moved is told the new one."""
    return [
        draft
        for breach in Breach.objects.filter(deadline__in=by_clock).select_related("subject")
        for draft in to_subject(
            breach.subject.stream,
            breach.phone,
            f"{breach.number}{publication.because}，提出异议的截止日改为{cn_day(by_clock[breach.deadline_id].after)}。",
            f"breach:{breach.pk}:{publication.key}",
        )
    ]


def register() -> None:
    """Enter all of it, once (from ``apps.py``)."""
    owners.register("subject", names_of)
    owners.register_rows("subject", CreditSubject.objects.all)
    sights.register("subject", found_here)
    sights.register("subject", followed_here)
    for kind in KINDS:
        register_moved(kind, tell_moved)
    register_confirmed(KindCode.CREDIT_OBJECTION, tell_confirmed)
