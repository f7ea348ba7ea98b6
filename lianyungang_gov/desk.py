"""Each role lands on its own desk; the rail at the left lists the desks that a person has."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render

from offices.access import Access
from offices.models import Posting
from offices.web import PortalRequest

Role = Posting.Role


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the rail: its name, address, icon, the roles that have it.

    ``group``: what it folds away with; a ``rare`` one is shown with work only.
    """

    label: str
    url: str
    icon: str
    roles: frozenset[str]
    group: str = ""
    rare: bool = False


# What is looked at now and then, so that the rail keeps to what waits for the person.
LOOKED_INTO = "监督台账"
OWN = "个人与规则"


PLACES = (
    Place("窗口办件", "/window/", "inbox", frozenset({Role.WINDOW_CLERK, Role.DELIVERY_CLERK})),
    Place("新收件", "/window/new/", "file-plus", frozenset({Role.WINDOW_CLERK})),
    Place("审批办件", "/office/", "clipboard-check", frozenset({Role.REVIEWER, Role.DECIDER})),
    Place("补交与逾期", "/office/owed/", "hourglass", frozenset({Role.DECIDER})),
    Place("撤销许可", "/office/revocations/", "gavel", frozenset({Role.DECIDER})),
    Place("证照管理", "/office/licences/", "badge-check", frozenset({Role.DECIDER})),
    Place("现场核查", "/office/site/", "map-pin", frozenset({Role.SITE_OFFICER})),
    Place(
        "监管任务",
        "/tasks/",
        "shield-check",
        frozenset({Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR}),
    ),
    Place("入企检查", "/tasks/visits/", "building-2", frozenset({Role.DEPARTMENT_HEAD})),
    Place(
        "双随机抽查",
        "/tasks/draws/",
        "shuffle",
        frozenset({Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD}),
    ),
    Place(
        "责令整改",
        "/tasks/orders/",
        "wrench",
        frozenset({Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR}),
    ),
    Place("更正检查记录", "/tasks/set-asides/", "clipboard-x", frozenset({Role.DEPARTMENT_HEAD}), rare=True),
    Place("检查表", "/tasks/checklists/", "list-checks", frozenset({Role.OFFICE_MANAGER, Role.DEPARTMENT_HEAD})),
    Place("延期审批", "/office/extensions/", "calendar-plus", frozenset({Role.DEPARTMENT_HEAD})),
    Place(
        "听证主持",
        "/office/hearings/",
        "messages-square",
        frozenset({Role.DECIDER, Role.DEPARTMENT_HEAD}),
        rare=True,
    ),
    Place("信用管理", "/credit/", "scroll-text", frozenset({Role.CREDIT_OFFICER})),
    Place("信用记录", "/credit/records/", "archive", frozenset({Role.CREDIT_OFFICER})),
    Place("联合奖惩", "/credit/measures/", "scale", frozenset({Role.CREDIT_OFFICER})),
    Place("信用评价", "/credit/grades/", "badge-check", frozenset({Role.CREDIT_OFFICER})),
    Place("代码衔接", "/credit/links/", "link", frozenset({Role.CREDIT_OFFICER})),
    Place("小闹钟", "/alarms/", "alarm-clock", frozenset({*Posting.ACTING_ROLES, Role.DEPARTMENT_HEAD})),
    Place("时限督办", "/oversight/", "alarm-clock", frozenset({Role.OVERSEER})),
    Place(
        "信用修复督办",
        "/credit/late/",
        "hourglass",
        frozenset({Role.DEPARTMENT_HEAD, Role.OVERSEER}),
        rare=True,
    ),
    Place("待分派办件", "/oversight/unlinked/", "unlink", frozenset({Role.OVERSEER})),
    Place("审管争议", "/oversight/disputes/", "scale", frozenset({Role.OVERSEER})),
    Place("短信送达", "/oversight/messages/", "message-square-warning", frozenset({Role.OVERSEER})),
    Place("不予受理", "/oversight/refusals/", "file-x", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("退件统计", "/oversight/returns/", "undo-2", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("决定前查看", "/oversight/unveilings/", "eye", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("承诺超过5日", "/oversight/exemptions/", "hourglass", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("双随机计划", "/tasks/draws/", "shuffle", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("信用推送", "/credit/pushes/", "send", frozenset({Role.CREDIT_OFFICER})),
    Place("信用推送", "/credit/pushes/", "send", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("企业画像", "/subjects/", "id-card", frozenset({Role.OVERSEER}), LOOKED_INTO),
    Place("部门与人员", "/division/", "users", frozenset({Role.DIVISION_ADMIN})),
    Place("审管关联清单", "/division/linkages/", "link", frozenset({Role.DIVISION_ADMIN})),
    Place("期限设定", "/division/periods/", "timer", frozenset({Role.DIVISION_ADMIN})),
    Place("抽查比例", "/tasks/sampling/", "percent", frozenset({Role.DIVISION_ADMIN})),
    Place("存量证照", "/tasks/stock/", "archive", frozenset({Role.DIVISION_ADMIN})),
    Place("办件留痕", "/traces/", "scroll-text", frozenset({Role.DISCIPLINE})),
    Place("企业画像", "/subjects/", "id-card", frozenset({Role.CREDIT_OFFICER, Role.DISCIPLINE})),
    Place(
        "企业画像",
        "/subjects/",
        "id-card",
        frozenset({Role.DEPARTMENT_HEAD, Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY}),
        OWN,
    ),
    Place("请假", "/leave/", "plane", frozenset(Role), OWN),
    Place("回避申报", "/conflicts/", "user-x", frozenset(Role), OWN),
    Place("差异化办理", "/division/handling/", "scale", frozenset(Role), OWN),
    # Last, so that nobody lands here first: whether a day is a working day is everybody's question.
    Place("工作日历", "/division/calendar/", "calendar-days", frozenset(Role), OWN),
)


def places_for(access: Access) -> list[Place]:
    """The places of a person with these postings, in the order of the rail."""
    return [place for place in PLACES if access.has(*place.roles)]


@login_required
def desk(request: PortalRequest) -> HttpResponse:
    """Go to the first desk of the person; somebody without a posting is told whom to ask."""
    places = places_for(request.access)
    if places:
        return redirect(places[0].url)
    return render(request, "no_desk.html", status=403)
