"""What may be promised beside the law, what the files may say of periods, and what the public is told."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from catalogue import periods
from catalogue.actions import set_promised_period
from catalogue.enums import Act, Certainty, PeriodUnit, Topic
from catalogue.errors import DataError, PromiseRefused
from catalogue.loading import load, read
from catalogue.models import BusinessItem, ItemFact
from catalogue.periods import Promise, lines, longest_promise, room_for_promise
from catalogue.signals import item_changed
from deadlines.arithmetic import Calendar, DayInfo, Year, due_date
from deadlines.enums import DayKind, Unit
from deadlines.kinds import ART_42
from ledger.models import Entry

Catalogue = Callable[[str], BusinessItem]
SOURCE = "市政府办公室文件〔2026〕5号"


@pytest.fixture
def catalogue(city: None) -> Catalogue:
    """The loaded catalogue, as a look-up by code."""
    return lambda code: BusinessItem.objects.select_related("item", "standard_item").get(code=code)


def promise(length: int, **changes: object) -> Promise:
    """A promise with its source."""
    return Promise(**{"length": length, "source": SOURCE} | changes)  # type: ignore[arg-type]


# --- how much the law leaves


def plain(number: int) -> Year:
    """A year of weeks without holidays."""
    days = [date(number, 1, 1) + timedelta(n) for n in range((date(number + 1, 1, 1) - date(number, 1, 1)).days)]
    infos = [DayInfo(day, day.weekday() < 5, DayKind.WORKDAY if day.weekday() < 5 else DayKind.WEEKEND) for day in days]
    return Year(number, infos, version="1", provisional=False)


WEEKS = Calendar([plain(2025), plain(2026), plain(2027)])
EVENTS = [date(2025, 6, 1) + timedelta(n) for n in range(366)]


def fits(promised: int, length: int, unit: Unit) -> bool:
    """Whether, from whatever day both run, the promise ends no later than the law."""
    return all(due_date(day, promised, Unit.WORKING, WEEKS) <= due_date(day, length, unit, WEEKS) for day in EVENTS)


@pytest.mark.parametrize("length", [*range(2, 31), 45, 60, 90])
def test_a_promise_beside_calendar_days_ends_no_later_from_whatever_day(length: int) -> None:
    most = longest_promise(length, PeriodUnit.CALENDAR)
    assert not most or fits(most, length, Unit.CALENDAR)
    # What is left out is at most the one day that the database's five sevenths leave out.
    assert not fits(most + 2, length, Unit.CALENDAR)


def test_five_sevenths_alone_would_be_a_day_too_long() -> None:
    assert [longest_promise(days, PeriodUnit.CALENDAR) for days in (7, 10, 17, 20, 30, 45, 60)] == [
        5, 6, 11, 14, 21, 31, 42,
    ]  # fmt: skip
    assert not fits(10 * 5 // 7, 10, Unit.CALENDAR)


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_a_promise_beside_months_ends_no_later(length: int) -> None:
    assert fits(min(length * 20, 120), length, Unit.MONTHS)
    assert longest_promise(length, PeriodUnit.MONTHS) == min(length * 20, 120)
    assert not fits(21, 1, Unit.MONTHS)


def test_a_promise_in_the_laws_own_unit_may_be_as_long_as_the_law() -> None:
    assert longest_promise(20, PeriodUnit.WORKING) == 20
    assert longest_promise(None, "") == periods.LONGEST_PROMISE


@pytest.mark.django_db
def test_what_may_be_promised_is_never_refused_by_the_database(catalogue: Catalogue) -> None:
    code = catalogue("SP-0601").code
    rows = BusinessItem.objects.filter(code=code)
    for unit in PeriodUnit:
        for length in range(2, 46):
            most = longest_promise(length, unit)
            if most:
                rows.update(
                    statutory_length=length, statutory_unit=unit, promised_length=most, reports_to_province=True
                )
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(statutory_length=10, statutory_unit="calendar", promised_length=8)


# --- setting a promise


@pytest.mark.django_db
def test_a_promise_is_a_new_version_on_the_ledger_and_told(catalogue: Catalogue, now: datetime.datetime) -> None:
    heard: list[tuple[str, str]] = []

    def listen(sender: object, *, business_item: BusinessItem, change: str, **kwargs: object) -> None:
        heard.append((business_item.code, change))

    before = catalogue("SP-0101")
    item_changed.connect(listen)
    try:
        set_promised_period(before, promise(3, certainty=Certainty.READ), by=None, now=now)
        set_promised_period(before, promise(3, certainty=Certainty.READ), by=None, now=now)
    finally:
        item_changed.disconnect(listen)
    item = catalogue("SP-0101")
    assert (item.promised_length, item.promised_source, item.promised_certainty) == (3, SOURCE, "read")
    assert item.version == before.version + 1
    assert heard == [("SP-0101", "revised")]
    told = list(Entry.objects.filter(stream=item.stream).order_by("seq").values_list("act", "data"))[-2:]
    assert told[0] == (
        Act.PROMISE_SET, {"code": "SP-0101", "from": 5, "to": 3, "exempt": False, "province": False},
    )  # fmt: skip
    assert told[1][0] == Act.REVISED
    assert item.history.first().history_date == now


FAULTS = [
    ("SP-0101", promise(0), {"length": "至少为 1 个工作日"}),
    ("SP-0101", promise(21, reports_to_province=True), {"length": "20个工作日，不遇节假日至少有 20 个工作日"}),
    ("SP-0601", promise(7, reports_to_province=True), {"length": "请填写 1 到 6 之间的数"}),
    ("SP-0711", promise(6, reports_to_province=True), {"length": "请填写 1 到 5 之间的数"}),
    ("SP-0302", promise(17, reports_to_province=True), {"length": "公示的 5 个工作日不停计法定期限，须一并算入"}),
    ("SP-0901", promise(121, reports_to_province=True), {"length": "承诺期限最长 120 个工作日"}),
    ("SP-0101", promise(5, source=" "), {"source": "请写明承诺期限的依据"}),
    ("SP-0101", promise(6), {"exemption": "请写明理由", "exemption_by": "请写明批准人"}),
    ("SP-0101", promise(6, exemption="专家多"), {"exemption_by": "请写明批准人"}),
    ("SP-0101", promise(6, exemption_by="分管副市长"), {"exemption": "请写明理由"}),
    (
        "SP-0101",
        promise(30, source=""),
        {"length": "不能长于法定期限", "source": "依据", "exemption": "理由", "exemption_by": "批准人"},
    ),
    ("SP-2001", promise(3), {"length": "即办件当场办结"}),
    ("SP-0311", promise(3), {"length": "备案"}),
    ("GY-0101", promise(6, reports_to_province=True), {"length": "不能长于全市标准的 5 个工作日"}),
]  # fmt: skip


@pytest.mark.django_db
def test_every_fault_of_a_promise_is_said_beside_its_field(catalogue: Catalogue, now: datetime.datetime) -> None:
    entries = Entry.objects.count()
    for code, wanted, said in FAULTS:
        item = catalogue(code)
        with pytest.raises(PromiseRefused) as refused:
            set_promised_period(item, wanted, by=None, now=now)
        assert refused.value.faults.keys() == said.keys(), (code, refused.value.faults)
        for field, words in said.items():
            assert words in refused.value.faults[field]
            assert refused.value.faults[field].endswith("。")
        assert catalogue(code).version == item.version
    assert Entry.objects.count() == entries


@pytest.mark.django_db
def test_over_five_days_goes_with_the_province_or_an_exemption(catalogue: Catalogue, now: datetime.datetime) -> None:
    given = {"exemption": "专家论证多", "exemption_by": "分管副市长"}
    item = set_promised_period(catalogue("SP-0101"), promise(12, **given), by=None, now=now)
    assert (item.promised_exemption, item.promised_exemption_by) == ("专家论证多", "分管副市长")
    item = set_promised_period(item, promise(12, reports_to_province=True, **given), by=None, now=now)
    assert (item.reports_to_province, item.promised_exemption, item.promised_exemption_by) == (True, "", "")
    item = set_promised_period(item, promise(5, **given), by=None, now=now)
    assert (item.reports_to_province, item.promised_exemption) == (False, "")


@pytest.mark.django_db
def test_counties_follow_a_standard_that_becomes_shorter(catalogue: Catalogue, now: datetime.datetime) -> None:
    county = set_promised_period(catalogue("GY-0101"), promise(4), by=None, now=now)
    assert county.promised_length == 4
    standard = set_promised_period(catalogue("SP-0302"), promise(3), by=None, now=now)
    followed = catalogue("GY-0101")
    assert (standard.promised_length, followed.promised_length) == (3, 3)
    assert followed.version == county.version + 1
    assert Entry.objects.filter(stream=followed.stream, act=Act.PROMISE_SET).count() == 2
    set_promised_period(standard, promise(5), by=None, now=now)
    assert catalogue("GY-0101").promised_length == 3


# --- the files


def _replace(data: Path, name: str, old: str, new: str) -> None:
    path = data / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.django_db
def test_the_files_leave_a_promise_that_was_set_here_while_it_is_lawful(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    set_promised_period(catalogue("SP-0302"), promise(4), by=None, now=now)
    set_promised_period(catalogue("SP-0101"), promise(15, reports_to_province=True), by=None, now=now)
    report = load(read(), now=now)
    assert report.changes == 0
    assert [line.split()[0] for line in report.kept] == ["SP-0101", "SP-0302", "GY-0101"]
    out = StringIO()
    call_command("load_catalogue", stdout=out)
    assert "保留区划在页面上设定的承诺期限：SP-0101" in out.getvalue()
    _replace(data, "items/01-energy.yaml", "length: 20, unit: working", "length: 10, unit: working")
    report = load(read(data), now=now)
    assert [line.split()[0] for line in report.kept] == ["SP-0302", "GY-0101"]
    item = catalogue("SP-0101")
    assert (item.statutory_length, item.promised_length, item.reports_to_province) == (10, 5, False)


OWN_LAW = 'extension: {length: 15, source: "{HPF}第二十二条"}'


@pytest.mark.django_db
def test_an_extension_and_a_notice_of_a_law_of_their_own_are_loaded(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    _replace(
        data, "items/03-environment.yaml", "length: 30, unit: calendar,", f"length: 30, unit: calendar, {OWN_LAW},"
    )
    _replace(
        data, "items/03-environment.yaml", "pauses_promise: true,", 'pauses_promise: true, law: "{HPF}第二十一条",'
    )
    load(read(data), now=now)
    for code in ("SP-0302", "SP-0304", "GY-0101"):
        item = catalogue(code)
        assert item.extension is not None
        assert (item.extension.longest, item.extension.legal_basis) == (
            15,
            "《中华人民共和国环境影响评价法》第二十二条",
        )
        assert item.public_notice_law == "《中华人民共和国环境影响评价法》第二十一条"
        assert room_for_promise(item) == 21
        assert any("最多15日" in line.text for line in lines(item))
        assert "法定期限和承诺期限停止计算" in item.effective_facts().get(text__startswith="作出决定前公示").text
    assert catalogue("SP-0301").extension is None


WORKING, NOTICE, EXTENSION = "unit: working,", "pauses_promise: true,", "statutory.extension"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "01-energy",
            WORKING,
            f'{WORKING} extension: {{length: 5, source: "{{JNB}}第一条"}},',
            f"{EXTENSION}.source：只能",
        ),
        ("01-energy", WORKING, f"{WORKING} extension: {{length: 5, source: 本单位规定}},", f"{EXTENSION}.source：只能"),
        ("01-energy", WORKING, f"{WORKING} extension: {{length: 5}},", f"{EXTENSION}.source"),
        ("03-environment", NOTICE, f'{NOTICE} law: "{{G_HP}}",', "public_notice.law：只能引用登记为法律、法规"),
        ("03-environment", "length: 30,", "length: 11,", "promised.days：承诺期限不能长于法定期限"),
        ("06-presale", "length: 10,", "length: 4,", "promised.days：承诺期限不能长于法定期限"),
    ],
)
def test_a_period_that_no_law_bears_is_refused_with_its_place(
    data: Path, name: str, old: str, new: str, said: str
) -> None:
    _replace(data, f"items/{name}.yaml", old, new)
    with pytest.raises(DataError) as refused:
        read(data)
    assert said in str(refused.value)


@pytest.mark.django_db
def test_environmental_reports_run_by_their_own_law(catalogue: Catalogue) -> None:
    own = {"SP-0301": 60, "SP-0302": 30, "SP-0303": 60, "SP-0304": 30, "GY-0101": 30}
    for code, days in own.items():
        item = catalogue(code)
        assert (item.statutory_length, item.statutory_unit, item.statutory_start) == (days, "calendar", "receipt")
        assert item.statutory_source.startswith("《中华人民共和国环境影响评价法》第二十二条")
        assert item.statutory_certainty == Certainty.READ
        assert item.extension is None, "art. 42's ten days belong to its own twenty working days"
        assert item.public_notice_law == "", "no law was read that stops the statutory period for the notice"
    assert catalogue("SP-0101").extension == ART_42
    assert catalogue("DH-0101").extension is None


@pytest.mark.django_db
def test_what_is_said_of_a_pause_is_no_more_certain_than_what_was_read(catalogue: Catalogue) -> None:
    notices = ItemFact.objects.filter(is_active=True, text__contains="承诺期限停止计算")
    assert notices.count() == 8
    assert set(notices.values_list("certainty", flat=True)) == {Certainty.UNVERIFIED}


# --- what the public is told


@pytest.mark.django_db
def test_the_public_is_told_law_extension_promise_and_what_is_not_counted(
    catalogue: Catalogue, now: datetime.datetime
) -> None:
    def said(code: str) -> list[str]:
        return [line.text for line in lines(catalogue(code))]

    ours = said("SP-0101")
    assert ours[0] == "法定期限：自受理之日起20个工作日。"
    assert "经本行政机关负责人批准，法定期限可以延长一次，最多10个工作日" in ours[1]
    assert ours[2] == "承诺期限：自受理之日起5个工作日。"
    assert len(ours) == 3
    common = [fact.text for fact in catalogue("SP-0101").effective_facts(Topic.PERIOD)]
    assert any("听证、招标、拍卖、检验、检测、检疫、鉴定和专家评审的，所需时间不计算" in text for text in common)
    theirs = said("SP-0301")
    assert theirs[0] == "法定期限：自收到申请材料之日起60日。"
    assert theirs[1].startswith("法定期限按自然日计算，起算当日不计入")
    assert "最后一日是法定休假日的，以休假日结束的次日为最后一日" in theirs[1]
    assert theirs[2] == "法定期限不延长：所依据的法律、法规没有规定延长。"
    assert said("SP-0311") == []
    assert said("SP-2001")[-1] == "承诺期限：即办件，材料齐全的当场办结。"
    assert said("SP-0901") == ["承诺期限：自受理之日起5个工作日。"], "a technical review is no licence"
    given = promise(12, exemption="专家论证多。", exemption_by="分管副市长")
    set_promised_period(catalogue("SP-0101"), given, by=None, now=now)
    over = said("SP-0101")[2]
    assert over == "承诺期限：自受理之日起12个工作日；超过5个工作日的理由：专家论证多。"
    set_promised_period(catalogue("SP-0101"), promise(12, reports_to_province=True), by=None, now=now)
    assert said("SP-0101")[2] == "承诺期限：自受理之日起12个工作日；须上报省主管部门审批。"
    for item in BusinessItem.objects.all():
        assert all(line.source and line.certainty in Certainty.values for line in lines(item)), item.code


@pytest.mark.django_db
def test_a_countys_shorter_promise_is_its_own(catalogue: Catalogue, now: datetime.datetime) -> None:
    set_promised_period(catalogue("GY-0101"), promise(2), by=None, now=now)
    assert "承诺期限：自受理之日起2个工作日。" in [line.text for line in lines(catalogue("GY-0101"))]
    assert "承诺期限：自受理之日起5个工作日。" in [line.text for line in lines(catalogue("SP-0302"))]
