"""Acts of the overseers, of the division administrators and of the discipline office on the ledger."""

from django.db import models


class OverseerAct(models.TextChoices):
    """What an overseer adds to the stream of a case or a task."""

    RESENT = "message.resent", "再次发送短信"


class DivisionAct(models.TextChoices):
    """Acts on the stream ``division:<pk>``: sides, offices, accounts and postings (L1b, L2)."""

    SIDE_CHANGED = "division.side_changed", "调整部门侧"
    OFFICE_ADDED = "division.office_added", "新增处室"
    ACCOUNT_CREATED = "division.account_created", "开设账号"
    PHONE_CHANGED = "division.phone_changed", "变更手机"
    PASSWORD_RESET = "division.password_reset", "重设密码"
    UNLOCKED = "division.unlocked", "解除登录锁定"
    DEACTIVATED = "division.deactivated", "停用账号"
    REACTIVATED = "division.reactivated", "启用账号"
    POSTING_ADDED = "division.posting_added", "授予角色"
    POSTING_ENDED = "division.posting_ended", "结束任职"


class TraceAct(models.TextChoices):
    """Acts on the stream ``traces``: who looked at whose record (O3.3.4)."""

    VIEWED = "trace.viewed", "查阅留痕"
    EXPORTED = "trace.exported", "导出留痕"
    SUBJECT_VIEWED = "trace.subject_viewed", "查阅企业画像"
