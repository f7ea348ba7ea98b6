"""The one table of clocks: legal basis, length, unit, alarms, who is told, and which app answers the alarm."""

from dataclasses import dataclass

from django.db import models

from deadlines.alarms import Alarms
from deadlines.enums import Unit


class KindCode(models.TextChoices):
    """Codes of the clocks."""

    DECISION_STATUTORY = "decision_statutory", "法定审批期限"
    DECISION_PROMISED = "decision_promised", "承诺审批期限"
    CORRECTION_NOTICE = "correction_notice", "一次性告知期限"
    CORRECTION_ANSWER = "correction_answer", "补正期限"
    ISSUE = "issue", "制证送达期限"
    ACKNOWLEDGE = "acknowledge", "监管任务签收期限"
    FEEDBACK = "feedback", "监管结果反馈期限"
    PLANNED_FINISH = "planned_finish", "监管计划完成日"
    PROMISE = "promise", "承诺履行期限"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of clock.

    ``length`` is None where each item or person sets it; ``alarms`` is None where nobody is alarmed;
    ``owner`` is the app that registers the handler of its alarms (see ``deadlines.registry``).
    """

    code: KindCode
    length: int | None
    unit: Unit
    legal_basis: str
    alarms: Alarms | None
    addressees: str
    owner: str

    @property
    def label(self) -> str:
        """The name in Chinese."""
        return str(self.code.label)


DAILY = Alarms(first=-1)
REVIEWING = "审查人员；逾期：处室负责人、部门负责人、督办人员"
SUPERVISING = "处室管理员；逾期：副管理员与部门负责人、督办人员"
PLAN = "连政办发〔2022〕67号"

KINDS: dict[KindCode, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            KindCode.DECISION_STATUTORY,
            20,
            Unit.WORKING,
            "行政许可法第四十二条、第八十二条",
            DAILY,
            REVIEWING,
            "approvals",
        ),
        Kind(
            KindCode.DECISION_PROMISED,
            None,
            Unit.WORKING,
            "连政办传〔2023〕8号：原则上不超过5个工作日",
            DAILY,
            REVIEWING,
            "approvals",
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
            None,
            Unit.WORKING,
            "补正告知书载明的补正期限（行政许可法第三十二条）",
            DAILY,
            "申请人、窗口人员",
            "approvals",
        ),
        Kind(
            KindCode.ISSUE,
            10,
            Unit.WORKING,
            "行政许可法第四十四条",
            DAILY,
            "出件人员；逾期：部门负责人、督办人员",
            "approvals",
        ),
        Kind(
            KindCode.ACKNOWLEDGE,
            3,
            Unit.WORKING,
            f"{PLAN}：短信发出后的3个工作日内",
            DAILY,
            SUPERVISING,
            "supervision",
        ),
        Kind(
            KindCode.FEEDBACK,
            5,
            Unit.WORKING,
            f"{PLAN}：完成监管工作后5个工作日内",
            DAILY,
            SUPERVISING,
            "supervision",
        ),
        Kind(
            KindCode.PLANNED_FINISH,
            None,
            Unit.FIXED,
            "签收时填报的计划完成日",
            DAILY,
            SUPERVISING,
            "supervision",
        ),
        # Promises alarm once their room stands; until then such a clock only shows its light.
        Kind(
            KindCode.PROMISE,
            None,
            Unit.FIXED,
            f"{PLAN}：承诺期限",
            None,
            "申请人",
            "approvals",
        ),
    )
}
