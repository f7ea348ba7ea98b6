"""Short ways to what the overseers and administrators see: late cases, pools, failures."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpResponse
from django.test import Client

from approvals.actions import complete_case, refuse_acceptance
from approvals.models import Case
from catalogue.models import Linkage
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import User
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment


def unlinked(clock: Moment) -> Case:
    """A completed case whose item had no active linkage."""
    case = play.approved(clock.at, play.item("劳务派遣经营许可（新办）"))
    Linkage.objects.filter(business_item=case.business_item).update(active=False)
    assert case.reviewer is not None
    return complete_case(case, by=case.reviewer, now=clock.at)


def refused(clock: Moment, reason: str = "申请的事项由县级部门办理，请到县政务服务中心申请。") -> Case:
    """A case that the window refused to accept."""
    case = play.received(clock.at)
    return refuse_acceptance(case, ground="not_our_duty", reason=reason, by=play.person("chuangkou1"), now=clock.at)


def failed(clock: Moment) -> Message:
    """The task SMS of a completed case, refused by the gateway for good."""
    case = play.completed(clock.at)
    task = SupervisionTask.objects.filter(case=case).order_by("pk")[0]
    User.objects.filter(pk=task.office.managers(clock.at.date())[0].pk).update(phone="", phone_hash="")
    message = Message.objects.get(reference=task.stream, kind="task_opened")
    Message.objects.filter(pk=message.pk).update(phone="", phone_hash="")
    deliver(clock.at)
    message.refresh_from_db()
    assert message.state == "failed"
    return message


def text(response: Any) -> str:
    """The words of a page."""
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def table(browser: Client, url: str) -> list[dict[str, str]]:
    """The lines of an export, by heading."""
    response: Any = browser.get(url)
    assert response.status_code == 200
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))
