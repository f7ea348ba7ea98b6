"""Who is on duty for on-the-spot cases (O3.1.2b): deciders say so themselves; every draw freezes its pool."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from offices.access import Access
from offices.history import save_at
from offices.models import Posting

DECIDER = Posting.Role.DECIDER


def on_duty(access: Access) -> bool | None:
    """Whether the person is on duty as a decider; None for somebody who decides nothing."""
    mine = [posting.on_duty for posting in access.postings if posting.role == DECIDER]
    return any(mine) if mine else None


@transaction.atomic
def set_on_duty(access: Access, *, on: bool, now: dt.datetime) -> int:
    """Put all the person's decider postings of today on or off duty; return how many changed. Safe to repeat."""
    changed = 0
    keys = [posting.pk for posting in access.postings if posting.role == DECIDER]
    for posting in Posting.objects.select_for_update().filter(pk__in=keys).exclude(on_duty=on).order_by("pk"):
        posting.on_duty = on
        save_at(posting, now)
        changed += 1
    return changed
