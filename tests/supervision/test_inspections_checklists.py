"""检查表: versions, who may change them, two at once, and what old inspections keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from ledger import verify
from ledger.models import Entry
from offices.models import Posting
from offices.tokens import issue
from supervision import checklists
from supervision.models import Checklist, Inspection, SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]


def lines(task: SupervisionTask, *more: str, **changes: Any) -> dict[str, Any]:
    """The form as it is sent: the points in force and ``more`` of them."""
    known = checklists.current(task.sub_item)
    return {
        "base": str(known.number),
        "key": [*(one.key for one in known.points), *("" for _ in more)],
        "text": [*(one.text for one in known.points), *more],
        "basis": [*(one.basis for one in known.points), *("新规第三条" for _ in more)],
        "note": "按新规增加",
    } | changes


def test_a_new_version_is_for_what_comes_and_old_records_keep_theirs(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = field.ready(clock.at)
    manager = some.manager_of(task)
    browser = sign_in(manager)
    field.inspected(task, clock.at)
    count = len(task.sub_item.points)
    listed = browser.get(reverse("tasks:checklists"))
    assert task.sub_item.name in listed.content.decode()
    new = reverse("tasks:checklist_new", args=[task.sub_item_id])
    assert task.sub_item.points[0] in browser.get(new).content.decode()
    clock.to("2026-09-28 11:00")
    html = browser.post(new, lines(task, "有无违规扩建"), follow=True).content.decode()
    assert "第 1 版检查表已发布" in html
    row = Checklist.objects.get(sub_item=task.sub_item)
    assert [one["key"] for one in row.points] == [*(f"p{n}" for n in range(1, count + 1)), f"v1p{count + 1}"]
    assert row.points[-1] == {"key": f"v1p{count + 1}", "text": "有无违规扩建", "basis": "新规第三条"}
    assert Inspection.objects.get(task=task).checklist_version == 0
    old = browser.get(reverse("tasks:checklist_version", args=[task.sub_item_id, 0])).content.decode()
    assert "已被新版替换" in old
    assert "已用于 1 次检查" in old
    assert "有无违规扩建" in browser.get(reverse("tasks:inspect", args=[task.number])).content.decode()
    assert browser.get(reverse("tasks:checklist_version", args=[task.sub_item_id, 9])).status_code == 404
    exported = browser.get(reverse("tasks:checklists_export"))
    assert task.sub_item.code in b"".join(exported.streaming_content).decode()  # type: ignore[attr-defined]
    narrowed = browser.get(reverse("tasks:checklists"), {"own": "1"}).content.decode()
    assert task.sub_item.code in narrowed
    assert "没有符合条件的检查表" in browser.get(reverse("tasks:checklists"), {"q": "查无此项"}).content.decode()


def test_the_second_of_two_who_change_it_is_told(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    first, second = sign_in(manager), sign_in(f"{manager.split('.')[0]}.fuzeren")
    new = reverse("tasks:checklist_new", args=[task.sub_item_id])
    ours, theirs = lines(task, "甲"), lines(task, "乙")
    assert first.post(new, ours).status_code == 302
    answer = second.post(new, theirs)
    assert answer.status_code == 409
    assert "这份检查表刚被改过，已是第 1 版" in answer.content.decode()
    assert Checklist.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"note": ""}, "请写明这次改了什么、为什么改。"),
        ({}, "与现行版本完全相同"),
        ({"text": [" ", " "], "key": ["", ""], "basis": ["", ""]}, "检查表至少要有一项要点。"),
        ({"text": ["查一查", "查一查"], "key": ["", ""], "basis": ["", ""]}, "写了两遍"),
        ({"text": ["长" * 301], "key": [""], "basis": [""]}, "要点最多 300 字"),
        ({"text": [f"要点{n}" for n in range(61)], "key": [""] * 61, "basis": [""] * 61}, "检查要点最多 60 项"),
    ],
)
def test_what_a_new_version_refuses(
    city: None, clock: Moment, sign_in: SignIn, change: dict[str, Any], sentence: str
) -> None:
    task = some.notified(clock.at)
    new = reverse("tasks:checklist_new", args=[task.sub_item_id])
    back = sign_in(some.manager_of(task)).post(new, lines(task) | change)
    assert back.status_code == 422
    assert sentence in back.content.decode()
    assert not Checklist.objects.exists()


def test_only_the_owning_department_changes_its_checklists(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    owner = task.sub_item.item.department
    manager = some.manager_of(task)
    others = Posting.objects.filter(role__in=["office_manager", "department_head"]).exclude(department=owner)
    names = [row.user.username for row in others.select_related("user").order_by("pk")[:4]]
    addresses = [reverse(f"tasks:{name}", args=[task.sub_item_id]) for name in ("checklist", "checklist_new")]
    for name in [*names, f"{manager}fu", "duban1", "chuangkou1"]:
        browser = sign_in(name)
        for address in addresses:
            assert browser.get(address).status_code == 404, (name, address)
            assert browser.post(address, lines(task, "甲")).status_code in {404, 405}
        shown = browser.get(reverse("tasks:checklists"))
        assert task.sub_item.code not in shown.content.decode()
    assert not Checklist.objects.exists()


def test_the_department_sets_the_most_days_of_a_plan(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    sub_item, manager = task.sub_item, some.manager_of(task)
    url = reverse("tasks:checklist", args=[sub_item.pk])
    browser = sign_in(manager)
    assert '<b class="num">180</b>' in browser.get(url).content.decode()
    for days in ("0", "181", "", "许多"):
        back = browser.post(url, {"days": days, "reason": "按办法第三条"})
        assert back.status_code == 422
        html = back.content.decode()
        assert "请填写 1 到 180 之间的天数。" in html
        assert "按办法第三条" in html
    assert "请写明为什么这样设定。" in browser.post(url, {"days": "30", "reason": " "}).content.decode()
    assert "现在就是 180 天" in browser.post(url, {"days": "180", "reason": "不变"}).content.decode()
    html = browser.post(url, {"days": "30", "reason": "作出许可之日起一个月内核查"}, follow=True).content.decode()
    assert '<b class="num">30</b>' in html
    assert "180 天改为 30 天" in html
    assert "作出许可之日起一个月内核查" in html
    api, door = APIClient(), f"/api/v1/checklists/{sub_item.pk}/plan-limit/"
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(manager)).token}")
    assert api.post(door, {"days": 181, "reason": "放宽"}, format="json").status_code == 422
    assert api.post(door, {"days": 20, "reason": "收紧"}, format="json").json()["longest_plan_days"] == 20
    acts = Entry.objects.filter(stream=f"checklist:{sub_item.pk}").order_by("seq")
    assert [(one.label, one.data["before"], one.data["days"]) for one in acts] == [
        ("设定监管计划最长天数", 180, 30), ("设定监管计划最长天数", 30, 20)
    ]  # fmt: skip
    assert sub_item.history.latest("history_date").history_user == play.person(manager)
    browser.get(reverse("tasks:task", args=[task.number]))
    plan = {"measure": "off_site", "planned_finish_on": "2026-10-19"}
    late = browser.post(reverse("tasks:acknowledge", args=[task.number]), plan)
    assert "计划完成日最迟不超过 20 天。" in late.content.decode()
    for stranger in (
        Posting.objects.filter(role="office_manager").exclude(department=task.department).order_by("pk")[:2]
    ):
        said = {"days": "5", "reason": "不是本部门"}
        assert sign_in(stranger.user.username).post(url, said).status_code == 404
        api.credentials(HTTP_AUTHORIZATION=f"Token {issue(stranger.user).token}")
        assert api.post(door, said, format="json").status_code == 404
    assert sign_in(f"{manager}fu").post(url, {"days": "5", "reason": "副管理员"}).status_code == 404


def test_a_version_is_published_through_the_api_and_on_the_ledger(city: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    manager = play.person(some.manager_of(task))
    api, sub_item = APIClient(), task.sub_item
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(manager).token}")
    listed = {row["code"]: row for row in api.get("/api/v1/checklists/", {"q": sub_item.name}).json()["results"]}
    assert (listed[sub_item.code]["id"], listed[sub_item.code]["version"]) == (sub_item.pk, 0)
    url = f"/api/v1/checklists/{sub_item.pk}/"
    known = api.get(url).json()["versions"]
    assert [point["text"] for point in known[0]["points"]] == sub_item.points
    said = {"base": 0, "points": [*known[0]["points"], {"text": "有无违规扩建"}], "note": "按新规增加"}
    nothing = api.post(url, said | {"note": ""}, format="json")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "note-missing")
    done = api.post(url, said, format="json").json()["versions"]
    assert [one["version"] for one in done] == [1, 0]
    assert (done[0]["published_by"], done[0]["points"][-1]["text"]) == (manager.full_name, "有无违规扩建")
    again = api.post(url, said, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "checklist-overtaken")
    entry = Entry.objects.get(stream=f"checklist:{sub_item.pk}")
    assert (entry.label, entry.actor, entry.data["version"]) == ("发布检查表", manager, 1)
    assert len(entry.data["digest"]) == 64
    assert list(verify.faults()) == []
    stranger = Posting.objects.filter(role="office_manager").exclude(department=task.department).order_by("pk")[0].user
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(stranger).token}")
    assert api.get(url).status_code == api.post(url, said, format="json").status_code == 404
