"""Who may do what to a case in which state: the one table, from which docs/mechanisms/states.md is written.

An act is named by the address that carries it out (``api:…``, or a page where there is no twin). Everybody who is not
named in its row gets 404: the address does not exist for them. Whoever is named gets 404 while the case is out of their
reach, and in every other state a sentence (409, or 422). What else an act asks for stands in ``given``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from approvals.enums import MOVES, OPEN, CaseStatus
from offices.models import Posting

S = CaseStatus
Role = Posting.Role
APPLICANT = "applicant"
ROLES: dict[str, str] = {**dict(Role.choices), APPLICANT: "申请人"}

BEFORE_ACCEPTANCE = (S.SUBMITTED, S.CORRECTION_REQUESTED)
BEFORE_DECISION = (*BEFORE_ACCEPTANCE, S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW)
OWING = (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED, S.COMPLETED)
# A reviewer has what was drawn; a withdrawn case was drawn if it came as far as review.
DRAWN = (S.IN_REVIEW, S.APPROVED, S.REJECTED, S.COMPLETED, S.WITHDRAWN, S.CANCELLED)
# What a deciding office has: all that was accepted. A withdrawn case stands here with its acceptance behind it.
PAST_THE_WINDOW = tuple(status for status in S if status not in (*BEFORE_ACCEPTANCE, S.NOT_ACCEPTED, S.LAPSED))
EVERY = tuple(S)


class Cell(StrEnum):
    """What becomes of an act by a role in a state."""

    DONE = "●"
    REFUSED = "拒"
    ABSENT = "无"


class Desk(StrEnum):
    """Through which door an act comes, and so which cases it finds."""

    WINDOW = "window"
    OFFICE = "office"
    ISSUING = "issuing"
    OWED = "owed"
    COUNTERSIGN = "countersign"
    SITE = "site"
    HEAD = "head"
    OVERSIGHT = "oversight"
    PUBLIC = "public"


# The states in which a case of theirs exists for the person behind a desk.
REACH: dict[Desk, dict[str, tuple[CaseStatus, ...]]] = {
    Desk.WINDOW: {Role.WINDOW_CLERK: EVERY, Role.DELIVERY_CLERK: EVERY},
    Desk.OFFICE: {Role.REVIEWER: DRAWN, Role.DECIDER: PAST_THE_WINDOW},
    Desk.OWED: {Role.DECIDER: (S.APPROVED, S.COMPLETED, S.CANCELLED)},
    Desk.COUNTERSIGN: {Role.REVIEWER: DRAWN, Role.DECIDER: DRAWN},
    Desk.SITE: {Role.SITE_OFFICER: DRAWN},
    Desk.HEAD: {Role.DEPARTMENT_HEAD: EVERY},
    Desk.OVERSIGHT: {Role.OVERSEER: EVERY},
    Desk.PUBLIC: {APPLICANT: EVERY},
}

Moves = Iterable[tuple[CaseStatus, CaseStatus]]


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its address, who may do it in which states, and along which moves it may carry the case."""

    route: str
    label: str
    desk: Desk
    roles: tuple[str, ...]
    states: tuple[CaseStatus, ...]
    given: str = ""
    method: str = "post"
    moves: tuple[tuple[CaseStatus, CaseStatus], ...] = field(default=())

    @property
    def key(self) -> str:
        """Address and method: what tells acts apart."""
        return self.route if self.method == "post" else f"{self.route} {self.method.upper()}"

    def cell(self, role: str, status: CaseStatus) -> Cell:
        """What becomes of the act."""
        if role not in self.roles or status not in REACH[self.desk][role]:
            return Cell.ABSENT
        return Cell.DONE if status in self.states else Cell.REFUSED


def _to(target: CaseStatus, *sources: CaseStatus) -> tuple[tuple[CaseStatus, CaseStatus], ...]:
    return tuple((source, target) for source in sources)


# Acceptance by law (art. 32) waives no material: approval does not go without them.
NOTHING_LACKING = "不缺必要材料才能"
CLERK = (Role.WINDOW_CLERK,)
BACK_OFFICE = (Role.REVIEWER, Role.DECIDER)
WITHDRAWAL = _to(S.WITHDRAWN, *BEFORE_DECISION)
LICENCE = _to(S.COMPLETED, S.APPROVED)

ACTS: tuple[Act, ...] = (
    # at the window
    Act(
        "api:uploads", "收取材料文件", Desk.WINDOW, CLERK, (*BEFORE_ACCEPTANCE, *OWING),
        "受理之后只收所欠、所缺的材料",
    ),
    Act("api:verifications", "材料核验", Desk.WINDOW, CLERK, BEFORE_ACCEPTANCE, "可核验、未交的材料"),
    Act("api:covers", "遮盖材料", Desk.WINDOW, CLERK, BEFORE_DECISION),
    Act("api:covers", "撤销遮盖", Desk.WINDOW, CLERK, BEFORE_ACCEPTANCE, "已有遮盖", "delete"),
    Act("api:left-open", "说明不遮盖的理由", Desk.WINDOW, CLERK, BEFORE_DECISION, "没有遮盖"),
    Act("api:credit", "信用查询", Desk.WINDOW, CLERK, BEFORE_ACCEPTANCE, "已作决定的，只返回原结果，不再查询"),
    Act("api:credit-decision", "决定是否采用告知承诺", Desk.WINDOW, CLERK, BEFORE_ACCEPTANCE, "已查询，未决定"),
    Act("api:promise-code", "发送签署验证码", Desk.WINDOW, CLERK, (S.SUBMITTED,), "告知承诺方式"),
    Act("api:promise", "签署告知承诺书", Desk.WINDOW, CLERK, (S.SUBMITTED,), "已决定采用，未签署"),
    Act(
        "api:promise-withdrawal", "撤回承诺", Desk.WINDOW, CLERK, BEFORE_DECISION,
        "告知承诺方式；受理之后，即撤回申请", moves=WITHDRAWAL,
    ),
    Act("api:later", "容缺办理", Desk.WINDOW, CLERK, (S.SUBMITTED,), "可容缺、未交的材料，未约定过"),
    Act(
        "api:accept", "受理", Desk.WINDOW, CLERK, (S.SUBMITTED,), "材料齐全；备案即办结",
        moves=((S.SUBMITTED, S.ACCEPTED), (S.ACCEPTED, S.IN_REVIEW), (S.ACCEPTED, S.COMPLETED)),
    ),
    Act(
        "api:corrections", "一次性补正告知", Desk.WINDOW, CLERK, (S.SUBMITTED,), "未告知过",
        moves=_to(S.CORRECTION_REQUESTED, S.SUBMITTED),
    ),
    Act(
        "api:corrections-answer", "补正收件", Desk.WINDOW, CLERK, (S.CORRECTION_REQUESTED,), "期限未过，至少补正一项",
        moves=_to(S.SUBMITTED, S.CORRECTION_REQUESTED),
    ),
    Act(
        "api:refusal", "不予受理", Desk.WINDOW, CLERK, (S.SUBMITTED,), "法定理由；以未补齐为由的，须已收到补正",
        moves=_to(S.NOT_ACCEPTED, S.SUBMITTED),
    ),
    Act("api:mending", "当场更正", Desk.WINDOW, CLERK, BEFORE_ACCEPTANCE),
    Act("api:withdrawal", "撤回申请（窗口）", Desk.WINDOW, CLERK, BEFORE_DECISION, moves=WITHDRAWAL),
    Act(
        "api:hand-in", "补交所欠材料（窗口）", Desk.WINDOW, CLERK, OWING, "有所欠、所缺材料；延期的补齐即发证",
        moves=LICENCE,
    ),
    Act(
        "api:delivery", "送达", Desk.WINDOW, (Role.WINDOW_CLERK, Role.DELIVERY_CLERK), (S.REJECTED, S.COMPLETED),
        "未送达", moves=_to(S.COMPLETED, S.REJECTED),
    ),
    # in the back office
    Act(
        "api:opinion", "出具审查意见", Desk.OFFICE, (Role.REVIEWER,), (S.IN_REVIEW,),
        f"抽取到本人，没有评分准则；{NOTHING_LACKING}建议准予",
    ),
    Act(
        "api:sheet", "评分", Desk.OFFICE, (Role.REVIEWER,), (S.IN_REVIEW,),
        f"本人席位，有评分准则；{NOTHING_LACKING}建议准予",
    ),
    Act("api:lead", "抽取牵头人", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "两份评分有分歧，尚无牵头人"),
    Act("api:site-plan", "安排现场核查", Desk.OFFICE, (Role.REVIEWER,), (S.IN_REVIEW,), "审查人一，没有审查意见"),
    Act("api:recusal", "回避并重新抽取", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "本人尚未出具意见"),
    Act("api:unveiling", "决定前查看申请人", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "写明理由"),
    Act("api:procedure", "启动特别程序", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "没有正在进行的特别程序"),
    Act("api:procedure-end", "结束特别程序", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "有正在进行的特别程序"),
    Act("api:extension-request", "申请延期", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "法律许可延期，未申请过"),
    Act("api:province-report", "上报省主管部门", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "须上报的事项，未上报"),
    Act("api:province-answer", "登记省主管部门答复", Desk.OFFICE, BACK_OFFICE, (S.IN_REVIEW,), "已上报，未答复"),
    Act(
        "api:decision", "作出决定", Desk.OFFICE, (Role.DECIDER,), (S.IN_REVIEW,),
        f"意见、会签、核查齐备；三人分离；{NOTHING_LACKING}准予",
        moves=(*_to(S.APPROVED, S.IN_REVIEW), *_to(S.REJECTED, S.IN_REVIEW), *LICENCE),
    ),
    Act(
        "api:completion", "制证办结", Desk.OFFICE, BACK_OFFICE, (S.APPROVED,), "没有延期未交、缺少的材料",
        moves=LICENCE,
    ),
    Act(
        "api:promise-settlement", "处理承诺逾期", Desk.OWED, (Role.DECIDER,), (S.APPROVED,), "承诺日已过",
        moves=(*_to(S.CANCELLED, S.APPROVED), *LICENCE),
    ),
    Act("api:later-extension", "延长容缺补交期限", Desk.OWED, (Role.DECIDER,), (S.COMPLETED,), "期限未过，未延长过"),
    Act("api:later-settlement", "处理容缺逾期", Desk.OWED, (Role.DECIDER,), (S.COMPLETED,), "期限已过"),
    Act("api:countersignature", "内部会签", Desk.COUNTERSIGN, BACK_OFFICE, (S.IN_REVIEW,), "会签处室，未答复"),
    Act(
        "api:site-check", "报告现场核查", Desk.SITE, (Role.SITE_OFFICER,), (S.IN_REVIEW,),
        "抽取到本人，未报告，已到计划日",
    ),
    Act(
        "api:site-check-confirmation", "确认或退回现场核查", Desk.SITE, (Role.SITE_OFFICER,), (S.IN_REVIEW,),
        "抽取到本人，由另一人报告",
    ),
    Act("api:extension", "批复延期", Desk.HEAD, (Role.DEPARTMENT_HEAD,), (S.IN_REVIEW,), "有待批的申请，非本人所提"),
    Act(
        "oversight:hand_over", "改派审查人员", Desk.OVERSIGHT, (Role.OVERSEER,),
        (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW), "没有审查意见",
        moves=_to(S.IN_REVIEW, S.ACCEPTED, S.DEEMED_ACCEPTED),
    ),
    # through the applicant's own door
    Act(
        "api:door-uploads", "上传材料", Desk.PUBLIC, (APPLICANT,), (S.CORRECTION_REQUESTED, *OWING),
        "受理之后只收所欠、所缺的材料",
    ),
    Act(
        "api:door-answer", "网上补正", Desk.PUBLIC, (APPLICANT,), (S.CORRECTION_REQUESTED,), "期限未过，至少补正一项",
        moves=_to(S.SUBMITTED, S.CORRECTION_REQUESTED),
    ),
    Act(
        "api:door-owed", "网上补交", Desk.PUBLIC, (APPLICANT,), OWING, "有所欠、所缺材料；延期的补齐即发证",
        moves=LICENCE,
    ),
    Act(
        "api:door-promise-withdrawal", "网上撤回承诺", Desk.PUBLIC, (APPLICANT,), BEFORE_DECISION,
        "告知承诺方式；受理之后，即撤回申请", moves=WITHDRAWAL,
    ),
    Act("api:door-withdrawal", "网上撤回申请", Desk.PUBLIC, (APPLICANT,), BEFORE_DECISION, moves=WITHDRAWAL),
)  # fmt: skip

# Moves that a sweep makes when a day has passed: nobody presses a button.
SWEEPS: Mapping[str, tuple[tuple[CaseStatus, CaseStatus], ...]] = {
    "5 个工作日内没有答复（自动）": ((S.SUBMITTED, S.DEEMED_ACCEPTED), (S.DEEMED_ACCEPTED, S.IN_REVIEW)),
    "逾期未补正（自动）": ((S.CORRECTION_REQUESTED, S.LAPSED),),
}

HEAD = """# States: who may do what to a case, to a task and what hangs on it, and when

Written by `manage.py state_table` from `approvals.states` and `approvals.enums.MOVES`; a test compares. Another test
sends every act in every state as every role, one request a cell, and looks that what is refused changes neither the
case nor its ledger (`tests/approvals/test_states.py`).
"""
READING = """## Acts

A row an act and role, a column a state. ● done; 拒 refused in words (409, or 422 where the input is at fault); 无 the
case is out of the person's reach (404). Every role that an act does not name gets 404, and so does the same role of
another division; without a token 401. What else an act asks for stands beside it. 已受理 lasts only within the
transaction of the acceptance. 已撤回 means withdrawn in review: a case that was withdrawn before its acceptance never
reached the office, and is 无 for everybody in the back office, like one that was not accepted or lapsed.
"""


# What the rooms above write below: each its own tables.
_further: list[Callable[[], str]] = []


def write_also(section: Callable[[], str]) -> None:
    """Let a room above add its part of the document, once (from its ``apps.py``)."""
    if section not in _further:
        _further.append(section)


def _causes() -> dict[tuple[CaseStatus, CaseStatus], list[str]]:
    """Move → what makes it, in the order of the table."""
    found: dict[tuple[CaseStatus, CaseStatus], list[str]] = {}
    named = [(act.label, act.moves) for act in ACTS] + list(SWEEPS.items())
    for label, moves in named:
        for move in moves:
            found.setdefault(move, []).append(label)
    return found


def diagram() -> str:
    """MOVES as a mermaid state diagram, each arrow with the acts that go along it."""
    causes = _causes()
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{status.label}" as {status.value}' for status in S]
    lines.append(f"    [*] --> {S.SUBMITTED.value}: 收件")
    for source in S:
        for target in (status for status in S if status in MOVES[source]):
            lines.append(f"    {source.value} --> {target.value}: {'、'.join(causes[source, target])}")
    lines += [f"    {status.value} --> [*]" for status in S if status not in OPEN]
    return "\n".join([*lines, "```", ""])


def table() -> str:
    """The acts with their cells, in Markdown."""
    lines = [
        "| act | role | " + " | ".join(status.label for status in S) + " | given |",
        "|---|---|" + "---|" * len(S) + "---|",
    ]
    for act in ACTS:
        for number, role in enumerate(act.roles):
            cells = " | ".join(act.cell(role, status).value for status in S)
            name = f"{act.label}<br>`{act.key}`" if number == 0 else ""
            lines.append(f"| {name} | {ROLES[role]} | {cells} | {act.given if number == 0 else ''} |")
    return "\n".join([*lines, ""])


def document() -> str:
    """docs/mechanisms/states.md."""
    moves = "## Moves\n\nTwo acts by different people on the same case come one after the other: each locks the row.\n"
    return "\n".join([HEAD, moves, diagram(), READING, table(), *(section() for section in _further)])
