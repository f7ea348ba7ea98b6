"""Short ways to score, countersign and visit through the pages, as the people of a case do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from approvals.models import Case, Sheet
from catalogue.models import Criterion
from offices.models import Posting, User
from oversight.demo import weighing
from tests.approvals import play

ENERGY = "固定资产投资项目节能审查"  # criteria, one reviewer
PLANNING = "建设工程规划许可证核发（建筑类）"  # criteria, two reviewers, countersigned
CHEMICAL = "危险化学品生产、储存建设项目安全条件审查"  # vetoes, two reviewers
FIRE = "特殊建设工程消防验收"  # criteria and a site check
TRANSPORT = "危险货物道路运输经营许可（新办）"  # a site check, no criteria


def browser(person: User | None) -> Client:
    """A signed-in browser."""
    assert person is not None
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def criteria(case: Case) -> list[Criterion]:
    """The case's criteria, in their order."""
    return list(case.business_item.effective_criteria())


def filled(case: Case, *, approve: bool = True, lost: int = 0, **changes: Any) -> dict[str, Any]:
    """A whole score sheet: the best degrees (of the first ``lost`` graded criteria the second best), or the worst."""
    form: dict[str, Any] = {"verdict": "approve" if approve else "reject", "text": "逐项评分，意见如上。"}
    for criterion in criteria(case):
        name, evidence = f"criterion_{criterion.pk}", f"evidence_{criterion.pk}"
        if criterion.is_veto:
            form |= {name: "met" if approve else "not", evidence: "见报告第三章"}
            continue
        place = -1 if not approve else 1 if lost > 0 else 0
        lost -= 1
        form |= {name: str(criterion.grades[place]["score"]), evidence: "见报告第五章"}
    if not approve:
        form["keys"] = [f"{ground.kind}:{ground.id}" for ground in case.business_item.published_grounds()[:1]]
    return form | changes


def give(case: Case, person: User | None, **form: Any) -> Any:
    """Send a score sheet; returns the answer."""
    return browser(person).post(reverse("office:sheet", args=[case.number]), filled(case, **form))


def second(case: Case) -> User:
    """Who was drawn to the second seat."""
    return Sheet.objects.select_related("reviewer").get(case=case, seat="second").reviewer


def decider(case: Case) -> User:
    """A decider of the case's office."""
    return play.holder(Posting.Role.DECIDER, case)


def ready(now: dt.datetime, name: str) -> Case:
    """An accepted case of which the site was visited and every office has countersigned."""
    case = play.accepted(now, play.item(name))
    weighing.visit(case, now)
    weighing.countersign(case, now)
    return case


def decide(case: Case, *, approve: bool = True, **form: Any) -> Any:
    """Press the decision; returns the answer."""
    said = {"verdict": "approve" if approve else "reject"} | form
    return browser(decider(case)).post(reverse("office:decision", args=[case.number]), said)
