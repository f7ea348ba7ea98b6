"""Invented people, marked as such: one or more for each role, in every office that the catalogue names."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.hashers import make_password

import catalogue
from offices.models import Department, Office, Posting, User

PASSWORD = "Lianyungang-2026"  # noqa: S105 - printed by `make run`; demo accounts cannot exist in production
STARTS_ON = dt.date(2025, 1, 1)
OFFICES = Path(catalogue.__file__).resolve().parent / "data" / "offices.csv"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安晨川栋帆港海涵昊恒嘉江景凯岚磊琳明宁鹏青然荣森涛薇文希晓心妍扬怡云泽舟"
Role = Posting.Role
# Of the city's departments: office, account, role.
FURTHER = (
    ("市自然资源和规划局", "建设工程规划管理处", "shenchac", Role.REVIEWER),
    ("市应急管理局", "行政审批处", "shenchac", Role.REVIEWER),
    ("市自然资源和规划局", "规划实施监督处", "huiqiana", Role.REVIEWER),
    ("市自然资源和规划局", "规划实施监督处", "huiqianb", Role.DECIDER),
    *(
        (department, office, f"hecha{letter}", Role.SITE_OFFICER)
        for department, office in (
            ("市交通局", "行政审批处"),
            ("市住建局", "消防设计审查验收处"),
            ("市应急管理局", "行政审批处"),
            ("市自然资源和规划局", "建设工程规划管理处"),
            ("市生态环境局", "环评处"),
        )
        for letter in "abc"
    ),
)


@dataclass(frozen=True, slots=True)
class Seat:
    """An account and where it sits."""

    username: str
    department: Department
    role: Role
    office: Office | None = None
    on_duty: bool = False


def stem_of(department: Department) -> str:
    """The ASCII stem of a department's accounts: 市发改委 → fagai, 东海县水利局 → donghai.shuili."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - large: see catalogue.pinyin

    name = department.name.removeprefix("市").removesuffix("局").removesuffix("委")
    county = department.division.name.removesuffix("县").removesuffix("区")
    if department.division.parent_id is not None:
        rest = name.removeprefix(department.division.name).removeprefix(county)
        return f"{''.join(lazy_pinyin(county))}.{''.join(lazy_pinyin(rest))}"
    return "".join(lazy_pinyin(name))


def _office_seats() -> Iterator[Seat]:
    with OFFICES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reviewing: dict[int, int] = {}
    supervising: dict[int, int] = {}
    for row in rows:
        office = Office.objects.select_related("department__division").get(
            department__division__code=row["division_code"], department__name=row["department"], name=row["office"]
        )
        department = office.department
        stem = stem_of(department)
        if row["side"] in {"approval", "both"}:
            place = reviewing[department.pk] = reviewing.get(department.pk, 0) + 1
            suffix = "" if place == 1 else str(place)
            yield Seat(f"{stem}.shencha{suffix}a", department, Role.REVIEWER, office)
            yield Seat(f"{stem}.shencha{suffix}b", department, Role.REVIEWER, office)
            yield Seat(f"{stem}.jueding{suffix}a", department, Role.DECIDER, office, on_duty=True)
            yield Seat(f"{stem}.jueding{suffix}b", department, Role.DECIDER, office)
        if row["side"] in {"supervision", "both"}:
            place = supervising[department.pk] = supervising.get(department.pk, 0) + 1
            suffix = "" if place == 1 else str(place)
            yield Seat(f"{stem}.chushi{suffix}", department, Role.OFFICE_MANAGER, office)
            yield Seat(f"{stem}.chushi{suffix}fu", department, Role.OFFICE_DEPUTY, office)


def _inspector_seats(offices: list[Seat]) -> Iterator[Seat]:
    """Two who inspect for every supervising office: the manager's account with 执法 in its stead."""
    for seat in offices:
        if seat.role is Role.OFFICE_MANAGER:
            stem = seat.username.replace(".chushi", ".zhifa")
            yield Seat(f"{stem}a", seat.department, Role.INSPECTOR, seat.office)
            yield Seat(f"{stem}b", seat.department, Role.INSPECTOR, seat.office)


def seats() -> Iterator[Seat]:
    """Every seat of the demonstration, in a fixed order."""
    city = Department.objects.get(division__code="320700", name="市政务办")
    yield Seat("chuangkou1", city, Role.WINDOW_CLERK)
    yield Seat("chuangkou2", city, Role.WINDOW_CLERK)
    yield Seat("chujian1", city, Role.DELIVERY_CLERK)
    yield Seat("duban1", city, Role.OVERSEER)
    yield Seat("guanliyuan1", city, Role.DIVISION_ADMIN)
    yield Seat("jijian1", Department.objects.get(division__code="320700", name="市纪委监委"), Role.DISCIPLINE)
    for code, stem, name in (("320722", "donghai", "东海县水利局"), ("320723", "guanyun", "灌云县应急管理局")):
        department = Department.objects.get(division__code=code, name=name)
        yield Seat(f"{stem}.chuangkou1", department, Role.WINDOW_CLERK)
        yield Seat(f"{stem}.chujian1", department, Role.DELIVERY_CLERK)
        yield Seat(f"{stem}.duban1", department, Role.OVERSEER)
        yield Seat(f"{stem}.guanliyuan1", department, Role.DIVISION_ADMIN)
    offices = list(_office_seats())
    yield from offices
    for department in dict.fromkeys(seat.department for seat in offices):
        yield Seat(f"{stem_of(department)}.fuzeren", department, Role.DEPARTMENT_HEAD)
    yield from _further_seats()
    yield from _inspector_seats(offices)
    for department in dict.fromkeys(seat.department for seat in offices):
        yield Seat(f"{stem_of(department)}.xinyong", department, Role.CREDIT_OFFICER)


def _further_seats() -> Iterator[Seat]:
    """A third reviewer where two score and a lead may be called, site officers, and who countersigns."""
    for department_name, office_name, suffix, role in FURTHER:
        office = Office.objects.select_related("department__division").get(
            department__division__code="320700", department__name=department_name, name=office_name
        )
        yield Seat(f"{stem_of(office.department)}.{suffix}", office.department, role, office)


def name_of(number: int) -> str:
    """An invented name, the same at every load."""
    given = GIVEN[(number * 7) % len(GIVEN)] + (GIVEN[(number * 11 + 3) % len(GIVEN)] if number % 3 else "")
    return SURNAMES[(number * 5) % len(SURNAMES)] + given


def load() -> int:
    """Make the accounts and postings that are missing; return how many accounts were made."""
    made = 0
    password = make_password(PASSWORD)
    for number, seat in enumerate(seats(), start=1):
        user = User.objects.filter(username=seat.username).first()
        if user is None:
            # A phone that no network can route: the prefix 100 is not a mobile one.
            user = User(
                username=seat.username,
                full_name=name_of(number),
                phone=f"100{number:08d}",
                is_demo=True,
                password=password,
            )
            user.save()
            made += 1
        Posting.objects.get_or_create(
            user=user,
            department=seat.department,
            office=seat.office,
            role=seat.role,
            defaults={"starts_on": STARTS_ON, "on_duty": seat.on_duty},
        )
    return made
