"""双随机、一公开: plans are made, published, drawn; what is drawn becomes tasks (house.md, Draws)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Licence
from approvals.writing import Writing
from catalogue.models import BusinessItem, SupervisionSubItem
from deadlines.clock import local_date
from ledger.draws import entry, month_after, month_of
from ledger.hashing import sm3_stream
from ledger.models import Draw, Entry
from ledger.record import Draft, record_many
from ledger.samples import WHOLE, chosen, draw_sample, pair
from lianyungang_gov.faults import reach
from notifications.outbox import Draft as Message
from notifications.outbox import post
from offices.access import Access
from offices.bulk import insert_rows
from offices.history import delete_at, save_at
from offices.models import Department, Division, Office, Posting, User
from offices.people import by_office
from supervision import sampling
from supervision.enums import Origin, PlanAct, TaskAct
from supervision.messages import next_rung, opened_draft
from supervision.models import DrawnSubject, DrawPlan, DrawRun, PoolPart, StockLicence, SupervisionTask
from supervision.pools import Inspectors, Pool, Share, inspectors_of, packed, pool_of, shares_of
from supervision.receivers_licence import note_change
from supervision.words import seen, visible

Role = Posting.Role
PURPOSE = "inspection.sample"
PURPOSES = {PURPOSE: "双随机抽查：抽取检查对象和检查人员"}
LONGEST_NAME = 120
LONGEST_SPARE = 24
MONTHS_AHEAD = 12
LATEST_FINISH = 366  # days after the month's first
CHUNK = 1000


# --- plans


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan says, as it was typed; ``ratio`` in hundredths of a percent, None: by risk class."""

    name: str
    sub_item: SupervisionSubItem | None
    business_items: Sequence[BusinessItem]
    month: str
    planned_finish_on: dt.date | None
    area: Division | None = None
    is_key_field: bool = False
    ratio: int | None = None
    spare_months: int = 6


def offices_for(access: Access) -> QuerySet[Office]:
    """Offices for which the person may make plans: those managed or deputised for, a head's of the department."""
    own = Office.objects.filter(pk__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))
    headed = Office.objects.filter(
        department_id__in=access.departments(Role.DEPARTMENT_HEAD), linkages__active=True
    ).distinct()
    return (own.distinct() | headed).select_related("department__division").order_by("department_id", "pk")


def items_for(office: Office) -> QuerySet[BusinessItem]:
    """Items whose holders the office supervises."""
    return BusinessItem.objects.filter(linkages__office=office, linkages__active=True).distinct().order_by("name", "pk")


def sub_items_for(office: Office) -> QuerySet[SupervisionSubItem]:
    """Sub-items of the office's department."""
    return SupervisionSubItem.objects.filter(item__department_id=office.department_id).order_by("code")


def areas_for(office: Office) -> QuerySet[Division]:
    """The office's division and those below it."""
    division = office.department.division
    found = Division.objects.filter(pk=division.pk) | Division.objects.filter(parent=division)
    return found.order_by("code")


def _months(now: dt.datetime) -> list[str]:
    """This month and the next twelve."""
    months = [month_of(now)]
    while len(months) <= MONTHS_AHEAD:
        months.append(month_after(months[-1]))
    return months


def _checked(office: Office, wanted: Wanted, now: dt.datetime) -> dict[str, Any]:
    """The plan's columns; raises ``Refused`` beside the field at fault."""
    name = seen(wanted.name, "name", "计划名称")
    if not name:
        raise Refused("plan-name-missing", "请填写计划名称。", field="name")
    if len(name) > LONGEST_NAME:
        raise Refused("plan-name-long", f"计划名称最多 {LONGEST_NAME} 字，现为 {len(name)} 字。", field="name")
    if wanted.sub_item is None or not sub_items_for(office).filter(pk=wanted.sub_item.pk).exists():
        raise Refused("plan-sub-item", "请选择本部门的监管事项子项。", field="sub_item")
    keys = {item.pk for item in wanted.business_items}
    if not keys or items_for(office).filter(pk__in=keys).count() != len(keys):
        raise Refused("plan-items", "请选择本处室监管的许可事项，至少一项。", field="business_items")
    if wanted.area is not None and not areas_for(office).filter(pk=wanted.area.pk).exists():
        raise Refused("plan-area", "地域须为本区划或者下级区划。", field="area")
    if wanted.month not in _months(now):
        raise Refused("plan-month", "抽取月份须为本月或者此后十二个月之内，例如 2026-10。", field="month")
    if wanted.ratio is not None and not 1 <= wanted.ratio <= WHOLE:
        raise Refused("plan-ratio", "统一比例须在 0.01% 到 100% 之间；不填则按风险等级。", field="ratio")
    if not 0 <= wanted.spare_months <= LONGEST_SPARE:
        raise Refused("plan-spare", f"须在 0 到 {LONGEST_SPARE} 个月之间。", field="spare_months")
    if wanted.is_key_field or wanted.sub_item.is_key_field:
        _check_key_ratio(office, wanted.ratio)
    day, first = wanted.planned_finish_on, dt.date.fromisoformat(f"{wanted.month}-01")
    if day is None:
        raise Refused("plan-finish-missing", "请填写完成期限。", field="planned_finish_on")
    if day < max(first, local_date(now)) or day > first + dt.timedelta(days=LATEST_FINISH):
        raise Refused("plan-finish", "完成期限不能早于抽取月份或者今天，最迟一年之内。", field="planned_finish_on")
    return _columns(wanted)


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": visible(wanted.name),
        "sub_item": wanted.sub_item,
        "area": wanted.area,
        "month": wanted.month,
        "is_key_field": wanted.is_key_field,
        "ratio": wanted.ratio,
        "spare_months": wanted.spare_months,
        "planned_finish_on": wanted.planned_finish_on,
    }


def _check_key_ratio(office: Office, ratio: int | None) -> None:
    """重点领域: a uniform ratio is no discount either. Raises ``Refused`` for one below that of class C."""
    least = sampling.least_ratio(office.department.division_id)
    if ratio is not None and ratio < least:
        text = f"重点领域的统一比例不能低于 C 级的抽取比例（{sampling.percent(least)}）；不填则按风险等级。"
        raise Refused("plan-key-ratio", text, field="ratio")


def said(plan: DrawPlan, items: Iterable[int]) -> dict[str, Any]:
    """What the ledger keeps of a plan."""
    return {
        "office": plan.office_id,
        "name": plan.name,
        "sub_item": plan.sub_item_id,
        "items": sorted(items),
        "area": plan.area_id,
        "month": plan.month,
        "key_field": plan.is_key_field,
        "ratio": plan.ratio,
        "spare_months": plan.spare_months,
        "finish_on": plan.planned_finish_on.isoformat(),
    }


@transaction.atomic
def make_plan(office: Office, wanted: Wanted, *, by: User, now: dt.datetime, key: uuid.UUID | None = None) -> DrawPlan:
    """Make a plan of the office; nothing is public yet. Raises ``Refused`` beside the field at fault.

    The same ``key``, made with the form, gives the same plan; as a conflict where it is another's, where the form was
    changed since (``plan-sent``), or where its plan was removed meanwhile.
    """
    if key is not None and (known := _known(key, office, wanted, by)):
        return known
    plan = DrawPlan(office=office, made_by=by, made_at=now, client_key=key, **_checked(office, wanted, now))
    try:
        with transaction.atomic():
            save_at(plan, now, by=by)
    except IntegrityError:  # the same form, sent twice at once: the first one has made it by now
        known = _known(key, office, wanted, by) if key is not None else None
        if known is None:
            raise
        return known
    plan.business_items.set(wanted.business_items)
    data = said(plan, (item.pk for item in wanted.business_items))
    record_many([Draft(plan.stream, PlanAct.MADE, data, by, fresh=True)], at=now)
    return plan


def _known(key: uuid.UUID, office: Office, wanted: Wanted, by: User) -> DrawPlan | None:
    """The plan that this form became; what was said then is on the ledger, whatever was changed since."""
    plan = DrawPlan.objects.filter(client_key=key).first()
    if plan is None:
        if DrawPlan.history.filter(client_key=key).exists():
            raise TransitionNotAllowed("这份表单保存的抽查计划已经删除；需要的话，请另行制定。")
        return None
    if (plan.office_id, plan.made_by_id) != (office.pk, by.pk):
        raise Refused("plan-key-used", "这份表单的标识已用于另一份抽查计划，请重新打开本页填写。", conflict=True)
    made = Entry.objects.get(stream=plan.stream, act=PlanAct.MADE)
    asked = DrawPlan(office=office, **_columns(wanted))
    if asked.planned_finish_on is None or made.data != said(asked, (item.pk for item in wanted.business_items)):
        raise Refused(
            "plan-sent",
            f"这份表单已于 {timezone.localtime(plan.made_at):%m月%d日 %H:%M} 保存为抽查计划，后来改动的内容没有计入；"
            "请在抽查计划的页面修改。",
            conflict=True,
        )
    return plan


def _locked(plan: DrawPlan) -> DrawPlan:
    """The plan as the wait for its lock left it; what a colleague changed meanwhile is joined afterwards.

    Raises ``TransitionNotAllowed`` where it was removed meanwhile.
    """
    if DrawPlan.objects.select_for_update().only("pk").filter(pk=plan.pk).first() is None:
        raise TransitionNotAllowed("这份抽查计划已经删除，可能有同事已先一步办理。")
    return DrawPlan.objects.select_related("office__department__division", "sub_item", "area").get(pk=plan.pk)


@transaction.atomic
def change_plan(plan: DrawPlan, wanted: Wanted, *, by: User, now: dt.datetime) -> DrawPlan:
    """Change a plan that is not published; raises ``TransitionNotAllowed`` afterwards, ``Refused`` for the input."""
    plan = _locked(plan)
    if plan.is_published:
        raise TransitionNotAllowed("这份抽查计划已经公布，内容不再变更；如有差错，请另行制定计划。")
    for name, value in _checked(plan.office, wanted, now).items():
        setattr(plan, name, value)
    save_at(plan, now, by=by)
    plan.business_items.set(wanted.business_items)
    data = said(plan, (item.pk for item in wanted.business_items))
    record_many([Draft(plan.stream, PlanAct.CHANGED, data, by)], at=now)
    return plan


@transaction.atomic
def remove_plan(plan: DrawPlan, *, by: User, now: dt.datetime) -> None:
    """Remove a plan that is not published, for good; what it said stays in its history and on the ledger.

    Raises ``TransitionNotAllowed`` for one that is public, or that somebody faster removed.
    """
    plan = _locked(plan)
    if plan.is_published:
        raise TransitionNotAllowed("这份抽查计划已经公布，不能删除；公布的计划一直公开。")
    data = said(plan, plan.business_items.values_list("pk", flat=True))
    record_many([Draft(plan.stream, PlanAct.REMOVED, data, by)], at=now)
    delete_at(plan, now, by=by)


@transaction.atomic
def publish_plan(plan: DrawPlan, *, by: User, now: dt.datetime) -> DrawPlan:
    """公布: the plan is frozen and everybody may read it. Raises ``TransitionNotAllowed`` for one that is public."""
    plan = _locked(plan)
    if plan.is_published:
        raise TransitionNotAllowed("这份抽查计划已经公布，可能有同事已先一步办理，请刷新查看。")
    if plan.month < month_of(now):
        raise Refused("plan-month", "抽取月份已过，请先修改月份。", field="month")
    if plan.keeps_ratio:
        _check_key_ratio(plan.office, plan.ratio)
    plan.is_published, plan.published_at = True, now
    save_at(plan, now, by=by)
    data = said(plan, plan.business_items.values_list("pk", flat=True))
    record_many([Draft(plan.stream, PlanAct.PUBLISHED, data, by)], at=now)
    return plan


# --- the draw: pure, so that the replay runs the very same


@dataclass(frozen=True, slots=True)
class One:
    """What was drawn at one place: its order, position in the pool, class, subject, licence, the two inspectors."""

    order: int
    position: int
    risk: str
    subject: int
    licence: int
    first: int
    second: int

    def line(self) -> bytes:
        """As the digest of the result reads it."""
        return f"{self.order},{self.position},{self.subject},{self.first},{self.second}\n".encode()


def drawn_of(
    seed: str, number: int, pool_hash: str, pool: Pool, shares: Sequence[Share], inspectors: Inspectors
) -> Iterator[One]:
    """Everybody whom the seed draws, in order, with two inspectors each.

    An inspector's load grows with every subject given, so that the work of one draw spreads as well.
    """
    given = dict(inspectors.people)
    order, offset = 0, 0
    for share in shares:
        for place in chosen(seed, number, pool_hash, share.key, share.size, share.taken):
            order += 1
            position = offset + place
            risk, subject, licence = pool.at(position)
            fit = [inspectors.people[one][0] for one in inspectors.fit(subject)]
            one, other = pair(seed, number, pool_hash, order, [given[person] for person in fit])
            given[fit[one]] += 1
            given[fit[other]] += 1
            yield One(order, position, risk, subject, licence, fit[one], fit[other])
        offset += share.size


def result_digest(found: Iterable[One]) -> str:
    """SM3 of the lines ``order,position,subject,first,second``."""
    return sm3_stream(one.line() for one in found)


@transaction.atomic
def draw_plan(plan: DrawPlan, *, by: User, now: dt.datetime) -> DrawRun:
    """Draw a published plan, once, in its month: freeze both pools, draw, open the tasks; all or nothing.

    Raises ``TransitionNotAllowed`` (not published, or drawn by somebody faster) or ``Refused`` (another month, nobody
    to be drawn, fewer than two inspectors).
    """
    plan = _locked(plan)
    if not plan.is_published:
        raise TransitionNotAllowed("这份抽查计划还没有公布，请先公布再抽取。")
    if plan.is_drawn:
        raise TransitionNotAllowed("这份抽查计划已经抽取，可能有同事已先一步办理，请刷新查看结果。")
    if plan.month != month_of(now):
        raise Refused("draw-other-month", f"计划在 {plan.month} 抽取，现在是 {month_of(now)}。")
    # Draws of a department come one after the other: whom one has given a task, the next leaves out.
    Department.objects.select_for_update(no_key=True).only("pk").get(pk=plan.office.department_id)
    inspectors = inspectors_of(plan, now)
    if len(inspectors.people) < 2:
        raise Refused("draw-few-inspectors", f"{plan.office.name}可派的检查人员不足两人，请联系区划管理员补充人员。")
    pool = pool_of(plan, inspectors, now)
    shares = shares_of(plan, pool.sizes)
    if not any(share.taken for share in shares):
        raise Refused("draw-empty-pool", "没有可以抽取的对象：请核对许可事项、地域和近期检查情况，或者年度次数已满。")
    parts, digest = _frozen(pool)
    digests: dict[str, str] = {}

    def people(salt: str) -> str:
        digests["inspectors"] = inspectors.digest(salt)
        return digests["inspectors"]

    made = draw_sample(PURPOSE, plan.stream, [one.group for one in shares], subjects=digest, people=people, now=now)
    run = _keep(plan, made, shares, pool, inspectors, digest, digests["inspectors"], by, now)
    for part in parts:
        part.run = run
    PoolPart.objects.bulk_create(parts, batch_size=10)
    found = list(drawn_of(made.period.seed, made.number, made.pool_hash, pool, shares, inspectors))
    _record(plan, run, made, shares, found, by, now)
    _open(plan, run, found, by, now)
    _heed_changes(run, by, now)
    reach("inspection_draw.before_commit")
    return run


def _frozen(pool: Pool) -> tuple[list[PoolPart], str]:
    """The pool in compressed stretches, and the digest of all its lines."""
    parts: list[PoolPart] = []

    def read() -> Iterator[bytes]:
        for count, body in pool.parts():
            parts.append(PoolPart(order=len(parts) + 1, count=count, body=packed(body)))
            yield body

    digest = sm3_stream(read())
    return parts, digest


def _keep(
    plan: DrawPlan, made: Draw, shares: Sequence[Share], pool: Pool, inspectors: Inspectors, subjects: str,
    people: str, by: User, now: dt.datetime,
) -> DrawRun:  # fmt: skip
    conflicts = sorted([one, subject] for subject, aside in inspectors.conflicts.items() for one in aside)
    return DrawRun.objects.create(
        plan=plan,
        draw_period=made.period.name,
        number=made.number,
        subject_pool_hash=subjects,
        inspector_pool_hash=people,
        pools={
            "groups": [share.kept() for share in shares],
            "classes": pool.sizes,
            "left_out": dict(pool.left_out),
            "raised": pool.raised,
            "inspectors": [list(one) for one in inspectors.people],
            "conflicts": conflicts,
        },
        drawn_by=by,
        drawn_at=now,
    )


def _record(
    plan: DrawPlan, run: DrawRun, made: Draw, shares: Sequence[Share], found: list[One], by: User, now: dt.datetime
) -> None:
    """Two entries on the plan's stream: what was frozen, then what was drawn of it."""
    frozen = {
        "draw": f"{run.draw_period}#{run.number}",
        "subjects": run.subject_pool_hash,
        "inspectors": run.inspector_pool_hash,
        "groups": [share.kept() for share in shares],
        "left_out": run.pools["left_out"],
        "raised": run.pools["raised"],
    }
    drawn = entry(made) | {"run": run.pk, "result": result_digest(found)}
    record_many([Draft(plan.stream, PlanAct.FROZEN, frozen, by), Draft(plan.stream, PlanAct.DRAWN, drawn, by)], at=now)


# --- what was drawn becomes tasks


@dataclass(slots=True)
class _Opening:
    """What all tasks of one draw share."""

    plan: DrawPlan
    run: DrawRun
    items: dict[int, BusinessItem]
    people: list[User]
    rung: str = "manager"
    managers: list[int] = field(default_factory=list)

    def number(self, order: int, now: dt.datetime) -> str:
        """``JC20261008`` + six digits of the run + six of the order."""
        return f"JC{local_date(now):%Y%m%d}{self.run.pk:06d}{order:06d}"


def _open(plan: DrawPlan, run: DrawRun, found: Sequence[One], by: User, now: dt.datetime) -> None:
    """Open the tasks of all that were drawn, a stretch at a time: rows, history, ledger, SMS."""
    managers = by_office(Role.OFFICE_MANAGER, [plan.office_id], local_date(now)).get(plan.office_id, [])
    items = {item.pk: item for item in plan.business_items.all()}
    opening = _Opening(plan, run, items, managers, managers=[person.pk for person in managers])
    rest = iter(found)
    while block := list(islice(rest, CHUNK)):
        _open_some(opening, block, by, now)


def _heed_changes(run: DrawRun, by: User, now: dt.datetime) -> None:
    """Tell the new tasks of licences that were suspended or ended after the pool was read (O3.3.3).

    Checked now and not at the commit, the keys hold the cases of what was drawn: a change that was under way is waited
    for and seen here, a later one waits for the draw and finds its task. SQLite writes one transaction at a time.
    """
    if not connection.features.has_select_for_update:
        return
    connection.check_constraints()
    drawn = SupervisionTask.objects.filter(drawn__run=run)
    stands = {"licence__state": Licence.State.VALID, "licence__deregistered_on__isnull": True}
    writing = Writing()
    for task in drawn.filter(licence__isnull=False).exclude(**stands).select_related("licence").order_by("pk"):
        assert task.licence is not None  # noqa: S101 - filtered
        change = task.licence.changes.order_by("-pk")[0]
        note_change([task], licence=task.licence, change=change, by=by, now=now, writing=writing)
    writing.write(now)


TASK = (
    "number", "origin", "case_id", "licence_id", "subject_id", "subject_name", "business_item_id", "department_id",
    "office_id", "sub_item_id", "first_officer_id", "second_officer_id", "measure_with", "opened_at",
)  # fmt: skip
DRAWN = (
    "run_id", "order", "position", "risk", "subject_id", "licence_id", "first_officer_id", "second_officer_id",
    "task_id",
)  # fmt: skip


def _inserted(tasks: Sequence[SupervisionTask], by: User, now: dt.datetime) -> None:
    """Write the tasks with their first row of history, and tell them their ids; three statements on PostgreSQL."""
    rows = [tuple(getattr(task, name) for name in TASK) for task in tasks]
    insert_rows(SupervisionTask, TASK, rows)
    known = dict(SupervisionTask.objects.filter(number__in=[row[0] for row in rows]).values_list("number", "pk"))
    for task in tasks:
        task.pk = known[task.number]
    dated = (now, by.pk, "+")
    insert_rows(
        SupervisionTask.history.model,
        ("id", *TASK, "history_date", "history_user_id", "history_type"),
        [(known[row[0]], *row, *dated) for row in rows],
    )


def _open_some(opening: _Opening, block: Sequence[One], by: User, now: dt.datetime) -> None:
    plan, run = opening.plan, opening.run
    tasks = _tasks(opening, block, now)
    _inserted(tasks, by, now)
    if not opening.people:
        opening.people, opening.rung = next_rung(tasks[0], "manager", local_date(now), exclude=None)
    pairs = list(zip(block, tasks, strict=True))
    insert_rows(
        DrawnSubject,
        DRAWN,
        [
            (
                run.pk,
                one.order,
                one.position,
                one.risk,
                one.subject,
                task.licence_id,
                one.first,
                one.second,
                task.pk,
            )
            for one, task in pairs
        ],  # fmt: skip
    )
    messages: list[Message] = [opened_draft(task, person, opening.rung) for task in tasks for person in opening.people]
    data = {"plan": plan.pk, "run": run.pk, "office": plan.office_id, "managers": opening.managers}
    record_many(
        [
            Draft(
                task.stream,
                TaskAct.OPENED,
                data | {"order": one.order, "officers": [one.first, one.second]},
                by,
                fresh=True,
            )
            for one, task in pairs
        ],
        at=now,
    )
    post(messages, now)


def _tasks(opening: _Opening, block: Sequence[One], now: dt.datetime) -> list[SupervisionTask]:
    plan = opening.plan
    known: dict[int, Any] = {
        row.pk: row
        for row in Licence.objects.filter(pk__in=[one.licence for one in block if one.licence > 0])
        .select_related("holder", "case")
        .only("holder_name", "holder__kind", "holder__name", "case__business_item_id")
    }
    old: dict[int, Any] = {
        -row.pk: row
        for row in StockLicence.objects.filter(pk__in=[-one.licence for one in block if one.licence < 0])
        .select_related("holder")
        .only("holder_name", "business_item_id", "holder__kind", "holder__name")
    }
    rows = []
    for one in block:
        licence = known.get(one.licence)
        source = licence or old[one.licence]
        item = licence.case.business_item_id if licence else source.business_item_id
        rows.append(
            SupervisionTask(
                number=opening.number(one.order, now),
                origin=Origin.DRAW,
                case_id=licence.case_id if licence else None,
                licence_id=licence.pk if licence else None,
                subject=source.holder,
                subject_name=source.holder_name,
                business_item=opening.items[item],
                department_id=plan.office.department_id,
                office=plan.office,
                sub_item_id=plan.sub_item_id,
                first_officer_id=one.first,
                second_officer_id=one.second,
                measure_with=plan.name,
                opened_at=now,
            )
        )
    return rows
