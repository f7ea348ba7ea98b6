"""What a machine finds in files, and files with identities painted over (O3.1.2c)."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image
from pypdfium2 import raw
from pytest_django.fixtures import Settings

from approvals import covering, pictures
from approvals.actions import IntakeDraft, accept_case, decide, give_opinion, receive_case
from approvals.actions.covering import ask_cover, carry_out, discard_cover, draw_waiting, leave_open
from approvals.actions.intake import checklist, slot_of
from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case, Covering, Upload
from approvals.uploads import file_path, store
from approvals.wording import betrays, may_betray, trade_name
from ledger.models import Entry
from offices.models import User
from oversight.demo.cases import code_of
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
# Letters that every PDF's built-in font has: the finding knows no language.
NAME = "Hongyan Gaofei Zhiye Ltd"
CODE = code_of("91320700MA1KGC82T")
PHONE = "10012345678"
CONTACT = "Situ Hongyan"
BOX = [1, 0.1, 0.1, 0.5, 0.1]


@pytest.fixture(autouse=True)
def _own_store(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


def pdf(*pages: str, title: str = "", turned: int = 0, picture: bool = False) -> bytes:
    """A PDF with one line of text a page; without text, empty pages."""
    document = pdfium.PdfDocument.new()
    for words in pages:
        page = document.new_page(600, 800)
        if words:
            font = raw.FPDFText_LoadStandardFont(document, b"Helvetica")
            line = raw.FPDFPageObj_CreateTextObj(document, font, 14.0)
            coded = (words + "\0").encode("utf-16-le")
            raw.FPDFText_SetText(line, (raw.FPDF_WCHAR * (len(coded) // 2)).from_buffer_copy(coded))
            raw.FPDFPageObj_Transform(line, 1, 0, 0, 1, 60, 700)
            raw.FPDFPage_InsertObject(page, line)
        if picture:
            shown = pdfium.PdfImage.new(document)
            shown.load_jpeg(io.BytesIO(image("JPEG")), inline=True)
            shown.set_matrix(pdfium.PdfMatrix().scale(50, 50))
            page.insert_obj(shown)
        if turned:
            page.set_rotation(turned)
        page.gen_content()
    out = io.BytesIO()
    document.save(out)
    content = out.getvalue()
    if title:  # PDFium writes no properties: put them where its own stand
        content = content.replace(b"/Creator (PDFium)", f"/Title ({title})".encode(), 1).replace(
            b"/Creator(PDFium)", f"/Title({title})".encode(), 1
        )
    return content


def image(kind: str, said: str = "", size: tuple[int, int] = (400, 300)) -> bytes:
    """A white picture, with an artist among its properties."""
    out, drawn = io.BytesIO(), Image.new("RGB", size, "white")
    exif = drawn.getexif()
    if said:
        exif[0x013B] = said
    drawn.save(out, kind, exif=exif)
    return out.getvalue()


def ofd(words: str, *, scan: bool = False, bomb: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", "<ofd:OFD/>")
        split = "".join(f"<ofd:TextCode>{letter}</ofd:TextCode>" for letter in words)
        archive.writestr("Doc_0/Pages/Page_0/Content.xml", f"<ofd:Page>{split}</ofd:Page>")
        if scan:
            archive.writestr("Doc_0/Res/image_1.png", b"png")
        if bomb:
            archive.writestr("Doc_0/big.xml", b"<a/>" * (pictures.MOST_TEXT // 4 + 1))
    return out.getvalue()


def case_with(clock: Moment, content: bytes, name: str = "a.pdf") -> tuple[Case, Upload]:
    """A received case of the applicant whose first material is this file."""
    item, clerk, key = play.item(), play.person("chuangkou1"), uuid.uuid4()
    lines = [line for line in checklist(item, "ordinary") if line.required]
    upload = store(SimpleUploadedFile(name, content), intake_key=key, slot=slot_of(lines[0]), by=clerk, now=clock.at)
    draft = IntakeDraft(
        business_item=item, intake_key=key, subject_kind="organisation", identifier=CODE, name=NAME,
        contact_name=CONTACT, contact_phone=PHONE, content="", provided={slot_of(line): "provided" for line in lines},
    )  # fmt: skip
    case = receive_case(draft, by=clerk, now=clock.at)
    upload.refresh_from_db()
    return case, upload


def darkest(grey: Image.Image) -> int:
    """The darkest value of a grey picture."""
    return int(grey.getextrema()[0])  # type: ignore[arg-type]


def clerk() -> User:
    return play.person("chuangkou1")


@pytest.mark.parametrize(
    ("content", "name", "kinds"),
    [
        (lambda: pdf(f"of {NAME.upper()}"), "a.pdf", ["name"]),
        (lambda: pdf("nothing", f"{CODE[:6]} {CODE[6:]} and 100-1234-5678"), "a.pdf", ["code", "phone"]),
        (lambda: pdf("nothing", title=NAME), "a.pdf", ["name"]),
        (lambda: pdf("nothing"), "a.pdf", []),
        (lambda: pdf("nothing", picture=True), "a.pdf", ["unreadable"]),
        (lambda: pdf("nothing", ""), "a.pdf", ["unreadable"]),
        (lambda: b"%PDF-1.4\n1 0 obj<</Type/Page>>endobj\ntrailer<<>>\n", "a.pdf", ["unreadable"]),
        (lambda: image("JPEG", said=CONTACT), "a.jpg", ["contact", "unreadable"]),
        (lambda: image("PNG"), "a.png", ["unreadable"]),
        (lambda: ofd(NAME), "a.ofd", ["name"]),
        (lambda: ofd("nothing", scan=True), "a.ofd", ["unreadable"]),
        (lambda: ofd("nothing"), "a.ofd", []),
    ],
)
def test_the_worker_finds_kinds_and_keeps_no_words(
    city: None, clock: Moment, content: Callable[[], bytes], name: str, kinds: list[str]
) -> None:
    _, upload = case_with(clock, content(), name)
    assert covering.look_through(clock.at) == 1
    upload.refresh_from_db()
    assert upload.findings == kinds
    assert upload.looked_at == clock.at
    assert covering.look_through(clock.at) == 0


def test_a_bomb_is_a_file_that_cannot_be_read(city: None, clock: Moment) -> None:
    _, upload = case_with(clock, ofd("x", bomb=True), "a.ofd")
    covering.look_through(clock.at)
    upload.refresh_from_db()
    assert upload.findings == ["unreadable"]
    big = image("PNG", size=(10_000, 5_001))
    assert len(big) < 1_000_000
    with pytest.raises(Refused, match="5000 万像素"):
        case_with(clock, big, "a.png")
    _, picture = case_with(clock, image("PNG"), "a.png")
    file_path(picture).write_bytes(big)  # as one that came in before uploads were measured
    with pytest.raises(Refused, match="5000 万像素"):
        ask_cover(picture, boxes=[BOX], by=clerk(), now=clock.at)
    assert not Covering.objects.exists()


def test_files_of_a_form_not_sent_are_not_looked_at(city: None, clock: Moment) -> None:
    store(SimpleUploadedFile("a.pdf", pdf("x")), intake_key=uuid.uuid4(), slot="1", by=clerk(), now=clock.at)
    assert covering.look_through(clock.at) == 0


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_suggested_place_covers_the_words_however_the_page_is_turned(city: None, clock: Moment, turned: int) -> None:
    case, upload = case_with(clock, pdf(f"of {NAME} here", turned=turned))
    found = covering.look(upload, case)
    assert len(found.boxes) == 1
    before = Image.open(io.BytesIO(covering.picture(upload, 1))).convert("L")
    done = ask_cover(upload, boxes=found.boxes, by=clerk(), now=clock.at)
    assert done.cover is not None
    after = Image.open(io.BytesIO(covering.picture(done.cover, 1))).convert("L")
    _, x, y, width, height = found.boxes[0]
    wide, high = before.size
    area = int(x * wide), int(y * high), int((x + width) * wide), int((y + height) * high)
    assert darkest(before.crop(area)) < 100  # the words
    inner = after.crop((area[0] + 3, area[1] + 3, area[2] - 3, area[3] - 3))
    assert inner.getextrema()[1] < 40  # type: ignore[operator]  # black all over
    rest = Image.new("L", before.size, 255)
    rest.paste(before)
    rest.paste(255, area)
    assert darkest(rest) < 128  # “of” and “here” are still there


def test_a_cover_has_no_text_and_no_properties(city: None, clock: Moment) -> None:
    case, upload = case_with(clock, pdf(f"of {NAME}", "second", title=NAME))
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert done.cover is not None
    assert (done.cover.covers_id, done.cover.case_material_id) == (upload.pk, upload.case_material_id)
    path = file_path(done.cover)
    document = pdfium.PdfDocument(path)
    assert len(document) == 2
    assert [page.get_size() for page in document] == [(600, 800), (600, 800)]
    assert [page.get_textpage().get_text_range() for page in document] == ["", ""]
    assert document.get_metadata_dict()["Title"] == ""
    assert NAME.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert covering.look(done.cover, case).kinds == ["unreadable"]


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.jpg"), ("PNG", "a.png")])
def test_a_covered_image_keeps_its_pixels_and_loses_its_properties(
    city: None, clock: Moment, kind: str, name: str
) -> None:
    _, upload = case_with(clock, image(kind, said=NAME), name)
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert done.cover is not None
    with Image.open(file_path(done.cover)) as made:
        assert made.size == (400, 300)
        assert not made.getexif()
        grey = made.convert("L")
        assert grey.getpixel((100, 40)) < 40  # type: ignore[operator]
        assert grey.getpixel((350, 250)) > 200  # type: ignore[operator]
    assert NAME.encode() not in file_path(done.cover).read_bytes()


def test_the_ledger_holds_digests_and_no_name(city: None, clock: Moment) -> None:
    case, upload = case_with(clock, pdf(NAME))
    done = ask_cover(upload, boxes=[BOX, BOX], by=clerk(), now=clock.at)
    entry = Entry.objects.get(stream=case.stream, act=CaseAct.FILE_REDACTED)
    assert done.cover is not None
    made = {"cover": done.cover.pk, "cover_digest": done.cover.digest, "places": 1}
    assert entry.data == made | {"file": upload.pk, "digest": upload.digest}


def test_before_acceptance_a_cover_is_taken_back_and_its_file_goes(
    city: None, clock: Moment, django_capture_on_commit_callbacks: Any
) -> None:
    case, upload = case_with(clock, pdf(NAME))
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert done.cover is not None
    path = file_path(done.cover)
    with django_capture_on_commit_callbacks(execute=True):
        discard_cover(upload, by=clerk(), now=clock.at)
    assert not path.exists()
    assert file_path(upload).exists()
    assert covering.live(upload) is None
    assert not Upload.objects.filter(covers=upload).exists()
    with pytest.raises(Refused, match="没有遮盖"):
        discard_cover(upload, by=clerk(), now=clock.at)


def test_after_acceptance_places_are_only_added(city: None, clock: Moment) -> None:
    case, upload = case_with(clock, pdf(NAME))
    ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    accept_case(case, by=clerk(), now=clock.at)
    with pytest.raises(Refused, match="不能撤销"):
        discard_cover(upload, by=clerk(), now=clock.at)
    again = ask_cover(upload, boxes=[[1, 0.1, 0.5, 0.2, 0.1]], by=clerk(), now=clock.at)
    assert again.boxes == [BOX, [1, 0.1, 0.5, 0.2, 0.1]]
    assert Upload.objects.filter(covers=upload).count() == 1


def test_a_file_has_one_cover_says_the_database(city: None, clock: Moment) -> None:
    _, upload = case_with(clock, pdf(NAME))
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert done.cover is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Upload.objects.create(
            case_material=upload.case_material, intake_key=upload.intake_key, path="x/1", original_name="x",
            content_type="x", extension="pdf", size=1, digest="x", uploaded_at=clock.at, covers=upload,
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Covering.objects.create(upload=upload, boxes=[BOX], asked_by=clerk(), asked_at=clock.at)


@pytest.mark.parametrize(
    ("boxes", "code"),
    [
        ([], "boxes-missing"),
        ([[2, 0.1, 0.1, 0.1, 0.1]], "box-off-page"),
        ([[1, 1.2, 0.1, 0.1, 0.1]], "box-off-page"),
        ([[1, 0.1, 0.1, 0.0001, 0.1]], "box-off-page"),
        ([[1, place / 1000, 0.1, 0.1, 0.1] for place in range(301)], "boxes-too-many"),
    ],
)
def test_places_must_lie_on_the_pages(city: None, clock: Moment, boxes: list[list[float]], code: str) -> None:
    _, upload = case_with(clock, pdf(NAME))
    with pytest.raises(Refused) as refused:
        ask_cover(upload, boxes=boxes, by=clerk(), now=clock.at)
    assert refused.value.code == code
    assert not Covering.objects.exists()


def test_many_pages_are_the_workers_and_nobody_blind_reads_the_file_meanwhile(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, upload = case_with(clock, pdf(*["page"] * 9))
    order = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert order.done_at is None
    case = accept_case(case, by=clerk(), now=clock.at)
    assert case.reviewer is not None
    reviewer = sign_in(case.reviewer.username)
    assert reviewer.get(reverse("file", args=[upload.pk])).status_code == 404
    assert draw_waiting(clock.at) == 1
    assert draw_waiting(clock.at) == 0
    assert reviewer.get(reverse("file", args=[upload.pk])).status_code == 404
    cover = Upload.objects.get(covers=upload)
    assert reviewer.get(reverse("file", args=[cover.pk])).status_code == 200


def test_a_file_left_open_says_why(city: None, clock: Moment) -> None:
    case, upload = case_with(clock, pdf(NAME))
    with pytest.raises(Refused, match="为什么不遮盖"):
        leave_open(upload, reason=" ", by=clerk(), now=clock.at)
    leave_open(upload, reason="名称是许可内容的一部分", by=clerk(), now=clock.at)
    upload.refresh_from_db()
    assert upload.left_reason == "名称是许可内容的一部分"
    assert Entry.objects.get(stream=case.stream, act=CaseAct.FILE_LEFT_OPEN).data == {"file": upload.pk}


# --- the window's page


def test_the_case_page_warns_beside_the_file(city: None, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case, upload = case_with(clock, pdf(NAME))
    covering.look_through(clock.at)
    page = sign_in("chuangkou1").get(reverse("window:case", args=[case.number])).content.decode()
    assert "这份材料里有申请人名称，审查人员会看到；请遮盖后再受理，或者说明理由。" in page
    assert reverse("window:cover", args=[upload.pk]) in page


def test_who_only_hands_out_gets_no_link_that_leads_nowhere(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, _ = case_with(clock, pdf(NAME))
    covering.look_through(clock.at)
    for number in (case.number, play.promising(clock.at, signed=False).number, play.deferring(clock.at).number):
        browser = sign_in("chujian1")
        page = browser.get(reverse("window:case", args=[number])).content.decode()
        assert "请遮盖后再受理" not in page
        links = set(re.findall(r'href="(/window/[^"#]*)"', page))
        assert links
        assert [link for link in links if browser.get(link).status_code == 404] == []


def test_the_tool_works_with_numbers_alone(city: None, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case, upload = case_with(clock, pdf(f"of {NAME}"))
    browser, url = sign_in("chuangkou1"), reverse("window:cover", args=[upload.pk])
    page = browser.get(url)
    assert "机器找到的，请核对" in page.content.decode()
    shown = browser.get(reverse("window:cover_picture", args=[upload.pk, 1]))
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert browser.get(reverse("window:cover_picture", args=[upload.pk, 2])).status_code == 404
    typed = {"act": "cover", "page": ["1", "1"], "x": ["10", ""], "y": ["x", ""], "w": ["20", ""], "h": ["5", ""]}
    refused = browser.post(url, typed)
    assert refused.status_code == 422
    assert "左、上、宽、高都要填数字" in refused.content.decode()
    assert 'value="20"' in refused.content.decode()
    assert browser.post(url, {"act": "cover"}).status_code == 422
    more = browser.post(url, typed | {"act": "more"})
    assert more.status_code == 200
    assert 'value="20"' in more.content.decode()
    done = browser.post(url, typed | {"y": ["10", ""]})
    assert done.status_code == 302
    assert covering.live(upload).boxes == [[1, 0.1, 0.1, 0.2, 0.05]]  # type: ignore[union-attr]
    assert "已遮盖 1 处" in browser.get(reverse("window:case", args=[case.number])).content.decode()
    again = browser.get(url).content.decode()
    assert "撤销遮盖" in again
    assert "打开遮盖件" in again
    assert browser.post(url, {"act": "discard"}).status_code == 302
    assert covering.live(upload) is None
    assert browser.post(url, {"act": "leave", "reason": ""}).status_code == 422
    assert browser.post(url, {"act": "leave", "reason": "必要"}).status_code == 302


def test_the_tool_is_the_windows_own(city: None, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case, upload = case_with(clock, pdf(NAME))
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    case = accept_case(case, by=clerk(), now=clock.at)
    assert case.reviewer is not None
    others = [case.reviewer.username, "zhujian.juedinga", "duban1", "chujian1", "dh.chuangkou1"]
    for username in filter(lambda name: User.objects.filter(username=name).exists(), others):
        browser = sign_in(username)
        for url in (reverse("window:cover", args=[upload.pk]), reverse("window:cover_picture", args=[upload.pk, 1])):
            assert browser.get(url).status_code == 404, username
    assert done.cover is not None
    assert sign_in("chuangkou1").get(reverse("window:cover", args=[done.cover.pk])).status_code == 404


def test_after_the_decision_the_original_is_read_again(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, upload = case_with(clock, pdf(NAME))
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert done.cover is not None
    case = accept_case(case, by=clerk(), now=clock.at)
    assert case.reviewer is not None
    give_opinion(case, approve=True, text="符合。", by=case.reviewer, now=clock.at)
    decide(case, approve=True, by=play.person("zhujian.juedinga"), now=clock.at)
    reviewer = sign_in(case.reviewer.username)
    assert reviewer.get(reverse("file", args=[upload.pk])).status_code == 200
    assert reviewer.get(reverse("file", args=[done.cover.pk])).status_code == 404
    with pytest.raises(Refused, match="不再需要遮盖"):
        ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)


# --- trade names


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("连云港鸿雁高飞置业有限公司", "鸿雁高飞"),
        ("江苏连云港市鸿雁物流集团有限公司", "鸿雁"),
        ("连云港海州湾置业有限公司（演示）", "海州湾"),
        ("东海县晶都大酒店", "晶都大"),
        ("张三", ""),
        ("欧阳娜娜", ""),
        ("连云港市公司", ""),
    ],
)
def test_a_trade_name_is_what_is_the_companys_own(name: str, core: str) -> None:
    assert trade_name(name) == core


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("鸿雁高飞的三栋楼", True),
        ("鸿 雁 高 飞 项目", True),
        ("鸿雁路 12 号", False),
        ("高飞小区", False),
    ],
)
def test_a_long_trade_name_betrays_by_itself(text: str, told: bool) -> None:
    assert betrays(text, ["连云港鸿雁高飞置业有限公司"]) is told


@pytest.mark.parametrize(
    ("text", "told"), [("海州湾畔的三栋楼", False), ("海州湾公司的三栋楼", True), ("海州湾置业", True)]
)
def test_a_short_trade_name_betrays_only_as_a_companys(text: str, told: bool) -> None:
    assert betrays(text, ["连云港海州湾置业有限公司（演示）"]) is told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("海悦轩已备齐灭火器", True),
        ("海 悦-轩", True),
        ("海\u200b悦\u200b轩", True),
        ("海悅軒", True),
        ("Hai Yue Xuan 餐厅", True),
        ("ｈａｉｙｕｅｘｕａｎ", True),
        ("联系人司徒 鸿雁在场", True),
        ("电话一三八零零一三八〇〇〇", True),
        ("１３８ ００１３-８０００", True),
        ("9132 0700 MA1K GC82 TX", True),
        ("海边的餐厅，面积 120 平方米", False),
        ("餐饮服务场所", False),
    ],
)
def test_a_machine_sees_through_what_is_easily_written_otherwise(text: str, told: bool) -> None:
    known = ["连云港海悦轩餐饮有限公司", "91320700MA1KGC82TX", "13800138000", "司徒鸿雁"]
    assert betrays(text, known) is told


def test_a_trade_name_of_two_characters_is_only_warned_of() -> None:
    assert not betrays("云台路 1 号", ["连云港云台物流有限公司"])
    assert "与申请人的字号相同" in may_betray("云台路 1 号", ["连云港云台物流有限公司"])
    assert may_betray("海州区某路", ["连云港云台物流有限公司"]) == ""


def test_the_contacts_name_is_refused_at_the_window_and_in_what_the_office_writes(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    page = sign_in("chuangkou1").post(
        reverse("window:intake", args=[play.item().code]),
        window.filled(play.item(), contact_name="司徒鸿雁", content="由司徒鸿雁经办"),
    )
    assert page.status_code == 422
    assert "联系人或电话" in page.content.decode()
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    with pytest.raises(Refused, match="联系人或电话"):
        give_opinion(case, approve=True, text=f"已与{case.contact_name}核实", by=case.reviewer, now=clock.at)


# --- acceptance waits


def accept_at_the_window(browser: Client, case: Case) -> str:
    return browser.post(reverse("window:case", args=[case.number]), {"act": "accept"}, follow=True).content.decode()


def test_acceptance_waits_until_what_tells_is_covered_or_left_with_a_reason(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, upload = case_with(clock, pdf(NAME))
    browser = sign_in("chuangkou1")
    assert "请逐份遮盖，或者说明不遮盖的理由" in accept_at_the_window(browser, case)
    upload.refresh_from_db()
    assert (upload.findings, upload.looked_at) == (["name"], clock.at), "the acceptance looked by itself"
    assert Case.objects.get(pk=case.pk).status == "submitted"
    done = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    discard_cover(upload, by=clerk(), now=clock.at)
    with pytest.raises(Refused, match="遮盖") as refused:
        accept_case(case, by=clerk(), now=clock.at)
    assert refused.value.code == "files-uncovered"
    assert done.cover is not None
    leave_open(upload, reason="名称是许可内容的一部分", by=clerk(), now=clock.at)
    accept_at_the_window(browser, case)
    assert Case.objects.get(pk=case.pk).status == "in_review"


def test_a_covered_file_is_accepted(city: None, clock: Moment) -> None:
    case, upload = case_with(clock, pdf("nothing", title=NAME))
    with pytest.raises(Refused):
        accept_case(case, by=clerk(), now=clock.at)
    ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    assert accept_case(case, by=clerk(), now=clock.at).status == "in_review"


def test_what_is_too_much_to_look_at_on_the_spot_is_said_and_waited_for(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, upload = case_with(clock, pdf("nothing"))
    Upload.objects.filter(pk=upload.pk).update(size=covering.BYTES_NOW + 1)
    browser = sign_in("chuangkou1")
    page = browser.get(reverse("window:case", args=[case.number])).content.decode()
    assert "正在检查有没有申请人信息" in page
    assert "请稍候再受理" in accept_at_the_window(browser, case)
    covering.look_through(clock.at)
    accept_at_the_window(browser, case)
    assert Case.objects.get(pk=case.pk).status == "in_review"


def test_received_and_accepted_in_one_press_stays_received_where_a_file_tells(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    browser, item = sign_in("chuangkou1"), play.item()
    slot = window.slots(item)[0]
    data = window.filled(item, identifier=CODE, name=NAME) | {
        f"file-{slot}": SimpleUploadedFile("a.pdf", pdf(NAME), "application/pdf")
    }
    page = browser.post(reverse("window:intake", args=[item.code]), data, follow=True).content.decode()
    case = Case.objects.get()
    assert case.status == "submitted"
    assert "还没有受理" in page
    assert "请逐份遮盖" in page
    assert browser.post(reverse("window:intake", args=[item.code]), data).status_code == 302, "one form is one case"
    assert Case.objects.count() == 1


@pytest.mark.parametrize("content", [lambda: pdf("nothing", picture=True), lambda: ofd("nothing", scan=True)])
def test_the_page_of_the_cover_says_what_the_list_says_of_a_file_that_cannot_be_read(
    city: None, clock: Moment, sign_in: Callable[[str], Client], content: Callable[[], bytes]
) -> None:
    made = content()
    case, upload = case_with(clock, made, "a.pdf" if made.startswith(b"%PDF") else "a.ofd")
    covering.look_through(clock.at)
    browser = sign_in("chuangkou1")
    for url in (reverse("window:case", args=[case.number]), reverse("window:cover", args=[upload.pk])):
        page = browser.get(url).content.decode()
        assert "机器看不出里面有没有申请人信息" in page
        assert "没有找到申请人信息" not in page


def test_a_second_drawing_of_one_order_is_thrown_away(city: None, clock: Moment, settings: Settings) -> None:
    _, upload = case_with(clock, pdf(*["page"] * 9))
    order = ask_cover(upload, boxes=[BOX], by=clerk(), now=clock.at)
    first, second = carry_out(order, now=clock.at), carry_out(order, now=clock.at)
    assert first.cover_id == second.cover_id
    assert Upload.objects.filter(covers=upload).count() == 1
    stored = [path for path in Path(settings.UPLOAD_ROOT).rglob("*") if path.is_file()]
    assert len(stored) == 2
