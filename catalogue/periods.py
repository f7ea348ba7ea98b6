"""The periods of a business item: what may be promised beside its law, and what the public is told (O3.2.1a)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalogue.enums import INNER_LIMIT_WORKING_DAYS, Certainty, PeriodUnit

if TYPE_CHECKING:
    from catalogue.models import BusinessItem

# The columns of a business item that a promise fills.
PROMISE_FIELDS = (
    "promised_length",
    "promised_source",
    "promised_certainty",
    "promised_exemption",
    "promised_exemption_by",
    "reports_to_province",
)
# Longer than this is a slip of the pen, whatever the reason.
LONGEST_PROMISE = 120
NO_SOURCE = "请写明承诺期限的依据，例如公布它的文件名称和文号。"
CIVIL_CODE = "《中华人民共和国民法典》第二百零一条、第二百零三条"
ON_THE_SPOT = "关于优化行政审批监管工作的方案（连政办传〔2023〕8号）三、（一）2"


def longest_promise(length: int | None, unit: str) -> int:
    """How many working days may be promised beside a statutory period of ``length`` in ``unit``; None: no such period.

    The comparison is made in weeks without holidays: from whatever day both run, the promise ends no later. Seven days
    hold five working days; of three odd days a Friday's event leaves one; a month has 28 days at least. Where a holiday
    stretches a promise beyond the law in a concrete case, that case's promise is cut (``approvals.actions.intake``).
    """
    if length is None:
        return LONGEST_PROMISE
    days = {
        PeriodUnit.WORKING: length,
        PeriodUnit.CALENDAR: length * 5 // 7 - (length % 7 == 3),
        PeriodUnit.MONTHS: length * 20,
    }[PeriodUnit(unit)]
    return min(days, LONGEST_PROMISE)


def room_for_promise(item: BusinessItem) -> int:
    """How many working days ``item`` may promise: what its law leaves, less a notice that stops the promise only.

    The statutory clock runs on through such a notice, so the promise and the notice share the law's period.
    """
    most = longest_promise(item.statutory_length, item.statutory_unit)
    stands_still = item.public_notice_pauses_promise and not item.public_notice_law
    if item.statutory_length is None or not stands_still:
        return most
    return max(0, most - (item.public_notice_days or 0))


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised period as somebody wants to set it: working days from acceptance, and on what that rests."""

    length: int
    source: str
    certainty: str = Certainty.UNVERIFIED
    exemption: str = ""
    exemption_by: str = ""
    reports_to_province: bool = False

    @classmethod
    def of(cls, item: BusinessItem) -> Promise:
        """The promise that stands on ``item``; a length of 0 where none does."""
        return cls(
            item.promised_length or 0,
            item.promised_source,
            item.promised_certainty,
            item.promised_exemption,
            item.promised_exemption_by,
            item.reports_to_province,
        )

    @property
    def needs_exemption(self) -> bool:
        """Whether it is over the city's limit without going to the province."""
        return self.length > INNER_LIMIT_WORKING_DAYS and not self.reports_to_province


def no_promise(item: BusinessItem) -> str:
    """Why no promised period can be set for ``item`` at all; empty where one can."""
    if item.item.is_filing:
        return "备案在材料齐全时当场办结，不设承诺期限。"
    return "即办件当场办结，不另设承诺期限。" if item.is_on_the_spot else ""


def faults(item: BusinessItem, promise: Promise) -> dict[str, str]:
    """Why ``promise`` cannot stand for ``item``: field → sentence; empty where it can."""
    if text := no_promise(item):
        return {"length": text}
    found = {}
    if text := _too_long(item, promise.length):
        found["length"] = text
    if not promise.source.strip():
        found["source"] = NO_SOURCE
    if promise.needs_exemption:
        if not promise.exemption.strip():
            found["exemption"] = (
                f"承诺期限超过 {INNER_LIMIT_WORKING_DAYS} 个工作日，请写明理由；须上报省主管部门审批的，请勾选该项。"
            )
        if not promise.exemption_by.strip():
            found["exemption_by"] = f"承诺期限超过 {INNER_LIMIT_WORKING_DAYS} 个工作日，请写明批准人。"
    return found


def _too_long(item: BusinessItem, length: int) -> str:
    if length < 1:
        return "承诺期限至少为 1 个工作日。"
    lawful = longest_promise(item.statutory_length, item.statutory_unit)
    most = room_for_promise(item)
    if length > most:
        if item.statutory_length is None:
            return f"承诺期限最长 {most} 个工作日。"
        if not most:
            return f"法定期限是{item.statutory_text}，容不下更短的承诺期限。"
        notice = f"；公示的 {lawful - most} 个工作日不停计法定期限，须一并算入" if most < lawful else ""
        return (
            f"承诺期限不能长于法定期限（{item.statutory_text}，不遇节假日至少有 {lawful} 个工作日{notice}），"
            f"请填写 1 到 {most} 之间的数。"
        )
    standard = item.standard_item
    if standard is not None and standard.promised_length and length > standard.promised_length:
        return f"承诺期限不能长于全市标准的 {standard.promised_length} 个工作日。"
    return ""


@dataclass(frozen=True, slots=True)
class Line:
    """A statement on an item's periods, with the place where it is written and how far that was read."""

    text: str
    source: str
    certainty: Certainty

    @property
    def is_unverified(self) -> bool:
        """Whether the page shows 待核实 beside it."""
        return self.certainty == Certainty.UNVERIFIED

    def get_certainty_display(self) -> str:
        """The mark in words."""
        return str(self.certainty.label)


def lines(item: BusinessItem) -> list[Line]:
    """What the item's own columns say to the public: the law's period and its extension, and the promise.

    What is counted in neither follows among the facts of every licence. The inner stages are left out: they press the
    office and give the applicant no day. A filing has no periods.
    """
    return [] if item.item.is_filing else _statutory(item) + _promised(item)


def _statutory(item: BusinessItem) -> list[Line]:
    if item.statutory_length is None:
        return []
    source, certainty = item.statutory_source, Certainty(item.statutory_certainty)
    found = [Line(f"法定期限：{item.statutory_text}。", source, certainty)]
    if item.statutory_unit != PeriodUnit.WORKING:
        days = "自然日" if item.statutory_unit == PeriodUnit.CALENDAR else "月"
        text = f"法定期限按{days}计算，起算当日不计入；最后一日是法定休假日的，以休假日结束的次日为最后一日。"
        found.append(Line(text, CIVIL_CODE, Certainty.READ))
    if item.is_on_the_spot:
        return found
    extension = item.extension
    if extension is None:
        return [*found, Line("法定期限不延长：所依据的法律、法规没有规定延长。", source, certainty)]
    unit = PeriodUnit(item.statutory_unit).label.partition("（")[0]
    text = (
        f"到期不能作出决定的，经{extension.allowed_by}批准，法定期限可以延长一次，最多{extension.longest}{unit}，"
        "并将延长的理由书面告知您。"
    )
    basis = extension.legal_basis
    cited = basis if basis.startswith("《") else f"《中华人民共和国行政许可法》{basis.removeprefix('行政许可法')}"
    return [*found, Line(text, cited, Certainty.READ)]


def _promised(item: BusinessItem) -> list[Line]:
    if item.promised_length is None:
        spot = Line("承诺期限：即办件，材料齐全的当场办结。", ON_THE_SPOT, Certainty.READ)
        return [spot] if item.is_on_the_spot else []
    why = ""
    if item.promised_length > INNER_LIMIT_WORKING_DAYS:
        why = (
            "；须上报省主管部门审批"
            if item.reports_to_province
            else f"；超过5个工作日的理由：{item.promised_exemption}"
        )
    text = f"承诺期限：自受理之日起{item.promised_text}{why.rstrip('。')}。"
    return [Line(text, item.promised_source, Certainty(item.promised_certainty))]
