"""The time line of a subject: one bounded query a source, put together in one statement, newest first.

Every source gives the same columns; what a row says is put into words here, without another statement. A figure counts
the rows of a source, so that it always opens what it counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Case as Choose
from django.db.models import F, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from approvals.enums import CaseStatus, EndingKind, LicenceChangeKind, LicenceState, Outcome, RefusalGround, Way
from approvals.models import Case, Ending, LaterSubmission, Licence, LicenceChange, NotAccepted, Promise, PromiseLapse
from credit.models import Breach, CreditRecord, CreditSubject, JointMeasure, Level, MeasureKind, SubjectLink
from credit.words import cn_day
from offices import kept
from oversight.queries import opening_of_day
from oversight.scopes import Scope
from supervision.enums import InspectionKind, OrderStatus, Origin, Result, TaskEnd, TaskStatus
from supervision.models import DrawnSubject, Feedback, Inspection, Proposal, Rectification, SupervisionTask

SIZE = 50
YEARS = 3
KINDS = {
    "case": "办件", "licence": "证照", "promise": "承诺", "task": "监管任务", "check": "检查", "draw": "双随机抽查",
    "order": "责令整改", "record": "信用记录", "measure": "联合奖惩", "link": "代码衔接",
    # Narrower, so that each figure opens its rows.
    "kept": "履行承诺", "broken": "违背承诺", "faults": "检查不符合", "revoked": "许可被撤销",
}  # fmt: skip
SERIES = ("kept", "broken", "check", "faults", "revoked")
Words = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the time line; ``ref`` is what its page is found by."""

    source: str
    pk: int
    at: dt.datetime
    number: str
    ref: str
    title: str
    code: str
    extra: str
    department_id: int
    department: str
    division_id: int
    office_id: int

    @property
    def kind(self) -> str:
        """To which kind it belongs: its own, not one of the narrower."""
        return next(iter(BY_KEY[self.source].kinds))

    @property
    def words(self) -> Words:
        """Label, note, tone."""
        return BY_KEY[self.source].words(self)


def _event(place: int, pk: int, at: Any, *rest: Any) -> Event:
    """A row as the driver gives it; a record from outside has no department, a drawn subject perhaps no result."""
    number, ref, title, code, extra, department_id, department, division_id, office_id = rest
    return Event(
        SOURCES[place].key, pk, moment(at), number, ref, title, code or "", extra or "", department_id or 0,
        department or "", division_id or 0, office_id or 0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one sort: which a person may see, their moment and columns, how one reads.

    ``kinds``: the kinds of the filter under which they stand, its own first, each with what narrows it further.
    ``to``: the way from a row to its department, where a join may find nothing; empty: no department's.
    """

    key: str
    kinds: Mapping[str, Q]
    rows: Callable[[Scope, int, dt.date], QuerySet[Any]]
    at: str
    words: Callable[[Event], Words]
    number: str = ""
    ref: str = ""
    title: str = ""
    code: str = ""
    extra: str = ""
    to: str = "department"
    office: str = ""

    def found(self, scope: Scope, subject: int, today: dt.date, kind: str) -> QuerySet[Any]:
        """The rows under ``kind`` (empty: all); raises ``KeyError`` for a kind that has none of them."""
        narrowed = self.kinds[kind] if kind else Q()
        return self.rows(scope, subject, today).filter(narrowed, **{f"{self.at}__isnull": False}).order_by()

    def columns(self, place: int) -> list[Any]:
        """What each row gives, in the order of ``Event``."""
        texts = [Cast(name, TextField()) if name else _text() for name in self._texts]
        office = F(self.office) if self.office else Value(0)
        whose = [F(f"{self.to}_id"), f"{self.to}__name", F(f"{self.to}__division_id")] if self.to else NOBODYS
        return [Value(place), "pk", self.at, *texts, *whose, office]

    @property
    def _texts(self) -> tuple[str, ...]:
        return self.number, self.ref, self.title, self.code, self.extra


def _text() -> Value:
    return Value("", output_field=TextField())


# Of a row that is no department's.
NOBODYS: list[Any] = [Value(0), _text(), Value(0)]


def _label(enum: Any, value: str) -> str:
    return str(enum(value).label) if value in enum.values else value


# --- how rows read


def _received(e: Event) -> Words:
    return f"申请{e.title}", f"{_label(Way, e.code)}；办件 {e.number}，{_label(CaseStatus, e.extra)}", "neutral"


def _decided(e: Event) -> Words:
    refused = e.code == CaseStatus.REJECTED or e.extra == Outcome.REFUSED
    said = "不予许可" if refused else "准予许可"
    return f"{said}：{e.title}", f"办件 {e.number}", "bad" if refused else "good"


def _completed(e: Event) -> Words:
    return f"办结：{e.title}", f"{_label(Outcome, e.extra)}；办件 {e.number}", "neutral"


def _of_case(words: str, tone: str = "neutral") -> Callable[[Event], Words]:
    return lambda e: (f"{words}：{e.title}", f"办件 {e.number}", tone)


def _check(e: Event) -> Words:
    tone = {Result.CONFORMING: "good", Result.BASICALLY: "warn"}.get(Result(e.code), "bad")
    return f"{_label(InspectionKind, e.extra)}：{_label(Result, e.code)}", f"{e.title}；任务 {e.number}", tone


def _fed_back(e: Event) -> Words:
    return f"监管结果：{_label(Result, e.code)}", f"{e.title}；任务 {e.number}", "neutral"


def _drawn(e: Event) -> Words:
    over = e.extra == TaskStatus.CLOSED
    return (
        f"被抽中：{e.title}",
        _label(Result, e.code) if over and e.code else "尚未办结" if not over else "未作检查",
        "active",
    )


def _settled(e: Event) -> Words:
    tone = "good" if e.code == OrderStatus.MENDED else "neutral" if e.code == OrderStatus.LAPSED else "bad"
    return f"整改认定：{_label(OrderStatus, e.code)}", f"{e.number}", tone


def _changed(e: Event) -> Words:
    tone = {
        LicenceChangeKind.REVOCATION: "bad",
        LicenceChangeKind.SUSPENSION: "warn",
        LicenceChangeKind.WITHDRAWAL: "warn",
    }
    return (
        f"证照{_label(LicenceChangeKind, e.code)}：{e.title}",
        e.number,
        tone.get(LicenceChangeKind(e.code), "neutral"),
    )


def _record(e: Event) -> Words:
    level = f"（{_label(Level, e.extra)}）" if e.extra else ""
    good = e.code in {CreditRecord.Kind.KEPT_PROMISE, CreditRecord.Kind.PRAISE}
    return f"{_label(CreditRecord.Kind, e.code)}{level}", f"{e.number}；{e.title}", "good" if good else "bad"


def _on_record(words: str) -> Callable[[Event], Words]:
    return lambda e: (f"{words}：{_label(CreditRecord.Kind, e.code)}", e.number, "good")


def _breach(words: str, tone: str = "warn") -> Callable[[Event], Words]:
    return lambda e: (f"{words}（{_label(Level, e.extra)}）", f"{e.number}；认定文书 {e.title}", tone)


def _measure(e: Event) -> Words:
    tone = "good" if e.code == MeasureKind.REWARD else "warn"
    first, last = (dt.date.fromisoformat(day) for day in (e.number, e.extra))
    return f"{_label(MeasureKind, e.code)}：{e.title}", f"{cn_day(first)}至{cn_day(last)}", tone


def _measure_ended(e: Event) -> Words:
    return f"{_label(MeasureKind, e.code)}提前终止：{e.title}", e.extra, "neutral"


def _link(words: str, tone: str) -> Callable[[Event], Words]:
    return lambda e: (f"{words}（{_label(SubjectLink.Kind, e.code)}）", f"{e.title} → {e.extra}", tone)


# --- the sources, in the order of life: of two at the same moment the later one stands above


def _cases(scope: Scope, subject: int, today: dt.date) -> QuerySet[Case]:
    return Case.objects.filter(scope.cases(), applicant=subject)


def _by_case(model: Any, **values: Any) -> Callable[[Scope, int, dt.date], QuerySet[Any]]:
    return lambda scope, subject, today: model.objects.filter(scope.cases("case__"), case__applicant=subject, **values)


def _tasks(scope: Scope, subject: int, today: dt.date) -> QuerySet[SupervisionTask]:
    return SupervisionTask.objects.filter(scope.own(), subject=subject)


def _by_task(model: Any) -> Callable[[Scope, int, dt.date], QuerySet[Any]]:
    return lambda scope, subject, today: model.objects.filter(scope.own("task__department"), task__subject=subject)


def _checks(scope: Scope, subject: int, today: dt.date) -> QuerySet[Inspection]:
    return Inspection.objects.standing().filter(scope.own("task__department"), task__subject=subject)


def _records(scope: Scope, subject: int, today: dt.date) -> QuerySet[CreditRecord]:
    return CreditRecord.objects.filter(scope.records(today), subject=subject)


def _breaches(scope: Scope, subject: int, today: dt.date) -> QuerySet[Breach]:
    return Breach.objects.filter(scope.own(), subject=subject)


def _measures(scope: Scope, subject: int, today: dt.date) -> QuerySet[JointMeasure]:
    return JointMeasure.objects.filter(scope.measures(today), subject=subject)


def _links(scope: Scope, subject: int, today: dt.date) -> QuerySet[SubjectLink]:
    return SubjectLink.objects.filter(Q(before=subject) | Q(after=subject))


CASE, LICENCE, PROMISE, TASK = {"case": Q()}, {"licence": Q()}, {"promise": Q()}, {"task": Q()}
ORDER, RECORD = {"order": Q()}, {"record": Q()}
OF_CASE = {
    "number": "case__number",
    "ref": "case__number",
    "title": "case__business_item__name",
    "to": "case__department",
}
OF_TASK = {
    "number": "task__number", "ref": "task__number", "title": "task__sub_item__name", "to": "task__department",
    "office": "task__office_id",
}  # fmt: skip
WHOLE_CASE = {"number": "number", "ref": "number", "title": "business_item__name"}
WHOLE_TASK = {"number": "number", "ref": "number", "title": "sub_item__name", "office": "office_id"}
RECORDS = {"number": "source", "ref": "pk", "title": "basis", "code": "kind", "extra": "level"}
BREACHES = {"number": "number", "ref": "pk", "title": "fact__source", "code": "status", "extra": "level"}
MEASURE = {"number": "starts_on", "ref": "pk", "title": "what", "code": "kind", "extra": "ends_on"}
LINK = {"number": "before__code", "ref": "pk", "title": "before__name", "code": "kind", "extra": "after__name"}
RK = CreditRecord.Kind

SOURCES = (
    Source("received", CASE, _cases, "received_at", _received, **WHOLE_CASE, code="way", extra="status"),
    Source("not_accepted", CASE, _by_case(NotAccepted), "issued_at",
           lambda e: (f"不予受理：{e.title}", f"{_label(RefusalGround, e.code)}；办件 {e.number}", "bad"),
           **OF_CASE, code="ground"),
    Source("promised", PROMISE, _by_case(Promise), "signed_at", _of_case("签署告知承诺", "active"), **OF_CASE),
    Source("promise_withdrawn", PROMISE, _by_case(Promise), "withdrawn_at", _of_case("撤回承诺"), **OF_CASE),
    Source("later", PROMISE, _by_case(LaterSubmission), "agreed_at", _of_case("容缺办理，约定补交材料", "active"),
           **OF_CASE),
    Source("decided", CASE, _cases, "decided_at", _decided, **WHOLE_CASE, code="status", extra="outcome"),
    Source("licence", LICENCE, lambda scope, subject, today: Licence.objects.filter(holder=subject), "issued_at",
           lambda e: (f"发证：{e.title}", f"{e.number}；现为{_label(LicenceState, e.code)}", "good"),
           number="number", ref="number", title="kind", code="state"),
    Source("completed", CASE, _cases, "completed_at", _completed, **WHOLE_CASE, extra="outcome"),
    Source("lapse", PROMISE, _by_case(PromiseLapse), "found_at", _of_case("承诺补交期限已过", "warn"), **OF_CASE),
    Source("later_lapse", PROMISE, _by_case(LaterSubmission), "overdue_at", _of_case("容缺补交期限已过", "warn"),
           **OF_CASE),
    Source("later_done", PROMISE, _by_case(LaterSubmission), "fulfilled_at", _of_case("容缺材料补齐", "good"),
           **OF_CASE),
    Source("ended", CASE, _by_case(Ending), "ended_at",
           lambda e: (f"{_label(EndingKind, e.code)}：{e.title}", f"办件 {e.number}", "warn"), **OF_CASE, code="kind"),
    Source("drawn", {"draw": Q()}, lambda scope, subject, today: DrawnSubject.objects.filter(subject=subject),
           "run__drawn_at", _drawn, number="task__number", ref="run__plan_id", title="run__plan__name",
           code="task__feedback__result", extra="task__status", to="task__department"),
    Source("opened", TASK, _tasks, "opened_at",
           lambda e: (f"监管任务：{e.title}", f"{_label(Origin, e.code)}；任务 {e.number}", "active"),
           **WHOLE_TASK, code="origin"),
    Source("checked", {"check": Q(), "faults": Q(result=Result.NONCONFORMING)}, _checks, "ended_at", _check,
           **OF_TASK, code="result", extra="kind"),
    Source("fed_back", TASK, _by_task(Feedback), "given_at", _fed_back, **OF_TASK, code="result"),
    Source("ordered", ORDER, _by_task(Rectification), "issued_at",
           lambda e: (f"责令限期整改：{e.title}", e.number, "warn"), **(OF_TASK | {"number": "paper__number"})),
    Source("order_settled", ORDER, _by_task(Rectification), "settled_at", _settled,
           **(OF_TASK | {"number": "paper__number"}), code="status"),
    Source("proposed", ORDER, _by_task(Proposal), "proposed_at",
           lambda e: (f"建议撤销行政许可：{e.title}", e.number, "bad"), **(OF_TASK | {"number": "paper__number"})),
    Source("changed", {"licence": Q(), "revoked": Q(kind=LicenceChangeKind.REVOCATION)},
           lambda scope, subject, today: LicenceChange.objects.filter(licence__holder=subject), "made_at", _changed,
           number="licence__number", ref="licence__number", title="licence__kind", code="kind",
           to="licence__department"),
    Source("closed", TASK, _tasks, "closed_at",
           lambda e: (f"归档：{e.title}", f"{_label(TaskEnd, e.code)}；任务 {e.number}", "neutral"),
           **WHOLE_TASK, code="end"),
    Source("told", RECORD, _breaches, "told_at", _breach("告知拟认定失信"), **BREACHES),
    Source("objected", RECORD, _breaches, "objected_at", _breach("提出异议"), **BREACHES),
    Source("record", {"record": Q(), "kept": Q(kind=RK.KEPT_PROMISE),
                      "broken": Q(kind=RK.BROKEN_PROMISE, withdrawn_at__isnull=True)},
           _records, "found_at", _record, **RECORDS),
    Source("recorded", RECORD,
           lambda scope, subject, today: _breaches(scope, subject, today).filter(status=Breach.Status.RECORDED),
           "decided_at", _breach("决定予以记录", "bad"), **BREACHES),
    Source("dropped", RECORD,
           lambda scope, subject, today: _breaches(scope, subject, today).filter(status=Breach.Status.DROPPED),
           "decided_at", _breach("决定不予记录", "neutral"), **BREACHES),
    Source("repaired", RECORD, _records, "repaired_at", _on_record("信用修复"), **RECORDS),
    Source("withdrawn", RECORD, _records, "withdrawn_at", _on_record("更正撤回"), **RECORDS),
    Source("measure", {"measure": Q()}, _measures, "decided_at", _measure, **MEASURE),
    Source("measure_ended", {"measure": Q()}, _measures, "ended_at", _measure_ended,
           **(MEASURE | {"extra": "end_reason"})),
    Source("linked", {"link": Q()}, _links, "at", _link("代码衔接", "active"), **LINK, to=""),
    Source("unlinked", {"link": Q()}, _links, "set_aside_at", _link("撤销代码衔接", "neutral"), **LINK, to=""),
)  # fmt: skip
BY_KEY = {source.key: source for source in SOURCES}
PLACES = {source.key: place for place, source in enumerate(SOURCES)}


def moment(value: Any) -> dt.datetime:
    """A moment as the driver gives it: SQLite knows only texts in UTC."""
    found = parse_datetime(value) if isinstance(value, str) else value
    assert isinstance(found, dt.datetime)  # noqa: S101 - every source has its moment
    return found if timezone.is_aware(found) else found.replace(tzinfo=dt.UTC)


# --- a page


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the time line, and the cursor of what is older (empty: that is all)."""

    events: list[Event]
    next: str


_signer = signing.Signer(salt="subjects:time-line")


def place_of(cursor: str, subject: int) -> tuple[dt.datetime, int, int] | None:
    """The row behind which a page begins; None for a cursor that this time line did not give out."""
    try:
        at, source, pk = _signer.unsign_object(cursor)[subject_key(subject)]
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None
    return dt.datetime.fromisoformat(at), PLACES.get(source, -1), int(pk)


def subject_key(subject: int) -> str:
    """A cursor belongs to one subject."""
    return str(subject)


def _cursor(event: Event, subject: int) -> str:
    return str(_signer.sign_object({subject_key(subject): [event.at.isoformat(), event.source, event.pk]}))


def _behind(source: Source, place: int, behind: tuple[Any, int, Any]) -> Q:
    """Rows of a source that are older than the row ``behind``, or stand below it at the same moment."""
    at, last, pk = behind
    if place < last:
        return Q(**{f"{source.at}__lte": at})
    older = Q(**{f"{source.at}__lt": at})
    return older | Q(**{source.at: at, "pk__lt": pk}) if place == last else older


def span_of(year: int) -> tuple[dt.datetime, dt.datetime]:
    """The first moment of a local year and that of the next."""
    return opening_of_day(dt.date(year, 1, 1)), opening_of_day(dt.date(year + 1, 1, 1))


def lines(
    scope: Scope, subject: CreditSubject, today: dt.date, *, kind: str = "", year: int = 0, cursor: str = ""
) -> Lines:
    """The page of the time line behind ``cursor``, newest first; one statement. An unknown cursor begins anew."""
    behind = place_of(cursor, subject.pk) if cursor else None
    last = behind[1] if behind else -1
    key = (lines, scope.key, today, kind, year, last)

    def write(pk: Any, at: Any = None, row: Any = None) -> list[QuerySet[Any, Any]]:
        parts = []
        for place, source in enumerate(SOURCES):
            if kind and kind not in source.kinds:
                continue
            rows = source.found(scope, pk, today, kind)
            if year:
                first, end = span_of(year)
                rows = rows.filter(**{f"{source.at}__gte": first, f"{source.at}__lt": end})
            if at is not None:
                rows = rows.filter(_behind(source, place, (at, last, row)))
            parts.append(rows.order_by(f"-{source.at}", "-pk").values_list(*source.columns(place))[: SIZE + 1])
        return parts

    values = (subject.pk, behind[0], behind[2]) if behind else (subject.pk,)
    rows = kept.union(key, write, *values, wrap=f"{{}} ORDER BY 3 DESC, 1 DESC, 2 DESC LIMIT {SIZE + 1}")
    found = [_event(*row) for row in rows]
    more = len(found) > SIZE
    return Lines(found[:SIZE], _cursor(found[SIZE - 1], subject.pk) if more else "")


# --- the figure


def figure(scope: Scope, subject: CreditSubject, today: dt.date) -> dict[str, dict[int, int]]:
    """Series → year → how many rows its filter opens, of the last ``YEARS`` years; one statement."""
    years = [today.year - YEARS + 1 + number for number in range(YEARS)]

    def write(pk: Any) -> list[QuerySet[Any, Any]]:
        parts = []
        for number, series in enumerate(SERIES):
            source = next(one for one in SOURCES if series in one.kinds)
            rows = source.found(scope, pk, today, series)
            rows = rows.filter(**{f"{source.at}__gte": span_of(years[0])[0], f"{source.at}__lt": span_of(years[-1])[1]})
            begun = [When(**{f"{source.at}__gte": span_of(year)[0], "then": Value(year)}) for year in reversed(years)]
            year_ = Choose(*begun, default=Value(0), output_field=IntegerField())
            parts.append(rows.annotate(series_=Value(number), year_=year_).values_list("series_", "year_"))
        return parts

    found = {series: dict.fromkeys(years, 0) for series in SERIES}
    counting = "SELECT series_, year_, count(*) FROM ({}) AS counted GROUP BY series_, year_"
    for number, year, count in kept.union((figure, scope.key, today), write, subject.pk, wrap=counting):
        found[SERIES[number]][year] = count
    return found


def by_year(events: Sequence[Event]) -> list[tuple[int, list[Event]]]:
    """The rows under their local years, in their order."""
    found: dict[int, list[Event]] = {}
    for event in events:
        found.setdefault(timezone.localtime(event.at).year, []).append(event)
    return list(found.items())
