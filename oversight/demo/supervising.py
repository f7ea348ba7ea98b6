"""Invented tasks of supervision in every state: stories that began weeks ago, played through the real actions.

A story is a generator: it yields the moment of its next step and then takes it. The stories are played together in
the order of time, and what a day queues is sent on that day, as if the portal had run all the while.
"""

from __future__ import annotations

import csv
import datetime as dt
import heapq
import io
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from django.db import transaction

from approvals.actions import deliver as hand_out
from approvals.actions.revoking import decide_revocation, give_notice, hear_holder
from approvals.enums import Door
from approvals.models import Revocation
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit.actions import judging
from credit.models import CreditFact, Push
from deadlines import calendar
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.draws import LOCAL, keep_periods, month_after, month_of
from notifications.deliver import deliver
from offices.models import Office, Posting, User
from oversight.demo.cases import BROKE_ITS_WORD, COMPANIES, code_of, play, receive
from supervision import actions, checklists, starting, stock
from supervision.actions import disputing, drawing, handing_over, ordering, proposing, stocking, visiting
from supervision.actions.inspecting import FindingDraft, InspectionDraft, record_inspection, running_order
from supervision.enums import FindingKind, InspectionKind, OffSite, Result
from supervision.models import DrawPlan, Rectification, SupervisionTask
from supervision.models.orders import unanswered

Role = Posting.Role
Story = Generator[dt.datetime, None, None]
FIRE = "公众聚集场所营业前消防安全检查（告知承诺）"
HEALTH = "公共场所卫生许可（新办，告知承诺）"
HIRE = "人力资源服务许可（职业中介）"
HAUL = "危险货物道路运输经营许可（新办）"
FAULT = "与承诺不符（演示）。"
FED = {"platform": "internet_plus", "text": "已按检查表逐项核查（演示）。"}
CONFORMING, NONCONFORMING = Result.CONFORMING.value, Result.NONCONFORMING.value


def load(now: dt.datetime) -> int:
    """Play all stories up to ``now``; return how many tasks there are. Nothing where the catalogue lacks an item."""
    items = {one.name: one for one in BusinessItem.objects.published().filter(name__in=(FIRE, HEALTH, HIRE, HAUL))}
    if len(items) < 4:
        return 0
    before = SupervisionTask.objects.count()
    stage = Stage(now, User.objects.get(username="chuangkou1"), items)
    _play(stage, [story(stage) for story in STORIES])
    # The credit platform of a demonstration was not there on those days: what they queued is due from now on.
    Push.objects.filter(state=Push.State.QUEUED, next_attempt_at__lt=now).update(next_attempt_at=now)
    return SupervisionTask.objects.count() - before


def _play(stage: Stage, stories: list[Story]) -> None:
    """Take the steps of all stories in the order of time; a day's SMS go out after its last step."""
    waiting = [(next(story), place) for place, story in enumerate(stories)]
    heapq.heapify(waiting)
    while waiting:
        at = waiting[0][0]
        with transaction.atomic():
            while waiting and local_date(waiting[0][0]) == local_date(at):
                at, place = waiting[0]
                following = next(stories[place], None)
                if following is None:
                    heapq.heappop(waiting)
                else:
                    heapq.heapreplace(waiting, (following, place))
        while deliver(at).more:
            pass


@dataclass
class Stage:
    """The day on which the stories end, who took the cases in, the items by name, and the people by seat."""

    now: dt.datetime
    clerk: User
    items: dict[str, BusinessItem]
    people: dict[tuple[str, int], list[User]] = field(default_factory=dict)

    def ago(self, days: int, hour: int = 10) -> dt.datetime:
        """That hour of the day that lies so many working days back, at least one."""
        day, held = local_date(self.now), calendar.recent()
        while days:
            day -= dt.timedelta(days=1)
            days -= held.is_working(day)
        return dt.datetime.combine(day, dt.time(hour), tzinfo=LOCAL)

    def tasks(self, name: str, company: int, at: dt.datetime) -> list[SupervisionTask]:
        """A case of that item, granted on a promise, completed and handed out, and its tasks."""
        case = receive(self.items[name], company, self.clerk, at, modes=[PromiseMode.POST_CHECK])
        case = play(case, "completed", self.clerk, at)
        hand_out(case, method="counter", receiver="演示领取人", by=self.clerk, now=at)
        return list(case.tasks.select_related("office__department", "sub_item", "business_item").order_by("pk"))

    def who(self, role: Role, office: Office) -> list[User]:
        """Who has the seat in the office, or at the head of its department."""
        head = role is Role.DEPARTMENT_HEAD
        key = (role.value, office.department_id if head else office.pk)
        if key not in self.people:
            where = {"department_id": key[1]} if head else {"office_id": key[1]}
            rows = Posting.objects.role(role).filter(**where).select_related("user").order_by("pk")
            self.people[key] = [row.user for row in rows]
        return self.people[key]

    def manager(self, task: SupervisionTask) -> User:
        """Who manages the office of the task."""
        return self.who(Role.OFFICE_MANAGER, task.office)[0]

    def head(self, task: SupervisionTask) -> User:
        """Who heads its department."""
        return self.who(Role.DEPARTMENT_HEAD, task.office)[0]

    def officers(self, task: SupervisionTask) -> tuple[User, User]:
        """The two inspectors of its office."""
        first, second = self.who(Role.INSPECTOR, task.office)[:2]
        return first, second

    def decider(self, one: Revocation) -> User:
        """A decider of the office that handles the proposal, who did not grant the licence."""
        people = self.who(Role.DECIDER, one.office)
        return next(person for person in people if person.pk != one.case.decider_id)

    def credit_officer(self, fact: CreditFact) -> User:
        """A credit officer of the department that found it."""
        seats = Posting.objects.role(Role.CREDIT_OFFICER).filter(department=fact.department)
        return seats.select_related("user").order_by("pk")[0].user


# --- acts


def take(stage: Stage, task: SupervisionTask, at: dt.datetime, *, measure: str = "on_site", days: int = 20) -> None:
    """查看、签收、分派 to the two inspectors."""
    manager, (first, second) = stage.manager(task), stage.officers(task)
    actions.view_task(task, by=manager, now=at)
    actions.acknowledge(
        task, measure=measure, planned_finish_on=local_date(at) + dt.timedelta(days=days), by=manager, now=at,
        first_officer=first, second_officer=second,
    )  # fmt: skip


def ask_visit(stage: Stage, task: SupervisionTask, at: dt.datetime, on: dt.date, *, approve: bool = True) -> None:
    """入企检查 asked for, and approved by the head."""
    said = "核查承诺内容和许可条件保持情况（演示）"
    visit = visiting.request_visit(task, purpose=said, planned_on=on, by=stage.manager(task), now=at)
    if approve:
        visiting.settle_visit(visit, approve=True, by=stage.head(task), now=at)


def look(stage: Stage, task: SupervisionTask, at: dt.datetime, *, bad: bool = False, on_site: bool = True) -> None:
    """检查, or 复查 of a running order: everything 符合, or the first promise clause (or point) not."""
    order = running_order(task)
    version = checklists.current(task.sub_item)
    asked = checklists.asked_of(task, version, order)
    wrong = next((one for one in asked if one.kind == FindingKind.CLAUSE), asked[0])
    findings = [
        FindingDraft(one.kind, one.key, NONCONFORMING, FAULT)
        if bad and one is wrong
        else FindingDraft(one.kind, one.key, CONFORMING)
        for one in asked
    ]
    first, second = stage.officers(task)
    draft = InspectionDraft(
        client_key=uuid.uuid4(), checklist_version=version.number, findings=findings,
        kind=InspectionKind.AGAIN if order else InspectionKind.FIRST,
        off_site="" if on_site else OffSite.DOCUMENTS,
        place="海州区花果山大道1号（演示）" if on_site else "调阅台账（演示）",
        began_at=at - dt.timedelta(minutes=40), ended_at=at, first_officer=first.pk, second_officer=second.pk,
        showed_identity=on_site, identity_numbers="苏0700001、苏0700002" if on_site else "",
        result=NONCONFORMING if bad else CONFORMING, summary="到场逐项核对，情况见检查表（演示）。",
        signer="演示负责人" if on_site else "", confirmed=on_site,
    )  # fmt: skip
    record_inspection(task, draft=draft, by=first, now=at)


def finish(stage: Stage, task: SupervisionTask, at: dt.datetime) -> None:
    """完成监管 on this day."""
    actions.finish(task, finished_on=local_date(at), by=stage.manager(task), now=at)


def feed_back(stage: Stage, task: SupervisionTask, at: dt.datetime, result: str = CONFORMING) -> None:
    """反馈 clause by clause; what is not 符合 is so at its first clause."""
    clauses = [result if place == 0 else CONFORMING for place in range(len(task.promise_clauses))]
    actions.feed_back(
        task, result=result, clause_results=clauses, platform_number=f"演示{task.number[-6:]}",
        by=stage.manager(task), now=at, **FED,
    )  # fmt: skip


def kept(stage: Stage, task: SupervisionTask, at: dt.datetime) -> None:
    """The short road in one go: taken, looked at by its papers, finished, fed back 符合 and closed."""
    take(stage, task, at, measure="off_site")
    look(stage, task, at, on_site=False)
    finish(stage, task, at)
    feed_back(stage, task, at)


def order_mending(stage: Stage, task: SupervisionTask, at: dt.datetime, due_on: dt.date) -> Rectification:
    """责令限期整改 as the findings suggest it."""
    words = ordering.drafted(task, list(unanswered(task)))
    return ordering.order_rectification(task, **words, due_on=due_on, by=stage.manager(task), now=at)


# --- stories


def _faulty(stage: Stage, company: int, days: int) -> Generator[dt.datetime, None, SupervisionTask]:
    """From the grant, that many working days ago, to the feedback 不符合 five days later; returns the task."""
    yield stage.ago(days)
    task = stage.tasks(FIRE, company, stage.ago(days))[0]
    yield (at := stage.ago(days - 1))
    take(stage, task, at)
    ask_visit(stage, task, at, local_date(stage.ago(days - 3)))
    yield (at := stage.ago(days - 3, 15))
    look(stage, task, at, bad=True)
    finish(stage, task, at)
    yield (at := stage.ago(days - 5))
    feed_back(stage, task, at, NONCONFORMING)
    task.refresh_from_db()
    return task


def proposed(stage: Stage, company: int, days: int) -> Generator[dt.datetime, None, Revocation]:
    """An order that was not followed, 17 working days after the grant proposed for revocation; returns the proposal."""
    task = yield from _faulty(stage, company, days)
    yield (at := stage.ago(days - 6))
    order = order_mending(stage, task, at, local_date(stage.ago(days - 15)))
    yield (at := stage.ago(days - 16, 15))
    look(stage, task, at, bad=True, on_site=False)
    ordering.settle_order(order, outcome="not_mended", reason="复查仍不符合（演示）。", by=stage.manager(task), now=at)
    yield (at := stage.ago(days - 17))
    keys = [one["key"] for one in proposing.evidence_of(task)]
    facts = proposing.drafted_facts(Rectification.objects.select_related("paper").get(pk=order.pk))
    return proposing.propose(task, facts=facts, keys=keys, by=stage.manager(task), now=at).revocation


def revoked(stage: Stage) -> Story:
    """A broken promise, not mended: proposed, heard, revoked; told, objected to, recorded. The revocation waits."""
    one = yield from proposed(stage, BROKE_ITS_WORD, 40)
    yield (at := stage.ago(22))
    notice(stage, one, at)
    yield (at := stage.ago(20))
    hear_holder(
        one, text="近期将停业整改（演示）。", wish="waive", waiver="持证人当面签署放弃听证书（演示）",
        by=stage.decider(one), door=Door.WINDOW, now=at,
    )  # fmt: skip
    yield (at := stage.ago(18))
    decide_revocation(
        one, revoke=True, ground="unqualified", reason="逾期未改，复查仍不符合许可条件（演示）。",
        public_interest="撤销不影响公共利益（演示）。", compensation="损失由不实承诺造成，不予赔偿（演示）。",
        by=stage.decider(one), now=at,
    )  # fmt: skip
    yield (at := stage.ago(17))
    fact = CreditFact.objects.get(subject=one.licence.holder, kind=CreditFact.Kind.BROKEN_PROMISE)
    officer = stage.credit_officer(fact)
    breach = judging.tell(
        fact, listed="A01", level="general", text="核查与承诺不符，逾期未整改（演示）。", how="当面送达（演示）",
        by=officer, now=at,
    )  # fmt: skip
    yield (at := stage.ago(15))
    # Heard, it may be decided whatever year is published.
    breach = judging.object_to(breach, text="整改所需配件到货迟延（演示）。", by=officer, now=at)
    yield (at := stage.ago(11))
    reason = "异议不成立：期限内没有整改，也没有申请延期；决定书已经生效（演示）。"
    judging.record_breach(breach, final_on=local_date(fact.found_at), reason=reason, by=officer, now=at)


def notice(stage: Stage, one: Revocation, at: dt.datetime) -> None:
    """告知 the holder, who has five working days to answer."""
    give_notice(one, ground="unqualified", facts=one.facts, days=5, by=stage.decider(one), now=at)


def revoking(stage: Stage) -> Story:
    """The same, but the holder was told only yesterday."""
    one = yield from proposed(stage, 7, 22)
    yield (at := stage.ago(1))
    notice(stage, one, at)


def mended(stage: Stage) -> Story:
    """A fault that was mended in time: closed."""
    task = yield from _faulty(stage, 8, 28)
    yield (at := stage.ago(22))
    order = order_mending(stage, task, at, local_date(stage.ago(12)))
    yield (at := stage.ago(15))
    look(stage, task, at, on_site=False)
    ordering.settle_order(order, outcome="mended", reason="", by=stage.manager(task), now=at)


def overdue(stage: Stage) -> Story:
    """An order whose day is over, and nobody looked again."""
    task = yield from _faulty(stage, 9, 20)
    yield (at := stage.ago(14))
    order_mending(stage, task, at, local_date(stage.ago(3)))


def mending(stage: Stage) -> Story:
    """An order that runs, for which more time was asked."""
    task = yield from _faulty(stage, 10, 13)
    yield (at := stage.ago(7))
    due = local_date(stage.now) + dt.timedelta(days=10)
    order = order_mending(stage, task, at, due)
    yield (at := stage.ago(2))
    until = due + dt.timedelta(days=10)
    ordering.ask_extension(order, until=until, reason="配件到货迟延（演示）。", by=stage.manager(task), now=at)


def handed_over(stage: Stage) -> Story:
    """Misconduct after the grant: handed over to penalty, whose receipt has come."""
    task = yield from _faulty(stage, 11, 16)
    yield (at := stage.ago(10))
    handing_over.hand_over(
        task, to_name="市消防救援支队法制与社会消防工作科（演示）", facts="擅自停用消防设施（演示）。",
        basis="《中华人民共和国消防法》第六十条", by=stage.manager(task), now=at,
    )  # fmt: skip
    yield (at := stage.ago(8))
    handing_over.receive_receipt(
        task, number="演示回执1号", received_on=local_date(at), by=stage.manager(task), now=at
    )  # fmt: skip


def checked(stage: Stage) -> Story:
    """A hygiene licence whose two checks found nothing: one closed, one to be fed back."""
    yield (at := stage.ago(11))
    first, second = stage.tasks(HEALTH, 12, at)
    yield (at := stage.ago(9))
    kept(stage, first, at)
    take(stage, second, at, measure="off_site")
    yield (at := stage.ago(2))
    look(stage, second, at, on_site=False)
    finish(stage, second, at)


def under_way(stage: Stage) -> Story:
    """One check waits for the head's word on the visit, the other has begun."""
    yield (at := stage.ago(6))
    first, second = stage.tasks(HEALTH, 13, at)
    yield (at := stage.ago(5))
    take(stage, first, at)
    take(stage, second, at)
    ask_visit(stage, second, at, local_date(stage.ago(3)))
    yield (at := stage.ago(3, 15))
    look(stage, second, at)
    yield (at := stage.ago(1))
    ask_visit(stage, first, at, local_date(stage.now) + dt.timedelta(days=3), approve=False)


def objected(stage: Stage) -> Story:
    """An office that says that one of its tasks is not its own; the other it has looked at."""
    yield (at := stage.ago(2))
    first, second = stage.tasks(HEALTH, 14, at)
    yield (at := stage.ago(1, 11))
    manager = stage.manager(first)
    actions.view_task(first, by=manager, now=at)
    actions.view_task(second, by=manager, now=at)
    disputing.raise_dispute(second, reason="该场所属县区监管（演示）。", by=manager, now=at)


def new_list(stage: Stage) -> Story:
    """The next version of a checklist."""
    yield (at := stage.ago(12))
    link = stage.items[HEALTH].linkages.filter(active=True).select_related("sub_item", "office").order_by("-pk")[0]
    points = [{"key": one.key, "text": one.text} for one in checklists.current(link.sub_item).points]
    points.append({"text": "公示卫生许可证和量化等级（演示）"})
    by = stage.who(Role.OFFICE_MANAGER, link.office)[0]
    checklists.publish(link.sub_item, points=points, note="增加公示要求（演示）", base=0, by=by, now=at)


def old_stock(stage: Stage) -> Story:
    """Licences from before the portal: with tasks, and for the draw without; the first day of their clocks."""
    yield (at := stage.ago(9))
    admin = User.objects.get(username="guanliyuan1")
    division = stage.items[HIRE].item.division
    starting.set_start(division, KindCode.ACKNOWLEDGE, local_date(at), by=admin, now=at)
    for name, many, opens in ((HIRE, 4, True), (HAUL, 14, False)):
        digest = stock.keep(_file(stage.items[name], many, faulty=opens), division)
        batch = stocking.begin(
            division, digest, name=f"{name}存量（演示）", opens_tasks=opens, valid_on=local_date(at) if opens else None,
            by=admin, now=at,
        )  # fmt: skip
        stocking.load(batch.pk, at)
    yield (at := stage.ago(7))
    tasks = list(SupervisionTask.objects.filter(origin="stock").select_related("office", "sub_item").order_by("pk"))
    first, *others = tasks
    take(stage, first, at, measure="off_site")
    for task in others:
        actions.view_task(task, by=stage.manager(task), now=at)
    actions.acknowledge_many(
        others, measure="combined", measure_with="人力资源市场秩序专项检查（演示）", by=stage.manager(first), now=at,
        planned_finish_on=local_date(stage.now) + dt.timedelta(days=30),
    )  # fmt: skip
    yield (at := stage.ago(4))
    look(stage, first, at, on_site=False)
    finish(stage, first, at)
    yield (at := stage.ago(2))
    feed_back(stage, first, at, Result.BASICALLY.value)


def _file(item: BusinessItem, many: int, *, faulty: bool) -> bytes:
    """A table of invented licences; the last row of a faulty one names a day that no calendar has."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(stock.HEADER)
    for place in range(many + faulty):
        stem = f"91320700MA1DEM{item.pk % 10}{place:02d}"
        begins = "2024-02-30" if place == many else "2024-03-01"
        name = f"连云港{'海滨' if item.name == HIRE else '港区'}第{place + 1}公司（演示）"
        writer.writerow([item.code, f"旧演示{item.pk:03d}{place:03d}", name, code_of(stem), item.name, begins, "", ""])
    return out.getvalue().encode("utf-8-sig")


def drawn(stage: Stage) -> Story:
    """A plan that was drawn, and one of the next month that is public."""
    yield (at := stage.ago(3))
    link = stage.items[HAUL].linkages.filter(active=True).select_related("office__department__division", "sub_item")[0]
    by = stage.who(Role.OFFICE_MANAGER, link.office)[0]
    keep_periods(at)

    def plan(name: str, month: str, ratio: int | None) -> DrawPlan:
        wanted = drawing.Wanted(
            name=name, sub_item=link.sub_item, business_items=[stage.items[HAUL]], month=month, ratio=ratio,
            is_key_field=True,  # C's two draws a year hold for all, so that the second plan finds somebody
            planned_finish_on=dt.date.fromisoformat(f"{month}-01") + dt.timedelta(days=75),
        )  # fmt: skip
        return drawing.publish_plan(drawing.make_plan(link.office, wanted, by=by, now=at), by=by, now=at)

    drawing.draw_plan(plan("危险货物运输企业双随机抽查（演示）", month_of(at), 2000), by=by, now=at)
    plan("危险货物运输企业专项抽查（演示）", month_after(month_of(at)), None)


STORIES: tuple[Callable[[Stage], Story], ...] = (
    revoked, revoking, mended, overdue, mending, handed_over, checked, under_way, objected, new_list, old_stock, drawn,
)  # fmt: skip
assert len(COMPANIES) > 14  # noqa: S101 - each story of a case has a company of its own
