"""The two clocks of a case by its item's own law, through the window's door; a promise never ends after the law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from approvals.actions.intake import _decision_clocks, _keep_within_law
from approvals.models import Case, Document
from catalogue.actions import set_promised_period
from catalogue.models import BusinessItem
from catalogue.periods import Promise
from deadlines import periods
from deadlines.arithmetic import due_date
from deadlines.calendar import load as strict_calendar
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from deadlines.kinds import STAGES
from deadlines.models import Deadline
from deadlines.periods import set_period
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Sign = Callable[[str], Client]


@pytest.fixture
def clerk(clock: Moment, sign_in: Sign) -> Client:
    return sign_in("chuangkou1")


def item(code: str) -> BusinessItem:
    rows = BusinessItem.objects.published().select_related("item", "review_office__department__division")
    return rows.get(code=code)


def accept(clerk: Client, case: Case) -> Case:
    """Press 受理 at the window; the case as it then stands."""
    answer = clerk.post(reverse("window:case", args=[case.number]), {"act": "accept"})
    assert answer.status_code == 302, window.text_of(answer)
    clocks = ("statutory_deadline", "promised_deadline", "stage_deadline", "notice_deadline")
    return Case.objects.select_related("business_item", *clocks).get(pk=case.pk)


def law(case: Case) -> Deadline:
    clock: Deadline | None = case.statutory_deadline
    assert clock is not None
    return clock


def promised(case: Case) -> Deadline:
    clock: Deadline | None = case.promised_deadline
    assert clock is not None
    return clock


# --- other laws' own periods


@pytest.mark.parametrize(
    ("code", "received", "accepted", "due"),
    [
        # 60 and 30 calendar days from receipt (环境影响评价法 22); National Day moves the end (民法典 203).
        ("SP-0301", "2026-08-03", "2026-08-05", date(2026, 10, 8)),
        ("SP-0301", "2026-07-31", "2026-08-05", date(2026, 9, 29)),
        ("SP-0301", "2026-09-20", "2026-09-21", date(2026, 11, 19)),
        ("SP-0302", "2026-09-04", "2026-09-08", date(2026, 10, 8)),
        ("SP-0302", "2026-09-05", "2026-09-07", date(2026, 10, 8)),
        ("SP-0302", "2026-06-26", "2026-06-30", date(2026, 7, 27)),
        ("SP-0305", "2026-09-17", "2026-09-17", date(2026, 9, 28)),
    ],
)
def test_an_environmental_report_counts_calendar_days_from_the_day_it_came_in(
    clerk: Client, clock: Moment, code: str, received: str, accepted: str, due: date
) -> None:
    case = play.received(clock.to(f"{received} 16:50"), item(code))
    clock.to(f"{accepted} 09:20")
    case = accept(clerk, case)
    assert (law(case).start_on, law(case).unit, law(case).due_on) == (date.fromisoformat(received), "calendar", due)
    assert law(case).legal_basis.startswith("《中华人民共和国环境影响评价法》第二十")
    assert promised(case).start_on == date.fromisoformat(accepted)
    assert promised(case).legal_basis == case.business_item.promised_source
    paper = Document.objects.get(case=case, kind="acceptance")
    assert f"法定期限至{due.year}年{due.month}月{due.day}日" in str(paper.content)


def test_after_a_correction_the_receipt_is_the_answer(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.to("2026-08-03 10:00"), item("SP-0301"), complete=False)
    page = reverse("window:correct", args=[case.number])
    line = case.materials.get(required=True, state="missing")
    clock.to("2026-08-05 10:00")
    assert clerk.post(page, {"keys": [f"material:{line.material_id}"]}).status_code == 302
    clock.to("2026-08-11 10:00")
    here = reverse("window:case", args=[case.number])
    assert clerk.post(here, {"act": "answer", f"m-{line.material_id}": "provided"}).status_code == 302
    clock.to("2026-08-12 10:00")
    case = accept(clerk, case)
    assert (law(case).start_on, law(case).due_on) == (date(2026, 8, 11), date(2026, 10, 10))


def test_an_own_law_without_an_extension_is_not_extended(clerk: Client, clock: Moment) -> None:
    case = accept(clerk, play.received(clock.at, item("SP-0301")))
    assert case.reviewer is not None
    assert case.business_item.extension is None
    browser = Client()
    browser.force_login(case.reviewer, backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post(reverse("office:extend", args=[case.number]), {"days": "5", "reason": "专家未到"})
    assert answer.status_code in {409, 422}
    assert not case.extensions.exists()


# --- never a day after the law's


@pytest.mark.parametrize(
    ("code", "received", "accepted", "left", "due"),
    [
        # Ten calendar days over the Spring Festival roll to the 24th; three working days would end on the 25th.
        ("SP-0601", "2026-02-13 09:00", "2026-02-13 09:30", 2, date(2026, 2, 24)),
        # Over National Day: to 8 October, one day after 30 September.
        ("SP-0601", "2026-09-28 09:00", "2026-09-30 09:00", 1, date(2026, 10, 8)),
        # A period from receipt is half over at acceptance.
        ("SP-0305", "2026-06-01 09:00", "2026-06-05 09:00", 4, date(2026, 6, 11)),
    ],
)
def test_a_promise_that_would_outlast_the_law_is_cut_to_it(
    clerk: Client, clock: Moment, code: str, received: str, accepted: str, left: int, due: date
) -> None:
    case = play.received(clock.to(received), item(code))
    clock.to(accepted)
    case = accept(clerk, case)
    assert (law(case).due_on, promised(case).due_on, promised(case).length) == (due, due, left)
    assert promised(case).legal_basis.startswith("以法定期限届满之日为限；")
    assert explain_many([promised(case)], due)[promised(case).pk].basis.startswith("以法定期限届满之日为限；")


def test_without_a_day_left_the_law_presses_alone(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.to("2026-02-10 09:00"), item("SP-0305"))
    clock.to("2026-02-24 09:00")
    case = accept(clerk, case)
    assert case.promised_deadline is None
    assert law(case).due_on == date(2026, 2, 24)
    assert case.current_deadline == case.statutory_deadline
    assert "2026年2月24日" in str(Document.objects.get(case=case, kind="acceptance").content)


def test_a_promise_within_the_law_is_left_alone(clerk: Client, clock: Moment) -> None:
    case = accept(clerk, play.received(clock.to("2026-06-01 09:00"), item("SP-0305")))
    assert (promised(case).length, promised(case).due_on, law(case).due_on) == (5, date(2026, 6, 8), date(2026, 6, 11))
    assert promised(case).legal_basis == case.business_item.promised_source


def test_on_no_day_of_the_published_years_does_a_promise_end_after_the_law(clock: Moment, city: None) -> None:
    calendar, lengths, cut = strict_calendar(), periods.load(), 0
    items = {
        (one.statutory_length, one.statutory_unit, one.statutory_start): one
        for one in BusinessItem.objects.published().select_related("item")
        if one.statutory_length and one.promised_length
    }
    for one in items.values():
        case = Case(business_item=one, division_id=one.item.division_id)
        for month in range(1, 13):
            for day in (1, 8, 13, 14, 24, 27, 28):
                at = clock.to(f"2026-{month:02}-{day:02} 10:00")
                starts = _decision_clocks(case, lengths, at)
                moments = {"statutory_deadline": at, "promised_deadline": at}
                _keep_within_law(starts, moments, calendar)
                ends = {
                    name: due_date(local_date(at), start.length or 0, start.unit or "working", calendar)  # type: ignore[arg-type]
                    for name, start in starts.items()
                    if name in moments
                }
                assert ends["promised_deadline"] <= ends["statutory_deadline"], (one.code, at)
                cut += starts["promised_deadline"].length != one.promised_length
    assert cut


# --- what a new length changes


def test_a_new_promise_concerns_only_cases_accepted_from_then_on(clerk: Client, clock: Moment) -> None:
    before = accept(clerk, play.received(clock.at, item("SP-0101")))
    waiting = play.received(clock.at, item("SP-0101"))
    set_promised_period(item("SP-0101"), Promise(3, "文件〔2026〕5号"), by=None, now=clock.at)
    after = accept(clerk, waiting)
    before.refresh_from_db()
    assert (promised(before).length, promised(after).length) == (5, 3)
    assert promised(after).legal_basis == "文件〔2026〕5号"


# --- the inner stages (O3.2.1a)


def test_every_inner_stage_has_its_own_fixed_period(clerk: Client, clock: Moment) -> None:
    def stage(case: Case) -> tuple[str, int | None]:
        clock_row = Case.objects.select_related("stage_deadline").get(pk=case.pk).stage_deadline
        assert clock_row is not None
        return clock_row.kind, clock_row.length

    made = (play.received, play.accepted, play.reviewed, play.approved)
    assert [stage(make(clock.at, item("SP-0101"))) for make in made] == [
        ("stage_window", 1), ("stage_review", 3), ("stage_decide", 1), ("stage_certify", 2),
    ]  # fmt: skip
    division = item("SP-0101").item.division
    said = {"reason": "纪要", "approved_by": "市长"}
    for number, kind in enumerate(STAGES, start=2):
        set_period(kind, division, number, **said, by=play.person("guanliyuan1"), now=clock.at)
    assert [stage(make(clock.at, item("SP-0101")))[1] for make in made] == [2, 3, 4, 5]
    set_promised_period(item("SP-0101"), Promise(2, "文件"), by=None, now=clock.at)
    assert [stage(make(clock.at, item("SP-0101")))[1] for make in made] == [2, 2, 2, 5], "no stage outlasts the promise"
