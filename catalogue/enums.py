"""Words of the catalogue: kinds, states with their moves, certainty marks, acts."""

from django.db import models

# O3.2.1a of the 2023 plan: a promised period over this many working days needs the provincial flag or an exemption.
INNER_LIMIT_WORKING_DAYS = 5


class ItemKind(models.TextChoices):
    """What an approval item is in law."""

    LICENCE = "licence", "行政许可"
    FILING = "filing", "行政备案"
    REVIEW = "review", "技术审查"


class ItemStatus(models.TextChoices):
    """Where a business item stands; see ``ITEM_MOVES``."""

    DRAFT = "draft", "待发布"
    PUBLISHED = "published", "已发布"
    RETIRED = "retired", "已停用"


ITEM_MOVES: dict[ItemStatus, frozenset[ItemStatus]] = {
    ItemStatus.DRAFT: frozenset({ItemStatus.PUBLISHED}),
    ItemStatus.PUBLISHED: frozenset({ItemStatus.RETIRED}),
    ItemStatus.RETIRED: frozenset({ItemStatus.PUBLISHED}),
}


class Handling(models.TextChoices):
    """Whether a case is decided in one sitting (O3.1.2b)."""

    ON_THE_SPOT = "on_the_spot", "即办件"
    ORDINARY = "ordinary", "承诺件"


class PeriodUnit(models.TextChoices):
    """What a statutory length counts; the values are those of the clocks."""

    WORKING = "working", "个工作日"
    CALENDAR = "calendar", "日（自然日）"
    MONTHS = "months", "个月"


class PeriodStart(models.TextChoices):
    """The event from which a statutory period runs."""

    ACCEPTANCE = "acceptance", "自受理之日起"
    RECEIPT = "receipt", "自收到申请材料之日起"


class PromiseMode(models.TextChoices):
    """The three modes of promise-based approval (L5)."""

    DEFERRED_MATERIAL = "deferred_material", "材料延期"
    VERIFIED_MATERIAL = "verified_material", "材料核验"
    POST_CHECK = "post_check", "事后核查"


class ResultKind(models.TextChoices):
    """What the applicant receives."""

    CERTIFICATE = "certificate", "证照"
    APPROVAL = "approval", "批文"
    OPINION = "opinion", "审查意见"
    RECEIPT = "receipt", "备案凭证"


class Topic(models.TextChoices):
    """What a fact of the guide is about (O3.1.1a)."""

    BASIS = "basis", "设定依据"
    CONDITION = "condition", "办理条件"
    QUANTITY = "quantity", "数量限制"
    PROCEDURE = "procedure", "办理程序"
    PERIOD = "period", "办理期限"
    FEE = "fee", "收费"
    RESULT = "result", "办理结果"
    VALIDITY = "validity", "有效期"
    PROMISE = "promise", "告知承诺"
    NOTE = "note", "说明"


class Certainty(models.TextChoices):
    """How far a statement was read at its source."""

    READ = "read", "已核原文"
    GUIDE = "guide", "据公开指南"
    UNVERIFIED = "unverified", "待核实"


class Requirement(models.TextChoices):
    """Whether every applicant brings the material."""

    REQUIRED = "required", "必要"
    CONDITIONAL = "conditional", "特定情形"


class MaterialForm(models.TextChoices):
    """In which form a material is taken."""

    ORIGINAL = "original", "原件"
    COPY = "copy", "复印件"
    ELECTRONIC = "electronic", "电子件"


class GroundKind(models.TextChoices):
    """What a correction or a refusal may rest on (O3.2.1d)."""

    MATERIAL = "material", "申请材料"
    CONDITION = "condition", "办理条件"


class ItemChange(models.TextChoices):
    """What ``signals.item_changed`` tells."""

    PUBLISHED = "published", "发布"
    REVISED = "revised", "修订"
    RETIRED = "retired", "停用"


class Act(models.TextChoices):
    """Acts on the stream ``item:<pk>``."""

    LOADED = "item.loaded", "事项入库"
    REVISED = "item.revised", "事项修订"
    PROMISE_SET = "item.promise_set", "设定承诺期限"
    PUBLISHED = "item.published", "事项发布"
    RETIRED = "item.retired", "事项停用"
    LINKED = "item.linked", "建立审管关联"
    UNLINKED = "item.unlinked", "停用审管关联"
    LINKAGES_REOPENED = "item.linkages_reopened", "清单变动，审管关联待核对"
    LINKAGE_CONFIRMED = "item.linkage_confirmed", "核对审管关联，继续适用"


class SubItemAct(models.TextChoices):
    """Acts on the stream of a sub-item that the files do not undo."""

    PLAN_LIMIT_SET = "checklist.plan_limit_set", "设定监管计划最长天数"
