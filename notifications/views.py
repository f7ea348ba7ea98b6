"""The demo phone: what each invented person would see on the phone in the pocket. 404 where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deadlines import clock
from notifications.models import Message, PhoneMessage
from offices.crypto import mask_phone
from offices.models import Posting, User

SHOWN = 50
# What goes within the minute is not worth announcing.
SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Phone:
    """One line of the list: whose phone, and what arrived last."""

    phone_hash: str
    name: str
    role: str
    number: str
    last: PhoneMessage | None


def _demo_only() -> None:
    if not settings.DEMO_PHONE:
        raise Http404


def _roles(users: QuerySet[User], now: datetime) -> dict[int, str]:
    """Return user id → where and as what the person is posted."""
    active = Posting.objects.active(clock.local_date(now)).filter(user__in=users)
    roles: dict[int, list[str]] = {}
    for posting in active.select_related("department", "office").order_by("pk"):
        place = posting.office.name if posting.office else ""
        roles.setdefault(posting.user_id, []).append(f"{posting.department.name}{place} {posting.get_role_display()}")
    return {user_id: "；".join(found) for user_id, found in roles.items()}


@require_safe
@never_cache
def phones(request: HttpRequest) -> HttpResponse:
    """List the phones: the invented people, and every other number that a message went to; the latest first."""
    _demo_only()
    newest = PhoneMessage.objects.values("phone_hash").annotate(newest=Max("pk")).values("newest")
    last = {message.phone_hash: message for message in PhoneMessage.objects.filter(pk__in=newest)}
    people = User.objects.filter(is_demo=True).exclude(phone_hash="").order_by("pk")
    roles = _roles(people, clock.now())
    found = [
        Phone(
            user.phone_hash, user.full_name, roles.get(user.pk, ""), mask_phone(user.phone), last.get(user.phone_hash)
        )
        for user in people
    ]
    known = {phone.phone_hash for phone in found}
    found += [
        Phone(phone_hash, message.name_hint or "办事人", "", mask_phone(message.phone), message)
        for phone_hash, message in last.items()
        if phone_hash not in known
    ]
    found.sort(key=lambda phone: -(phone.last.pk if phone.last else 0))
    return render(request, "notifications/phones.html", {"phones": found})


@require_safe
@never_cache
def phone_of_user(request: HttpRequest, user_id: int) -> HttpResponse:
    """Lead from a person to the phone in that person's pocket."""
    _demo_only()
    user = get_object_or_404(User.objects.filter(is_demo=True).exclude(phone_hash=""), pk=user_id)
    return redirect("notifications:phone", phone_hash=user.phone_hash)


@require_safe
@never_cache
def phone(request: HttpRequest, phone_hash: str) -> HttpResponse:
    """Show one phone, newest message at the bottom; htmx asks for the screen alone."""
    _demo_only()
    messages = list(PhoneMessage.objects.filter(phone_hash=phone_hash).order_by("-arrived_at", "-pk")[:SHOWN])
    owner = User.objects.filter(is_demo=True, phone_hash=phone_hash).order_by("pk").first()
    if owner is None and not messages:
        raise Http404
    now = clock.now()
    waiting = Message.objects.unsent().filter(phone_hash=phone_hash, not_before__gt=now + SOON)
    context = {
        "name": owner.full_name if owner else messages[0].name_hint or "办事人",
        "number": mask_phone(owner.phone if owner else messages[0].phone),
        "messages_shown": messages[::-1],
        "signature": settings.SMS_SIGNATURE,
        "now": now,
        # Quiet hours: say when they will come, or people wait for nothing.
        "waiting": waiting.order_by("not_before")[:SHOWN],
        "crumbs": [{"label": "演示手机", "url": reverse("notifications:phones")}],
    }
    only_screen = request.headers.get("HX-Request") == "true"
    return render(request, "notifications/screen.html" if only_screen else "notifications/phone.html", context)
