"""Intake through real requests: nothing wrong gets in, nothing typed gets lost, nothing doubles."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from approvals.enums import CaseStatus, MaterialState
from approvals.models import Case, Upload
from catalogue.models import BusinessItem
from credit.models import CreditRecord, CreditSubject, note_kept_promise
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
PROMISE_ITEM = "公共场所卫生许可（新办，告知承诺）"


@pytest.fixture(autouse=True)
def _store(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


@pytest.fixture
def clerk(clock: Moment, sign_in: Callable[[str], Client]) -> Client:
    """The window clerk at the counter."""
    return sign_in("chuangkou1")


def address(item: BusinessItem) -> str:
    return reverse("window:intake", args=[item.code])


def test_the_item_is_found_by_name_alias_initials_and_code(clerk: Client) -> None:
    for text in ("公共场所", "卫生许可证", "ggcswsxk", "SP-2001"):
        assert "SP-2001" in window.text_of(clerk.get(reverse("window:items"), {"q": text})), text
    assert clerk.get(reverse("window:items"), {"q": "SP-2001", "go": "1"}).headers["Location"] == "/window/new/SP-2001/"
    assert "没有找到" in window.text_of(clerk.get(reverse("window:items"), {"q": "不存在的事项"}))


def test_items_of_other_divisions_and_unpublished_ones_are_not_there(
    clerk: Client, sign_in: Callable[[str], Client]
) -> None:
    county = BusinessItem.objects.published().filter(item__division__code="320722")[0]
    draft = BusinessItem.objects.exclude(status="published").filter(item__division__code="320700")[0]
    for item in (county, draft):
        assert clerk.get(address(item)).status_code == 404
        assert clerk.post(address(item), window.filled(county)).status_code == 404
    assert sign_in("donghai.chuangkou1").get(address(county)).status_code == 200


def test_a_complete_application_is_received_and_accepted_in_one_press(clerk: Client) -> None:
    item = play.item()
    answer = clerk.post(address(item), window.filled(item), follow=True)
    case = Case.objects.get()
    assert case.status == CaseStatus.IN_REVIEW
    assert answer.redirect_chain == [(reverse("window:case", args=[case.number]), 302)]
    html = window.text_of(answer)
    assert "已收件并受理" in html
    assert {document.kind for document in case.documents.all()} == {"receipt", "acceptance"}


def test_only_receiving_leaves_acceptance_to_the_case_page(clerk: Client) -> None:
    item = play.item()
    clerk.post(address(item), window.filled(item, act="receive", **{f"m-{window.slots(item)[0]}": None}))
    assert Case.objects.get().status == CaseStatus.SUBMITTED


def test_a_wrong_code_is_said_beside_the_field_and_nothing_is_lost(clerk: Client) -> None:
    item = play.item()
    slot = window.slots(item)[0]
    data = window.filled(item, identifier="91350100M000100Y44", content="海州区某路 9 号")
    answer = clerk.post(address(item), data | {f"file-{slot}": window.file()})
    assert answer.status_code == 422
    html = window.text_of(answer)
    assert "统一社会信用代码第 18 位校验不符，请核对营业执照" in html
    assert 'id="id_identifier_error"' in html
    for name in ("identifier", "name", "contact_name", "contact_phone", "intake_key"):
        assert window.value_of(html, name) == data[name], name
    assert "海州区某路 9 号" in html
    upload = Upload.objects.get()
    assert upload.original_name in html
    assert html.count('data-tick data-hotkey="2" checked') == 1
    assert not Case.objects.exists()
    clerk.post(address(item), data | {"identifier": "91350100M000100Y43"})
    upload.refresh_from_db()
    assert upload.case_material is not None
    assert upload.case_material.case == Case.objects.get()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identifier": "123"}, "统一社会信用代码应为 18 位，现为 3 位"),
        ({"subject_kind": "person", "identifier": "11010519491231002Y"}, "身份证号码"),
        ({"subject_kind": "person", "identifier": "110105194912310021"}, "身份证号码第 18 位校验不符"),
        ({"name": ""}, "请填写申请人名称"),
        ({"contact_phone": "12345"}, "手机号码应为 1 开头的 11 位数字，现为 5 位"),
        ({"contact_name": ""}, "请填写联系人"),
        ({"way": "other"}, "way"),
    ],
)
def test_each_mistake_has_its_sentence(clerk: Client, changes: dict[str, str], words: str) -> None:
    item = play.item(PROMISE_ITEM)
    answer = clerk.post(address(item), window.filled(item, **changes))
    assert answer.status_code == 422
    assert words in window.text_of(answer)
    assert not Case.objects.exists()


def test_codes_are_normalised_and_scans_are_understood(clerk: Client) -> None:
    item = play.item()
    scanned = "https://example.invalid/scan?uniscid=91350100m000100y43&x=1"
    for typed in ("９１３５０１００ｍ０００１００ｙ４３", " 91350100-m000100y43 ", scanned):
        clerk.post(address(item), window.filled(item, identifier=typed, name="福建演示公司"))
    assert Case.objects.count() == 3
    assert {case.applicant.code for case in Case.objects.select_related("applicant")} == {"91350100M000100Y43"}


def test_invented_numbers_are_for_demonstrations_only(clerk: Client, settings: Settings) -> None:
    item = play.item()
    settings.DEMO_PHONE = False
    assert clerk.post(address(item), window.filled(item)).status_code == 422
    assert clerk.post(address(item), window.filled(item, contact_phone="+86 138 1234 1234")).status_code == 302
    assert Case.objects.get().contact_phone == "13812341234"


def test_a_missing_material_refuses_acceptance_and_takes_nothing_in(clerk: Client) -> None:
    item = play.item()
    slot = window.slots(item)[-1]
    answer = clerk.post(address(item), window.filled(item, **{f"m-{slot}": None}))
    assert answer.status_code == 422
    html = window.text_of(answer)
    assert "还缺 1 项必要材料" in html
    assert html.count("data-missing") == 1
    assert not Case.objects.exists()


def test_files_of_the_wrong_kind_are_told_and_the_good_ones_stay(clerk: Client) -> None:
    item = play.item()
    first, second = window.slots(item)[:2]
    files = {
        f"file-{first}": [window.file(window.EXE, "合同.pdf"), window.file(name="好的.pdf")],
        f"file-{second}": window.file(b"", "空.pdf"),
    }
    answer = clerk.post(address(item), window.filled(item) | files)
    assert answer.status_code == 422
    html = window.text_of(answer)
    for words in ("“合同.pdf”的内容不是", "“空.pdf”是空文件", "好的.pdf"):
        assert words in html
    assert not Case.objects.exists()
    assert Upload.objects.count() == 1


def test_a_file_over_the_limit_is_told_in_words(clerk: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 4096
    item = play.item()
    big = window.file(window.PDF + b"0" * 9000, "大图.pdf")
    answer = clerk.post(address(item), window.filled(item) | {f"file-{window.slots(item)[0]}": big})
    assert answer.status_code == 422
    assert "“大图.pdf”有" in window.text_of(answer)


def test_the_same_form_sent_twice_is_one_case(clerk: Client) -> None:
    item = play.item()
    data = window.filled(item)
    first = clerk.post(address(item), data)
    second = clerk.post(address(item), data, follow=True)
    assert second.redirect_chain[0][0] == first.headers["Location"]
    assert "没有重复收件" in window.text_of(second)
    assert Case.objects.count() == 1


def test_somebody_elses_key_is_a_conflict(clerk: Client, sign_in: Callable[[str], Client]) -> None:
    item = play.item()
    data = window.filled(item)
    clerk.post(address(item), data)
    answer = sign_in("chuangkou2").post(address(item), data)
    assert answer.status_code == 409
    assert "已由其他窗口人员提交" in window.text_of(answer)


def test_a_broken_key_gets_a_new_one(clerk: Client) -> None:
    item = play.item()
    assert clerk.post(address(item), window.filled(item, intake_key="x")).status_code == 302
    assert isinstance(Case.objects.get().intake_key, uuid.UUID)


def test_the_list_follows_the_way_without_scripts_and_keeps_what_was_typed(clerk: Client) -> None:
    item = play.item(PROMISE_ITEM)
    waived = [material for material in item.effective_materials() if material.waived_by_promise]
    assert waived
    answer = clerk.post(address(item), window.filled(item, act="refresh", way="promise", name="写到一半"))
    assert answer.status_code == 200
    html = window.text_of(answer)
    assert "公共场所卫生许可告知承诺书" in html
    assert "经签署的告知承诺书" not in html  # the item's own letter is enough
    assert all(clause in html for clause in item.promise_clauses)
    assert "以承诺代替" in html
    assert not any(f'name="m-{material.pk}"' in html for material in waived)
    assert window.value_of(html, "name") == "写到一半"
    assert "有 1 处需要改正" not in html
    assert not Case.objects.exists()


def test_a_promise_case_takes_the_letter_instead_of_what_is_waived(clerk: Client) -> None:
    item = play.item(PROMISE_ITEM)
    ticks = {f"m-{slot}": "provided" for slot in window.slots(item, "promise")}
    assert clerk.post(address(item), window.filled(item, way="promise") | ticks).status_code == 302
    case = Case.objects.get()
    assert case.way == "promise"
    assert case.materials.filter(state=MaterialState.PROMISED).exists()
    letter = case.materials.get(material__is_promise_letter=True)
    assert letter.state == MaterialState.MISSING  # until it is signed: test_promise.py
    assert not case.documents.filter(kind="promise").exists()


def test_an_item_without_promise_has_no_such_choice(clerk: Client) -> None:
    item = play.item()
    assert 'name="way"' not in window.text_of(clerk.get(address(item)))
    clerk.post(address(item), window.filled(item, way="promise"))
    assert Case.objects.get().way == "ordinary"


def test_a_known_subject_brings_its_name_and_its_record(clerk: Client, clock: Moment) -> None:
    known = CreditSubject.objects.identify("organisation", "91350100M000100Y43", "福建演示公司")
    note_kept_promise(known, source="T1", basis="演示", at=clock.at)
    asked = {"subject_kind": "organisation", "identifier": "91350100m000100y43", "name": ""}
    html = window.text_of(window.htmx(clerk, reverse("window:subject"), asked))
    assert "已有主体“福建演示公司”" in html
    assert "履约记录 1 条" in html
    assert window.value_of(html, "name") == "福建演示公司"
    assert CreditRecord.objects.count() == 1
    typed = window.text_of(window.htmx(clerk, reverse("window:subject"), asked | {"name": "已写的"}))
    assert window.value_of(typed, "name") == ""
    item = play.item()
    plain = clerk.post(address(item), window.filled(item, act="lookup", name=None, identifier="91350100M000100Y43"))
    assert window.value_of(window.text_of(plain), "name") == "福建演示公司"
    wrong = window.htmx(clerk, reverse("window:subject"), asked | {"identifier": "91350100M000100Y44"})
    assert "校验不符" in window.text_of(wrong)


def test_one_lines_files_come_and_go_at_once(clerk: Client) -> None:
    item = play.item()
    slot, key = window.slots(item)[0], str(uuid.uuid4())
    sent = {"intake_key": key, "item": item.code, "slot": slot}
    added = window.htmx(clerk, reverse("window:upload"), sent | {f"file-{slot}": window.file()})
    assert added.status_code == 200
    assert "营业执照.pdf" in window.text_of(added)
    assert "checked" in window.text_of(added)
    wrong = window.htmx(clerk, reverse("window:upload"), sent | {f"file-{slot}": window.file(window.EXE)})
    assert wrong.status_code == 422
    assert "营业执照.pdf" in window.text_of(wrong)
    pk = str(Upload.objects.get().pk)
    gone = window.htmx(clerk, reverse("window:upload"), sent | {f"m-{slot}": "provided", "remove": pk})
    assert "营业执照.pdf" not in window.text_of(gone)
    assert "checked" not in window.text_of(gone)
    assert window.htmx(clerk, reverse("window:upload"), sent | {"slot": "999999"}).status_code == 404
    assert not Upload.objects.exists()


def test_a_file_is_removed_without_scripts_too(clerk: Client) -> None:
    item = play.item()
    slot = window.slots(item)[0]
    data = window.filled(item, act="refresh")
    clerk.post(address(item), data | {f"file-{slot}": window.file()})
    answer = clerk.post(address(item), data | {"remove": str(Upload.objects.get().pk)})
    assert answer.status_code == 200
    assert not Upload.objects.exists()


def test_nobody_adds_files_to_another_windows_case(
    clerk: Client, sign_in: Callable[[str], Client], clock: Moment
) -> None:
    case = play.received(clock.at, complete=False)
    slot = str(case.materials.exclude(material=None)[0].material_id)
    sent = {"case": case.number, "slot": slot}
    outsider, file = sign_in("donghai.chuangkou1"), {f"file-{slot}": window.file()}
    assert window.htmx(outsider, reverse("window:upload"), sent | file).status_code == 404
    hidden = {"intake_key": str(case.intake_key), "item": case.business_item.code, "slot": slot}
    assert window.htmx(clerk, reverse("window:upload"), hidden).status_code == 404
    assert window.htmx(clerk, reverse("window:upload"), sent | {f"file-{slot}": window.file()}).status_code == 200


def test_the_keyboard_does_it_all(clerk: Client) -> None:
    html = window.text_of(clerk.get(address(play.item(PROMISE_ITEM))))
    assert "data-no-enter-submit" in html
    for key in ("1", "2", "a", "d", "s"):
        assert html.count(f'data-hotkey="{key}"') == 1, key
    # The first submit button of the form, which a bare Enter presses without scripts, does nothing but refresh.
    form = html[html.index('<form id="intake"') :]
    assert form.index('value="refresh"') < form.index('value="receive"') < form.index('value="accept"')
    order = [
        'name="identifier"',
        'name="name"',
        'name="contact_name"',
        'name="contact_phone"',
        'name="content"',
        'name="m-',
    ]
    places = [form.index(mark) for mark in order]
    assert places == sorted(places)
