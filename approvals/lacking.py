"""What a case lacks although it was accepted: by law, or with what its one notice did not name.

Acceptance by law stands (行政许可法 art. 32); nobody approves without what the item asks for (art. 38). What is lacking
may be handed in until the decision, without being asked: that is no second notice (O2a).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from approvals.enums import CaseStatus, MaterialState, Way
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial

S = CaseStatus
# Accepted and not yet with its licence.
TAKES_MISSING = (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED)
CODE = "materials-missing"


def lacking(case_id: int) -> list[CaseMaterial]:
    """The required lines neither in nor verified, waived, deferred or agreed to follow, in order; one statement."""
    rows = CaseMaterial.objects.filter(case_id=case_id, required=True, state=MaterialState.MISSING)
    return list(rows.select_related("material").order_by("order"))


def sentence(lacking_names: Sequence[str]) -> str:
    """Which materials are lacking, and what may be done meanwhile, for reviewers and deciders."""
    names = "、".join(f"“{name}”" for name in lacking_names)
    return (
        f"还缺 {len(lacking_names)} 项必要材料：{names}。缺少必要材料的不能准予许可；申请人在决定作出之前可以补交，"
        "也可以以未提交这些材料为由不予许可。"
    )


def refuse_without_promise(case: Case, *, field: str = "verdict") -> None:
    """Refuse to advise or decide approval of a case accepted by law whose item is handled on a promise, and has none.

    Where full materials take the promise's place they are asked for instead (``refuse_lacking``).
    """
    if not case.is_deemed or case.way == Way.PROMISE or not case.business_item.is_promise_only:
        return
    instead = Q(material__waived_by_promise=True) | Q(material__deferrable=True)
    if not case.materials.filter(instead, required=True).exists():
        raise Refused(
            "promise-only",
            "本事项只以告知承诺方式办理，这件办件没有有效的承诺，不能准予许可；申请人可以另按一般程序申请。",
            field=field,
        )


def refuse_lacking(case_id: int, *, field: str = "verdict") -> None:
    """Refuse to advise or to decide approval while something is lacking."""
    if lines := lacking(case_id):
        raise Refused(CODE, sentence([line.name for line in lines]), field=field)
