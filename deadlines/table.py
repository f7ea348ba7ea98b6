"""The table of kinds in words, for the page, the export and the document; ``kinds.KINDS`` is what is true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deadlines import words
from deadlines.alarms import Alarms
from deadlines.enums import ART_45, PauseGround, Room, Unit
from deadlines.kinds import KINDS, Kind, KindCode, most

HEAD = ("种类", "代码", "法律依据", "长度", "设定余地", "提醒", "对象", "停止计算的事由", "延长", "开办")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind in words."""

    kind: Kind
    length: str
    room: str
    alarms: str
    pauses: str
    extension: str
    stands: str

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under ``HEAD``."""
        kind = self.kind
        return (
            kind.label, str(kind.code), kind.legal_basis, self.length, self.room, self.alarms, kind.addressees,
            self.pauses, self.extension, self.stands,
        )  # fmt: skip


def rows() -> list[Row]:
    """Every kind in the order of the table."""
    return [row(code) for code in KINDS]


def row(code: KindCode) -> Row:
    """One kind."""
    kind = KINDS[code]
    return Row(
        kind,
        length(kind),
        room(kind),
        alarms(kind.alarms),
        pauses(kind),
        extension(kind),
        "已开办" if kind.stands else "未开办",
    )


def length(kind: Kind) -> str:
    """``20个工作日``; where none is given, who gives it."""
    if kind.length is not None:
        return words.length(kind.length, kind.unit)
    if kind.unit is Unit.FIXED:
        return str(Unit.FIXED.label)
    return f"按事项（{kind.unit.label}）" if kind.room is Room.ITEM else f"按告知（{kind.unit.label}）"


def span(kind: Kind) -> tuple[int, int] | None:
    """The shortest and the longest length that a division may set; None where the law leaves it no room."""
    longest = most(kind)
    return (1, longest) if longest else None


def room(kind: Kind) -> str:
    """Who may set another length, and how long."""
    between = span(kind)
    if between is None:
        return str(kind.room.label)
    only = "只能缩短" if kind.room is Room.SHORTER else "可以设定"
    return f"{only}：{between[0]}–{words.length(between[1], kind.unit)}"


def why_not(kind: Kind) -> str:
    """Why a division sets no length of this kind, as a sentence; empty where it may."""
    return {
        Room.FIXED: f"这一期限由{kind.legal_basis}规定，法律没有留下变更的余地。",
        Room.ITEM: "这一期限由各事项所依据的法律和承诺确定，请到该业务办理项的页面查看和设定。",
        Room.PERSON: "这一期限由经办人在办理时依法确定具体日期或天数，写进发给当事人的文书。",
    }.get(kind.room, "")


def alarms(stages: Alarms | None) -> str:
    """When it reminds, in working days around the due date."""
    if stages is None:
        return "不提醒"
    if stages.first > 0 and stages.first == stages.last:
        return f"逾期后第 {stages.first} 个工作日"
    before = f"到期前 {-stages.first} 个工作日起" if stages.first < 0 else "到期当日起"
    if stages.last is None:
        return f"{before}，逾期后每个工作日"
    return f"{before}，至逾期后第 {stages.last} 个工作日" if stages.last > 0 else f"{before}，至到期当日"


def pauses(kind: Kind) -> str:
    """On which grounds it stands still, and which of them count only under a named law."""
    if not kind.pauses:
        return "不停"
    free, named = kind.pauses - kind.needs_law, kind.needs_law
    parts = [_grounds(free)] if free else []
    if named:
        parts.append(f"{_grounds(named)}须有法律明文")
    return "；".join(parts)


def _grounds(grounds: Iterable[PauseGround]) -> str:
    """The grounds by name; the eight of art. 45 together by their article."""
    asked = set(grounds)
    names = ["行政许可法第四十五条所列八项"] if asked >= ART_45 else []
    rest = asked - ART_45 if asked >= ART_45 else asked
    return "、".join([*names, *(str(ground.label) for ground in PauseGround if ground in rest)])


def extension(kind: Kind) -> str:
    """How far it may be extended, by whom, under which law."""
    if kind.extension is None:
        return "不延长"
    most = words.length(kind.extension.longest, kind.unit)
    return f"一次，最多{most}，{kind.extension.allowed_by}批准（{kind.extension.legal_basis}）"
