"""Unified social credit codes (GB 32100), the kind of subject that they tell, and identity cards (GB 11643).

Both are checked by python-stdnum's check digits. What people type or scan is normalised first: full-width
characters, spaces, lower case.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength
from stdnum.exceptions import ValidationError as StdnumError

RIC = re.compile(r"[0-9]{17}[0-9X]")
# The first two digits of GB/T 2260: provinces, and 81–83 for residents of Hong Kong, Macao and Taiwan.
PROVINCES = frozenset(
    [*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)


class Form(TextChoices):
    """What kind of subject somebody is, by who registered it; people have no code."""

    COMPANY = "company", "企业"
    SELF_EMPLOYED = "self_employed", "个体工商户"
    COOPERATIVE = "cooperative", "农民专业合作社"
    INSTITUTION = "institution", "事业单位"
    ORGAN = "organ", "机关"
    ASSOCIATION = "association", "社会团体"
    PRIVATE_UNIT = "private_unit", "民办非企业单位"
    FOUNDATION = "foundation", "基金会"
    LAW_FIRM = "law_firm", "律师事务所"
    OTHER = "other", "其他组织"
    PERSON = "person", "自然人"


# The first two characters of a code: registration department and category (GB 32100-2015, table 1 and 修改单 1).
FORMS: Mapping[str, Form] = {
    "91": Form.COMPANY, "92": Form.SELF_EMPLOYED, "93": Form.COOPERATIVE, "12": Form.INSTITUTION, "11": Form.ORGAN,
    "51": Form.ASSOCIATION, "52": Form.PRIVATE_UNIT, "53": Form.FOUNDATION, "31": Form.LAW_FIRM,
}  # fmt: skip
# Those without a part of their own, as the standard calls them; a category 9 is the department's "other".
OTHERS: Mapping[str, str] = {
    "13": "群众团体", "19": "机构编制部门登记的其他组织",
    "21": "外国常驻新闻机构", "29": "外交部门登记的其他组织",
    "32": "公证处", "33": "基层法律服务所", "34": "司法鉴定机构", "35": "仲裁委员会",
    "39": "司法行政部门登记的其他组织",
    "41": "外国在华文化中心", "49": "文化部门登记的其他组织", "59": "民政部门登记的其他组织",
    "61": "外国旅游部门常驻代表机构", "62": "港澳台地区旅游部门常驻代表机构", "69": "旅游部门登记的其他组织",
    "71": "宗教活动场所", "72": "宗教院校", "79": "宗教部门登记的其他组织",
    "81": "基层工会", "89": "工会系统登记的其他组织", "A1": "军队事业单位", "A9": "军队系统的其他组织",
    "N1": "组级集体经济组织", "N2": "村级集体经济组织", "N3": "乡镇级集体经济组织", "N9": "农业部门登记的其他组织",
}  # fmt: skip


def form_of(code: str | None) -> Form:
    """What kind of subject has this code; None is a person's."""
    return Form.PERSON if code is None else FORMS.get(code[:2], Form.OTHER)


def form_label(code: str | None) -> str:
    """The kind in Chinese; of the others what the standard calls them, where it does."""
    return OTHERS.get((code or "")[:2]) or str(form_of(code).label)


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
