"""Who sees a task with everything on it: one table of addresses and people; whoever is not named gets 404."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals.actions.intake import slot_of
from approvals.actions.revoking import give_notice
from approvals.models import Revocation, Upload
from approvals.uploads import store
from ledger.draws import keep_periods
from ledger.models import Entry
from offices.models import Office, Posting, User
from offices.tokens import issue
from supervision import actions, photos
from supervision.actions import disputing, inspecting, ordering, proposing, visiting
from supervision.actions.drawing import draw_plan, make_plan, publish_plan
from supervision.models import DrawPlan, Inspection, Photo, Proposal, Rectification, SetAside, SupervisionTask, Visit
from tests.approvals import play, revoking
from tests.approvals.window import PDF
from tests.conftest import Moment
from tests.supervision import drawing, standing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = [pytest.mark.django_db, pytest.mark.once]
Role = Posting.Role
SignIn = Callable[[str], Client]
PLAN = "价格监管双随机抽查"

# --- who looks

OFFICE = ("manager", "deputy")
FIELD = (*OFFICE, "given")
READERS = (*FIELD, "head")
ANSWERING = ("decider", "chair")
EVIDENCE = (*READERS, "overseer", *ANSWERING)
MAKERS = (*OFFICE, "head")
# Whoever oversees, or reads the trace of the case that the task came from, sees its clocks.
TRACING = ("overseer", "discipline")
NOBODY: tuple[str, ...] = ()
PEOPLE = {
    "manager": "fagai.chushi2", "deputy": "fagai.chushi2fu", "given": "fagai.zhifa2a", "head": "fagai.fuzeren",
    "not given": "fagai.zhifa2b", "next office": "fagai.chushi", "its inspector": "fagai.zhifaa",
    "other department": "shuili.chushi", "other head": "shuili.fuzeren",
    "county manager": "donghai.shuili.chushi", "county head": "donghai.shuili.fuzeren",
    "county overseer": "donghai.duban1", "overseer": "duban1", "clerk": "chuangkou1", "delivery": "chujian1",
    "admin": "guanliyuan1", "county admin": "donghai.guanliyuan1", "discipline": "jijian1",
    "other decider": "fagai.juedinga", "county decider": "donghai.shuili.juedinga",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """A task with everything on it, and everybody by what they are to it."""

    task: SupervisionTask
    people: dict[str, User]
    upload: Upload
    photo: Photo
    look: Inspection
    order: Rectification
    visit: Visit
    aside: SetAside
    dispute: int
    proposal: Proposal
    revocation: Revocation
    plan: DrawPlan


def _archive(task: SupervisionTask, now: dt.datetime) -> Upload:
    """A file in the archive of the case."""
    assert task.case is not None
    line = task.case.materials.select_related("material").exclude(material=None).order_by("order")[0]
    content, key = ContentFile(PDF, "a.pdf"), task.case.intake_key
    upload = store(content, intake_key=key, slot=slot_of(line), by=play.person("chuangkou1"), now=now)
    Upload.objects.filter(pk=upload.pk).update(case_material=line)
    return upload


def _photographed(task: SupervisionTask, now: dt.datetime, by: User, **said: Any) -> Inspection:
    """A record on the spot, by the inspector, with a photo."""
    key = uuid.uuid4()
    photo, _ = photos.store(
        SimpleUploadedFile("a.jpg", field.JPEG), task=task, draft_key=key, client_key=uuid.uuid4(), finding="",
        taken_at=None, by=by, now=now,
    )  # fmt: skip
    draft = field.draft(task, now, client_key=key, photos=[photo.client_key], **said)
    return inspecting.record_inspection(task, draft=draft, by=by, now=now)


def _drawn(task: SupervisionTask, now: dt.datetime, *, drawn: bool) -> DrawPlan:
    """A published plan of the task's office, drawn or not: what is drawn is given to the office's inspectors."""
    drawing.holders({"A": 10}, now)
    by = make.manager(task)
    wanted = drawing.wanted(name=PLAN, sub_item=task.sub_item, business_items=[task.business_item])
    keep_periods(now)
    plan = publish_plan(make_plan(task.office, wanted, by=by, now=now), by=by, now=now)
    if drawn:
        draw_plan(plan, by=by, now=now)
    return DrawPlan.objects.get(pk=plan.pk)


def _proposed(task: SupervisionTask, now: dt.datetime, keys: Iterable[str] | None = None) -> Proposal:
    """With everything put forward, or with these."""
    offered = [one["key"] for one in proposing.evidence_of(task)]
    chosen = offered if keys is None else list(keys)
    return proposing.propose(task, facts="责令后当面拒不整改。", keys=chosen, by=make.manager(task), now=now)


@pytest.fixture
def task(city: None, clock: Moment, settings: Settings, tmp_path: Any) -> SupervisionTask:
    """A task whose office belongs to another department than the one that granted; its SMS went out yesterday."""
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    found = standing.fresh(some.notified(clock.at))
    clock.to("2026-09-29 10:00")
    assert found.case is not None
    assert found.department_id != found.case.review_office.department_id
    return found


def whole(task: SupervisionTask, now: dt.datetime, *, drawn: bool = True) -> Scene:
    """Disputed and confirmed, taken, visited, ordered, extended, fed back, refused, proposed, noticed, chaired."""
    case = task.case
    assert case is not None
    assert case.reviewer is not None
    by, head = make.manager(task), make.head(task)
    people = {name: play.person(account) for name, account in PEOPLE.items()}
    assert people["manager"] == by
    upload = _archive(task, now)
    raised = standing.dispute(task, now)
    disputing.decide_dispute(raised, outcome="confirmed", reason="依职责分工。", by=people["overseer"], now=now)
    actions.acknowledge(
        task, measure="on_site", planned_finish_on=now.date() + dt.timedelta(days=9), first_officer=people["given"],
        second_officer=by, by=by, now=now,
    )  # fmt: skip
    task = standing.fresh(task)
    visit = standing.ask_visit(task, now)
    visiting.settle_visit(visit, approve=True, by=head, now=now)
    look = _photographed(task, now, people["given"], bad=field.names(task)[0])
    aside = standing.aside(task, now)
    order = standing.ordered(task, now)
    until = order.due_on + dt.timedelta(days=5)
    ordering.ask_extension(order, until=until, reason="等配件。", by=by, now=now)
    ordering.settle_extension(order, grant=True, answer="", by=head, now=now)
    actions.finish(task, finished_on=now.date(), by=by, now=now)
    actions.feed_back(task, result="nonconforming", by=by, now=now, **make.FED)
    standing.refused(task, now)
    proposal = _proposed(task, now)
    revocation = revoking.fresh(proposal.revocation)
    decider = standing.decider(revocation)
    give_notice(revocation, ground="unqualified", facts="责令后当面拒不整改。", days=5, by=decider, now=now)
    standing.hearing_planned(revoking.fresh(revocation), now)
    people |= {"decider": decider, "chair": revoking.chair_of(revocation), "reviewer": case.reviewer}
    # Somebody whose postings in the very office have ended.
    left = people["left"] = User.objects.create_user("zou1", full_name="周离任")
    for role in (Role.OFFICE_MANAGER, Role.INSPECTOR):
        Posting.objects.create(
            user=left, department=task.department, office=task.office, role=role,
            starts_on=dt.date(2026, 1, 1), ends_on=now.date() - dt.timedelta(days=1),
        )  # fmt: skip
    return Scene(
        task=standing.fresh(task), people=people, upload=upload, photo=look.photos.get(), look=look, order=order,
        visit=visit, aside=aside, dispute=raised.pk, proposal=proposal, revocation=revoking.fresh(revocation),
        plan=_drawn(task, now, drawn=drawn),
    )  # fmt: skip


# --- the table

ON_TASK = {
    # Name of the page → what those who reach it are answered, and who they are. What was due earlier leads back.
    "task": (200, READERS), "acknowledge": (302, OFFICE), "assign": (302, OFFICE), "replan": (302, OFFICE),
    "licence_ended": (302, OFFICE), "finish": (302, OFFICE), "feedback": (302, OFFICE), "close": (302, OFFICE),
    "dispute": (409, OFFICE), "visit_request": (200, OFFICE), "visit_cancel": (302, OFFICE), "set_aside": (302, OFFICE),
    "inspect": (409, FIELD), "reinspect": (409, FIELD), "photo_upload": (422, FIELD), "order_new": (409, OFFICE),
    "handover": (409, OFFICE), "proposal": (200, OFFICE),
}  # fmt: skip
Address = tuple[str, int, tuple[str, ...]]
# Nothing to open: pressed at once.
POSTED = ("tasks:photo_upload", "tasks:draw_publish", "tasks:draw_remove", "tasks:draw_draw")


def pages(scene: Scene) -> dict[str, Address]:
    """Name → address, code, who reaches it."""
    task, number = scene.task, scene.task.number
    found = {f"tasks:{name}": (reverse(f"tasks:{name}", args=[number]), *rest) for name, rest in ON_TASK.items()}

    def add(name: str, code: int, who: tuple[str, ...], *args: Any) -> None:
        found[name if not args else f"{name} {args[-1]}"] = (reverse(name, args=args), code, who)

    add("tasks:file", 200, READERS, number, scene.upload.pk)
    add("tasks:inspection", 200, EVIDENCE, number, scene.look.order)
    add("tasks:inspection_print", 302, EVIDENCE, number, scene.look.order)
    add("tasks:photo", 200, EVIDENCE, number, scene.photo.pk)
    for paper in task.papers.all():
        add("tasks:paper", 200, EVIDENCE, paper.pk)
        add("tasks:paper_file", 200, EVIDENCE, paper.pk)
    add("tasks:order", 200, READERS, scene.order.pk)
    add("tasks:order_extension", 302, OFFICE, scene.order.pk)
    add("tasks:order_outcome", 302, OFFICE, scene.order.pk)
    add("tasks:order_answer", 302, ("head",), scene.order.pk)
    add("tasks:visit", 200, ("head",), scene.visit.pk)
    add("tasks:set_aside_answer", 200, ("head",), scene.aside.pk)
    add("tasks:bulk_group", 302, OFFICE, task.office_id, task.sub_item_id)
    add("tasks:draw", 200, (*MAKERS, "overseer"), scene.plan.pk)
    add("tasks:draw_drawn", 200, (*MAKERS, "overseer"), scene.plan.pk)
    add("tasks:draw_change", 302, MAKERS, scene.plan.pk)
    add("tasks:draw_publish", 409, MAKERS, scene.plan.pk)
    add("tasks:draw_remove", 409, MAKERS, scene.plan.pk)
    add("tasks:draw_draw", 409, MAKERS, scene.plan.pk)
    add("oversight:task", 200, ("overseer",), number)
    add("oversight:dispute", 200, ("overseer",), scene.dispute)
    add("window:statement", 200, ("clerk",), scene.revocation.case.number)
    add("office:revocation", 200, ANSWERING, scene.revocation.pk)
    assert scene.revocation.notice_id is not None
    add("office:revocation_paper", 200, ANSWERING, scene.revocation.pk, scene.revocation.notice_id)
    add("office:licence", 200, ("decider",), scene.revocation.licence.number)
    add("traces:case", 404, NOBODY, number)
    for clock in (task.acknowledge_deadline_id, task.planned_deadline_id, task.feedback_deadline_id):
        add("clock", 200, (*READERS, *TRACING), clock)
        add("clock_days", 200, (*READERS, *TRACING), clock)
    return found


def apis(scene: Scene) -> dict[str, Address]:
    """The same of what the API reads."""
    number = scene.task.number
    said = {
        "api-tasks:task": (READERS, number), "api-tasks:inspections": (READERS, number),
        "api-tasks:inspection-form": (FIELD, number), "api-tasks:rectification": (READERS, number),
        "api-tasks:task_disputes": (OFFICE, number), "api-tasks:dispute": (("overseer",), scene.dispute),
        "api-tasks:draw-plan": ((*MAKERS, "overseer"), scene.plan.pk),
        "api-tasks:draw-plan-preview": ((*MAKERS, "overseer"), scene.plan.pk),
        "api-tasks:draw-plan-drawn": ((*MAKERS, "overseer"), scene.plan.pk),
        "api:revocation": (ANSWERING, scene.revocation.pk),
        "api:licence": (("decider",), scene.revocation.licence.number),
    }  # fmt: skip
    return {name: (reverse(name, args=[arg]), 200, who) for name, (who, arg) in said.items()}


# Lists: address, what in them is of the scene, who finds it there. Everybody else gets 404, or the list without it.
def lists(scene: Scene) -> list[tuple[str, str, tuple[str, ...]]]:
    """With and without search; what is looked for is never what was typed."""
    number, licence = scene.task.number, scene.revocation.licence.number
    page, order = reverse("tasks:task", args=[number]), reverse("tasks:order", args=[scene.order.pk])
    visit, plan = reverse("tasks:visit", args=[scene.visit.pk]), reverse("tasks:draw", args=[scene.plan.pk])
    aside = reverse("tasks:set_aside_answer", args=[scene.aside.pk])
    dispute, revocation = (
        reverse("oversight:dispute", args=[scene.dispute]), reverse("office:revocation", args=[scene.revocation.pk]),
    )  # fmt: skip
    name = scene.task.subject_name
    return [
        ("/tasks/?queue=open", page, READERS),
        (f"/tasks/?q={number}", page, READERS),
        (f"/tasks/?q={name}", page, READERS),
        ("/tasks/?queue=elsewhere", page, READERS),
        (f"/tasks/export.csv?q={name}", number, READERS),
        ("/tasks/orders/?tab=settled", order, READERS),
        (f"/tasks/orders/?tab=settled&q={name}", order, READERS),
        (f"/tasks/orders/export.csv?tab=settled&q={name}", number, READERS),
        ("/tasks/visits/?tab=settled", visit, ("head",)),
        (f"/tasks/visits/?tab=settled&q={number}", visit, ("head",)),
        ("/tasks/visits/export.csv?tab=settled", number, ("head",)),
        ("/tasks/set-asides/?tab=settled", aside, ("head",)),
        (f"/tasks/set-asides/?tab=settled&q={number}", aside, ("head",)),
        ("/tasks/set-asides/export.csv?tab=settled", number, ("head",)),
        ("/tasks/draws/", plan, (*MAKERS, "overseer")),
        (f"/tasks/draws/?q={PLAN}", plan, (*MAKERS, "overseer")),
        ("/tasks/draws/export.csv", PLAN, (*MAKERS, "overseer")),
        ("/oversight/disputes/?tab=confirmed", dispute, ("overseer",)),
        (f"/oversight/disputes/?tab=confirmed&q={number}", dispute, ("overseer",)),
        ("/oversight/disputes/export.csv?tab=confirmed", number, ("overseer",)),
        ("/office/revocations/?tab=noticed", revocation, ("decider",)),
        (f"/office/revocations/?tab=noticed&q={number}", revocation, ("decider",)),
        ("/office/revocations/export.csv?tab=noticed", number, ("decider",)),
        ("/office/hearings/", revocation, ("chair",)),
        ("/office/licences/", reverse("office:licence", args=[licence]), ("decider",)),
        ("/office/licences/export.csv", licence, ("decider",)),
        (f"/api/v1/tasks/?q={name}", number, READERS),
        ("/api/v1/tasks/?queue=elsewhere", number, READERS),
        ("/api/v1/tasks/orders/?tab=settled", number, READERS),
        (f"/api/v1/tasks/orders/?tab=settled&q={name}", number, READERS),
        ("/api/v1/tasks/visits/?status=done", number, ("head",)),
        ("/api/v1/tasks/set-asides/?tab=settled", number, ("head",)),
        ("/api/v1/draw-plans/", PLAN, (*MAKERS, "overseer")),
        ("/api/v1/disputes/?state=confirmed", number, ("overseer",)),
        ("/api/v1/revocations/?queue=noticed", number, ("decider",)),
        ("/api/v1/licences/", licence, ("decider",)),
    ]  # fmt: skip


# Lists that count: they stand as they stood for people who see nothing of the task.
COUNTING = (
    "/tasks/", "/tasks/?queue=closed", "/tasks/orders/", "/tasks/visits/", "/tasks/set-asides/", "/tasks/bulk/",
    "/oversight/",
    "/oversight/disputes/", "/oversight/messages/", "/alarms/", "/office/revocations/", "/office/hearings/",
)  # fmt: skip
BLIND = (
    "not given", "next office", "its inspector", "other department", "other head", "county manager", "county head",
    "county overseer", "county admin", "other decider", "county decider",
)  # fmt: skip


# Pages of a division's or a department's rules and stock, not of anybody's task.
RULES = {
    "checklist", "checklist_new", "checklist_version", "sampling_rule", "sampling_off", "stock_batch", "stock_faults",
    "stock_preview", "stock_preview_faults",
}  # fmt: skip


class Eyes:
    """Browsers and tokens of everybody."""

    def __init__(self, people: dict[str, User], sign_in: SignIn) -> None:
        self.browsers = {name: sign_in(person.username) for name, person in people.items()}
        self.programs = {name: APIClient() for name in people}
        for name, person in people.items():
            self.programs[name].credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")

    def of(self, name: str, address: str) -> Any:
        """With a token where it is the API."""
        return (self.programs if address.startswith("/api/") else self.browsers)[name]


def body(answer: Any) -> str:
    """The text of an answer, streamed or not, without what is new on every page."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return re.sub(r"\b[\w-]{64}\b", "", content.decode("utf-8", "replace"))  # the words against forged forms


# --- what is seen


def _pages(scene: Scene, eyes: Eyes) -> list[str]:
    """What is wrong with the answers of pages and API."""
    faults = []
    for name, (address, code, who) in (pages(scene) | apis(scene)).items():
        cache.clear()
        method = "post" if name.split(" ")[0] in POSTED else "get"
        wanted = 401 if address.startswith("/api/") else 302
        unknown = getattr(APIClient() if wanted == 401 else Client(), method)(address)
        if unknown.status_code != wanted or (wanted == 302 and "/login/" not in unknown["Location"]):
            faults.append(f"{name}: {unknown.status_code} without signing in")
        for person in scene.people:
            answer = getattr(eyes.of(person, address), method)(address)
            expected = code if person in who else 404
            if answer.status_code != expected:
                faults.append(f"{name} / {person}: {answer.status_code} instead of {expected}")
            if answer.status_code == 404 and scene.task.subject_name in body(answer):
                faults.append(f"{name} / {person}: the 404 says whose it is")
    return faults


def _lists(scene: Scene, eyes: Eyes) -> list[str]:
    """What is wrong with lists, searches and exports."""
    faults = []
    for address, mark, who in lists(scene):
        cache.clear()
        for person in scene.people:
            answer = eyes.of(person, address).get(address)
            text = body(answer)
            if answer.status_code not in (200, 404):
                faults.append(f"{address} / {person}: {answer.status_code}")
            if (mark in text) != (person in who):
                faults.append(f"{address} / {person}: {'says' if mark in text else 'does not say'} {mark}")
            if person in BLIND and f"q={scene.task.subject_name}" not in address and scene.task.subject_name in text:
                faults.append(f"{address} / {person}: names the subject")
    return faults


def test_everybody_sees_what_the_table_says(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    scene = whole(task, clock.at)
    eyes = Eyes(scene.people, sign_in)
    faults = _lists(scene, eyes) + _pages(scene, eyes)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
    # Every page that is of one task, or of what hangs on it, is in the table.
    listed = {name.split(" ")[0] for name in pages(scene)}
    patterns = get_resolver().namespace_dict["tasks"][1].reverse_dict
    about_one = {str(name) for name in patterns if isinstance(name, str) and patterns.getlist(name)[0][0][0][1]}
    assert {f"tasks:{name}" for name in about_one - RULES} == {name for name in listed if name.startswith("tasks:")}


def test_no_count_of_others_moves(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    people = {name: play.person(PEOPLE[name]) for name in BLIND}
    eyes = Eyes(people, sign_in)
    seen = {(name, address): body(eyes.of(name, address).get(address)) for name in people for address in COUNTING}
    whole(task, clock.at, drawn=False)
    for (name, address), before in seen.items():
        assert body(eyes.of(name, address).get(address)) == before, f"{address} / {name}"


# --- who tries


def test_a_chair_opens_what_was_put_forward_and_nothing_else(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    standing.fed_back(task, clock.at)
    standing.refused(task, clock.at)
    proposal = _proposed(task, clock.at, [standing.order_key(task)])
    revocation = revoking.fresh(proposal.revocation)
    give_notice(revocation, ground="unqualified", facts="x", days=5, by=standing.decider(revocation), now=clock.at)
    chair, look = revoking.chair_of(revocation), task.inspections.get()
    assert sign_in(chair.username).get(reverse("tasks:paper", args=[proposal.paper_id])).status_code == 404
    clock.at = standing.hearing_planned(revoking.fresh(revocation), clock.at)
    for person in (chair, standing.decider(revocation)):
        browser = sign_in(person.username)
        html = browser.get(reverse("office:revocation", args=[revocation.pk])).content.decode()
        for row in proposal.revocation.evidence:
            assert row["url"] in html
            assert browser.get(row["url"]).status_code == 200
        kept_back = task.papers.exclude(pk__in=[proposal.paper_id, proposal.order.paper_id]).get()
        assert browser.get(reverse("tasks:paper", args=[kept_back.pk])).status_code == 404
        assert browser.get(reverse("tasks:inspection", args=[task.number, look.order])).status_code == 404


def test_guessed_numbers_of_files_and_photos_open_nothing(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    given = play.person(PEOPLE["given"])
    SupervisionTask.objects.filter(pk=task.pk).update(first_officer=given)
    sibling = SupervisionTask.objects.filter(case=task.case).exclude(pk=task.pk).get()
    other = some.notified(clock.at)
    theirs = _archive(other, clock.at)
    mine = standing.taken(task, clock.at)
    browser, manager = sign_in(given.username), sign_in(PEOPLE["manager"])
    # A file of another case, under a task that one may open; a task that one may not, under the same case.
    assert browser.get(reverse("tasks:file", args=[task.number, theirs.pk])).status_code == 404
    assert browser.get(reverse("tasks:file", args=[sibling.number, _archive(task, clock.at).pk])).status_code == 404
    # A photo of a draft is its maker's; one of another task's record does not hang on mine.
    key = uuid.uuid4()
    draft, _ = photos.store(
        SimpleUploadedFile("a.jpg", field.JPEG), task=mine, draft_key=key, client_key=uuid.uuid4(), finding="",
        taken_at=None, by=make.manager(task), now=clock.at,
    )  # fmt: skip
    assert manager.get(reverse("tasks:photo", args=[task.number, draft.pk])).status_code == 200
    assert browser.get(reverse("tasks:photo", args=[task.number, draft.pk])).status_code == 404
    assert sign_in(PEOPLE["overseer"]).get(reverse("tasks:photo", args=[task.number, draft.pk])).status_code == 404
    Photo.objects.filter(pk=draft.pk).update(task=other)
    for wrong in (task.number, other.number):
        assert browser.get(reverse("tasks:photo", args=[wrong, draft.pk])).status_code == 404
    assert manager.get(reverse("tasks:photo", args=[task.number, draft.pk])).status_code == 404
    said = Entry.objects.filter(stream=task.stream, act="file.opened")
    assert said.filter(actor=given).count() == 0


def test_a_draft_is_sent_to_the_own_task_only(task: SupervisionTask, clock: Moment, sign_in: SignIn) -> None:
    given, other = play.person(PEOPLE["given"]), some.notified(clock.at)
    SupervisionTask.objects.filter(pk=task.pk).update(first_officer=given)
    standing.taken(task, clock.at)
    standing.taken(other, clock.at)
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {issue(given).token}")
    key = uuid.uuid4()

    def send(number: str, about: SupervisionTask, **changes: Any) -> int:
        said = standing.as_json(standing.look(about, clock.at, key=key)) | changes
        return int(program.post(reverse("api-tasks:inspections", args=[number]), said, format="json").status_code)

    assert send(other.number, other) == 404
    stolen, _ = photos.store(
        SimpleUploadedFile("a.jpg", field.JPEG), task=standing.fresh(other), draft_key=key, client_key=uuid.uuid4(),
        finding="", taken_at=None, by=make.manager(other), now=clock.at,
    )  # fmt: skip
    # Another's photo does not join, though its keys are known; another's officers do not inspect here.
    assert send(task.number, task, photos=[str(stolen.client_key)]) == 422
    assert send(task.number, task, first_officer=play.person(PEOPLE["its inspector"]).pk) == 422
    assert not Inspection.objects.exists()
    assert send(task.number, task) == 200
    assert Inspection.objects.get().task == task


def test_whose_posting_ended_or_was_taken_off_sees_nothing(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    given = play.person(PEOPLE["given"])
    SupervisionTask.objects.filter(pk=task.pk).update(first_officer=given)
    taken = standing.taken(task, clock.at)
    browser = sign_in(given.username)
    places = [reverse("tasks:task", args=[task.number]), reverse("tasks:inspect", args=[task.number])]
    assert [browser.get(place).status_code for place in places] == [200, 200]
    # Moved to the next office: still the officer on paper, no longer of the office.
    posting = Posting.objects.get(user=given)
    Posting.objects.filter(pk=posting.pk).update(ends_on=timezone.localtime(clock.at).date() - dt.timedelta(days=1))
    next_office = Office.objects.filter(department=task.department).exclude(pk=task.office_id).order_by("pk")[0]
    moved = Posting.objects.create(
        user=given, department=task.department, office=next_office, role=Role.INSPECTOR,
        starts_on=timezone.localtime(clock.at).date(),
    )  # fmt: skip
    assert [browser.get(place).status_code for place in places] == [404, 404]
    assert task.number not in browser.get("/tasks/").content.decode()
    moved.delete()
    Posting.objects.filter(pk=posting.pk).update(ends_on=None)
    assert browser.get(places[0]).status_code == 200
    # Given to somebody else: gone at once.
    other = play.person(PEOPLE["not given"])
    actions.assign(taken, first_officer=other, second_officer=make.manager(task), by=make.manager(task), now=clock.at)
    assert [browser.get(place).status_code for place in places] == [404, 404]
    assert sign_in(other.username).get(places[0]).status_code == 200
