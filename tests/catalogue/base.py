"""Offices as the data files name them, and a catalogue that is loaded once for a class of tests."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator

from django.test import TestCase

from catalogue.loading import DATA, load, read
from catalogue.models import BusinessItem
from offices.models import Department, Division, Office, Posting, User

MORNING = datetime.datetime(2026, 9, 28, 9, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def build_offices() -> None:
    """Divisions, departments and offices of the data files, as the demo loader makes them."""
    city = Division.objects.create(code="320700", name="连云港市", level=Division.Level.CITY)
    for code, name in {"320722": "东海县", "320723": "灌云县"}.items():
        Division.objects.create(code=code, name=name, level=Division.Level.COUNTY, parent=city)
    divisions = {division.code: division for division in Division.objects.all()}
    for row in _rows("county_departments.csv"):
        Department.objects.create(
            division=divisions[row["division_code"]], name=row["name"], short_name=row["short_name"], side=row["side"]
        )
    named = [unit for row in _rows("key_items.csv") for unit in row["responsible_units"].split(";")]
    named += [row["department"] for row in _rows("offices.csv") if row["division_code"] == city.code]
    for name in dict.fromkeys(named):
        Department.objects.get_or_create(division=city, name=name, defaults={"short_name": name[1:3]})
    departments = {(row.division.code, row.name): row for row in Department.objects.select_related("division")}
    for row in _rows("offices.csv"):
        Office.objects.create(department=departments[row["division_code"], row["department"]], name=row["office"])


def staff_offices() -> None:
    """A manager with a phone for every office, who countersigns there as well."""
    for number, office in enumerate(Office.objects.all(), start=1):
        manager = User.objects.create(username=f"manager{number}", full_name="演示", phone=f"1380000{number:04d}")
        for role in (Posting.Role.OFFICE_MANAGER, Posting.Role.REVIEWER):
            Posting.objects.create(
                user=manager, department=office.department, office=office, role=role,
                starts_on=datetime.date(2026, 1, 1),
            )  # fmt: skip


class LoadedCatalogue(TestCase):
    """Every office has its manager and the catalogue is loaded and published."""

    now = MORNING

    @classmethod
    def setUpTestData(cls) -> None:
        """Load once; each test works in a savepoint of its own."""
        build_offices()
        staff_offices()
        load(read(), now=MORNING)

    def item(self, code: str) -> BusinessItem:
        """The business item with this code, as the database has it now."""
        return BusinessItem.objects.get(code=code)
