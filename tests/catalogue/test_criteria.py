"""What the files say of weighing: criteria, reviewers, countersigning offices, site checks, 容缺, must-meet."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.errors import DataError
from catalogue.loading import Bundle, load, read
from catalogue.models import BusinessItem, Criterion

pytestmark = pytest.mark.postgres

Catalogue = Callable[[str], BusinessItem]
PLANNING = "items/04-planning.yaml"


def _replace(data: Path, name: str, old: str, new: str) -> None:
    path = data / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_files_say_how_each_item_is_weighed(catalogue: Catalogue) -> None:
    planning = catalogue("SP-0401")
    assert (planning.reviewers, planning.pass_mark, planning.divergence) == (2, 70, 15)
    assert [office.name for office in planning.countersign_offices.all()] == ["规划实施监督处"]
    rows = list(planning.effective_criteria())
    assert sum(row.max_score for row in rows) == 100
    assert [row.is_veto for row in rows] == [True, False, False, False, False]
    assert catalogue("SP-0701").site_check
    assert catalogue("SP-0502").site_check
    assert catalogue("SP-0502").pass_mark == 60
    assert sum(row.is_veto for row in catalogue("SP-0201").effective_criteria()) == 3
    assert sum(row.is_veto for row in catalogue("SP-0301").effective_criteria()) == 5
    assert catalogue("SP-0601").pass_mark is None
    assert catalogue("SP-0702").must_meet
    assert "演示" in catalogue("SP-0702").must_meet_reason


def test_what_is_invented_says_so(catalogue: Catalogue) -> None:
    for criterion in Criterion.objects.filter(is_active=True):
        assert criterion.source
        if "演示" in criterion.source:
            assert criterion.is_unverified, criterion.name


def test_later_is_only_where_its_consequence_is_said(catalogue: Catalogue) -> None:
    later = BusinessItem.objects.filter(materials__later_allowed=True).distinct()
    assert later.count() >= 2
    for item in later:
        assert item.later_consequence
        assert not item.high_risk
    assert not BusinessItem.objects.exclude(later_consequence="").exclude(materials__later_allowed=True).exists()


def test_counties_inherit_the_citys_criteria(catalogue: Catalogue) -> None:
    county, city = catalogue("GY-0101"), catalogue("SP-0302")
    assert county.pass_mark == city.pass_mark == 60
    assert list(county.effective_criteria()) == list(city.effective_criteria())
    assert not Criterion.objects.filter(business_item=county).exists()


def test_a_reload_keeps_ids_and_history_when_criteria_move_or_go(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    item = catalogue("SP-0101")
    before = {row.name: row.pk for row in item.effective_criteria()}
    histories = Criterion.history.count()
    path = data / "items/01-energy.yaml"
    text = path.read_text(encoding="utf-8")
    veto = next(line for line in text.splitlines() if "项目符合强制性节能标准, evidence" in line)
    start = text.index("        - name: 用能总量")
    stop = text.index("    materials: &materials")
    rest = text[start:stop]
    graded = ["        - name:" + part for part in rest.split("        - name:")[1:]]
    moved = "".join([*reversed(graded[:2]), veto + "\n"])
    path.write_text(text.replace(veto + "\n", "").replace(rest, moved), encoding="utf-8")
    report = load(read(data), now=now)
    assert report.switched_off == 1
    item = catalogue("SP-0101")
    after = {row.name: row.pk for row in item.effective_criteria()}
    assert list(after) == [list(before)[2], list(before)[1], list(before)[0]]
    assert after == {name: before[name] for name in after}
    gone = Criterion.objects.get(pk=before[list(before)[3]])
    assert not gone.is_active
    assert Criterion.history.count() > histories
    assert item.version == 2
    assert load(read(data), now=now).changes == 0
    path.write_text(text, encoding="utf-8")
    load(read(data), now=now)
    assert {row.name: row.pk for row in catalogue("SP-0101").effective_criteria()} == before


def test_an_office_that_no_longer_countersigns_is_taken_off(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    _replace(data, PLANNING, "    countersign: [规划实施监督处]\n", "")
    load(read(data), now=now)
    assert not catalogue("SP-0401").countersign_offices.exists()
    assert catalogue("SP-0401").version == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        (PLANNING, "countersign: [规划实施监督处]", "countersign: [没有的处]", "offices.csv 里没有"),
        (PLANNING, "countersign: [规划实施监督处]", "countersign: [建设工程规划管理处]", "不能会签自己的办件"),
        (PLANNING, "pass_mark: 70", "pass_mark: 101", "合格分高于满分 100 分"),
        (PLANNING, "pass_mark: 70", "pass_mark: 0", "要有合格分"),
        (PLANNING, "    reviewers: 2\n", "", "只有两名审查人员评分的事项才写 divergence"),
        (PLANNING, "{score: 22, text: 满足，局部可以优化}", "{score: 30, text: 满足，局部可以优化}", "分数从高到低"),
        (PLANNING, "name: 公共服务和市政配套", "name: 建筑高度、体量和风貌", "重复"),
        (PLANNING, "veto: true, source", "veto: false, source", "必须写且只能写一个"),
        (PLANNING, "later: true", "later: false", "必须同时写明"),
        ("items/07-dangerous-goods.yaml", "    site_check: true", "    later: {consequence: 撤销}", "必须同时写明"),
        ("items/07-dangerous-goods.yaml", 'source: "{DEMO}"}', 'source: "{NIE}"}', "出处登记表里没有 NIE"),
        ("items/20-public-venue.yaml", "promise_letter: true", "promise_letter: true, later: true", "不能容缺后补"),
    ],
)
def test_what_does_not_hold_together_is_refused_in_words(
    data: Path, name: str, old: str, new: str, problem: str
) -> None:
    _replace(data, name, old, new)
    with pytest.raises(DataError) as refusal:
        read(data)
    assert any(problem in line for line in refusal.value.problems), refusal.value.problems


def test_high_risk_items_have_nothing_for_later(bundle: Bundle) -> None:
    for _, one in bundle.business_items():
        if one.get("no_promise", {}).get("high_risk"):
            assert "later" not in one
