"""失信行为目录: what may be recorded as a breach at all, how grave it is and on which basis. Anything else is not.

The list is the portal's own, of what its rooms find; a breach of another kind is recorded where it is found.
"""

from __future__ import annotations

from dataclasses import dataclass

from credit.models import CreditFact, CreditRecord, Level


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: its code, name, the kind of its record, its levels (the first is proposed), its basis."""

    code: str
    name: str
    record: str
    levels: tuple[str, ...]
    basis: str


PLAN = "连政办发〔2022〕67号"
LIST = (
    Listed("A01", "违背告知承诺，经责令整改仍不改正", CreditRecord.Kind.BROKEN_PROMISE, (Level.GENERAL, Level.SERIOUS),
           f"{PLAN}；国办发〔2020〕42号"),
    Listed("A02", "隐瞒有关情况、提供虚假材料或者以其他不正当手段取得许可被撤销", CreditRecord.Kind.REVOKED,
           (Level.SERIOUS, Level.GENERAL), "行政许可法第六十九条第二款、第七十九条"),
    Listed("A03", "被许可人的责任致使许可被撤销", CreditRecord.Kind.REVOKED, (Level.GENERAL, Level.MINOR),
           "行政许可法第六十九条"),
    Listed("A04", "承诺期限届满未补交材料，被撤销审批办理", CreditRecord.Kind.BROKEN_PROMISE,
           (Level.MINOR, Level.GENERAL), f"{PLAN}：逾期未补交的失信信息推送"),
    Listed("A05", "容缺办理逾期未补交材料", CreditRecord.Kind.BROKEN_PROMISE, (Level.MINOR, Level.GENERAL),
           "连政办传〔2023〕8号三、（一）3"),
)  # fmt: skip
BY_CODE = {one.code: one for one in LIST}
# What a fact of each kind may be listed as; the first is proposed.
OF_FACT: dict[str, tuple[str, ...]] = {
    CreditFact.Kind.BROKEN_PROMISE: ("A01",),
    CreditFact.Kind.REVOKED: ("A02", "A03"),
    CreditFact.Kind.LATE_MATERIAL: ("A04", "A05"),
}
