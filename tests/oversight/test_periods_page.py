"""期限设定: the table, what a division sets, on which item, what follows of it; and the list of exemptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.actions import accept_case, request_correction
from approvals.actions.intake import required_points
from catalogue.actions import set_promised_period
from catalogue.models import BusinessItem
from catalogue.periods import Promise
from deadlines import periods, table
from deadlines.enums import Room
from deadlines.kinds import KINDS, STAGES, KindCode
from deadlines.models import PeriodRule
from ledger.models import Entry
from notifications.deliver import deliver
from offices.models import Division, Posting, User
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
SAID = {"reason": "会议纪要〔2026〕3号", "approved_by": "分管副市长"}
PROMISE = {"source": "市政府文件〔2026〕5号", "certainty": "read", "exemption": "", "exemption_by": ""}


@pytest.fixture
def admin(clock: Moment, sign_in: SignIn) -> Client:
    return sign_in("guanliyuan1")


def item(name: str = "商品房预售许可") -> BusinessItem:
    rows = BusinessItem.objects.select_related("item", "standard_item")
    return rows.get(name=name, item__division__code="320700")


def division(code: str = "320700") -> Division:
    return Division.objects.get(code=code)


def at(kind: KindCode) -> str:
    return reverse("division:period", args=[kind])


def of_item(one: BusinessItem, kind: KindCode) -> str:
    return reverse("division:item_period", args=[one.pk, kind])


def length(kind: KindCode, code: str = "320700", item_code: str = "") -> int | None:
    return periods.load([kind]).length(kind, division(code).pk, item_code)


# --- the table


def test_every_kind_stands_on_the_page_with_its_law_and_its_room(admin: Client) -> None:
    page = cast.text(admin.get("/division/periods/"))
    for row in table.rows():
        assert row.kind.label in page
        assert row.kind.legal_basis in page
        assert row.room in page
        assert row.kind.addressees in page
    assert page.count('tone-neutral">未开办</span>') == sum(1 for kind in KINDS.values() if not kind.stands)
    counts = {stat["label"]: stat["count"] for stat in admin.get("/division/periods/").context["stats"]}
    settable = sum(1 for kind in KINDS.values() if kind.room in {Room.SHORTER, Room.FREE})
    assert counts == {
        "全部期限": len(KINDS), "可以设定": settable, "已另行设定": 0,
        "未开办": sum(1 for kind in KINDS.values() if not kind.stands),
    }  # fmt: skip
    assert "还没有变更" in page


@pytest.mark.parametrize("kind", list(KindCode))
def test_each_kind_has_its_page_with_a_form_or_the_reason_why_none(admin: Client, kind: KindCode) -> None:
    page = cast.text(admin.get(at(kind)))
    settable = KINDS[kind].room in {Room.SHORTER, Room.FREE}
    assert ('name="approved_by"' in page) is settable
    assert ("只对此后起算的期限生效，正在计时的期限不变" in page) is settable
    assert (f"单位：工作日；{table.row(kind).room}。" in page) is settable
    assert settable or table.why_not(KINDS[kind]) in page
    assert ("本平台尚未开办这一环节" in page) is not KINDS[kind].stands
    refused = admin.post(at(kind), {"length": "400", **SAID})
    assert refused.status_code == 422
    assert not PeriodRule.objects.exists()


def test_a_length_is_set_changed_and_taken_back_with_its_history(admin: Client, clock: Moment) -> None:
    assert admin.post(at(KindCode.ISSUE), {"length": "5", **SAID}).status_code == 302
    clock.to("2026-09-29 09:00")
    admin.post(at(KindCode.ISSUE), {"length": "3", "reason": "市政府常务会议纪要", "approved_by": "市长"})
    rule = PeriodRule.objects.get()
    assert (rule.length, rule.reason, rule.approved_by, rule.set_by.username) == (
        3, "市政府常务会议纪要", "市长", "guanliyuan1",
    )  # fmt: skip
    page = cast.text(admin.get("/division/periods/?tab=own"))
    for words in ("3个工作日", "2026年9月29日起，市长批准", "统一默认 10个工作日", "变更记录"):
        assert words in page
    assert "审查环节期限</a>" not in page
    assert admin.post(reverse("division:period_off", args=[rule.pk])).status_code == 302
    assert length(KindCode.ISSUE) == 10
    shown = [entry["label"] for entry in admin.get("/division/periods/").context["entries"]]
    assert shown == [
        "制证送达期限：收回设定（此前3个工作日）",
        "制证送达期限：设定为3个工作日（此前5个工作日）",
        "制证送达期限：设定为5个工作日（此前未另行设定）",
    ]
    who = {entry["who"] for entry in admin.get(at(KindCode.ISSUE)).context["entries"]}
    assert who == {User.objects.get(username="guanliyuan1").full_name}
    acts = Entry.objects.filter(stream=f"periods:{division().pk}").order_by("seq").values_list("act", flat=True)
    assert list(acts) == ["period_set", "period_set", "period_unset"]


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"length": "11"}, "length", "制证送达期限最长10个工作日（行政许可法第四十四条），请填写 1 到 10 之间的数。"),
        ({"length": "0"}, "length", "期限至少为 1个工作日"),
        ({"length": "-3"}, "length", "期限至少为"),
        ({"length": "五天"}, "length", "请填写整数"),
        ({"length": ""}, "length", "请填写天数"),
        ({"reason": " "}, "reason", "请写明设定这一期限的依据或理由"),
        ({"approved_by": ""}, "approved_by", "请写明批准人"),
        ({"length": "11", "approved_by": ""}, "length", "最长10个工作日"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_nothing_is_lost(
    admin: Client, data: dict[str, str], field: str, words: str
) -> None:
    typed = {"length": "5", **SAID} | data
    response = admin.post(at(KindCode.ISSUE), typed)
    assert response.status_code == 422
    assert words in " ".join(response.context["form"].errors[field])
    page = cast.text(response)
    for value in typed.values():
        assert not value.strip() or f'value="{value}"' in page


def test_a_changed_length_is_for_clocks_that_start_afterwards(admin: Client, clock: Moment) -> None:
    before = play.received(clock.at)
    for kind, days in ((KindCode.STAGE_WINDOW, 2), (KindCode.STAGE_REVIEW, 1), (KindCode.ISSUE, 4)):
        assert admin.post(at(kind), {"length": str(days), **SAID}).status_code == 302
    before.refresh_from_db()
    assert before.stage_deadline is not None
    assert (before.stage_deadline.length, before.stage_deadline.revision) == (1, 1)
    after = play.received(clock.at)
    assert after.stage_deadline is not None
    assert after.stage_deadline.length == 2
    after = accept_case(after, by=play.person("chuangkou1"), now=clock.at)
    assert after.stage_deadline is not None
    assert after.stage_deadline.length == 1
    approved = play.approved(clock.at)
    assert approved.issue_deadline is not None
    assert approved.issue_deadline.length == 4
    rule = PeriodRule.objects.get(kind=KindCode.ISSUE)
    admin.post(reverse("division:period_off", args=[rule.pk]))
    approved.issue_deadline.refresh_from_db()
    assert approved.issue_deadline.length == 4
    assert (play.approved(clock.at).issue_deadline or approved.issue_deadline).length == 10


def test_the_periods_of_supervision_follow_too(admin: Client, clock: Moment) -> None:
    admin.post(at(KindCode.ACKNOWLEDGE), {"length": "2", **SAID})
    task = SupervisionTask.objects.filter(case=play.completed(clock.at)).order_by("pk")[0]
    deliver(clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is not None
    assert task.acknowledge_deadline.length == 2


def test_another_division_is_untouched_and_its_rules_do_not_exist(
    admin: Client, sign_in: SignIn, clock: Moment
) -> None:
    admin.post(at(KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    assert (length(KindCode.STAGE_REVIEW), length(KindCode.STAGE_REVIEW, "320722")) == (2, 3)
    county = sign_in("donghai.guanliyuan1")
    assert "会议纪要" not in cast.text(county.get("/division/periods/"))
    assert "2个工作日" not in cast.text(county.get(at(KindCode.STAGE_REVIEW)))
    rule = PeriodRule.objects.get()
    assert county.post(reverse("division:period_off", args=[rule.pk])).status_code == 404
    for address in (
        reverse("division:promise", args=[item().pk]),
        of_item(item(), KindCode.STAGE_REVIEW),
    ):
        assert county.post(address, {"length": "2", **SAID}).status_code == 404
    assert county.post(at(KindCode.ISSUE), {"length": "2", "division": "320700", **SAID}).status_code == 404
    assert county.get(f"{at(KindCode.ISSUE)}?division=320700").status_code == 404
    assert county.get("/division/periods/nonsense/").status_code == 404
    assert PeriodRule.objects.count() == 1


def test_somebody_with_two_divisions_chooses_which(admin: Client, clock: Moment) -> None:
    person = User.objects.get(username="guanliyuan1")
    seat = Posting.objects.get(user__username="donghai.guanliyuan1", role=Posting.Role.DIVISION_ADMIN)
    Posting.objects.create(user=person, role=seat.role, department=seat.department, starts_on=clock.at.date())
    assert admin.post(at(KindCode.ISSUE), {"length": "6", "division": "320722", **SAID}).status_code == 302
    assert (length(KindCode.ISSUE), length(KindCode.ISSUE, "320722")) == (10, 6)
    assert "6个工作日" in cast.text(admin.get("/division/periods/?division=320722"))
    assert "6个工作日" not in cast.text(admin.get("/division/periods/"))


def test_the_table_is_exported_with_what_was_set(admin: Client) -> None:
    admin.post(at(KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    admin.post(of_item(item(), KindCode.STAGE_REVIEW), {"length": "1", **SAID})
    lines = cast.table(admin, "/division/periods/export.csv")
    assert len(lines) == len(KINDS) + 1
    ours = [line for line in lines if line["代码"] == "stage_review"]
    assert [(line["业务办理项"], line["本区划长度"], line["批准人"]) for line in ours] == [
        ("", "2个工作日", "分管副市长"), (item().code, "1个工作日", "分管副市长"),
    ]  # fmt: skip
    assert {line["代码"] for line in lines} == set(KindCode.values)
    own = cast.table(admin, "/division/periods/export.csv?tab=own")
    assert {line["代码"] for line in own} == {"stage_review"}


def test_the_pages_cost_the_same_whatever_was_set(admin: Client) -> None:
    one = item()
    urls = ("/division/periods/", at(KindCode.STAGE_REVIEW), reverse("division:item", args=[one.pk]))

    def statements() -> list[int]:
        found = []
        for url in urls:
            admin.get(url)
            with CaptureQueriesContext(connection) as seen:
                admin.get(url)
            found.append(len(seen))
        return found

    admin.post(at(KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    admin.post(of_item(one, KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    before = statements()
    for kind in (*STAGES, KindCode.ISSUE):
        for days in ("1", "2"):
            admin.post(at(kind), {"length": days, **SAID})
            admin.post(of_item(one, kind), {"length": days, **SAID})
    admin.post(of_item(item("特殊建设工程消防验收"), KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    assert statements() == before
    assert max(before) <= 14


# --- the item's page


def test_the_items_page_tells_both_periods_with_their_sources_and_the_stages(admin: Client) -> None:
    page = cast.text(admin.get(reverse("division:item", args=[item("建设项目环境影响报告书审批").pk])))
    for words in (
        "自收到申请材料之日起60日",
        "《中华人民共和国环境影响评价法》第二十二条；《建设项目环境保护管理条例》第九条（已核原文）",
        "不延长",
        "5个工作日；期间承诺期限停计，法定期限不停",
        "最多可承诺 37 个工作日",
        "审查、会签决定合计 4 个工作日，承诺期限 5 个工作日",
        "窗口环节期限",
        "制证环节期限",
        "统一默认",
    ):
        assert words in page, words
    extended = cast.text(admin.get(reverse("division:item", args=[item("固定资产投资项目节能审查").pk])))
    assert "一次，最多10个工作日，本行政机关负责人批准" in extended
    spot = cast.text(admin.get(reverse("division:item", args=[item("公共场所卫生许可（新办，告知承诺）").pk])))
    assert "即办件当场办结，不另设承诺期限" in spot
    assert "审查环节期限" not in spot
    standard = BusinessItem.objects.filter(standard_only=True)[0]
    assert "环节期限由各县（区）设定" in cast.text(admin.get(reverse("division:item", args=[standard.pk])))


def test_a_promise_is_set_on_the_items_page_and_stands_on_the_guide(admin: Client, client: Client) -> None:
    one = item()
    url = reverse("division:promise", args=[one.pk])
    assert admin.post(url, {"length": "2", **PROMISE}).status_code == 302
    one.refresh_from_db()
    assert (one.promised_length, one.promised_certainty) == (2, "read")
    guide = cast.text(client.get(f"/guide/{one.code}/"))
    assert "承诺期限：自受理之日起2个工作日。" in guide
    assert "市政府文件〔2026〕5号" in guide
    assert "承诺期限：自受理之日起2个工作日。" in cast.text(client.get(f"/guide/{one.code}/notice/"))
    answer = client.get(f"/api/v1/items/{one.code}/").json()
    assert (answer["promised_length"], answer["statutory_start"], answer["extension"]) == (2, "receipt", None)
    assert "承诺期限：自受理之日起2个工作日。" in [line["text"] for line in answer["periods"]]


def test_every_refusal_of_a_promise_stands_beside_its_field(admin: Client) -> None:
    one = item("固定资产投资项目节能审查")
    url = reverse("division:promise", args=[one.pk])
    long = admin.post(url, {"length": "21", "source": "", "certainty": "read"})
    assert long.status_code == 422
    errors = long.context["promise_form"].errors
    assert "承诺期限不能长于法定期限" in " ".join(errors["length"])
    assert {"length", "source", "exemption", "exemption_by"} == set(errors)
    page = cast.text(long)
    assert "请填写 1 到 20 之间的数" in page
    assert 'value="21"' in page
    without = admin.post(url, {"length": "8", **PROMISE, "exemption": "专家论证多"})
    assert set(without.context["promise_form"].errors) == {"exemption_by"}
    assert 'value="专家论证多"' in cast.text(without)
    assert admin.post(url, {"length": "8", **PROMISE, "certainty": "sure"}).status_code == 422
    one.refresh_from_db()
    assert one.promised_length == 5
    assert admin.post(url, {"length": "8", **PROMISE, "reports_to_province": "on"}).status_code == 302
    one.refresh_from_db()
    assert (one.promised_length, one.reports_to_province) == (8, True)


def test_an_items_own_stage_goes_before_the_divisions(admin: Client, clock: Moment) -> None:
    one = item()
    admin.post(at(KindCode.STAGE_WINDOW), {"length": "3", **SAID})
    assert admin.post(of_item(one, KindCode.STAGE_WINDOW), {"length": "2", **SAID}).status_code == 302
    assert play.received(clock.at).stage_deadline.length == 2
    other = play.item("固定资产投资项目节能审查")
    assert play.received(clock.at, other).stage_deadline.length == 3
    page = admin.get(reverse("division:item", args=[one.pk]))
    whose = {row["code"]: (row["whose"], row["length"]) for row in page.context["stages"]["rows"]}
    assert whose["stage_window"] == ("本事项", "2个工作日")
    assert whose["stage_review"] == ("统一默认", "3个工作日")
    assert one.name in cast.text(admin.get(at(KindCode.STAGE_WINDOW)))
    assert "另有 1 个事项单独设定" in cast.text(admin.get("/division/periods/"))
    back = admin.post(reverse("division:period_off", args=[PeriodRule.objects.get(item_code=one.code).pk]))
    assert back["Location"] == reverse("division:item", args=[one.pk])
    assert play.received(clock.at).stage_deadline.length == 3


def test_an_items_own_answer_and_issue_periods_count_too(admin: Client, clock: Moment) -> None:
    one = play.item()
    admin.post(of_item(one, KindCode.CORRECTION_ANSWER), {"length": "15", **SAID})
    admin.post(of_item(one, KindCode.ISSUE), {"length": "6", **SAID})
    case = play.received(clock.at, one, complete=False)
    clerk = play.person("chuangkou1")
    case = request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)
    assert case.answer_deadline is not None
    assert case.answer_deadline.length == 15
    approved = play.approved(clock.at, one)
    assert approved.issue_deadline is not None
    assert approved.issue_deadline.length == 6


def test_stages_that_together_outlast_the_promise_are_warned_of(admin: Client) -> None:
    one = item()
    url = reverse("division:item", args=[one.pk])
    admin.post(of_item(one, KindCode.STAGE_REVIEW), {"length": "2", **SAID})
    assert "环节合计长于承诺期限" not in cast.text(admin.get(url))
    admin.post(of_item(one, KindCode.STAGE_DECIDE), {"length": "2", **SAID})
    assert "环节合计长于承诺期限" in cast.text(admin.get(url))


def test_a_refused_stage_comes_back_open_with_what_was_typed(admin: Client) -> None:
    response = admin.post(of_item(item(), KindCode.STAGE_CERTIFY), {"length": "11", **SAID})
    assert response.status_code == 422
    rows = {row["code"]: row for row in response.context["stages"]["rows"]}
    assert rows["stage_certify"]["returned"]
    assert not rows["stage_review"]["returned"]
    page = cast.text(response)
    assert "制证环节期限最长10个工作日" in page
    assert page.count('id="id_stage_certify_length"') == 1
    spot = item("公共场所卫生许可（新办，告知承诺）")
    assert admin.post(of_item(spot, KindCode.STAGE_REVIEW), {"length": "1", **SAID}).status_code == 404
    assert admin.post(of_item(item(), KindCode.DECISION_STATUTORY), {"length": "1", **SAID}).status_code == 404


# --- exemptions, counted and listed (O3.2.1a)


@pytest.fixture
def longer(clock: Moment, city: None) -> tuple[BusinessItem, BusinessItem, BusinessItem]:
    """Three published items over five days: to the province, with an exemption, and a county's."""
    province = Promise(10, "文件甲", reports_to_province=True)
    exempt = Promise(12, "文件乙", exemption="专家论证多", exemption_by="分管副市长")
    county = BusinessItem.objects.published().get(code="DH-0101")
    set_promised_period(
        BusinessItem.objects.get(code="SP-3001"), Promise(30, "文件丙", reports_to_province=True), by=None, now=clock.at
    )
    return (
        set_promised_period(item("固定资产投资项目节能审查"), province, by=None, now=clock.at),
        set_promised_period(item("特殊建设工程消防验收"), exempt, by=None, now=clock.at),
        set_promised_period(
            county, Promise(20, "文件丁", exemption="论证", exemption_by="县长"), by=None, now=clock.at
        ),
    )


def counts(response: Any) -> dict[str, int]:
    return {stat["label"]: stat["count"] for stat in response.context["stats"]}


def test_exemptions_are_counted_against_all_published_items_and_listed_with_their_reason(
    admin: Client, longer: tuple[BusinessItem, ...]
) -> None:
    published = BusinessItem.objects.published().filter(item__division__code="320700").count()
    response = admin.get("/division/exemptions/")
    page = cast.text(response)
    assert f"已发布业务办理项 {published} 项，承诺期限超过 5 个工作日的 3 项，占 {3 / published:.1%}" in page
    assert counts(response) == {"超过 5 个工作日": 3, "上报省": 2, "豁免": 1, "未作承诺": 0}
    for words in ("专家论证多", "分管副市长批准", "12个工作日", "上报省"):
        assert words in page
    shipped = BusinessItem.objects.get(code="SP-0503")
    assert {row["item"].pk for row in response.context["rows"]} == {longer[0].pk, longer[1].pk, shipped.pk}
    exempt = admin.get("/division/exemptions/?tab=exempt").context["rows"]
    assert [row["item"].pk for row in exempt] == [longer[1].pk]
    lines = cast.table(admin, "/division/exemptions/export.csv")
    assert {(line["承诺期限"], line["归类"], line["理由"], line["批准人"]) for line in lines} == {
        ("10个工作日", "上报省", "", ""), ("15个工作日", "上报省", "", ""),
        ("12个工作日", "豁免", "专家论证多", "分管副市长"),
    }  # fmt: skip


def test_the_overseers_see_the_same_for_every_division_that_they_cover(
    longer: tuple[BusinessItem, ...], sign_in: SignIn
) -> None:
    Posting.objects.filter(role=Posting.Role.OVERSEER, department__division__code="320722").delete()
    city = sign_in("duban1")
    response = city.get("/oversight/exemptions/")
    assert counts(response)["超过 5 个工作日"] == 4
    assert "/division/" not in cast.text(response).partition('id="list"')[2]
    assert len(cast.table(city, "/oversight/exemptions/export.csv?division=320722")) == 1
    other = sign_in("guanyun.duban1").get("/oversight/exemptions/")
    assert counts(other)["超过 5 个工作日"] == 0
    assert "没有承诺超过5个工作日的事项" in cast.text(other)


def test_an_ordinary_item_without_any_promise_is_listed_as_such(admin: Client) -> None:
    BusinessItem.objects.filter(pk=item().pk).update(promised_length=None, promised_source="", promised_certainty="")
    response = admin.get("/division/exemptions/?tab=none")
    assert counts(response)["未作承诺"] == 1
    assert [row["item"].pk for row in response.context["rows"]] == [item().pk]
    assert "没有符合条件的事项" in cast.text(admin.get("/division/exemptions/?q=没有这项"))
