"""The same draft at once: one inspection, one paper, one photo; two new versions at once: one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from offices.models import User
from supervision.enums import PaperKind, TaskStatus, VisitStatus
from supervision.models import Checklist, Inspection, Paper, Photo, Visit
from tests import city as demo_city
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import tasks as some
from tests.supervision.test_inspections_checklists import lines

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Accept": "application/json"}


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def browser_of(username: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    return browser


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts at the same moment, each on its own connection."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_the_same_draft_from_four_threads_is_one_record(town: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    data = field.sheet(task, clock.at)
    browsers = [browser_of(some.manager_of(task)) for _ in range(4)]
    address = reverse("tasks:inspect", args=[task.number])
    answers = together(*(lambda b=browser: b.post(address, data, headers=JSON) for browser in browsers))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Inspection.objects.count() == 1
    assert Paper.objects.filter(kind=PaperKind.INSPECTION).count() == 1
    assert Visit.objects.get(task=task).status == VisitStatus.DONE
    task.refresh_from_db()
    assert task.status == TaskStatus.IN_PROGRESS


def test_two_drafts_at_once_are_two_people_with_one_visit(town: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    manager = some.manager_of(task)
    address = reverse("tasks:inspect", args=[task.number])
    sent = [(browser_of(name), field.sheet(task, clock.at)) for name in (manager, f"{manager}fu")]
    answers = together(*(lambda b=b, d=d: b.post(address, d, headers=JSON) for b, d in sent))
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert [one.json()["code"] for one in answers if one.status_code == 422] == ["visit-missing"]
    assert Inspection.objects.count() == 1


def test_the_same_photo_from_four_threads_is_one(town: None, clock: Moment, tmp_path: Any, settings: Any) -> None:
    settings.UPLOAD_ROOT = tmp_path
    task = field.ready(clock.at)
    address = reverse("tasks:photo_upload", args=[task.number])
    data = {"draft_key": str(uuid.uuid4()), "client_key": str(uuid.uuid4()), "finding": ""}
    browsers = [browser_of(some.manager_of(task)) for _ in range(4)]

    def send(browser: Client) -> Any:
        return browser.post(address, data | {"file": SimpleUploadedFile("a.jpg", field.JPEG)}, headers=JSON)

    answers = together(*(lambda b=browser: send(b) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert Photo.objects.count() == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_two_new_versions_at_once_are_one(town: None, clock: Moment) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    address = reverse("tasks:checklist_new", args=[task.sub_item_id])
    pairs = [
        (browser_of(manager), lines(task, "甲")),
        (browser_of(f"{manager.split('.')[0]}.fuzeren"), lines(task, "乙")),
    ]
    answers = together(*(lambda b=b, d=d: b.post(address, d) for b, d in pairs))
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    assert Checklist.objects.count() == 1
    assert play.person(manager).pk
