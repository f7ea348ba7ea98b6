"""The calendar office through the doors people use: years, drafts, a publication from end to end, hours, API."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from approvals.models import Case
from deadlines import calendar as working_calendar
from deadlines.actions import cancel_deadline
from deadlines.enums import DraftOrigin, DraftStatus, EventKind, YearStatus
from deadlines.kinds import KindCode
from deadlines.models import CalendarDraft, CalendarMove, CalendarYear, Day, Deadline, WindowHours
from deadlines.tasks import run_calendar_jobs
from ledger.models import Entry
from notifications.tasks import deliver
from offices.crypto import keyed_hash
from offices.models import Department, Division, Posting, User
from offices.tokens import issue
from tests.api.conftest import problem
from tests.approvals import play
from tests.approvals.window import body, filled, text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
OFFICE = "/division/calendar/"
NOTICE = "国务院办公厅关于2027年部分节假日安排的通知（国办发明电〔2026〕9号）"
OFF = [
    ("2027-01-01", "2027-01-03", "元旦"),
    ("2027-02-05", "2027-02-12", "春节"),
    ("2027-04-03", "2027-04-05", "清明节"),
    ("2027-05-01", "2027-05-05", "劳动节"),
    ("2027-06-09", "2027-06-09", "端午节"),
    ("2027-09-15", "2027-09-15", "中秋节"),
    ("2027-10-01", "2027-10-07", "国庆节"),
]
MAKEUP = [
    ("2027-01-09", "元旦调休"),
    ("2027-01-31", "春节调休"),
    ("2027-02-20", "春节调休"),
    ("2027-09-26", "国庆节调休"),
    ("2027-10-09", "国庆节调休"),
]
CSV = "year,from,to,kind,name,notice\n" + "".join(
    [f"2027,{first},{last},off,{name},{NOTICE}\n" for first, last, name in OFF]
    + [f"2027,{day},{day},work,{name},{NOTICE}\n" for day, name in MAKEUP]
)
LONG = "建设工程规划许可证核发（建筑类）"  # 20 working days by law, 5 promised


@pytest.fixture(autouse=True)
def _own_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def admin(sign_in: SignIn, clock: Moment) -> Client:
    """The city's administrator, on a Monday in December 2026: 2027 is provisional."""
    clock.to("2026-12-21 10:00")
    return sign_in("guanliyuan1")


def work() -> None:
    """What a worker does when it is woken."""
    run_calendar_jobs()
    working_calendar.forget()


def upload(browser: Client, content: str | bytes = CSV, name: str = "2027.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return browser.post(f"{OFFICE}new/", {"file": SimpleUploadedFile(name, data)})


def typed(off: list[tuple[str, str, str]], makeup: list[tuple[str, str]], **more: str) -> dict[str, str]:
    """The form of a year as a browser sends it."""
    data = {"source": NOTICE, "off-TOTAL_FORMS": str(len(off)), "makeup-TOTAL_FORMS": str(len(makeup))}
    data |= {"off-INITIAL_FORMS": "0", "makeup-INITIAL_FORMS": "0", "act": "save"}
    for number, (first, last, name) in enumerate(off):
        data |= {f"off-{number}-first": first, f"off-{number}-last": last, f"off-{number}-name": name}
    for number, (day, name) in enumerate(makeup):
        data |= {f"makeup-{number}-day": day, f"makeup-{number}-name": name}
    return data | more


def ready(browser: Client, content: str = CSV) -> CalendarDraft:
    """A draft of 2027 with its preview."""
    assert upload(browser, content).status_code == 302
    work()
    return CalendarDraft.objects.get(status=DraftStatus.READY)


def page_of(draft: CalendarDraft) -> str:
    return f"{OFFICE}drafts/{draft.pk}/"


# --- a publication, from the window to the applicant's phone


def test_a_publication_from_the_window_to_the_applicants_phone(sign_in: SignIn, admin: Client, clock: Moment) -> None:
    """Accepted before New Year, told as provisional; the year is published; the new day, why, and the SMS."""
    clock.to("2026-12-30 10:00")
    item = play.item(LONG)
    window = sign_in("chuangkou1")
    assert window.post(f"/window/new/{item.code}/", filled(item)).status_code == 302
    case = Case.objects.get()
    promised = case.promised_deadline
    assert promised is not None
    url = f"/window/cases/{case.number}/"
    notice = case.documents.get(kind="acceptance")
    assert "2027年1月7日（周四）" in text_of(window.get(url))
    assert "2027 年的节假日安排尚未发布" in text_of(window.get(url))
    assert "2027 年的节假日安排尚未发布，到期日按周末和法定节假日暂计" in text_of(window.get(f"/papers/{notice.pk}/"))

    off = [("2027-01-01", "2027-01-04", "元旦"), *OFF[1:]]
    answer = admin.post(f"{OFFICE}new/2027/", typed(off, [*MAKEUP, ("2027-04-25", "劳动节调休")]))
    draft = CalendarDraft.objects.get()
    assert answer.headers["Location"] == page_of(draft)
    waiting = text_of(admin.get(page_of(draft)))
    assert "正在核对会变动哪些期限" in waiting
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in waiting
    assert f'hx-get="{page_of(draft)}state/"' in waiting
    assert "确认发布" not in waiting
    work()

    preview = text_of(admin.get(page_of(draft)))
    row = preview.split("<td>承诺审批期限</td>")[1].split("</tr>")[0]
    assert f"办件 {case.number}" in row
    assert re.search(r"2027年1月7日（周四）</span></td>\s*<td[^>]*><strong[^>]*>2027年1月8日（周五）", row)
    assert "推后 1 个工作日" in row
    assert case.applicant_name not in preview
    assert "涉及 1 件办件和任务" in preview
    assert "个未结期限移到新的到期日，每个期限记一次“重算”并留痕" in preview
    assert Deadline.objects.get(pk=promised.pk).due_on == dt.date(2027, 1, 7)  # a preview moves nothing

    assert admin.post(f"{page_of(draft)}publish/").headers["Location"] == page_of(draft)
    assert "正在调整期限" in text_of(admin.get(page_of(draft)))
    work()
    draft.refresh_from_db()
    done = text_of(admin.get(page_of(draft)))
    assert f"已发布：移动了 {draft.moved} 个期限，逐个留痕并告知" in done
    assert "确认发布" not in done

    shown = text_of(window.get(url))
    assert "2027年1月8日（周五）" in shown
    assert "2027 年的节假日安排尚未发布" not in shown
    moved = Deadline.objects.get(pk=promised.pk)
    event = moved.events.get(kind=EventKind.RECOMPUTE)
    assert event.get_kind_display() == "重算"
    assert (event.data["from"], event.data["to"]) == ("2027-01-07", "2027-01-08")
    assert not moved.provisional
    entries = Entry.objects.filter(stream=case.stream, act="deadline_recomputed")
    assert promised.pk in {entry.data["deadline"] for entry in entries}
    assert {entry.label for entry in entries} == {"期限重算"}

    deliver()
    phone = Client().get(f"/demo/phone/{keyed_hash('10000990001')}/")
    told = f"（{case.number}）因2027年节假日安排发布，作出决定的日期由2027年1月7日改为2027年1月8日。"
    assert told in text_of(phone)


def test_the_year_tells_its_versions_and_what_they_moved(admin: Client, client: Client, clock: Moment) -> None:
    play.accepted(clock.at, play.item(LONG))
    draft = ready(admin)
    before = text_of(admin.get(f"{OFFICE}2027/"))
    assert "这一年的安排是暂定的" in before
    assert "未办结的草稿" in before
    admin.post(f"{page_of(draft)}publish/")
    work()
    after = text_of(admin.get(f"{OFFICE}2027/"))
    assert "这一年的安排是暂定的" not in after
    assert "第 2 版" in after
    assert NOTICE in after
    assert "移动了 1 个期限" in after
    assert "曹舟荣" in after
    assert '<td class="is-makeup"' in after
    public = text_of(client.get("/calendar/2027/"))
    assert "第 2 版" in public
    assert NOTICE in public
    assert "移动了 1 个期限" in public
    assert page_of(draft) not in public
    assert not [name for name in User.objects.values_list("full_name", flat=True) if name in public]


# --- years


def test_a_year_says_of_every_day_what_it_is(admin: Client) -> None:
    text = text_of(admin.get(f"{OFFICE}2026/"))
    days = re.findall(r'<td class="is-(\w+)[^"]*" title="([^"]*)"', text)
    assert len(days) == 365
    assert [kind for kind, _ in days].count("makeup") == Day.objects.filter(day__year=2026, kind="makeup").count()
    assert ("holiday", "国庆节，放假") in days
    assert ("makeup", "国庆节调休，上班") in days
    assert text.count("<caption>") == 13
    assert 'aria-current="date"' in text
    for word in ("工作日", "周末", "放假", "调休上班"):
        assert f"{word}</li>" in text
    assert "1 日至 7 日 国庆节，放假 7 天" in text
    assert "工作日 <span" in text


def test_a_year_that_nobody_loaded_says_so_and_guesses_nothing(admin: Client, client: Client) -> None:
    text = text_of(admin.get(f"{OFFICE}2031/"))
    assert "这一年还没有载入" in text
    assert '<td class="is-' not in text
    assert admin.get(f"{OFFICE}1999/").status_code == 404
    assert client.get("/calendar/2031/").status_code == 404
    Day.objects.all().delete()
    CalendarYear.objects.all().delete()
    working_calendar.forget()
    assert "还没有载入任何一年的工作日历" in text_of(admin.get(OFFICE))
    public = text_of(client.get("/calendar/"))
    assert "2026 年的工作日历还没有发布" in public
    assert "元旦放假（暂定）" in public


def test_in_a_year_that_nobody_loaded_the_public_page_says_so_and_shows_the_newest(
    city: None, client: Client, clock: Moment
) -> None:
    clock.to("2028-01-04 10:00")
    text = text_of(client.get("/calendar/"))
    assert "2028 年的工作日历还没有发布" in text
    assert text.count("（暂定）") >= 14
    assert "2027 年 <span" in text
    assert "没有载入 2028 年的工作日历" in text_of(client.get("/calendar/", {"day": "2028-01-05"}))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-10-10", "2026年10月10日（周六）是工作日：国庆节调休，上班"),
        ("2026-10-03", "2026年10月3日（周六）不是工作日：国庆节，放假"),
        ("2026-10-03", "之后的第一个工作日是2026年10月8日（周四）"),
        ("2026-12-26", "2026年12月26日（周六）不是工作日：周末"),
        ("2027-01-04", "这是按周末和法定节假日的暂定答案"),
        ("2040-01-04", "没有载入 2040 年的工作日历，不能回答"),
        ("2004-01-04", "没有载入 2004 年的工作日历，不能回答"),
        ("下周六", "日期没有看懂"),
    ],
)
def test_everybody_may_ask_of_a_day(sign_in: SignIn, client: Client, clock: Moment, day: str, words: str) -> None:
    clock.to("2026-12-21 10:00")
    assert words in text_of(sign_in("chuangkou1").get(OFFICE, {"day": day}))
    assert words in text_of(client.get("/calendar/", {"day": day}))


def test_the_coming_fortnight_stands_on_the_page(sign_in: SignIn, clock: Moment) -> None:
    clock.to("2026-09-25 10:00")
    text = text_of(sign_in("chuangkou1").get(OFFICE))
    fortnight = re.findall(r'<li class="is-(\w+)"[^>]*><time[^>]*datetime="([\d-]+)"', text)
    assert len(fortnight) == 14
    assert fortnight[0] == ("holiday", "2026-09-25")
    assert ("workday", "2026-09-28") in fortnight
    assert ("holiday", "2026-10-01") in fortnight


def test_a_year_is_exported_in_the_columns_of_an_import(admin: Client) -> None:
    answer = admin.get(f"{OFFICE}2026/holidays.csv")
    content = body(answer)
    assert content.decode("utf-8-sig").splitlines()[0] == "year,from,to,kind,name,notice"
    again = upload(admin, content, "2026.csv")
    assert again.status_code == 422
    assert "与现行工作日历一致" in text_of(again)
    assert not CalendarDraft.objects.exists()


# --- ways in


def test_json_of_several_years_makes_a_draft_each_and_passes_over_what_stands(admin: Client) -> None:
    days = [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-09", "isOffDay": False},
    ]
    content = [
        {"year": 2027, "papers": ["https://www.gov.cn/2027.htm"], "days": days},
        {"year": 2028, "papers": [], "days": [{"name": "元旦", "date": "2028-01-03", "isOffDay": True}]},
    ]
    answer = upload(admin, json.dumps(content), "holiday-cn.json")
    assert answer.headers["Location"] == f"{OFFICE}drafts/"
    drafts = {draft.year: draft for draft in CalendarDraft.objects.all()}
    assert set(drafts) == {2027, 2028}
    assert drafts[2027].origin == DraftOrigin.JSON
    assert drafts[2027].source == "https://www.gov.cn/2027.htm"
    listed = text_of(admin.get(f"{OFFICE}drafts/"))
    assert "2027 年" in listed
    assert "2028 年" in listed
    assert "JSON 导入" in listed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "空的"),
        ("year,from\n2027,x", "表头应为"),
        (CSV.replace("2027-02-05,2027-02-12", "2027-02-12,2027-02-05"), "第 3 行"),
        (CSV.replace("2027-02-05,", "2027-2-31,"), "第 3 行"),
        (CSV + f"2027,2027-10-02,2027-10-02,work,国庆节调休,{NOTICE}\n", "已在前面安排过"),
        ('{"year": 2027', "JSON 写法不对"),
        (b"PK\x03\x04xlsx", "请用 Excel 另存为"),
        ("x" * 1_000_001, "1 MB"),
    ],
)
def test_a_file_that_will_not_do_is_told_beside_the_field(admin: Client, content: str | bytes, said: str) -> None:
    answer = upload(admin, content)
    text = text_of(answer)
    assert answer.status_code == 422
    assert said in text.split('id="id_file_error"')[1].split("</p>")[0]
    assert not CalendarDraft.objects.exists()


def test_no_file_at_all_is_told(admin: Client) -> None:
    answer = admin.post(f"{OFFICE}new/")
    assert answer.status_code == 422
    assert "请选择节假日安排文件" in text_of(answer)


def test_a_year_is_typed_and_nothing_typed_is_lost(admin: Client) -> None:
    wrong = [("2027-01-01", "2027-01-03", "元旦"), ("2027-02-12", "2027-02-05", "春节"), ("", "", "")]
    answer = admin.post(f"{OFFICE}new/2027/", typed(wrong, [("2027-01-04", "元旦调休")]))
    text = text_of(answer)
    assert answer.status_code == 422
    assert "起止日期颠倒" in text.split('id="id_off-1-first_error"')[1].split("</p>")[0]
    assert 'href="#id_off-1-first">放假第 2 段第一天</a>' in text
    for value in (NOTICE, "2027-01-01", "2027-02-12", "元旦调休"):
        assert f'value="{value}"' in text
    right = [wrong[0], ("", "", ""), ("2027-02-05", "2027-02-12", "春节")]
    answer = admin.post(f"{OFFICE}new/2027/", typed(right, [("2027-01-04", "元旦调休")]))
    assert "本来就是工作日" in text_of(answer).split('id="id_makeup-0-day_error"')[1].split("</p>")[0]
    answer = admin.post(f"{OFFICE}new/2027/", typed(right, [("2027-01-09", "元旦调休"), ("", "")]))
    assert answer.status_code == 302
    draft = CalendarDraft.objects.get()
    assert draft.origin == DraftOrigin.TYPED
    assert len(draft.off) == 11
    assert draft.makeup == {"2027-01-09": "元旦调休"}


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"source": ""}, "id_source_error", "请填写国务院办公厅通知"),
        ({"source": "字" * 201}, "id_source_error", "200"),
        ({"off-0-last": ""}, "id_off-0-last_error", "请填写最后一天"),
        ({"off-0-first": "元旦"}, "id_off-0-first_error", "不是有效日期"),
        ({"off-0-name": "字" * 41}, "id_off-0-name_error", "40"),
        ({"off-0-first": "2026-12-31"}, "id_off-0-first_error", "不在 2027 年内"),
        ({"makeup-0-day": "2027-01-03"}, "id_makeup-0-day_error", "已在前面安排过"),
        ({"makeup-0-name": ""}, "id_makeup-0-name_error", "请填写名称"),
    ],
)
def test_what_is_wrong_with_a_row_stands_beside_it(
    admin: Client, changes: dict[str, str], place: str, said: str
) -> None:
    answer = admin.post(f"{OFFICE}new/2027/", typed(OFF, MAKEUP, **changes))
    assert answer.status_code == 422
    assert said in text_of(answer).split(f'id="{place}"')[1].split("</p>")[0]
    assert not CalendarDraft.objects.exists()


def test_a_year_without_a_day_off_and_a_broken_table_are_told_above(admin: Client) -> None:
    answer = admin.post(f"{OFFICE}new/2027/", typed([], []))
    assert answer.status_code == 422
    assert "没有一天放假" in text_of(answer)
    answer = admin.post(f"{OFFICE}new/2027/", {"source": NOTICE, "act": "save"})
    assert answer.status_code == 422
    assert "表格不完整" in text_of(answer)
    many = typed([("2027-01-01", "2027-01-01", "元旦")] * 70, [])
    assert admin.post(f"{OFFICE}new/2027/", many).status_code == 422


def test_rows_can_be_added_without_a_script(admin: Client) -> None:
    data = typed([("2027-01-01", "", "元旦")], [("2027-01-09", "")], act="off")
    answer = admin.post(f"{OFFICE}new/2027/", data)
    text = text_of(answer)
    assert answer.status_code == 200
    assert 'name="off-TOTAL_FORMS" value="5"' in text
    assert 'name="makeup-TOTAL_FORMS" value="1"' in text
    assert 'value="2027-01-01"' in text
    assert 'value="2027-01-09"' in text
    assert "field-error" not in text  # nothing is judged before it is sent


def test_a_typed_year_can_be_seen_as_a_year_first(admin: Client) -> None:
    text = text_of(admin.post(f"{OFFICE}new/2027/", typed(OFF, MAKEUP, act="show")))
    assert len(re.findall(r'<td class="is-', text)) == 365
    assert "全年工作日" in text
    assert 'value="2027-10-09"' in text
    assert not CalendarDraft.objects.exists()


def test_public_data_and_the_year_as_it_stands_fill_the_form_in(admin: Client) -> None:
    package = text_of(admin.get(f"{OFFICE}new/2026/", {"from": "package"}))
    assert "以下是公开软件包所载的安排" in package
    assert 'value="国庆节"' in package
    assert 'name="source" value' not in package
    held = text_of(admin.get(f"{OFFICE}new/2026/", {"from": "held"}))
    assert 'value="2026-10-10"' in held
    assert 'value="国务院办公厅关于2026年部分节假日安排的通知"' in held
    assert "按公开数据预填" not in text_of(admin.get(f"{OFFICE}new/2027/"))
    assert 'value="20' not in text_of(admin.get(f"{OFFICE}new/2027/", {"from": "nowhere"}))


def test_a_provisional_year_is_proposed_by_the_law_alone(admin: Client, client: Client) -> None:
    ways = text_of(admin.get(f"{OFFICE}new/", {"year": "2028"}))
    assert "起草为暂定年份" in ways
    admin.post(f"{OFFICE}new/2028/provisional/")
    draft = CalendarDraft.objects.get(year=2028)
    assert (draft.year_status, draft.origin) == (YearStatus.PROVISIONAL, DraftOrigin.STATUTORY)
    work()
    assert "请再核对的地方" not in text_of(admin.get(page_of(draft)))
    admin.post(f"{page_of(draft)}publish/")
    work()
    assert "这一年的安排是暂定的" in text_of(client.get("/calendar/2028/"))
    again = admin.post(f"{OFFICE}new/2028/provisional/")
    assert again.status_code == 422
    assert "与现行工作日历一致" in text_of(again)
    assert "起草为暂定年份" not in text_of(admin.get(f"{OFFICE}new/", {"year": "2026"}))
    refused = admin.post(f"{OFFICE}new/2026/provisional/")
    assert refused.status_code == 422
    assert "已有正式安排" in text_of(refused)


# --- the preview, publishing, giving up


def test_doubts_must_be_ticked_as_read(admin: Client) -> None:
    admin.post(f"{OFFICE}new/2027/", typed(OFF[:2], MAKEUP[:1]))
    work()
    draft = CalendarDraft.objects.get()
    assert len(draft.doubts) > 2
    text = text_of(admin.get(page_of(draft)))
    assert text.count('name="read"') == len(draft.doubts)
    some = admin.post(f"{page_of(draft)}publish/", {"read": ["0", "1"]})
    assert some.status_code == 422
    assert "请逐条核对并勾选" in text_of(some)
    assert text_of(some).count(" checked") == 2
    assert CalendarYear.objects.get(year=2027).version == 1
    every = [str(number) for number in range(len(draft.doubts))]
    assert admin.post(f"{page_of(draft)}publish/", {"read": every}).status_code == 302
    assert CalendarYear.objects.get(year=2027).status == YearStatus.OFFICIAL


def test_a_stale_preview_is_said_so_and_made_anew(admin: Client, sign_in: SignIn, clock: Moment) -> None:
    draft = ready(admin)
    CalendarYear.objects.filter(year=2027).update(version=5)
    text = text_of(admin.get(page_of(draft)))
    assert "预览已经过时" in text
    assert "确认发布" not in text
    late = admin.post(f"{page_of(draft)}publish/")
    assert late.status_code == 409
    assert "重新预览" in text_of(late)
    assert page_of(draft) in text_of(late)
    assert admin.post(f"{page_of(draft)}again/").status_code == 302
    work()
    fresh = text_of(admin.get(page_of(draft)))
    assert "预览已经过时" not in fresh
    assert "第 6 版" in fresh
    assert admin.post(f"{page_of(draft)}publish/").status_code == 302


def test_a_draft_is_given_up_and_the_year_stays(admin: Client) -> None:
    draft = ready(admin)
    text = text_of(admin.get(page_of(draft)))
    assert "这份草稿和它的预览作废，现行工作日历不变" in text
    assert admin.post(f"{page_of(draft)}discard/").status_code == 302
    assert "已作废" in text_of(admin.get(page_of(draft)))
    assert CalendarYear.objects.get(year=2027).version == 1
    for act in ("discard", "publish", "again"):
        assert admin.post(f"{page_of(draft)}{act}/").status_code == 409
    assert upload(admin).status_code == 302


def test_of_two_administrators_the_second_is_told_kindly(admin: Client, sign_in: SignIn) -> None:
    draft = ready(admin)
    other = Client()
    person = User.objects.create_user("shizhengwu2", full_name="第二位管理员")
    department = Department.objects.filter(division__level="city")[0]
    Posting.objects.create(user=person, department=department, role="division_admin", starts_on="2026-01-01")
    other.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    assert "确认发布" in text_of(other.get(page_of(draft)))
    busy = upload(other)
    assert busy.status_code == 409
    assert "已有一份未办结的草稿" in text_of(busy)
    assert other.post(f"{OFFICE}new/2027/", typed(OFF, MAKEUP)).status_code == 409
    assert "这一年已有一份未办结的草稿" in text_of(other.get(f"{OFFICE}new/", {"year": "2027"}))
    assert admin.post(f"{page_of(draft)}publish/").status_code == 302
    late = other.post(f"{page_of(draft)}publish/")
    assert late.status_code == 409
    assert "同事已先一步办理" in text_of(late)
    work()
    assert CalendarYear.objects.get(year=2027).version == 2


def test_publishing_before_the_preview_is_complete_is_a_conflict(admin: Client) -> None:
    upload(admin)
    draft = CalendarDraft.objects.get()
    late = admin.post(f"{page_of(draft)}publish/")
    assert late.status_code == 409
    assert "预览还没有完成" in text_of(late)


def test_the_state_alone_is_asked_for_until_the_worker_is_done(admin: Client, client: Client) -> None:
    upload(admin)
    draft = CalendarDraft.objects.get()
    busy = admin.get(f"{page_of(draft)}state/")
    assert "<progress" in text_of(busy)
    assert "<html" not in text_of(busy)
    assert "HX-Refresh" not in busy.headers
    work()
    assert admin.get(f"{page_of(draft)}state/").headers["HX-Refresh"] == "true"
    # whoever was signed out meanwhile gets no sign-in page inside the page
    assert client.get(f"{page_of(draft)}state/").headers["HX-Refresh"] == "true"
    assert text_of(client.get(f"{page_of(draft)}state/")) == ""


@pytest.fixture
def moving(admin: Client, clock: Moment) -> CalendarDraft:
    """A draft that moves a statutory clock back, and a promised and a stage clock forth."""
    play.accepted(clock.at, play.item(LONG))
    play.accepted(clock.to("2026-12-30 10:00"), play.item(LONG))
    later = CSV.replace("2027-01-01,2027-01-03", "2027-01-01,2027-01-05").replace("2027-01-09", "2027-01-10")
    return ready(admin, later)


def test_the_moves_are_searched_filtered_and_exported(admin: Client, moving: CalendarDraft) -> None:
    first, second = Case.objects.order_by("pk")
    moves = {move.deadline_id: move for move in CalendarMove.objects.all()}
    assert moves
    page = page_of(moving)
    everything = text_of(admin.get(page))
    assert f'其中 <strong class="num">{len(moves)}</strong> 个' in everything
    found = text_of(admin.get(page, {"q": f" {second.number.lower()} "}))
    assert second.number in found
    assert first.number not in found
    assert "没有符合条件的期限" in text_of(admin.get(page, {"q": "320700"}))
    promised = text_of(admin.get(page, {"kind": KindCode.DECISION_PROMISED}))
    rows = [move for move in moves.values() if move.deadline.kind == KindCode.DECISION_PROMISED]
    assert promised.count('<td data-label="属于">') == len(rows) > 0
    for direction, count in (
        ("later", sum(move.after > move.before for move in moves.values())),
        ("earlier", sum(move.after < move.before for move in moves.values())),
    ):
        assert text_of(admin.get(page, {"direction": direction})).count('<td data-label="属于">') == count
    assert text_of(admin.get(page, {"kind": "nonsense"})).count('<td data-label="属于">') == len(moves)
    table = admin.get(f"{page}moves.csv", {"kind": KindCode.DECISION_PROMISED})
    lines = body(table).decode("utf-8-sig").splitlines()
    assert quote("2027年安排-变动的期限") in table.headers["Content-Disposition"]
    assert lines[0].startswith("期限种类,事项,编号,原到期日,新到期日")
    assert len(lines) == 1 + len(rows)
    assert "推后" in lines[1]


def test_an_overseer_follows_a_clock_to_its_case(sign_in: SignIn, moving: CalendarDraft) -> None:
    text = text_of(sign_in("duban1").get(page_of(moving)))
    case = Case.objects.order_by("pk")[0]
    assert re.search(rf'<a class="row-title" href="/oversight/[^"]*{case.number}/"', text)
    assert "确认发布" not in text
    assert "确认作废" not in text
    assert "重新预览" not in text


def test_pages_of_moves_are_turned_by_keyset(admin: Client, clock: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        play.accepted(clock.at, play.item(LONG))
    draft = ready(admin)
    monkeypatch.setattr("offices.keyset.Keyset.__init__.__defaults__", (2,))
    first = text_of(admin.get(page_of(draft)))
    following = re.search(r'href="([^"]*page=[^"]*)" rel="next"|rel="next" href="([^"]*)"', first)
    assert following
    second = text_of(admin.get((following.group(1) or following.group(2)).replace("&amp;", "&")))
    seen = [re.findall(r"办件 (\w+)</small>", text) for text in (first, second)]
    assert [len(rows) for rows in seen] == [2, 1]
    assert len(set(seen[0] + seen[1])) == 3


def test_what_really_moved_is_told_apart_from_what_was_foreseen(admin: Client, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(LONG))
    gone = play.accepted(clock.at, play.item(LONG))
    draft = ready(admin)
    assert draft.moving == 2
    assert gone.statutory_deadline is not None
    cancel_deadline(gone.statutory_deadline, at=clock.at, reason="withdrawn")
    admin.post(f"{page_of(draft)}publish/")
    work()
    text = text_of(admin.get(page_of(draft)))
    assert "移动了 1 个期限（预览时为 2 个" in text
    done = text_of(admin.get(page_of(draft), {"tab": "done"}))
    assert case.number in done
    assert gone.number not in done
    left = text_of(admin.get(page_of(draft), {"tab": "not"}))
    assert gone.number in left
    assert "未调整" in left


# --- who may


ROLES = {
    "guanliyuan1": "publishes",
    "duban1": "previews",
    "donghai.guanliyuan1": "reads",
    "donghai.duban1": "reads",
    "chuangkou1": "reads",
    "jijian1": "reads",
    "zhujian.shenchaa": "reads",
    "zhujian.chushi2": "reads",
}


@pytest.mark.parametrize(("username", "right"), ROLES.items())
def test_each_role_finds_what_is_its_own(
    admin: Client, sign_in: SignIn, moving: CalendarDraft, username: str, right: str
) -> None:
    browser = sign_in(username)
    for url in (OFFICE, f"{OFFICE}2026/", f"{OFFICE}2027/", f"{OFFICE}hours/", f"{OFFICE}2026/holidays.csv"):
        assert browser.get(url).status_code == 200, url
    previews = [f"{OFFICE}drafts/", page_of(moving), f"{page_of(moving)}state/", f"{page_of(moving)}moves.csv"]
    for url in previews:
        assert browser.get(url).status_code == (404 if right == "reads" else 200), url
    home = text_of(browser.get(OFFICE))
    assert ("年度安排草稿" in home) is (right != "reads")
    assert ("起草年度安排" in home) is (right == "publishes")
    assert "<span>工作日历</span>" in home
    if right == "publishes":
        return
    for url in (f"{OFFICE}new/", f"{OFFICE}new/2027/"):
        assert browser.get(url).status_code == 404, url
    acts = [f"{page_of(moving)}{act}/" for act in ("publish", "again", "discard")]
    for url in (*acts, f"{OFFICE}new/", f"{OFFICE}new/2027/", f"{OFFICE}new/2028/provisional/"):
        assert browser.post(url, {}).status_code == 404, url
    moving.refresh_from_db()
    assert moving.status == DraftStatus.READY
    assert CalendarDraft.objects.count() == 1


def test_strangers_sign_in_first(client: Client, moving: CalendarDraft) -> None:
    for url in (OFFICE, f"{OFFICE}2026/", page_of(moving), f"{OFFICE}new/", f"{OFFICE}hours/"):
        assert client.get(url).headers["Location"].startswith("/login/"), url
    for url in (f"{page_of(moving)}publish/", f"{OFFICE}new/"):
        assert client.post(url).headers["Location"].startswith("/login/"), url


def test_an_act_takes_a_post_and_an_unknown_draft_is_not_found(admin: Client) -> None:
    for act in ("publish", "again", "discard"):
        assert admin.get(f"{OFFICE}drafts/1/{act}/").status_code == 405
        assert admin.post(f"{OFFICE}drafts/999/{act}/").status_code == 404
    assert admin.get(f"{OFFICE}drafts/999/").status_code == 404
    assert admin.get(f"{OFFICE}new/1999/").status_code == 404
    assert admin.post(f"{OFFICE}new/1999/provisional/").status_code == 404


# --- the standing warning


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-10-31 10:00", ""),
        ("2026-11-01 10:00", "距 1 月 1 日还有 61 天"),
        ("2026-12-31 10:00", "距 1 月 1 日还有 1 天"),
        ("2027-01-04 10:00", "这一年已经开始"),
    ],
)
def test_from_november_on_every_page_of_the_office_says_what_is_missing(
    sign_in: SignIn, clock: Moment, moment: str, said: str
) -> None:
    clock.to(moment)
    browser = sign_in("guanliyuan1")
    for url in ("", "2026/", "drafts/", "new/", "new/2027/", "hours/"):
        text = text_of(browser.get(OFFICE + url))
        assert ("2027 年的工作日历还没有正式发布" in text) is bool(said), url
        assert said in text
    assert ("2027 年的工作日历还没有正式发布" in text_of(sign_in("chuangkou1").get(OFFICE))) is bool(said)


def test_the_warning_ends_with_the_publication(admin: Client) -> None:
    draft = ready(admin)
    admin.post(f"{page_of(draft)}publish/")
    assert "还没有正式发布" not in text_of(admin.get(OFFICE))


# --- window hours


def hours(**changes: str) -> dict[str, str]:
    """The form of the hours: Monday to Friday 9–12 and 13:30–17."""
    data: dict[str, str] = {}
    for weekday in range(5):
        data |= {f"d{weekday}s0_opens": "09:00", f"d{weekday}s0_closes": "12:00"}
        data |= {f"d{weekday}s1_opens": "13:30", f"d{weekday}s1_closes": "17:00"}
    return data | {"act": "save"} | changes


def test_an_administrator_keeps_the_hours_of_the_own_division(sign_in: SignIn, client: Client, clock: Moment) -> None:
    browser = sign_in("donghai.guanliyuan1")
    answer = browser.post(f"{OFFICE}hours/", hours(d5s0_opens="09:00", d5s0_closes="12:00"), follow=True)
    assert "窗口服务时间已保存" in text_of(answer)
    division = Division.objects.get(name="东海县")
    assert WindowHours.objects.filter(division=division).count() == 11
    told = "周一至周五 9:00–12:00、13:30–17:00；周六 9:00–12:00"
    for url in ("/calendar/", "/help/"):
        text = text_of(client.get(url))
        assert told in text, url
        assert "东海县" in text
        assert "办理期限按工作日历计算，不因窗口时间的早晚而改变" in text
    entry = Entry.objects.get(stream=f"window_hours:{division.pk}")
    assert entry.actor == User.objects.get(username="donghai.guanliyuan1")
    shown = text_of(browser.get(f"{OFFICE}hours/"))
    assert 'value="13:30"' in shown
    assert "周一的" not in shown


def test_the_hours_of_another_division_are_not_found(sign_in: SignIn, clock: Moment) -> None:
    held = list(WindowHours.objects.values_list("pk", flat=True))
    browser = sign_in("donghai.guanliyuan1")
    assert browser.post(f"{OFFICE}hours/", hours(division="320700")).status_code == 404
    assert browser.get(f"{OFFICE}hours/", {"division": "320700"}).status_code == 404
    clerk = sign_in("chuangkou1")
    assert clerk.post(f"{OFFICE}hours/", hours()).status_code == 404
    assert "保存" not in text_of(clerk.get(f"{OFFICE}hours/"))
    assert list(WindowHours.objects.values_list("pk", flat=True)) == held


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"d0s0_closes": "08:00"}, "d0s0_closes", "结束时间应晚于开始时间"),
        ({"d0s0_closes": ""}, "d0s0_closes", "开始和结束时间都要填写"),
        ({"d0s1_opens": ""}, "d0s1_opens", "开始和结束时间都要填写"),
        ({"d0s1_opens": "11:00"}, "d0s1_opens", "与前一段时间重叠"),
        ({"d6s0_opens": "上午"}, "d6s0_opens", "请按 09:00 的样子填写"),
    ],
)
def test_hours_that_make_no_sense_are_told_beside_the_field(
    sign_in: SignIn, clock: Moment, changes: dict[str, str], place: str, said: str
) -> None:
    before = list(WindowHours.objects.values_list("pk", flat=True))
    answer = sign_in("guanliyuan1").post(f"{OFFICE}hours/", hours(**changes))
    text = text_of(answer)
    assert answer.status_code == 422
    assert said in text.split(f'id="id_{place}_error"')[1].split("</p>")[0]
    assert text.count('value="13:30"') >= 4
    assert list(WindowHours.objects.values_list("pk", flat=True)) == before


def test_monday_is_copied_without_a_script_and_not_saved(sign_in: SignIn, clock: Moment) -> None:
    before = list(WindowHours.objects.values_list("pk", flat=True))
    answer = sign_in("guanliyuan1").post(
        f"{OFFICE}hours/", {"act": "copy", "d0s0_opens": "08:45", "d0s0_closes": "11:45"}
    )
    text = text_of(answer)
    assert answer.status_code == 200
    assert text.count('value="08:45"') == 5
    assert "还没有保存" in text
    assert list(WindowHours.objects.values_list("pk", flat=True)) == before


def test_hours_never_move_a_clock(sign_in: SignIn, clock: Moment) -> None:
    deadline = play.accepted(clock.at, play.item(LONG)).statutory_deadline
    assert deadline is not None
    sign_in("guanliyuan1").post(f"{OFFICE}hours/", {"act": "save", "d6s0_opens": "09:00", "d6s0_closes": "10:00"})
    assert WindowHours.objects.filter(division__level="city").count() == 1
    assert Deadline.objects.get(pk=deadline.pk).due_on == deadline.due_on


# --- constant statements


def _statements(browser: Client, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


def test_a_longer_list_takes_no_more_statements(admin: Client, sign_in: SignIn, clock: Moment) -> None:
    play.accepted(clock.at, play.item(LONG))
    overseer = sign_in("duban1")
    draft = ready(admin)
    counts = {url: _statements(overseer, url) for url in (page_of(draft), f"{OFFICE}drafts/", OFFICE)}
    api = _api("guanliyuan1")
    with CaptureQueriesContext(connection) as few:
        api.get(f"/api/v1/calendar/drafts/{draft.pk}/moves/")
    admin.post(f"{page_of(draft)}discard/")
    for _ in range(5):
        play.accepted(clock.at, play.item(LONG))
    longer = ready(admin)
    assert longer.moving == 6
    assert _statements(overseer, page_of(longer)) == counts[page_of(draft)]
    assert _statements(overseer, f"{OFFICE}drafts/") == counts[f"{OFFICE}drafts/"]
    assert _statements(overseer, OFFICE) == counts[OFFICE]
    with CaptureQueriesContext(connection) as many:
        assert len(api.get(f"/api/v1/calendar/drafts/{longer.pk}/moves/").json()["results"]) == 6
    assert len(many) == len(few)


# --- the API


def _api(username: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(username)).token}")
    return client


@pytest.fixture
def api(admin: Client) -> APIClient:
    """The city's administrator, with a token."""
    return _api("guanliyuan1")


DRAFTS = "/api/v1/calendar/drafts/"
BODY = {
    "year": 2027,
    "source": NOTICE,
    "off": [{"first": first, "last": last, "name": name} for first, last, name in OFF],
    "makeup": [{"day": day, "name": name} for day, name in MAKEUP],
}


def test_the_years_are_listed_for_everybody(city: None, clock: Moment) -> None:
    rows = APIClient().get("/api/v1/calendar/").json()
    assert [row["year"] for row in rows] == [2027, 2026, 2025]
    assert [row["status"] for row in rows] == ["provisional", "official", "official"]
    assert (rows[1]["working_days"], rows[1]["makeup_days"]) == (248, 6)
    whole = APIClient().get("/api/v1/calendar/2026/").json()
    assert sum(day["is_working"] for day in whole["days"]) == 248


@pytest.mark.parametrize("way", [BODY, {"content": CSV, "file_name": "2027.csv"}, {"year": 2028, "provisional": True}])
def test_a_year_is_proposed_previewed_and_published_by_the_api(
    api: APIClient, clock: Moment, way: dict[str, Any]
) -> None:
    case = play.accepted(clock.at, play.item(LONG))
    answer = api.post(DRAFTS, way, format="json")
    assert answer.status_code == 201, answer.json()
    (made,) = answer.json()["results"]
    assert made["status"] == "checking"
    one = f"{DRAFTS}{made['id']}/"
    problem(api.post(f"{one}publication/", {}, format="json"), 409, "state-conflict")
    work()
    found = api.get(one).json()
    assert (found["status"], found["percent"], found["stale"]) == ("ready", 100, False)
    moves = api.get(f"{one}moves/").json()["results"]
    assert len(moves) == found["moving"] == (1 if made["year"] == 2027 else 0)
    if moves:
        assert moves[0]["number"] == f"办件 {case.number}"
        assert (moves[0]["before"], moves[0]["after"]) == ("2027-01-19", "2027-01-18")
        assert moves[0]["text"] == "提前 1 个工作日"
        assert moves[0]["applied_at"] is None
        assert api.get(f"{one}moves/", {"q": case.number}).json()["results"] == moves
        assert api.get(f"{one}moves/", {"direction": "later"}).json()["results"] == []
        assert api.get(f"{one}moves/", {"kind": "decision_promised"}).json()["results"] == []
    published = api.post(f"{one}publication/", {}, format="json")
    assert published.json()["status"] == "applying"
    work()
    done = api.get(one).json()
    assert (done["status"], done["moved"]) == ("applied", found["moving"])
    assert all(move["applied_at"] for move in api.get(f"{one}moves/").json()["results"])
    problem(api.post(f"{one}publication/", {}, format="json"), 409, "state-conflict")
    problem(api.delete(one), 409, "state-conflict")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"content": "x"}, "invalid", ""),
        ({"off": None}, "invalid", "off"),
        ({"source": ""}, "invalid", "source"),
        ({"year": 1999}, "invalid", "year"),
        ({"off": [{"first": "2027-01-01", "last": "x", "name": "元旦"}]}, "invalid", "off.0.last"),
        ({"off": [{"first": "2027-01-03", "last": "2027-01-01", "name": "元旦"}]}, "notice-invalid", "off.0.first"),
        ({"makeup": [{"day": "2027-01-04", "name": "元旦调休"}]}, "notice-invalid", "makeup.0.day"),
        ({"off": []}, "notice-invalid", ""),
    ],
)
def test_a_proposal_at_fault_is_told_by_field(api: APIClient, changes: dict[str, Any], code: str, field: str) -> None:
    told = problem(api.post(DRAFTS, BODY | changes, format="json"), 422, code)
    assert field in [row["field"] for row in told.get("errors", [{"field": ""}])]
    assert not CalendarDraft.objects.exists()


def test_a_file_at_fault_names_its_line_in_the_api_too(api: APIClient) -> None:
    broken = {"content": CSV.replace("2027-02-05,2027-02-12", "2027-02-12,2027-02-05"), "file_name": "甲.csv"}
    told = problem(api.post(DRAFTS, broken, format="json"), 422, "notice-invalid")
    assert "甲.csv 第 3 行" in told["detail"]
    assert told["errors"][0]["field"] == "content"
    problem(api.post(DRAFTS, {}, format="json"), 422, "invalid")
    problem(api.post(DRAFTS, {"provisional": True}, format="json"), 422, "invalid")
    problem(api.post(DRAFTS, {"year": 2026, "provisional": True}, format="json"), 422, "notice-invalid")


def test_doubts_conflicts_and_discarding_in_the_api(api: APIClient) -> None:
    (made,) = api.post(DRAFTS, BODY | {"makeup": []}, format="json").json()["results"]
    one = f"{DRAFTS}{made['id']}/"
    assert made["doubts"]
    problem(api.post(DRAFTS, BODY, format="json"), 409, "state-conflict")
    work()
    problem(api.post(f"{one}publication/", {}, format="json"), 422, "doubts-unread")
    CalendarYear.objects.filter(year=2027).update(version=7)
    assert api.get(one).json()["stale"] is True
    problem(api.post(f"{one}publication/", {"doubts_read": True}, format="json"), 409, "state-conflict")
    assert api.post(f"{one}check/").json()["status"] == "checking"
    assert [row["id"] for row in api.get(DRAFTS).json()["results"]] == [made["id"]]
    assert api.delete(one).status_code == 204
    assert api.get(one).json()["status"] == "discarded"
    problem(api.delete(one), 409, "state-conflict")


@pytest.mark.parametrize("username", [name for name in ROLES if name != "guanliyuan1"])
def test_to_everybody_else_the_drafts_of_the_api_do_not_exist(moving: CalendarDraft, username: str) -> None:
    api = _api(username)
    one = f"{DRAFTS}{moving.pk}/"
    entries = Entry.objects.count()
    for url in (DRAFTS, one, f"{one}moves/"):
        problem(api.get(url), 404, "not-found")
    for url in (DRAFTS, f"{one}publication/", f"{one}check/"):
        problem(api.post(url, {}, format="json"), 404, "not-found")
    problem(api.delete(one), 404, "not-found")
    assert Entry.objects.count() == entries
    problem(_api("guanliyuan1").get(f"{DRAFTS}999/"), 404, "not-found")
