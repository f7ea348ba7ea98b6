"""Search, publication, inheritance, and what the database itself refuses."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from catalogue import actions, guards
from catalogue.enums import Act, Certainty, GroundKind, ItemChange, ItemStatus, Topic
from catalogue.errors import ItemMoveNotAllowed, NotPublishable
from catalogue.models import BusinessItem, ItemFact, Linkage, Material
from catalogue.pinyin import initials
from catalogue.search import find
from catalogue.signals import item_changed
from ledger.models import Entry
from offices.models import Division, Posting
from offices.triggers import standing
from tests.catalogue.base import LoadedCatalogue

FIRST_FOUND = {
    "spfysxk": "SP-0601",
    "spfys": "SP-0601",
    "ＳＰＦ": "SP-0601",
    "商品房": "SP-0601",
    " 预售证 ": "SP-0601",
    "ysz": "SP-0601",
    "SP-0601": "SP-0601",
    "sp-0901": "SP-0901",
    "交评": "SP-0901",
    "jp": "SP-0901",
    "取水许可": "DH-0101",
    "大件运输": "SP-2101",
    "消防 备案": "SP-0511",
    "剧毒": "DH-0501",
}

LIMITS: list[tuple[str, dict[str, object], str]] = [
    ("SP-0601", {"promised_length": 8, "reports_to_province": True}, "承诺期限不能长于法定期限"),
    ("SP-0201", {"promised_length": 6}, "超过5个工作日"),
    (
        "SP-0201",
        {"promise_modes": ["post_check"], "promise_refusal": "", "promise_clauses": ["甲"]},
        "不得实行告知承诺",
    ),
    ("SP-0101", {"promise_refusal": ""}, "不适用的理由"),
    ("SP-0101", {"statutory_unit": ""}, "法定期限要同时写明"),
    ("SP-0101", {"promised_source": ""}, "承诺期限要写明出处"),
]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("商品房预售许可", "spfysxk"),
        ("危险货物道路运输经营许可（新办）", "wxhwdlysjyxkxb"),
        ("环境影响报告书重大变动重新报批", "hjyxbgszdbdcxbp"),
        ("GB/T 2260 Ａ类", "gbt2260al"),
        ("", ""),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


class TestItems(LoadedCatalogue):
    """Search, publication, inheritance."""

    def test_find(self) -> None:
        assert {typed: find(typed)[0].code for typed in FIRST_FOUND} == FIRST_FOUND

    def test_find_nothing(self) -> None:
        for typed in ["", "   ", "没有这样的事项", "%", "_", "spfysxkx"]:
            assert list(find(typed)) == [], typed

    def test_find_in_a_division_only_what_it_handles_itself(self) -> None:
        county = Division.objects.get(code="320723")
        assert [item.code for item in find("环评", county)] == ["GY-0101"]
        assert "SP-0302" in [item.code for item in find("环评")]

    def test_find_leaves_out_what_cannot_be_applied_for(self) -> None:
        codes = [item.code for item in find("剧毒")]
        assert codes == ["DH-0501"]

    def test_find_takes_one_statement(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            for item in find("许可"):
                assert item.item.department.division.name
                assert item.review_office.department.name
        assert len(queries) == 1

    def test_publication_needs_a_linked_office_that_can_be_told(self) -> None:
        item = self.item("SP-2301")
        actions.retire(item, by=None, now=self.now, reason="演示")
        Posting.objects.filter(office__name="劳动保障监察处").delete()
        with pytest.raises(NotPublishable, match="市人社局劳动保障监察处"):
            actions.publish(item, by=None, now=self.now)
        item.linkages.update(active=False)
        with pytest.raises(NotPublishable, match="没有审管关联"):
            actions.publish(item, by=None, now=self.now)
        assert self.item("SP-2301").status == ItemStatus.RETIRED

    def test_everything_that_is_missing_is_said_at_once(self) -> None:
        item = self.item("SP-0102")
        item.linkages.update(active=False)
        item.materials.update(is_active=False)
        item.facts.update(is_active=False)
        with pytest.raises(NotPublishable) as refusal:
            actions.publish(item, by=None, now=self.now)
        assert len(refusal.value.reasons) == 4

    def test_publish_and_retire_are_told_upwards_and_recorded(self) -> None:
        heard: list[tuple[str, ItemChange]] = []

        def listen(sender: object, *, business_item: BusinessItem, change: ItemChange, **kwargs: object) -> None:
            heard.append((business_item.code, change))

        item_changed.connect(listen)
        try:
            item = actions.retire(self.item("SP-2301"), by=None, now=self.now, reason="演示")
            actions.publish(item, by=None, now=self.now)
        finally:
            item_changed.disconnect(listen)
        assert heard == [("SP-2301", ItemChange.RETIRED), ("SP-2301", ItemChange.PUBLISHED)]
        acts = list(Entry.objects.filter(stream=item.stream).order_by("seq").values_list("act", flat=True))
        assert acts == [Act.LOADED, Act.PUBLISHED, Act.RETIRED, Act.PUBLISHED]

    def test_a_listener_that_fails_undoes_the_change(self) -> None:
        def refuse(sender: object, **kwargs: object) -> None:
            raise RuntimeError("listener")

        item_changed.connect(refuse)
        try:
            with pytest.raises(RuntimeError, match="listener"):
                actions.retire(self.item("SP-2301"), by=None, now=self.now, reason="演示")
        finally:
            item_changed.disconnect(refuse)
        assert self.item("SP-2301").status == ItemStatus.PUBLISHED

    def test_a_published_item_is_not_published_twice(self) -> None:
        with pytest.raises(ItemMoveNotAllowed, match="已发布"):
            actions.publish(self.item("SP-0601"), by=None, now=self.now)

    def test_a_standard_is_never_applied_for(self) -> None:
        with pytest.raises(NotPublishable, match="仅作全市标准"):
            actions.publish(self.item("SP-3001"), by=None, now=self.now)
        with pytest.raises(IntegrityError), transaction.atomic():
            BusinessItem.objects.filter(code="SP-3001").update(status=ItemStatus.PUBLISHED)

    def test_an_office_left_empty_is_named_by_the_check(self) -> None:
        out = StringIO()
        call_command("check_catalogue", stdout=out)
        Posting.objects.filter(office__name="交警支队").delete()
        with pytest.raises(CommandError, match="1 个没有可联系"):
            call_command("check_catalogue", stdout=out)
        assert "SP-0901 建设项目交通影响评价审查：市公安局交警支队" in out.getvalue()

    def test_a_county_item_reads_the_citys_standard(self) -> None:
        county, standard = self.item("DH-0101"), self.item("SP-3001")
        assert county.standard == standard
        assert list(county.effective_materials()) == list(standard.effective_materials())
        assert list(county.effective_facts()) == list(standard.effective_facts())
        assert county.published_grounds() == standard.published_grounds()
        assert county.statutory_text == "自受理之日起45个工作日"

    def test_grounds_are_the_published_materials_and_conditions(self) -> None:
        grounds = self.item("SP-0601").published_grounds()
        assert [ground.kind for ground in grounds] == [GroundKind.MATERIAL] * 9 + [GroundKind.CONDITION] * 3
        assert grounds[0].text == "商品房预售许可证申请表"
        assert grounds[-1].certainty == Certainty.READ

    def test_a_county_cannot_add_a_material_or_a_condition(self) -> None:
        county = self.item("DH-0101")
        material = Material(business_item=county, order=9, name="自设材料", source="无", certainty=Certainty.UNVERIFIED)
        fact = ItemFact(
            business_item=county,
            topic=Topic.CONDITION,
            order=9,
            text="自设条件",
            source="无",
            certainty=Certainty.UNVERIFIED,
        )
        for row in (material, fact):
            with pytest.raises(ValidationError, match="不能自行增加"):
                row.full_clean()
            with pytest.raises(IntegrityError), transaction.atomic():
                row.save()

    def test_the_database_refuses_a_standard_of_a_standard_and_content_beside_one(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            BusinessItem.objects.filter(code="SP-0302").update(standard_item=self.item("SP-3001"))
        with pytest.raises(IntegrityError), transaction.atomic():
            BusinessItem.objects.filter(code="GY-0101").update(standard_item=self.item("DH-0101"))

    def test_a_county_cannot_promise_later_or_rule_otherwise(self) -> None:
        county = self.item("DH-0101")
        county.fee_text = "收费"
        with pytest.raises(ValidationError, match="不能另行规定"):
            county.full_clean()
        county = self.item("GY-0101")
        county.promised_length, county.reports_to_province = 9, True
        with pytest.raises(ValidationError, match="不能长于全市标准"):
            county.full_clean()

    def test_limits_are_said_kindly_and_held_by_the_database(self) -> None:
        for code, change, said in LIMITS:
            item = self.item(code)
            for name, value in change.items():
                setattr(item, name, value)
            with self.subTest(said), pytest.raises(ValidationError, match=said):
                item.full_clean()
            with self.subTest(said), pytest.raises(IntegrityError), transaction.atomic():
                item.save()

    def test_a_longer_promise_needs_reason_and_approver(self) -> None:
        item = self.item("SP-0201")
        item.promised_length, item.promised_exemption, item.promised_exemption_by = (
            15,
            "专家评审后仍需补充论证",
            "分管副市长",
        )
        item.full_clean()
        item.save()
        assert self.item("SP-0201").promised_text == "15个工作日"

    def test_a_linkage_stays_in_its_division_and_department(self) -> None:
        here = Linkage.objects.for_item(self.item("SP-0601"))[0]
        county = Linkage.objects.for_item(self.item("DH-0101"))[0]
        here.office = county.office
        with pytest.raises(ValidationError, match="本区划"):
            here.full_clean()
        here = Linkage.objects.for_item(self.item("SP-0601"))[0]
        here.sub_item = county.sub_item
        with pytest.raises(ValidationError, match="不属于该处室所在部门"):
            here.full_clean()

    def test_linkages_of_an_item_take_one_statement(self) -> None:
        item = self.item("SP-0301")
        with CaptureQueriesContext(connection) as queries:
            named = [(str(row.office), row.sub_item.item.name) for row in Linkage.objects.active().for_item(item)]
        assert len(queries) == 1
        assert len(named) == 5

    def test_the_guards_are_checked(self) -> None:
        assert guards.names(connection) <= standing(connection)
