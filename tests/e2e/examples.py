"""Examples of everything that a page can show, made through the real actions inside a running demo portal.

Run below the portal's own settings: ``manage.py shell -c "from tests.e2e.examples import tell; tell()"``. The last line
of the output is JSON: name → argument of an address, or an account.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model

from approvals import covering, deeming, lapsing, owed, verifying
from approvals.actions import (
    accept_case,
    complete_case,
    decide,
    deliver,
    refuse_acceptance,
    request_correction,
    withdraw_promise,
)
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.actions.covering import ask_cover
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import add_materials, required_points, slot_of
from approvals.actions.leaves import declare_conflict, enter_leave
from approvals.actions.licences import change_licence
from approvals.actions.mending import mend_case
from approvals.actions.owing import settle_promise_lapse
from approvals.actions.province import report_to_province
from approvals.actions.review import ground_choices
from approvals.actions.revoking import decide_revocation
from approvals.actions.scoring import give_sheet
from approvals.actions.site import plan_site_check
from approvals.actions.unveiling import unveil
from approvals.credit_gate import ask
from approvals.enums import CaseStatus, Door, RefusalGround
from approvals.models import Case, Document, Sheet
from approvals.uploads import store
from catalogue.actions import set_promised_period
from catalogue.models import BusinessItem, Linkage
from catalogue.periods import Promise
from credit import handling, pushing
from credit.actions import joining, judging, listing_measures, measures, repairing, ruling
from credit.models import (
    CreditFact,
    CreditRecord,
    CreditSubject,
    Grade,
    HandlingPreview,
    JointMeasure,
    Level,
    MeasureRule,
    Push,
    SubjectGrade,
    SubjectRisk,
    note_kept_promise,
)
from credit.rules import Span
from deadlines import calendar, clock, jobs, office
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from deadlines.notice import typed_year
from deadlines.periods import set_period
from deadlines.provisional import published_elsewhere
from notifications.models import PhoneMessage
from offices.models import Department, Posting, User
from oversight import previews
from oversight.actions import previewing
from oversight.demo import listed, weighing
from oversight.demo.cases import COMPANIES, code_of
from oversight.demo.cases import play as carry_on
from supervision import actions, stock
from supervision.actions import correcting, disputing, handing_over, visiting
from supervision.actions import ordering as mending
from supervision.actions.drawing import draw_plan
from supervision.models import SupervisionTask, TaskChange
from tests.approvals import debts, play, revoking
from tests.approvals.test_covering import pdf
from tests.credit import facts as findings
from tests.supervision import drawing, ordering
from tests.supervision import inspecting as field
from tests.supervision import stocking as old_stock

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


def _inspections(now: datetime) -> dict[str, str]:
    """A task that may be inspected, one that was and is ordered to mend, and the checklists of its department."""
    ready, ordered = field.ready(now), field.ordered(now).task
    assert ready.sub_item_id is not None
    return {
        "task_inspect": ready.number,
        "manager_inspect": _manager(ready).username,
        "task_reinspect": ordered.number,
        "manager_reinspect": _manager(ordered).username,
        "sub_item": str(ready.sub_item_id),
    }


def _taking(now: datetime) -> dict[str, str]:
    """A task whose licence ended, a task with a visit before the head, and a group of like tasks."""
    number, manager = _task(now, "acknowledged")
    ended = SupervisionTask.objects.get(number=number)
    assert ended.licence is not None
    TaskChange.objects.create(
        task=ended, licence=ended.licence, kind="deregistration", text="许可证已注销。", ends_licence=True, at=now
    )
    task = SupervisionTask.objects.get(number=_task(now, "acknowledged")[0])
    visit = visiting.request_visit(
        task,
        purpose="核查许可条件保持情况",
        planned_on=clock.local_date(now),
        exemption="12345 投诉举报线索",
        by=_manager(task),
        now=now,
    )
    head = Posting.objects.filter(role=Role.DEPARTMENT_HEAD, department=task.department).order_by("pk")[0].user
    return {
        "task_ended": number,
        "task_visit": task.number,
        "visit": str(visit.pk),
        "manager_visit": manager,
        "head_visit": head.username,
        "bulk_office": str(task.office_id),
        "bulk_sub_item": str(task.sub_item_id),
    }


def _set_aside(now: datetime) -> dict[str, str]:
    """A task with a record that was set aside, one that is asked to be, and one that stands."""
    task = ordering.faulty(now)
    later = now + timedelta(hours=3)
    for _ in range(2):
        ordering.look(task, later, bad=True)
    by, head = ordering.manager(task), ordering.head(task)
    wrong = correcting.ask_set_aside(task, record=1, reason="查的是隔壁企业，把对象弄错了。", by=by, now=later)
    correcting.settle_set_aside(wrong, grant=True, answer="经核对照片，确属对象错误。", by=head, now=later)
    asked = correcting.ask_set_aside(task, record=2, reason="第一项点错，应为“符合”。", by=by, now=later)
    return {
        "task_aside": task.number,
        "record_aside": "1",
        "record_asked": "2",
        "aside_granted": str(wrong.pk),
        "aside_asked": str(asked.pk),
        "manager_aside": by.username,
        "head_aside": head.username,
    }


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


def _orders(now: datetime) -> dict[str, str]:
    """A fault without an order, an order that runs and waits for the head, one that was refused, a handover."""
    fault, asked, handed = (ordering.faulty(now) for _ in range(3))
    later = now + timedelta(hours=4)
    order = ordering.ordered(asked, later, days=20)
    until = order.due_on + timedelta(days=10)
    mending.ask_extension(order, until=until, reason="配件到货迟延。", by=ordering.manager(asked), now=later)
    unmended, refused = ordering.unmended(now)
    handed = ordering.fed_back(handed, later)
    handing_over.hand_over(
        handed, to_name="市场监管综合执法支队", facts="超出许可范围经营。", basis="相关法规",
        by=ordering.manager(handed), now=later,
    )  # fmt: skip
    return {
        "task_fault": fault.number,
        "manager_fault": ordering.manager(fault).username,
        "order_running": _pk(order),
        "paper_order": _pk(order.paper),
        "manager_order": ordering.manager(asked).username,
        "head_order": ordering.head(asked).username,
        "task_unmended": unmended.number,
        "order_refused": _pk(refused),
        "manager_unmended": ordering.manager(unmended).username,
        "subject_unmended": str(unmended.subject_id),
        "task_handed": handed.number,
        "manager_handed": ordering.manager(handed).username,
    }


def _credit(now: datetime) -> dict[str, str]:
    """A fact that waits, breaches told, objected to, to be decided, dropped; records in use, asked for, repaired."""
    before, officer = now - timedelta(days=30), findings.officer()

    def number(serial: int) -> str:
        return f"连建撤〔2026〕{900 + serial}号"

    waiting = findings.fact(now, source=number(1), subject=findings.company(1))
    told = findings.told(now, source=number(2), subject=findings.company(2))
    objected = findings.told(now, source=number(3), subject=findings.person())
    judging.object_to(objected, text="材料由中介伪造，本人不知情（演示）。", by=officer, now=now)
    ready = findings.told(before, source=number(4), subject=findings.company(3))
    dropped = findings.told(now, source=number(5), subject=findings.company(4))
    judging.drop(dropped, reason="认定文书已被复议撤销（演示）。", by=officer, now=now)
    late: dict[str, Any] = {"kind": CreditFact.Kind.LATE_MATERIAL, "listed": "A04", "level": "minor"}
    used, asked, mended = (
        findings.record(findings.told(before, source=number(serial), subject=findings.company(serial), **late), now)
        for serial in (6, 7, 8)
    )
    for one in (asked, mended):
        request = repairing.ask(one, ground="mended", statement="材料已补齐（演示）。", by=officer, now=now)
    repairing.settle(request, grant=True, reason="已经纠正（演示）。", by=officer, now=now)
    old = findings.told(before - timedelta(days=30), source=number(9), subject=findings.company(9), **late)
    forgotten = findings.record(old, before)
    repairing.ask(forgotten, ground="wrong", statement="决定书已被撤销（演示）。", by=officer, now=before)
    return {
        "credit_fact": _pk(waiting), "breach_told": _pk(told), "breach_objected": _pk(objected),
        "breach_ready": _pk(ready), "breach_dropped": _pk(dropped), "credit_record": _pk(used),
        "credit_record_asked": _pk(asked), "credit_record_repaired": _pk(mended),
        "subject": _pk(ready.subject), "subject_person": _pk(objected.subject),
    }  # fmt: skip


def _measures(now: datetime) -> dict[str, str]:
    """A penalty and a reward in force, a penalty ended early."""
    department, by, today = findings.department(), findings.officer(), local_date(now)

    def begun(place: int, kind: str, what: str) -> JointMeasure:
        return measures.begin(
            findings.company(place), kind=kind, what=what, basis="江苏省社会信用条例有关联合奖惩的规定（演示）",
            department=department, record=None, starts_on=today, ends_on=today + timedelta(days=180), by=by, now=now,
        )  # fmt: skip

    penalty = begun(2, "penalty", "限制申请财政补助资金（演示）")
    reward = begun(4, "reward", "行政许可办理绿色通道（演示）")
    ended = begun(3, "penalty", "列为重点监管对象（演示）")
    measures.end(ended, reason="已主动纠正（演示）。", by=by, now=now)
    listed.load(now)
    rules = MeasureRule.objects.filter(is_on=True).order_by("pk")
    off = listing_measures.add(
        kind="penalty", level="general", grade="", what="提示约谈（演示）", basis="演示文件的有关规定条款", months=3,
        by=User.objects.get(username="guanliyuan1"), now=now,
    )  # fmt: skip
    listing_measures.switch_off(
        off, reason="改为逐案决定（演示）。", by=User.objects.get(username="guanliyuan1"), now=now
    )

    def invented(number: int, name: str) -> CreditSubject:
        code = code_of(f"91320700MA1JXC{number:03d}")
        return CreditSubject.objects.identify(CreditSubject.Kind.ORGANISATION, code, f"连云港{name}有限公司（演示）")

    for number, name in enumerate(("守信建材", "守信物业"), 1):
        subject = invented(number, name)
        note_kept_promise(
            subject, source=f"演示核查{number}号", basis="按期兑现承诺", at=now, department=department
        )  # fmt: skip
        SubjectGrade.objects.create(
            subject=subject, grade="excellent", source="演示平台", given_at=now - timedelta(days=3), received_at=now
        )
    before = now - timedelta(days=30)
    serious, _ = (
        findings.record(
            findings.told(before, source=f"连建撤〔2026〕{930 + number}号", subject=invented(number, name), **said), now
        )
        for number, name, said in (
            (3, "失信置业", {}), (4, "失信装饰", {"listed": "A03", "level": "general"}),
        )
    )  # fmt: skip
    line = next(one for one in rules if one.level == "serious")
    return {
        "measure_penalty": _pk(penalty), "measure_reward": _pk(reward), "measure_ended": _pk(ended),
        "measure_rule": _pk(line), "measure_rule_off": _pk(off), "proposed_record": _pk(serious),
    }  # fmt: skip


def _handling_previews(now: datetime) -> dict[str, str]:
    """A change of the table that was looked at, one that was confirmed; a version of the rules to come."""
    by, found = User.objects.get(username="guanliyuan1"), {}
    for name, grade, way in (("done", "poor", "on_the_spot"), ("ready", "none", "later")):
        is_open = not handling.is_open(grade, way)
        found[name] = previewing.begin(grade, way, is_open=is_open, basis="会议纪要（演示）", by=by, now=now)
    while HandlingPreview.objects.filter(state=HandlingPreview.State.RUNNING).exists():
        previews.run()  # or the stack's own worker
        sleep(0.1)
    previewing.confirm(found["done"], by=by, now=now)
    spans = {level: Span(shown=True, shortest=3, longest=12) for level in Level.values}
    rule = ruling.enter(
        None, starts_on=local_date(now) + timedelta(days=90), name="信用修复实施细则（演示）", basis="演示文件",
        levels=spans, by=by, now=now,
    )  # fmt: skip
    return {f"preview_{name}": _pk(preview) for name, preview in found.items()} | {"rule_to_come": _pk(rule)}


def _links(now: datetime) -> dict[str, str]:
    """Codes that were replaced, split and wrongly linked; a subject with both gradings, one without a grade."""
    officer, on = findings.officer(), (now - timedelta(days=60)).date()

    def company(number: int, name: str) -> CreditSubject:
        code = code_of(f"91320700MA1JXH{number:03d}")
        return CreditSubject.objects.identify(CreditSubject.Kind.ORGANISATION, code, f"连云港{name}有限公司（演示）")

    old, new, part, other = (company(*one) for one in enumerate(("旧港物流", "新港物流", "新港冷链", "锦屏冷链"), 1))
    basis = "连云港市市场监督管理局准予变更登记通知书〔2026〕第88号（演示）"
    said: dict[str, Any] = {"on": on, "basis": basis, "by": officer, "now": now}
    codes = [one.code or "" for one in (old, new, part, other)]
    replaced = joining.link(before=codes[0], after=codes[1], kind="replaced", **said)
    why = "分立协议约定由存续公司承继（演示）。"
    split = joining.link(
        before=codes[1], after=codes[2], kind="split", carries=False, carries_reason=why, **said
    )  # fmt: skip
    wrong = joining.link(before=codes[3], after=codes[2], kind="merged", **said)
    aside = joining.undo(wrong, reason="通知书所载的是另一家公司（演示）。", by=officer, now=now)
    for days, grade, risk in ((400, Grade.FAIR, "C"), (30, Grade.GOOD, "B")):
        given = {"given_at": now - timedelta(days=days), "received_at": now - timedelta(days=days - 1)}
        SubjectGrade.objects.create(subject=new, grade=grade, source="公共信用综合评价（演示）", **given)
        SubjectRisk.objects.create(subject=new, risk=risk, source="企业信用风险分类（演示）", **given)
    SubjectRisk.objects.create(subject=part, risk="A", source="企业信用风险分类（演示）", **given)
    return {
        "subject_link": _pk(replaced), "subject_link_split": _pk(split), "subject_link_aside": _pk(aside),
        "credit_subject": _pk(new), "credit_subject_silent": _pk(part),
    }  # fmt: skip


def _longer(now: datetime) -> BusinessItem:
    """An item with an exemption and a stage of its own, in a division with a length of its own."""
    admin, item = play.person("guanliyuan1"), play.item("特殊建设工程消防验收")
    said: dict[str, Any] = {
        "reason": "会议纪要〔2026〕3号（演示）",
        "approved_by": "分管副市长（演示）",
        "by": admin,
        "now": now,
    }
    for code, length in (("", 4), (item.code, 6)):
        set_period(KindCode.STAGE_REVIEW, item.item.division, length, item_code=code, **said)
    promise = Promise(12, "演示设定", exemption="须现场测试，专家多（演示）", exemption_by="分管副市长（演示）")
    return set_promised_period(item, promise, by=admin, now=now)


def _rejected(now: datetime) -> Case:
    case = play.reviewed(now, approve=False)
    assert case.reviewer is not None
    keys = [choice["key"] for choice in ground_choices(case)[:2]]
    return decide(case, approve=False, keys=keys, by=play.holder(Role.DECIDER, case, case.reviewer), now=now)


def _clocks(found: dict[str, str]) -> dict[str, str]:
    """The statutory clocks of some of these cases, and a fixed day."""
    cases = {name: found[f"case_{name}"] for name in ("paused", "longer", "review", "delivered")}
    clocks = {f"clock_{name}": Deadline.objects.get(statutory_case__number=key) for name, key in cases.items()}
    clocks["clock_fixed"] = Deadline.objects.get(planned_task__number=found["task_acknowledged"])
    return {name: _pk(row) for name, row in clocks.items()}


def _clock_acts(now: datetime) -> dict[str, str]:
    """Cases in a special procedure, after one, and with a request for more time that waits or was answered."""
    found: dict[str, str] = {}
    energy = play.item("固定资产投资项目节能审查")
    paused, waiting, longer = (play.accepted(now, energy) for _ in range(3))
    head = Posting.objects.filter(role=Role.DEPARTMENT_HEAD, department=paused.department).order_by("pk")[0].user
    for name, case, days in (("paused", paused, 3), ("longer", longer, 15)):
        assert case.reviewer is not None
        reason = "委托省节能中心组织专家评审（演示）"
        start_procedure(case, ground="expert_review", estimated_days=days, reason=reason, by=case.reviewer, now=now)
        found |= {f"case_{name}": case.number, f"reviewer_{name}": case.reviewer.username}
    assert longer.reviewer is not None
    assert waiting.reviewer is not None
    end_procedure(longer, result="评审通过，意见已存卷（演示）", by=longer.reviewer, now=now)
    asked = {
        case: request_extension(case, days=10, reason="技术方案复杂，需补充论证（演示）", by=case.reviewer, now=now)
        for case in (waiting, longer)
        if case.reviewer is not None
    }
    answer_extension(asked[longer], grant=True, by=head, now=now)
    return found | {
        "case_waiting": waiting.number,
        "reviewer_waiting": waiting.reviewer.username,
        "extension_waiting": _pk(asked[waiting]),
        "extension_granted": _pk(asked[longer]),
        "energy_head": head.username,
        "case_paused_code": paused.query_code,
        "case_longer_code": longer.query_code,
    }


def _weighed(now: datetime) -> dict[str, str]:
    """Cases that are scored: two waiting reviewers, a lead between two, one to decide; and a site check to be made."""
    planning = play.item("建设工程规划许可证核发（建筑类）")
    waiting, apart = play.accepted(now, planning), play.accepted(now, planning)
    ground = planning.published_grounds()[0]
    keys = [f"{ground.kind}:{ground.id}"]
    for seat, approve in (("first", True), ("second", False)):
        person = apart.reviewer if seat == "first" else Sheet.objects.get(case=apart, seat=seat).reviewer
        assert person is not None
        give_sheet(
            apart, scores=weighing.marks(apart, approve=approve), approve=approve, text="见评分（演示）。",
            keys=[] if approve else keys, by=person, now=now,
        )  # fmt: skip
    scored = play.reviewed(now, planning)
    visited = play.accepted(now, play.item("特殊建设工程消防验收"))
    done = play.accepted(now, play.item("危险货物道路运输经营许可（新办）"))
    weighing.visit(done, now)
    assert waiting.reviewer is not None
    assert visited.reviewer is not None
    check = plan_site_check(visited, planned_on=clock.local_date(now), by=visited.reviewer, now=now)
    return {
        "case_sheet": waiting.number,
        "reviewer_sheet": waiting.reviewer.username,
        "case_lead": apart.number,
        "lead": Sheet.objects.select_related("reviewer").get(case=apart, seat="lead").reviewer.username,
        "case_scored": scored.number,
        "scored_decider": play.holder(Role.DECIDER, scored).username,
        "case_site": visited.number,
        "site_officer": check.first.username,
        "site_reviewer": visited.reviewer.username,
        "case_visited": done.number,
        "visited_officer": done.site_check.first.username,
    }


def _years(now: datetime) -> dict[str, str]:
    """A year that waits for its publication, and one that was published."""
    admin = play.person("guanliyuan1")
    notice = published_elsewhere(2026)
    assert notice is not None
    held = typed_year(
        2026,
        [(day, day, name) for day, name in notice.off.items()],
        [(day, name) for day, name in notice.makeup.items() if day.month > 1],
        "国务院办公厅关于2026年部分节假日安排的通知（更正，演示）",
    )
    waiting = office.draft_year(held, by=admin, now=now)
    done = office.propose(2028, by=admin, now=now)
    jobs.run()
    office.publish(done, by=admin, now=now)
    jobs.run()
    return {"calendar_ready": _pk(waiting), "calendar_applied": _pk(done)}


def _verifications(now: datetime) -> dict[str, str]:
    """Cases whose business licence the licence service is asked about: without an answer yet, matched, expired."""
    found: dict[str, str] = {}
    clerk = play.person("chuangkou1")
    for name, code in (
        ("asking", "91320700MA1CHK005"), ("verified", "91320700MA1CHK008"), ("mismatch", "91320700MA1CHK002")
    ):  # fmt: skip
        case = play.received(now, play.item("公共场所卫生许可（新办，一般程序）"))
        line = case.materials.get(material__verifiable=True)
        type(line).objects.filter(pk=line.pk).update(state="missing", received_at=None)
        holder, _ = CreditSubject.objects.get_or_create(
            kind="organisation", code=code_of(code), defaults={"name": "连云港墟沟饭店有限公司（演示）"}
        )
        Case.objects.filter(pk=case.pk).update(applicant=holder, applicant_name=holder.name)
        row = verifying.verify(line, by=clerk, now=now)
        found[f"case_{name}"] = case.number
        if name != "asking":
            verifying.ask_due(now)  # unless the portal's own worker was faster
            row.refresh_from_db()
            found |= {"verification": _pk(row)} if name == "verified" else {}
    return found


def _pushes(now: datetime) -> dict[str, str]:
    """Pushes to the credit platform: refused, waiting behind that one, failed for long, taken."""
    department = Department.objects.get(division__code="320700", name="市住建局")
    made: dict[str, Push] = {}
    for name, code, source in (
        ("refused", "91320700MA1CRD009", "连住建撤〔2026〕7号（演示）"),
        ("held", "91320700MA1CRD009", "连住建撤〔2026〕8号（演示）"),
        ("failed", "91320700MA1CRD003", "连住建撤〔2026〕9号（演示）"),
        ("taken", "91320700MA1CRD001", "连住建撤〔2026〕10号（演示）"),
    ):
        subject, _ = CreditSubject.objects.get_or_create(
            kind="organisation", code=code_of(code), defaults={"name": "连云港墟沟置业有限公司（演示）"}
        )
        record = CreditRecord.objects.create(
            subject=subject, kind="broken_promise", source=source, basis="连政办发〔2022〕67号；国办发〔2020〕42号",
            listed="A01", level="general", department=department, found_at=now,
        )  # fmt: skip
        made[name] = pushing.queue(record, Push.Kind.RECORD, now)
    waiting = Push.objects.filter(pk__in=[made[name].pk for name in ("refused", "failed", "taken")], state="queued")
    for _ in range(50):  # the portal's own worker may be the faster one
        if not waiting.exists():
            break
        pushing.push_due(now)
        sleep(0.2)
    Push.objects.filter(pk=made["failed"].pk).update(
        state="dead", next_attempt_at=None, attempts=pushing.MAX_ATTEMPTS, error="信用平台答复 503", receipt="",
        accepted_at=None,
    )  # fmt: skip
    return {f"push_{name}": _pk(push) for name, push in made.items()} | {"credit_officer": "zhujian.xinyong"}


def _province(now: datetime) -> dict[str, str]:
    """A case that went up to the province and waits for the answer."""
    energy = play.item("固定资产投资项目节能审查")
    BusinessItem.objects.filter(pk=energy.pk).update(reports_to_province=True)
    case = play.accepted(now, play.item(energy.name))
    assert case.reviewer is not None
    report_to_province(case, number="连发改能〔2026〕18号（演示）", by=case.reviewer, now=now)
    return {"case_province": case.number, "reviewer_province": case.reviewer.username}


def _deemed(now: datetime) -> str:
    """A case that nobody answered for a fortnight and a half."""
    case = play.received(now - timedelta(days=25))
    deeming.sweep(now)  # unless the portal's own sweep was faster
    return case.number


def _ended_early(now: datetime) -> dict[str, str]:
    """A case that was withdrawn, one whose applicant let the notice go unanswered, and one mended on the spot."""
    clerk, before = play.person("chuangkou1"), now - timedelta(days=60)
    withdrawn = withdraw_case(play.accepted(now), by=clerk, door=Door.WINDOW, reason="项目改址（演示）", now=now)
    silent = play.received(before, complete=False)
    keys = sorted(required_points(silent))
    request_correction(silent, keys=keys, remarks={}, by=clerk, now=before)
    lapsing.sweep(now)  # unless the portal's own sweep was faster
    mended = play.received(now)
    kept = {"contact_phone": mended.contact_phone, "content": mended.content}
    mend_case(mended, contact_name="张三（演示）", by=clerk, now=now, **kept)
    return {"case_withdrawn": withdrawn.number, "case_lapsed": silent.number, "case_mended": mended.number}


def _covered(now: datetime) -> dict[str, str]:
    """A case whose file a machine found the applicant in, one whose file is covered, and one that was looked past."""
    found: dict[str, str] = {}
    clerk = play.person("chuangkou1")
    for name in ("found", "covered"):
        case = play.received(now)
        line = case.materials.order_by("order")[0]
        sheet = SimpleUploadedFile(f"申请表-{name}.pdf", pdf(f"of {case.contact_phone} here", "second page"))
        file = store(sheet, intake_key=case.intake_key, slot=slot_of(line), by=clerk, now=now)
        add_materials(case, provided={}, by=clerk, now=now)
        if name == "covered":
            ask_cover(file, boxes=covering.look(file, case).boxes, by=clerk, now=now)
        found |= {f"file_{name}": _pk(file), f"case_{name}": case.number}
    covering.look_through(now)
    seen = play.accepted(now)
    assert seen.reviewer is not None
    unveil(seen, by=seen.reviewer, reason="现场核查须与申请人约定时间（演示）", now=now)
    return found | {"case_unveiled": seen.number, "reviewer_covered": seen.reviewer.username}


def _staff(now: datetime) -> dict[str, str]:
    """Somebody with a leave to come, one that is over, and a declared conflict."""
    office = play.item(PRESALE).review_office
    rows = Posting.objects.filter(office=office, role=Role.DECIDER).order_by("-pk").select_related("user")
    person, deputy = rows[0].user, rows[1].user
    today = clock.local_date(now)
    enter_leave(person, starts_on=today, ends_on=today, deputy=None, reason="外出学习", by=person, now=now)
    later = today + timedelta(days=20)
    enter_leave(person, starts_on=later, ends_on=later + timedelta(days=4), deputy=deputy, by=person, now=now)
    declare_conflict(
        kind="organisation", identifier=code_of(COMPANIES[4][0]), name=COMPANIES[4][1], reason="配偶任法定代表人",
        by=person, now=now,
    )  # fmt: skip
    return {"leave_person": person.username}


def _promises(now: datetime) -> dict[str, str]:
    """Promise cases: to be signed, with a breach on record, signed, owing materials, and taken back."""
    clerk = play.person("chuangkou1")
    found = {}
    for name, company in (("to_sign", 3), ("breached", 5)):
        case = play.promising(now, play.item(play.DEFERS), signed=False, company=company)
        ask(case, by=clerk, now=now)
        found[name] = case
    found["signed"] = play.promising(now, play.item(SPOT))
    found["deferring"] = play.deferring(now)
    found["taken_back"] = withdraw_promise(play.promising(now), by=clerk, door=Door.WINDOW, now=now)
    return {f"case_{name}": case.number for name, case in found.items()}


def _owed(now: datetime) -> dict[str, str]:
    """Cases in which the applicant owes something: in time, late, cancelled; before and after the licence."""
    today, past = clock.local_date(now), now - timedelta(days=30)
    found = {
        "owed": debts.waiting(now, today + timedelta(days=20)),
        "owed_late": debts.waiting(past, today - timedelta(days=3)),
        "owed_cancelled": debts.waiting(past, today - timedelta(days=4)),
        "later_open": debts.received_without(now),
        "later_owed": debts.licensed(now, today + timedelta(days=40)),
        "later_late": debts.licensed(past, today - timedelta(days=5)),
    }
    owed.sweep(now)
    cancelled = found["owed_cancelled"]
    said = "多次提醒仍未补交（演示）"
    settle_promise_lapse(cancelled, cancel=True, reason=said, by=debts.decider(cancelled), now=now)
    cases = {f"case_{name}": case.number for name, case in found.items()}
    return cases | {f"decider_{name}": debts.decider(case).username for name, case in found.items() if case.reviewer}


def _revocations(now: datetime) -> dict[str, str]:
    """Licences to be revoked, in every state; one that was changed."""
    made = {
        "received": revoking.proposed(now),
        "noticed": revoking.noticed(now),
        "asked": revoking.asked(now),
        "planned": revoking.planned(revoking.asked(now), calendar.load().after(clock.local_date(now), 8), now),
        "heard": revoking.heard(now),
        "revoked": revoking.heard(now),
        "kept": revoking.heard(now),
    }
    decide_revocation(
        made["revoked"], revoke=True, **revoking.DECISION, by=revoking.decider(made["revoked"].case), now=now
    )
    decide_revocation(
        made["kept"],
        revoke=False,
        reason="撤销将影响居民供水，不予撤销。",
        by=revoking.decider(made["kept"].case),
        now=now,
    )
    changed = revoking.licensed(now)
    said: dict[str, Any] = {"basis": "行政许可法第四十九条", "by": revoking.decider(changed.case), "now": now}
    change_licence(changed, kind="change", content="变更后的许可内容", reason="持证人申请变更。", **said)
    change_licence(changed, kind="suspension", reason="设施存在隐患，限期消除。", **said)
    told = {f"revocation_{name}": str(one.pk) for name, one in made.items()}
    notice = made["noticed"].notice_id
    return told | {
        "revocation_paper": str(notice),
        "revocation_decider": revoking.decider(changed.case).username,
        "case_noticed": made["noticed"].case.number,
        "revocation_chair": revoking.chair_of(made["planned"]).username,
        "licence_changed": changed.number,
        "licence_revoked": made["revoked"].licence.number,
        "verify_revoked": Document.objects.get(case=made["revoked"].case, kind="approval").verify_code,
    }


def _draws(now: datetime) -> dict[str, str]:
    """Plans of random draws: one being made, one published, one drawn over 73 holders of old licences."""
    drawing.inspectors(2)
    drawing.holders({"A": 60, "C": 7, "D": 4, "none": 2}, now)
    month, finish = f"{clock.local_date(now):%Y-%m}", clock.local_date(now) + timedelta(days=40)
    said = {"month": month, "planned_finish_on": finish}
    drawn = drawing.published(now, name="商品房预售双随机抽查", **said)
    draw_plan(drawn, by=drawing.manager(), now=now)
    published = drawing.published(now, name="商品房预售专项抽查", ratio=2000, is_key_field=True, **said)
    draft = drawing.planned(now, name="商品房预售补充抽查", **said)
    return {
        "manager_draw": drawing.manager().username,
        "plan_drawn": _pk(drawn),
        "plan_published": _pk(published),
        "plan_draft": _pk(draft),
    }


def _disputes(now: datetime) -> dict[str, str]:
    """Objections that wait, that were left where they were, and one whose task went to another office."""
    found: dict[str, str] = {}
    by = play.person("duban1")
    for name in ("open", "confirmed", "reassigned"):
        task = play.completed(now).tasks.order_by("pk")[0]
        manager, office = _manager(task), disputing.other_offices(task, clock.local_date(now)).order_by("pk")[0]
        task = actions.view_task(task, by=manager, now=now)
        one = disputing.raise_dispute(
            task, reason="权责清单中这一事项不属本处室（演示）。", proposed_office=office, by=manager, now=now
        )
        if name != "open":
            disputing.decide_dispute(
                one, outcome=name, office=office if name == "reassigned" else None, reason="按三定方案确定（演示）。",
                by=by, now=now,
            )  # fmt: skip
        found |= {f"dispute_{name}": _pk(one), f"task_dispute_{name}": task.number}
    fresh = play.completed(now).tasks.order_by("pk")[0]
    actions.view_task(fresh, by=_manager(fresh), now=now)
    return found | {"task_to_dispute": fresh.number, "manager_dispute": _manager(fresh).username}


def _stock(now: datetime) -> dict[str, str]:
    """A batch of old licences that was loaded with a faulty row, one that waits, and a file that is looked through."""
    about = old_stock.item()
    division = about.item.division
    rows = [old_stock.row(about, number) for number in range(1, 4)]
    rows.append(old_stock.row(about, 4, 有效期自="2026-02-30"))
    done = old_stock.loaded(rows, now)
    waiting = old_stock.begun([old_stock.row(about, number) for number in range(11, 14)], now)
    kept = stock.keep(old_stock.table([old_stock.row(about, 21), old_stock.row(about, 22, 有效期自="")]), division)
    return {
        "stock_done": _pk(done), "stock_waiting": _pk(waiting), "stock_division": division.code, "stock_kept": kept,
    }  # fmt: skip


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
    found |= _inspections(now)
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
        "item_scored": play.item("建设工程规划许可证核发（建筑类）").code,
        "item_pk": _pk(play.item(PRESALE)),
        "item_longer_pk": _pk(_longer(now)),
        "item_draft_pk": _pk(BusinessItem.objects.exclude(status="published").first() or play.item(PRESALE)),
        "department": _pk(Department.objects.get(division__code="320700", name="市住建局")),
        "person": _pk(play.person("chuangkou2")),
        "user": _pk(play.person("zhujian.chushi2")),
        "licence": delivered.licence.number,
        "verify": Document.objects.filter(case=delivered).order_by("-pk")[0].verify_code,
        "head": "zhujian.fuzeren",
        "phone": PhoneMessage.objects.order_by("pk")[0].phone_hash,
    }
    found |= _promises(now)
    found |= _draws(now)
    found |= _revocations(now)
    found |= _taking(now)
    found |= _set_aside(now)
    found |= _clock_acts(now)
    found |= _weighed(now)
    found |= _covered(now)
    found |= _verifications(now)
    found |= _pushes(now)
    found |= _province(now)
    found |= _clocks(found)
    found |= _years(now)
    found["case_deemed"] = _deemed(now)
    found |= _owed(now)
    found |= _staff(now)
    found |= _ended_early(now)
    found |= _orders(now)
    found |= _disputes(now)
    found |= _stock(now)
    found |= _credit(now)
    found |= _measures(now)
    found |= _handling_previews(now)
    found |= _links(now)
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
