"""Unified social credit codes (GB 32100) and identity cards (GB 11643), checked by python-stdnum's check digits.

What people type or scan is normalised first: full-width characters, spaces, lower case.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils import timezone
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength
from stdnum.exceptions import ValidationError as StdnumError

RIC = re.compile(r"[0-9]{17}[0-9X]")
# The first two digits of GB/T 2260: provinces, and 81–83 for residents of Hong Kong, Macao and Taiwan.
PROVINCES = frozenset(
    [*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)


def normalise(text: str) -> str:
    """Return ``text`` in half width, upper case, without spaces, dashes and marks that scanners add."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(char for char in plain if char.isalnum()).upper()


def check_uscc(text: str) -> str:
    """Return the normalised 统一社会信用代码 (GB 32100, 18 characters).

    Raises ``ValidationError`` with a sentence that says which part is wrong.
    """
    code = normalise(text)
    try:
        return str(uscc.validate(code))
    except InvalidLength:
        message = f"统一社会信用代码应为 18 位，现为 {len(code)} 位，请核对营业执照。"
    except InvalidChecksum:
        message = "统一社会信用代码第 18 位校验不符，请核对营业执照。"
    except (InvalidFormat, InvalidComponent, StdnumError):
        message = "统一社会信用代码含有不允许的字符（不用 I、O、S、V、Z），请核对营业执照。"
    raise ValidationError(message, code="uscc")


def check_ric(text: str) -> str:
    """Return the normalised 公民身份号码 (GB 11643, 18 characters).

    The region is that of the place of issue and may be older or newer than the person, so only the province is looked
    at; the date of birth must be a day that has been. Raises ``ValidationError`` with a sentence that says what is
    wrong.
    """
    number = normalise(text)
    if len(number) != 18:
        message = f"身份证号码应为 18 位，现为 {len(number)} 位，请核对身份证。"
    elif not RIC.fullmatch(number):
        message = "身份证号码只能是 17 位数字加 1 位数字或 X，请核对身份证。"
    elif int(number[:2]) not in PROVINCES or not _was_born(number[6:14]):
        message = "身份证号码中的地区或出生日期不存在，请核对身份证。"
    elif ric.calc_check_digit(number) != number[-1]:
        message = "身份证号码第 18 位校验不符，请核对身份证。"
    else:
        return number
    raise ValidationError(message, code="ric")


def _was_born(digits: str) -> bool:
    """Whether ``digits`` (YYYYMMDD) are a day between 1900 and today."""
    try:
        born = dt.datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return False
    return dt.date(1900, 1, 1) <= born <= timezone.localdate()
