"""联合奖惩: a department grants or withholds something for a time, with its legal basis; reversible on repair (L12c).

Every act locks the subject first, and that of the record with it. A penalty rests on a record in use of the same
subject or of a code whose place it took, or on the law; it never outlasts the longest display of its record, and ends
in the transaction that takes the record out of use. Nobody is put on the list of the seriously dishonest by it: a
measure writes no record.

Source: 江苏省社会信用条例 (联合奖惩), 信用修复管理办法, 连政办发〔2022〕67号.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from credit.actions.common import lock_subjects, refuse_stranger
from credit.enums import CreditAct
from credit.identifiers import normalise
from credit.joining import lineage
from credit.models import CreditRecord, CreditSubject, Grade, JointMeasure, Level, MeasureRule, SubjectGrade
from credit.models.measures import MOST_MONTHS, SHORTEST_BASIS
from credit.models.records import AGAINST
from credit.using import in_use
from credit.words import cn_day, said
from deadlines.arithmetic import add_months
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.crypto import keyed_hash
from offices.history import save_at
from offices.models import Department, User
from offices.refusals import Refused, TransitionNotAllowed

K = CreditRecord.Kind
REWARD, PENALTY = JointMeasure.Kind.REWARD, JointMeasure.Kind.PENALTY
LATEST_START_MONTHS = 12
# Words by which a measure would put somebody on the list of the seriously dishonest; 被列入…的 says whom it meets.
LISTING = re.compile(r"(?<![被已对])(?:列入|纳入|记入|移入)[^，。；、]*严重失信[^，。；、]*名单(?![的内中])")
LONGEST = {"what": 500, "basis": 200, "reason": 2000}
# What a penalty may rest on, and what a reward may.
GROUNDS = {
    PENALTY: frozenset({K.BROKEN_PROMISE, K.REVOKED, K.SANCTION, K.SERIOUS}),
    REWARD: frozenset({K.KEPT_PROMISE, K.PRAISE}),
}


def refuse_listing(words: str) -> None:
    """Raise ``Refused`` (``measure-lists``) for a measure that says that it lists somebody."""
    if LISTING.search(words):
        raise Refused(
            "measure-lists",
            "列入严重失信主体名单只能由名单主管部门决定，本平台不列入任何主体；请写明本单位采取的措施。",
            field="what",
        )


def in_force(on: dt.date) -> Q:
    """Measures that have begun and not ended on the local day ``on``; one that was ended on that day is not."""
    after = timezone.make_aware(dt.datetime.combine(on + dt.timedelta(days=1), dt.time()))
    return Q(starts_on__lte=on, ends_on__gte=on) & (Q(ended_at__isnull=True) | Q(ended_at__gte=after))


def live(subject: CreditSubject, on: dt.date, whose: Collection[int] = ()) -> list[JointMeasure]:
    """What is in force for a subject on a day, the oldest first, each with its subject; one statement.

    ``whose``: its lineage, of which the penalties count for it as well; rewards stay with the code that was rewarded.
    """
    counts = Q(subject=subject) | Q(subject__in=whose, kind=PENALTY) if whose else Q(subject=subject)
    rows = JointMeasure.objects.filter(in_force(on), counts).select_related("department", "subject")
    return list(rows.defer("subject__id_number").order_by("pk"))


def longest_end(record: CreditRecord | None, starts_on: dt.date) -> dt.date | None:
    """The last day that a measure may have: that of its record's display, or three years; None for none at all.

    A breach that is not shown carries no measure. What came from outside, and what was kept, has no end of display here
    and counts three years from its finding.
    """
    if record is None:
        return add_months(starts_on, MOST_MONTHS)
    if record.shown_until is not None:
        return record.shown_until
    return None if record.level else add_months(local_date(record.found_at), MOST_MONTHS)


def find_subject(identifier: str) -> CreditSubject:
    """The known subject of a code or an identity number as it was typed; a number is compared by its keyed hash.

    Raises ``Refused`` (``measure-subject-unknown``).
    """
    typed = normalise(identifier)
    found = CreditSubject.objects.filter(Q(code=typed) | Q(id_hash=keyed_hash(typed))).first() if typed else None
    if found is None:
        raise Refused(
            "measure-subject-unknown",
            "请填写主体的代码或者号码。" if not typed else "没有这个代码或者号码的主体，请核对。",
            field="identifier",
        )
    return found


def find_record(subject: CreditSubject, source: str, kind: str, today: dt.date) -> CreditRecord | None:
    """The record of ``subject`` found by the paper of that number, or None where no number is given.

    Those of its lineage count, its own before another's. Of several kinds with one number the one on which a measure
    of ``kind`` can rest on ``today``; where none can, the one whose refusal by ``begin`` says most. Raises ``Refused``
    (``measure-record-unknown``, ``measure-record-ambiguous``).
    """
    number = source.strip()
    if not number:
        return None
    grounds = GROUNDS[JointMeasure.Kind(kind)] if kind in JointMeasure.Kind.values else frozenset()

    def rank(record: CreditRecord) -> tuple[bool, bool, bool, bool, int]:
        most = longest_end(record, today)
        unfit = (record.is_lifted, record.kind not in grounds, most is None or most < today)
        return (*unfit, record.subject_id != subject.pk, -record.pk)

    # A handful at most: one a kind and code.
    found = sorted(CreditRecord.objects.filter(subject__in=lineage(subject), source=number), key=rank)
    if not found:
        raise Refused(
            "measure-record-unknown", "这个主体没有依据该文书的信用记录，请核对文号；只依据法律规定的，不填文号。",
            field="source",
        )  # fmt: skip
    fitting = [record for record in found if rank(record)[:-1] == (False, False, False, rank(found[0])[3])]
    if len(fitting) > 1:
        kinds = "、".join(f"“{record.get_kind_display()}”" for record in sorted(fitting, key=lambda one: one.pk))
        raise Refused(
            "measure-record-ambiguous",
            f"这个文号下有{kinds}{len(fitting)} 条使用中的记录。请从所依据的那条信用记录的页面实施；"
            "其他单位认定的，由认定单位实施。",
            field="source",
        )
    return found[0]


def _subjects_of(record: CreditRecord | None, subject: int) -> set[int]:
    """Whom to lock for a measure: its subject, and that of the record it rests on."""
    return {subject} | ({record.subject_id} if record is not None else set())


def rested_on(records: Q) -> set[int]:
    """Ids of the subjects whose measures not yet ended rest on one of the records; one statement."""
    rows = JointMeasure.objects.filter(record__in=CreditRecord.objects.filter(records), ended_at__isnull=True)
    return set(rows.values_list("subject_id", flat=True))


def lock_for_lifting(subject: int, records: Q) -> set[int]:
    """Lock a subject some of whose records go out of use, with the subjects of what rests on them; two statements.

    Returns whom. Before the first record goes, the caller asks whether ``rested_on`` is still among them: under the
    lock nothing more can be begun on it.
    """
    return set(lock_subjects({subject, *rested_on(records)}))


@transaction.atomic
def begin(
    subject: CreditSubject, *, kind: str, what: str, basis: str, department: Department, record: CreditRecord | None,
    starts_on: dt.date | None, ends_on: dt.date | None, by: User, now: dt.datetime, rule: MeasureRule | None = None,
) -> JointMeasure:  # fmt: skip
    """Decide on a reward or a penalty from a day to a day; no SMS, no record.

    ``rule``: the line of the city's list that proposed it. Blank words are then the rule's; the kind stays the rule's.
    Raises ``Refused`` (as ``_rule`` says, ``not-your-department``, ``measure-kind-missing``, ``measure-missing``,
    ``measure-lists``, ``measure-basis-missing``, ``measure-basis-short``, ``measure-record-wrong-subject``,
    ``measure-record-unfit``, ``measure-record-lifted``, ``measure-not-shown``, ``measure-start-wrong``,
    ``measure-end-wrong``, ``measure-too-long``, ``measure-exists``, ``text-too-long``).
    """
    foreign = record is not None and record.subject_id != subject.pk
    wanted = _subjects_of(record, subject.pk) | (set(lineage(subject)) if foreign else set())
    subject = lock_subjects(wanted)[subject.pk]
    refuse_stranger(department.pk, by, now)
    if kind not in JointMeasure.Kind.values:
        raise Refused("measure-kind-missing", "请选择联合激励或者联合惩戒。", field="kind")
    if record is not None:
        record = CreditRecord.objects.get(pk=record.pk)
        _refuse_record(record, subject, kind, local_date(now))
    if rule is not None:
        _refuse_foreign(record, department)
        rule = _rule(rule, subject, record, kind, local_date(now))
        what, basis = what.strip() or rule.what, basis.strip() or rule.basis
    words = said(what, "what", "measure-missing", "请写明采取的措施。", LONGEST["what"])
    refuse_listing(words)
    law = _basis(basis, kind, record)
    first, last = _span(record, starts_on, ends_on, local_date(now))
    measure = JointMeasure(
        subject=subject, kind=kind, what=words, basis=law, record=record, rule=rule, department=department,
        decided_at=now, decided_by=by, starts_on=first, ends_on=last,
    )  # fmt: skip
    same = JointMeasure.objects.filter(
        subject=subject, kind=kind, what=words, department=department, ended_at__isnull=True,
        starts_on__lte=last, ends_on__gte=first,
    )  # fmt: skip
    if rule is not None:
        same = same | JointMeasure.objects.filter(
            subject=subject, rule=rule, department=department, ended_at__isnull=True, starts_on__lte=last,
            ends_on__gte=first,
        )  # fmt: skip
    exists = Refused("measure-exists", "对这个主体的同一措施已经在同一时期实施，没有重复登记。", conflict=True)
    if same.exists():
        raise exists
    try:
        with transaction.atomic():
            save_at(measure, now, by=by)
    except IntegrityError as error:
        raise exists from error
    data = {"measure": measure.pk, "kind": kind, "record": record.pk if record else None}
    if rule is not None:
        data["rule"] = rule.pk
    data |= {"department": department.pk, "from": first.isoformat(), "to": last.isoformat()}
    record_many([Draft(subject.stream, CreditAct.MEASURE_BEGUN, data, by)], at=now)
    reach("measure.before_commit")
    return measure


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not begun of several, and why."""

    record: CreditRecord
    rule: MeasureRule
    why: str


def begin_many(
    pairs: Iterable[tuple[CreditRecord, MeasureRule]], *, by: User, now: dt.datetime
) -> tuple[list[JointMeasure], list[Refusal]]:
    """Begin each line for its record from today on, for the department that found it; one transaction a subject.

    What is refused holds nothing else up. ``pairs`` come from the list of proposals, each record with its subject.
    """
    begun: list[JointMeasure] = []
    refused: list[Refusal] = []
    today = local_date(now)
    for _, its in groupby(sorted(pairs, key=lambda pair: pair[0].subject_id), key=lambda pair: pair[0].subject_id):
        made = []
        with transaction.atomic():
            for record, rule in its:
                most = longest_end(record, today)
                last = min(add_months(today, rule.months), most) if most else None
                department = record.department
                try:
                    if department is None:
                        raise Refused("not-your-department", "这条记录不是本单位认定的，不能据以实施。")
                    made.append(
                        begin(
                            record.subject, kind=rule.kind, what=rule.what, basis=rule.basis, department=department,
                            record=record, starts_on=today, ends_on=last, by=by, now=now, rule=rule,
                        )
                    )  # fmt: skip
                except Refused as error:
                    refused.append(Refusal(record, rule, error.message))
        begun += made
    return begun, refused


def newest_grade(subject: CreditSubject) -> str:
    """The newest public evaluation as received; ``none`` where nothing was, which is no good one."""
    newest = SubjectGrade.objects.filter(subject=subject).order_by("-given_at", "-pk")
    return newest.values_list("grade", flat=True).first() or Grade.NONE.value


def has_breach_in_use(subject: CreditSubject, today: dt.date) -> bool:
    """Whether anything speaks against the subject, or against one whose place it took."""
    rows = CreditRecord.objects.filter(in_use(today), subject__in=lineage(subject), kind__in=AGAINST)
    return rows.exists()


def _refuse_foreign(record: CreditRecord | None, department: Department) -> None:
    """Raise ``Refused`` (``measure-rule-unfit``) where another department than the record's begins by the list."""
    if record is not None and record.department_id != department.pk:
        raise Refused(
            "measure-rule-unfit", "按清单实施的措施，由认定这条记录的单位决定，请核对决定单位。", field="department"
        )


def _rule(
    rule: MeasureRule, subject: CreditSubject, record: CreditRecord | None, kind: str, today: dt.date
) -> MeasureRule:
    """The line of the list as it now stands.

    Raises ``Refused`` (``measure-rule-off``, ``measure-rule-kind``, ``measure-rule-unfit``).
    """
    rule = MeasureRule.objects.get(pk=rule.pk)
    if not rule.is_on:
        raise Refused("measure-rule-off", "清单里的这项措施已经停用，没有实施。", conflict=True)
    if kind != rule.kind:
        label = rule.get_kind_display()
        raise Refused("measure-rule-kind", f"这项措施按清单是{label}，不能改作其他类别。", field="kind")
    if rule.kind == PENALTY:
        if record is None or record.level != rule.level:
            level = Level(rule.level).label
            raise Refused("measure-rule-unfit", f"这项措施只适用于等级为{level}的失信记录。", field="source")
        return rule
    if record is None:
        raise Refused("measure-rule-unfit", "这项措施须依据履行承诺或者表彰奖励的记录。", field="source")
    if newest_grade(subject) != rule.grade:
        grade = Grade(rule.grade).label
        raise Refused(
            "measure-rule-unfit", f"这项措施只适用于公共信用评价为{grade}的主体，现在的评价不是。", field="kind"
        )
    if has_breach_in_use(subject, today):
        raise Refused("measure-rule-unfit", "这个主体有使用中的失信记录，不能按清单给予激励。", field="kind")
    return rule


def _refuse_record(record: CreditRecord, subject: CreditSubject, kind: str, today: dt.date) -> None:
    """Raise ``Refused`` for a record on which such a measure cannot rest."""
    # What was found of a code whose place the subject took carries a penalty; a reward stays with who earned it.
    if record.subject_id != subject.pk and (kind == REWARD or record.subject_id not in lineage(subject)):
        raise Refused("measure-record-wrong-subject", "这条记录不是该主体的，不能据以实施奖惩。", field="source")
    if record.kind not in GROUNDS[JointMeasure.Kind(kind)]:
        label = JointMeasure.Kind(kind).label
        raise Refused(
            "measure-record-unfit", f"“{record.get_kind_display()}”的记录不能作为{label}的依据。", field="source"
        )
    if record.is_lifted:
        raise Refused("measure-record-lifted", "这条记录已经修复或者更正，不再使用，不能据以实施奖惩。", field="source")
    if record.shown_until is not None and record.shown_until < today:
        raise Refused(
            "measure-record-lifted", f"这条记录的公示已于{cn_day(record.shown_until)}期满，不能据以实施奖惩。",
            field="source",
        )  # fmt: skip


def _basis(basis: str, kind: str, record: CreditRecord | None) -> str:
    """The legal basis; a penalty on a record may take that record's. Raises ``Refused``."""
    if kind == PENALTY and record is not None and not basis.strip():
        return record.basis
    law = said(basis, "basis", "measure-basis-missing", "请写明法律依据（名称和条款）。", LONGEST["basis"])
    if len(law) < SHORTEST_BASIS and (record is None or kind == REWARD):
        raise Refused(
            "measure-basis-short", f"法律依据至少 {SHORTEST_BASIS} 字，请写明法律、法规或者文件的名称和条款。",
            field="basis",
        )  # fmt: skip
    return law


def _span(
    record: CreditRecord | None, first: dt.date | None, last: dt.date | None, today: dt.date
) -> tuple[dt.date, dt.date]:
    """The first and the last day. Raises ``Refused``, beside the day that is wrong."""
    if first is None:
        raise Refused("measure-start-wrong", "请填写开始日期。", field="starts_on")
    if first < today:
        raise Refused("measure-start-wrong", "开始日期不能早于今天，奖惩不溯及既往。", field="starts_on")
    latest = add_months(today, LATEST_START_MONTHS)
    if first > latest:
        raise Refused(
            "measure-start-wrong", f"开始日期最晚为{cn_day(latest)}（一年以内），以后实施的，届时再行决定。",
            field="starts_on",
        )  # fmt: skip
    if last is None:
        raise Refused("measure-end-wrong", "请填写结束日期，奖惩措施须有期限。", field="ends_on")
    if last < first:
        raise Refused("measure-end-wrong", f"结束日期不能早于开始日期（{cn_day(first)}）。", field="ends_on")
    most = longest_end(record, first)
    if most is None:
        raise Refused("measure-not-shown", "这条记录不公示，不能据以实施奖惩。", field="source")
    if last > most:
        why = "所依据记录的最长公示期限" if record is not None else "三年的最长期限"
        raise Refused("measure-too-long", f"结束日期最晚为{cn_day(most)}（{why}）。", field="ends_on")
    return first, last


@transaction.atomic
def end(measure: JointMeasure, *, reason: str, by: User, now: dt.datetime) -> JointMeasure:
    """End a measure before its last day, with reasons; it stays on the trace.

    Raises ``Refused`` (``not-your-department``, ``reason-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    subject = lock_subjects(_subjects_of(measure.record, measure.subject_id))[measure.subject_id]
    measure = JointMeasure.objects.select_related("department").get(pk=measure.pk)
    refuse_stranger(measure.department_id, by, now)
    if measure.ended_at is not None or measure.ends_on < local_date(now):
        raise TransitionNotAllowed("这项措施已经结束，可能有同事已先一步办理，或者所依据的记录已经修复，请刷新查看。")
    why = said(reason, "reason", "reason-missing", "请写明提前终止的理由。", LONGEST["reason"])
    _end(measure, why, by, now)
    record_many([Draft(subject.stream, CreditAct.MEASURE_ENDED, {"measure": measure.pk}, by)], at=now)
    return measure


def _end(measure: JointMeasure, reason: str, by: User | None, now: dt.datetime) -> None:
    measure.ended_at, measure.ended_by, measure.end_reason = now, by, reason
    save_at(measure, now, by=by)


def lift_of(record: CreditRecord, now: dt.datetime, by: User | None = None) -> list[JointMeasure]:
    """End what rests on a record that goes out of use, in the caller's transaction, after its ``lock_for_lifting``.

    What has run out by its date stays as it is. Statements grow with the measures of the one record.
    """
    rows = JointMeasure.objects.filter(record=record, ended_at__isnull=True, ends_on__gte=local_date(now))
    ended = list(rows.select_related("subject").order_by("pk"))
    what = "因有误已更正撤回" if record.withdrawn_at is not None else "已修复"
    for measure in ended:
        _end(measure, f"所依据的信用记录（{record.source}）{what}，措施随之终止。", by, now)
    drafts = [
        Draft(one.subject.stream, CreditAct.MEASURE_LIFTED, {"measure": one.pk, "record": record.pk}, by)
        for one in ended
    ]
    record_many(drafts, at=now)
    return ended
