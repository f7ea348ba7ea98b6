"""How long a kind of clock runs in a division and for an item, and setting that where the law leaves room."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from deadlines import words
from deadlines.enums import Act, Room
from deadlines.errors import DeadlineError
from deadlines.kinds import KINDS, KindCode, most
from deadlines.models import PeriodRule
from ledger.record import record
from offices.history import save_at
from offices.models import Division, User


class PeriodRefused(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """A length that the law leaves no room for; ``field`` is where the sentence belongs."""

    def __init__(self, text: str, field: str = "length") -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Periods:
    """Set lengths by (kind, division, item code)."""

    rules: Mapping[tuple[str, int, str], PeriodRule]

    def rule(self, kind: KindCode, division_id: int, item_code: str = "") -> PeriodRule | None:
        """The item's rule, else its division's, else None."""
        found = self.rules.get((kind, division_id, item_code)) if item_code else None
        return found or self.rules.get((kind, division_id, ""))

    def length(self, kind: KindCode, division_id: int, item_code: str = "") -> int | None:
        """The length in the kind's unit: the item's, else the division's, else the table's."""
        rule = self.rule(kind, division_id, item_code)
        return rule.length if rule else KINDS[kind].length


def load(kinds: Collection[KindCode] = tuple(KindCode), *, division: int | None = None) -> Periods:
    """Read the active rules of ``kinds`` (of one division or all); one statement."""
    rows = PeriodRule.objects.filter(kind__in=kinds, active=True)
    if division is not None:
        rows = rows.filter(division=division)
    return Periods({(row.kind, row.division_id, row.item_code): row for row in rows})


def refusal(kind: KindCode, length: int) -> str:
    """Why ``length`` cannot be set for ``kind``, in Chinese; empty where it can."""
    row = KINDS[kind]
    if row.room is Room.FIXED:
        return f"{row.label}由{row.legal_basis}规定，不得变更。"
    if row.room in {Room.ITEM, Room.PERSON}:
        return f"{row.label}{row.room.label}，不能在这里统一设定。"
    longest = most(row)
    if length < 1:
        return f"期限至少为 {words.length(1, row.unit)}。"
    if longest is not None and length > longest:
        text = words.length(longest, row.unit)
        return f"{row.label}最长{text}（{row.legal_basis}），请填写 1 到 {longest} 之间的数。"
    return ""


@transaction.atomic
def set_period(
    kind: KindCode,
    division: Division,
    length: int,
    *,
    reason: str,
    approved_by: str,
    by: User,
    now: datetime,
    item_code: str = "",
) -> PeriodRule:
    """Set the length of ``kind`` for clocks that start from now on; twice the same is one rule.

    Raises ``PeriodRefused`` where the law leaves no room, or for a missing reason or approver.
    """
    if text := refusal(kind, length):
        raise PeriodRefused(text)
    if not reason.strip():
        raise PeriodRefused("请写明设定这一期限的依据或理由。", "reason")
    if not approved_by.strip():
        raise PeriodRefused("请写明批准人。", "approved_by")
    Division.objects.select_for_update().get(pk=division.pk)
    rule = PeriodRule.objects.filter(kind=kind, division=division, item_code=item_code).first()
    before = rule.length if rule and rule.active else None
    if rule is None:
        rule = PeriodRule(kind=kind, division=division, item_code=item_code)
    wanted = (length, reason.strip(), approved_by.strip())
    if before is not None and (rule.length, rule.reason, rule.approved_by) == wanted:
        return rule
    rule.length, rule.reason, rule.approved_by = wanted
    rule.active, rule.set_by, rule.set_at = True, by, now
    save_at(rule, now, by=by)
    data = {"kind": str(kind), "item": item_code, "from": before, "to": length}
    record(rule.stream, Act.PERIOD_SET, at=now, by=by, data=data)
    return rule


@transaction.atomic
def unset_period(rule: PeriodRule, *, by: User, now: datetime) -> PeriodRule:
    """Go back to the division's length (of an item's rule) or the table's, for clocks that start from now on.

    Safe to repeat.
    """
    Division.objects.select_for_update().get(pk=rule.division_id)
    rule = PeriodRule.objects.get(pk=rule.pk)
    if rule.active:
        rule.active, rule.set_by, rule.set_at = False, by, now
        save_at(rule, now, by=by)
        kind = KindCode(rule.kind)
        back_to = load([kind], division=rule.division_id).length(kind, rule.division_id)
        data = {"kind": rule.kind, "item": rule.item_code, "from": rule.length, "to": back_to}
        record(rule.stream, Act.PERIOD_UNSET, at=now, by=by, data=data)
    return rule
