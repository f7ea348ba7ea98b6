"""What the lists of the overseers and the administrators read; each a few statements, whatever it finds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, Substr
from django.utils import timezone

from approvals import countersigning
from approvals.enums import CaseStatus
from approvals.models import Case as ApprovalCase
from approvals.models import Countersignature, NotAccepted
from approvals.querysets import CaseQuerySet
from catalogue.models import BusinessItem, Linkage
from catalogue.querysets import BusinessItemQuerySet, LinkageQuerySet
from notifications.enums import State
from notifications.models import Message
from notifications.outbox import AGAIN
from notifications.querysets import MessageQuerySet
from offices import kept
from offices.access import Access, covered
from offices.models import Department, Division, Office, OfficeQuerySet, Posting, User, UserQuerySet
from supervision.enums import DisputeOutcome
from supervision.models import Dispute, SupervisionTask

Role = Posting.Role
# How long after its moment a waiting message counts as stuck: the outbox is looked through every few seconds.
PATIENCE = dt.timedelta(minutes=10)
# "case:" and "task:" are both this long; what follows is the owner's id.
PREFIX = 5
# How long a linkage is shown as to be looked at after the overseers sent a task of it elsewhere.
LOOKED_AT_DAYS = 90


def departments_of(access: Access, role: str) -> dict[int, str]:
    """Id → name of the departments in the divisions that the person covers in ``role``; one statement."""

    def rows() -> QuerySet[Department, tuple[int, str]]:
        found = Department.objects.filter(division__in=covered(access, role)).order_by("division__code", "id")
        return found.values_list("pk", "name")

    return dict(kept.ask((departments_of, access.key, role), rows))


def divisions_of(access: Access, role: str) -> list[Division]:
    """The divisions that the person covers in ``role``; one statement."""
    return kept.ask((divisions_of, access.key, role), lambda: covered(access, role))


def departments_by_division(access: Access, role: str) -> QuerySet[Department]:
    """The same departments, each with its division."""
    rows = Department.objects.filter(division__in=covered(access, role)).order_by("division__code", "id")
    return rows.select_related("division").only("name", "division__name")


# --- refusals to accept (O3.1.3e)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of local days, both included; ``first`` None: from the beginning."""

    key: str
    label: str
    first: dt.date | None
    last: dt.date


def periods(today: dt.date) -> list[Period]:
    """The periods by which refusals are looked at, the current month first."""
    month = today.replace(day=1)
    before = month - dt.timedelta(days=1)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    return [
        Period("month", "本月", month, today),
        Period("last_month", "上月", before.replace(day=1), before),
        Period("quarter", "本季度", quarter, today),
        Period("year", "本年", today.replace(month=1, day=1), today),
        Period("all", "历年", None, today),
    ]


def received(divisions: list[Division], period: Period) -> int:
    """How many cases these divisions received in the period: the denominator (O2b).

    A case's number begins with its division and its day, so that its unique index counts without reading a case.
    """
    first = f"{period.first:%Y%m%d}" if period.first else "0"
    last = f"{period.last + dt.timedelta(days=1):%Y%m%d}"
    spans = Q(pk__in=[])
    for division in divisions:
        spans |= Q(number__gte=f"{division.code}{first}", number__lt=f"{division.code}{last}")
    key = (received, tuple(division.code for division in divisions), period)
    return kept.count(key, lambda: ApprovalCase.objects.filter(spans))


def refusals(access: Access, period: Period) -> QuerySet[NotAccepted]:
    """Refusals to accept in the person's divisions and the period, with what a line shows."""
    rows = NotAccepted.objects.filter(case__division__in=covered(access, Role.OVERSEER))
    if period.first is not None:
        rows = rows.filter(issued_at__gte=opening_of_day(period.first))
    rows = rows.filter(issued_at__lt=opening_of_day(period.last + dt.timedelta(days=1)))
    return rows.select_related("case__business_item", "case__department", "issued_by").only(
        "issued_at", "ground", "reason", "issued_by__full_name", "case__number", "case__status",
        "case__business_item__name", "case__department__name",
    )  # fmt: skip


def opening_of_day(day: dt.date) -> dt.datetime:
    """Midnight at which a local day begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=timezone.get_default_timezone())


# --- what an office says is not its own (L10)


def disputes(access: Access) -> QuerySet[Dispute]:
    """Objections in the divisions that the person oversees; the division of a task never changes."""
    return Dispute.objects.filter(from_office__department__division__in=covered(access, Role.OVERSEER))


def waiting_disputes(access: Access) -> QuerySet[Dispute]:
    """Those that nobody has decided."""
    return disputes(access).filter(outcome="")


# --- messages in trouble


def owned_messages(access: Access) -> MessageQuerySet:
    """Messages that belong to cases and tasks of the person's divisions."""
    key = Cast(Substr("reference", PREFIX + 1), BigIntegerField())
    divisions = covered(access, Role.OVERSEER)
    cases = ApprovalCase.objects.filter(pk=OuterRef("case_key"), division__in=divisions)
    tasks = SupervisionTask.objects.filter(pk=OuterRef("task_key"), department__division__in=divisions)
    # The branches keep a reference of another shape from being read as a number.
    rows = Message.objects.annotate(
        case_key=Case(When(reference__startswith="case:", then=key), default=None, output_field=BigIntegerField()),
        task_key=Case(When(reference__startswith="task:", then=key), default=None, output_field=BigIntegerField()),
    )
    return rows.filter(Q(Exists(cases)) | Q(Exists(tasks)))


def troubles(now: dt.datetime) -> dict[str, Q]:
    """Tab → condition: failed, unknown, and waiting past their moment."""
    return {
        "failed": Q(state=State.FAILED),
        "unknown": Q(state=State.UNKNOWN),
        "stuck": Q(state__in=[State.QUEUED, State.SENDING], next_attempt_at__lt=now - PATIENCE),
    }


def in_trouble(rows: MessageQuerySet, now: dt.datetime, tab: str = "") -> MessageQuerySet:
    """Messages of one tab, or of all of them; partial indexes keep this as small as the trouble."""
    asked = troubles(now)
    if tab:
        return rows.filter(asked[tab])
    return rows.filter(asked["failed"] | asked["unknown"] | asked["stuck"])


def with_repeat(rows: MessageQuerySet) -> MessageQuerySet:
    """Annotate ``repeated``: whether the message was sent once more already."""
    again = Message.objects.filter(dedupe_key=Concat(OuterRef("dedupe_key"), Value(AGAIN)))
    return rows.annotate(repeated=Exists(again))


# --- the administrator's units and people (L1b, L2)


def own_departments(access: Access) -> QuerySet[Department]:
    """Departments of the divisions that the person administers: never another's."""
    return Department.objects.filter(division_id__in=access.divisions(Role.DIVISION_ADMIN)).select_related("division")


def accounts(access: Access) -> UserQuerySet:
    """People who hold, held or will hold a posting in the divisions that the person administers."""
    own = Posting.objects.filter(user=OuterRef("pk"), department__division_id__in=access.divisions(Role.DIVISION_ADMIN))
    found: UserQuerySet = User.objects.filter(Exists(own))
    return found


def own_postings(access: Access) -> QuerySet[Posting]:
    """Postings in the divisions that the person administers."""
    return Posting.objects.filter(department__division_id__in=access.divisions(Role.DIVISION_ADMIN)).select_related(
        "department__division", "office", "user"
    )


def silent_offices(access: Access) -> OfficeQuerySet:
    """Offices that are linked and have no manager who can be told: a fault (L2)."""
    linked = Linkage.objects.active().filter(office=OuterRef("pk"))
    return (
        Office.objects.filter(Exists(linked), department__division_id__in=access.divisions(Role.DIVISION_ADMIN))
        .exclude(pk__in=Office.objects.all().reachable(access.on).values("pk"))
        .select_related("department")
    )


def silent_countersigners(access: Access) -> QuerySet[Office]:
    """Offices that a published item asks to countersign and in which nobody can: its cases would stop (O3.2.1c)."""
    items = BusinessItem.objects.published().filter(countersign_offices=OuterRef("pk"))
    return (
        Office.objects.filter(Exists(items), department__division_id__in=access.divisions(Role.DIVISION_ADMIN))
        .exclude(pk__in=Office.objects.all().countersigning(access.on).values("pk"))
        .select_related("department")
    )


def unanswerable(access: Access) -> QuerySet[Countersignature]:
    """Countersignatures in the divisions overseen that wait and that nobody can give: a case stands still (O3.2.1c)."""
    rows = countersigning.waiting().filter(case__division__in=covered(access, Role.OVERSEER))
    return rows.filter(countersigning.unanswerable(access.on))


def undrawn(access: Access) -> CaseQuerySet:
    """Accepted cases in the divisions overseen that nobody was drawn for, by us or by the law (O3.1.2c)."""
    nobody = Q(status__in=[CaseStatus.ACCEPTED, CaseStatus.DEEMED_ACCEPTED]) | Q(
        status=CaseStatus.IN_REVIEW, on_the_spot=True, decider__isnull=True
    )
    return ApprovalCase.objects.filter(nobody, division__in=covered(access, Role.OVERSEER))


def own_items(access: Access) -> BusinessItemQuerySet:
    """Business items of the divisions that the person administers."""
    return BusinessItem.objects.filter(item__division_id__in=access.divisions(Role.DIVISION_ADMIN))


def own_linkages(access: Access) -> LinkageQuerySet:
    """Linkages of those items, with what a line shows and ``is_reachable``."""
    managed = Posting.objects.active(access.on).role(Role.OFFICE_MANAGER).filter(user__is_active=True)
    return (
        Linkage.objects.filter(business_item__item__division_id__in=access.divisions(Role.DIVISION_ADMIN))
        .select_related("business_item", "office__department", "sub_item__item")
        .annotate(
            is_reachable=Exists(managed.filter(office=OuterRef("office")).exclude(user__phone_hash="")),
            was_reassigned=Exists(_reassigned(access.on)),
        )
    )


def _reassigned(on: dt.date) -> QuerySet[Dispute]:
    """Tasks of a linkage that the overseers lately sent to another office: the linkage is to be looked at (L3a)."""
    since = on - dt.timedelta(days=LOOKED_AT_DAYS)
    return Dispute.objects.filter(
        task__linkage=OuterRef("pk"), from_office=OuterRef("office"), outcome=DisputeOutcome.REASSIGNED,
        decided_at__date__gte=since,
    )  # fmt: skip


def managers_of(offices: set[int], on: dt.date) -> dict[int, dict[str, list[User]]]:
    """Office id → role → managers and deputies on that day, with or without a phone; one statement."""
    found: dict[int, dict[str, list[User]]] = {}
    rows = (
        Posting.objects.active(on)
        .role(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
        .filter(office_id__in=offices)
        .select_related("user")
        .order_by("user_id")
    )
    for posting in rows:
        people = found.setdefault(posting.office_id or 0, {}).setdefault(posting.role, [])
        if posting.user not in people:
            people.append(posting.user)
    return found
