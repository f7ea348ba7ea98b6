"""Who may do what to a task and what hangs on it, in which state: the tables of docs/mechanisms/states.md.

An act is named by the address of the API that carries it out. Everybody who is not named in its row gets 404, and so
does the same role of another office, department or division. Whoever is named gets a sentence in every other state
(409, or 422). What else an act asks for stands in ``given``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import models

from approvals.actions.licences import BY_HAND
from approvals.enums import LICENCE_MOVES, REVOCATION_MOVES, LicenceChangeKind, RevocationStatus
from approvals.models import Licence
from approvals.states import APPLICANT, ROLES, Cell
from offices.models import Posting
from supervision.actions.handing_over import FROM as HANDED_FROM
from supervision.actions.inspecting import LOOKED_AT
from supervision.actions.ordering import ORDERABLE, SETTLED, UNMENDED
from supervision.actions.taking import ASSIGNABLE, PLANNED
from supervision.actions.visiting import OPEN as OPEN_VISITS
from supervision.actions.visiting import VISITED
from supervision.enums import (
    ENDS_WITH_LICENCE,
    MOVES,
    WHILE_LOOKED_AT,
    DisputeOutcome,
    OrderStatus,
    Result,
    TaskStatus,
    VisitStatus,
)

Role = Posting.Role
T, V, R, D, L, K = TaskStatus, VisitStatus, RevocationStatus, DisputeOutcome, Licence.State, LicenceChangeKind
Moves = tuple[tuple[str, str], ...]

MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
HEAD = (Role.DEPARTMENT_HEAD,)
FIELD = (*MANAGERS, Role.INSPECTOR)
READERS = (*FIELD, *HEAD)
DECIDER = (Role.DECIDER,)


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its address, who may do it in which states, and along which moves it may carry the thing.

    ``away``: roles that see the thing no longer, or not yet, in these states (role → states). ``never``: roles that see
    it and are always refused. ``variant`` tells two acts of one address apart.
    """

    route: str
    label: str
    roles: tuple[str, ...]
    states: tuple[str, ...]
    given: str = ""
    moves: Moves = ()
    method: str = "post"
    variant: str = ""
    away: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    never: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells acts apart."""
        said = self.route if self.method == "post" else f"{self.route} {self.method.upper()}"
        return f"{said} {self.variant}" if self.variant else said

    def cell(self, role: str, state: str) -> Cell:
        """What becomes of the act."""
        if role not in self.roles or state in self.away.get(role, ()):
            return Cell.ABSENT
        return Cell.DONE if state in self.states and role not in self.never else Cell.REFUSED


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with states: their labels in order, where it begins, the acts on it, and moves that others make."""

    key: str
    title: str
    states: Mapping[str, str]
    acts: tuple[Act, ...]
    note: str = ""
    begins: tuple[tuple[str, str], ...] = ()
    others: Mapping[str, Moves] = field(default_factory=dict)

    @property
    def moves(self) -> set[tuple[str, str]]:
        """All moves that something makes."""
        return {move for act in self.acts for move in act.moves} | {m for found in self.others.values() for m in found}


def _to(target: str, *sources: str) -> Moves:
    return tuple((source, target) for source in sources)


def _labels(states: Iterable[models.TextChoices]) -> dict[str, str]:
    return {state.value: str(state.label) for state in states}


FINISHABLE = (T.ACKNOWLEDGED, T.IN_PROGRESS)

TASK = Thing(
    "task", "监管任务 · Task", _labels(T),
    (
        Act("api-tasks:task", "查看任务", READERS, tuple(T), "监管执法人员只看分派给本人的",
            _to(T.VIEWED, T.NOTIFIED), "get"),
        Act("api-tasks:acknowledgement", "签收", MANAGERS, (T.VIEWED,), "监管措施和计划完成日",
            _to(T.ACKNOWLEDGED, T.VIEWED)),
        Act("api-tasks:acknowledgements", "批量签收", MANAGERS, (T.VIEWED,), "同一处室、同一子项",
            _to(T.ACKNOWLEDGED, T.VIEWED)),
        Act("api-tasks:task_disputes", "提出异议", MANAGERS, (T.VIEWED,), "督办未曾维持原派",
            _to(T.DISPUTED, T.VIEWED)),
        Act("api-tasks:assignment", "分派办理人员", MANAGERS, ASSIGNABLE, "本处室在岗人员"),
        Act("api-tasks:plan", "变更监管措施或计划完成日", MANAGERS, PLANNED, "写明原因"),
        Act("api-tasks:licence-ended", "证照已失效，归档", MANAGERS, ENDS_WITH_LICENCE,
            "证照已失效；整改中的通知书随之终止", _to(T.CLOSED, *ENDS_WITH_LICENCE)),
        Act("api-tasks:visit-request", "申请入企检查", MANAGERS, VISITED, "没有待批或者已批准的，上限之内"),
        Act("api-tasks:visit-settlement", "批准或不批准入企检查", HEAD, VISITED, "待批准，非本人所提"),
        Act("api-tasks:visit-cancellation", "取消入企检查", MANAGERS, VISITED, "待批准或者已批准"),
        Act("api-tasks:inspection-photos", "上传检查照片", FIELD, tuple(T), "只是草稿，没有记录引用的三十天后删除"),
        Act("api-tasks:inspections", "记录检查", FIELD, LOOKED_AT, "监管措施允许，由办理人员检查；现场检查须已批准入企",
            _to(T.IN_PROGRESS, T.ACKNOWLEDGED), variant="first"),
        Act("api-tasks:inspections", "记录复查", FIELD, (T.IN_PROGRESS, T.FINISHED, T.RECTIFYING), "有整改中的通知书",
            variant="again"),
        Act("api-tasks:set-aside", "申请检查记录作废", MANAGERS, WHILE_LOOKED_AT,
            "首次检查的记录，没有责令整改以它为依据，没有待批的申请"),
        Act("api-tasks:set-aside-answer", "批复检查记录作废", HEAD, WHILE_LOOKED_AT,
            "有待批的申请，非本人所提，不是该次检查人员；没有其他记录的，重新检查", _to(T.IN_PROGRESS, T.FINISHED)),
        Act("api-tasks:finish", "完成监管", MANAGERS, FINISHABLE,
            "承诺已逐条核查，抽查对象已由两人检查；完成日不早于检查，不在将来",
            _to(T.FINISHED, *FINISHABLE)),
        Act("api-tasks:feedback", "反馈监管结果", MANAGERS, (T.FINISHED,),
            "逐条结果，不好于最差的检查记录；监管平台及其文书编号",
            ((T.FINISHED, T.FED_BACK), (T.FED_BACK, T.RECTIFYING), (T.FED_BACK, T.CLOSED))),
        Act("api-tasks:closure", "归档", MANAGERS, (T.FED_BACK,), "反馈为基本符合", _to(T.CLOSED, T.FED_BACK)),
        Act("api-tasks:order", "责令限期整改", MANAGERS, ORDERABLE, "检查发现不符合，未责令过",
            _to(T.RECTIFYING, T.FED_BACK)),
        Act("api-tasks:handover", "移送执法", MANAGERS, HANDED_FROM, "反馈为不符合，没有整改中的通知书",
            _to(T.HANDED_OVER, *HANDED_FROM)),
        Act("api-tasks:handover-receipt", "登记移送回执", MANAGERS, (T.HANDED_OVER,), "未登记"),
        Act("api-tasks:handover-result", "登记移送处理结果", MANAGERS, (T.HANDED_OVER,), "已登记回执",
            _to(T.CLOSED, T.HANDED_OVER)),
        Act("api-tasks:proposal", "建议撤销行政许可", MANAGERS, (T.RECTIFYING,), "逾期未改或者拒不整改，证照有效",
            _to(T.REVOCATION, T.RECTIFYING)),
    ),
    "A 监管执法人员 is somebody to whom the task was given; to the others of the office it does not exist.",
    begins=((T.NOTIFIED, "审批办结、双随机抽查、存量证照"),),
    others={
        "督办改派": ((T.DISPUTED, T.NOTIFIED),),
        "督办维持原派": ((T.DISPUTED, T.VIEWED),),
        "认定整改合格": ((T.RECTIFYING, T.CLOSED), (T.RECTIFYING, T.FED_BACK)),
        "审批部门答复": ((T.REVOCATION, T.CLOSED),),
    },
)  # fmt: skip

NOT_LOOKED = "none"
FINDINGS = {NOT_LOOKED: "未检查"} | {result.value: str(result.label) for result in Result}
FINDING = Thing(
    "finding", "检查发现 · Finding", FINDINGS,
    (
        Act("api-tasks:inspections", "发送这一份草稿", FIELD, (NOT_LOOKED,), "发送后改了内容再发的，不作改动",
            variant="changed"),
        Act("api-tasks:inspections", "再作一次检查记录", FIELD, tuple(FINDINGS), "任务检查中、待反馈", variant="first"),
        Act("api-tasks:order", "责令限期整改", MANAGERS, (Result.NONCONFORMING,), "任务检查中、待反馈、已反馈"),
        Act("api-tasks:feedback", "反馈为符合", MANAGERS,
            (NOT_LOOKED, Result.CONFORMING), "任务待反馈；承诺事项和抽查对象须已检查", variant="conforming"),
        Act("api-tasks:feedback", "反馈为不符合", MANAGERS, (Result.NONCONFORMING,), "任务待反馈",
            variant="nonconforming"),
        Act("api-tasks:closure", "归档", MANAGERS, (Result.BASICALLY,), "任务已反馈；符合的，反馈时即归档"),
        Act("api-tasks:handover", "移送执法", MANAGERS, (Result.NONCONFORMING,), "任务已反馈"),
    ),
    "A state is what the records found as a whole, their worst finding, and what was then fed back. A record that was "
    "sent is never changed, and a later one does not make it better.",
)  # fmt: skip

ORDER = Thing(
    "order", "责令整改 · Order to mend", _labels(OrderStatus),
    (
        Act("api-tasks:order-extension", "申请延长整改期限", MANAGERS, (OrderStatus.RUNNING,), "期限未过，未申请过"),
        Act("api-tasks:order-answer", "批复延长申请", HEAD, (OrderStatus.RUNNING,), "有待批的申请，非本人所提"),
        Act("api-tasks:inspections", "记录复查", FIELD, (OrderStatus.RUNNING,), variant="again"),
        Act("api-tasks:order-outcome", "认定整改结果", MANAGERS, (OrderStatus.RUNNING,),
            "合格的须经复查；逾期未改的须在期限届满当日或者之后复查；拒不整改的须写明何人何时",
            tuple((OrderStatus.RUNNING, target) for target in SETTLED)),
        Act("api-tasks:handover", "移送执法", MANAGERS, UNMENDED, "任务整改中"),
        Act("api-tasks:proposal", "建议撤销行政许可", MANAGERS, UNMENDED, "任务整改中，证照有效"),
        Act("api-tasks:licence-ended", "证照已失效，归档", MANAGERS, (OrderStatus.RUNNING, *UNMENDED), "证照已失效",
            ((OrderStatus.RUNNING, OrderStatus.LAPSED),)),
    ),
    "After the feedback; a mended order, and one that lapsed with the licence, has closed its task.",
    begins=((OrderStatus.RUNNING, "责令限期整改"),),
)  # fmt: skip

VISIT = Thing(
    "visit", "入企检查 · Visit", _labels(V),
    (
        Act("api-tasks:visit-request", "申请入企检查", MANAGERS, (V.REFUSED, V.DONE, V.CANCELLED), "另作一次申请"),
        Act("api-tasks:visit-settlement", "批准或不批准", HEAD, (V.REQUESTED,), "非本人所提",
            ((V.REQUESTED, V.APPROVED), (V.REQUESTED, V.REFUSED))),
        Act("api-tasks:visit-cancellation", "取消", MANAGERS, OPEN_VISITS, "写明原因", _to(V.CANCELLED, *OPEN_VISITS)),
        Act("api-tasks:inspections", "记录现场检查", FIELD, (V.APPROVED,), "已到批准的日期，两人，已出示证件",
            ((V.APPROVED, V.DONE),), variant="on-site"),
    ),
    "Of a task that is 已签收 and looked at on site.",
    begins=((V.REQUESTED, "申请入企检查"),),
)  # fmt: skip

WAITING = "open"
DISPUTES = {WAITING: "待处理"} | {one.value: str(one.label) for one in D}
DISPUTE = Thing(
    "dispute", "审管争议 · Dispute", DISPUTES,
    (
        Act("api-tasks:dispute_decision", "处理异议", (Role.OVERSEER,), (WAITING,), "改派的，须为能承担的处室",
            ((WAITING, D.REASSIGNED), (WAITING, D.CONFIRMED))),
        Act("api-tasks:task_disputes", "再次提出异议", MANAGERS, (),
            away=dict.fromkeys(MANAGERS, (D.REASSIGNED.value,))),
    ),
    "改派 takes the task away from the office that objected.",
    begins=((WAITING, "提出异议"),),
)  # fmt: skip

REVOCATION = Thing(
    "revocation", "撤销建议 · Proposal to revoke", _labels(R),
    (
        Act("api:revocation-notice", "告知持证人", DECIDER, (R.RECEIVED,), "第六十九条的情形，五到二十个工作日",
            _to(R.NOTICED, R.RECEIVED)),
        Act("api:revocation-notice", "另行告知", DECIDER, (R.NOTICED, R.HEARD), "其他情形或者事实，指明所代替的告知书",
            _to(R.NOTICED, R.HEARD), variant="anew"),
        Act("api:revocation-statement", "记录陈述申辩", DECIDER, (R.NOTICED, R.HEARD), "",
            _to(R.HEARD, R.NOTICED)),
        Act("api:statement", "窗口记录陈述申辩", (Role.WINDOW_CLERK,), (R.NOTICED, R.HEARD), "听证未举行",
            _to(R.HEARD, R.NOTICED)),
        Act("api:door-statement", "网上陈述申辩、申请听证", (APPLICANT,), (R.NOTICED,), "期限未过",
            _to(R.HEARD, R.NOTICED)),
        Act("api:revocation-hearing", "安排听证", DECIDER, (R.NOTICED,), "持证人申请，未举行"),
        Act("api:hearing-record", "提交听证笔录", (*HEAD, *DECIDER), (R.NOTICED,), "主持听证的人，听证日已到",
            _to(R.HEARD, R.NOTICED), away=dict.fromkeys(HEAD, (R.RECEIVED.value,)), never=DECIDER),
        Act("api:revocation-decision", "决定撤销或者不予撤销", DECIDER, (R.NOTICED, R.HEARD),
            "已听取意见、书面放弃，或者期限届满没有申请听证；情形与告知书一致",
            ((R.NOTICED, R.HEARD), (R.HEARD, R.DECIDED))),
    ),
    "Of the approval side. Whoever chairs the hearing neither handles nor decides. 部门负责人 is here who chairs; to "
    "other heads the proposal does not exist. A decider who chairs has that row of the head.",
    begins=((R.RECEIVED, "建议撤销行政许可"),),
)  # fmt: skip

LICENCE_GIVEN = {
    K.CHANGE: "内容或者持有人有变", K.RENEWAL: "载明止日，有效期未过，撤销建议未在办理",
    K.WITHDRAWAL: "撤销建议未在办理", K.DEREGISTRATION: "未注销过，撤销建议未在办理",
}  # fmt: skip


def _on_licence(kind: LicenceChangeKind) -> Act:
    """A change by hand; what was revoked was struck off with it."""
    moves = tuple(
        (state, found[kind]) for state, found in LICENCE_MOVES.items() if kind in found and state != L.REVOKED
    )
    states = tuple(state for state, _ in moves)
    given = LICENCE_GIVEN.get(kind, "")
    return Act("api:licence-changes", str(kind.label), DECIDER, states, given, moves, variant=kind.value)


LICENCE = Thing(
    "licence", "证照 · Licence", _labels(L), tuple(_on_licence(kind) for kind in BY_HAND),
    "Of the approval side; every change reaches the open tasks of the licence at once.",
    begins=((L.VALID, "发证"),),
    others={"决定撤销": _to(L.REVOKED, L.VALID, L.SUSPENDED)},
)  # fmt: skip

MAKERS = (*MANAGERS, *HEAD)
DRAFT, PUBLISHED, DRAWN = "draft", "published", "drawn"
DRAW = Thing(
    "draw", "双随机抽查 · Plan and draw", {DRAFT: "未公布", PUBLISHED: "已公布，待抽取", DRAWN: "已抽取"},
    (
        Act("api-tasks:draw-plan", "查看抽查计划", (*MAKERS, Role.OVERSEER), (DRAFT, PUBLISHED, DRAWN), method="get"),
        Act("api-tasks:draw-plan-preview", "预览对象池", (*MAKERS, Role.OVERSEER), (DRAFT, PUBLISHED, DRAWN),
            method="get"),
        Act("api-tasks:draw-plan-change", "修改抽查计划", MAKERS, (DRAFT,)),
        Act("api-tasks:draw-plan-removal", "删除抽查计划", MAKERS, (DRAFT,)),
        Act("api-tasks:draw-plan-publication", "公布抽查计划", MAKERS, (DRAFT,), "抽取月份未过",
            ((DRAFT, PUBLISHED),)),
        Act("api-tasks:draw-plan-drawing", "随机抽取", MAKERS, (PUBLISHED,), "抽取月份，人员池两人以上，对象池不空",
            ((PUBLISHED, DRAWN),)),
    ),
    "A draw is made once; nothing undoes it. A plan that is removed is no more.",
    begins=((DRAFT, "制定抽查计划"),),
)  # fmt: skip

THINGS = (TASK, FINDING, ORDER, VISIT, DISPUTE, REVOCATION, LICENCE, DRAW)
# The tables of moves that the actions obey, where there is one; the diagrams show no move beside them.
OBEYED: Mapping[str, Mapping[str, Iterable[str]]] = {"task": MOVES, "revocation": REVOCATION_MOVES}

INTRODUCTION = """## Supervision

From `supervision.table`, `supervision.enums.MOVES`, `approvals.enums.REVOCATION_MOVES` and `LICENCE_MOVES`; the test
that sends every act in every state as every role is `tests/supervision/test_table.py`. Signs as above: ● done; 拒
refused in words; 无 out of reach (404). Every role that an act does not name gets 404, and so does the same role of
another office (for heads another department, for overseers and windows another division); without a token 401.
"""


def diagram(thing: Thing) -> str:
    """The moves of a thing, each with what makes it."""
    causes: dict[tuple[str, str], list[str]] = {}
    for label, moves in [(act.label, act.moves) for act in thing.acts] + list(thing.others.items()):
        for move in moves:
            causes.setdefault((str(move[0]), str(move[1])), []).append(label)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{label}" as {state}' for state, label in thing.states.items()]
    lines += [f"    [*] --> {state}: {label}" for state, label in thing.begins]
    for source in thing.states:
        for target in thing.states:
            if (source, target) in causes:
                lines.append(f"    {source} --> {target}: {'、'.join(causes[source, target])}")
    ends = [state for state in thing.states if not any(source == state for source, _ in causes)]
    lines += [f"    {state} --> [*]" for state in ends]
    return "\n".join([*lines, "```", ""])


def table(thing: Thing) -> str:
    """The acts on a thing with their cells, in Markdown."""
    lines = [
        "| act | role | " + " | ".join(thing.states.values()) + " | given |",
        "|---|---|" + "---|" * len(thing.states) + "---|",
    ]
    for act in thing.acts:
        for number, role in enumerate(act.roles):
            cells = " | ".join(act.cell(role, state).value for state in thing.states)
            name = f"{act.label}<br>`{act.route}{'' if act.method == 'post' else ' GET'}`" if number == 0 else ""
            lines.append(f"| {name} | {ROLES[role]} | {cells} | {act.given if number == 0 else ''} |")
    return "\n".join([*lines, ""])


def document() -> str:
    """Supervision's part of docs/mechanisms/states.md."""
    parts = [INTRODUCTION]
    for thing in THINGS:
        parts += [f"### {thing.title}\n", *([f"{thing.note}\n"] if thing.note else [])]
        parts += [diagram(thing)] if thing.begins else []
        parts.append(table(thing))
    return "\n".join(parts)
