"""撤销建议 through the page, and the answer of the approval side that closes the task in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.actions.revoking import decide_revocation, give_notice, hear_holder, plan_hearing
from approvals.enums import Door
from approvals.exceptions import Refused
from approvals.models import Licence, Revocation
from deadlines.sweep import sweep
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from supervision import reconcile
from supervision.actions import ordering
from supervision.enums import PaperKind, TaskEnd, TaskStatus
from supervision.models import Feedback, Inspection, Paper, Proposal, SupervisionTask
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def url(task: SupervisionTask) -> str:
    return reverse("tasks:proposal", args=[task.number])


def keys(task: SupervisionTask) -> list[str]:
    looks = Inspection.objects.filter(task=task).values_list("pk", flat=True)
    return [*(f"{paper.kind}-{paper.pk}" for paper in Paper.objects.filter(task=task)), *(f"look-{pk}" for pk in looks)]


def proposed(task: SupervisionTask, sign_in: SignIn) -> Proposal:
    answer = sign_in(some.manager_of(task)).post(url(task), {"facts": "承诺不实，拒不整改。", "keys": keys(task)})
    assert answer.status_code == 302, answer.content.decode()
    return Proposal.objects.select_related("revocation", "paper").get(task=task)


def decided(proposal: Proposal, clock: Moment, *, revoke: bool) -> None:
    """As the approval side does it: the holder is told, waives in writing, and it decides."""
    revocation = proposal.revocation
    by = Posting.objects.filter(role="decider", office=revocation.office).order_by("pk")[0].user
    give_notice(revocation, ground="unqualified", facts="承诺不实。", days=5, by=by, now=clock.at)
    hear_holder(revocation, text="", wish="waive", waiver="书面放弃。", by=by, door=Door.WINDOW, now=clock.at)
    reason = "承诺不实，拒不整改。" if revoke else "情节轻微，不予撤销。"
    decide_revocation(
        revocation, revoke=revoke, reason=reason, ground="unqualified" if revoke else "", by=by, now=clock.at,
        public_interest="不损害公共利益。", compensation="没有合法权益受损。",
    )  # fmt: skip


def test_proposed_with_its_evidence(city: None, clock: Moment, sign_in: SignIn) -> None:
    task, order = make.unmended(clock.at)
    clock.to("2026-09-28 17:00")
    browser = sign_in(some.manager_of(task))
    assert "建议撤销许可" in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    html = browser.get(url(task)).content.decode()
    assert order.paper.number in html
    assert "负责人当面拒绝整改。" in html
    proposal = proposed(task, sign_in)
    task.refresh_from_db()
    assert task.status == TaskStatus.REVOCATION
    revocation = proposal.revocation
    assert (revocation.source, revocation.source_number, revocation.licence) == (task.stream, task.number, task.licence)
    assert revocation.broken_promise
    assert revocation.deadline.is_open
    numbers = [row["text"] for row in revocation.evidence]
    assert any(proposal.paper.number in text for text in numbers)
    assert any(order.paper.number in text for text in numbers)
    assert all(set(row) == {"label", "text", "url"} for row in revocation.evidence)
    assert proposal.paper.content["to"] == revocation.licence.department.paper_name
    assert proposal.paper.number in Feedback.objects.get(task=task).follow_up
    assert task.case is not None
    assert task.case.status == "completed"  # what was handled stays history: docs/decisions/0006
    assert browser.post(url(task), {"facts": "x", "keys": keys(task)[:1]}).status_code == 409
    assert Revocation.objects.count() == 1


@pytest.mark.parametrize(
    ("revoke", "end", "said"),
    [(True, TaskEnd.REVOKED, "已决定撤销许可"), (False, TaskEnd.NOT_REVOKED, "决定不予撤销许可")],
)
def test_the_answer_closes_the_task(
    city: None, clock: Moment, sign_in: SignIn, revoke: bool, end: str, said: str
) -> None:
    task, _ = make.unmended(clock.at)
    proposal = proposed(task, sign_in)
    decided(proposal, clock, revoke=revoke)
    task.refresh_from_db()
    proposal.refresh_from_db()
    assert (task.status, task.end) == (TaskStatus.CLOSED, end)
    assert proposal.answer == task.end_reason != ""
    told = Message.objects.filter(kind="proposal_answered")
    assert {one.to_user for one in told} == set(task.office.managers(clock.at.date()))
    assert all(said in one.text for one in told)
    acts = Entry.objects.filter(stream=task.stream).order_by("-seq").values_list("act", flat=True)[:2]
    assert list(acts) == ["task.closed", "task.answered"]
    # The answer is said, and who gave it on the approval side is not.
    page = sign_in(some.manager_of(task)).get(reverse("tasks:task", args=[task.number])).content.decode()
    assert f"{task.get_end_display()}。{proposal.answer}" in page
    decider = Revocation.objects.select_related("decided_by").get(pk=proposal.revocation_id).decided_by
    assert decider is not None
    assert decider.full_name not in page
    assert task.licence is not None
    assert (task.licence.state == "revoked") is revoke
    assert list(reconcile.differences(clock.at)) == []


def test_who_answers_reads_the_papers(city: None, clock: Moment, sign_in: SignIn) -> None:
    task, order = make.unmended(clock.at)
    paper = reverse("tasks:paper", args=[order.paper_id])
    assert task.case is not None
    decider = Posting.objects.filter(role="decider", office=task.case.review_office).order_by("pk")[0].user
    other = Posting.objects.filter(role="decider").exclude(office=task.case.review_office).order_by("pk")[0].user
    assert sign_in(decider.username).get(paper).status_code == 404
    proposal = proposed(task, sign_in)
    assert sign_in(decider.username).get(paper).status_code == 200
    assert sign_in(decider.username).get(reverse("tasks:paper", args=[proposal.paper_id])).status_code == 200
    assert sign_in(other.username).get(paper).status_code == 404
    for row in proposal.revocation.evidence:
        assert sign_in(decider.username).get(row["url"]).status_code == 200
    assert sign_in(decider.username).get(reverse("tasks:order", args=[order.pk])).status_code == 404


def test_only_a_licence_that_stands(city: None, clock: Moment, sign_in: SignIn) -> None:
    task, _ = make.unmended(clock.at)
    assert task.licence is not None
    Licence.objects.filter(pk=task.licence.pk).update(state="deregistered")
    browser = sign_in(some.manager_of(task))
    assert "建议撤销许可" not in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    answer = browser.post(url(task), {"facts": "x", "keys": keys(task)[:1]})
    assert answer.status_code == 409
    assert "移送执法" in answer.content.decode()
    assert not Revocation.objects.exists()


def test_not_while_the_order_runs(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at, promise=True), clock.at)
    make.ordered(task, clock.at)
    browser = sign_in(some.manager_of(task))
    assert browser.get(url(task)).status_code == 409  # before anything is written
    answer = browser.post(url(task), {"facts": "承诺不实。", "keys": keys(task)})
    assert answer.status_code == 409
    assert "承诺不实。" in answer.content.decode()
    assert not Revocation.objects.exists()


@pytest.mark.parametrize(("changes", "said"), [({"facts": " "}, "请写明事实"), ({"keys": []}, "证据"),
                                               ({"keys": ["order-999999"]}, "证据")])  # fmt: skip
def test_what_is_wrong_is_said(
    city: None, clock: Moment, sign_in: SignIn, changes: dict[str, object], said: str
) -> None:
    task, _ = make.unmended(clock.at)
    answer = sign_in(some.manager_of(task)).post(
        url(task), {"facts": "承诺不实，仍未改正。", "keys": keys(task)} | changes
    )
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Proposal.objects.exists()
    assert not Paper.objects.filter(kind=PaperKind.PROPOSAL).exists()
    assert list(reconcile.differences(clock.at)) == []


def test_what_the_approval_side_refuses_leaves_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    task, _ = make.unmended(clock.at)
    proposal = proposed(task, sign_in)
    Proposal.objects.all().delete()  # as if another task of the same licence proposed it
    SupervisionTask.objects.filter(pk=task.pk).update(status=TaskStatus.RECTIFYING)
    papers = Paper.objects.count()
    answer = sign_in(some.manager_of(task)).post(url(task), {"facts": "承诺不实，仍未改正。", "keys": keys(task)[:1]})
    assert answer.status_code == 409
    assert Revocation.objects.get() == proposal.revocation
    assert Paper.objects.count() == papers


def test_whoever_had_a_part_in_the_task_neither_chairs_nor_decides(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, promise=True)
    at = clock.to("2026-09-28 15:00")
    order = make.ordered(make.fed_back(task, at), at)
    asked, approved = make.manager(task), make.head(task)
    order = ordering.ask_extension(order, until=dt.date(2026, 10, 20), reason="设备未到货。", by=asked, now=at)
    order = ordering.settle_extension(order, grant=True, answer="", by=approved, now=at)
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=asked, now=at)
    revocation = proposed(task, sign_in).revocation
    office = revocation.office
    since = dt.date(2026, 1, 1)
    for person, role in ((approved, "department_head"), (asked, "decider")):
        Posting.objects.get_or_create(
            user=person, role=role, department=office.department, office=office if role == "decider" else None,
            defaults={"starts_on": since},
        )  # fmt: skip
    other = User.objects.create_user("tingzheng", full_name="听证人")
    Posting.objects.create(user=other, role="department_head", department=office.department, starts_on=since)
    by = Posting.objects.filter(role="decider", office=office).exclude(user=asked).order_by("pk")[0].user
    page = reverse("office:revocation", args=[revocation.pk])
    notice = {"act": "notice", "ground": "unqualified", "facts": "承诺不实。", "days": "5"}
    own = sign_in(asked.username).post(page, notice)
    assert own.status_code == 409
    assert "您办理过提出这件建议的监管任务" in own.content.decode()
    assert 'name="facts"' not in sign_in(asked.username).get(page).content.decode()  # nor is the act offered
    assert 'name="facts"' in sign_in(by.username).get(page).content.decode()
    assert revocation.deadline is not None
    sweep(dt.datetime.combine(revocation.deadline.due_on, dt.time(10), clock.at.tzinfo))
    rung = Message.objects.filter(dedupe_key__startswith=f"alarm:{revocation.deadline_id}:")
    heard = set(rung.values_list("to_user", flat=True))
    assert (by.pk in heard, asked.pk in heard) == (True, False)
    browser = sign_in(by.username)
    assert browser.post(page, notice).status_code == 302
    revocation.refresh_from_db()
    hear_holder(revocation, text="", wish="ask", by=None, door=Door.PUBLIC, now=clock.at)
    assert f'value="{other.pk}"' in browser.get(page).content.decode()
    assert f'value="{approved.pk}"' not in browser.get(page).content.decode()
    plan = {"act": "plan", "on": "2026-10-13", "place": "三楼", "chair": str(approved.pk)}
    assert browser.post(page, plan).status_code == 422
    with pytest.raises(Refused) as refused:
        plan_hearing(revocation, on=dt.date(2026, 10, 13), place="三楼", chair=approved, by=by, now=clock.at)
    assert refused.value.code == "chair-involved"
    assert browser.post(page, plan | {"chair": str(other.pk)}).status_code == 302
