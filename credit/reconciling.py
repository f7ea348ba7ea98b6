"""Recount the pushes: records and liftings = pushes = what the platform says it has (L11). Read-only.

Each difference names the push by its number or the record by its id, so that it can be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from credit.models import CreditRecord, Push
from credit.platform import Held, Platform
from credit.pushing import LEASE, due

State = Push.State
CHUNK = 2000


def figures() -> dict[str, int]:
    """Records of the house, and pushes by state; two statements."""
    states = dict(Push.objects.order_by().values_list("state").annotate(Count("pk")))
    own = CreditRecord.objects.filter(origin=CreditRecord.Origin.PORTAL).count()
    return {"records": own} | {state.value: states.get(state.value, 0) for state in State}


def _pushed(kind: Push.Kind) -> Exists:
    return Exists(Push.objects.filter(record=OuterRef("pk"), kind=kind))


def differences(now: datetime) -> Iterator[str]:
    """Yield one sentence for each thing that does not add up between records and pushes; nothing when all is well."""
    own: QuerySet[CreditRecord] = CreditRecord.objects.filter(origin=CreditRecord.Origin.PORTAL)
    for pk in own.filter(~_pushed(Push.Kind.RECORD)).values_list("pk", flat=True).iterator(CHUNK):
        yield f"record {pk} was never queued for the platform"
    for kind, field in ((Push.Kind.LIFTED, "repaired_at"), (Push.Kind.WITHDRAWN, "withdrawn_at")):
        lifted = Q(**{f"{field}__isnull": False})
        for pk in own.filter(lifted, ~_pushed(kind)).values_list("pk", flat=True).iterator(CHUNK):
            yield f"record {pk} is {kind}, and the platform was never to be told"
        pushes = Push.objects.filter(kind=kind, **{f"record__{field}__isnull": True})
        for pk in pushes.values_list("record", flat=True).iterator(CHUNK):
            yield f"record {pk} is not {kind}, and the platform was to be told so"
    astray = Push.objects.exclude(record__subject=F("subject")).values_list("key", flat=True)
    for key in astray.iterator(CHUNK):
        yield f"push {key} names another subject than its record"
    for key, error in Push.objects.filter(state=State.DEAD).values_list("key", "error").iterator(CHUNK):
        yield f"push {key} waits for a person: {error}"
    late = due(now).filter(next_attempt_at__lt=now - 2 * LEASE).values_list("key", flat=True)
    for key in late.iterator(CHUNK):
        yield f"push {key} has been due for long and nobody took it"
    before = Push.objects.filter(subject=OuterRef("subject"), seq__lt=OuterRef("seq"))
    out = Exists(before.filter(Q(accepted_at__isnull=True) | Q(accepted_at__gt=OuterRef("accepted_at"))))
    for key in Push.objects.filter(out, state=State.ACCEPTED).values_list("key", flat=True).iterator(CHUNK):
        yield f"push {key} was accepted before an earlier one of its subject"


def differences_with(platform: Platform) -> Iterator[str]:
    """Yield what the platform has and we do not, and the reverse, by key; raises ``platform.Unavailable``.

    A push that is still on its way may be with the platform already: that is no difference.
    """
    theirs = platform.held()
    ours = Push.objects.order_by("key").values_list("key", "state", "receipt").iterator(CHUNK)
    held: Held | None = next(theirs, None)
    for key, state, receipt in ours:
        while held is not None and str(held.key) < str(key):
            yield f"the platform has push {held.key}, which nobody here queued"
            held = next(theirs, None)
        if held is not None and held.key == key:
            if state == State.ACCEPTED and receipt != held.receipt:
                yield f"push {key} has receipt {receipt} here and {held.receipt} on the platform"
            held = next(theirs, None)
        elif state == State.ACCEPTED:
            yield f"push {key} counts as accepted, and the platform does not have it"
    while held is not None:
        yield f"the platform has push {held.key}, which nobody here queued"
        held = next(theirs, None)
