"""The small pieces that every page stands on: keyset pages, exports, masks, encryption, postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from stdnum.cn import ric

from credit.identifiers import check_ric, check_uscc
from credit.models import CreditSubject
from offices import crypto
from offices.access import access_for
from offices.export import csv_response, safe_cell
from offices.keyset import Keyset
from offices.models import Department, Division, Office, Posting, User
from oversight.tasks import HEARTBEAT, heartbeat

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 28)


def divisions(count: int) -> None:
    Division.objects.bulk_create(
        Division(code=f"{n:06d}", name=f"区{n}", level="zone" if n % 3 else "county") for n in range(count)
    )


def test_keyset_pages_hold_every_row_once_forwards_and_backwards() -> None:
    divisions(23)
    keys = Keyset(Division.objects.all(), ("-level", "-id"), size=5)
    wanted = list(Division.objects.order_by("-level", "-id").values_list("pk", flat=True))
    seen, cursor, cursors = [], "", []
    while True:
        page = keys.page(cursor)
        seen += [row.pk for row in page.rows]
        cursors.append(page)
        if not page.next:
            break
        cursor = page.next
    assert seen == wanted
    back = keys.page(cursors[2].previous)
    assert [row.pk for row in back.rows] == wanted[5:10]
    assert keys.page(back.previous).previous == ""


def test_a_row_that_leaves_a_wide_list_while_it_is_read_hides_none_behind_it() -> None:
    divisions(12)
    keys = Keyset(Division.objects.filter(level__in=["zone", "county"]), ("-level", "-id"), size=5, wide=True)
    wanted = list(Division.objects.order_by("-level", "-id").values_list("pk", flat=True))
    assert [row.pk for row in keys.page()] == wanted[:5]
    left: list[int] = []

    def leave(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        done = execute(sql, *arguments)
        if not left:
            left.append(wanted[2])
            Division.objects.filter(pk=wanted[2]).delete()
        return done

    with connection.execute_wrapper(leave):
        page = keys.page()
    assert [row.pk for row in page] == [*wanted[:2], *wanted[3:5]]
    assert [row.pk for row in keys.page(page.next)] == wanted[5:10]


@pytest.mark.parametrize("cursor", ["x", "bm9wZQ", "W10", "WyJuIixbMV1d", "💥", "WyJuIixbW11dXQ"])
def test_a_cursor_that_nobody_gave_out_starts_at_the_beginning(cursor: str) -> None:
    divisions(7)
    page = Keyset(Division.objects.all(), ("-level", "-id"), size=5).page(cursor)
    assert len(page.rows) == 5


def test_a_page_is_one_statement_however_many_rows(django_assert_num_queries: object) -> None:
    divisions(40)
    keys = Keyset(Division.objects.all(), ("-level", "-id"), size=5)
    deep = keys.page(keys.page().next).next
    with django_assert_num_queries(1):  # type: ignore[operator]
        keys.page(deep)


def test_an_export_holds_no_formula_and_opens_as_utf8() -> None:
    answer = csv_response("办件", ["名称"], [["=HYPERLINK(1)"], ["@a"], ["正常"], [None]])
    body = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    assert body.startswith("\ufeff名称")
    assert body.splitlines()[1:] == ["'=HYPERLINK(1)", "'@a", "正常", '""']
    assert safe_cell("-1") == "'-1"


def test_masks() -> None:
    assert [crypto.mask_name(n) for n in ("张三", "欧阳娜娜", "李", "")] == ["张*", "欧阳**", "李*", ""]
    assert crypto.mask_phone("13812341234") == "138****1234"
    assert crypto.mask_id("110101199003070012") == "110101********0012"


def test_identity_numbers_and_phones_are_unreadable_in_the_database_and_found_by_hash() -> None:
    number = "11010519491231002X"
    subject = CreditSubject.objects.identify("person", number.lower(), "王某")
    User.objects.create_user("a", full_name="甲", phone="13812341234")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, id_hash FROM credit_creditsubject")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT phone, phone_hash FROM offices_user")
        stored += str(cursor.fetchall())
        cursor.execute("SELECT * FROM credit_historicalcreditsubject")
        stored += str(cursor.fetchall())
    assert number not in stored
    assert "13812341234" not in stored
    assert CreditSubject.objects.by_identifier("person", number).get() == subject
    subject.refresh_from_db()
    assert subject.id_number == number
    assert CreditSubject.objects.identify("person", number, "王某") == subject


def test_an_old_key_still_reads_what_a_new_key_no_longer_writes(settings: object) -> None:
    token = crypto.encrypt("秘密")
    settings.FIELD_KEYS = ["bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE=", *settings.FIELD_KEYS]  # type: ignore[attr-defined]
    assert crypto.decrypt(token) == "秘密"
    assert crypto.decrypt(crypto.encrypt("秘密")) == "秘密"


@pytest.mark.parametrize("code", ["91350100M000100Y43", " 91350100m000100y43", "９１３５０１００M000100Y43"])
def test_codes_are_normalised_before_they_are_checked(code: str) -> None:
    assert check_uscc(code) == "91350100M000100Y43"


def with_check(stem: str) -> str:
    return stem + str(ric.calc_check_digit(stem + "0"))


@pytest.mark.parametrize("region", ["320703", "320705", "320706", "320707", "320721", "320722", "320723", "320724"])
@pytest.mark.parametrize("born", ["19500101", "19831231", "20100229", "20160101"])
def test_everybody_born_in_the_city_has_a_valid_number(region: str, born: str) -> None:
    number = with_check(f"{region}{born}123")
    if born == "20100229":  # no such day
        with pytest.raises(ValidationError, match="出生日期不存在"):
            check_ric(number)
    else:
        assert check_ric(number) == number


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021", "11010519491331002X", "1101", "abc", "11010519491231002A",
        with_check("32070620990101123"), with_check("99070619900101123"), with_check("32070618991231123"),
    ],
)  # fmt: skip
def test_wrong_identity_numbers_say_what_is_wrong(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_ric(number)
    assert refused.value.messages[0].endswith("。")


def test_a_person_with_two_postings_has_both_and_an_ended_one_counts_no_more() -> None:
    city = Division.objects.create(code="320700", name="市", level="city")
    one, two = (Department.objects.create(division=city, name=n, short_name=n) for n in ("甲局", "乙局"))
    first, second = Office.objects.create(department=one, name="一"), Office.objects.create(department=two, name="二")
    person = User.objects.create_user("a", full_name="甲", phone="1")
    for office in (first, second):
        Posting.objects.create(
            user=person, department=office.department, office=office, role="office_manager", starts_on=DAY
        )
    assert access_for(person, DAY).offices("office_manager") == {first.pk, second.pk}
    Posting.objects.filter(office=second).update(ends_on=DAY)
    assert access_for(person, DAY + dt.timedelta(days=1)).offices("office_manager") == {first.pk}
    assert list(Office.objects.all().reachable(DAY + dt.timedelta(days=1))) == [first]
    person.phone = ""
    person.save()
    assert not Office.objects.all().reachable(DAY).exists()
    person.is_active = False
    assert access_for(person, DAY).postings == ()


def test_healthz_is_503_until_worker_and_beat_are_heard(client: Client) -> None:
    cache.delete(HEARTBEAT)
    assert client.get("/healthz").status_code == 503
    heartbeat()
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"web": "ok", "database": "ok", "worker_and_beat": "ok"}
