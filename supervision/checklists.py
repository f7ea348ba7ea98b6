"""检查表: what is looked at for a sub-item, by version; what one inspection has to look at (L8e, L10b).

A published version is never changed. An inspection is made by the version that was current when it began: a phone in a
basement cannot know of a newer one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from approvals.exceptions import Refused
from catalogue.enums import SubItemAct
from catalogue.models import SupervisionSubItem
from catalogue.models.supervision import MOST_PLAN_DAYS
from ledger.hashing import canonical, sm3
from ledger.models import Entry
from ledger.record import record
from offices.history import save_at
from offices.models import User
from supervision.enums import ChecklistAct, FindingKind, Result
from supervision.models import Checklist, Finding, Rectification, SupervisionTask
from supervision.words import seen

ACTIVITY = "activity"
MOST_POINTS = 60
LONGEST_POINT = 300
LONGEST_BASIS = 200
OVERTAKEN = "这份检查表刚被改过，已是第 {version} 版；请刷新查看新版后再改。"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to look at; ``key`` stays the same through the versions."""

    key: str
    text: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a sub-item's checklist; version 0 are the sub-item's own points and has no row."""

    number: int
    points: tuple[Point, ...]
    row: Checklist | None = None

    @property
    def label(self) -> str:
        """As people call it."""
        return name_of(self.number)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one inspection has to find out: its place among the findings is its order."""

    kind: FindingKind
    key: str
    text: str
    basis: str = ""

    @property
    def name(self) -> str:
        """How forms and photos name it."""
        return f"{self.kind.value}-{self.key}"


def name_of(number: int) -> str:
    """A version as people call it: 第 2 版, and of the sub-item's own points 目录原版."""
    return f"第 {number} 版" if number else "目录原版"


def _of_row(row: Checklist) -> Version:
    points = tuple(Point(one["key"], one["text"], one.get("basis", "")) for one in row.points)
    return Version(row.version, points, row)


def _of_sub_item(sub_item: SupervisionSubItem) -> Version:
    return Version(0, tuple(Point(f"p{n}", text) for n, text in enumerate(sub_item.points, start=1)))


def versions(sub_item: SupervisionSubItem) -> list[Version]:
    """Every version, the newest first; one statement."""
    rows = Checklist.objects.filter(sub_item=sub_item).select_related("published_by").order_by("-version")
    return [*(_of_row(row) for row in rows), _of_sub_item(sub_item)]


def current(sub_item: SupervisionSubItem) -> Version:
    """The version that an inspection begun now is made by; one statement."""
    row = Checklist.objects.filter(sub_item=sub_item).order_by("-version").first()
    return _of_row(row) if row else _of_sub_item(sub_item)


def for_draft(sub_item: SupervisionSubItem, number: int, began_at: dt.datetime) -> Version:
    """The version that a draft was made by: the current one, or that of the moment at which the inspection began.

    Raises ``Refused`` (conflict): the draft was begun on a version that had been replaced before.
    """
    known = versions(sub_item)
    newer: Version | None = None
    for version in known:
        if version.number == number and (
            newer is None or (newer.row is not None and newer.row.published_at > began_at)
        ):
            return version
        newer = version
    if number > known[0].number:
        raise Refused(
            "checklist-changed",
            f"草稿写的检查表“{name_of(number)}”不存在，现行的是“{known[0].label}”。请刷新本页，按现行版本核对后再发送。",
            conflict=True,
        )
    raise Refused(
        "checklist-changed",
        f"检查表已更新为{known[0].label}，您的草稿用的是旧版。请刷新本页，按新版补充核对后再发送，已填内容都在。",
        conflict=True,
    )


def names_for(task: SupervisionTask) -> set[str]:
    """How photos may name what was looked at: of every version, what was asked and what was found; two statements."""
    found = task.inspections.values_list("findings__kind", "findings__key")
    names = {f"{kind}-{key}" for kind, key in found if kind}
    return names | {one.name for version in versions(task.sub_item) for one in asked_of(task, version)}


def asked_of(task: SupervisionTask, version: Version, order: Rectification | None = None) -> list[Asked]:
    """What has to be found out: every point, every promise clause, and the licensed activity beside them.

    With ``order`` (a re-inspection): what was found not conforming by the records that it answers, each once and as the
    newest of them says it.
    """
    if order is not None:
        wrong = Finding.objects.filter(inspection__in=order.records(), result=Result.NONCONFORMING)
        found = {(one.kind, one.key): one.text for one in wrong.order_by("inspection__order", "order")}
        kinds = list(FindingKind)
        asked = [Asked(FindingKind(kind), key, text) for (kind, key), text in found.items()]
        return sorted(asked, key=lambda one: kinds.index(one.kind))
    points = [Asked(FindingKind.POINT, one.key, one.text, one.basis) for one in version.points]
    clauses = [
        Asked(FindingKind.CLAUSE, str(n), str(text)[:500]) for n, text in enumerate(task.promise_clauses, start=1)
    ]
    activity = f"从事许可活动与准予许可的内容一致（{task.business_item.name}）"
    return [*points, *clauses, Asked(FindingKind.ACTIVITY, ACTIVITY, activity[:500])]


def _cleaned(points: Sequence[Mapping[str, Any]], known: Version, number: int) -> list[dict[str, str]]:
    """The new version's points: what kept its key keeps it, what is new gets one of the new version."""
    keys = {point.key for point in known.points}
    found: list[dict[str, str]] = []
    for place, one in enumerate(points, start=1):
        text, basis = (seen(str(one.get(name, "")), "points", "检查要点") for name in ("text", "basis"))
        if not text:
            continue
        if len(text) > LONGEST_POINT or len(basis) > LONGEST_BASIS:
            raise Refused("point-too-long", f"第 {place} 项太长，要点最多 {LONGEST_POINT} 字。", field="points")
        key = str(one.get("key", ""))
        if key not in keys or any(other["key"] == key for other in found):
            key = f"v{number}p{place}"
        if any(other["text"] == text for other in found):
            raise Refused("point-twice", f"“{text}”写了两遍，请删去一项。", field="points")
        found.append({"key": key, "text": text, "basis": basis})
    return found


@transaction.atomic
def publish(
    sub_item: SupervisionSubItem,
    *,
    points: Sequence[Mapping[str, Any]],
    note: str,
    base: int,
    by: User,
    now: dt.datetime,
) -> Checklist:
    """Publish the next version, with its digest on the ledger; ``base`` is the version that was being changed.

    Raises ``Refused``: ``checklist-overtaken`` (conflict, somebody published meanwhile), ``points-missing``,
    ``note-missing``, ``point-too-long``, ``point-twice``, ``too-many-points``, ``nothing-changed``.
    """
    sub_item = SupervisionSubItem.objects.select_for_update().get(pk=sub_item.pk)
    known = current(sub_item)
    if known.number != base:
        raise Refused("checklist-overtaken", OVERTAKEN.format(version=known.number), conflict=True)
    found = _cleaned(points, known, known.number + 1)
    if not found:
        raise Refused("points-missing", "检查表至少要有一项要点。", field="points")
    if len(found) > MOST_POINTS:
        raise Refused("too-many-points", f"检查要点最多 {MOST_POINTS} 项，请合并相近的要点。", field="points")
    if [(one["text"], one["basis"]) for one in found] == [(one.text, one.basis) for one in known.points]:
        raise Refused("nothing-changed", "与现行版本完全相同，没有需要发布的改动。", field="points")
    note = seen(note, "note", "修订说明")
    if not note:
        raise Refused("note-missing", "请写明这次改了什么、为什么改。", field="note")
    made = Checklist.objects.create(
        sub_item=sub_item, version=known.number + 1, points=found, note=note[:300], published_by=by,
        published_at=now,
    )  # fmt: skip
    data = {"version": made.version, "points": len(found), "digest": sm3(canonical({"points": found}))}
    record(sub_item.stream, ChecklistAct.PUBLISHED, at=now, by=by, data=data)
    return made


@transaction.atomic
def set_plan_limit(
    sub_item: SupervisionSubItem, *, days: int, reason: str, by: User, now: dt.datetime
) -> SupervisionSubItem:
    """Set the most days from the acknowledgement to the planned finish; plans made before keep their day.

    Raises ``Refused``: ``plan-limit-wrong``, ``nothing-changed``, ``reason-missing``.
    """
    sub_item = SupervisionSubItem.objects.select_for_update().get(pk=sub_item.pk)
    if not 1 <= days <= MOST_PLAN_DAYS:
        raise Refused("plan-limit-wrong", f"请填写 1 到 {MOST_PLAN_DAYS} 之间的天数。", field="days")
    if days == sub_item.longest_plan_days:
        raise Refused("nothing-changed", f"现在就是 {days} 天，没有变化。", field="days")
    reason = seen(reason, "reason")
    if not reason:
        raise Refused("reason-missing", "请写明为什么这样设定。", field="reason")
    data = {"days": days, "before": sub_item.longest_plan_days, "reason": reason[:300]}
    sub_item.longest_plan_days = days
    save_at(sub_item, now, by=by, reason="plan_limit")
    record(sub_item.stream, SubItemAct.PLAN_LIMIT_SET, at=now, by=by, data=data)
    return sub_item


def plan_limits(sub_item: SupervisionSubItem) -> list[Entry]:
    """Who set the most days of a plan, when and why, the newest first; one statement."""
    rows = Entry.objects.filter(stream=sub_item.stream, act=SubItemAct.PLAN_LIMIT_SET)
    return list(rows.select_related("actor").order_by("-seq"))
