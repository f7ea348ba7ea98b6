"""双随机: whom a draw falls on, how many, who is sent; once, all or nothing, and again from the seed."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Conflict, Licence
from catalogue.models import SupervisionSubItem
from credit.models import CreditSubject, SubjectRisk
from ledger import guards
from ledger.draws import commitment_of, keep_periods, replay
from ledger.models import Draw, DrawPeriod, Entry
from ledger.samples import Group, sample_digest
from notifications.models import Message
from offices.models import Division, Leave, User
from supervision import actions, sampling
from supervision.actions import correcting
from supervision.actions.drawing import change_plan, draw_plan, drawn_of, make_plan, publish_plan
from supervision.models import DrawnSubject, DrawRun, Feedback, PoolPart, SupervisionTask, Visit, VisitCap
from supervision.pools import Inspectors, Pool, Share, months_before, preview
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import drawing as some
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import tasks as tasks_of

pytestmark = pytest.mark.django_db
SIZES = {"A": 101, "B": 41, "C": 7, "D": 3, "none": 21}
TAKEN = {"A": 2, "B": 3, "C": 2, "D": 3, "none": 2}


@pytest.fixture
def pool(city: None, clock: Moment) -> list[CreditSubject]:
    """Holders of every class and four inspectors beside the manager and deputies."""
    some.inspectors(4)
    return some.holders(SIZES, clock.at)


def groups(run: DrawRun) -> dict[str, int]:
    return {group["key"]: group["taken"] for group in run.pools["groups"] if group["taken"]}


def replayed(*words: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command("replay_inspection_draw", *words, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


# --- how many, of whom


def test_ratios_are_exact_for_odd_sizes_and_everybody_drawn_gets_a_task(
    pool: list[CreditSubject], clock: Moment
) -> None:
    plan = some.published(clock.at)
    run = draw_plan(plan, by=some.manager(), now=clock.at)
    assert groups(run) == TAKEN
    drawn = list(DrawnSubject.objects.filter(run=run).select_related("task"))
    assert Counter(one.risk for one in drawn) == TAKEN
    assert len({one.subject_id for one in drawn}) == sum(TAKEN.values()) == SupervisionTask.objects.count()
    for one in drawn:
        task = one.task
        assert (task.origin, task.status, task.subject_id) == ("draw", "notified", one.subject_id)
        assert (task.first_officer_id, task.second_officer_id) == (one.first_officer_id, one.second_officer_id)
        assert (task.office_id, task.sub_item_id, task.case_id) == (plan.office_id, plan.sub_item_id, None)
        assert task.history.count() == 1
        assert Entry.objects.get(stream=task.stream).data["order"] == one.order
        assert Message.objects.filter(reference=task.stream, kind="task_opened").count() == 1
    told = [entry.act for entry in Entry.objects.filter(stream=plan.stream).order_by("seq")]
    assert told == ["draw_plan.made", "draw_plan.published", "draw_plan.frozen", "draw_plan.drawn"]


def test_a_uniform_ratio_takes_of_all_alike(pool: list[CreditSubject], clock: Moment) -> None:
    run = draw_plan(some.published(clock.at, ratio=1000), by=some.manager(), now=clock.at)
    assert groups(run) == {"all": 18}  # of 173


def test_a_key_field_gives_no_discount(pool: list[CreditSubject], clock: Moment) -> None:
    found = preview(some.planned(clock.at, is_key_field=True), clock.at)
    assert {share.key: (share.ratio, share.taken) for share in found.shares} == {
        "A": (2000, 21), "B": (2000, 9), "C": (2000, 2), "D": (10000, 3), "none": (2000, 5),
    }  # fmt: skip
    sub_item = some.linkage().sub_item
    sub_item.is_key_field = True
    sub_item.save()
    assert preview(some.planned(clock.at), clock.at).shares[0].ratio == 2000


def test_a_key_field_has_no_discount_by_one_ratio_either(pool: list[CreditSubject], clock: Moment) -> None:
    """Refused when made, changed and published; where the table is raised afterwards, the draw goes by the table."""
    by, office = some.manager(), some.linkage().office
    division = office.department.division
    for ratio in (1, 50, 1999):
        with pytest.raises(Refused) as refused:
            some.planned(clock.at, is_key_field=True, ratio=ratio)
        assert (refused.value.code, refused.value.field) == ("plan-key-ratio", "ratio")
        assert "不能低于 C 级的抽取比例（20%）；" in refused.value.message
    plan = some.planned(clock.at, is_key_field=True, ratio=2000)
    with pytest.raises(Refused) as refused:
        change_plan(plan, some.wanted(is_key_field=True, ratio=500), by=by, now=clock.at)
    assert refused.value.code == "plan-key-ratio"
    early = some.published(clock.at, is_key_field=True, ratio=2000)
    sampling.set_rule(division, "C", ratio=2550, times_a_year=2, basis="局发〔2026〕1号", by=by, now=clock.at)
    with pytest.raises(Refused) as refused:
        publish_plan(plan, by=by, now=clock.at)
    assert (refused.value.code, "抽取比例（25.5%）；" in refused.value.message) == ("plan-key-ratio", True)
    run = draw_plan(early, by=by, now=clock.at)
    assert [(group["ratio"], group["taken"]) for group in run.pools["groups"]] == [(2550, 45)]  # of 173

    link = some.linkage()
    link.sub_item.is_key_field = True
    link.sub_item.save()
    with pytest.raises(Refused) as refused:
        some.planned(clock.at, ratio=2549)
    assert refused.value.code == "plan-key-ratio"


def test_in_the_draw_of_a_key_field_no_class_is_drawn_less_than_class_c(
    pool: list[CreditSubject], clock: Moment
) -> None:
    by, division = some.manager(), some.linkage().office.department.division
    sampling.set_rule(division, "D", ratio=100, times_a_year=1, basis="局发〔2026〕1号", by=by, now=clock.at)
    run = draw_plan(some.published(clock.at, is_key_field=True), by=by, now=clock.at)
    assert groups(run) == {"A": 21, "B": 9, "C": 2, "D": 1, "none": 5}
    drawn = DrawnSubject.objects.filter(run=run).values_list("risk", flat=True)
    assert Counter(drawn) == groups(run)
    again = draw_plan(some.published(clock.at, is_key_field=True), by=by, now=clock.at)
    assert {group["used"] for group in again.pools["groups"]} == {1}
    assert set(groups(again)) == set(SIZES)  # as often a year as C


def test_a_draw_by_one_ratio_counts_for_every_class_in_its_pool(pool: list[CreditSubject], clock: Moment) -> None:
    by = some.manager()
    some.holders({"A": 10}, clock.at)
    first = draw_plan(some.published(clock.at, ratio=1000), by=by, now=clock.at)
    assert groups(first) == {"all": 19}  # of 183
    counted = {share.key: (share.used, share.taken > 0) for share in preview(some.planned(clock.at), clock.at).shares}
    assert counted == {"A": (1, False), "B": (1, False), "C": (1, True), "D": (1, True), "none": (1, False)}

    # A, B and the unrated had their one draw: one ratio for all falls on them no more.
    second = draw_plan(some.published(clock.at, ratio=10000, spare_months=0), by=by, now=clock.at)
    drawn = set(DrawnSubject.objects.filter(run=second).values_list("risk", flat=True))
    assert drawn <= {"C", "D"}
    assert groups(second)["all"] == sum(second.pools["classes"][risk] for risk in "CD") > 0
    left = second.pools["left_out"]
    assert left["open"] + left["spent"] + groups(second)["all"] == 183
    assert replayed(str(second.pk), "--secret")[0] == 0

    third = some.published(clock.at)
    used = {share.key: share.used for share in preview(third, clock.at).shares}
    assert used == {"A": 1, "B": 1, "C": 2, "D": 2, "none": 1}
    with pytest.raises(Refused) as refused:  # all of D have an open task, the others had their draws
        draw_plan(third, by=by, now=clock.at)
    assert refused.value.code == "draw-empty-pool"
    # Another year counts from nought.
    january = some.planned(clock.at, month="2027-01", planned_finish_on=date(2027, 2, 26))
    assert {share.used for share in preview(january, clock.at).shares} == {0}
    # What was drawn before the classes were kept counts for all of them.
    run = DrawRun.objects.get(pk=first.pk)
    del run.pools["classes"]
    assert sampling.drawn_classes(run.pools) == set(SIZES)


def test_the_divisions_table_counts_and_a_class_is_drawn_so_often_a_year(
    pool: list[CreditSubject], clock: Moment
) -> None:
    by, division = some.manager(), some.linkage().office.department.division
    sampling.set_rule(division, "A", ratio=5000, times_a_year=2, basis="局发〔2026〕1号", by=by, now=clock.at)
    first = draw_plan(some.published(clock.at), by=by, now=clock.at)
    assert groups(first) == TAKEN | {"A": 51}
    second = draw_plan(some.published(clock.at), by=by, now=clock.at)
    # B and the unrated had their one draw of the year; of the rest those already drawn have an open task.
    assert groups(second) == {"A": 25, "C": 1}
    assert second.pools["left_out"] == {"open": sum((TAKEN | {"A": 51}).values())}
    with pytest.raises(Refused) as refused:
        sampling.set_rule(division, "A", ratio=0, times_a_year=2, basis="x", by=by, now=clock.at)
    assert refused.value.code == "sampling-ratio"
    rule = sampling.table(division.pk)["A"].rule
    assert rule is not None
    sampling.unset_rule(rule, reason="文件废止", by=by, now=clock.at)
    assert sampling.table(division.pk)["A"].ratio == 100
    assert [row.history_change_reason for row in rule.history.all()] == ["文件废止", "局发〔2026〕1号"]


# --- who is left out


def test_who_is_in_the_pool(city: None, clock: Moment) -> None:
    some.inspectors(2)
    tasks_of.notified(clock.at)
    licence = Licence.objects.get()
    plan = some.planned(clock.at, ratio=10000)
    assert preview(plan, clock.at).left_out == [("已有本子项的未结任务", 1)]
    SupervisionTask.objects.all().delete()
    assert preview(plan, clock.at).taken == 1
    for state in ("suspended", "revoked", "withdrawn", "deregistered"):
        Licence.objects.update(state=state)
        assert preview(plan, clock.at).taken == 0, state
    Licence.objects.update(state="valid", valid_to=date(2026, 9, 27))
    assert preview(plan, clock.at).taken == 0
    Licence.objects.update(valid_to=date(2026, 9, 28), deregistered_on=date(2026, 9, 1))
    assert preview(plan, clock.at).taken == 0
    Licence.objects.update(deregistered_on=None)
    assert preview(plan, clock.at).taken == 1
    some.holders({"A": 2}, clock.at, valid_to=date(2026, 9, 27))
    some.holders({"A": 3}, clock.at, valid_to=date(2026, 9, 28))
    assert preview(plan, clock.at).taken == 4
    elsewhere = Division.objects.exclude(pk=plan.office.department.division_id).first()
    plan.area = elsewhere
    assert preview(plan, clock.at).taken == 0
    plan.area = licence.case.division
    assert preview(plan, clock.at).taken == 4


def test_visits_lately_and_at_the_cap_leave_out(pool: list[CreditSubject], clock: Moment) -> None:
    """A visit made five months ago keeps a subject out of a plan with six spare months, two of this year of any."""
    run = draw_plan(some.published(clock.at, ratio=10000), by=some.manager(), now=clock.at)
    tasks = [one.task for one in run.drawn.select_related("task")[:3]]
    SupervisionTask.objects.update(
        status="closed", end="conforming", closed_at=clock.at, measure="none_now", measure_reason="x",
        finished_on=date(2026, 9, 1),
    )  # fmt: skip

    def visit(task: SupervisionTask, day: date, status: str) -> None:
        Visit.objects.create(
            task=task, subject=task.subject, department=task.department, year=day.year, purpose="查", planned_on=day,
            status=status, requested_by=some.manager(), requested_at=clock.at, settled_by=some.manager(),
            settled_at=clock.at,
        )  # fmt: skip

    visit(tasks[0], date(2026, 4, 28), "done")
    visit(tasks[1], date(2026, 2, 1), "done")
    visit(tasks[2], date(2026, 1, 5), "done")
    visit(tasks[2], date(2026, 12, 1), "approved")
    plan = some.planned(clock.at)
    assert preview(plan, clock.at).left_out == [("近期已经检查过", 1), ("今年入企检查已达上限", 1)]
    plan.spare_months = 0
    assert preview(plan, clock.at).left_out == [("今年入企检查已达上限", 1)]
    plan.spare_months = 8
    assert preview(plan, clock.at).left_out[0] == ("近期已经检查过", 2)
    VisitCap.objects.create(department=plan.office.department, times=1, basis="x")
    plan.spare_months = 0
    assert preview(plan, clock.at).left_out == [("今年入企检查已达上限", 3)]
    SupervisionTask.objects.filter(pk=tasks[0].pk).update(measure="off_site")
    plan.spare_months = 1
    assert preview(plan, clock.at).left_out == [("今年入企检查已达上限", 3)]  # a day of finishing proves nothing
    Feedback.objects.create(
        task=tasks[0], result="conforming", text="已核查。", platform="market", platform_number="JG-1",
        given_by=some.manager(), given_at=clock.at,
    )  # fmt: skip
    assert preview(plan, clock.at).left_out[0] == ("近期已经检查过", 1)
    SupervisionTask.objects.filter(pk=tasks[0].pk).update(measure="random_draw")  # proved by its draw or its record
    assert preview(plan, clock.at).left_out == [("今年入企检查已达上限", 3)]


@pytest.mark.parametrize("road", ["visit", "record", "finish"])
def test_a_check_that_was_set_aside_leaves_nobody_out(
    city: None, clock: Moment, sign_in: Callable[[str], Client], road: str
) -> None:
    """Granted, the record is no check any more, nor its visit, nor the finish; the visit still counts for the cap."""
    some.inspectors(2)
    task = field.ready(clock.at) if road == "visit" else field.acknowledged(clock.at, "off_site")
    clock.to("2026-09-28 15:00")
    if road == "visit":
        field.inspected(task, clock.at)
    else:
        make.look(task, clock.at, bad=False)
    if road == "finish":
        actions.finish(task, finished_on=clock.at.date(), by=make.manager(task), now=clock.at)
    asked = correcting.ask_set_aside(
        task, record=1, reason="查的是隔壁企业，把对象弄错了。", by=make.manager(task), now=clock.at
    )
    wanted = some.wanted(ratio=10000, sub_item=task.sub_item)
    plan = make_plan(task.office, wanted, by=make.manager(task), now=clock.at)
    plan.sub_item = SupervisionSubItem.objects.exclude(pk=task.sub_item_id)[0]  # of its own the task is open
    assert preview(plan, clock.at).left_out == [("近期已经检查过", 1)]
    head = sign_in(make.head(task).username)
    answer = {"verdict": "grant", "answer": "经核对照片，确属对象错误。"}
    assert head.post(reverse("tasks:set_aside_answer", args=[asked.pk]), answer).status_code == 302
    found = preview(plan, clock.at)
    assert (found.left_out, found.taken) == ([], 1)
    VisitCap.objects.create(department=plan.office.department, times=1, basis="x")
    assert preview(plan, clock.at).left_out == ([("今年入企检查已达上限", 1)] if road == "visit" else [])
    VisitCap.objects.all().delete()
    if road == "visit":
        field.approve_visit(task, clock.at)
        field.inspected(task, clock.at)
    else:
        make.look(task, clock.at, bad=False)
    assert preview(plan, clock.at).left_out == [("近期已经检查过", 1)]


def test_months_before_end_on_a_day_that_exists() -> None:
    assert months_before(date(2026, 8, 31), 6) == date(2026, 2, 28)
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2026, 1, 15), 13) == date(2024, 12, 15)


def test_the_newest_class_counts(city: None, clock: Moment) -> None:
    (subject,) = some.holders({"A": 1}, clock.at)
    plan = some.planned(clock.at)

    def class_now() -> str:
        return next(share.key for share in preview(plan, clock.at).shares if share.size)

    assert class_now() == "A"
    later = clock.at + timedelta(hours=1)
    SubjectRisk.objects.create(subject=subject, risk="D", source="x", given_at=later, received_at=clock.at)
    assert class_now() == "D"
    SubjectRisk.objects.all().delete()
    assert class_now() == "none"


# --- who is sent


def test_leave_and_conflicts_are_respected_and_two_different_people_are_sent(
    pool: list[CreditSubject], clock: Moment
) -> None:
    people = list(User.objects.filter(username__startswith="jiancha").order_by("pk"))
    away, aside = people[0], people[1]
    Leave.objects.create(
        user=away, starts_on=date(2026, 9, 28), ends_on=date(2026, 9, 28), entered_by=away, entered_at=clock.at
    )
    for subject in pool[::2]:
        Conflict.objects.create(user=aside, subject=subject, key=str(subject.code), reason="亲属", declared_at=clock.at)
    run = draw_plan(some.published(clock.at, ratio=10000), by=some.manager(), now=clock.at)
    barred = {subject.pk for subject in pool[::2]}
    sent = Counter[int]()
    for one in run.drawn.all():
        pair = {one.first_officer_id, one.second_officer_id}
        assert len(pair) == 2
        assert away.pk not in pair
        assert one.subject_id not in barred or aside.pk not in pair
        sent.update(pair)
    assert set(sent) == {person for person, _ in run.pools["inspectors"]}
    assert sent[aside.pk] > 0
    others = [n for person, n in sent.items() if person != aside.pk]
    assert max(others) - min(others) <= 40  # loads grow with what is given: the work of one draw spreads
    assert replayed(str(run.pk), "--secret")[0] == 0


def test_whom_only_one_may_look_at_is_left_out_and_two_are_needed(city: None, clock: Moment) -> None:
    subjects = some.holders({"D": 2}, clock.at)
    plan = some.published(clock.at)
    own = [person for person, _ in _inspectors(plan, clock).people]
    for person in own[1:]:
        Conflict.objects.create(user_id=person, subject=subjects[0], reason="亲属", declared_at=clock.at)
    run = draw_plan(plan, by=some.manager(), now=clock.at)
    assert [one.subject_id for one in run.drawn.all()] == [subjects[1].pk]
    assert run.pools["left_out"] == {"conflicted": 1}
    for person in own[1:]:
        Leave.objects.create(
            user_id=person, starts_on=date(2026, 9, 1), ends_on=date(2026, 9, 30), entered_by_id=person,
            entered_at=clock.at,
        )  # fmt: skip
    with pytest.raises(Refused) as refused:
        draw_plan(some.published(clock.at), by=some.manager(), now=clock.at)
    assert refused.value.code == "draw-few-inspectors"


def _inspectors(plan: object, clock: Moment) -> Inspectors:
    from supervision.pools import inspectors_of

    return inspectors_of(plan, clock.at)  # type: ignore[arg-type]


# --- fair


@pytest.mark.once
def test_over_ten_thousand_seeds_everybody_is_drawn_and_sent_alike() -> None:
    """The whole arithmetic of a draw over a small pool: chi-square at the 0.001 level."""
    pool = Pool()
    for subject in range(1, 9):
        pool.add("C", subject, subject)
    shares = [Share("C", "C", 8, 2500, 2)]
    inspectors = Inspectors([(11, 0), (12, 0), (13, 0), (14, 0)], {})
    digest = sample_digest("f" * 64, [Group("C", 8, 2)])
    subjects, people = Counter[int](), Counter[int]()
    for number in range(10_000):
        for one in drawn_of(commitment_of(str(number)), 1, digest, pool, shares, inspectors):
            subjects[one.subject] += 1
            people.update((one.first, one.second))
    assert sum((subjects[one] - 2500) ** 2 / 2500 for one in range(1, 9)) < 24.322  # 7 degrees
    assert sum((people[one] - 10_000) ** 2 / 10_000 for one in range(11, 15)) < 16.266  # 3 degrees


# --- once, all or nothing


def test_a_plan_is_frozen_when_published_and_drawn_in_its_month(pool: list[CreditSubject], clock: Moment) -> None:
    by, plan = some.manager(), some.planned(clock.at, month="2026-10")
    with pytest.raises(TransitionNotAllowed):
        draw_plan(plan, by=by, now=clock.at)
    change_plan(plan, some.wanted(month="2026-10", name="改过"), by=by, now=clock.at)
    publish_plan(plan, by=by, now=clock.at)
    with pytest.raises(TransitionNotAllowed):
        change_plan(plan, some.wanted(), by=by, now=clock.at)
    with pytest.raises(TransitionNotAllowed):
        publish_plan(plan, by=by, now=clock.at)
    with pytest.raises(Refused) as refused:
        draw_plan(plan, by=by, now=clock.at)
    assert refused.value.code == "draw-other-month"
    assert not DrawRun.objects.exists()
    run = draw_plan(plan, by=by, now=clock.to("2026-10-09 10:00"))
    assert run.draw_period == "2026-10"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "plan-name-missing"), ({"name": "\u200b"}, "plan-name-missing"),
        ({"name": "九月\u202e抽查"}, "characters-unseen"), ({"sub_item": None}, "plan-sub-item"),
        ({"business_items": []}, "plan-items"), ({"month": "2026-08"}, "plan-month"),
        ({"month": "2026-9"}, "plan-month"),
        ({"ratio": 0}, "plan-ratio"), ({"spare_months": 25}, "plan-spare"),
        ({"planned_finish_on": None}, "plan-finish-missing"), ({"planned_finish_on": date(2026, 9, 27)}, "plan-finish"),
        ({"name": "长" * 121}, "plan-name-long"),
    ],
)  # fmt: skip
def test_what_a_plan_must_say(city: None, clock: Moment, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        make_plan(some.linkage().office, some.wanted(**changes), by=some.manager(), now=clock.at)
    assert refused.value.code == code


def test_nobody_to_draw_is_refused_and_takes_no_number(city: None, clock: Moment) -> None:
    some.inspectors(2)
    plan = some.published(clock.at)
    with pytest.raises(Refused) as refused:
        draw_plan(plan, by=some.manager(), now=clock.at)
    assert refused.value.code == "draw-empty-pool"
    assert not Draw.objects.exists()
    assert DrawPeriod.objects.get(month="2026-09").drawn == 0


@pytest.mark.django_db(transaction=True)
def test_two_draws_at_once_give_one_result(city: None, clock: Moment) -> None:
    some.inspectors(3)
    some.holders(SIZES, clock.at)
    plan = some.published(clock.at)
    accounts = [some.manager().username, f"{some.manager().username}fu"]
    barrier = Barrier(4)

    def press(account: str) -> int:
        try:
            browser = Client()
            browser.force_login(User.objects.get(username=account))
            barrier.wait()
            return browser.post(f"/tasks/draws/{plan.pk}/drawing/").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(press, accounts * 2))
    assert codes == [302, 409, 409, 409]
    run = DrawRun.objects.get()
    assert SupervisionTask.objects.count() == run.drawn.count() == sum(TAKEN.values())
    assert (Draw.objects.count(), DrawPeriod.objects.get(month="2026-09").drawn) == (1, 1)
    assert replayed(str(run.pk), "--secret")[0] == 0


# --- again


def test_a_draw_replays_exactly_before_the_reveal_only_for_the_auditor(
    pool: list[CreditSubject], clock: Moment
) -> None:
    run = draw_plan(some.published(clock.at), by=some.manager(), now=clock.at)
    with pytest.raises(CommandError, match="not revealed"):
        call_command("replay_inspection_draw", str(run.pk))
    code, said = replayed(str(run.pk), "--secret")
    assert (code, said) == (0, "2026-09#1: 12 drawn, 0 differences\n")
    with pytest.raises(CommandError, match="no run"):
        call_command("replay_inspection_draw", "999")
    keep_periods(clock.to("2026-10-01 00:10"))
    assert replayed("2026-09#1") == (0, "2026-09#1: 12 drawn, 0 differences\n")
    period = DrawPeriod.objects.get(month="2026-09")
    assert list(replay(period, seed=period.revealed_seed)) == []


def _send_another(one: DrawnSubject) -> None:
    drawn = [one.first_officer_id, one.second_officer_id]
    one.first_officer = User.objects.exclude(pk__in=drawn).order_by("pk")[0]
    one.save()


TAMPERINGS: dict[str, tuple[Callable[[DrawRun], object], str]] = {
    "another subject": (
        lambda run: run.drawn.filter(order=1).update(subject=CreditSubject.objects.exclude(drawn__run=run).first()),
        "number 1 of the drawn differs",
    ),
    "another inspector": (lambda run: _send_another(run.drawn.get(order=2)), "number 2 of the drawn differs"),
    "one left out": (lambda run: run.drawn.filter(order=3).delete(), "number 3 of the drawn differs"),
    "the pool": (
        lambda run: PoolPart.objects.filter(run=run).delete(),
        "the pool of subjects does not give its digest",
    ),
    "a load": (
        lambda run: DrawRun.objects.filter(pk=run.pk).update(
            pools=run.pools | {"inspectors": [[one, 9] for one, _ in run.pools["inspectors"]]}
        ),
        "the pool of inspectors does not give its digest",
    ),
    "the ledger": (
        lambda run: Entry.objects.filter(act="draw_plan.drawn").update(data={"result": ""}),
        "the ledger's entry of the result says otherwise",
    ),
    "frozen afterwards": (
        lambda run: Entry.objects.filter(act="draw_plan.frozen").delete(),
        "were frozen before the draw",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(pool: list[CreditSubject], clock: Moment, name: str) -> None:
    run = draw_plan(some.published(clock.at), by=some.manager(), now=clock.at)
    guards.remove(connection)  # as if somebody had the database in hand; the rollback brings the guards back
    tamper, reason = TAMPERINGS[name]
    tamper(run)
    code, said = replayed(str(run.pk), "--secret")
    assert code == 1
    assert reason in said


def test_the_public_checks_a_draw_with_the_documented_script(
    pool: list[CreditSubject], clock: Moment, tmp_path: Path
) -> None:
    plan = some.published(clock.at)
    draw_plan(plan, by=some.manager(), now=clock.at)
    browser = Client()
    assert browser.get(f"/api/v1/inspection-draws/{plan.pk}/").json()["run"]["seed"] == ""
    keep_periods(clock.to("2026-10-01 00:10"))
    body = browser.get(f"/api/v1/inspection-draws/{plan.pk}/").json()
    table = b"".join(browser.get(f"/draws/inspections/{plan.pk}/positions.csv").streaming_content).decode()  # type: ignore[attr-defined]
    text = (settings.BASE_DIR / "docs/mechanisms/inspection-draws.md").read_text()
    script = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]

    def checked(said: object, positions: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "run.json").write_text(json.dumps(said))
        (tmp_path / "positions.csv").write_text(positions)
        words = [sys.executable, "-c", script, str(tmp_path / "run.json"), str(tmp_path / "positions.csv")]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    assert checked(body, table).stdout == "12 positions replay\n"
    rows = list(csv.reader(StringIO(table.lstrip("\ufeff"))))
    other = table.replace(f"1,{rows[1][1]}\r\n", f"1,{int(rows[1][1]) % 101 + 1}\r\n", 1)
    assert "other positions" in checked(body, other).stderr
    body["run"]["groups"][0]["size"] += 1
    assert "the groups" in checked(body, table).stderr
    monthly = b"".join(browser.get("/draws/2026-09.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "SM3-sample-1" in monthly
    assert play.item().name in browser.get(f"/draws/inspections/{plan.pk}/").content.decode()


def test_a_drawn_task_is_planned_within_the_plan(pool: list[CreditSubject], clock: Moment) -> None:
    """No planned day after the plan's own, one by one and together; once that is past, today."""
    run = draw_plan(some.published(clock.at, planned_finish_on=date(2026, 10, 12)), by=some.manager(), now=clock.at)
    first, *others = [one.task for one in run.drawn.select_related("task__sub_item").order_by("order")]
    by = some.manager()
    for task in (first, *others):
        actions.view_task(task, by=by, now=clock.at)
    late: dict[str, Any] = {"measure": "off_site", "planned_finish_on": date(2026, 10, 13), "by": by, "now": clock.at}
    for refused in (lambda: actions.acknowledge(first, **late), lambda: actions.acknowledge_many(others, **late)):
        with pytest.raises(Refused, match="不能晚于抽查计划的完成期限（2026-10-12）") as error:
            refused()
        assert (error.value.code, error.value.field) == ("planned-day-after-draw-plan", "planned_finish_on")
    actions.acknowledge(first, **late | {"planned_finish_on": date(2026, 10, 12)})
    actions.acknowledge_many(others[:3], **late | {"planned_finish_on": date(2026, 10, 10)})
    clock.to("2026-10-15 10:00")
    again: dict[str, Any] = {"measure": "off_site", "by": by, "now": clock.at}
    with pytest.raises(Refused, match="2026-10-15"):
        actions.acknowledge(others[3], planned_finish_on=date(2026, 10, 16), **again)
    actions.acknowledge(others[3], planned_finish_on=date(2026, 10, 15), **again)
