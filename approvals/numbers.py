"""Numbers that are unique, never reused, and safe when two ask at once.

A serial is one row; taking the next one is one UPDATE, which holds the row's lock until the caller's transaction ends,
so a number that is rolled back was never given and no gap or repeat can arise.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from stdnum.iso7064 import mod_37_36

from approvals.models.serials import Serial

# No letters that people take for digits.
QUERY_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def next_serial(name: str) -> int:
    """Return the next number of the series ``name``, from 1; call it inside a transaction."""
    if not Serial.objects.filter(name=name).update(last=F("last") + 1):
        try:
            with transaction.atomic():
                Serial.objects.create(name=name, last=0)
        except IntegrityError:
            pass  # another transaction opened the series meanwhile; its row serves us too
        Serial.objects.filter(name=name).update(last=F("last") + 1)
    return Serial.objects.values_list("last", flat=True).get(name=name)


def case_number(division_code: str, at: datetime) -> str:
    """Return a case number: division 6 + date 8 + serial 6 + check character (ISO 7064 Mod 37,36)."""
    day = timezone.localtime(at).strftime("%Y%m%d")
    stem = f"{division_code}{day}{next_serial(f'case:{division_code}:{day}'):06d}"
    return stem + mod_37_36.calc_check_digit(stem)


def licence_number(division_code: str, at: datetime) -> str:
    """Return a licence number: LYG + division 6 + year 4 + serial 6 + check character."""
    year = timezone.localtime(at).year
    stem = f"LYG{division_code}{year}{next_serial(f'licence:{division_code}:{year}'):06d}"
    return stem + mod_37_36.calc_check_digit(stem)


def is_case_number(text: str) -> bool:
    """Whether ``text`` has the form and the check character of a case number."""
    return len(text) == 21 and bool(mod_37_36.is_valid(text))


def read_case_number(text: str) -> str:
    """Return ``text`` with its check character as it must be where O was typed for 0 or I for 1, or the reverse."""
    twins = {"0": "O", "O": "0", "1": "I", "I": "1"}
    other = text[:-1] + twins.get(text[-1:], text[-1:])
    return other if not is_case_number(text) and is_case_number(other) else text


def query_code() -> str:
    """Return a new 8-character query code (39 bits)."""
    return "".join(secrets.choice(QUERY_ALPHABET) for _ in range(8))
