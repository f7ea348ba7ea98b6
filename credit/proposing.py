"""What the city's list of joint measures proposes to a department: a line for a record that it found (L12c).

Nothing begins by it; a person decides (``credit.actions.measures.begin``). A penalty is proposed for a breach in use of
the line's level, a reward for the newest promise kept or praise of a subject whose newest public evaluation is the
line's and against whom nothing is in use. Which licences a subject holds the credit side cannot see: what a department
found of a promise kept is how it knows whom it has business with.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from credit.actions import measures
from credit.lists import Tab, own
from credit.models import CreditRecord, Grade, JointMeasure, MeasureKind, MeasureRule, SubjectGrade, SubjectLink
from credit.models.measures import PENAL_LEVELS
from credit.models.records import AGAINST, KEPT
from credit.using import in_use, since
from deadlines.arithmetic import add_months
from offices.access import Access

ORDER = ("-id",)
TABS = (
    Tab("", "联合惩戒", ORDER, "按措施清单对使用中的失信记录提出，由人决定是否实施。", "没有建议实施的惩戒", "warn"),
    Tab("reward", "联合激励", ORDER, "按措施清单对守信的主体提出，由人决定是否给予。", "没有建议给予的激励", "good"),
)  # fmt: skip
MOST_COUNTED = 99
# At one press.
MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line of the list for a record: until when it would last; ``key`` names both in a form."""

    record: CreditRecord
    rule: MeasureRule
    ends_on: dt.date

    @property
    def key(self) -> str:
        """Record and line, as a form sends them."""
        return f"{self.record.pk}-{self.rule.pk}"


@dataclass(frozen=True, slots=True)
class Row:
    """A record with all that is proposed for it."""

    record: CreditRecord
    proposals: list[Proposal]


def kind_of(tab: str) -> MeasureKind:
    """Which kind a tab holds."""
    return MeasureKind.REWARD if tab == MeasureKind.REWARD else MeasureKind.PENALTY


def _live(today: dt.date) -> Q:
    """Measures that run or are to begin."""
    return Q(ended_at__isnull=True, ends_on__gte=today)


def _unused(rules: QuerySet[MeasureRule], today: dt.date) -> Exists:
    """Whether one of ``rules`` has no live measure of the record's department for its subject.

    By the line or by its words, as ``begin`` refuses the same words twice, on whichever record they rest.
    """
    begun = JointMeasure.objects.filter(
        _live(today), Q(rule=OuterRef("pk")) | Q(what=OuterRef("what"), kind=OuterRef("kind")),
        subject=OuterRef(OuterRef("subject")), department=OuterRef(OuterRef("department")),
    )  # fmt: skip
    return Exists(rules.filter(~Exists(begun), is_on=True))


def penal(rows: QuerySet[CreditRecord], today: dt.date) -> QuerySet[CreditRecord]:
    """Those of ``rows`` for which a penalty is proposed."""
    lines = MeasureRule.objects.filter(kind=MeasureKind.PENALTY, level=OuterRef("level"))
    return rows.filter(
        _unused(lines, today), kind__in=measures.GROUNDS[MeasureKind.PENALTY], level__in=list(PENAL_LEVELS),
        repaired_at__isnull=True, withdrawn_at__isnull=True, shown_until__gte=today,
    )  # fmt: skip


def rewarding(rows: QuerySet[CreditRecord], today: dt.date) -> QuerySet[CreditRecord]:
    """Those of ``rows`` for which a reward is proposed: of a subject and a department the newest, with ``graded``.

    A breach in use of a code whose place the subject took counts one link back here, all the way in ``begin``.
    """
    newest = SubjectGrade.objects.filter(subject=OuterRef("subject")).order_by("-given_at", "-pk")
    kept = Q(kind__in=KEPT, repaired_at__isnull=True, withdrawn_at__isnull=True, found_at__gte=since(today))
    later = CreditRecord.objects.filter(
        kept, subject=OuterRef("subject"), department=OuterRef("department"), pk__gt=OuterRef("pk")
    )
    against = CreditRecord.objects.filter(in_use(today), kind__in=AGAINST)
    before = SubjectLink.objects.filter(
        Exists(against.filter(subject=OuterRef("before"))), after=OuterRef("subject"), set_aside_at__isnull=True,
        carries=True,
    )  # fmt: skip
    lines = MeasureRule.objects.filter(kind=MeasureKind.REWARD, grade=OuterRef("graded"))
    found = rows.filter(kept).annotate(graded=Subquery(newest.values("grade")[:1]))
    return found.filter(
        _unused(lines, today), ~Exists(later), ~Exists(against.filter(subject=OuterRef("subject"))), ~Exists(before)
    )


def proposed(access: Access, tab: str, today: dt.date) -> QuerySet[CreditRecord]:
    """Records of the person's departments for which the list proposes something."""
    rows = CreditRecord.objects.filter(department__in=own(access))
    return rewarding(rows, today) if kind_of(tab) == MeasureKind.REWARD else penal(rows, today)


def counts(access: Access, today: dt.date) -> dict[str, int | str]:
    """How many records are in each tab, counted up to 99; one statement a tab."""
    found: dict[str, int | str] = {}
    for tab in TABS:
        number = proposed(access, tab.key, today)[: MOST_COUNTED + 1].count()
        found[tab.key] = f"{MOST_COUNTED}+" if number > MOST_COUNTED else number
    return found


def rows_of(records: Collection[CreditRecord], kind: str, today: dt.date) -> list[Row]:
    """Each record with what is proposed for it; two statements, one where there is nothing. Rewards need ``graded``."""
    lines = defaultdict(list)
    for rule in MeasureRule.objects.filter(kind=kind, is_on=True).order_by("pk") if records else ():
        lines[rule.level or rule.grade].append(rule)
    begun = _begun(records, kind, today) if lines else set()
    return [Row(one, list(_of(one, lines[_ground(one)], begun, today))) for one in records]


def _ground(record: CreditRecord) -> str:
    return record.level or getattr(record, "graded", None) or Grade.NONE.value


Begun = set[tuple[int, int, int | str]]


def _begun(records: Iterable[CreditRecord], kind: str, today: dt.date) -> Begun:
    """Subject, department and line, and the same with its words, of what is live."""
    rows = JointMeasure.objects.filter(_live(today), subject__in={one.subject_id for one in records}, kind=kind)
    found: Begun = set()
    for subject, department, rule, what in rows.values_list("subject_id", "department_id", "rule_id", "what"):
        found |= {(subject, department, what)} | ({(subject, department, rule)} if rule else set())
    return found


def _of(record: CreditRecord, rules: Iterable[MeasureRule], begun: Begun, today: dt.date) -> Iterable[Proposal]:
    most = measures.longest_end(record, today)
    if most is None or most < today:
        return
    for rule in rules:
        whose = (record.subject_id, record.department_id or 0)
        if (*whose, rule.pk) not in begun and (*whose, rule.what) not in begun:
            yield Proposal(record, rule, min(add_months(today, rule.months), most))


def of_record(record: CreditRecord, today: dt.date) -> list[Proposal]:
    """What the list proposes for one record, on its page; three statements at most."""
    kind = MeasureKind.REWARD if record.kind in KEPT else MeasureKind.PENALTY
    fits = rewarding if kind == MeasureKind.REWARD else penal
    found = list(fits(CreditRecord.objects.filter(pk=record.pk), today))
    return rows_of(found, kind, today)[0].proposals if found else []


def last_day(record: CreditRecord, rule: MeasureRule, today: dt.date) -> dt.date | None:
    """The last day that a measure by this line on this record would have; None where none is possible."""
    most = measures.longest_end(record, today)
    return None if most is None or most < today else min(add_months(today, rule.months), most)
