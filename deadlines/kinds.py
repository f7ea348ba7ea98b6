"""The one table of clocks: legal basis, length, unit, alarms, who is told, what may change it, and which app answers.

``stands`` says that a room of the portal starts clocks of the kind; a kind that does not stand yet is declared so that
its law is written down once, and starting one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from deadlines.alarms import Alarms
from deadlines.enums import PauseGround, Room, Unit


class KindCode(models.TextChoices):
    """Codes of the clocks."""

    DECISION_STATUTORY = "decision_statutory", "法定审批期限"
    DECISION_PROMISED = "decision_promised", "承诺审批期限"
    JOINT_STATUTORY = "joint_statutory", "联合办理法定期限"
    CORRECTION_NOTICE = "correction_notice", "一次性告知期限"
    CORRECTION_ANSWER = "correction_answer", "补正期限"
    STAGE_WINDOW = "stage_window", "窗口环节期限"
    STAGE_REVIEW = "stage_review", "审查环节期限"
    STAGE_DECIDE = "stage_decide", "会签决定环节期限"
    STAGE_CERTIFY = "stage_certify", "制证环节期限"
    SPECIAL_PROCEDURE = "special_procedure", "特别程序预计时限"
    ISSUE = "issue", "制证送达期限"
    PUBLICATION = "publication", "许可信息公示期限"
    HEARING_REQUEST = "hearing_request", "申请听证期限"
    HEARING_HOLD = "hearing_hold", "组织听证期限"
    HEARING_NOTICE = "hearing_notice", "听证通知期限"
    ACKNOWLEDGE = "acknowledge", "监管任务签收期限"
    FEEDBACK = "feedback", "监管结果反馈期限"
    PLANNED_FINISH = "planned_finish", "监管计划完成日"
    RECTIFICATION = "rectification", "责令整改期限"
    FOLLOW_UP = "follow_up", "监管后续处理期限"
    DISPUTE = "dispute", "审管争议协调期限"
    EXPEDITE = "expedite", "督办通知单答复期限"
    PROMISE = "promise", "承诺履行期限"
    LATER_SUBMISSION = "later_submission", "容缺补交期限"
    REVOCATION = "revocation", "撤销建议办理期限"
    REVOCATION_HEARING = "revocation_hearing", "陈述申辩期限"
    CREDIT_OBJECTION = "credit_objection", "失信认定异议期限"
    CREDIT_REPAIR = "credit_repair", "信用修复办理期限"


@dataclass(frozen=True, slots=True)
class Extension:
    """How far a clock may be extended, once: at most ``longest`` more of its unit, allowed by ``allowed_by``."""

    longest: int
    allowed_by: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of clock.

    ``length`` is None where each item or person sets it; ``alarms`` is None where nobody is alarmed;
    ``owner`` is the app that registers the handler of its alarms (see ``deadlines.registry``). ``room`` says who may
    set another length, ``longest`` how long it may then be at most. ``pauses`` are the grounds on which it may stand
    still, ``needs_law`` those of them that count only under a law that is named.
    """

    code: KindCode
    length: int | None
    unit: Unit
    legal_basis: str
    alarms: Alarms | None
    addressees: str
    owner: str
    room: Room = Room.FIXED
    longest: int | None = None
    pauses: frozenset[PauseGround] = frozenset()
    needs_law: frozenset[PauseGround] = frozenset()
    extension: Extension | None = None
    stands: bool = True

    @property
    def label(self) -> str:
        """The name in Chinese."""
        return str(self.code.label)


DAILY = Alarms(first=-1)
# Stages press only whoever has the case: on the last day and the day after. The whole clock climbs the ladder.
STAGE = Alarms(first=0, last=1)
REVIEWING = "审查人员；逾期：处室负责人、部门负责人、督办人员"
CREDIT = "信用管理员"
SUPERVISING = "处室管理员；逾期：副管理员与部门负责人、督办人员"
PLAN = "连政办发〔2022〕67号"
PLAN_2023 = "连政办传〔2023〕8号"
EVERY = frozenset(PauseGround)
NAMED = frozenset({PauseGround.NAMED_LAW})
# Public notice stops the statutory clock only under a named law; the promised one when the item says so (art. 45).
NAMED_OR_NOTICE = NAMED | {PauseGround.PUBLIC_NOTICE}
HEAD = "本行政机关负责人"
# 行政许可法 art. 42: 20 working days, 10 more with the head's approval; other laws may say otherwise.
ART_42_DAYS = 20
ART_42 = Extension(10, HEAD, "行政许可法第四十二条第一款")


def most(kind: Kind) -> int | None:
    """The longest length that a division or an item may set, in the kind's unit; None where nobody may set one."""
    return {Room.SHORTER: kind.length, Room.FREE: kind.longest}.get(kind.room)


STAGES = (KindCode.STAGE_WINDOW, KindCode.STAGE_REVIEW, KindCode.STAGE_DECIDE, KindCode.STAGE_CERTIFY)


def _stage(code: KindCode, length: int, who: str, longest: int = ART_42_DAYS) -> Kind:
    return Kind(
        code,
        length,
        Unit.WORKING,
        f"{PLAN_2023}三、（二）1：固化内部审批环节，确定具体时限",
        STAGE,
        who,
        "approvals",
        room=Room.FREE,
        longest=longest,
        pauses=EVERY,
    )


KINDS: dict[KindCode, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            KindCode.DECISION_STATUTORY,
            ART_42_DAYS,
            Unit.WORKING,
            "行政许可法第四十二条、第八十二条",
            DAILY,
            REVIEWING,
            "approvals",
            room=Room.ITEM,
            pauses=EVERY,
            needs_law=NAMED_OR_NOTICE,
            extension=ART_42,
        ),
        Kind(
            KindCode.DECISION_PROMISED,
            None,
            Unit.WORKING,
            f"{PLAN_2023}：原则上不超过5个工作日",
            DAILY,
            REVIEWING,
            "approvals",
            room=Room.ITEM,
            pauses=EVERY,
            needs_law=NAMED,
        ),
        Kind(
            KindCode.JOINT_STATUTORY,
            45,
            Unit.WORKING,
            "行政许可法第四十二条第二款、第八十二条",
            DAILY,
            "牵头部门；逾期：部门负责人、督办人员",
            "approvals",
            pauses=EVERY,
            needs_law=NAMED_OR_NOTICE,
            extension=Extension(15, "本级人民政府负责人", "行政许可法第四十二条第二款"),
            stands=False,
        ),
        Kind(
            KindCode.CORRECTION_NOTICE,
            5,
            Unit.WORKING,
            "行政许可法第三十二条第一款第四项",
            DAILY,
            "窗口人员；逾期：督办人员",
            "approvals",
        ),
        Kind(
            KindCode.CORRECTION_ANSWER,
            10,
            Unit.WORKING,
            "补正告知书载明的补正期限（行政许可法第三十二条）",
            DAILY,
            "申请人、窗口人员",
            "approvals",
            room=Room.FREE,
            longest=60,
        ),
        # The window answers within art. 32's 5 days, the paper is made within art. 44's 10.
        _stage(KindCode.STAGE_WINDOW, 1, "窗口人员", longest=5),
        _stage(KindCode.STAGE_REVIEW, 3, "审查人员"),
        _stage(KindCode.STAGE_DECIDE, 1, "决定人员"),
        _stage(KindCode.STAGE_CERTIFY, 2, "审查、决定人员", longest=10),
        Kind(
            KindCode.SPECIAL_PROCEDURE,
            None,
            Unit.WORKING,
            "行政许可法第四十五条：书面告知的所需时间",
            DAILY,
            REVIEWING,
            "approvals",
            room=Room.PERSON,
        ),
        Kind(
            KindCode.ISSUE,
            10,
            Unit.WORKING,
            "行政许可法第四十四条",
            DAILY,
            "出件人员；逾期：部门负责人、督办人员",
            "approvals",
            room=Room.SHORTER,
        ),
        Kind(
            KindCode.PUBLICATION,
            7,
            Unit.WORKING,
            "双公示：行政许可决定作出之日起7个工作日内",
            DAILY,
            "部门负责人",
            "approvals",
            room=Room.SHORTER,
            stands=False,
        ),
        Kind(
            KindCode.HEARING_REQUEST,
            5,
            Unit.WORKING,
            "行政许可法第四十七条、第八十二条：被告知之日起5日内提出",
            None,
            "申请人、利害关系人",
            "approvals",
            stands=False,
        ),
        Kind(
            KindCode.HEARING_HOLD,
            20,
            Unit.WORKING,
            "行政许可法第四十七条、第八十二条：提出申请后20日内组织",
            DAILY,
            "决定人员；逾期：部门负责人、督办人员",
            "approvals",
        ),
        Kind(
            KindCode.HEARING_NOTICE,
            7,
            Unit.WORKING,
            "行政许可法第四十八条、第八十二条：举行7日前通知",
            DAILY,
            REVIEWING,
            "approvals",
            stands=False,
        ),
        Kind(
            KindCode.ACKNOWLEDGE,
            3,
            Unit.WORKING,
            f"{PLAN}：短信发出后的3个工作日内",
            DAILY,
            SUPERVISING,
            "supervision",
            room=Room.SHORTER,
        ),
        Kind(
            KindCode.FEEDBACK,
            5,
            Unit.WORKING,
            f"{PLAN}：完成监管工作后5个工作日内",
            DAILY,
            SUPERVISING,
            "supervision",
            room=Room.SHORTER,
        ),
        Kind(
            KindCode.PLANNED_FINISH,
            None,
            Unit.FIXED,
            "签收时填报的计划完成日",
            DAILY,
            SUPERVISING,
            "supervision",
            room=Room.PERSON,
        ),
        Kind(
            KindCode.RECTIFICATION,
            None,
            Unit.FIXED,
            f"{PLAN}：责令限期整改通知书载明的期限",
            DAILY,
            SUPERVISING,
            "supervision",
            room=Room.PERSON,
        ),
        # The plan says that a fault is set right and gives no days for it; without a clock a task would rest unseen.
        Kind(
            KindCode.FOLLOW_UP,
            10,
            Unit.WORKING,
            f"{PLAN}：监管结果的后续处理（平台设定，由主管部门调整）",
            DAILY,
            SUPERVISING,
            "supervision",
            room=Room.FREE,
            longest=20,
        ),
        Kind(
            KindCode.DISPUTE,
            5,
            Unit.WORKING,
            f"{PLAN}：审管争议的协调",
            DAILY,
            "督办人员",
            "supervision",
            room=Room.FREE,
            longest=20,
        ),
        Kind(
            KindCode.EXPEDITE,
            3,
            Unit.WORKING,
            f"{PLAN_2023}三、（三）1：督办通知单载明的答复期限",
            DAILY,
            "被督办部门负责人；逾期：督办人员",
            "oversight",
            room=Room.FREE,
            longest=10,
            stands=False,
        ),
        # The applicant is reminded on the working day before (L8b); the day after, the approval side decides (L8c).
        Kind(
            KindCode.PROMISE,
            None,
            Unit.FIXED,
            f"{PLAN}：承诺期限",
            DAILY,
            "申请人；逾期：决定人员、部门负责人、督办人员",
            "approvals",
            room=Room.PERSON,
        ),
        Kind(
            KindCode.LATER_SUBMISSION,
            None,
            Unit.FIXED,
            f"{PLAN_2023}三、（一）3：容缺办理、限期补交",
            DAILY,
            "申请人；逾期：决定人员、部门负责人、督办人员",
            "approvals",
            room=Room.PERSON,
        ),
        Kind(
            KindCode.REVOCATION,
            20,
            Unit.WORKING,
            f"{PLAN}：撤销建议推送审批部门；办理期限参照行政许可法第四十二条",
            DAILY,
            "决定人员；逾期：部门负责人、督办人员",
            "approvals",
            room=Room.FREE,
            longest=ART_42_DAYS,
            pauses=frozenset({PauseGround.HEARING}),
        ),
        # The holder answers within the days of the notice: 5 at least, as for a hearing (art. 47).
        Kind(
            KindCode.REVOCATION_HEARING,
            5,
            Unit.WORKING,
            "撤销行政许可告知书载明的陈述、申辩和申请听证期限",
            Alarms(first=1, last=1),
            "决定人员",
            "approvals",
            room=Room.FREE,
            longest=20,
        ),
        # The subject's own: nobody is pressed while it runs; the day after, whoever told the subject decides.
        Kind(
            KindCode.CREDIT_OBJECTION,
            5,
            Unit.WORKING,
            "拟认定失信告知书载明的异议期限（平台设定，由主管部门调整）",
            Alarms(first=1, last=1),
            CREDIT,
            "credit",
            room=Room.FREE,
            longest=20,
        ),
        Kind(
            KindCode.CREDIT_REPAIR,
            10,
            Unit.WORKING,
            "信用修复管理办法（2026年4月1日起施行）",
            DAILY,
            f"{CREDIT}；逾期：部门负责人、督办人员",
            "credit",
            room=Room.SHORTER,
        ),
    )
}
