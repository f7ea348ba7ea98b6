"""Progress: number and query code open a reading and nothing else; nobody is named, nobody can guess."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from stdnum.iso7064 import mod_37_36

from approvals import limiter
from approvals.actions import complete_case, deliver, refuse_acceptance, request_correction
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.actions.intake import deem_accepted, required_points
from approvals.models import Case
from approvals.numbers import case_number, read_case_number
from catalogue.models import BusinessItem
from credit.models import CreditSubject
from offices.models import Posting, User
from oversight.demo.weighing import advise
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
URL = "/progress/"


@pytest.fixture(autouse=True)
def _fresh_windows() -> None:
    cache.clear()


def ask(client: Client, number: str, code: str, **extra: str) -> tuple[int, str]:
    """Ask as the form does; return status and page."""
    response = client.post(URL, {"number": number, "code": code}, **extra)  # type: ignore[arg-type]
    return response.status_code, response.content.decode()


def reading(client: Client, case: Case) -> str:
    """The result page of a case."""
    status, page = ask(client, case.number, case.query_code)
    assert status == 200
    return page


def states(page: str) -> list[str]:
    """The states of the eight steps, in their order."""
    return re.findall(r'<li class="is-(\w+)"', page)


def other_code(case: Case) -> str:
    """A well-formed code that is not the case's."""
    return "22222222" if case.query_code != "22222222" else "33333333"


def without_form(page: str) -> str:
    """The page without what the visitor typed and without its token."""
    return re.sub(r'(value|name|id)="[^"]*"', "", page)


def test_a_received_case_shows_its_step_its_day_and_that_nothing_is_to_be_done(
    city: None, clock: Moment, client: Client
) -> None:
    case = play.received(clock.at)
    page = reading(client, case)
    assert states(page) == ["done", "done", "current", *["todo"] * 5]
    assert "您现在不用做什么" in page
    assert "2026年10月10日" in page, "five working days from 28 September, over the holiday"
    assert "剩 5 个工作日" in page


def test_typed_in_full_width_and_lower_case_it_is_the_same_case(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in case.number.lower())
    status, page = ask(client, f" {wide} ", " ".join(case.query_code.lower()))
    assert status == 200
    assert case.business_item.name in page


def test_an_unknown_number_and_a_wrong_code_get_the_same_answer(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at)
    status, wrong = ask(client, case.number, other_code(case))
    unknown_number = case_number("320700", clock.at)
    other_status, unknown = ask(client, unknown_number, case.query_code)
    assert (status, other_status) == (422, 422)
    assert without_form(wrong) == without_form(unknown)
    assert "办件编号或查询码不对" in wrong
    assert case.business_item.name not in wrong


def test_a_slip_in_the_number_is_told_before_anything_is_looked_up(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at)
    slipped = case.number[:-2] + ("0" if case.number[-2] != "0" else "1") + case.number[-1]
    with CaptureQueriesContext(connection) as queries:
        status, page = ask(client, slipped, case.query_code)
    assert status == 422
    assert "末位校验不符" in page
    assert f'value="{slipped}"' in page, "nothing typed is lost"
    assert len(queries) == 0


def test_a_get_with_the_code_opens_nothing_and_a_qr_code_fills_in_the_number(
    city: None, clock: Moment, client: Client
) -> None:
    case = play.received(clock.at)
    response = client.get(URL, {"number": case.number, "code": case.query_code})
    assert response["Location"] == f"{URL}?number={case.number}", "the code leaves the address bar"
    page = client.get(response["Location"]).content.decode()
    assert f'value="{case.number}"' in page
    assert case.business_item.name not in page


@pytest.mark.parametrize("step", ["received", "correction", "accepted", "approved", "completed", "delivered"])
def test_no_officer_no_phone_no_identity_number_is_on_the_page(
    city: None, clock: Moment, client: Client, step: str
) -> None:
    case = at_step(step, clock)
    page = reading(client, case)
    names = {name for name in User.objects.values_list("full_name", flat=True) if len(name) > 1}
    assert not [name for name in names if name in page]
    assert not [account for account in User.objects.values_list("username", flat=True) if account in page]
    assert case.contact_phone not in page
    assert case.contact_name not in page
    assert "no-store" in client.post(URL, {"number": case.number, "code": case.query_code})["Cache-Control"]


def at_step(step: str, clock: Moment) -> Case:
    """A case brought to ``step``."""
    if step == "correction":
        case = play.received(clock.at, complete=False)
        points = sorted(required_points(case))
        return request_correction(case, keys=points, remarks={}, by=play.person("chuangkou1"), now=clock.at)
    if step == "delivered":
        done = play.completed(clock.at)
        return deliver(done, method="counter", receiver="王某", by=play.person("chujian1"), now=clock.at)
    made: Case = getattr(play, step)(clock.at)
    return made


def test_a_person_is_masked_and_the_identity_number_is_nowhere(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at)
    number = "110101199003070011"
    person = CreditSubject.objects.create(kind="person", name="欧阳娜娜", id_number=number, id_hash="h")
    Case.objects.filter(pk=case.pk).update(applicant=person, applicant_name="欧阳娜娜")
    page = reading(client, case)
    assert "欧阳**" in page
    assert "欧阳娜娜" not in page
    assert number not in page
    assert number[-4:] not in page


def test_a_correction_names_the_day_and_every_point(city: None, clock: Moment, client: Client) -> None:
    case = at_step("correction", clock)
    page = reading(client, case)
    assert case.answer_deadline is not None
    due = case.answer_deadline.due_on
    assert f"请您在{due.year}年{due.month}月{due.day}日前补正" in page
    for point in case.correction_notice.points:
        assert point["text"] in page


def test_a_refusal_at_the_door_gives_its_reason_and_the_remedies(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at)
    clerk = play.person("chuangkou1")
    refuse_acceptance(case, ground="not_our_duty", reason="应向省级主管部门申请。", by=clerk, now=clock.at)
    page = reading(client, case)
    assert states(page) == ["done", "done", "stopped", *["skipped"] * 5]
    assert "应向省级主管部门申请。" in page
    assert "行政复议" in page


def test_the_whole_line_moves_to_the_hand_over_and_on_to_supervision(city: None, clock: Moment, client: Client) -> None:
    case = play.accepted(clock.at)
    assert states(reading(client, case)) == ["done"] * 3 + ["current"] + ["todo"] * 4
    case = play.approved(clock.at, play.item("固定资产投资项目节能审查"))
    assert states(reading(client, case)) == ["done"] * 5 + ["current", "todo", "todo"]
    assert "监管" not in reading(client, case).partition("<h1")[2].partition("</main>")[0]
    assert case.reviewer is not None
    complete_case(case, by=case.reviewer, now=clock.at)
    page = reading(client, case)
    assert states(page) == ["done"] * 6 + ["current", "todo"]
    assert "请领取" in page
    for task in SupervisionTask.objects.filter(case=case):
        assert task.department.name in page
        assert task.number not in page
    assert "已推送监管部门" in page
    deliver(case, method="counter", receiver="王某", by=play.person("chujian1"), now=clock.at)
    page = reading(client, case)
    assert states(page) == ["done"] * 7 + ["current"]
    assert "王某" not in page


def test_a_rejection_lists_its_grounds_and_skips_the_licence(city: None, clock: Moment, client: Client) -> None:
    from approvals.actions import decide
    from offices.models import Posting

    case = play.reviewed(clock.at, approve=False)
    grounds = case.business_item.published_grounds()[:2]
    keys = [f"{ground.kind}:{ground.id}" for ground in grounds]
    assert case.reviewer is not None
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    decide(case, approve=False, keys=keys, by=decider, now=clock.at)
    page = reading(client, case)
    assert states(page) == ["done"] * 5 + ["skipped", "current", "todo"]
    for ground in grounds:
        assert ground.text in page
    assert "行政诉讼" in page


def test_a_filing_passes_no_review(city: None, clock: Moment, client: Client) -> None:
    filing = BusinessItem.objects.published().filings().select_related("item", "review_office__department__division")
    case = play.accepted(clock.at, filing.filter(item__division__code="320700").order_by("code")[0])
    page = reading(client, case)
    assert states(page) == ["done", "done", "done", "skipped", "skipped", "done", "current", "todo"]
    assert "备案凭证已制成" in page


ENERGY = "固定资产投资项目节能审查"


def pausing(clock: Moment) -> Case:
    """A case whose clocks stand still for an expert review of 15 working days since 28 September."""
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    start_procedure(case, ground="expert_review", estimated_days=15, reason="专家评审", by=case.reviewer, now=clock.at)
    return case


def test_a_special_procedure_stands_in_the_line_while_it_goes_on_and_after_it(
    city: None, clock: Moment, client: Client
) -> None:
    case = pausing(clock)
    page = reading(client, case)
    assert states(page) == ["done"] * 3 + ["current", "paused"] + ["todo"] * 4
    line = page.partition('class="progress-line"')[2].partition("</ol>")[0]
    assert line.index("审查") < line.index("特别程序") < line.index("决定")
    assert "专家评审进行中，不计入期限" in line
    assert "预计结束日为2026年10月23日" in page
    assert "正在进行专家评审，您现在不用做什么" in page
    assert "依法所需的时间不计入审批期限" in page
    assert "light-grey" in page
    assert case.reviewer is not None
    clock.to("2026-10-13 09:00")
    end_procedure(case, result="通过", by=case.reviewer, now=clock.at)
    page = reading(client, case)
    assert states(page) == ["done"] * 3 + ["current", "done"] + ["todo"] * 4
    # five promised days, none used: 14, 15, 16, 19, 20 October
    assert "专家评审已于2026年10月13日结束，期限恢复计算，将在2026年10月20日前作出决定" in page
    assert "2026年9月28日至2026年10月13日，这段时间依法不计入审批期限" in page
    assert case.reviewer.full_name not in page
    advise(case, clock.at)
    assert states(reading(client, case)) == ["done"] * 5 + ["current"] + ["todo"] * 3


def test_an_extension_is_told_with_its_reason_and_the_new_day(city: None, clock: Moment, client: Client) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    extension = request_extension(case, days=10, reason="技术方案复杂。", by=case.reviewer, now=clock.at)
    assert "延长" not in reading(client, case), "asked for is not granted"
    head = Posting.objects.get(department=case.department, role="department_head").user
    answer_extension(extension, grant=True, by=head, now=clock.at)
    page = reading(client, case)
    assert "审批期限经批准延长，最迟将在2026年11月13日前作出决定" in page
    assert "2026年11月13日前决定" in page
    assert "延长10个工作日，至2026年11月13日。理由：技术方案复杂。" in page
    assert head.full_name not in page


def test_a_deemed_acceptance_is_said(city: None, clock: Moment, client: Client) -> None:
    case = play.received(clock.at, play.item(ENERGY))
    clock.to("2026-10-12 10:00")
    deem_accepted(case, by=None, now=clock.at)
    page = reading(client, case)
    assert "审查中（依法视为受理）" in page
    assert "依法自2026年9月28日收到之日起即为受理" in page
    assert states(page)[:4] == ["done", "done", "done", "current"]


def test_a_procedure_costs_two_statements_more(city: None, clock: Moment, client: Client) -> None:
    plain, paused = play.accepted(clock.at, play.item(ENERGY)), pausing(clock)

    def statements(case: Case) -> int:
        reading(client, case)
        with CaptureQueriesContext(connection) as queries:
            reading(client, case)
        return len(queries)

    assert statements(paused) <= statements(plain) + 2


def test_the_page_costs_the_same_few_statements_however_many_tasks_there_are(
    city: None, clock: Moment, client: Client
) -> None:
    case = play.completed(clock.at)
    reading(client, case)
    with CaptureQueriesContext(connection) as queries:
        reading(client, case)
    assert len(queries) <= 3


def test_wrong_codes_soon_stop_the_number_for_everybody_and_right_ones_do_not(
    city: None, clock: Moment, client: Client, settings: Settings
) -> None:
    settings.PROGRESS_RATE = "30/h"
    case = play.received(clock.at)
    for _ in range(20):
        reading(client, case)
    cache.clear()
    answers = [ask(client, case.number, other_code(case), REMOTE_ADDR=f"198.51.100.{n}")[0] for n in range(8)]
    assert answers == [422] * 6 + [429] * 2
    response = client.post(URL, {"number": case.number, "code": case.query_code}, REMOTE_ADDR="203.0.113.9")
    assert response.status_code == 429, "even the right code waits: otherwise guessing would pay"
    assert int(response["Retry-After"]) > 0
    assert "秒后再试" in response.content.decode()


def test_one_address_cannot_walk_through_the_numbers(
    city: None, clock: Moment, client: Client, settings: Settings
) -> None:
    settings.PROGRESS_RATE = "30/h"
    answers = [ask(client, case_number("320700", clock.at), "22222222")[0] for _ in range(8)]
    assert answers == [422] * 6 + [429] * 2
    assert ask(client, case_number("320700", clock.at), "22222222", REMOTE_ADDR="203.0.113.9")[0] == 422


def test_behind_a_proxy_the_visitor_counts_and_a_forged_header_does_not(settings: Settings) -> None:
    from django.test import RequestFactory

    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="1.1.1.1, 203.0.113.9")
    settings.PROXY_COUNT = None
    assert limiter.client_address(request) == "10.0.0.1"
    settings.PROXY_COUNT = 1
    assert limiter.client_address(request) == "203.0.113.9"


def test_neighbours_in_one_ipv6_network_count_as_one() -> None:
    from django.test import RequestFactory

    one, two = (RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:1:2::{n}") for n in (1, 2))
    assert limiter.client_address(one) == limiter.client_address(two) == "2001:db8:1:2::/64"


@pytest.mark.parametrize("text", ["", "30", "30/d", "x/m", "0/m"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a rate reads like"):
        limiter.Rate.parse(text)


def test_with_the_cache_lost_the_process_counts_for_itself(settings: Settings) -> None:
    from django.core.cache import caches

    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nonexistent/valkey.sock?db=0",
        }
    }
    assert caches["default"]
    rate = limiter.Rate(2, 3600)
    limiter.charge(["lost"], rate, 2)
    with pytest.raises(limiter.RateLimited):
        limiter.charge(["lost"], rate)


def test_a_check_letter_taken_for_a_digit_is_put_right() -> None:
    stem = next(s for n in range(500) if (s := f"32070020260928{n:06d}") and mod_37_36.calc_check_digit(s) == "O")
    assert read_case_number(stem + "0") == stem + "O"
    assert read_case_number(stem + "O") == stem + "O"
    assert read_case_number(stem + "7") == stem + "7"
