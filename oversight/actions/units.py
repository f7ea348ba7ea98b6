"""Departments and offices of one division: sides, new offices (L1b, L2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from approvals.exceptions import Refused
from catalogue.models import BusinessItem, Linkage
from ledger.record import record
from offices.history import save_at
from offices.models import Department, Division, Office, User
from oversight.enums import DivisionAct


def locked(division_id: int) -> Division:
    """The division with its row locked: its stream of the ledger is written by one act at a time."""
    return Division.objects.select_for_update().get(pk=division_id)


def tell(division: Division, act: DivisionAct, data: Mapping[str, Any], *, by: User, now: dt.datetime) -> None:
    """Write an act on the division's stream: ids and codes, never a name or a phone."""
    record(f"division:{division.pk}", act, at=now, by=by, data=data)


def _refuse_lost_duties(department: Department, side: str) -> None:
    """A side is kept as long as something rests on it: linkages on supervision, published items on approval."""
    if side not in {Department.Side.SUPERVISION, Department.Side.BOTH}:
        linked = Linkage.objects.active().filter(office__department=department).count()
        if linked:
            raise Refused(
                "side-has-linkages",
                f"{department.name}的处室还有 {linked} 条有效的审管关联，不能取消监管侧；请先停用这些关联。",
                field="side",
            )
    if side not in {Department.Side.APPROVAL, Department.Side.BOTH}:
        published = BusinessItem.objects.published().filter(item__department=department).count()
        if published:
            raise Refused(
                "side-has-items",
                f"{department.name}还有 {published} 个已发布的业务办理项，不能取消审批侧；请先停用这些事项。",
                field="side",
            )


@transaction.atomic
def set_side(department: Department, side: str, *, by: User, now: dt.datetime) -> Department:
    """Give a department its side (L1b). The same side again changes nothing.

    Raises ``Refused`` when linkages or published items rest on the side that would go.
    """
    division = locked(department.division_id)
    department = Department.objects.get(pk=department.pk)
    if side not in Department.Side.values:
        raise Refused("side-unknown", "请选择部门所在的侧。", field="side")
    if side == department.side:
        return department
    _refuse_lost_duties(department, side)
    data = {"department": department.pk, "from": department.side, "to": side}
    department.side = side
    save_at(department, now)
    tell(division, DivisionAct.SIDE_CHANGED, data, by=by, now=now)
    return department


@transaction.atomic
def add_office(department: Department, name: str, *, by: User, now: dt.datetime) -> Office:
    """Add an office (处室) to a department (L2). Raises ``Refused`` for an empty name or one that is taken."""
    division = locked(department.division_id)
    office = Office(department=department, name=" ".join(name.split()), source="区划管理员配置")
    try:
        office.full_clean()
    except ValidationError as error:
        taken = "name" not in error.message_dict
        text = "本部门已有同名处室。" if taken else "请填写处室名称，不超过 60 字。"
        raise Refused("office-name", text, field="name") from error
    save_at(office, now)
    tell(division, DivisionAct.OFFICE_ADDED, {"department": department.pk, "office": office.pk}, by=by, now=now)
    return office
