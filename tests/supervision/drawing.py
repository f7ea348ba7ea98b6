"""Short ways to a plan with a pool: holders of old licences by class, inspectors, a published plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from catalogue.models import Linkage
from credit.models import CreditSubject, SubjectRisk
from ledger.draws import keep_periods
from offices.models import Office, Posting, User
from supervision.actions.drawing import Wanted, make_plan, publish_plan
from supervision.models import DrawPlan, StockBatch, StockLicence
from tests.approvals import play

Role = Posting.Role
DAY = dt.date(2026, 9, 28)


def linkage() -> Linkage:
    """The first active linkage of the presale permit."""
    found = Linkage.objects.filter(business_item=play.item(), active=True).select_related(
        "office__department__division", "sub_item", "business_item"
    )
    return found.order_by("pk")[0]


def manager() -> User:
    """The manager of the linked office."""
    return linkage().office.managers(DAY)[0]


def inspectors(many: int, office: Office | None = None) -> list[User]:
    """That many new inspectors of the office."""
    office = office or linkage().office
    people = []
    for number in range(many):
        person = User.objects.create_user(f"jiancha{number}", full_name=f"检查员{number}")
        Posting.objects.create(
            user=person, department=office.department, office=office, role=Role.INSPECTOR, starts_on=dt.date(2026, 1, 1)
        )
        people.append(person)
    return people


def holders(sizes: Mapping[str, int], now: dt.datetime, *, valid_to: dt.date | None = None) -> list[CreditSubject]:
    """That many holders of old licences of each class (``none``: nothing received), written in bulk."""
    link = linkage()
    have = CreditSubject.objects.count()
    batch, _ = StockBatch.objects.get_or_create(
        division=link.office.department.division,
        digest="0" * 64,
        defaults={"name": "存量", "opens_tasks": False, "loaded_by": manager(), "loaded_at": now},
    )
    made = CreditSubject.objects.bulk_create(
        CreditSubject(kind="organisation", code=f"X{have + number:017d}", name=f"连云港第{have + number}公司")
        for number in range(sum(sizes.values()))
    )
    classes = [risk for risk, size in sizes.items() for _ in range(size)]
    StockLicence.objects.bulk_create(
        StockLicence(
            batch=batch,
            number=f"旧{subject.pk}",
            business_item=link.business_item,
            holder=subject,
            holder_name=subject.name,
            department=link.office.department,
            valid_from=dt.date(2020, 1, 1),
            valid_to=valid_to,
        )
        for subject in made
    )
    SubjectRisk.objects.bulk_create(
        SubjectRisk(subject=subject, risk=risk, source="省市场监管局", given_at=now, received_at=now)
        for subject, risk in zip(made, classes, strict=True)
        if risk != "none"
    )
    return made


def wanted(**changes: Any) -> Wanted:
    """A plan by class for September, of the presale permit."""
    link = linkage()
    values: dict[str, Any] = {
        "name": "商品房预售九月抽查",
        "sub_item": link.sub_item,
        "business_items": [link.business_item],
        "month": "2026-09",
        "planned_finish_on": dt.date(2026, 10, 30),
    }
    return Wanted(**values | changes)


def planned(now: dt.datetime, **changes: Any) -> DrawPlan:
    """A plan that is not published."""
    return make_plan(linkage().office, wanted(**changes), by=manager(), now=now)


def published(now: dt.datetime, **changes: Any) -> DrawPlan:
    """A published plan, its month's commitment beforehand."""
    keep_periods(now)
    return publish_plan(planned(now, **changes), by=manager(), now=now)
