"""People of the administrator's own division: accounts, postings, passwords (L1b, L2); never another division's."""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.actions.clocks import reviewing, scoring
from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.crypto import keyed_hash, mask_phone
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Division, Office, Posting, User, UserQuerySet
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.actions import people as actions
from oversight.forms import AccountForm, EndForm, PasswordForm, PhoneForm, PostingForm

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ORDER = ("username", "id")
HEAD = ("账号", "姓名", "手机（遮盖）", "账号状态", "角色", "部门", "处室", "开始日期", "结束日期")
# Letters and figures that nobody mistakes for one another when read out.
LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lIoSsZz2")))
FOLLOWS = {
    "create": ("开设账号并授予所填角色，本人即可登录", "初始密码只在本页显示，提交后不再显示", "记入本区划留痕"),
    "post": ("本人下一次打开页面即有该角色的工作台", "记入本区划留痕"),
    "end": ("结束日期过后，该角色的权限自动失效，经手记录保留", "记入本区划留痕"),
    "close": ("立即不能登录，任务短信不再发给本人", "任职和经手记录保留，可以重新启用", "记入本区划留痕"),
    "open": ("可以用原密码登录，未结束的任职恢复有效", "记入本区划留痕"),
    "password": (
        "原密码、原登录和接口令牌立即失效，登录锁定同时解除",
        "新密码只在本页显示，提交后不再显示",
        "记入本区划留痕",
    ),
    "phone": ("此后的任务短信和提醒发到新号码", "记入本区划留痕"),
    "unlock": ("清除登录失败次数，本人可以立即再试", "记入本区划留痕"),
}


def suggested_password() -> str:
    """A fresh password of three groups of four unmistakable characters (about 67 bits)."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(size)) for size in (4, 4, 4))


def _postings(request: PortalRequest) -> Prefetch[str]:
    """Only postings of the own divisions are fetched; others do not exist here."""
    return Prefetch(
        "postings", queries.own_postings(request.access).order_by("-starts_on", "-id"), to_attr="own_postings"
    )


def _listing(request: PortalRequest) -> tuple[Listing, UserQuerySet]:
    departments = queries.own_departments(request.access).order_by("division__code", "id").values_list("pk", "name")
    listing = Listing(
        request,
        reverse("division:people"),
        filters=[
            Filter("department", "部门", [(str(pk), name) for pk, name in departments], "全部部门"),
            Filter("role", "角色", Role.choices, "全部角色"),
            Filter("state", "状态", [("active", "启用"), ("closed", "停用"), ("idle", "没有现任角色")]),
        ],
        q_label="姓名、账号或手机",
        placeholder="姓名、账号，或完整手机号",
    )
    rows = queries.accounts(request.access)
    current = queries.own_postings(request.access).filter(user=OuterRef("pk")) & Posting.objects.active(
        request.access.on
    )
    wanted = current
    if listing["department"]:
        wanted = wanted.filter(department_id=listing["department"])
    if listing["role"]:
        wanted = wanted.filter(role=listing["role"])
    if wanted is not current:
        rows = rows.filter(Exists(wanted))
    if listing["state"] == "idle":
        rows = rows.filter(~Exists(current))
    elif listing["state"]:
        rows = rows.filter(is_active=listing["state"] == "active")
    if text := listing["q"]:
        rows = rows.filter(Q(full_name__contains=text) | Q(username__icontains=text) | Q(phone_hash=keyed_hash(text)))
    return listing, rows.prefetch_related(_postings(request))


@administrators
@require_safe
def people(request: PortalRequest) -> HttpResponse:
    """The accounts, by name of account."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    today = request.access.on
    context = {
        "rows": [
            {
                "person": person,
                "phone": mask_phone(person.phone),
                "postings": [p for p in person.own_postings if _runs(p, today)],
            }
            for person in page
        ],
        "bar": listing.bar(),
        "pager": listing.pager(page, "人"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("division:people_export")),
        "here": "people",
    }
    return render(request, "oversight/people.html", context)


def _runs(posting: Posting, today: Any) -> bool:
    return posting.ends_on is None or posting.ends_on >= today


@administrators
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """People and their roles as CSV, one line a posting; phones masked."""
    _, rows = _listing(request)

    def lines(found: list[User]) -> list[Sequence[Any]]:
        return [
            (
                person.username, person.full_name, mask_phone(person.phone), "启用" if person.is_active else "停用",
                posting.get_role_display(), posting.department.name, posting.office.name if posting.office else "",
                posting.starts_on, posting.ends_on or "",
            )
            for person in found
            for posting in person.own_postings  # type: ignore[attr-defined]
        ]  # fmt: skip

    return csv_response(f"人员与角色-{local_date(request.now):%Y%m%d}", HEAD, everything(rows, ORDER, lines))


def _division(request: PortalRequest, form: PostingForm | None = None) -> Division:
    """The division that an act belongs to: the chosen department's, else the first that the person administers."""
    own = Division.objects.filter(pk__in=request.access.divisions(Role.DIVISION_ADMIN)).order_by("code")
    chosen = form.cleaned_data.get("department") if form is not None else None
    return chosen.division if chosen is not None else own[0]


def _division_of(request: PortalRequest, person: User) -> Division:
    """Of the administrator's divisions, the one in which the person serves."""
    serving = queries.own_postings(request.access).filter(user=person).order_by("-starts_on", "-id")
    return serving[0].department.division


def _draft(form: PostingForm) -> actions.PostingDraft:
    data = form.cleaned_data
    return actions.PostingDraft(data["department"], data["office"], data["role"], data["starts_on"], data["ends_on"])


def _posting_form(request: PortalRequest, form: type[PostingForm], *args: Any, **initial: Any) -> PostingForm:
    departments = queries.own_departments(request.access).order_by("division__code", "id")
    return form(*args, departments=departments, initial={"starts_on": request.access.on} | initial)


@administrators
@require_http_methods(["GET", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Open an account with its first posting; the suggested password is shown here and nowhere else."""
    if request.method == "POST":
        form = _posting_form(request, AccountForm, request.POST)
        if form.is_valid():
            data = form.cleaned_data
            try:
                person = actions.create_account(
                    _division(request, form), username=data["username"], full_name=data["full_name"],
                    phone=data["phone"], password=data["password"], posting=_draft(form), by=request.user,
                    now=request.now,
                )  # fmt: skip
            except Refused as error:
                put_on_form(form, error)
            else:
                messages.success(request, f"账号 {person.username} 已开设，请把初始密码告知{person.full_name}本人。")
                return redirect("division:person", pk=person.pk)
    else:
        form = _posting_form(request, AccountForm, password=suggested_password(), **_asked_place(request))
    context = {
        "form": form,
        "follows": FOLLOWS["create"],
        "crumbs": [{"label": "人员", "url": reverse("division:people")}],
        "here": "people",
    }
    return render(request, "oversight/person_new.html", context, status=422 if form.is_bound else 200)


def _asked_place(request: PortalRequest) -> dict[str, Any]:
    """The place that a link from a fault asks for: an office that lacks its manager."""
    asked = request.GET.get("office", "")
    if not asked.isdigit():
        return {}
    office = Office.objects.filter(department__in=queries.own_departments(request.access), pk=int(asked)).first()
    return {"office": office, "department": office.department_id, "role": Role.OFFICE_MANAGER} if office else {}


Forms = dict[str, Form]


def _end_form(posting: Posting, **kwargs: Any) -> EndForm:
    return EndForm(auto_id=f"id_%s_{posting.pk}", **kwargs)


def _answer(request: PortalRequest, person: User, returned: Forms | None = None) -> HttpResponse:
    """The person's page; ``returned`` holds forms that came back, by name, and makes it a 422."""
    forms = returned or {}
    today = request.access.on
    postings = list(queries.own_postings(request.access).filter(user=person).order_by("-starts_on", "-id"))
    division = postings[0].department.division
    shared = person.is_superuser or actions.elsewhere(person, division, today)
    failures = AccessAttempt.objects.filter(username=person.username).order_by("-failures_since_start")
    most = failures.values_list("failures_since_start", flat=True).first() or 0
    waiting = _waiting(person)
    context = {
        "account": person,
        "is_self": person.pk == request.user.pk,
        "shared": shared,
        "phone": mask_phone(person.phone),
        "crumbs": [{"label": "人员", "url": reverse("division:people")}],
        "running": [
            {
                "posting": posting,
                "form": forms.get(
                    f"end-{posting.pk}", EndForm(initial={"ends_on": today}, auto_id=f"id_%s_{posting.pk}")
                ),
                "returned": f"end-{posting.pk}" in forms,
                "future": posting.starts_on > today,
                "follows": _follows_end(posting, waiting),
            }
            for posting in postings
            if _runs(posting, today)
        ],
        "ended": [posting for posting in postings if not _runs(posting, today)],
        "posting_form": forms.get("posting") or _posting_form(request, PostingForm),
        "phone_form": forms.get("phone") or PhoneForm(auto_id="id_new_%s"),
        "password_form": forms.get("password") or PasswordForm(initial={"password": suggested_password()}),
        "returned": next(iter(forms.values()), None),
        "open_panel": next(iter(forms), ""),
        "failures": most,
        "locked": most >= settings.AXES_FAILURE_LIMIT,
        "follows": FOLLOWS | {"close": _follows_close(waiting)},
        "here": "people",
    }
    return render(request, "oversight/person.html", context, status=422 if forms else 200)


def _own(request: PortalRequest, pk: int) -> User:
    return get_object_or_404(queries.accounts(request.access), pk=pk)


@administrators
@require_safe
def person(request: PortalRequest, pk: int) -> HttpResponse:
    """One person: account and postings in the own divisions."""
    return _answer(request, _own(request, pk))


def _act(
    request: PortalRequest, found: User, act: Callable[[], str], name: str = "", form: Form | None = None
) -> HttpResponse:
    """Do ``act``, which returns what to say; a refusal goes beside the form or, without one, on top of the page."""
    back = reverse("division:person", args=[found.pk])
    if form is None or form.is_valid():
        try:
            said = act()
        except Refused as error:
            if error.conflict or form is None:
                return conflict(request, error, back)
            put_on_form(form, error)
        else:
            messages.success(request, said)
            return redirect(back)
    return _answer(request, found, {name: form})


@administrators
@require_POST
def add_posting(request: PortalRequest, pk: int) -> HttpResponse:
    """Grant a role."""
    found = _own(request, pk)
    form = _posting_form(request, PostingForm, request.POST)

    def act() -> str:
        made = actions.add_posting(_division(request, form), found, _draft(form), by=request.user, now=request.now)
        return f"已授予{found.full_name}“{made.get_role_display()}”。"

    return _act(request, found, act, "posting", form)


def _waiting(person: User) -> dict[int, int]:
    """Office id → how many cases wait there for the person's opinion, on whichever seat; two statements."""
    first = reviewing(person).order_by().values_list("review_office").annotate(count=Count("pk"))
    further = scoring(person).order_by().values_list("case__review_office").annotate(count=Count("pk"))
    return dict(Counter(dict(first)) + Counter(dict(further)))


def _follows_end(posting: Posting, waiting: dict[int, int]) -> Sequence[str]:
    """What ending the posting brings about, the cases that will be drawn anew among it."""
    count = waiting.get(posting.office_id or 0, 0) if posting.role == Role.REVIEWER else 0
    if not count:
        return FOLLOWS["end"]
    said = f"名下 {count} 件待审查的办件重新抽取审查人员：今天结束的立即改派，以后结束的在结束次日改派；期限都不变"
    return (said, *FOLLOWS["end"])


def _follows_close(waiting: dict[int, int]) -> Sequence[str]:
    count = sum(waiting.values())
    said = f"名下 {count} 件待审查的办件立即重新抽取审查人员，期限不变"
    return (said, *FOLLOWS["close"]) if count else FOLLOWS["close"]


def _say_redrawn(request: PortalRequest, redrawn: actions.Redrawn) -> str:
    """What became of the person's cases, for the message; those that nobody could be drawn for are warned of."""
    if redrawn.stuck:
        text = f"{redrawn.stuck} 件待审查的办件所在处室没有其他可抽取的审查人员，已短信提醒督办人员，请尽快配置。"
        messages.warning(request, text)
    return f"{redrawn.moved} 件待审查的办件已重新抽取审查人员，期限不变。" if redrawn.moved else ""


def _warn_of_silence(request: PortalRequest, ended: Posting) -> None:
    """Say at once that an office is left without a manager who can be told (L2)."""
    if ended.role == Role.OFFICE_MANAGER and ended.office is not None and ended.ends_on is not None:
        after = Office.objects.filter(pk=ended.office.pk).reachable(ended.ends_on + dt.timedelta(days=1))
        if not after.exists():
            messages.warning(request, f"此后{ended.office}没有可联系的处室管理员，请尽快配置。")


@administrators
@require_POST
def end_posting(request: PortalRequest, pk: int) -> HttpResponse:
    """End a posting; an office that loses its last manager is said at once."""
    posting = get_object_or_404(queries.own_postings(request.access), pk=pk)
    form = _end_form(posting, data=request.POST)

    def act() -> str:
        ends_on = form.cleaned_data["ends_on"]
        ended, redrawn = actions.end_posting(posting, ends_on=ends_on, by=request.user, now=request.now)
        _warn_of_silence(request, ended)
        said = f"{ended.user.full_name}的“{ended.get_role_display()}”任职于 {ended.ends_on} 结束。"
        return said + _say_redrawn(request, redrawn)

    return _act(request, posting.user, act, f"end-{posting.pk}", form)


@administrators
@require_POST
def set_active(request: PortalRequest, pk: int) -> HttpResponse:
    """Close an account, or open it again."""
    found = _own(request, pk)
    asked = request.POST.get("active")
    if asked not in {"0", "1"}:
        return redirect("division:person", pk=pk)
    active = asked == "1"

    def act() -> str:
        division = _division_of(request, found)
        _, redrawn = actions.set_active(division, found, active=active, by=request.user, now=request.now)
        return f"{found.full_name}的账号已{'启用' if active else '停用'}。" + _say_redrawn(request, redrawn)

    return _act(request, found, act)


@administrators
@require_POST
def phone(request: PortalRequest, pk: int) -> HttpResponse:
    """Change the mobile number."""
    found = _own(request, pk)
    form = PhoneForm(request.POST, auto_id="id_new_%s")

    def act() -> str:
        new = form.cleaned_data["phone"]
        actions.change_phone(_division_of(request, found), found, new, by=request.user, now=request.now)
        return f"{found.full_name}的手机已变更。"

    return _act(request, found, act, "phone", form)


@administrators
@require_POST
def password(request: PortalRequest, pk: int) -> HttpResponse:
    """Set a new password."""
    found = _own(request, pk)
    form = PasswordForm(request.POST)

    def act() -> str:
        new = form.cleaned_data["password"]
        actions.reset_password(_division_of(request, found), found, new, by=request.user, now=request.now)
        return f"{found.full_name}的密码已重设，请告知本人并请其登录后修改。"

    return _act(request, found, act, "password", form)


@administrators
@require_POST
def unlock(request: PortalRequest, pk: int) -> HttpResponse:
    """Forget the failed sign-ins."""
    found = _own(request, pk)

    def act() -> str:
        actions.unlock(_division_of(request, found), found, by=request.user, now=request.now)
        return f"{found.full_name}的登录锁定已解除。"

    return _act(request, found, act)
