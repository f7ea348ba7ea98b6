"""材料核验: the electronic-licence service answers for a material, and the answer is kept as the material (L8d).

A question is a row; the worker claims it, asks outside any transaction and records what came of it. A crash in between
asks again under the same key. Whatever is not a plain "yes, and valid" leaves the line missing: paper again.
"""

from __future__ import annotations

import datetime as dt
import logging
import unicodedata
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from approvals import elicence
from approvals.elicence import Certificate, Question, Unavailable
from approvals.enums import DECIDED, ENDED_EARLY, CaseAct, CaseStatus, MaterialState, VerificationState, Way
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CaseMaterial, Verification
from catalogue.enums import PromiseMode
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.words import chinese_date
from ledger.hashing import canonical, sm3
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.crypto import mask_id
from offices.models import User

log = logging.getLogger(__name__)

V = VerificationState
BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)
TASK = "approvals.tasks.verify_materials"
BATCH = 16
MOST_ATTEMPTS = 3
# Both the lease of a claim and the pause before the next attempt: three attempts take about a minute.
LEASE = dt.timedelta(seconds=25)
PAPER_AGAIN = "请收取纸质材料。"


# --- whether, and asking for it


def is_verifiable(line: CaseMaterial) -> bool:
    """Whether the catalogue says that data may answer for this line."""
    return line.material is not None and line.material.verifiable


def chose_verification(case: Case) -> bool:
    """Whether the case's way allows it: ordinarily yes; on promise, if the mode was chosen where there is one."""
    mode = PromiseMode.VERIFIED_MATERIAL
    return case.way != Way.PROMISE or mode not in case.business_item.promise_modes or mode in case.promise_modes


def verify(line: CaseMaterial, *, by: User, now: dt.datetime) -> Verification:
    """Queue the question for a line that is missing; asked twice while it is open, it is one question.

    Raises ``TransitionNotAllowed`` (accepted or ended meanwhile) or ``Refused``.
    """
    if not elicence.is_on():
        raise Refused("verification-off", f"本平台没有接入电子证照服务，不能核验；{PAPER_AGAIN}", field="slot")
    return _queue(line, by=by, now=now)


@transaction.atomic
def _queue(line: CaseMaterial, *, by: User, now: dt.datetime) -> Verification:
    case = Case.objects.lock(line.case_id)
    line = case.materials.select_related("material").get(pk=line.pk)
    if case.status not in BEFORE_ACCEPTANCE:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不能再核验材料；请刷新查看。")
    if not is_verifiable(line):
        raise Refused("not-verifiable", f"“{line.name}”不能以数据核验代替，{PAPER_AGAIN}", field="slot")
    if not chose_verification(case):
        raise Refused(
            "verification-not-chosen",
            "本件没有选择“材料核验”的承诺方式，不能以数据核验代替；请收取纸质材料。",
            field="slot",
        )
    if line.state != MaterialState.MISSING:
        raise Refused(
            "material-in",
            f"“{line.name}”现在是“{line.get_state_display()}”，不需要核验；请刷新查看。",
            field="slot",
            conflict=True,
        )
    known = line.verifications.filter(state=V.ASKED).first()
    if known is not None:
        return known
    row = Verification.objects.create(
        line=line, key=uuid.uuid4(), asked_by=by, asked_at=now, next_attempt_at=now, state=V.ASKED
    )
    _touch(case, now)
    record_many([Draft(case.stream, CaseAct.MATERIAL_VERIFIED, _entry(row), by)], at=now)
    transaction.on_commit(wake, robust=True)
    return row


def refuse_while_open(case: Case) -> None:
    """Refuse (``verification-open``) while the service has not answered for a line that is still missing."""
    asked = Verification.objects.filter(line__case=case, line__state=MaterialState.MISSING, state=V.ASKED)
    name = asked.values_list("line__name", flat=True).first()
    if name is not None:
        raise Refused(
            "verification-open",
            f"“{name}”正在核验，最多约一分钟出结果；请稍候再受理，或者先收取纸质材料。",
            field="materials",
            conflict=True,
        )


def _entry(row: Verification) -> dict[str, Any]:
    """What the ledger keeps: ids and digests, no number and no name."""
    data = {"verification": row.pk, "line": row.line_id, "state": str(row.state)}
    return data | ({"digest": row.answer["digest"]} if row.answer else {})


def _touch(case: Case, now: dt.datetime) -> None:
    Case.objects.filter(pk=case.pk).update(touched_at=now)


def wake() -> None:
    """Send the worker a wake-up; a lost one costs the ten seconds until the next beat."""
    try:
        current_app.send_task(TASK, retry=False, expires=10)
    except (KombuError, RedisError, OSError) as error:
        log.warning("verification: no wake-up sent (%s); the beat will find it", type(error).__name__)


# --- the worker: claim → ask → record


@dataclass(frozen=True, slots=True)
class Claim:
    """One question in a worker's hands; ``attempt`` tells this claim from a later one."""

    pk: int
    attempt: int
    question: Question


@dataclass(frozen=True, slots=True)
class Told:
    """What came back: a certificate, nothing on record, or no answer (``fault`` says why)."""

    claim: Claim
    certificate: Certificate | None = None
    fault: str = ""


def due(now: dt.datetime) -> QuerySet[Verification]:
    """Open questions whose turn it is, and such as lie further ahead than any can because the clock was set back."""
    turn = Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + 2 * LEASE)
    return Verification.objects.filter(turn, state=V.ASKED).order_by("next_attempt_at", "id")


def ask_due(now: dt.datetime) -> int:
    """Ask up to ``BATCH`` questions that are due and record the answers; return how many; safe to run twice at once."""
    if not elicence.is_on() or not due(now).exists():
        return 0
    claims = _claim(now)
    reach("verification.claimed")
    told = _ask(claims)
    reach("verification.asked")
    for one in told:
        _record(one, now)
    return len(told)


def _claim(now: dt.datetime) -> list[Claim]:
    """Lease what is due, in one short transaction; rows that another worker holds are left to it."""
    with transaction.atomic(durable=True):
        skip = connection.features.has_select_for_update_skip_locked
        rows = list(
            due(now)
            .select_for_update(of=("self",) if skip else (), skip_locked=skip)
            .select_related("line__case__applicant")[:BATCH]
        )
        Verification.objects.filter(pk__in=[row.pk for row in rows]).update(
            attempts=F("attempts") + 1, next_attempt_at=now + LEASE
        )
    return [Claim(row.pk, row.attempts + 1, _question(row)) for row in rows]


def _question(row: Verification) -> Question:
    case = row.line.case
    return Question(row.key, row.line.name, case.applicant.kind, _code_of(case.applicant), case.applicant_name)


def _code_of(subject: CreditSubject) -> str:
    return str(subject.id_number if subject.kind == CreditSubject.Kind.PERSON else subject.code)


def _ask(claims: list[Claim]) -> list[Told]:
    """Ask for each, some at a time; no database in the threads."""
    service = elicence.current()

    def one(claim: Claim) -> Told:
        try:
            return Told(claim, service.ask(claim.question))
        except Unavailable as error:
            return Told(claim, fault=str(error))

    with ThreadPoolExecutor(elicence.CONCURRENCY, thread_name_prefix="elicence") as pool:
        return list(pool.map(one, claims))


@transaction.atomic
def _record(told: Told, now: dt.datetime) -> None:
    """Write what came of one claim; a claim that was overtaken by a later one writes nothing."""
    case_id = Verification.objects.values_list("line__case", flat=True).get(pk=told.claim.pk)
    case = Case.objects.lock(case_id)
    row = Verification.objects.select_for_update().get(pk=told.claim.pk)
    if row.state != V.ASKED or row.attempts != told.claim.attempt:
        return
    if told.fault and row.attempts < MOST_ATTEMPTS:
        log.warning("verification %d: attempt %d: %s", row.pk, row.attempts, told.fault)
        return
    line = CaseMaterial.objects.select_for_update().get(pk=row.line_id)
    row.answered_at, row.next_attempt_at = now, None
    if told.fault:
        log.warning("verification %d: given up: %s", row.pk, told.fault)
        row.state, row.note = V.UNAVAILABLE, f"电子证照服务没有给出答复，已试 {row.attempts} 次；{PAPER_AGAIN}"
    else:
        row.note = _fault_of(told, local_date(now))
        row.state = V.MISMATCH if row.note else V.MATCHED
        row.answer = _kept(told, case, matched=not row.note)
    row.save(update_fields=["state", "note", "answer", "answered_at", "next_attempt_at"])
    over = case.status in {*DECIDED, *ENDED_EARLY}
    if row.state == V.MATCHED and line.state == MaterialState.MISSING and not over:
        line.state, line.received_at = MaterialState.VERIFIED, now
        line.save(update_fields=["state", "received_at"])
    _touch(case, now)
    record_many([Draft(case.stream, CaseAct.MATERIAL_VERIFIED, _entry(row))], at=now)
    reach("verification.before_commit")


def _plain(text: str) -> str:
    """A name or code as it is compared: full-width and half-width, case and blanks make no difference."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def _fault_of(told: Told, today: dt.date) -> str:
    """Why the answer does not stand for the material, in a sentence; empty when it does."""
    asked, found = told.claim.question, told.certificate
    if found is None:
        return f"没有查到申请人的“{asked.certificate}”电子证照；{PAPER_AGAIN}"
    if _plain(found.kind) != _plain(asked.certificate):
        return f"答复的不是“{asked.certificate}”；{PAPER_AGAIN}"
    if _plain(found.holder_code) != _plain(asked.holder_code):
        return "证照持有人的号码与申请人不一致；请核对收件时填写的号码，或者收取纸质材料。"
    if _plain(found.holder_name) != _plain(asked.holder_name):
        return "证照持有人的名称与申请人不一致；请核对收件时填写的名称，或者收取纸质材料。"
    if found.is_revoked:
        return f"这份证照已被吊销、撤销或者注销；{PAPER_AGAIN}"
    if found.valid_to is not None and found.valid_to < today:
        return f"这份证照的有效期已于{chinese_date(found.valid_to)}届满；请申请人换证后提交纸质材料。"
    if found.valid_from > today:
        return f"这份证照自{chinese_date(found.valid_from)}起才有效；{PAPER_AGAIN}"
    return ""


def _kept(told: Told, case: Case, *, matched: bool) -> dict[str, Any]:
    """The answer as it is kept. Of a certificate that is somebody else's, neither number nor holder."""
    asked, found = told.claim.question, told.certificate
    if found is None:
        return {"kind": asked.certificate, "digest": sm3(canonical({"key": str(asked.key), "found": False}))}
    said = {
        "kind": found.kind,
        "number": found.number,
        "holder_code": found.holder_code,
        "holder_name": found.holder_name,
        "issuer": found.issuer,
        "revoked": found.is_revoked,
        "valid_from": found.valid_from.isoformat(),
        "valid_to": found.valid_to.isoformat() if found.valid_to else None,
    }
    digest = {"digest": sm3(canonical({"key": str(asked.key), "certificate": said}))}
    same = _plain(found.holder_code) == _plain(asked.holder_code)
    if not matched and not same:
        return {name: said[name] for name in ("kind", "issuer")} | digest
    if case.applicant.kind == CreditSubject.Kind.PERSON:
        said["holder_code"] = mask_id(found.holder_code)
    return said | digest


# --- reading


def newest_of(lines: Iterable[CaseMaterial]) -> dict[int, Verification]:
    """Line → its newest question; one statement."""
    rows = Verification.objects.filter(line__in=[line.pk for line in lines]).order_by("id")
    return {row.line_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class BlindAnswer:
    """That a line was verified, when, and until when it holds: nothing of number, holder or issuer (O3.1.2c)."""

    kind: str
    answered_at: dt.datetime | None
    valid_from: str
    valid_to: str | None

    @property
    def text(self) -> str:
        """In words."""
        until = f"至{chinese_date(dt.date.fromisoformat(self.valid_to))}" if self.valid_to else "长期"
        return f"电子证照核验一致：{self.kind}，有效期{until}"


def blind_answers(case_id: int) -> dict[int, BlindAnswer]:
    """Line → what the blind side may know of the answer that stands for it; one statement."""
    rows = Verification.objects.filter(
        line__case=case_id, line__state=MaterialState.VERIFIED, state=V.MATCHED
    ).values_list("line", "line__name", "answered_at", "answer__valid_from", "answer__valid_to")
    return {pk: BlindAnswer(name, at, begins, ends) for pk, name, at, begins, ends in rows}
