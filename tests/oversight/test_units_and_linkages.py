"""Sides, offices, the linkage list and the items that rest on it: a published item always reaches somebody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.linking import reopen
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from ledger.models import Entry
from offices.models import Department, Office, Posting, User
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture
def admin(clock: Moment, sign_in: SignIn) -> Client:
    return sign_in("guanliyuan1")


def item(name: str = "商品房预售许可") -> BusinessItem:
    return BusinessItem.objects.get(name=name, item__division__code="320700")


def department(name: str = "市住建局") -> Department:
    return Department.objects.get(name=name, division__code="320700")


def silence(*offices: Office) -> None:
    """Take the phones of these offices' managers."""
    people = User.objects.filter(postings__office__in=offices, postings__role="office_manager")
    User.objects.filter(pk__in=people.values("pk")).update(phone="", phone_hash="")


# --- units


def test_only_the_own_divisions_departments_are_listed(admin: Client, sign_in: SignIn) -> None:
    page = cast.text(admin.get("/division/"))
    assert "市住建局" in page
    assert "东海县水利局" not in page
    county = cast.text(sign_in("donghai.guanliyuan1").get("/division/"))
    assert "东海县水利局" in county
    assert "市住建局" not in county


def test_faults_name_the_office_and_the_items_that_reach_nobody(admin: Client) -> None:
    assert admin.get("/division/").context["fault_count"] == 0
    linked = [linkage.office for linkage in item().linkages.active().select_related("office")]
    silence(*linked)
    response = admin.get("/division/")
    assert {office.pk for office in linked} <= {office.pk for office in response.context["silent_offices"]}
    assert item() in response.context["unreachable_items"]
    assert "办结后无处推送" in cast.text(response)
    assert "无可联系的处室管理员" in cast.text(admin.get(f"/division/departments/{linked[0].department_id}/"))


def test_units_and_items_are_exported(admin: Client) -> None:
    units = cast.table(admin, "/division/export.csv?q=住建")
    assert {row["部门"] for row in units} == {"市住建局"}
    assert len(units) == Office.objects.filter(department=department()).count()
    items = cast.table(admin, "/division/items/export.csv?tab=published")
    published = BusinessItem.objects.published().filter(item__division__code="320700")
    assert {row["业务办理项"] for row in items} == {one.name for one in published}


def test_a_side_is_changed_and_kept_where_something_rests_on_it(admin: Client) -> None:
    free = department("市教育局")
    assert admin.post(f"/division/departments/{free.pk}/side/", {"side": "supervision"}).status_code == 302
    free.refresh_from_db()
    assert free.side == "supervision"
    entry = Entry.objects.get(stream=f"division:{free.division_id}")
    assert entry.data == {"department": free.pk, "from": "both", "to": "supervision"}
    busy = department()
    for side, words in (("approval", "有效的审管关联"), ("supervision", "已发布的业务办理项"), ("", "部门侧")):
        response = admin.post(f"/division/departments/{busy.pk}/side/", {"side": side})
        assert response.status_code == 422
        assert words in cast.text(response)
    busy.refresh_from_db()
    assert busy.side == "both"


def test_an_office_is_added_once(admin: Client) -> None:
    place = department("市教育局")
    url = f"/division/departments/{place.pk}/offices/"
    assert admin.post(url, {"name": " 行政审批处 "}).status_code == 302
    assert Office.objects.filter(department=place, name="行政审批处").exists()
    again = admin.post(url, {"name": "行政审批处"})
    assert again.status_code == 422
    assert "已有同名处室" in cast.text(again)
    assert admin.post(url, {"name": ""}).status_code == 422


def test_statements_do_not_grow_with_the_offices(admin: Client) -> None:
    def statements() -> int:
        admin.get("/division/")
        with CaptureQueriesContext(connection) as seen:
            admin.get("/division/")
        return len(seen)

    before = statements()
    for number in range(5):
        admin.post(f"/division/departments/{department().pk}/offices/", {"name": f"新处{number}"})
    assert statements() == before
    assert before <= 12


# --- linkages


def test_the_list_is_searched_filtered_and_exported(admin: Client) -> None:
    found = admin.get("/division/linkages/", {"q": "spfys"}).context["rows"]
    assert {row["linkage"].business_item.name for row in found} == {"商品房预售许可"}
    silence(found[0]["linkage"].office)
    faulty = admin.get("/division/linkages/?tab=fault").context["rows"]
    assert found[0]["linkage"].pk in {row["linkage"].pk for row in faulty}
    assert {row["badge"]["label"] for row in faulty} == {"无人可联系"}
    rows = cast.table(admin, "/division/linkages/export.csv?tab=fault")
    assert len(rows) == len(faulty)
    everything = cast.table(admin, "/division/linkages/export.csv")
    assert len(everything) == Linkage.objects.filter(business_item__item__division__code="320700").count()
    assert not any("东海" in row["监管部门"] for row in everything)


def test_a_published_item_keeps_one_office_that_can_be_told(admin: Client) -> None:
    linkages = list(item().linkages.active().order_by("pk"))
    assert len(linkages) == 2
    assert admin.post(f"/division/linkages/{linkages[0].pk}/turn/", {"active": "0"}).status_code == 302
    response = admin.post(f"/division/linkages/{linkages[1].pk}/turn/", {"active": "0"})
    assert response.status_code == 409
    assert "将没有可联系的监管处室" in cast.text(response)
    assert item().linkages.active().count() == 1
    assert admin.post(f"/division/linkages/{linkages[0].pk}/turn/", {"active": "1"}).status_code == 302
    acts = Entry.objects.filter(stream=item().stream).order_by("-seq").values_list("act", flat=True)[:4]
    assert list(acts) == ["item.revised", "item.linked", "item.revised", "item.unlinked"]
    assert item().version == linkages[0].business_item.version + 2


def test_a_linkage_whose_list_changed_waits_until_somebody_looked(
    admin: Client, sign_in: SignIn, clock: Moment
) -> None:
    one, other = item().linkages.active().order_by("pk")
    assert admin.post(f"/division/linkages/{one.pk}/confirmation/").status_code == 409
    reopen({one.pk: "业务办理项“商品房预售许可”有变动", other.pk: "监管事项子项有变动"}, now=clock.at)
    page = cast.text(admin.get("/division/linkages/?tab=moved"))
    assert "业务办理项“商品房预售许可”有变动（2026-09-28）" in page
    assert "核对无误" in page
    assert "核对无误" in cast.text(admin.get(f"/division/items/{one.business_item_id}/"))
    rows = cast.table(admin, "/division/linkages/export.csv?tab=moved")
    assert [row["待核对的原因"][:6] for row in rows] == ["业务办理项“", "监管事项子项"]
    assert sign_in("donghai.guanliyuan1").post(f"/division/linkages/{one.pk}/confirmation/").status_code == 404
    assert admin.post(f"/division/linkages/{one.pk}/confirmation/").status_code == 302
    assert admin.post(f"/division/linkages/{one.pk}/confirmation/").status_code == 409
    entry = Entry.objects.filter(stream=item().stream).order_by("-seq")[0]
    assert (entry.act, entry.data["linkage"]) == ("item.linkage_confirmed", one.pk)
    admin.post(f"/division/linkages/{other.pk}/turn/", {"active": "0"})
    admin.post(f"/division/linkages/{other.pk}/turn/", {"active": "1"})
    assert admin.get("/division/linkages/?tab=moved").context["rows"] == []


def test_a_linkage_is_added_with_its_source_and_refused_in_words(admin: Client) -> None:
    office = Office.objects.select_related("department").get(name="食品经营安全监管处")
    sub_item = SupervisionSubItem.objects.filter(item__department=office.department)[0]
    data = {"business_item": item().pk, "office": office.pk, "sub_item": sub_item.pk, "source": "审管联动会商纪要"}
    foreign = SupervisionSubItem.objects.filter(item__department=department())[0]
    wrong = admin.post("/division/linkages/new/", data | {"sub_item": foreign.pk})
    assert wrong.status_code == 422
    assert "不属于该处室所在部门" in cast.text(wrong)
    assert "审管联动会商纪要" in cast.text(wrong)
    assert "请写明关联依据" in cast.text(admin.post("/division/linkages/new/", data | {"source": ""}))
    assert admin.post("/division/linkages/new/", data).status_code == 302
    made = Linkage.objects.get(business_item=item(), office=office)
    assert (made.active, made.certainty, made.source) == (True, "unverified", "审管联动会商纪要")
    assert "已经存在" in cast.text(admin.post("/division/linkages/new/", data))


def test_an_office_without_a_reachable_manager_cannot_be_linked(admin: Client) -> None:
    office = Office.objects.select_related("department").get(name="食品经营安全监管处")
    sub_item = SupervisionSubItem.objects.filter(item__department=office.department)[0]
    Posting.objects.filter(office=office, role="office_manager").update(ends_on="2026-09-01")
    data = {"business_item": item().pk, "office": office.pk, "sub_item": sub_item.pk, "source": "纪要"}
    assert admin.post("/division/linkages/new/", data).status_code == 422
    assert not Linkage.objects.filter(business_item=item(), office=office).exists()


# --- items


def test_an_item_is_retired_with_a_reason_and_published_again(admin: Client) -> None:
    found = item()
    url = f"/division/items/{found.pk}/"
    without = admin.post(f"{url}retire/", {"reason": ""})
    assert without.status_code == 422
    assert "请写明停用原因" in cast.text(without)
    admin.post(f"{url}retire/", {"reason": "并入其他事项"})
    found.refresh_from_db()
    assert found.status == "retired"
    admin.post(f"{url}publish/")
    found.refresh_from_db()
    assert found.status == "published"


def test_everything_that_keeps_an_item_from_being_published_is_said(admin: Client) -> None:
    found = item()
    url = f"/division/items/{found.pk}/"
    admin.post(f"{url}retire/", {"reason": "调整"})
    found.linkages.update(active=False)
    page = cast.text(admin.get(url))
    assert "没有审管关联，办结后无处推送监管任务" in page
    assert "确认发布事项" not in page
    response = admin.post(f"{url}publish/")
    assert response.status_code == 409
    assert "没有审管关联" in cast.text(response)
    assert found.name in {row.name for row in admin.get("/division/items/?tab=retired").context["rows"]}
