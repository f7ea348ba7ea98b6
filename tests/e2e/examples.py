"""Examples of everything that a page can show, made through the real actions inside a running demo portal.

Run below the portal's own settings: ``manage.py shell -c "from tests.e2e.examples import tell; tell()"``. The last line
of the output is JSON: name → argument of an address, or an account.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db.models import Model

from approvals.actions import accept_case, complete_case, decide, deliver, refuse_acceptance
from approvals.actions.review import ground_choices
from approvals.enums import CaseStatus, RefusalGround
from approvals.models import Case, Document
from catalogue.models import BusinessItem, Linkage
from deadlines import clock
from notifications.models import PhoneMessage
from offices.models import Department, Posting, User
from oversight.demo.cases import play as carry_on
from supervision import actions
from supervision.models import SupervisionTask
from tests.approvals import play

SPOT, PRESALE = "公共场所卫生许可（新办，告知承诺）", "商品房预售许可"
Role = Posting.Role


def _manager(task: SupervisionTask) -> User:
    return Posting.objects.filter(role=Role.OFFICE_MANAGER, office=task.office).order_by("pk")[0].user


def _task(now: datetime, until: str) -> tuple[str, str]:
    """A task brought to ``until``; its number and its manager's account."""
    case = play.completed(now)
    task = case.tasks.order_by("pk")[0]
    manager = _manager(task)
    if until == "notified":
        return task.number, manager.username
    task = actions.view_task(task, by=manager, now=now)
    today = clock.local_date(now)
    if until != "viewed":
        task = actions.acknowledge(task, measure="on_site", planned_finish_on=today, by=manager, now=now)
    if until not in {"viewed", "acknowledged"}:
        task = actions.finish(task, finished_on=today, by=manager, now=now)
    if until in {"fed_back", "closed"}:
        said = "conforming" if until == "closed" else "basically"
        actions.feed_back(
            task, result=said, text="已查。", platform="market", platform_number="检1号", by=manager, now=now
        )
    return task.number, manager.username


def _unlinked(now: datetime) -> str:
    """A case that was completed while its item had no active linkage."""
    case = play.approved(now, play.item("劳务派遣经营许可（新办）"))
    links = Linkage.objects.filter(business_item=case.business_item)
    active = list(links.filter(active=True).values_list("pk", flat=True))
    links.update(active=False)
    assert case.reviewer is not None
    complete_case(case, by=case.reviewer, now=now)
    links.filter(pk__in=active).update(active=True)
    return case.number


def _rejected(now: datetime) -> Case:
    case = play.reviewed(now, approve=False)
    assert case.reviewer is not None
    keys = [choice["key"] for choice in ground_choices(case)[:2]]
    return decide(case, approve=False, keys=keys, by=play.holder(Role.DECIDER, case, case.reviewer), now=now)


def make(now: datetime) -> dict[str, str]:
    """Make the examples and return them by name."""
    clerk = play.person("chuangkou1")
    found: dict[str, str] = {}
    for status in ("notified", "viewed", "acknowledged", "finished", "fed_back", "closed"):
        found[f"task_{status}"], found["manager"] = _task(now, status)
    refused = play.received(now)
    refuse_acceptance(refused, ground=RefusalGround.NOT_OUR_DUTY, reason="属省级职权。", by=clerk, now=now)
    delivered = play.completed(now)
    deliver(delivered, method="counter", receiver="张三", by=clerk, now=now)
    spot = accept_case(play.received(now, play.item(SPOT)), by=clerk, now=now)
    assert spot.decider is not None
    review = play.accepted(now)
    decision = play.reviewed(now)
    issue = play.approved(now)
    assert review.reviewer is not None
    assert issue.reviewer is not None
    found |= {
        "case_submitted": play.received(now).number,
        "case_incomplete": play.received(now, complete=False).number,
        "case_correction": Case.objects.filter(status=CaseStatus.CORRECTION_REQUESTED)[0].number,
        "case_refused": refused.number,
        "case_rejected": _rejected(now).number,
        "case_completed": play.completed(now).number,
        "case_delivered": delivered.number,
        "case_review": review.number,
        "reviewer": review.reviewer.username,
        "case_decision": decision.number,
        "decider": play.holder(Role.DECIDER, decision).username,
        "case_issue": issue.number,
        "issuer": issue.reviewer.username,
        "case_spot": spot.number,
        "spot_decider": spot.decider.username,
        "case_unlinked": _unlinked(now),
        "case_pair_number": delivered.number,
        "case_pair_code": delivered.query_code,
        "item": play.item(PRESALE).code,
        "item_promise": play.item(SPOT).code,
        "item_pk": _pk(play.item(PRESALE)),
        "item_draft_pk": _pk(BusinessItem.objects.exclude(status="published").first() or play.item(PRESALE)),
        "department": _pk(Department.objects.get(division__code="320700", name="市住建局")),
        "person": _pk(play.person("chuangkou2")),
        "user": _pk(play.person("zhujian.chushi2")),
        "licence": delivered.licence.number,
        "verify": Document.objects.filter(case=delivered).order_by("-pk")[0].verify_code,
        "head": "zhujian.fuzeren",
        "phone": PhoneMessage.objects.order_by("pk")[0].phone_hash,
    }
    for kind in Document.objects.values_list("kind", flat=True).distinct():
        found[f"paper_{kind}"] = _pk(Document.objects.filter(kind=kind, case__division__code="320700")[0])
    return found


def _pk(row: Model) -> str:
    return str(row.pk)


def tell() -> None:
    """Make the examples; then two working days and a bit pass, so that some of them are late."""
    found = make(clock.now())
    for _ in range(5):
        clock.jump_to(clock.next_working_morning(clock.now()), None)
    carry_on(play.received(clock.now()), "accepted", play.person("chuangkou1"), clock.now())
    print(json.dumps(found))
