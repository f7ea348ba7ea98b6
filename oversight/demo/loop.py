"""The loop in one run (L17): approval → supervision → credit → approval, and open again after the repair.

Played through the real actions on invented people, in working days before ``now``. Whoever plays it decides whether it
stays; ``manage.py loop_demo`` takes everything back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from approvals import credit_gate
from approvals.actions import refuse_acceptance, withdraw_promise
from approvals.actions.revoking import decide_revocation, give_notice, hear_holder
from approvals.barring import bar_of
from approvals.enums import Door, RefusalGround
from approvals.models import Case, Revocation
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit import gate
from credit.actions import judging, repairing
from credit.models import CreditFact, CreditRecord, CreditSubject, HandlingWay, Repair, RiskClass
from deadlines import calendar
from deadlines.clock import local_date
from ledger.draws import LOCAL
from ledger.models import Entry
from offices.models import Posting, User
from offices.refusals import Refused
from oversight.demo import supervising
from oversight.demo.cases import COMPANIES, code_of, receive
from oversight.demo.supervising import FIRE, Stage
from supervision.actions import drawing
from supervision.models import DrawPlan
from supervision.pools import inspectors_of, pool_of

COMPANY = len(COMPANIES) - 1
BEGINS = 105  # working days before now: the shortest display of a general breach is three months
DEPARTS = "申请场所已经另行核查合格，风险可控，同意采用告知承诺（演示）。"
FINAL = "期限内没有提出异议，决定书已经生效（演示）。"


@dataclass(frozen=True, slots=True)
class Step:
    """What happened when, in Chinese, and the newest ledger entry that it wrote (None: it only looked)."""

    at: dt.datetime
    title: str
    found: str
    entry: Entry | None


@dataclass
class Loop:
    """The loop of one company; ``fraud``: its licence was got by fraud, so that art. 79 bars it for three years."""

    now: dt.datetime
    fraud: bool = False
    last: int = 0
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        items = {one.name: one for one in BusinessItem.objects.published().filter(name=FIRE)}
        if not items:
            raise LookupError("the catalogue has no item of the loop")
        self.stage = Stage(self.now, User.objects.get(username="chuangkou1"), items)
        self.last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def said(self, at: dt.datetime, title: str, found: str, stream: str = "") -> Step:
        """The step that was just taken, with the last entry that it wrote on ``stream``."""
        entries = Entry.objects.filter(pk__gt=self.last)
        written = entries.filter(stream=stream).order_by("-pk").first() if stream else None
        self.last = entries.order_by("-pk").values_list("pk", flat=True).first() or self.last
        return Step(at, title, found, written)

    def play(self) -> Iterator[Step]:
        """Take one step after the other."""
        stage, ago = self.stage, self.stage.ago
        self.other_premises()
        story = supervising.proposed(stage, COMPANY, BEGINS)
        next(story)
        task = None
        words = iter(
            (
                "承诺件受理、当场决定、出件，监管任务随证照产生",
                "签收，安排现场检查，入企检查经批准",
                "现场检查：与承诺不符",
                "反馈：不符合",
                "责令限期整改",
                "复查仍未整改：逾期未改",
            )
        )
        revocation: Revocation | None = None
        at = ago(BEGINS)
        while revocation is None:
            try:
                following = next(story)
            except StopIteration as end:
                revocation = end.value
                yield self.said(at, "建议撤销行政许可", revocation.source_number, revocation.source)
                break
            task = task or Case.objects.filter(applicant=self.subject).order_by("-pk")[0].tasks.order_by("pk")[0]
            task.refresh_from_db()
            yield self.said(at, next(words), task.number, task.stream)
            at = following
        yield from self.revoked(revocation)
        yield from self.recorded()
        yield from self.closed()
        yield from self.repaired()

    @property
    def subject(self) -> CreditSubject:
        """The company."""
        return CreditSubject.objects.get(code=code_of(COMPANIES[COMPANY][0]))

    @property
    def item(self) -> BusinessItem:
        """The item of the loop."""
        return self.stage.items[FIRE]

    def other_premises(self) -> None:
        """A licence for other premises, whose promise was kept: the company stays in the pool of the draws."""
        at = self.stage.ago(BEGINS + 8)
        for task in self.stage.tasks(FIRE, COMPANY, at):
            supervising.kept(self.stage, task, self.stage.ago(BEGINS + 6))

    def revoked(self, one: Revocation) -> Iterator[Step]:
        """Noticed, heard, decided."""
        stage, by = self.stage, self.stage.decider(one)
        ground = "fraud" if self.fraud else "unqualified"
        at = stage.ago(BEGINS - 18)
        give_notice(one, ground=ground, facts=one.facts, days=5, by=by, now=at)
        yield self.said(at, "告知持证人拟撤销", one.licence.number, one.case.stream)
        at = stage.ago(BEGINS - 20)
        hear_holder(
            one, text="没有补充意见（演示）。", wish="waive", waiver="当面签署放弃听证书（演示）", by=by,
            door=Door.WINDOW, now=at,
        )  # fmt: skip
        yield self.said(at, "听取持证人意见", "持证人书面放弃听证", one.case.stream)
        at = stage.ago(BEGINS - 22)
        done = decide_revocation(
            one, revoke=True, ground=ground, reason="逾期未改，复查仍不符合许可条件（演示）。",
            public_interest="撤销不影响公共利益（演示）。", compensation="损失由不实承诺造成，不予赔偿（演示）。",
            bars="yes" if self.fraud else "", by=by, now=at,
        )  # fmt: skip
        assert done.document is not None  # noqa: S101 - a decision has its paper
        yield self.said(at, "撤销行政许可", done.document.number, one.case.stream)

    def recorded(self) -> Iterator[Step]:
        """Told beforehand, waited, recorded."""
        at = self.stage.ago(BEGINS - 23)
        breaches = []
        for fact in CreditFact.objects.filter(subject=self.subject, settled_at__isnull=True).order_by("pk"):
            of_revocation = "A02" if self.fraud else "A03"
            listed = "A01" if fact.kind == CreditFact.Kind.BROKEN_PROMISE else of_revocation
            said: dict[str, Any] = {"listed": listed, "level": "general", "text": fact.basis, "how": "当面送达（演示）"}
            breaches.append(judging.tell(fact, **said, by=self.stage.credit_officer(fact), now=at))
        numbers = "、".join(one.number for one in breaches)
        yield self.said(at, "告知拟认定失信", numbers, self.subject.stream)
        at = self._after(max(one.deadline.due_on for one in breaches))
        for one in breaches:
            final = local_date(one.fact.found_at)
            judging.record_breach(one, final_on=final, reason=FINAL, by=self.stage.credit_officer(one.fact), now=at)
        yield self.said(at, "认定并记录失信，推送信用平台", f"{len(breaches)} 条记录", self.subject.stream)

    def closed(self) -> Iterator[Step]:
        """The next applications: the rule closes the promise way, one is decided so, one not; the draw looks harder."""
        at = self._after(local_date(self._newest().found_at) + dt.timedelta(days=12))
        yield self._application(at)
        if bar_of(self.subject, self.item, local_date(at)) is None:
            at += dt.timedelta(hours=1)
            yield self._departure(at)
        yield self._pool(at)

    def repaired(self) -> Iterator[Step]:
        """Repair asked for and granted once the shortest display is over; both open again, unless art. 79 bars."""
        records = list(CreditRecord.objects.filter(subject=self.subject, level="general").order_by("pk"))
        at = self._after(max(record.repair_from for record in records if record.repair_from))
        for record in records:
            officer = self.stage.credit_officer(CreditFact.objects.get(breach__record=record))
            asked = repairing.ask(
                record, ground=Repair.Ground.MENDED, statement="已经全部整改（演示）。", by=officer, now=at
            )  # fmt: skip
            repairing.settle(asked, grant=True, reason="经核实已经整改（演示）。", by=officer, now=at)
        yield self.said(at, "信用修复，停止公示和使用", f"{len(records)} 条记录", self.subject.stream)
        at += dt.timedelta(hours=1)
        yield self._application(at)
        yield self._pool(at + dt.timedelta(hours=1))

    def _newest(self) -> CreditRecord:
        return CreditRecord.objects.filter(subject=self.subject, level="general").order_by("-pk")[0]

    def _after(self, day: dt.date) -> dt.datetime:
        """Ten o'clock of the first working day after ``day``."""
        held = calendar.recent()
        day += dt.timedelta(days=1)
        while not held.is_working(day):
            day += dt.timedelta(days=1)
        return dt.datetime.combine(day, dt.time(10), tzinfo=LOCAL)

    def _application(self, at: dt.datetime) -> Step:
        """An application on the promise way: asked, decided as the rule says, and taken back where it is closed."""
        clerk = self.stage.clerk
        bar = bar_of(self.subject, self.item, local_date(at))
        case = receive(self.item, COMPANY, clerk, at, modes=[PromiseMode.POST_CHECK], signed=False)
        if bar is not None:
            refuse_acceptance(case, ground=RefusalGround.BARRED, reason=bar.words, by=clerk, now=at)
            return self.said(at, "再次申请：不予受理", bar.words, case.stream)
        check = credit_gate.keep(case, by=clerk, now=at)
        way = gate.ask(case.applicant, at).of(HandlingWay.PROMISE)
        credit_gate.settle(case, allowed=check.rule_allows, reason="", by=clerk, now=at)
        found = f"告知承诺：{'适用' if check.rule_allows else '不适用'}（{way.reasons[0]}）"
        withdraw_promise(case, by=clerk, door=Door.WINDOW, now=at)
        return self.said(at, "再次申请：信用查询", found, case.stream)

    def _departure(self, at: dt.datetime) -> Step:
        """An officer departs from what the rule recommends: refused without reasons, taken with them; taken back."""
        clerk = self.stage.clerk
        case = receive(self.item, COMPANY, clerk, at, modes=[PromiseMode.POST_CHECK], signed=False)
        check = credit_gate.keep(case, by=clerk, now=at)
        said: dict[str, Any] = {"allowed": not check.rule_allows, "by": clerk, "now": at}
        refused = ""
        try:
            credit_gate.settle(case, reason="", **said)
        except Refused as error:
            refused = error.message
        check = credit_gate.settle(case, reason=DEPARTS, **said)
        found = f"没有理由被拒绝（{refused}）；写明理由后{'采用' if check.allowed else '不采用'}：{check.reason}"
        step = self.said(at, "不按规则的建议，承办人写明理由", found, case.stream)
        withdraw_promise(case, by=clerk, door=Door.WINDOW, now=at)
        return step

    def _pool(self, at: dt.datetime) -> Step:
        """With which class a draw of today would meet the company."""
        link = self.item.linkages.filter(active=True).select_related("office__department__division", "sub_item")[0]
        plan = drawing.make_plan(
            link.office,
            drawing.Wanted(
                name="闭环演示抽查", sub_item=link.sub_item, business_items=[self.item], month=f"{at:%Y-%m}",
                planned_finish_on=local_date(at) + dt.timedelta(days=30), spare_months=0,
            ),
            by=self.stage.who(Posting.Role.OFFICE_MANAGER, link.office)[0],
            now=at,
        )  # fmt: skip
        return self.said(at, "双随机对象池", self._drawn_as(plan, at), plan.stream)

    def _drawn_as(self, plan: DrawPlan, at: dt.datetime) -> str:
        pool = pool_of(plan, inspectors_of(plan, at), at)
        return next(
            (f"按{RiskClass(risk).label}抽取" for risk, ids in pool.subjects.items() if self.subject.pk in ids),
            "不在对象池中",
        )
