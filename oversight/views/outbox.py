"""Messages that failed, whose fate is unknown, or that hang: nobody is left untold without anybody seeing it (L9b)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from approvals.exceptions import Refused
from approvals.models import Case
from approvals.web import conflict
from deadlines.clock import local_date
from notifications import kinds
from notifications.models import Message
from notifications.querysets import MessageQuerySet
from offices.crypto import mask_phone
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, counted, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.actions.overseeing import resend as send_again
from supervision.models import SupervisionTask

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("-id",)
HEAD = ("短信种类", "收信人", "手机", "所属", "状态", "入队时间", "发送次数", "原因")
FOLLOWS = ("按收信人现在的手机号码重新排队发送，一条短信只能再次发送一次", "发送人和时间记入所属办件或任务的留痕")


def _kind_options() -> list[tuple[str, str]]:
    return [(kind.code, kind.label) for kind in kinds.REGISTRY.values()]


def _listing(request: PortalRequest) -> tuple[Listing, MessageQuerySet]:
    """The list as asked for, before its tab is applied."""
    listing = Listing(
        request,
        reverse("oversight:messages"),
        filters=[Filter("kind", "短信种类", _kind_options(), "全部种类")],
        q_label="收信人姓名",
        placeholder="有账号的收信人",
        tabs=("failed", "unknown", "stuck"),
    )
    rows = queries.owned_messages(request.access)
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    if listing["q"]:
        rows = rows.filter(to_user__full_name__contains=listing["q"])
    return listing, rows


def _owners(found: Sequence[Message]) -> dict[str, tuple[str, str]]:
    """Reference → (number, address of its page); two statements."""
    cases = {m.case_key for m in found if m.case_key}  # type: ignore[attr-defined]
    tasks = {m.task_key for m in found if m.task_key}  # type: ignore[attr-defined]
    owners = {
        f"case:{pk}": (number, link("oversight:case")(number))
        for pk, number in Case.objects.filter(pk__in=cases).values_list("pk", "number")
    }
    return owners | {
        f"task:{pk}": (number, link("oversight:task")(number))
        for pk, number in SupervisionTask.objects.filter(pk__in=tasks).values_list("pk", "number")
    }


def _row(message: Message, owners: dict[str, tuple[str, str]]) -> dict[str, Any]:
    number, url = owners.get(message.reference, (message.reference, ""))
    return {
        "message": message,
        "confirm_id": f"again-{message.pk}",
        "kind": kinds.get(message.kind).label,
        "name": message.name_hint or "申请人联系人",
        "phone": mask_phone(message.phone) or "（没有手机号码）",
        "number": number,
        "url": url,
        "can_repeat": message.state == "failed" and not message.repeated,  # type: ignore[attr-defined]
        "repeated": message.repeated,  # type: ignore[attr-defined]
    }


@overseers
@require_safe
def outbox(request: PortalRequest) -> HttpResponse:
    """What did not arrive, newest first."""
    listing, rows = _listing(request)
    counts = counted(queries.in_trouble(rows, request.now), queries.troubles(request.now))
    shown = queries.with_repeat(queries.in_trouble(rows, request.now, listing["tab"]))
    page = listing.page(shown, ORDER)
    owners = _owners(page.rows)
    context = {
        "lead": "以下短信没有送到或者不知是否送到，请核对收信人手机后再次发送，或者改用其他方式通知。"
        if counts["all"]
        else "没有发送失败、结果未知或滞留的短信。",
        "rows": [_row(message, owners) for message in page],
        "follows": FOLLOWS,
        "stats": listing.stats(
            [
                ("", "全部", counts["all"], "neutral"),
                ("failed", "发送失败", counts["failed"], "bad"),
                ("unknown", "结果未知", counts["unknown"], "warn"),
                ("stuck", "滞留 10 分钟以上", counts["stuck"], "warn"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "条"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:messages_export")),
    }
    return render(request, "oversight/messages.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; recipients stay masked."""
    listing, rows = _listing(request)

    def lines(found: list[Message]) -> list[Sequence[Any]]:
        owners = _owners(found)
        made = [_row(message, owners) for message in found]
        return [
            (
                row["kind"], row["name"], row["phone"], row["number"], row["message"].get_state_display(),
                f"{timezone.localtime(row['message'].created_at):%Y-%m-%d %H:%M}", row["message"].attempts,
                row["message"].error,
            )
            for row in made
        ]  # fmt: skip

    shown = queries.with_repeat(queries.in_trouble(rows, request.now, listing["tab"]))
    return csv_response(f"短信送达-{local_date(request.now):%Y%m%d}", HEAD, everything(shown, ORDER, lines))


@overseers
@require_POST
def resend(request: PortalRequest, pk: int) -> HttpResponse:
    """Send a failed message once more."""
    message = get_object_or_404(queries.owned_messages(request.access).filter(~Q(reference="")), pk=pk)
    back = reverse("oversight:messages")
    try:
        send_again(message, by=request.user, now=request.now)
    except Refused as error:
        return conflict(request, error, back)
    messages.success(request, "已重新排队发送；免打扰时段内的，到下一个发送时段发出。")
    return redirect(back)
