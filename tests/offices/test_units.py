"""The annex's responsible units ship as data (OA1)."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from offices.management.commands.load_units import SHIPPED
from offices.models import Department, Division

pytestmark = pytest.mark.django_db


def test_the_annex_ships_as_data() -> None:
    for _ in range(2):  # a second run changes nothing
        call_command("load_units", stdout=io.StringIO())
    areas = Division.objects.exclude(code="320700")
    assert areas.count() == 9
    assert sum(not area.has_national_code for area in areas) == 3
    assert Department.objects.filter(division__code="320700").count() == 28 + 2  # the annex, and the two it leaves out
    assert Department.objects.get(name="市委编办").side == Department.Side.OTHER


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "department", "side": "sideways"}, "侧"),
        ({"kind": "department", "side": "both", "division_code": "999999"}, "区划 999999"),
        ({"kind": "area", "level": "moon"}, "层级"),
        ({"kind": "area", "level": "county", "parent_code": "999999"}, "上级区划"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_loaded(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with SHIPPED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    path = tmp_path / "units.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, dict.fromkeys(rows[0], "") | {"division_code": "320700", "name": "新局"} | changes])
    with pytest.raises(CommandError, match=said):
        call_command("load_units", csv=path, stdout=io.StringIO())
    assert not Division.objects.exists()
