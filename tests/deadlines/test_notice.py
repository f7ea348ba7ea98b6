"""A year's notice in each shape, what is refused in words, and what a person should look at twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deadlines.errors import NoticeError
from deadlines.notice import LARGEST, SHIPPED, Notice, doubts, read_notices, read_text, typed_year
from deadlines.provisional import published_elsewhere, statutory_holidays

HEADER = "year,from,to,kind,name,notice\n"
FIRST_LINE = "2026,2026-01-01,2026-01-03,off,元旦,通知\n"
PAPER = "https://www.gov.cn/zhengce/content/202511/content_7047090.htm"


def day(text: str) -> date:
    return date.fromisoformat(text)


def csv(*lines: str, encoding: str = "utf-8") -> dict[int, Notice]:
    return read_text("安排.csv", (HEADER + FIRST_LINE + "".join(f"{line}\n" for line in lines)).encode(encoding))


def block(year: int, *days: tuple[str, str, bool], papers: Any = (PAPER,)) -> dict[str, Any]:
    entries = [{"name": name, "date": when, "isOffDay": is_off} for when, name, is_off in days]
    return {"year": year, "papers": list(papers), "days": entries}


def read_json(*blocks: Any) -> dict[int, Notice]:
    value = blocks[0] if len(blocks) == 1 else list(blocks)
    return read_text("安排.json", json.dumps(value, ensure_ascii=False).encode())


def as_json(notice: Notice) -> dict[str, Any]:
    """A notice in the other shape: make-up days called after their holiday alone."""
    days = [(str(when), name, True) for when, name in notice.off.items()]
    days += [(str(when), name.removesuffix("调休"), False) for when, name in notice.makeup.items()]
    return block(notice.year, *sorted(days))


# --- the CSV


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("gbk"),
        lambda text: text.replace("\n", "\r\n").encode("gbk"),
        lambda text: text.replace("-", "/").encode("utf-8-sig"),
        lambda text: text.replace("-0", "/").replace("-", "/").encode(),
        lambda text: text.translate({ord("0") + n: ord("０") + n for n in range(10)}).encode(),
        lambda text: (text.replace("\n", ",,\n").replace("notice,,", "notice") + ",,,,,\n\n").encode(),
    ],
    ids=["plain", "bom", "gbk", "gbk-crlf", "slashes", "slashes-short", "full-width", "blank-cells"],
)
def test_the_shipped_file_as_people_save_it(changed: Callable[[str], bytes]) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    found = read_text("安排.csv", changed(text))
    shipped = read_notices()
    assert {year: (n.off, n.makeup) for year, n in found.items()} == {
        year: (n.off, n.makeup) for year, n in shipped.items()
    }


@pytest.mark.parametrize(
    "text", ["2026-10-01", "2026/10/1", "2026.10.1", "2026年10月1日", "20261001", " ２０２６－１０－０１ "]
)
def test_a_day_is_read_as_people_write_it(text: str) -> None:
    assert day("2026-10-01") in csv(f"2026,{text},{text},off,国庆节,通知")[2026].off


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2026,2026-13-01,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("2026,2026-10/01,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("2026,2026-2-30,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("二〇二六,2026-10-01,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("2026,,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("1026,1026-10-01,1026-10-07,off,国庆节,通知", "年份应在 2000 到 2099 之间"),
        ("2026,2026-10-07,2026-10-01,off,国庆节,通知", "起止日期颠倒"),
        ("2025,2026-10-01,2026-10-07,off,国庆节,通知", "不在 2025 年内"),
        ("2026,2026-10-01,2026-10-07,free,国庆节,通知", "只能是 off 或 work"),
        ("2026,2026-10-12,2026-10-12,work,国庆节,通知", "本来就是工作日"),
        ("2026,2026-01-03,2026-01-04,off,元旦,通知", "2026-01-03 已在前面安排过"),
        ("2026,2026-10-01,2026-10-07,off,,通知", "不能为空"),
        ("2026,2026-10-01,2026-10-07,off,国庆节", "不能为空"),
        ("2026,2026-10-01,2026-10-07,off,国庆节,通知,国办发明电", "多出了列"),
        (f"2026,2026-10-01,2026-10-07,off,{'国' * 41},通知", "名称最多 40 个字"),
        (f"2026,2026-10-01,2026-10-07,off,国庆节,{'通' * 201}", "通知最多 200 个字"),
        ("2026,2026-10-01,2026-10-07,off,国\u200b庆节,通知", "不能显示的字符"),
        ('2026,2026-10-01,2026-10-07,off,"国庆节,通知', "引号不成对"),
    ],
)
def test_a_line_that_does_not_hold_is_refused_by_its_number(line: str, sentence: str) -> None:
    with pytest.raises(NoticeError, match=f"^安排.csv 第 3 行：.*{sentence}"):
        csv(line)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "文件是空的"),
        (b" \r\n", "文件是空的"),
        (b"PK\x03\x04 a workbook", "另存为"),
        ("年,月\n".encode("utf-16"), "另存为"),
        (b"\xff\xff\xff", "另存为"),
        (b"," * (LARGEST + 1), "文件超过 1000 KB"),
        (b"day,name\n", "表头应为 year,from,to,kind,name,notice"),
        (HEADER.replace(",", "，").encode(), "表头应为"),
        (HEADER.encode(), "没有任何节假日安排"),
        (f"{HEADER}2026,2026-01-04,2026-01-04,work,元旦调休,通知\n".encode(), "2026 年没有一天放假"),
    ],
)
def test_a_file_that_is_no_notice_is_refused_in_words(content: bytes, sentence: str) -> None:
    with pytest.raises(NoticeError, match=f"^安排.csv：.*{sentence}"):
        read_text("安排.csv", content)


def test_a_file_on_disk_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "2026.csv"
    path.write_bytes((HEADER + FIRST_LINE).encode("gbk"))
    assert list(read_notices(path)[2026].off) == [day("2026-01-01"), day("2026-01-02"), day("2026-01-03")]
    with pytest.raises(FileNotFoundError):
        read_notices(tmp_path / "none.csv")


# --- JSON


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_the_shipped_years_in_the_other_shape_are_the_same(encoding: str) -> None:
    shipped = read_notices()
    text = json.dumps([as_json(notice) for notice in shipped.values()], ensure_ascii=False, indent=1)
    found = read_text("安排.json", text.encode(encoding))
    assert {year: (n.off, n.makeup) for year, n in found.items()} == {
        year: (n.off, n.makeup) for year, n in shipped.items()
    }
    assert found[2026].days() == shipped[2026].days()
    assert found[2026].source == PAPER


def test_one_object_with_more_in_it_than_is_read() -> None:
    found = read_json(
        block(2026, ("2026-01-04", "元旦", False), ("2026-01-03", "元旦", True)) | {"$schema": "https://…"}
    )
    assert found[2026] == Notice(2026, PAPER, {day("2026-01-03"): "元旦"}, {day("2026-01-04"): "元旦调休"})


def test_two_papers_are_named_and_a_file_without_one_says_so() -> None:
    papers = [f"https://www.gov.cn/{'x' * 100}{n}.htm" for n in range(3)]
    assert read_json(block(2026, ("2026-01-01", "元旦", True), papers=papers[:1]))[2026].source == papers[0]
    assert (
        read_json(block(2026, ("2026-01-01", "元旦", True), papers=[PAPER, papers[0], papers[1]]))[2026].source
        == f"{PAPER}；{papers[0]}"
    )
    assert "未写明国务院通知" in read_json(block(2026, ("2026-01-01", "元旦", True), papers=[]))[2026].source


NEW_YEAR_2019 = [("2018-12-29", "元旦", False), ("2018-12-30", "元旦", True), ("2018-12-31", "元旦", True)]
YEAR_2019 = block(2019, *NEW_YEAR_2019, ("2019-01-01", "元旦", True))


def test_days_of_the_year_before_go_to_that_year_when_it_is_in_the_file() -> None:
    """The notice for 2019 moved three days of 2018."""
    for blocks in ([block(2018, ("2018-01-01", "元旦", True)), YEAR_2019],
                   [YEAR_2019, block(2018, ("2018-01-01", "元旦", True), *NEW_YEAR_2019)]):  # fmt: skip
        found = read_json(*blocks)
        assert list(found[2019].off) == [day("2019-01-01")]
        assert sorted(found[2018].off) == [day("2018-01-01"), day("2018-12-30"), day("2018-12-31")]
        assert found[2018].makeup == {day("2018-12-29"): "元旦调休"}


def test_days_of_the_year_before_are_refused_when_it_is_not() -> None:
    with pytest.raises(
        NoticeError, match=r"第 1 天（2018-12-29）：这一天属于 2018 年.*请把 2018 年的安排放进同一个文件"
    ):
        read_json(YEAR_2019)
    with pytest.raises(NoticeError, match=r"第 2 天（2018-12-31）：这一天属于 2018 年"):
        read_json(block(2019, ("2019-01-01", "元旦", True), ("2018-12-31", "元旦", True)))


def test_a_weekend_of_the_year_before_that_is_off_anyway_is_passed_over() -> None:
    found = read_json(block(2023, ("2022-12-31", "元旦", True), ("2023-01-01", "元旦", True)))
    assert {year: list(notice.off) for year, notice in found.items()} == {2023: [day("2023-01-01")]}


def test_two_years_that_contradict_each_other_are_refused() -> None:
    other = block(2018, ("2018-01-01", "元旦", True), ("2018-12-30", "元旦", False))
    with pytest.raises(NoticeError, match=r"第 2 份 第 2 天（2018-12-30）：与文件中 2018 年的安排不一致"):
        read_json(other, YEAR_2019)


OFF = ("2026-01-01", "元旦", True)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "安排.json：没有任何节假日安排"),
        (block(2026), "2026 年没有一天放假，国务院的通知可能还没有发布"),
        ([1], "应有 year、papers、days 三项"),
        ({"2026": {}}, "year 应为"),
        (block(2026, OFF) | {"year": True}, "year 应为"),
        (block(2026, OFF) | {"year": "2026"}, "year 应为"),
        (block(1026, OFF), "year 应为 2000 到 2099"),
        (block(2026, OFF) | {"days": {}}, "days 应为日期的列表"),
        (block(2026, OFF, papers=["见附件"]), "papers 应为国务院通知网址的列表"),
        (block(2026, OFF, papers=["javascript:alert(1)"]), "papers 应为国务院通知网址的列表"),
        (block(2026, OFF) | {"papers": PAPER}, "papers 应为国务院通知网址的列表"),
        (block(2026, OFF, papers=[f"https://{'x' * 200}"]), "最多 200 个字"),
        (block(2026, OFF) | {"days": [1]}, "第 1 天：应有 name"),
        (block(2026, OFF) | {"days": [{"name": "元旦", "date": "2026-01-01", "isOffDay": 1}]}, "第 1 天：应有 name"),
        (block(2026, OFF, ("2026-02-30", "春节", True)), "第 2 天：日期写法不对"),
        (block(2026, OFF, OFF), "第 2 天（2026-01-01）：2026-01-01 已在前面安排过"),
        (block(2026, OFF, ("2026-01-05", "元旦", False)), "第 2 天（2026-01-05）：2026-01-05 本来就是工作日"),
        (block(2026, OFF, ("2026-01-02", " ", True)), "名称不能为空"),
        (block(2026, OFF, ("2026-01-02", "元\ud800旦", True)), "不能显示的字符"),
        (block(2026, OFF, ("2024-01-01", "元旦", True)), "第 2 天（2024-01-01）：不在 2026 年内"),
        ([block(2026, OFF), block(2026, OFF)], "第 2 份：2026 年在前面已有一份"),
    ],
)
def test_json_that_does_not_hold_is_refused_by_its_day(value: Any, sentence: str) -> None:
    with pytest.raises(NoticeError, match=sentence):
        read_text("安排.json", json.dumps(value).encode())


@pytest.mark.parametrize("text", ['{"year": 2026,\n', "[" * 100_000, '{"year": ' + "9" * 5000 + "}", "{年}"])
def test_what_is_no_json_is_refused_in_words(text: str) -> None:
    with pytest.raises(NoticeError, match="JSON 写法不对"):
        read_text("安排.json", text.encode())


# --- typed by hand


NATIONAL_DAY = (day("2026-10-01"), day("2026-10-07"), "国庆节")


def test_a_year_typed_by_hand() -> None:
    notice = typed_year(2026, [NATIONAL_DAY], [(day("2026-10-10"), " 国庆节调休 ")], "国办发明电〔2025〕7号")
    assert (len(notice.off), notice.makeup) == (7, {day("2026-10-10"): "国庆节调休"})
    assert (notice.year, notice.source) == (2026, "国办发明电〔2025〕7号")
    assert len(notice.days()) == 365


@pytest.mark.parametrize(
    ("year", "off", "work", "source", "sentence"),
    [
        (1999, [NATIONAL_DAY], [], "通知", "年份应在 2000 到 2099 之间"),
        (2026, [], [], "通知", "2026 年没有一天放假"),
        (2026, [NATIONAL_DAY], [], "  ", "通知的名称和文号不能为空"),
        (2026, [NATIONAL_DAY], [], "通" * 201, "通知的名称和文号最多 200 个字"),
        (2026, [NATIONAL_DAY, NATIONAL_DAY], [], "通知", "第 2 段放假：2026-10-01 已在前面安排过"),
        (2026, [(day("2026-10-07"), day("2026-10-01"), "国庆节")], [], "通知", "第 1 段放假：起止日期颠倒"),
        (2026, [(day("2026-12-31"), day("2027-01-01"), "元旦")], [], "通知", "第 1 段放假：.*不在 2026 年内"),
        (2026, [(*NATIONAL_DAY[:2], "")], [], "通知", "第 1 段放假：名称不能为空"),
        (2026, [NATIONAL_DAY], [(day("2026-10-12"), "调休")], "通知", "第 1 个调休上班日：2026-10-12 本来就是工作日"),
        (2026, [NATIONAL_DAY], [(day("2026-10-03"), "调休")], "通知", "第 1 个调休上班日：2026-10-03 已在前面安排过"),
        (2026, [NATIONAL_DAY], [(day("2027-10-09"), "调休")], "通知", "第 1 个调休上班日：2027-10-09 不在 2026 年内"),
    ],
)
def test_a_typed_year_that_does_not_hold_is_refused_by_its_row(
    year: int, off: list[tuple[date, date, str]], work: list[tuple[date, str]], source: str, sentence: str
) -> None:
    with pytest.raises(NoticeError, match=f"^{sentence}"):
        typed_year(year, off, work, source)


# --- what should be looked at twice


def changed(year: int, *, off: tuple[str, ...] = (), gone: tuple[str, ...] = (), work: tuple[str, ...] = ()) -> Notice:
    """The year's notice with days off added, arranged days taken out, make-up days added."""
    notice = read_notices()[year]
    for text in gone:
        notice.off.pop(day(text), None)
        notice.makeup.pop(day(text), None)
    notice.off |= {day(text): "放假" for text in off}
    notice.makeup |= {day(text): "调休" for text in work}
    return notice


@pytest.mark.parametrize("year", [*range(2014, 2020), *range(2021, 2027)])
def test_the_published_years_raise_no_doubt(year: int) -> None:
    """2020 had two days off more for the epidemic, and says so; the years before have days moved over New Year."""
    notice = published_elsewhere(year)
    assert notice is not None
    assert doubts(notice) == []


def test_the_extended_holidays_of_2020_are_doubted() -> None:
    notice = published_elsewhere(2020)
    assert notice is not None
    (doubt,) = doubts(notice)
    assert "全年工作日 249 天" in doubt


@pytest.mark.parametrize(
    ("notice", "sentences"),
    [
        (changed(2026, gone=("2026-06-19",)), ["法定节假日“端午节”没有列为放假：2026-06-19。", "应为 248 天"]),
        (changed(2026, gone=("2026-04-05",)), ["法定节假日“清明节”没有列为放假：2026-04-05，周末。"]),
        (
            changed(2026, gone=("2026-04-05",), work=("2026-04-05",)),
            ["“清明节”没有列为放假：2026-04-05，列为上班。", "全年工作日 249 天；按法定放假 13 天推算应为 248 天"],
        ),
        (
            changed(2026, gone=("2026-02-17", "2026-02-18")),
            ["“春节”没有列为放假：2026-02-17；2026-02-18。", "全年工作日 250 天"],
        ),
        (changed(2026, gone=("2026-02-28",)), ["全年工作日 247 天；按法定放假 13 天推算应为 248 天"]),
        (changed(2026, work=("2026-08-01",)), ["调休上班日 2026-08-01 离最近的放假日超过一个月。", "工作日 249 天"]),
        (changed(2026, off=("2026-08-03",)), ["全年工作日 247 天"]),
        (
            changed(2026, off=("2026-08-03", "2026-08-04", "2026-08-05", "2026-08-06", "2026-08-07", "2026-08-10",
                               "2026-08-11", "2026-08-12", "2026-08-13")),
            ["全年工作日 239 天，往年"],
        ),
        (
            changed(2026, gone=("2026-01-04", "2026-02-14", "2026-02-28")),
            ["调休上班共 3 天，往年一般为 5 到 8 天。", "全年工作日 245 天"],
        ),
        (
            changed(2026, work=("2026-10-17", "2026-10-18", "2026-10-24", "2026-10-25")),
            ["调休上班共 10 天", "全年工作日 252 天"],
        ),
    ],
)  # fmt: skip
def test_what_is_unlike_other_years_is_doubted(notice: Notice, sentences: list[str]) -> None:
    found = doubts(notice)
    assert len(found) == len(sentences)
    assert all(part in text for part, text in zip(sentences, found, strict=True))


def test_an_almost_empty_year_names_each_of_the_seven_holidays() -> None:
    notice = typed_year(2027, [(day("2027-01-01"), day("2027-01-01"), "元旦")], [], "通知")
    text = "\n".join(doubts(notice))
    for name in ("除夕", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"):
        assert f"{name}”没有列为放假" in text
    assert "元旦" not in text
    assert "调休上班共 0 天" in text


def test_a_make_up_day_before_new_year_is_near_a_holiday() -> None:
    assert not any("超过一个月" in text for text in doubts(changed(2026, work=("2026-12-26",))))


# --- a year proposed by the package


@pytest.mark.parametrize("year", range(2004, 2027))
def test_a_proposal_holds_every_day_and_says_that_nobody_checked_it(year: int) -> None:
    notice = published_elsewhere(year)
    assert notice is not None
    days = notice.days()
    assert (days[0].day, days[-1].day) == (date(year, 1, 1), date(year, 12, 31))
    assert all(b.day - a.day == timedelta(days=1) for a, b in zip(days, days[1:], strict=False))
    assert f"{year} 年" in notice.source
    assert "尚未与国务院办公厅的通知核对" in notice.source
    assert {name.removesuffix("调休") for name in notice.makeup.values()} <= set(notice.off.values())
    assert all(when.weekday() >= 5 and name.endswith("调休") for when, name in notice.makeup.items())
    # A proposal can be published as it stands: it reads back from its own text.
    text = json.dumps(as_json(notice) | {"papers": []}, ensure_ascii=False)
    assert read_text("x.json", text.encode())[year].days() == days


@pytest.mark.parametrize("year", [2003, 2027, 2050])
def test_a_year_that_the_package_does_not_reach_is_none(year: int) -> None:
    assert published_elsewhere(year) is None
    assert statutory_holidays(year)
