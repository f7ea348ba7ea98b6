"""Unified social credit codes (GB 32100) and identity cards (GB 11643), checked by python-stdnum.

What people type or scan is normalised first: full-width characters, spaces, lower case.
"""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength
from stdnum.exceptions import ValidationError as StdnumError


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

    Raises ``ValidationError`` with a sentence that says which part is wrong.
    """
    number = normalise(text)
    try:
        return str(ric.validate(number))
    except InvalidLength:
        message = f"身份证号码应为 18 位，现为 {len(number)} 位，请核对身份证。"
    except InvalidChecksum:
        message = "身份证号码第 18 位校验不符，请核对身份证。"
    except InvalidComponent:
        message = "身份证号码中的地区或出生日期不存在，请核对身份证。"
    except (InvalidFormat, StdnumError):
        message = "身份证号码只能是 17 位数字加 1 位数字或 X，请核对身份证。"
    raise ValidationError(message, code="ric")
