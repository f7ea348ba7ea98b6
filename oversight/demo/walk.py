"""The suggested way to live through a case in the demonstration: who does what, under which account."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from catalogue.models import BusinessItem, Linkage
from offices.models import Posting

Role = Posting.Role
# One item through review and decision, one in a single sitting.
ITEMS = ("商品房预售许可", "公共场所卫生许可（新办，告知承诺）")

DUTIES: dict[str, str] = {
    Role.WINDOW_CLERK: "收件、受理、一次性补正告知、不予受理",
    Role.REVIEWER: "审查抽取到自己名下的办件，看不到申请人；准予后制证办结",
    Role.DECIDER: "作出准予或者不予许可的决定；值班的当场决定即办件",
    Role.SITE_OFFICER: "到现场核查并报告情况，看得到申请人，不评分、不决定",
    Role.DELIVERY_CLERK: "向申请人送达结果",
    Role.OFFICE_MANAGER: "收到任务短信，查看、签收、选措施、反馈",
    Role.OFFICE_DEPUTY: "处室管理员不在时代为签收",
    Role.INSPECTOR: "检查分派给自己的监管任务，记录检查情况",
    Role.DEPARTMENT_HEAD: "看本部门的监管任务和超期，批准入企检查和延长整改期限",
    Role.OVERSEER: "看超期、不予受理和没有关联的办件，协调处室之间的争议",
    Role.DIVISION_ADMIN: "配置本区划的部门、人员和审管关联",
    Role.DISCIPLINE: "查每一步的留痕",
    Role.CREDIT_OFFICER: "告知、认定失信行为，办理异议和信用修复",
}


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account at one of its postings."""

    username: str
    name: str
    role: str
    role_label: str
    office: str
    on_duty: bool

    @property
    def duty(self) -> str:
        """What the role does."""
        return DUTIES[self.role]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the walk: what is done, and the accounts that may do it."""

    verb: str
    role_label: str
    accounts: list[Account]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """The way of one item."""

    item: str
    steps: list[Step]


def accounts(on: dt.date) -> list[Account]:
    """Every demo account with a posting in force on that day, in the order of roles; one statement."""
    order = {role: number for number, role in enumerate(DUTIES)}
    postings = (
        Posting.objects.active(on)
        .filter(user__is_demo=True, user__is_active=True)
        .select_related("user", "department", "office")
        .defer("user__phone")
        .order_by("pk")
    )
    return sorted((_account(posting) for posting in postings), key=lambda account: order[account.role])


def _account(posting: Posting) -> Account:
    department = posting.department.name
    return Account(
        username=posting.user.username,
        name=posting.user.full_name,
        role=posting.role,
        role_label=posting.get_role_display(),
        office=f"{department} {posting.office.name}" if posting.office else department,
        on_duty=posting.on_duty,
    )


def walks(on: dt.date) -> list[Walk]:
    """The suggested ways, for the items that are loaded."""
    items = BusinessItem.objects.published().filter(name__in=ITEMS, item__division__parent__isnull=True)
    found = items.select_related("item__division").order_by("handling").reverse()
    return [Walk(item.name, _steps(item, on)) for item in found]


def _steps(item: BusinessItem, on: dt.date) -> list[Step]:
    division = item.item.division

    def who(role: Role, **where: object) -> list[Account]:
        rows = (
            Posting.objects.active(on)
            .role(role)
            .filter(user__is_demo=True, **where)
            .select_related("user", "department", "office")
            .defer("user__phone")
            .order_by("-on_duty", "pk")
        )
        return [_account(posting) for posting in rows]

    in_office = {"office": item.review_office_id}
    in_division = {"department__division": division}
    linked = Linkage.objects.active().filter(business_item=item).values_list("office_id", "office__department_id")
    supervising, watching = {office for office, _ in linked}, {department for _, department in linked}
    deciding = who(Role.DECIDER, **in_office)
    steps = [Step("收件、受理", "窗口人员", who(Role.WINDOW_CLERK, **in_division)[:1])]
    if item.is_on_the_spot:
        on_duty = [account for account in deciding if account.on_duty]
        steps.append(Step("当场决定、制证", "值班决定人员", on_duty, "受理时抽取，不是收件人"))
    else:
        steps += [
            Step("审查，出具意见", "审查人员", who(Role.REVIEWER, **in_office), "抽到谁由谁办"),
            Step("作出决定", "决定人员", deciding[:1]),
            Step("制证、办结", "审查人员", who(Role.REVIEWER, **in_office), "由审查的那一位办"),
        ]
    steps += [
        Step("送达", "出件人员", who(Role.DELIVERY_CLERK, **in_division)[:1]),
        Step(
            "签收、监管、反馈", "处室管理员", who(Role.OFFICE_MANAGER, office__in=supervising), "先看演示手机上的短信"
        ),
        Step("到场检查、记录", "监管执法人员", who(Role.INSPECTOR, office__in=supervising), "分派给谁由谁办"),
        Step("批准入企检查、整改延期", "部门负责人", who(Role.DEPARTMENT_HEAD, department__in=watching)),
        Step("撤销许可", "决定人员", deciding[:1], "整改不到位、监管处室建议撤销的"),
        Step("看超期和督办", "督办人员", who(Role.OVERSEER, **in_division)[:1]),
        Step("配置人员和关联", "区划管理员", who(Role.DIVISION_ADMIN, **in_division)[:1]),
        Step("查留痕", "纪检监察人员", who(Role.DISCIPLINE, **in_division)[:1]),
    ]
    return steps
