"""Acts of the credit side on a subject's stream of the ledger."""

from __future__ import annotations

from django.db import models


class CreditAct(models.TextChoices):
    """Acts on the stream of a subject; what they say of it is ids and digests, never names or numbers."""

    BREACH_TOLD = "credit.breach_told", "告知拟认定失信"
    BREACH_OBJECTED = "credit.breach_objected", "提出异议"
    BREACH_RECORDED = "credit.breach_recorded", "认定并记录失信"
    BREACH_DROPPED = "credit.breach_dropped", "决定不予记录"
    KEPT_PROMISE = "credit.kept_promise", "记录履行承诺"
    REPAIR_ASKED = "credit.repair_asked", "申请信用修复或者更正"
    REPAIR_REFUSED = "credit.repair_refused", "不同意修复或者更正"
    RECORD_REPAIRED = "credit.record_repaired", "信用修复，停止公示和使用"
    RECORD_WITHDRAWN = "credit.record_withdrawn", "记录有误，更正撤回"
    NOTICE_TAKEN = "credit.notice_taken", "收到信用平台修复通知"
    MEASURE_BEGUN = "credit.measure_begun", "实施联合奖惩"
    MEASURE_ENDED = "credit.measure_ended", "提前终止联合奖惩"
    MEASURE_LIFTED = "credit.measure_lifted", "记录停止使用，联合奖惩随之终止"
    LINKED = "credit.linked", "衔接代码"
    UNLINKED = "credit.unlinked", "撤销代码衔接"
    ALARM = "credit.alarm", "时限提醒"
