"""存量证照: uploaded, looked through, loaded by rule; one SMS an office, clocks from the start day, nothing doubled."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.exceptions import Refused
from catalogue.models import Linkage
from credit.models import CreditSubject
from deadlines.models import Deadline
from deadlines.sweep import sweep
from ledger import verify
from ledger.models import Entry
from notifications import kinds
from notifications.deliver import deliver
from notifications.models import Message
from offices.access import access_for
from offices.models import Department, Division, Posting, User
from offices.tokens import issue
from supervision import actions, lists, reconcile, starting, stock
from supervision.actions import disputing, ordering, stocking
from supervision.actions.drawing import draw_plan
from supervision.enums import Origin
from supervision.models import ClockStart, StockBatch, StockLicence, SupervisionTask
from tests import city as demo_city
from tests.conftest import Moment
from tests.supervision import disputing as road
from tests.supervision import drawing
from tests.supervision import ordering as make
from tests.supervision import stocking as old
from tests.supervision.tasks import notified

pytestmark = pytest.mark.django_db
Role = Posting.Role
SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, settings: object) -> None:
    settings.UPLOAD_ROOT = tmp_path  # type: ignore[attr-defined]


def upload(client: Client, content: bytes) -> object:
    file = SimpleUploadedFile("存量.csv", content, content_type="text/csv")
    return client.post(reverse("tasks:stock_new"), {"file": file})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_file_is_uploaded_looked_through_and_loaded_by_rule(sign_in: SignIn, clock: Moment, encoding: str) -> None:
    about = old.item()
    division = about.item.division
    client = sign_in(old.administrator(division).username)
    assert "还没有载入存量证照" in client.get(reverse("tasks:stock")).content.decode()
    header = b"".join(client.get(reverse("tasks:stock_template"))).decode("utf-8-sig")
    assert header.strip().split(",") == list(stock.HEADER)
    rows = [
        old.row(about, 1),
        old.row(about, 2, 有效期至="长期"),
        old.row(about, 3, 有效期至="2025-12-31"),
        old.row(about, 4, 统一社会信用代码或身份证号码=old.person(4), 持有人="王小明"),
        old.row(about, 5, 统一社会信用代码或身份证号码=old.code(5)[:-1] + "?"),
        old.row(about, 6, 业务办理项编码="没有这个"),
        old.row(about, 7, 有效期自="2026-02-30"),
        old.row(about, 8, 有效期自="2026/9/1", 有效期至="2026年8月1日"),
        old.row(about, 9, 监管处室="没有这个处室"),
        old.row(about, 10, 证照编号="旧证000001"),
        old.row(about, 11, 统一社会信用代码或身份证号码="9.1320700E+17"),
    ]
    answer = upload(client, old.table(rows, encoding))
    assert answer.status_code == 302  # type: ignore[attr-defined]
    preview = answer["Location"]  # type: ignore[index]
    page = client.get(preview).content.decode()
    for line, why in ((6, "统一社会信用代码"), (7, "没有这个业务办理项编码"), (8, "2026-02-30"), (9, "有效期至早于"),
                      (10, "没有有效的审管关联"), (11, "与第 2 行是同一证照"), (12, "科学计数法")):  # fmt: skip
        assert f"第 {line} 行" in page
        assert why in page
    assert "王小明" not in page
    faults = b"".join(client.get(preview + "faults.csv")).decode()
    assert len(faults.strip().splitlines()) == 8
    assert not StockBatch.objects.exists()
    assert not StockLicence.objects.exists()
    missing = client.post(preview, {"name": "", "rule": "tasks"})
    assert missing.status_code == 422
    undated = client.post(preview, {"name": "第一批", "rule": "tasks", "valid_on": ""})
    assert undated.status_code == 422
    begun = client.post(preview, {"name": "第一批", "rule": "tasks", "valid_on": "2026-09-28"})
    assert begun.status_code == 302
    batch = StockBatch.objects.get()
    assert "载入中" in client.get(begun["Location"]).content.decode()
    assert stocking.load_waiting(clock.at) == 1
    batch.refresh_from_db()
    links = Linkage.objects.active().filter(business_item=about).count()
    assert batch.counts == {"rows": 11, "done": 11, "licences": 4, "tasks": 3 * links, "expired": 1, "unlinked": 0}
    assert [one["line"] for one in batch.faults] == [6, 7, 8, 9, 10, 11, 12]
    assert CreditSubject.objects.filter(code=old.code(1)).count() == 1
    assert StockLicence.objects.get(number="旧证000004").holder.kind == "person"
    assert not SupervisionTask.objects.filter(stock_licence__number="旧证000003").exists()
    tasks = SupervisionTask.objects.filter(origin=Origin.STOCK)
    assert tasks.count() == 3 * links
    assert all(task.number.startswith("JS") and len(task.number) <= 26 for task in tasks)
    licence = stock.licence_of(tasks[0].number)
    assert licence is not None
    assert licence.holder_id == tasks[0].subject_id
    done = client.get(reverse("tasks:stock_batch", args=[batch.pk])).content.decode()
    assert "已完成" in done
    assert "第 12 行" in done
    assert not list((Path(django_settings.UPLOAD_ROOT) / "stock").glob("*.csv"))
    # The same file a second time
    again = upload(client, old.table(rows, encoding))
    assert again.status_code == 422  # type: ignore[attr-defined]
    assert "已经载入过" in again.content.decode()  # type: ignore[attr-defined]
    assert client.post(preview, {"name": "再来", "rule": "none"}).status_code == 409
    # What is there already is named, row by row
    more = upload(client, old.table([old.row(about, 1), old.row(about, 20)]))
    page = client.get(more["Location"]).content.decode()  # type: ignore[index]
    assert "这个证照已经载入过" in page
    assert list(verify.faults()) == []
    assert list(reconcile.differences(clock.at)) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "空"),
        (b"PK\x03\x04 excel", "不是文本表格"),
        ("编码,编号\n1,2\n".encode(), "缺少列"),
        (old.table([]), "没有证照"),
        (",".join(stock.HEADER).encode() + b'\n"a', "引号"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(
    sign_in: SignIn, clock: Moment, content: bytes, why: str
) -> None:
    client = sign_in(old.administrator(old.item().item.division).username)
    answer = upload(client, content)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert why in answer.content.decode()  # type: ignore[attr-defined]
    assert not list(Path(django_settings.UPLOAD_ROOT).rglob("*.csv"))


def test_each_office_has_one_sms_and_all_clocks_start_with_it(city: None, clock: Moment) -> None:
    about = old.item()
    old.loaded([old.row(about, number) for number in range(1, 31)], clock.at)
    offices = Linkage.objects.active().filter(business_item=about).values_list("office", flat=True).distinct()
    messages = Message.objects.filter(kind="stock_opened")
    assert messages.count() == sum(
        Posting.objects.filter(office=office, role=Role.OFFICE_MANAGER).count() for office in offices
    )
    per_office = Counter(SupervisionTask.objects.values_list("office", flat=True))
    assert all(f"{per_office[int(one.dedupe_key.split(':')[2])]}件" in one.text for one in messages)
    assert not Message.objects.filter(kind="task_opened").exists()
    assert not Deadline.objects.filter(acknowledge_task__isnull=False).exists()
    clock.to("2026-09-28 10:05")
    deliver(clock.at)
    due = set(SupervisionTask.objects.values_list("acknowledge_deadline__due_on", flat=True))
    assert due == {dt.date(2026, 10, 8)}
    assert list(reconcile.differences(clock.at)) == []
    assert list(verify.faults()) == []


def test_a_failed_sms_of_old_stock_climbs_the_ladder(city: None, clock: Moment) -> None:
    about = old.item()
    old.loaded([old.row(about, number) for number in range(1, 4)], clock.at)
    office = Linkage.objects.active().filter(business_item=about).order_by("office_id")[0].office_id
    climbed = []
    for _ in range(4):
        mine = Message.objects.filter(kind="stock_opened", dedupe_key__contains=f":{office}:")
        message = [one for one in mine.order_by("-pk") if one.dedupe_key.split(":")[2] == str(office)][0]
        climbed.append(message.dedupe_key.split(":")[3])
        kinds.tell_failed([message], clock.at)
        kinds.tell_failed([message], clock.at)
    assert climbed == ["manager", "deputy", "head", "overseer"]
    failed = Entry.objects.filter(act="task.sms_failed").values("stream").distinct().count()
    assert failed == SupervisionTask.objects.filter(office=office).count()


def test_day_one_is_not_red(sign_in: SignIn, clock: Moment) -> None:
    about = old.item()
    division = about.item.division
    client = sign_in(old.administrator(division).username)
    url = reverse("tasks:stock_starts")
    assert client.get(url).status_code == 200
    far = client.post(url, {"division": division.code, "acknowledge": "2030-01-01"})
    assert far.status_code == 422
    assert not ClockStart.objects.exists()
    days = {"acknowledge": "2026-10-20", "planned_finish": "2026-10-21", "feedback": "2026-10-22"}
    assert client.post(url, {"division": division.code, **days}).status_code == 302
    assert Entry.objects.filter(stream=starting.stream_of(division.pk), act="stock.clock_start_set").count() == 3
    assert "2026-10-20" in client.get(url).content.decode()
    old.loaded([old.row(about, number) for number in range(1, 6)], clock.at)
    message = Message.objects.filter(kind="stock_opened")[0]
    assert "自10月20日起算" in message.text
    deliver(clock.at)
    tasks = SupervisionTask.objects.filter(origin=Origin.STOCK)
    dues = set(tasks.values_list("acknowledge_deadline__due_on", flat=True))
    assert dues == {dt.date(2026, 10, 23)}
    manager = tasks[0].office.managers(clock.at.date())[0]
    for day in ("2026-10-09 09:30", "2026-10-19 09:30", "2026-10-20 09:30"):
        clock.to(day)
        sweep(clock.at)
        access = access_for(manager, clock.at.date())
        assert lists.counts(access, clock.at.date())["late"] == "0"
        assert not Message.objects.filter(kind="task_reminder").exists()
    # What is done before the first day: the planned day and the feedback count as of their own first days.
    clock.to("2026-10-12 10:00")
    task = actions.view_task(tasks[0], by=manager, now=clock.at)
    task = actions.acknowledge(
        task, measure="off_site", planned_finish_on=dt.date(2026, 10, 13), by=manager, now=clock.at
    )
    assert task.planned_deadline is not None
    assert task.planned_deadline.due_on == dt.date(2026, 10, 21)
    task = actions.finish(task, finished_on=dt.date(2026, 10, 12), by=manager, now=clock.at)
    assert task.feedback_deadline is not None
    assert task.feedback_deadline.due_on == dt.date(2026, 10, 29)  # 23, 26, 27, 28, 29 October
    # After the first day a clock counts from its own event.
    clock.to("2026-10-26 10:00")
    late = actions.view_task(tasks.exclude(pk=task.pk)[0], by=manager, now=clock.at)
    late = actions.acknowledge(
        late, measure="off_site", planned_finish_on=dt.date(2026, 10, 27), by=manager, now=clock.at
    )
    assert late.planned_deadline is not None
    assert late.planned_deadline.due_on == dt.date(2026, 10, 27)
    assert list(verify.faults()) == []
    # Taken back, there is no first day.
    assert client.post(url, {"division": division.code}).status_code == 302
    assert not ClockStart.objects.exists()


def test_a_task_of_a_case_keeps_to_the_first_day_too(city: None, clock: Moment) -> None:
    division = old.item().item.division
    day = dt.date(2026, 10, 20)
    starting.set_start(division, "acknowledge", day, by=old.administrator(division), now=clock.at)
    task = notified(clock.at)
    assert task.acknowledge_deadline is not None
    assert task.acknowledge_deadline.due_on == dt.date(2026, 10, 23)


def test_the_page_of_a_task_of_old_stock_and_an_objection_to_it(sign_in: SignIn, clock: Moment) -> None:
    about = old.item()
    old.loaded([old.row(about, 1)], clock.at)
    deliver(clock.at)
    task = SupervisionTask.objects.select_related("office").order_by("pk")[0]
    manager = road.manager(task, clock.at.date())
    page = sign_in(manager.username).get(reverse("tasks:task", args=[task.number]))
    assert page.status_code == 200
    assert "旧证000001" in page.content.decode()
    task.refresh_from_db()
    dispute = disputing.raise_dispute(task, reason="不属。", by=manager, now=clock.at)
    office = road.elsewhere(task, clock.at.date())
    disputing.decide_dispute(
        dispute, outcome="reassigned", reason="改派。", office=office, by=User.objects.get(username="duban1"),
        now=clock.at,
    )  # fmt: skip
    deliver(clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is not None
    assert Message.objects.filter(kind="task_opened", reference=task.stream, dedupe_key__endswith=":2").exists()
    assert list(reconcile.differences(clock.at)) == []


def test_without_tasks_only_the_licences_are_loaded(city: None, clock: Moment) -> None:
    about = old.item()
    batch = old.loaded([old.row(about, number) for number in range(1, 4)], clock.at, opens_tasks=False)
    assert (batch.counts["licences"], batch.counts["tasks"]) == (3, 0)
    assert not SupervisionTask.objects.exists()
    assert not Message.objects.filter(kind="stock_opened").exists()


def test_a_named_office_has_the_task_alone_and_an_item_without_offices_has_none(city: None, clock: Moment) -> None:
    about = old.item()
    linkage = Linkage.objects.active().filter(business_item=about).select_related("office__department")[0]
    batch = old.loaded([old.row(about, 1, 监管处室=str(linkage.office))], clock.at)
    assert list(SupervisionTask.objects.values_list("office", flat=True).distinct()) == [linkage.office_id]
    Linkage.objects.filter(business_item=about).update(active=False)
    batch = old.loaded([old.row(about, 2)], clock.at)
    assert (batch.counts["licences"], batch.counts["tasks"], batch.counts["unlinked"]) == (1, 0, 1)


def viewed(task: SupervisionTask, clock: Moment) -> SupervisionTask:
    deliver(clock.at)
    return actions.view_task(task, by=make.manager(task), now=clock.at)


def text_of(client: Client, name: str, task: SupervisionTask) -> str:
    return client.get(reverse(f"tasks:{name}", args=[task.number])).content.decode()


def test_an_old_licence_is_not_revoked_online_and_ends_the_task_when_it_has_run_out(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    """Not mended: a handover; that the task may be closed is said, and possible, from the day after its last day on."""
    old.loaded([old.row(old.item(), 1, 有效期至="2026-10-08")], clock.at)
    task = viewed(SupervisionTask.objects.order_by("pk")[0], clock)
    by = make.manager(task)
    actions.acknowledge(task, measure="off_site", planned_finish_on=clock.at.date(), by=by, now=clock.at)
    clock.to("2026-09-28 15:00")
    make.look(task, clock.at, bad=True)
    make.fed_back(task, clock.at)
    order = make.ordered(task, clock.at)
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=clock.at)
    client = sign_in(by.username)
    close, propose = (reverse(f"tasks:{name}", args=[task.number]) for name in ("licence_ended", "proposal"))
    reason = {"reason": "许可证已过期，不再整改。"}
    said, follows = "系统内没有这件证照，不能在线建议撤销，请移送执法", "没有必要继续的，按“证照已失效”归档"
    clock.to("2026-10-08 10:00")  # its last day
    page = text_of(client, "task", task)
    assert said in page
    assert follows not in page
    assert close not in page
    assert client.post(close, reason).status_code == 409
    refused = client.get(propose)
    assert refused.status_code == 409
    assert said in refused.content.decode()
    assert follows not in refused.content.decode()
    clock.to("2026-10-09 09:00")
    for shown in (
        text_of(client, "task", task),
        client.get(reverse("tasks:order", args=[order.pk])).content.decode(),
        client.get(propose).content.decode(),
    ):
        assert f"{said}；{follows}。" in shown
    assert close in text_of(client, "task", task)
    assert "证照的有效期已满" in text_of(client, "licence_ended", task)
    assert client.post(close, reason).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.end) == ("closed", "licence_ended")


def test_a_drawn_task_of_an_old_licence_ends_when_the_holder_has_none_in_force(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    drawing.inspectors(3)
    [holder] = drawing.holders({"D": 1}, clock.at, valid_to=dt.date(2026, 10, 8))
    draw_plan(drawing.published(clock.at, ratio=10000), by=drawing.manager(), now=clock.at)
    task = viewed(SupervisionTask.objects.get(subject=holder), clock)
    client = sign_in(make.manager(task).username)
    close = reverse("tasks:licence_ended", args=[task.number])
    assert close not in text_of(client, "task", task)
    clock.to("2026-10-09 09:00")
    assert close in text_of(client, "task", task)
    first = StockLicence.objects.get(holder=holder)
    renewed = StockLicence.objects.create(
        batch=first.batch, number="新证", business_item=first.business_item, holder=holder, holder_name=holder.name,
        department=first.department, valid_from=first.valid_from,
    )  # fmt: skip
    assert close not in text_of(client, "task", task)
    renewed.delete()
    assert client.post(close, {"reason": "许可证已过期，不再检查。"}).status_code == 302


def test_a_filing_has_no_licence_that_could_end(city: None, clock: Moment) -> None:
    task = notified(clock.at)
    task.licence = None
    with CaptureQueriesContext(connection) as seen:
        said = ordering.irrevocable(task, clock.at.date())
    assert said == "这件任务没有可以撤销的证照，请移送执法。"
    assert len(seen) == 0


def test_whoever_does_not_administer_the_division_finds_nothing(sign_in: SignIn, clock: Moment) -> None:
    about = old.item()
    division = about.item.division
    batch = old.loaded([old.row(about, 1)], clock.at)
    waiting = stock.keep(old.table([old.row(about, 2)]), division)
    preview = reverse("tasks:stock_preview", args=[division.code, waiting])
    names = ("tasks:stock", "tasks:stock_new", "tasks:stock_starts", "tasks:stock_template", "tasks:stock_export")
    places = [*(reverse(name) for name in names), preview, f"{preview}faults.csv"]
    places += [reverse("tasks:stock_batch", args=[batch.pk]), reverse("tasks:stock_faults", args=[batch.pk])]
    manager = SupervisionTask.objects.all()[0].office.managers(clock.at.date())[0].username
    for name in (manager, "duban1", "chuangkou1", "zhujian.shenchaa"):
        client = sign_in(name)
        assert {client.get(place).status_code for place in places} <= {403, 404}, name
    department = Department.objects.get(pk=batch.licences.all()[0].department_id)
    away = Division.objects.exclude(pk=division.pk)[0]
    department.pk, department.division, department.name = None, away, "外区行政审批局"
    department.save()
    foreign = User.objects.create_user("waiqu.guanli", "Password-2026", full_name="外区管理")
    Posting.objects.create(user=foreign, role=Role.DIVISION_ADMIN, department=department, starts_on=clock.at.date())
    client = sign_in("waiqu.guanli")
    assert {client.get(place).status_code for place in places[:5]} == {200}
    assert {client.get(place).status_code for place in places[5:]} == {404}
    assert client.post(preview, {"name": "越界", "rule": "none"}).status_code == 404
    assert client.post(reverse("tasks:stock_starts"), {"division": division.code}).status_code == 404
    assert batch.name not in client.get(reverse("tasks:stock")).content.decode()


def test_a_chunk_takes_far_fewer_statements_than_it_has_rows(city: None, clock: Moment) -> None:
    about = old.item()
    batch = old.begun([old.row(about, number) for number in range(1, 101)], clock.at)
    rows = stock.parse(stock.content_of(batch.division_id, batch.digest))
    with CaptureQueriesContext(connection) as seen:
        assert not stocking.load_chunk(batch.pk, rows, clock.at)
    assert len(seen) < 40, len(seen)


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["stock.chunk.before_commit", "stock.between_chunks", "stock.finish.before_commit"])
def test_a_worker_killed_at_this_point_loses_and_doubles_nothing(
    transactional_db: None, clock: Moment, tmp_path: Path, point: str
) -> None:
    demo_city.load()
    about = old.item()
    many = stocking.CHUNK + 20
    batch = old.begun([old.row(about, number) for number in range(1, many + 1)], clock.at)
    marker = tmp_path / "fault"
    marker.write_text(point)
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    if connection.vendor != "sqlite":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {"DATABASE_URL": url, "FAULT_FILE": str(marker), "UPLOADS_AT": str(tmp_path)}
    command = [sys.executable, "-m", "tests.supervision.stock_worker", clock.at.isoformat()]

    def worker() -> int:
        run = subprocess.run(command, cwd=django_settings.BASE_DIR, env=environment, check=False, timeout=120)
        return run.returncode

    assert worker() == -signal.SIGKILL
    batch.refresh_from_db()
    assert batch.finished_at is None
    assert StockLicence.objects.count() == batch.counts["done"]
    assert not Message.objects.filter(kind="stock_opened").exists()
    assert worker() == 0
    assert worker() == 0
    batch.refresh_from_db()
    links = Linkage.objects.active().filter(business_item=about)
    assert batch.counts["done"] == batch.counts["licences"] == many == StockLicence.objects.count()
    assert batch.counts["tasks"] == SupervisionTask.objects.count() == many * links.count()
    opened = Entry.objects.filter(act="task.opened").count()
    assert opened == SupervisionTask.objects.count()
    assert Message.objects.filter(kind="stock_opened").count() == sum(
        Posting.objects.filter(office=office, role=Role.OFFICE_MANAGER).count()
        for office in set(links.values_list("office", flat=True))
    )
    assert list(verify.faults()) == []


def test_two_at_once_take_one_file_once(city: None, clock: Moment) -> None:
    about = old.item()
    division = about.item.division
    by = old.administrator(division)
    digest = stock.keep(old.table([old.row(about, 1)]), division)
    rules = {"name": "一批", "opens_tasks": False, "valid_on": None, "by": by, "now": clock.at}
    stocking.begin(division, digest, **rules)  # type: ignore[arg-type]
    with pytest.raises(Refused) as error:
        stocking.begin(division, digest, **rules)  # type: ignore[arg-type]
    assert (error.value.code, error.value.conflict) == ("stock-file-known", True)


def test_the_same_through_the_api(city: None, clock: Moment) -> None:
    about = old.item()
    division, api = about.item.division, APIClient()
    admin = old.administrator(division)
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(admin).token}")
    rows = [old.row(about, 1), old.row(about, 2), old.row(about, 3, 有效期自="2026-02-30")]
    root = "/api/v1/stock/"

    def check(code: str) -> Any:
        file = SimpleUploadedFile("存量.csv", old.table(rows), content_type="text/csv")
        return api.post(f"{root}files/", {"division": code, "file": file}, format="multipart")

    seen = check(division.code).json()
    assert (seen["rows"], seen["good"], [fault["line"] for fault in seen["faults"]]) == (3, 2, [4])
    said = {"division": division.code, "digest": seen["digest"], "name": "食品经营许可", "opens_tasks": True}
    early = api.post(root, said, format="json")
    assert (early.status_code, early.json()["code"]) == (422, "valid-on-missing")
    made = api.post(root, said | {"valid_on": "2026-09-28"}, format="json")
    assert made.status_code == 201
    again = api.post(root, said | {"valid_on": "2026-09-28"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "stock-file-known")
    assert stocking.load_waiting(clock.at) == 1
    batch = api.get(f"{root}{made.json()['id']}/").json()
    assert (batch["counts"]["licences"], [one["line"] for one in batch["faults"]]) == (2, [4])
    assert [one["id"] for one in api.get(root, {"state": "finished"}).json()["results"]] == [batch["id"]]
    assert api.get(root, {"state": "running"}).json()["results"] == []
    day = {"division": division.code, "kind": "feedback", "starts_on": "2026-10-09"}
    assert day in api.post(f"{root}starts/", day, format="json").json()["results"]
    assert day | {"starts_on": None} not in api.get(f"{root}starts/").json()["results"]
    wrong = api.post(f"{root}starts/", day | {"kind": "dispute"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "start-kind")
    # The administrator of another division: neither the file, nor the batch, nor the day.
    elsewhere = Posting.objects.filter(role=Role.DIVISION_ADMIN).exclude(department__division=division)[0].user
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(elsewhere).token}")
    found = [
        check(division.code), api.post(root, said, format="json"), api.get(f"{root}{batch['id']}/"),
        api.post(f"{root}starts/", day, format="json"),
    ]  # fmt: skip
    assert [answer.status_code for answer in found] == [404] * 4
    assert api.get(root).json()["results"] == []


def test_days_that_cannot_be_are_refused_before_a_load(city: None, clock: Moment, sign_in: SignIn) -> None:
    about = old.item()
    division, api = about.item.division, APIClient()
    admin = old.administrator(division)
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(admin).token}")
    rows = [
        old.row(about, 1), old.row(about, 2, 有效期自="0001-01-01", 有效期至="9999-12-31"),
        old.row(about, 3, 有效期自="1949-09-30"), old.row(about, 4, 有效期至="9999-12-31"),
        old.row(about, 5, 有效期自="2028-01-01", 有效期至="长期"), old.row(about, 6, 有效期自="1949-10-01"),
    ]  # fmt: skip
    file = SimpleUploadedFile("存量.csv", old.table(rows), content_type="text/csv")
    seen = api.post("/api/v1/stock/files/", {"division": division.code, "file": file}, format="multipart").json()
    assert [one["line"] for one in seen["faults"]] == [3, 4, 5, 6]
    said = {"division": division.code, "digest": seen["digest"], "name": "旧证", "opens_tasks": True}
    for day in ("0001-01-01", "9999-12-31", "2026-09-29", "1949-09-30"):
        back = api.post("/api/v1/stock/", said | {"valid_on": day}, format="json")
        assert (back.status_code, back.json()["code"]) == (422, "valid-on-window"), day
    assert not StockBatch.objects.exists()
    client = sign_in(admin.username)
    preview = reverse("tasks:stock_preview", args=[division.code, seen["digest"]])
    typed = client.post(preview, {"name": "旧证", "rule": "tasks", "valid_on": "9999-12-31"})
    assert typed.status_code == 422
    assert "到今天之间" in typed.content.decode()
    assert api.post("/api/v1/stock/", said | {"valid_on": "2026-09-28"}, format="json").status_code == 201


def test_a_first_day_is_within_a_year(city: None, clock: Moment, sign_in: SignIn) -> None:
    division = old.item().item.division
    client = sign_in(old.administrator(division).username)
    url = reverse("tasks:stock_starts")
    early = client.post(url, {"division": division.code, "acknowledge": "0001-01-01"})
    assert early.status_code == 422
    assert "最早不超过一年以前" in early.content.decode()
    assert not ClockStart.objects.exists()
    days = {"division": division.code, "acknowledge": "2026-01-01"}
    assert client.post(url, days).status_code == 302
    clock.to("2027-06-01 10:00")
    client = sign_in(old.administrator(division).username)
    assert client.post(url, days | {"feedback": "2027-06-02"}).status_code == 302  # what stands may stay


def test_a_code_known_under_another_name_is_shown_before_a_load(city: None, clock: Moment, sign_in: SignIn) -> None:
    about = old.item()
    client = sign_in(old.administrator(about.item.division).username)
    CreditSubject.objects.create(kind="organisation", name="连云港甲（食品）厂", code=old.code(1))
    CreditSubject.objects.create(kind="organisation", name="连云港乙（食品）厂", code=old.code(2))
    CreditSubject.objects.create(kind="person", name="王小明", id_number=old.person(3), id_hash="x" * 64)
    number = "统一社会信用代码或身份证号码"
    rows = [
        old.row(about, 1), old.row(about, 2, 持有人="连云港乙(食品) 厂"), old.row(about, 4),
        old.row(about, 5, **{number: old.code(4)}), old.row(about, 3, **{number: old.person(3)}, 持有人="李大明"),
    ]  # fmt: skip
    page = client.get(upload(client, old.table(rows))["Location"]).content.decode()  # type: ignore[index]
    assert "请先核对的 2 行" in page
    assert "这个代码在平台上的名称是“连云港甲（食品）厂”，表中是“连云港第1食品厂”" in page
    assert "与第 4 行的证件号码相同，持有人不同" in page
    assert "王小明" not in page
    assert "可以载入" in page
