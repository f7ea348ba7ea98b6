"""What the public credit platform says of a subject now, or, where it is silent, what it last said and how long ago.

Grades, risk classes and the platform's own records are received here and nowhere else; nobody in the house gives one
(L7). ``latest`` talks to the platform: never call it inside an action.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from credit import platform
from credit.actions import measures
from credit.models import CreditRecord, CreditSubject, Grade, PlatformAnswer, RiskClass, SubjectGrade, SubjectRisk
from credit.platform import Unavailable
from ledger.record import Draft, record_many

log = logging.getLogger(__name__)

# While the platform is silent, its last answer still opens a way for so long; records against a subject always count.
COUNTS_FOR = timedelta(days=7)
# Who says that there is no grade or risk class any more.
PLATFORM = "信用平台"


class ReceivedAct(models.TextChoices):
    """Acts on the stream of a subject."""

    RECEIVED = "credit.received", "收到信用平台信息"


@dataclass(frozen=True, slots=True)
class Latest:
    """The platform's answer as it counts: ``answer`` as ``platform.read_answer`` gives it, None if there never was one.

    ``is_fresh``: it was given just now; else ``age`` says how old it is and ``fault`` why there is none of today.
    """

    answer: Mapping[str, Any] | None
    answered_at: datetime | None
    age: timedelta
    is_fresh: bool
    fault: str = ""

    @property
    def counts(self) -> bool:
        """Whether what it says in favour of the subject may be used (``COUNTS_FOR``)."""
        return self.answer is not None and self.age <= COUNTS_FOR

    @property
    def grade(self) -> str:
        """The grade that counts: ``none`` where the platform says nothing or its word is too old."""
        said = self.answer["grade"] if self.answer and self.counts else None
        return str(said["grade"]) if said else Grade.NONE.value

    @property
    def risk(self) -> str:
        """The risk class that counts."""
        said = self.answer["risk"] if self.answer and self.counts else None
        return str(said["risk"]) if said else RiskClass.NONE.value

    @property
    def words(self) -> str:
        """Where the answer comes from and of when it is, in a sentence that stays true once it is kept."""
        if self.is_fresh and self.answered_at is not None:
            return f"信用平台{timezone.localtime(self.answered_at):%Y-%m-%d %H:%M}答复。"
        if self.answered_at is None:
            lead = "信用平台没有答复，以前也没有答复过" if self.fault else "还没有向信用平台查询过"
            return f"{lead}；按“未评价”办理（不视为良好）。"
        lead = "信用平台没有答复，以下是" if self.fault else "以下是信用平台"
        said = f"{lead}{timezone.localtime(self.answered_at):%Y-%m-%d %H:%M}的答复（查询时已过{self._ago}）"
        if self.counts:
            return f"{said}，{COUNTS_FOR.days}日内的答复可以使用。"
        return f"{said}，已超过{COUNTS_FOR.days}日：信用等级按“未评价”办理（不视为良好），不良记录仍然使用。"

    @property
    def _ago(self) -> str:
        minutes = int(self.age.total_seconds()) // 60
        if minutes < 60:
            return f"{max(1, minutes)}分钟"
        return f"{minutes // 60}小时" if minutes < 24 * 60 else f"{minutes // (24 * 60)}日"


def latest(subject: CreditSubject, now: datetime) -> Latest:
    """Ask the platform and keep what it says, or return what it last said with its age; never raises for silence.

    Waits for the platform as long as ``CREDIT_TIMEOUT``; call it outside any transaction.
    """
    try:
        answer = platform.ask(subject)
    except Unavailable as error:
        log.warning("credit: no answer about subject %d: %s", subject.pk, error)
        return last_known(subject, now, fault=str(error))
    keep(subject, answer, now)
    return Latest(answer, now, timedelta(0), is_fresh=True)


def last_known(subject: CreditSubject, now: datetime, *, fault: str = "") -> Latest:
    """What the platform last said of a subject; one statement."""
    kept = PlatformAnswer.objects.filter(subject=subject).first()
    if kept is None:
        return Latest(None, None, timedelta(0), is_fresh=False, fault=fault)
    return Latest(kept.answer, kept.answered_at, max(now - kept.answered_at, timedelta(0)), is_fresh=False, fault=fault)


def keep(subject: CreditSubject, answer: Mapping[str, Any], now: datetime) -> None:
    """Keep an answer, and take over what is new in it: grade, risk class, the platform's own records.

    A grade or class that it gives no more is withdrawn from now on, also where an earlier answer had said so already.
    An answer older than the one that is kept changes nothing. A record that the platform no longer uses goes out of
    use here; one that was repaired here by its notice is not taken up again.
    """
    while not _kept(subject, answer, now):
        log.info("credit: a measure was begun on a record of subject %d meanwhile; locking again", subject.pk)


@transaction.atomic
def _kept(subject: CreditSubject, answer: Mapping[str, Any], now: datetime) -> bool:
    """Keep it in one transaction; False, and nothing written, where not all could be locked."""
    its = Q(subject=subject, origin=CreditRecord.Origin.PLATFORM)
    locked = measures.lock_for_lifting(subject.pk, its)
    kept = PlatformAnswer.objects.filter(subject=subject).first()
    known: Mapping[str, Any] | None = None
    if (kept is None or kept.answer != answer) and not measures.rested_on(its) <= locked:
        return False
    if kept is None:
        PlatformAnswer.objects.create(subject=subject, answer=dict(answer), answered_at=now)
    elif kept.answered_at > now:
        return True
    else:
        known, kept.answer, kept.answered_at = kept.answer, dict(answer), now
        kept.save(update_fields=["answer", "answered_at"])
        if known == kept.answer and answer["grade"] and answer["risk"]:
            return True
    news = [*_take_grade(subject, answer["grade"], now), *_take_risk(subject, answer["risk"], now)]
    if known != answer:
        news += _take_records(subject, answer["records"], now)
    record_many([Draft(subject.stream, ReceivedAct.RECEIVED, said) for said in news], at=now)
    return True


def _midnight(day: str) -> datetime:
    return timezone.make_aware(datetime.combine(date.fromisoformat(day), time()))


@dataclass(frozen=True, slots=True)
class _News:
    """A grading to be stored: what it says, who gave it, and since when it counts."""

    value: str
    source: str
    given_at: datetime


def _news(newest: _News | None, said: Mapping[str, str] | None, name: str, now: datetime) -> _News | None:
    """What is new against the newest of a subject's gradings, or None; ``none`` where there is one no more.

    The newest by its day counts. What the platform says anew with an earlier day, as it does when it corrects, counts
    from now on; its own day stays with the answer.
    """
    if said is None:
        if newest is None or newest.value == Grade.NONE:
            return None
        return _News(Grade.NONE.value, PLATFORM, max(now, newest.given_at))
    given = _News(said[name], said["source"], _midnight(said["given_on"]))
    if newest is None or newest.given_at <= given.given_at:
        return given if newest != given else None
    if (newest.value, newest.source) == (given.value, given.source):
        return None
    return _News(given.value, given.source, max(now, newest.given_at))


def _take_grade(subject: CreditSubject, said: Mapping[str, str] | None, now: datetime) -> list[dict[str, Any]]:
    newest = subject.grades.order_by("-given_at", "-id").first()
    known = _News(newest.grade, newest.source, newest.given_at) if newest else None
    new = _news(known, said, "grade", now)
    if new is None:
        return []
    row = SubjectGrade.objects.create(
        subject=subject, grade=new.value, source=new.source, given_at=new.given_at, received_at=now
    )
    return [{"grade": row.pk, "value": row.grade}]


def _take_risk(subject: CreditSubject, said: Mapping[str, str] | None, now: datetime) -> list[dict[str, Any]]:
    newest = subject.risks.order_by("-given_at", "-id").first()
    known = _News(newest.risk, newest.source, newest.given_at) if newest else None
    new = _news(known, said, "risk", now)
    if new is None:
        return []
    row = SubjectRisk.objects.create(
        subject=subject, risk=new.value, source=new.source, given_at=new.given_at, received_at=now
    )
    return [{"risk": row.pk, "value": row.risk}]


def _take_records(subject: CreditSubject, said: list[Mapping[str, str]], now: datetime) -> list[dict[str, Any]]:
    """Take the platform's own records over; what the portal itself found under the same number stays as it is."""
    news: list[dict[str, Any]] = []
    known = {(row.kind, row.source): row for row in subject.records.all()}
    listed = {(one["kind"], one["source"]): one for one in said}
    mended = set(subject.records.filter(repairs__granted=True).values_list("pk", flat=True))
    for place, one in listed.items():
        row = known.get(place)
        if row is None:
            row = CreditRecord.objects.create(
                subject=subject, kind=one["kind"], source=one["source"], basis=one["basis"],
                origin=CreditRecord.Origin.PLATFORM, found_at=_midnight(one["found_on"]),
            )  # fmt: skip
            news.append({"record": row.pk, "kind": row.kind})
        elif row.origin == CreditRecord.Origin.PLATFORM and row.repaired_at is not None and row.pk not in mended:
            row.repaired_at = None
            row.save(update_fields=["repaired_at"])
            news.append({"record": row.pk, "kind": row.kind, "in_use": True})
    for place, row in known.items():
        if row.origin == CreditRecord.Origin.PLATFORM and place not in listed and not row.is_lifted:
            row.repaired_at = now
            row.save(update_fields=["repaired_at"])
            measures.lift_of(row, now)
            news.append({"record": row.pk, "kind": row.kind, "in_use": False})
    return news
