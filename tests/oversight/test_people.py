"""Accounts and postings of one division: validated in words, on the ledger, and never the last key thrown away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from ledger import verify
from ledger.models import Entry
from offices.models import Department, Division, Office, Posting, User
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
NEW = "/division/people/new/"
PASSWORD = "Haizhou-Wan-88"


@pytest.fixture
def admin(clock: Moment, sign_in: SignIn) -> Client:
    return sign_in("guanliyuan1")


def office(name: str = "房地产市场监管处") -> Office:
    return Office.objects.select_related("department__division").get(name=name)


def account(**changes: Any) -> dict[str, Any]:
    """What an administrator types to open an account."""
    place = office()
    typed = {
        "username": "zhujian.xinren", "full_name": "钱新", "phone": "13812345678", "password": PASSWORD,
        "role": "office_deputy", "department": place.department_id, "office": place.pk, "starts_on": "2026-09-28",
        "ends_on": "",
    }  # fmt: skip
    return typed | changes


def acts() -> list[str]:
    """The acts on the city's stream, the last first."""
    city = Division.objects.get(code="320700")
    return list(Entry.objects.filter(stream=f"division:{city.pk}").order_by("-seq").values_list("act", flat=True))


def page_of(person: User) -> str:
    return f"/division/people/{person.pk}/"


# --- accounts


def test_an_account_opens_with_its_first_posting_and_works_at_once(admin: Client, clock: Moment) -> None:
    suggested = admin.get(NEW).context["form"]["password"].value()
    assert len(suggested) >= 10
    response = admin.post(NEW, account(username=" Zhujian.XinRen ", phone="１３８ 1234-5678"), follow=True)
    assert response.status_code == 200
    person = User.objects.get(username="zhujian.xinren")
    assert (person.full_name, person.phone) == ("钱新", "13812345678")
    assert person in office().deputies(clock.at.date())
    assert PASSWORD not in cast.text(response)
    assert "138****5678" in cast.text(response)
    assert acts()[:2] == ["division.posting_added", "division.account_created"]
    written = str(list(Entry.objects.filter(stream__startswith="division:").values_list("data", flat=True)))
    assert "钱新" not in written
    assert "1381234" not in written
    signed_in = Client().post("/login/", {"username": "zhujian.xinren", "password": PASSWORD})
    assert signed_in.status_code == 302
    assert list(verify.faults()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "坏名字"}, "账号用 3–40 位"),
        ({"username": "duban1"}, "该账号已被使用"),
        ({"full_name": ""}, "请填写姓名"),
        ({"phone": "12345"}, "手机号码应为 11 位"),
        ({"password": "short"}, "初始密码至少 10 位"),
        ({"password": "1234567890"}, "密码"),
        ({"role": ""}, "请选择角色"),
        ({"office": ""}, "必须落到处室"),
        ({"role": "window_clerk"}, "按部门任职"),
        ({"starts_on": "昨天"}, "不是有效日期"),
        ({"ends_on": "2026-09-01"}, "结束日期不能早于开始日期"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(admin: Client, changes: dict[str, str], words: str) -> None:
    response = admin.post(NEW, account(**changes))
    assert response.status_code == 422
    page = cast.text(response)
    assert words in page
    kept = account(**changes)
    assert kept["phone"] in page
    assert kept["password"] in page
    assert not User.objects.filter(full_name="钱新").exists()
    assert acts() == []


def test_only_departments_of_the_own_division_are_offered_or_taken(admin: Client) -> None:
    county = Office.objects.select_related("department").filter(department__division__code="320722")[0]
    assert county.department.name not in cast.text(admin.get(NEW))
    response = admin.post(NEW, account(department=county.department_id, office=county.pk))
    assert response.status_code == 422
    assert "不在本区划的可选范围内" in cast.text(response)
    other = office("价格管理处")
    response = admin.post(NEW, account(office=other.pk))
    assert "价格管理处不属于市住建局" in cast.text(response)


def test_a_side_that_a_department_lacks_grants_no_role_of_it(admin: Client) -> None:
    place = office()
    Department.objects.filter(pk=place.department_id).update(side="approval")
    response = admin.post(NEW, account())
    assert response.status_code == 422
    assert "没有配置监管侧" in cast.text(response)


def test_an_account_is_closed_and_opened_again(admin: Client, clock: Moment) -> None:
    person = User.objects.get(username="zhujian.chushifu")
    url = f"{page_of(person)}active/"
    admin.post(url, {"active": "0"})
    person.refresh_from_db()
    assert not person.is_active
    again = admin.post(url, {"active": "0"})
    assert again.status_code == 409
    assert "已经停用" in cast.text(again)
    assert person.pk in {row["person"].pk for row in admin.get("/division/people/?state=closed").context["rows"]}
    admin.post(url, {"active": "1"})
    person.refresh_from_db()
    assert person.is_active
    assert acts() == ["division.reactivated", "division.deactivated"]


def test_a_new_password_ends_old_tokens_and_locks(admin: Client) -> None:
    person = User.objects.get(username="zhujian.chushifu")
    Token.objects.create(user=person)
    AccessAttempt.objects.create(username=person.username, ip_address="10.0.0.9", failures_since_start=5, user_agent="")
    assert "已锁定" in cast.text(admin.get(page_of(person)))
    weak = admin.post(f"{page_of(person)}password/", {"password": "abc"})
    assert weak.status_code == 422
    assert admin.post(f"{page_of(person)}password/", {"password": PASSWORD}).status_code == 302
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert not Token.objects.filter(user=person).exists()
    assert not AccessAttempt.objects.filter(username=person.username).exists()
    assert acts() == ["division.password_reset"]


def test_a_lock_is_lifted_and_a_phone_changed(admin: Client, clock: Moment) -> None:
    person = User.objects.get(username="zhujian.chushi")
    AccessAttempt.objects.create(username=person.username, ip_address="10.0.0.9", failures_since_start=5, user_agent="")
    admin.post(f"{page_of(person)}unlock/")
    assert not AccessAttempt.objects.exists()
    bad = admin.post(f"{page_of(person)}phone/", {"phone": "123"})
    assert bad.status_code == 422
    assert 'value="123"' in cast.text(bad)
    admin.post(f"{page_of(person)}phone/", {"phone": "13900001111"})
    person.refresh_from_db()
    assert person.phone == "13900001111"
    assert acts() == ["division.phone_changed", "division.unlocked"]


def test_an_account_that_serves_elsewhere_too_is_not_this_divisions_to_change(admin: Client) -> None:
    person = User.objects.get(username="zhujian.chushifu")
    county = Department.objects.filter(division__code="320722")[0]
    Posting.objects.create(user=person, department=county, role="window_clerk", starts_on="2026-01-01")
    page = cast.text(admin.get(page_of(person)))
    assert "在其他区划也有任职" in page
    assert county.name not in page
    for path, data in (("active/", {"active": "0"}), ("unlock/", {})):
        assert "不能由本区划变更" in cast.text(admin.post(page_of(person) + path, data))
    response = admin.post(f"{page_of(person)}password/", {"password": PASSWORD})
    assert response.status_code == 422
    person.refresh_from_db()
    assert person.is_active
    assert not person.check_password(PASSWORD)
    foreign = Posting.objects.get(user=person, department=county)
    assert admin.post(f"/division/postings/{foreign.pk}/end/", {"ends_on": "2026-09-28"}).status_code == 404


# --- postings


def grant(person: User, **changes: Any) -> tuple[str, dict[str, Any]]:
    place = office("价格管理处")
    data = {"role": "office_deputy", "department": place.department_id, "office": place.pk, "starts_on": "2026-09-28"}
    return f"{page_of(person)}postings/", data | changes


def test_a_role_is_granted_and_ends_with_its_last_day(admin: Client, clock: Moment) -> None:
    person = User.objects.get(username="zhujian.chushifu")
    url, data = grant(person)
    assert admin.post(url, data).status_code == 302
    made = Posting.objects.get(user=person, office=data["office"])
    twice = admin.post(url, data)
    assert twice.status_code == 422
    assert "已有同样的任职" in cast.text(twice)
    end = f"/division/postings/{made.pk}/end/"
    past = admin.post(end, {"ends_on": "2026-09-01"})
    assert past.status_code == 422
    assert "不能早于今天" in cast.text(past)
    admin.post(end, {"ends_on": "2026-09-28"})
    made.refresh_from_db()
    assert made.ends_on == dt.date(2026, 9, 28)
    assert not Posting.objects.active(dt.date(2026, 9, 29)).filter(pk=made.pk).exists()
    clock.to("2026-09-29 09:00")
    assert admin.post(end, {"ends_on": "2026-09-30"}).status_code == 409
    assert acts() == ["division.posting_ended", "division.posting_added"]


def test_nobody_grants_himself_a_role_or_closes_himself(admin: Client) -> None:
    me = User.objects.get(username="guanliyuan1")
    url, data = grant(me)
    response = admin.post(url, data)
    assert response.status_code == 422
    assert "不能给自己授予角色" in cast.text(response)
    response = admin.post(f"{page_of(me)}active/", {"active": "0"})
    assert response.status_code == 409
    assert "不能停用自己的账号" in cast.text(response)
    assert Posting.objects.filter(user=me).count() == 1


def test_the_last_administrator_stays_until_there_is_another(admin: Client, clock: Moment) -> None:
    me = User.objects.get(username="guanliyuan1")
    mine = Posting.objects.select_related("department").get(user=me)
    url = f"/division/postings/{mine.pk}/end/"
    response = admin.post(url, {"ends_on": "2026-12-31"})
    assert response.status_code == 422
    assert "最后一名区划管理员" in cast.text(response)
    colleague = User.objects.get(username="chujian1")
    Posting.objects.create(
        user=colleague, department=mine.department, role="division_admin", starts_on="2026-01-01", ends_on="2026-10-31"
    )
    assert admin.post(url, {"ends_on": "2026-12-31"}).status_code == 422
    assert admin.post(url, {"ends_on": "2026-09-30"}).status_code == 302


def test_an_office_that_loses_its_manager_is_said_at_once(admin: Client) -> None:
    manager = Posting.objects.get(user__username="zhujian.chushi", role="office_manager")
    page = admin.post(f"/division/postings/{manager.pk}/end/", {"ends_on": "2026-09-30"}, follow=True)
    assert "没有可联系的处室管理员，请尽快配置" in cast.text(page)


# --- the list


def test_people_are_found_by_name_phone_department_and_role(admin: Client) -> None:
    person = User.objects.get(username="zhujian.chushi")

    def found(**asked: str | int) -> set[str]:
        return {row["person"].username for row in admin.get("/division/people/", asked).context["rows"]}

    assert person.username in found(q=person.full_name)
    assert found(q=person.phone) == {"zhujian.chushi"}
    assert found(q="zhujian.chushi", role="office_manager") >= {"zhujian.chushi"}
    assert "zhujian.chushifu" not in found(role="office_manager", q="zhujian")
    department = office().department_id
    assert all(name.startswith("zhujian") for name in found(department=department))
    assert not found(q="donghai")


def test_the_export_has_one_line_a_posting_and_masked_phones(admin: Client) -> None:
    rows = cast.table(admin, "/division/people/export.csv?q=zhujian.chushi")
    assert rows[0]["角色"] == "处室管理员"
    assert "****" in rows[0]["手机（遮盖）"]
    everybody = cast.table(admin, "/division/people/export.csv")
    city = Posting.objects.filter(department__division__code="320700")
    assert len(everybody) == city.count()


def test_statements_do_not_grow_with_the_people(admin: Client) -> None:
    def statements() -> int:
        admin.get("/division/people/?q=zhujian")
        with CaptureQueriesContext(connection) as seen:
            admin.get("/division/people/?q=zhujian")
        return len(seen)

    before = statements()
    for number in range(5):
        admin.post(NEW, account(username=f"zhujian.duo{number}", phone=f"1381234567{number}"))
    assert statements() == before
    assert before <= 12


def test_pages_hold_fifty_and_lead_on(admin: Client) -> None:
    first = admin.get("/division/people/")
    assert len(first.context["rows"]) == 50
    following = admin.get(first.context["pager"]["next_url"])
    names = [row["person"].username for row in first.context["rows"]] + [
        row["person"].username for row in following.context["rows"]
    ]
    assert names == sorted(set(names))
    assert play.person("guanliyuan1").username in names
