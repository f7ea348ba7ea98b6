"""The applicant's own door: the query code only reads; a code by SMS lets one browser act on one case for a while.

Only the keyed hash of a code is kept. It is valid for ten minutes, once, for its case, its purpose and its newest
sending alone; five wrong tries void it. A code that signs is bound to the digest of the letter as well: it opens no
door, and a code of the door signs nothing. Codes are few an hour for a case and a purpose (counted in the database)
and for an address (in the cache).
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from contextlib import suppress

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest

from approvals import limiter, notices, progress
from approvals.enums import CodePurpose
from approvals.exceptions import Refused
from approvals.models import Case, PhoneCode
from notifications.outbox import Draft, queue
from offices.crypto import keyed_hash

DIGITS = 6
CODE_LIFE = dt.timedelta(minutes=10)
TRIES = 5
OPEN_FOR = dt.timedelta(minutes=30)
CODES_AN_HOUR = 5
BETWEEN_CODES = dt.timedelta(seconds=60)
KEPT = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
# Of the case's number and the item's name, what an SMS says.
TAIL, LONGEST_ITEM = 6, 24
# In the session: case number → when its query code was shown, and case number → id of the code that opened the door.
ASKED, OPENED = "door_asked", "door_opened"
SALT = "approvals.doors"


def _hash(code: PhoneCode, digits: str) -> str:
    sent = code.sent_at.astimezone(dt.UTC).isoformat()
    return keyed_hash(f"phone-code:{code.purpose}:{code.digest}:{code.case_id}:{sent}:{digits}")


def _seconds(left: dt.timedelta) -> int:
    return max(1, int(left.total_seconds()) + 1)


def _refuse_too_many(case: Case, purpose: CodePurpose, now: dt.datetime) -> None:
    """Raise ``RateLimited`` when the case's contact was sent enough codes of this purpose lately.

    Counted apart, so that the window's codes do not shut the applicant's own door.
    """
    sent = list(
        PhoneCode.objects.filter(case=case, purpose=purpose, sent_at__gt=now - HOUR)
        .order_by("-sent_at", "-id")
        .values_list("sent_at", flat=True)
    )
    if sent and sent[0] + BETWEEN_CODES > now:
        raise limiter.RateLimited(_seconds(sent[0] + BETWEEN_CODES - now))
    if len(sent) >= CODES_AN_HOUR:
        raise limiter.RateLimited(_seconds(sent[CODES_AN_HOUR - 1] + HOUR - now))


def _said(case: Case, purpose: CodePurpose, digits: str) -> str:
    """The message: case, item, what the code is for, and to whom it may be told."""
    item, tail = case.business_item.name, case.number[-TAIL:]
    name = item if len(item) <= LONGEST_ITEM else f"{item[: LONGEST_ITEM - 1]}…"
    life = int(CODE_LIFE.total_seconds() // 60)
    of = f"验证码{digits}，{life}分钟内有效。办件尾号{tail}“{name}”"
    if purpose == CodePurpose.SIGNING:
        return f"{of}签署告知承诺书专用：把验证码读给窗口人员，即为签署承诺书。不同意承诺内容的，请不要提供。"
    return f"{of}网上补正、补交、撤回和办理信用事项专用。请勿告诉任何人，窗口人员也不会向您索要。"


@transaction.atomic
def _send(case: Case, purpose: CodePurpose, digest: str, *, address: str, now: dt.datetime) -> PhoneCode:
    limiter.charge((f"door:address:{address}",), limiter.Rate.parse(settings.DOOR_RATE))
    case = Case.objects.lock(case.pk)
    _refuse_too_many(case, purpose, now)
    PhoneCode.objects.filter(case=case, sent_at__lt=now - KEPT).delete()
    digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    code = PhoneCode(case=case, purpose=purpose, digest=digest, sent_at=now, expires_at=now + CODE_LIFE)
    code.code_hash = _hash(code, digits)
    code.save()
    queue(
        [
            Draft(
                kind=notices.Kind.PHONE_CODE.value,
                text=_said(case, purpose, digits),
                dedupe_key=f"{notices.Kind.PHONE_CODE}:{code.pk}",
                reference=case.stream,
                phone=case.contact_phone,
            )
        ],
        now,
    )
    return code


def send_code(case: Case, *, address: str, now: dt.datetime) -> PhoneCode:
    """Send a fresh code of the applicant's own door to the case's contact, at any hour; earlier ones open nothing.

    Only the public pages call this, never the window. Raises ``RateLimited``.
    """
    return _send(case, CodePurpose.DOOR, "", address=address, now=now)


def send_signing_code(case: Case, digest: str, *, address: str, now: dt.datetime) -> PhoneCode:
    """Send a fresh code that signs the letter with this digest, and nothing else. Raises ``RateLimited``."""
    return _send(case, CodePurpose.SIGNING, digest, address=address, now=now)


def check_code(case: Case, digits: str, *, address: str, now: dt.datetime, signs: str = "") -> PhoneCode:
    """Return the case's newest code of the door if ``digits`` are its digits, and use it up.

    ``signs``: the digest of the letter that is signed; then only a code that was sent for it. A wrong try is counted on
    the code and weighs on the address as a wrong query code does. Raises ``Refused`` with ``field="sms_code"`` and
    ``RateLimited``.
    """
    rate, keys = limiter.Rate.parse(settings.PROGRESS_RATE), (f"progress:address:{address}",)
    limiter.charge(keys, rate)
    code, refused = _try(case, "".join(digits.split()), signs, now)
    if code is None:
        with suppress(limiter.RateLimited):
            limiter.charge(keys, rate, progress.WRONG - 1)
        raise refused
    return code


@transaction.atomic
def _try(case: Case, digits: str, signs: str, now: dt.datetime) -> tuple[PhoneCode | None, Refused]:
    """The code, or what is said instead; the count of wrong tries stands either way."""

    def no(name: str, text: str) -> tuple[None, Refused]:
        return None, Refused(name, text, field="sms_code")

    purpose = CodePurpose.SIGNING if signs else CodePurpose.DOOR
    codes = PhoneCode.objects.select_for_update().filter(case=case, purpose=purpose)
    code = codes.order_by("-sent_at", "-id").first()
    if code is None:
        return no("code-missing", "还没有发送验证码，请先获取验证码。")
    if code.used_at is not None:
        return no("code-used", "这个验证码已经用过，请重新获取验证码。")
    if code.expires_at <= now:
        return no("code-expired", "验证码已过期（10 分钟内有效），请重新获取验证码。")
    if code.wrong >= TRIES:
        return no("code-locked", "验证码输错次数过多，已经作废，请重新获取验证码。")
    if code.digest != signs:
        return no("letter-changed", "验证码发出以后承诺书的内容改过，请重新发送验证码，由申请人再次确认。")
    if not hmac.compare_digest(code.code_hash, _hash(code, digits)):
        code.wrong += 1
        code.save(update_fields=["wrong"])
        left = TRIES - code.wrong
        if not left:
            return no("code-locked", "验证码不对，输错次数过多，已经作废，请重新获取验证码。")
        return no("code-wrong", f"验证码不对，请核对短信后再填；还可以再试 {left} 次。")
    code.used_at = now
    code.save(update_fields=["used_at"])
    return code, Refused("", "")


def void_codes(case: Case) -> None:
    """Whatever was sent to the case's former phone opens nothing any more (its number was mended)."""
    PhoneCode.objects.filter(case=case).delete()


# --- which browser may act


def note_asked(request: HttpRequest, number: str, now: dt.datetime) -> None:
    """Remember that this browser showed the query code of the case: it may ask for an SMS code."""
    request.session[ASKED] = {number: now.timestamp()}


def may_ask(request: HttpRequest, number: str, now: dt.datetime) -> bool:
    """Whether this browser showed the case's query code within the half hour."""
    since = request.session.get(ASKED, {}).get(number)
    return since is not None and now.timestamp() - since < OPEN_FOR.total_seconds()


def open_door(request: HttpRequest, number: str, code: PhoneCode) -> None:
    """Let this browser act on the case; its session gets a new key, so that a planted one gains nothing."""
    request.session.cycle_key()
    request.session[OPENED] = {**request.session.get(OPENED, {}), number: code.pk}


def _behind(pk: int, number: str, now: dt.datetime) -> Case | None:
    used = PhoneCode.objects.filter(pk=pk, purpose=CodePurpose.DOOR, used_at__isnull=False, used_at__gt=now - OPEN_FOR)
    return progress.readable().filter(number=number, phone_codes__in=used).first()


def case_of(request: HttpRequest, number: str) -> Case | None:
    """The case that this browser may act on, as the progress page reads it; None for every other; one statement."""
    pk = request.session.get(OPENED, {}).get(number)
    return None if pk is None else _behind(pk, number, request.now)  # type: ignore[attr-defined]


def open_until(code: PhoneCode) -> dt.datetime:
    """When the permission that a used code gave ends."""
    return (code.used_at or code.sent_at) + OPEN_FOR


def permit(number: str, code: PhoneCode) -> str:
    """The same permission for a program: a signed word that names the case and the code."""
    return signing.dumps([number, code.pk], salt=SALT, compress=False)


def case_behind(word: str, now: dt.datetime) -> Case | None:
    """The case that ``word`` permits to act on; None for anything else."""
    try:
        number, pk = signing.loads(word, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return _behind(pk, number, now)
