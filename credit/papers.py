"""拟认定失信告知书, as it is served and as its subject reads it: the whole name stands on it, no identity number."""

from __future__ import annotations

import datetime as dt
import hmac
from typing import Any

from credit.listing import BY_CODE
from credit.models import Breach
from credit.rules import Periods, in_force, periods, versions
from credit.words import door_address, portal_address
from deadlines.clock import local_date
from ledger.hashing import canonical, sm3
from offices.crypto import keyed_hash

TITLE = "拟认定失信告知书"
CODE = 22


def span_of(breach: Breach) -> Periods:
    """The periods that a record of the breach would have; one statement."""
    found_on = local_date(breach.fact.found_at)
    return periods(in_force(versions(), found_on), breach.level, found_on)


def digest_of(breach: Breach) -> str:
    """What was told, as a digest: nothing of it changes after the notice."""
    said = {
        "number": breach.number, "subject": breach.subject_id, "listed": breach.listed, "level": breach.level,
        "text": breach.text, "basis": breach.basis, "told_at": breach.told_at.astimezone(dt.UTC).isoformat(),
    }  # fmt: skip
    return sm3(canonical(said))


def code_of(breach: Breach) -> str:
    """The verification code at the foot: the row's key and a keyed hash of what was told; changed, it is unknown."""
    return f"{breach.pk}-{keyed_hash(f'breach-notice:{digest_of(breach)}')[:CODE]}"


def find(code: str) -> Breach | None:
    """The notice that the code opens; one statement, none for a code of another kind."""
    key, _, rest = code.partition("-")
    if not (key.isascii() and key.isdecimal() and len(key) < 19 and len(rest) == CODE):
        return None
    breach = Breach.objects.filter(pk=int(key)).select_related("subject", "department").defer("phone").first()
    known = breach is not None and hmac.compare_digest(code_of(breach).encode(), code.encode())
    return breach if known else None


def notice(breach: Breach, *, back_url: str) -> dict[str, Any]:
    """What ``credit/notice.html`` prints; ``breach`` with its fact, subject, department and deadline."""
    return {
        "breach": breach,
        "entry": BY_CODE.get(breach.listed),
        "span": span_of(breach),
        "door": door_address(),
        "paper": {
            "title": TITLE,
            "number": breach.number,
            "addressee": breach.subject.name_on(breach.told_at),
            "authority": breach.department.paper_name,
            "date": local_date(breach.told_at),
            "verify_url": f"{portal_address()}/verify/{code_of(breach)}/",
            "verify_code": code_of(breach),
        },
        "back_url": back_url,
    }
