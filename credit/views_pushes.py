"""信用推送: what goes to the public credit platform; what it would not take is read, mended and sent again (L11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from credit import mending, platform
from credit.models import CreditSubject, Level, Push
from credit.models.records import CreditRecord
from deadlines.clock import local_date
from ledger import acts
from ledger.models import Entry
from offices.access import Access
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.models import Division, Posting
from offices.refusals import Refused
from offices.web import PortalRequest, roles_required

Role = Posting.Role
State = Push.State
people = roles_required(Role.CREDIT_OFFICER, Role.OVERSEER)
ORDER = ("-id",)
TONES = {State.QUEUED: "active", State.ACCEPTED: "good", State.DEAD: "bad"}
TABS = {"": State.DEAD, "waiting": State.QUEUED, "accepted": State.ACCEPTED}
LEADS = {
    State.DEAD: "信用平台没有接收的推送。请查看原因，更正内容或者重新推送；同一主体后面的推送在等它。",
    State.QUEUED: "等待推送的记录和修复，由平台自动推送，同一主体按先后次序。",
    State.ACCEPTED: "信用平台已经接收的记录和修复。",
}
HEAD = (
    "推送编号", "主体", "统一社会信用代码或者身份证号码", "主体内序号", "种类", "记录", "认定单位", "状态", "入列时间",
    "推送次数", "原因", "接收时间", "回执编号",
)  # fmt: skip
AGAIN_FOLLOWS = ("按原内容、原编号重新推送，信用平台不会重复记录", "同一主体后面的推送随后依次推送", "记入主体的留痕")
ACTS = ("again", "mend")
MEND_FOLLOWS = ("按更正后的内容重新推送", "本平台的记录不变", "记入主体的留痕，注明更正了哪几项")
PARTS = {
    "kind": "记录种类", "source": "来源", "basis": "依据", "listed": "目录编码", "level": "等级",
    "department": "认定单位", "found_on": "认定日期", "rule": "适用规则", "repair_from": "最早可申请修复",
    "shown_until": "公示截止", "repaired_on": "修复日期", "withdrawn_on": "撤回日期", "number": "记录编号",
}  # fmt: skip


def visible(access: Access) -> QuerySet[Push]:
    """Pushes that a person may see: a credit officer the own departments', the city's overseers those of nobody's."""
    may = Q(record__department__in=access.departments(Role.CREDIT_OFFICER))
    if overseen := access.divisions(Role.OVERSEER):
        city = Exists(Division.objects.filter(pk__in=overseen, parent__isnull=True))
        may |= Q(record__department__isnull=True) & Q(city)
    return Push.objects.filter(may).select_related("subject", "record__department")


def with_held(rows: QuerySet[Push]) -> QuerySet[Push]:
    """Add how many later pushes of the subject wait behind each row (``held``)."""
    after = Push.objects.filter(subject=OuterRef("subject"), seq__gt=OuterRef("seq"), state=State.QUEUED)
    number = after.order_by().values("subject").annotate(number=Count("pk")).values("number")
    return rows.annotate(held=Coalesce(Subquery(number, output_field=IntegerField()), 0))


def matching(text: str) -> Q:
    """Pushes whose subject or record has ``text``."""
    return Q(subject__code__istartswith=text) | Q(subject__name__icontains=text) | Q(record__source__icontains=text)


def waits_for(access: Access) -> QuerySet[Push]:
    """What waits for this person: for the count on the rail."""
    return visible(access).filter(state=State.DEAD)


def badge(push: Push) -> dict[str, str]:
    """Label and tone of where a push is."""
    state = State(push.state)
    return {"label": str(state.label), "tone": TONES[state]}


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Push]]:
    listing = Listing(
        request,
        reverse("pushes:list"),
        [Filter("kind", "种类", [(kind.value, str(kind.label)) for kind in Push.Kind], "全部种类")],
        q_label="主体名称、代码或者文书文号",
        placeholder="名称、统一社会信用代码或者文号",
        tabs=[tab for tab in TABS if tab],
    )
    rows = visible(request.access)
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    if listing["q"]:
        rows = rows.filter(matching(listing["q"]))
    return listing, rows


@people
@require_safe
def push_list(request: PortalRequest) -> HttpResponse:
    """What the platform would not take, the newest first; or what waits, or what it took."""
    listing, rows = _listing(request)
    state = TABS[listing["tab"]]
    page = listing.page(with_held(rows.filter(state=state)), ORDER)
    open_ = rows.exclude(state=State.ACCEPTED)
    counts = counted(open_, {"dead": Q(state=State.DEAD), "waiting": Q(state=State.QUEUED)})
    context = {
        "rows": [{"push": one, "badge": badge(one), "url": reverse("pushes:push", args=[one.pk])} for one in page],
        "state": state,
        "lead": LEADS[state],
        "is_on": platform.is_on(),
        "stats": listing.stats(
            [
                ("", "须人工处理", counts["dead"], "bad"),
                ("waiting", "待推送", counts["waiting"], "neutral"),
                ("accepted", "已接收", "查看", "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "narrowed": bool(listing["q"] or listing["kind"]),
        "pager": listing.pager(page, "条"),
        "export_url": listing.address(reverse("pushes:export")),
        "clear_url": listing.address(q="", kind=""),
    }
    return render(request, "credit/pushes.html", context)


@people
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons stay masked."""
    listing, rows = _listing(request)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: Push) -> Sequence[Any]:
        department = one.record.department
        return (
            one.key, one.subject.public_name, one.subject.public_identifier, one.seq, one.get_kind_display(),
            one.record.source, department.name if department else "", one.get_state_display(), moment(one.queued_at),
            one.attempts, one.error, moment(one.accepted_at), one.receipt,
        )  # fmt: skip

    state = TABS[listing["tab"]]
    return csv_response(
        f"信用推送-{state.label}-{local_date(request.now):%Y%m%d}",
        HEAD,
        everything(rows.filter(state=state), ORDER, lambda found: map(line, found)),
    )


class MendForm(forms.Form):
    """What may be mended of the content; what the rules allow, the action says."""

    def __init__(self, *args: Any, push: Push, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in mending.mendable(push):
            self.fields[one.name] = forms.CharField(
                label=one.label,
                initial=one.of(push),
                max_length=one.longest,
                widget=forms.Textarea(attrs={"rows": 2}) if one.name == "basis" else forms.TextInput(),
                error_messages={"required": f"请填写{one.label}。", "max_length": f"最多 {one.longest} 字，请精简。"},
            )


def _content(push: Push) -> list[dict[str, Any]]:
    """The content as it goes out, in words."""
    subject, record = push.payload["subject"], push.payload["record"]
    person = subject["kind"] == CreditSubject.Kind.PERSON
    named = "身份证号码的加密摘要（不含号码）" if person else subject["code"]
    rows: list[dict[str, Any]] = [
        {"label": "主体名称", "value": subject["name"]},
        {"label": "主体标识", "value": named},
    ]
    words = {"kind": dict(CreditRecord.Kind.choices), "level": dict(Level.choices)}
    for name, label in PARTS.items():
        value = record.get(name)
        if value:
            said = str(words[name].get(value, value)) if name in words else value
            rows.append({"label": label, "value": said, "wide": name in {"basis", "rule"}})
    return rows


def _facts(push: Push) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"label": "推送", "value": f"{push.get_kind_display()}，该主体第 {push.seq} 条"},
        {"label": "推送编号", "value": str(push.key)},
        {"label": "入列时间", "value": f"{timezone.localtime(push.queued_at):%Y-%m-%d %H:%M}"},
        {"label": "推送次数", "value": f"{push.attempts} 次"},
    ]
    if push.next_attempt_at:
        rows.append({"label": "下次推送", "value": f"{timezone.localtime(push.next_attempt_at):%Y-%m-%d %H:%M}"})
    if push.error:
        rows.append({"label": "最近一次的原因", "value": push.error, "wide": True})
    if push.accepted_at:
        rows.append({"label": "接收时间", "value": f"{timezone.localtime(push.accepted_at):%Y-%m-%d %H:%M}"})
        rows.append({"label": "回执编号", "value": push.receipt})
    return rows


def _trace(push: Push) -> list[dict[str, Any]]:
    entries = Entry.objects.filter(stream=push.subject.stream, data__push=push.pk).select_related("actor")
    tones = {"credit.push_dead": "bad", "credit.push_accepted": "good"}
    return [
        {
            "at": one.at,
            "label": acts.label(one.act),
            "who": one.actor.full_name if one.actor else "",
            "note": "更正：" + "、".join(_label(name) for name in one.data["fields"]) if "fields" in one.data else "",
            "tone": tones.get(one.act, "active"),
        }
        for one in entries.order_by("-seq")
    ]


def _label(name: str) -> str:
    return next((one.label for one in mending.FIELDS if one.name == name), name)


def _typed(request: PortalRequest) -> list[dict[str, Any]]:
    """What was typed and had no effect, so that it can be copied."""
    found = [(one.label, request.POST.get(one.name, "").strip()) for one in mending.FIELDS]
    return [{"label": label, "text": text, "rows": 1 + len(text) // 40} for label, text in found if text]


def _page(request: PortalRequest, push: Push, form: MendForm | None = None) -> HttpResponse:
    """The page of one push; with a form that came back, as 422."""
    dead = push.state == State.DEAD
    held = Push.objects.filter(subject=push.subject_id, seq__gt=push.seq, state=State.QUEUED).count()
    before = Push.objects.filter(subject=push.subject_id, seq__lt=push.seq).exclude(state=State.ACCEPTED)
    leads = {
        State.DEAD: "请更正内容或者按原内容重新推送。"
        if push.is_refused
        else "请确认信用平台可以使用，再按原内容重新推送。",
        State.QUEUED: "平台会自动推送，不需要办理。",
        State.ACCEPTED: "信用平台已经接收，不需要办理。",
    }
    context = {
        "push": push,
        "badge": badge(push),
        "lead": leads[State(push.state)],
        "crumbs": [{"label": "信用推送", "url": reverse("pushes:list")}],
        "facts": _facts(push),
        "content": _content(push),
        "entries": _trace(push),
        "held": held,
        "earlier": before.order_by("seq").first() if not dead else None,
        "dead": dead,
        "mendable": bool(mending.mendable(push)),
        "again_tone": "secondary" if mending.mendable(push) else "primary",
        "form": form or MendForm(push=push),
        "again_follows": AGAIN_FOLLOWS,
        "mend_follows": MEND_FOLLOWS,
    }
    return render(request, "credit/push.html", context, status=422 if form else 200)


@people
@require_http_methods(["GET", "HEAD", "POST"])
def push_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One push: why it was not taken, what it says, what waits behind it; mend it or send it again."""
    push = get_object_or_404(visible(request.access), pk=pk)
    if request.method != "POST":
        return _page(request, push)
    form = MendForm(request.POST, push=push)
    asked = request.POST.get("act", "")
    mends = asked == "mend"
    try:
        if asked not in ACTS:
            raise Refused("push-act-missing", "请选择重新推送，或者更正并重新推送。")
        if not mends:
            mending.send_again(push, by=request.user, now=request.now)
        elif form.fields and not form.is_valid():
            return _page(request, push, form)
        else:
            mending.mend(push, form.cleaned_data if form.fields else {}, by=request.user, now=request.now)
    except Refused as error:
        if error.conflict:
            back = reverse("pushes:push", args=[pk])
            context = {"reason": error.message, "next_url": back, "typed": _typed(request)}
            return render(request, "409.html", context, status=409)
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _page(request, push, form)
    messages.success(request, "已更正并重新列入推送。" if mends else "已重新列入推送。")
    return redirect("pushes:list")
