"""告知承诺: the applicant signs clause by clause between receipt and acceptance, and may take the word back (L5, L8).

Source: 国办发〔2020〕42号; L8a–e; PIPL art. 25 (consent to publication is asked apart).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from approvals import credit_gate, doors, papers, uploads
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import has_lapsed, is_letter, slot_of, to_ordinary
from approvals.enums import CaseAct, CaseStatus, DocumentKind, Door, MaterialState, SignerCapacity, SignMethod, Way
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CaseMaterial, Promise, PromiseClause, Upload
from approvals.promised import TAKEN_BACK, deferred_lines, last_lawful_day, live_promise, restorable, taken_back
from catalogue.enums import PromiseMode
from credit.identifiers import normalise
from credit.models import CreditSubject
from ledger.hashing import canonical, sm3
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.crypto import mask_phone
from offices.history import save_at
from offices.models import User

__all__ = ["Signing", "last_lawful_day", "sign_promise", "withdraw_promise"]

BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)
BEFORE_DECISION = (CaseStatus.ACCEPTED, CaseStatus.DEEMED_ACCEPTED, CaseStatus.IN_REVIEW)
LONGEST_SIGNER = 40
# What each mode means, in plain words, for the choice at the window and on the guide.
MEANINGS: dict[str, str] = {
    PromiseMode.DEFERRED_MATERIAL: "先受理、先审查，标明可延期的材料在承诺的日期前补齐；补齐之日领证。",
    PromiseMode.VERIFIED_MATERIAL: "标明可核验的材料不用交纸质件，由窗口向电子证照库核验；核验不通过的仍需提交。",
    PromiseMode.POST_CHECK: "标明承诺免交的材料不用交，领证后由监管部门按承诺逐条核查。",
}
CHECKS: dict[str, str] = {
    PromiseMode.DEFERRED_MATERIAL: "承诺日前由窗口逐份核收延期提交的材料，齐全后方颁发证件。",
    PromiseMode.VERIFIED_MATERIAL: "受理前向电子证照库核验，核验结果存入办件。",
    PromiseMode.POST_CHECK: "许可后由监管部门到场或者以其他方式，对照承诺内容逐条核查。",
}
CONSEQUENCES: dict[str, str] = {
    PromiseMode.DEFERRED_MATERIAL: "到承诺日仍未补齐的，由审批部门决定撤销办理，不颁发证件。",
    PromiseMode.VERIFIED_MATERIAL: "核验不一致的，须补交纸质材料。",
    PromiseMode.POST_CHECK: "与承诺不符的，责令限期整改；逾期拒不整改或者整改后仍不符合的，依法撤销许可。",
}
ON_RECORD = "履行和违背承诺的情况依法纳入诚信档案；有未修复的违背承诺记录的，不再适用告知承诺。"


@dataclass(frozen=True, slots=True)
class Signing:
    """What was signed: the numbers (from 1) of the clauses that were confirmed, by whom, how, and what else was said.

    ``method`` PAPER: the signed letter was scanned into its slot; SMS_CODE: ``code`` is what the contact's phone got.
    ``address``: from where the code was typed in, to slow guessing down. ``capacity``: as what the signer signs.
    """

    signer: str
    method: str
    clauses: Collection[int]
    capacity: str = ""
    consents: bool = False
    deferred_until: dt.date | None = None
    code: str = ""
    door: Door = Door.WINDOW
    address: str = ""


def checks_of(modes: Collection[str]) -> list[str]:
    """How a promise in these modes will be checked, in words."""
    return [words for mode, words in CHECKS.items() if mode in modes]


def consequences_of(modes: Collection[str]) -> list[str]:
    """What follows a promise that is not kept, in words."""
    return [*(words for mode, words in CONSEQUENCES.items() if mode in modes), ON_RECORD]


def letter_of(case: Case) -> CaseMaterial | None:
    """The line of the letter to be signed."""
    return next((line for line in case.materials.select_related("material").order_by("order") if is_letter(line)), None)


def _scans(case: Case, letter: CaseMaterial) -> list[Upload]:
    return [*letter.uploads.filter(covers__isnull=True), *uploads.waiting(case.intake_key).get(slot_of(letter), [])]


def _refuse_late_day(case: Case, until: dt.date | None, now: dt.datetime) -> None:
    today, last = timezone.localtime(now).date(), last_lawful_day(case, now)
    if until is None:
        raise Refused("deferred-day-missing", "有材料延期提交，请填写承诺补齐的日期。", field="deferred_until")
    if until <= today:
        raise Refused(
            "deferred-day-early", "承诺补齐的日期最早为明天；今天能交的，请当场交齐。", field="deferred_until"
        )
    if until > last:
        raise Refused(
            "deferred-day-late",
            f"承诺补齐的日期最晚为{papers.cn_day(last)}：法定审批期限届满后 10 个工作日内必须发证"
            "（行政许可法第四十二条、第四十四条），请改为这一天或者更早。",
            field="deferred_until",
        )


def refuse_taken_back(case: Case) -> None:
    """Raise ``TransitionNotAllowed`` where the case's promise was withdrawn; it is signed once."""
    if taken_back(case) is not None:
        raise TransitionNotAllowed(f"承诺已经撤回，不能再次签署：{TAKEN_BACK}")


def _check(case: Case, signing: Signing, now: dt.datetime) -> None:
    """Raise what keeps this signing from being valid; everything but the code."""
    refuse_taken_back(case)
    if case.status != CaseStatus.SUBMITTED or case.way != Way.PROMISE:
        raise TransitionNotAllowed("只有已收件、尚未受理的告知承诺办件可以签署承诺书；请刷新查看。")
    if has_lapsed(case, now):
        raise Refused("deemed-accepted", "答复期限已过，依法自收到材料之日起即为受理；请刷新查看。", conflict=True)
    if live_promise(case) is not None:
        raise Refused("promise-signed", "这件办件的告知承诺书已经签署，请刷新查看。", conflict=True)
    credit_gate.require(case, now)
    every = range(1, len(case.promise_clauses) + 1)
    if left := [number for number in every if number not in signing.clauses]:
        numbers = "、".join(f"第 {number} 条" for number in left)
        raise Refused("clause-missing", f"还有{numbers}没有确认；承诺须逐条确认，缺一不可。", field="clauses")
    _check_signer(case, signing)
    if signing.method not in SignMethod.values:
        raise Refused("method-missing", "请选择签署方式。", field="method")
    letter = letter_of(case)
    if signing.method == SignMethod.PAPER and (letter is None or not _scans(case, letter)):
        raise Refused("letter-missing", "纸质签署的，请先扫描上传申请人签名的承诺书。", field="letter")
    if signing.method == SignMethod.SMS_CODE and not signing.code.strip():
        raise Refused("code-missing", "请先发送验证码，再填写申请人手机收到的 6 位数字。", field="sms_code")
    if deferred_lines(case):
        _refuse_late_day(case, signing.deferred_until, now)


def capacities(applicant: CreditSubject) -> list[tuple[str, str]]:
    """As what one may sign for such an applicant, with labels."""
    own = SignerCapacity.SELF if applicant.kind == CreditSubject.Kind.PERSON else SignerCapacity.LEGAL
    return [(one.value, str(one.label)) for one in (own, SignerCapacity.AGENT)]


def _check_signer(case: Case, signing: Signing) -> None:
    """Refuse a signature of nobody: who signs is the applicant, the head of the organisation, or an agent."""
    signer = signing.signer.strip()
    if not signer or len(signer) > LONGEST_SIGNER:
        raise Refused("signer-missing", f"请填写签署人姓名（最多 {LONGEST_SIGNER} 字）。", field="signer")
    may = capacities(case.applicant)
    if signing.capacity not in dict(may):
        words = "或者".join(f"“{label}”" for _, label in may)
        raise Refused("capacity-missing", f"请选择签署人身份：{words}。", field="capacity")
    own_name = normalise(signer) == normalise(case.applicant_name)
    if signing.capacity == SignerCapacity.SELF and not own_name:
        raise Refused(
            "signer-not-applicant",
            "本人签署的，签署人应当是申请人本人；由他人代签的，请选择“委托代理人”并核对授权委托书。",
            field="signer",
        )
    if signing.capacity != SignerCapacity.SELF and own_name:
        raise Refused("signer-not-a-person", "签署人请填写签字的人的姓名，不填申请人名称。", field="signer")


def digest_of(case: Case, signing: Signing) -> str:
    """The digest of what the letter will say, but for number and time: a code by SMS signs this and nothing else."""
    until = signing.deferred_until if deferred_lines(case) else None
    said = {
        "case": case.number,
        "promisor": case.applicant_name,
        "signer": signing.signer.strip(),
        "capacity": signing.capacity,
        "modes": list(case.promise_modes),
        "clauses": list(case.promise_clauses),
        "checks": checks_of(case.promise_modes),
        "consequences": consequences_of(case.promise_modes),
        "consents": signing.consents,
        "until": until.isoformat() if until else None,
    }
    return sm3(canonical(said))


def send_code(case: Case, *, signing: Signing, now: dt.datetime) -> None:
    """Send the code that signs the letter as ``signing`` fills it in; another letter needs another code.

    Raises ``Refused`` (signer, capacity, day), ``TransitionNotAllowed``, ``RateLimited``.
    """
    case = Case.objects.select_related("business_item__item", "applicant").get(pk=case.pk)
    refuse_taken_back(case)
    if case.status != CaseStatus.SUBMITTED or case.way != Way.PROMISE:
        raise TransitionNotAllowed("只有已收件、尚未受理的告知承诺办件可以签署承诺书；请刷新查看。")
    if live_promise(case) is not None:
        raise Refused("promise-signed", "这件办件的告知承诺书已经签署，请刷新查看。", conflict=True)
    _check_signer(case, signing)
    if deferred_lines(case):
        _refuse_late_day(case, signing.deferred_until, now)
    doors.send_signing_code(case, digest_of(case, signing), address=signing.address, now=now)


def sign_promise(case: Case, *, signing: Signing, by: User | None, now: dt.datetime) -> Promise:
    """Sign: every clause, by whom and how; the letter is rendered with its digest and the letter's line is in.

    ``by`` is the clerk, None where the applicant signed through the own ``door``. Raises ``Refused`` with the field.
    """
    _check(Case.objects.select_related("business_item", "applicant", "notice_deadline").get(pk=case.pk), signing, now)
    if signing.method == SignMethod.SMS_CODE:
        doors.check_code(case, signing.code, address=signing.address, now=now, signs=digest_of(case, signing))
    return _sign(case, signing, by, now)


@transaction.atomic
def _sign(case: Case, signing: Signing, by: User | None, now: dt.datetime) -> Promise:
    case = Case.objects.lock(case.pk)
    _check(case, signing, now)
    method = SignMethod(signing.method)
    label = method.label
    if method == SignMethod.SMS_CODE:
        label = f"{label}（手机{mask_phone(case.contact_phone)}）"
    until = signing.deferred_until if deferred_lines(case) else None
    document, paper = papers.issue(
        case,
        DocumentKind.PROMISE,
        by=by,
        now=now,
        extra={
            "signer": signing.signer.strip(),
            "capacity": SignerCapacity(signing.capacity).label,
            "method": label,
            "modes": [PromiseMode(mode).label for mode in case.promise_modes],
            "consent": signing.consents,
            "deferred_until": until,
            "checks": checks_of(case.promise_modes),
            "consequences": consequences_of(case.promise_modes),
        },
    )
    promise = Promise.objects.create(
        case=case,
        modes=case.promise_modes,
        signer=signing.signer.strip(),
        capacity=signing.capacity,
        method=method,
        door=signing.door,
        document=document,
        consents_to_publication=signing.consents,
        deferred_until=until,
        signed_at=now,
        taken_by=by,
    )
    PromiseClause.objects.bulk_create(
        PromiseClause(promise=promise, order=number, text=text)
        for number, text in enumerate(case.promise_clauses, start=1)
    )
    _letter_in(case, now)
    Case.objects.filter(pk=case.pk).update(touched_at=now, deferred_until=until)
    data = {
        "promise": promise.pk,
        "document": document.pk,
        "digest": document.digest,
        "method": method.value,
        "capacity": signing.capacity,
        "door": Door(signing.door).value,
        "clauses": len(case.promise_clauses),
        "consents": signing.consents,
        "until": until.isoformat() if until else None,
    }
    record_many([paper, Draft(case.stream, CaseAct.PROMISE_SIGNED, data, by)], at=now)
    return promise


def _letter_in(case: Case, now: dt.datetime) -> None:
    """Bring the letter's line in, and hang its scans under it."""
    letter = letter_of(case)
    if letter is None:
        return
    waiting = [scan.pk for scan in _scans(case, letter) if scan.case_material_id is None]
    Upload.objects.filter(pk__in=waiting).update(case_material=letter)
    letter.state, letter.received_at = MaterialState.PROVIDED, now
    letter.save(update_fields=["state", "received_at"])


@transaction.atomic
def withdraw_promise(case: Case, *, by: User | None, door: Door, now: dt.datetime) -> Case:
    """Take the word back: before acceptance the case is ordinary again, after it the application is withdrawn.

    An item that is handled on promise only has no ordinary way, so there the application is withdrawn as well. Raises
    ``TransitionNotAllowed`` after the decision and for a case that is not on promise.
    """
    case = Case.objects.lock(case.pk)
    if case.way != Way.PROMISE:
        raise TransitionNotAllowed("这件办件不是以告知承诺方式办理的，没有可以撤回的承诺；请刷新查看。")
    if case.status not in (*BEFORE_ACCEPTANCE, *BEFORE_DECISION):
        raise TransitionNotAllowed(
            f"这件办件现在是“{case.get_status_display()}”，作出决定以后不能再撤回承诺；请刷新查看。"
        )
    promise = live_promise(case)
    if promise is not None:
        promise.withdrawn_at, promise.withdrawn_through = now, door
        promise.save(update_fields=["withdrawn_at", "withdrawn_through"])
    data = {
        "promise": promise.pk if promise else None,
        "door": Door(door).value,
        "restored": [line.pk for line in restorable(case)],
    }
    record_many([Draft(case.stream, CaseAct.PROMISE_WITHDRAWN, data, by)], at=now)
    if case.status in BEFORE_DECISION or case.business_item.is_promise_only:
        return withdraw_case(case, by=by, door=door, reason="申请人撤回告知承诺", now=now)
    to_ordinary(case)
    case.touched_at = now
    save_at(case, now)
    reach("withdraw_promise.before_commit")
    return case
