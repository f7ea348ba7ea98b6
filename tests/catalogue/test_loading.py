"""The loader: what the files say, once, or nothing."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalogue.enums import Act, ItemStatus
from catalogue.errors import DataError
from catalogue.linking import confirm, link, unlink
from catalogue.loading import Bundle, load, read
from catalogue.models import ApprovalItem, BusinessItem, ItemFact, Linkage, Material, SupervisionSubItem
from ledger.models import Entry
from offices.models import Office, User
from supervision.checklists import set_plan_limit

pytestmark = pytest.mark.postgres

Catalogue = Callable[[str], BusinessItem]


def _replace(data: Path, name: str, old: str, new: str) -> None:
    path = data / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_second_run_changes_nothing(catalogue: Catalogue, now: datetime.datetime) -> None:
    entries = Entry.objects.count()
    histories = BusinessItem.history.count() + Material.history.count()
    report = load(read(), now=now)
    assert report.changes == 0
    assert report.refused == []
    assert report.unchanged > 500
    assert Entry.objects.count() == entries
    assert BusinessItem.history.count() + Material.history.count() == histories


def test_every_item_marked_for_it_is_published(catalogue: Catalogue, bundle: Bundle) -> None:
    wanted = {one["code"] for _, one in bundle.business_items() if one["publish"]}
    published = set(BusinessItem.objects.published().values_list("code", flat=True))
    assert published == wanted
    assert len(published) >= 40


def test_check_writes_nothing(staffed: None, now: datetime.datetime) -> None:
    report = load(read(), now=now, check=True)
    assert report.created > 500
    assert not ApprovalItem.objects.exists()
    assert not Entry.objects.exists()


def test_a_change_of_a_published_item_is_a_new_version(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    _replace(data, "items/06-presale.yaml", "name: 建设工程施工许可证,", "name: 建筑工程施工许可证,")
    report = load(read(data), now=now)
    item = catalogue("SP-0601")
    assert (report.created, report.switched_off) == (1, 1)
    assert item.version == 2
    assert item.status == ItemStatus.PUBLISHED
    assert "建筑工程施工许可证" in [material.name for material in item.effective_materials()]
    assert "建设工程施工许可证" not in [ground.text for ground in item.published_grounds()]
    assert Entry.objects.filter(stream=item.stream, act=Act.REVISED).count() == 1
    assert load(read(data), now=now).changes == 0


def test_a_linkage_that_the_files_drop_is_switched_off(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    path = data / "items/06-presale.yaml"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "JG-0801" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    load(read(data), now=now)
    linkages = Linkage.objects.for_item(catalogue("SP-0601"))
    assert [row.sub_item.code for row in linkages.active()] == ["JG-0701"]
    assert linkages.count() == 2


def test_what_an_administrator_linked_or_ended_outlives_a_second_run(
    catalogue: Catalogue, now: datetime.datetime
) -> None:
    item = catalogue("SP-0601")
    admin = User.objects.create(username="admin", full_name="区划管理员")
    kept, ended = Linkage.objects.for_item(item).active().order_by("pk")
    unlink(ended, by=admin, now=now)
    other = Linkage.objects.active().exclude(office__in=[kept.office, ended.office]).first()
    assert other is not None
    made = link(item, other.office, other.sub_item, source="部门会商", by=admin, now=now)
    assert load(read(), now=now).changes == 0
    assert set(Linkage.objects.for_item(item).active()) == {kept, made}


def test_a_change_of_the_standard_is_a_new_version_of_its_inheritors(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    _replace(data, "items/30-standard-water.yaml", "取水、退水布局合理。", "取水、退水的布局合理。")
    load(read(data), now=now)
    assert (catalogue("SP-3001").version, catalogue("DH-0101").version, catalogue("GY-0101").version) == (2, 2, 1)


def test_the_most_days_of_a_plan_stay_as_the_department_set_them(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    promised = SupervisionSubItem.objects.get(code="JG-2101")
    assert promised.longest_plan_days == 30
    head = User.objects.create(username="fuzeren1", full_name="负责人")
    set_plan_limit(promised, days=25, reason="按本部门规定", by=head, now=now)
    assert load(read(), now=now).changes == 0
    _replace(data, "supervision/other.yaml", "code: JG-2102\n", "code: JG-2102\n      longest_plan_days: 90\n")
    assert load(read(data), now=now).changes == 1
    rows = SupervisionSubItem.objects.filter(code__in=["JG-2101", "JG-2102"]).order_by("code")
    assert [row.longest_plan_days for row in rows] == [25, 90]
    _replace(data, "supervision/other.yaml", "longest_plan_days: 90", "longest_plan_days: 181")
    with pytest.raises(DataError, match="longest_plan_days"):
        read(data)


def reopened() -> set[tuple[str, str]]:
    rows = Linkage.objects.filter(reopened_at__isnull=False)
    return set(rows.values_list("business_item__code", "sub_item__code"))


def test_a_change_of_an_item_reopens_its_linkages_and_a_new_one_does_not(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    assert reopened() == set()
    _replace(data, "items/06-presale.yaml", "name: 建设工程施工许可证,", "name: 建筑工程施工许可证,")
    report = load(read(data), now=now)
    item = catalogue("SP-0601")
    assert reopened() == {("SP-0601", row.sub_item.code) for row in Linkage.objects.for_item(item).active()}
    assert report.reopened == len(reopened()) == 2
    row = Linkage.objects.for_item(item).active()[0]
    assert (row.reopened_at, row.reopened_why) == (now, "业务办理项“商品房预售许可”有变动")
    assert Entry.objects.filter(stream=item.stream, act=Act.LINKAGES_REOPENED).count() == 1
    later = now + datetime.timedelta(days=1)
    assert load(read(data), now=later).reopened == 0
    _replace(data, "items/06-presale.yaml", "name: 建筑工程施工许可证,", "name: 建设工程施工许可证,")
    assert load(read(data), now=later).reopened == 0  # they wait already, since the first change


def test_a_change_of_a_sub_item_reopens_what_is_linked_to_it(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    sub_item = SupervisionSubItem.objects.get(code="JG-2102")
    linked = {(row.business_item.code, "JG-2102") for row in sub_item.linkages.active()}
    assert linked
    _replace(data, "supervision/other.yaml", "code: JG-2102\n", "code: JG-2102\n      longest_plan_days: 90\n")
    load(read(data), now=now)
    assert reopened() == linked


def test_a_change_of_the_standard_reopens_the_linkages_of_its_inheritors(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    _replace(data, "items/30-standard-water.yaml", "取水、退水布局合理。", "取水、退水的布局合理。")
    load(read(data), now=now)
    assert {code for code, _ in reopened()} == {"SP-3001", "DH-0101"} & set(
        Linkage.objects.active().values_list("business_item__code", flat=True)
    )
    assert "DH-0101" in {code for code, _ in reopened()}


def test_confirmed_is_not_made_by_people_and_follows_the_files(
    catalogue: Catalogue, data: Path, now: datetime.datetime
) -> None:
    admin = User.objects.create(username="admin", full_name="区划管理员")
    _replace(data, "items/06-presale.yaml", "name: 建设工程施工许可证,", "name: 建筑工程施工许可证,")
    load(read(data), now=now)
    for row in Linkage.objects.for_item(catalogue("SP-0601")).active():
        confirm(row, by=admin, now=now)
    assert reopened() == set()
    path = data / "items/06-presale.yaml"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "JG-0801" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    load(read(data), now=now)
    assert [row.sub_item.code for row in Linkage.objects.for_item(catalogue("SP-0601")).active()] == ["JG-0701"]


def test_a_retired_item_is_not_published_again_by_the_loader(catalogue: Catalogue, now: datetime.datetime) -> None:
    BusinessItem.objects.filter(code="SP-2301").update(status=ItemStatus.RETIRED)
    assert load(read(), now=now).changes == 0
    assert catalogue("SP-2301").status == ItemStatus.RETIRED


def test_an_item_that_reaches_nobody_stays_unpublished_and_is_named(offices: None, now: datetime.datetime) -> None:
    report = load(read(), now=now)
    assert report.published == []
    assert any("商品房预售许可" in line and "市住建局房地产市场监管处" in line for line in report.refused)


def test_missing_offices_are_named_all_at_once(staffed: None, now: datetime.datetime) -> None:
    Office.objects.filter(name="交警支队").update(name="交警一支队")
    Office.objects.filter(name="环评处").update(name="环评一处")
    with pytest.raises(DataError) as refusal:
        load(read(), now=now)
    assert "320700/市公安局/交警支队" in str(refusal.value)
    assert "320700/市生态环境局/环评处" in str(refusal.value)
    assert not ItemFact.objects.exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "items/06-presale.yaml",
            "length: 10",
            "length: ten",
            "items/06-presale.yaml business_items[0].statutory.length",
        ),
        ("items/06-presale.yaml", "unit: calendar", "unit: days", "business_items[0].statutory.unit"),
        ("items/06-presale.yaml", "aliases:", "alias:", "business_items[0].alias：没有这个键"),
        ("items/06-presale.yaml", "kind: licence", "kind: licence\nkind: filing", "第 4 行：重复的键 kind"),
        ("items/06-presale.yaml", "key_item: 6", "key_item: 16", "key_item：没有第 16 项"),
        ("items/06-presale.yaml", "days: 3", "days: 8", "promised.days：超过5个工作日"),
        ("items/06-presale.yaml", "length: 10", "length: 3", "promised.days：承诺期限不能长于法定期限"),
        ("items/06-presale.yaml", '"{KFT}第二十四条", mark: read}', '"条例第二十四条", mark: read}', "出处至少要引用"),
        ("items/06-presale.yaml", "{KFT}第二十四条", "{KTF}第二十四条", "出处登记表里没有 KTF"),
        ("items/09-traffic-impact.yaml", '"{V}", mark: unverified', '"{V}", mark: read', "不能标 read"),
        ("items/09-traffic-impact.yaml", '"{V}", mark: unverified', '"{V}", mark: guide', "不能标 guide"),
        ("items/06-presale.yaml", "sub_item: JG-0701", "sub_item: JG-9999", "没有监管事项子项 JG-9999"),
        (
            "items/06-presale.yaml",
            "市住建局/房地产市场监管处",
            "市住建局/房地产处",
            "offices.csv 里没有 320700/市住建局/房地产处",
        ),
        ("items/06-presale.yaml", "no_promise:", "promise:", "business_items[0].promise"),
        ("items/06-presale.yaml", "code: SP-0601", "code: SP-0501", "编码 SP-0501 已用于"),
        ("items/50-donghai-water.yaml", "standard: SP-3001", "standard: SP-9999", "没有标准事项 SP-9999"),
        (
            "items/50-donghai-water.yaml",
            "standard: SP-3001",
            "standard: SP-3001\n    materials: [{name: 自设材料, source: '{V}', mark: unverified}]",
            "business_items[0].materials：没有这个键",
        ),
        ("items/06-presale.yaml", "business_items:", "business_items: [", "06-presale.yaml 第"),
        ("offices.csv", "division_code", "code", "offices.csv 第 1 行"),
        ("sources.yaml", "kind: law, read: true", "kind: gossip, read: true", "sources.yaml XKF.kind"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(data: Path, name: str, old: str, new: str, said: str) -> None:
    _replace(data, name, old, new)
    with pytest.raises(DataError) as refusal:
        read(data)
    assert said in str(refusal.value)


def test_several_faults_are_named_in_one_run(data: Path) -> None:
    _replace(data, "items/06-presale.yaml", "length: 10", "length: 3")
    _replace(data, "items/02-chemical-safety.yaml", "key_item: 2", "key_item: 22")
    with pytest.raises(DataError) as refusal:
        read(data)
    assert len(refusal.value.problems) == 2


def test_the_command_counts_and_names_refusals(offices: None, data: Path) -> None:
    out, err = StringIO(), StringIO()
    call_command("load_catalogue", "--check", stdout=out, stderr=err)
    assert "新增" in out.getvalue()
    assert "不能发布" in err.getvalue()
    with pytest.raises(CommandError, match="个事项不能发布"):
        call_command("load_catalogue", "--strict", stdout=out, stderr=err)
    _replace(data, "items/06-presale.yaml", "key_item: 6", "key_item: 16")
    with pytest.raises(CommandError, match="没有第 16 项"):
        call_command("load_catalogue", "--data", str(data), stdout=out, stderr=err)
