"""What an office was asked to countersign, for those who answer there (O3.2.1c)."""

from __future__ import annotations

from django.db.models import QuerySet

from approvals.models import Countersignature
from offices.access import Access
from offices.models import Posting

ROLES = (Posting.Role.REVIEWER, Posting.Role.DECIDER)


def asked(access: Access) -> QuerySet[Countersignature]:
    """What the offices in which the person reviews or decides were asked, the unanswered first."""
    rows = Countersignature.objects.filter(office_id__in=access.offices(*ROLES)).select_related("office", "signed_by")
    return rows.order_by("signed_at", "pk")
