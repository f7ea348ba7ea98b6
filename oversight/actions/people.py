"""Accounts and postings of one division (L1b, L2). Nobody grants himself a role, and nobody locks a division out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from axes.utils import reset as forget_failures
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from rest_framework.authtoken.models import Token

from approvals.actions.clocks import hand_over_from
from approvals.exceptions import Refused, TransitionNotAllowed
from deadlines.clock import local_date
from offices.history import save_at
from offices.models import Department, Division, Office, Posting, User
from oversight.actions.units import locked, tell
from oversight.enums import DivisionAct

Role = Posting.Role
Side = Department.Side
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
PHONE = re.compile(r"1\d{10}")
# Roles that only make sense on one side of the linkage (L1b).
NEEDS_APPROVAL = frozenset({Role.REVIEWER, Role.DECIDER})
NEEDS_SUPERVISION = frozenset({Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY})


@dataclass(frozen=True, slots=True)
class PostingDraft:
    """A posting to be: ``ends_on`` None means until further notice; dates are local days, both included."""

    department: Department | None
    office: Office | None
    role: str
    starts_on: dt.date | None
    ends_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What became of the cases of somebody who left: drawn anew, and left without anybody in the office."""

    moved: int = 0
    stuck: int = 0


def _clean_phone(phone: str) -> str:
    """Return the number in half width without blanks or dashes; raises ``Refused`` unless it is a mobile number."""
    text = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", phone))
    if not PHONE.fullmatch(text):
        raise Refused("phone-invalid", "手机号码应为 11 位、以 1 开头，请核对。", field="phone")
    return text


def _check_place(division: Division, draft: PostingDraft) -> Posting:
    """Return the unsaved posting; raises ``Refused`` for what does not fit together."""
    if draft.role not in Role.values:
        raise Refused("role-missing", "请选择角色。", field="role")
    role = Role(draft.role)
    if draft.department is None or draft.department.division_id != division.pk:
        raise Refused("department-outside", "请选择本区划的部门；不能在其他区划授予角色。", field="department")
    if role in Posting.OFFICE_ROLES and draft.office is None:
        raise Refused("office-missing", f"“{role.label}”必须落到处室，请选择处室。", field="office")
    if role not in Posting.OFFICE_ROLES and draft.office is not None:
        raise Refused("office-not-wanted", f"“{role.label}”按部门任职，请不要选择处室。", field="office")
    if draft.office is not None and draft.office.department_id != draft.department.pk:
        raise Refused(
            "office-elsewhere", f"{draft.office.name}不属于{draft.department.name}，请重新选择处室。", field="office"
        )
    for roles, side in ((NEEDS_APPROVAL, Side.APPROVAL), (NEEDS_SUPERVISION, Side.SUPERVISION)):
        if role in roles and draft.department.side not in {side, Side.BOTH}:
            raise Refused(
                "side-missing", f"{draft.department.name}没有配置{side.label}，不能授予“{role.label}”。", field="role"
            )
    if draft.starts_on is None:
        raise Refused("start-missing", "请填写任职开始日期。", field="starts_on")
    if draft.ends_on is not None and draft.ends_on < draft.starts_on:
        raise Refused("end-before-start", "结束日期不能早于开始日期。", field="ends_on")
    return Posting(
        department=draft.department, office=draft.office, role=role, starts_on=draft.starts_on, ends_on=draft.ends_on
    )


def _post(division: Division, user: User, draft: PostingDraft, *, by: User, now: dt.datetime) -> Posting:
    """Save the posting of ``draft``; the division is locked."""
    posting = _check_place(division, draft)
    posting.user = user
    overlapping = Posting.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=posting.starts_on),
        user=user, department=posting.department, office=posting.office, role=posting.role,
    )  # fmt: skip
    if posting.ends_on is not None:
        overlapping = overlapping.filter(starts_on__lte=posting.ends_on)
    if overlapping.exists():
        raise Refused("posting-overlaps", "该人员在这段时间已有同样的任职，不必重复授予。", field="role")
    save_at(posting, now)
    data = {
        "posting": posting.pk, "user": user.pk, "role": posting.role, "department": posting.department_id,
        "office": posting.office_id, "starts_on": posting.starts_on.isoformat(),
        "ends_on": posting.ends_on.isoformat() if posting.ends_on else None,
    }  # fmt: skip
    tell(division, DivisionAct.POSTING_ADDED, data, by=by, now=now)
    return posting


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("password-weak", " ".join(error.messages), field="password") from error


@transaction.atomic
def create_account(
    division: Division, *, username: str, full_name: str, phone: str, password: str, posting: PostingDraft, by: User,
    now: dt.datetime,
) -> User:  # fmt: skip
    """Open an account with its first posting in the division; the password is kept as its hash only.

    Raises ``Refused`` with the field at fault.
    """
    division = locked(division.pk)
    username = unicodedata.normalize("NFKC", username).strip().lower()
    if not USERNAME.fullmatch(username):
        raise Refused(
            "username-invalid", "账号用 3–40 位小写字母、数字、点、横线或下划线，以字母或数字开头。", field="username"
        )
    if User.objects.filter(username=username).exists():
        raise Refused("username-taken", "该账号已被使用，请换一个。", field="username")
    if not full_name.strip():
        raise Refused("name-missing", "请填写姓名。", field="full_name")
    user = User(username=username, full_name=full_name.strip(), phone=_clean_phone(phone))
    _check_password(password, user)
    _check_place(division, posting)
    user.set_password(password)
    save_at(user, now)
    tell(division, DivisionAct.ACCOUNT_CREATED, {"user": user.pk}, by=by, now=now)
    _post(division, user, posting, by=by, now=now)
    return user


@transaction.atomic
def add_posting(division: Division, user: User, draft: PostingDraft, *, by: User, now: dt.datetime) -> Posting:
    """Give a person a role in the division; raises ``Refused`` (also for oneself: a second administrator does that)."""
    division = locked(division.pk)
    if user.pk == by.pk:
        raise Refused("self-grant", "不能给自己授予角色，请由另一名区划管理员办理。")
    return _post(division, user, draft, by=by, now=now)


def _other_admins(division: Division, user: User, ends_on: dt.date, today: dt.date) -> bool:
    """Whether somebody other than ``user`` administers the division today and beyond ``ends_on``."""
    others = Posting.objects.active(today).role(Role.DIVISION_ADMIN).exclude(user=user)
    return (
        others.filter(department__division=division, user__is_active=True)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=ends_on))
        .exists()
    )


def _reviews_on(posting: Posting, after: dt.date) -> bool:
    """Whether the person reviews in the office of ``posting`` on the day after ``after`` as well."""
    following = Posting.objects.active(after + dt.timedelta(days=1)).role(Role.REVIEWER)
    return following.filter(user=posting.user_id, office=posting.office_id).exists()


@transaction.atomic
def end_posting(posting: Posting, *, ends_on: dt.date | None, by: User, now: dt.datetime) -> tuple[Posting, Redrawn]:
    """End a posting with the day ``ends_on``, which still counts; the last administrator of a division stays.

    A reviewer who ends today hands over at once what waits for an opinion; one who ends later does so on the day after
    (``approvals.actions.clocks.hand_over_left``). No clock changes. Raises ``Refused``; ``conflict`` when it was ended
    before.
    """
    division = locked(posting.department.division_id)
    posting = Posting.objects.select_related("department", "user", "office").get(pk=posting.pk)
    today = local_date(now)
    if posting.ends_on is not None and posting.ends_on < today:
        raise TransitionNotAllowed("该任职已经结束，请刷新查看。")
    if ends_on is None:
        raise Refused("end-missing", "请填写任职结束日期。", field="ends_on")
    if ends_on < max(today, posting.starts_on):
        raise Refused("end-past", "结束日期不能早于今天和开始日期；须立即停止的，请停用账号。", field="ends_on")
    if posting.role == Role.DIVISION_ADMIN and not _other_admins(division, posting.user, ends_on, today):
        raise Refused(
            "last-admin", "这是本区划最后一名区划管理员，不能结束任职；请先由他人担任区划管理员。", field="ends_on"
        )
    posting.ends_on = ends_on
    save_at(posting, now)
    data = {"posting": posting.pk, "user": posting.user_id, "role": posting.role, "ends_on": ends_on.isoformat()}
    tell(division, DivisionAct.POSTING_ENDED, data, by=by, now=now)
    if posting.role != Role.REVIEWER or posting.office_id is None or ends_on > today or _reviews_on(posting, today):
        return posting, Redrawn()
    return posting, Redrawn(*hand_over_from(posting.user, offices={posting.office_id}, by=by, now=now))


def elsewhere(user: User, division: Division, today: dt.date) -> bool:
    """Whether the person also serves, or will serve, in another division: the account is not this one's to change."""
    postings = Posting.objects.filter(user=user).exclude(department__division=division)
    return postings.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today)).exists()


def _own_account(division: Division, user: User, now: dt.datetime) -> User:
    """The account with its row locked; raises ``Refused`` unless it belongs to this division alone."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_superuser or elsewhere(user, division, local_date(now)):
        raise Refused("account-shared", "该人员在其他区划也有任职，账号不能由本区划变更；本区划的任职可以在此结束。")
    return user


@transaction.atomic
def set_active(division: Division, user: User, *, active: bool, by: User, now: dt.datetime) -> tuple[User, Redrawn]:
    """Close an account at once (nobody can sign in with it), or open it again; never one's own.

    What a closed account had to review goes to others at once; no clock changes.
    """
    division = locked(division.pk)
    user = _own_account(division, user, now)
    if user.pk == by.pk:
        raise Refused("self-deactivate", "不能停用自己的账号，请由另一名区划管理员办理。")
    if user.is_active == active:
        raise TransitionNotAllowed(f"该账号已经{'启用' if active else '停用'}，请刷新查看。")
    is_admin = Posting.objects.role(Role.DIVISION_ADMIN).filter(user=user, department__division=division).exists()
    if not active and is_admin and not _other_admins(division, user, local_date(now), local_date(now)):
        raise Refused("last-admin", "停用后本区划将没有区划管理员，请先由他人担任区划管理员。")
    user.is_active = active
    save_at(user, now)
    act = DivisionAct.REACTIVATED if active else DivisionAct.DEACTIVATED
    tell(division, act, {"user": user.pk}, by=by, now=now)
    return user, Redrawn() if active else Redrawn(*hand_over_from(user, offices=None, by=by, now=now))


@transaction.atomic
def change_phone(division: Division, user: User, phone: str, *, by: User, now: dt.datetime) -> User:
    """Set the number that task SMS and reminders go to."""
    division = locked(division.pk)
    user = _own_account(division, user, now)
    user.phone = _clean_phone(phone)
    save_at(user, now)
    tell(division, DivisionAct.PHONE_CHANGED, {"user": user.pk}, by=by, now=now)
    return user


@transaction.atomic
def reset_password(division: Division, user: User, password: str, *, by: User, now: dt.datetime) -> User:
    """Set a new password; sessions and API tokens of the old one end, a lock after failed sign-ins too."""
    division = locked(division.pk)
    user = _own_account(division, user, now)
    _check_password(password, user)
    user.set_password(password)
    save_at(user, now)
    Token.objects.filter(user=user).delete()
    forget_failures(username=user.username)
    tell(division, DivisionAct.PASSWORD_RESET, {"user": user.pk}, by=by, now=now)
    return user


@transaction.atomic
def unlock(division: Division, user: User, *, by: User, now: dt.datetime) -> int:
    """Forget the failed sign-ins of a person; return how many records there were."""
    division = locked(division.pk)
    user = _own_account(division, user, now)
    forgotten: int = forget_failures(username=user.username)
    tell(division, DivisionAct.UNLOCKED, {"user": user.pk, "records": forgotten}, by=by, now=now)
    return forgotten
