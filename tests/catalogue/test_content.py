"""The content: nine key items and the other kinds, each statement with its source."""

from __future__ import annotations

import csv

from catalogue.enums import Certainty, Handling, ItemKind, PromiseMode, Topic
from catalogue.loading import DATA, Bundle
from catalogue.models import BusinessItem, ItemFact, KeyItem, Linkage, Material, SupervisionSubItem
from tests.catalogue.base import LoadedCatalogue

# code: statutory length, unit, start; promised working days (None: on the spot or none)
PERIODS = {
    "SP-0101": (20, "working", "acceptance", 5),
    "SP-0201": (45, "calendar", "receipt", 5),
    "SP-0301": (60, "calendar", "receipt", 5),
    "SP-0302": (30, "calendar", "receipt", 5),
    "SP-0305": (10, "calendar", "receipt", 5),
    "SP-0311": (None, "", "", None),
    "SP-0401": (20, "working", "acceptance", 5),
    "SP-0501": (15, "working", "acceptance", 5),
    "SP-0502": (15, "working", "acceptance", 5),
    "SP-0511": (None, "", "", None),
    "SP-0601": (10, "calendar", "receipt", 3),
    "SP-0701": (20, "calendar", "acceptance", 5),
    "SP-0711": (7, "calendar", "receipt", 5),
    "SP-0801": (20, "calendar", "acceptance", 5),
    "SP-0811": (20, "working", "acceptance", 5),
    "SP-0901": (None, "", "", 5),
    "SP-2301": (20, "working", "acceptance", 5),
    "SP-2401": (20, "calendar", "receipt", 5),
    "SP-2502": (10, "working", "acceptance", 5),
    "DH-0101": (45, "working", "acceptance", 5),
    "DH-0301": (20, "calendar", "acceptance", 5),
    "DH-0501": (7, "calendar", "receipt", 5),
    "GY-0101": (30, "calendar", "receipt", 5),
    "GY-0201": (30, "calendar", "receipt", 5),
}


def test_invented_offices_are_marked(bundle: Bundle) -> None:
    named = {
        "环评处",
        "大气处",
        "水处",
        "固化处",
        "土壤处",
        "综合处",
        "法规处",
        "市卫生监督所",
        "交警支队",
        "行政服务科",
    }
    with (DATA / "offices.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            real = row["office"] in named or row["office"] == "政务中心住建窗口"
            assert (row["source"] == "演示") != real, row


class TestContent(LoadedCatalogue):
    """What the loaded catalogue says."""

    def test_the_nine_key_items_stand_as_in_the_annex_with_their_units(self) -> None:
        with (DATA / "key_items.csv").open(encoding="utf-8", newline="") as file:
            annex = [
                (int(row["number"]), row["item"], row["responsible_units"].split(";")) for row in csv.DictReader(file)
            ]
        kept = [
            (key.number, key.name, list(key.units.order_by("keyitemunit__order").values_list("name", flat=True)))
            for key in KeyItem.objects.all()
        ]
        assert kept == annex
        assert len(kept) == 9

    def test_each_key_item_can_be_applied_for(self) -> None:
        here = BusinessItem.objects.published().key().filter(item__division__code="320700")
        assert set(here.values_list("item__key_item_id", flat=True)) == set(range(1, 10))

    def test_periods_are_those_of_the_items_own_law(self) -> None:
        fields = ("code", "statutory_length", "statutory_unit", "statutory_start", "promised_length")
        found = BusinessItem.objects.filter(code__in=PERIODS).values_list(*fields)
        assert {code: tuple(rest) for code, *rest in found} == PERIODS

    def test_every_number_and_statement_cites_its_source(self) -> None:
        assert not ItemFact.objects.filter(source="").exists()
        assert not Material.objects.filter(source="").exists()
        assert not Linkage.objects.filter(source="").exists()
        assert not SupervisionSubItem.objects.filter(source="").exists()
        for item in BusinessItem.objects.all():
            assert (item.statutory_length is None) == (item.statutory_source == "")
            assert (item.promised_length is None) == (item.promised_source == "")
        for text in ItemFact.objects.values_list("source", flat=True):
            assert "{" not in text

    def test_every_published_item_says_all_that_must_be_told_beforehand(self) -> None:
        needed = {Topic.BASIS, Topic.PROCEDURE, Topic.FEE, Topic.RESULT, Topic.PROMISE}
        for item in BusinessItem.objects.published():
            topics = set(item.effective_facts().values_list("topic", flat=True))
            assert needed <= topics, item.name
            assert item.effective_materials().exists(), item.name

    def test_the_citys_inner_limit_holds_everywhere(self) -> None:
        for item in BusinessItem.objects.published().exclude(promised_length=None):
            assert item.promised_length is not None
            assert item.promised_length <= 5 or item.reports_to_province
        over = BusinessItem.objects.published().filter(promised_length__gt=5)
        assert list(over.values_list("code", flat=True)) == ["SP-0503"]
        assert "演示设定" in over.get().promised_source

    def test_a_reason_to_meet_bears_the_mark_of_the_demo_once(self) -> None:
        reasons = BusinessItem.objects.filter(must_meet=True).values_list("must_meet_reason", flat=True)
        assert reasons
        assert all(reason.count("演示") <= 1 for reason in reasons)

    def test_what_no_law_sets_is_said_to_be_unverified(self) -> None:
        item = self.item("SP-0901")
        assert item.item.kind == ItemKind.REVIEW
        assert item.statutory_text == ""
        own = item.effective_facts(Topic.PERIOD).filter(certainty=Certainty.UNVERIFIED)
        assert "待核实" in own.get().text

    def test_items_whose_very_existence_is_unverified_are_not_published(self) -> None:
        for code in ("SP-0102", "SP-0202", "SP-0405"):
            item = self.item(code)
            assert item.status == "draft"
            assert "核实前不发布" in item.notes

    def test_hazardous_chemicals_and_presale_never_have_a_promise_way(self) -> None:
        barred = BusinessItem.objects.filter(high_risk=True)
        codes = set(barred.values_list("code", flat=True))
        assert {"SP-0201", "SP-0202", "SP-0601", "SP-0701", "SP-0702", "SP-0703", "SP-0711", "SP-3301"} <= codes
        assert {"DH-0501", "GY-0201"} <= codes
        assert all(item.promise_modes == [] and item.promise_refusal for item in barred)
        for word in ("危险化学品", "危险货物", "剧毒", "放射性"):
            assert all(item.high_risk for item in BusinessItem.objects.filter(name__contains=word)), word

    def test_each_promise_mode_has_an_item(self) -> None:
        for mode in PromiseMode:
            offering = [item for item in BusinessItem.objects.published() if item.offers(mode)]
            assert offering, mode
            for item in offering:
                assert item.promise_clauses
                assert item.linkages.active().exists()

    def test_promise_ways_say_which_materials_they_touch(self) -> None:
        spot = self.item("SP-2001").effective_materials()
        assert spot.filter(waived_by_promise=True).count() == 4
        assert spot.get(name="营业执照").verifiable
        assert self.item("SP-2002").effective_materials().filter(deferrable=True).count() == 3

    def test_kinds_that_the_nine_do_not_show_are_there(self) -> None:
        published = BusinessItem.objects.published()
        assert published.filter(handling=Handling.ON_THE_SPOT, item__kind=ItemKind.LICENCE).count() >= 3
        assert published.filings().count() >= 4
        for code, name in {"320722": "东海县", "320723": "灌云县"}.items():
            assert published.filter(item__division__code=code).count() >= 2, name

    def test_county_items_are_watched_in_their_own_county(self) -> None:
        for linkage in Linkage.objects.select_related("office__department", "business_item__item"):
            assert linkage.office.department.division_id == linkage.business_item.item.division_id
