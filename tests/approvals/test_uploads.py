"""Files: judged by content, stored out of reach, shown to nobody but those who work on the case."""

from __future__ import annotations

import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from approvals import uploads
from approvals.actions import accept_case
from approvals.actions.intake import add_materials
from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case, Upload
from approvals.tasks import discard_abandoned
from approvals.upload_handler import CappedUploadHandler
from ledger.hashing import sm3
from ledger.models import Entry
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings: Settings, tmp_path: Path) -> Path:
    """A store of the test's own."""
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    return tmp_path / "uploads"


def keep(content: bytes, name: str, clock: Moment, slot: str = "promise", key: uuid.UUID | None = None) -> Upload:
    clerk = play.person("chuangkou1")
    return uploads.store(window.file(content, name), intake_key=key or uuid.uuid4(), slot=slot, by=clerk, now=clock.at)


@pytest.mark.parametrize(
    ("content", "name", "content_type", "extension"),
    [
        (window.PDF, "a.pdf", "application/pdf", "pdf"),
        (window.JPEG, "照片.JPG", "image/jpeg", "jpg"),
        (window.PNG, "图.png", "image/png", "png"),
        (window.OFD, "文件.ofd", "application/ofd", "ofd"),
        (window.PDF, "改名.exe", "application/pdf", "pdf"),
    ],
)
def test_a_file_is_what_its_content_says(
    city: None, clock: Moment, store: Path, content: bytes, name: str, content_type: str, extension: str
) -> None:
    upload = keep(content, name, clock)
    assert (upload.content_type, upload.extension, upload.size) == (content_type, extension, len(content))
    assert upload.digest == sm3(content)
    path = store / upload.path
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{40}", upload.path)


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (window.EXE, "营业执照.pdf", "upload-kind", "不是 PDF、JPG、PNG 或 OFD"),
        (window.HTML, "a.png", "upload-kind", "不是 PDF"),
        (window.DOCX, "a.ofd", "upload-kind", "不是 PDF"),
        (window.OFD[:40], "坏的.ofd", "upload-kind", "不是 PDF"),
        (b"", "空.pdf", "upload-empty", "是空文件"),
    ],
)
def test_other_files_are_refused_in_words(
    city: None, clock: Moment, store: Path, content: bytes, name: str, code: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        keep(content, name, clock)
    assert refused.value.code == code
    assert words in refused.value.message
    assert name in refused.value.message
    assert not Upload.objects.exists()
    assert not [path for path in store.rglob("*") if path.is_file()]


def test_a_file_over_the_limit_is_refused_and_does_not_fill_the_disk(
    city: None, clock: Moment, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 1024
    with pytest.raises(Refused, match="超过") as refused:
        keep(window.PDF + b"0" * 2000, "大.pdf", clock)
    assert refused.value.code == "upload-too-big"
    handler = CappedUploadHandler()
    assert isinstance(handler, TemporaryFileUploadHandler)
    handler.new_file("file", "大.pdf", "application/pdf", 0)
    for _ in range(10):
        handler.receive_data_chunk(b"0" * 1000, 0)
    file = handler.file_complete(10_000)
    assert file is not None
    assert file.size == 10_000
    assert len(file.read()) == 2000


def test_a_store_that_cannot_be_written_says_so_and_leaves_nothing(
    city: None, clock: Moment, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.parent.mkdir(exist_ok=True)
    store.write_text("not a folder")
    with pytest.raises(Refused) as refused:
        keep(window.PDF, "a.pdf", clock)
    assert refused.value.code == "upload-not-stored"
    assert not Upload.objects.exists()


def test_a_file_can_be_taken_back_until_its_form_is_sent(city: None, clock: Moment, store: Path) -> None:
    key = uuid.uuid4()
    upload = keep(window.PDF, "a.pdf", clock, key=key)
    assert not uploads.discard(upload.pk, intake_key=uuid.uuid4())
    assert Upload.objects.filter(pk=upload.pk).exists()
    case = with_file(clock)
    attached = Upload.objects.get(case_material__case=case)
    assert not uploads.discard(attached.pk, intake_key=case.intake_key)


def test_taking_a_file_back_removes_it_from_the_disk(
    city: None, clock: Moment, store: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    key = uuid.uuid4()
    upload = keep(window.PDF, "a.pdf", clock, key=key)
    with django_capture_on_commit_callbacks(execute=True):
        assert uploads.discard(upload.pk, intake_key=key)
    assert not (store / upload.path).exists()


def with_file(clock: Moment, content: bytes = window.PDF, name: str = "海州湾置业 营业执照.pdf") -> Case:
    """An accepted case with one file."""
    case = play.received(clock.at, complete=False)
    line = case.materials.filter(state="missing", required=True).order_by("order")[0]
    upload = keep(content, name, clock, slot=str(line.material_id), key=case.intake_key)
    add_materials(case, provided={}, by=play.person("chuangkou1"), now=clock.at)
    upload.refresh_from_db()
    assert upload.case_material_id == line.pk
    return accept_case(case, by=play.person("chuangkou1"), now=clock.at)


def url(case: Case) -> str:
    return reverse("file", args=[Upload.objects.get(case_material__case=case).pk])


def test_the_window_gets_its_file_inline_and_disarmed(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = with_file(clock)
    answer = sign_in("chuangkou2").get(url(case))
    assert answer.status_code == 200
    assert window.body(answer) == window.PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"].startswith("inline")


def test_what_browsers_do_not_show_comes_as_a_download(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = with_file(clock, window.OFD, "a.ofd")
    assert sign_in("chuangkou1").get(url(case))["Content-Disposition"].startswith("attachment")


def test_the_reviewer_gets_a_neutral_name_and_leaves_a_trace(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = with_file(clock)
    assert case.reviewer is not None
    answer = sign_in(case.reviewer.username).get(url(case))
    assert answer.status_code == 200
    upload = Upload.objects.get(case_material__case=case)
    assert (
        upload.neutral_name.encode("ascii", "ignore").decode() in answer["Content-Disposition"]
        or "filename*" in (answer["Content-Disposition"])
    )
    assert "%E6%B5%B7%E5%B7%9E" not in answer["Content-Disposition"]  # 海州
    entry = Entry.objects.get(stream=case.stream, act=CaseAct.FILE_OPENED)
    assert (entry.actor_id, entry.data["digest"]) == (case.reviewer_id, upload.digest)


def test_nobody_else_finds_a_file(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = with_file(clock)
    assert case.reviewer is not None
    stem = case.reviewer.username.removesuffix("a").removesuffix("b")
    other = "b" if case.reviewer.username.endswith("a") else "a"
    for username in ("donghai.chuangkou1", f"{stem}{other}", "zhujian.chushi", "duban1", "jijian1"):
        assert sign_in(username).get(url(case)).status_code == 404, username
    assert Client().get(url(case)).status_code == 302


def test_a_file_of_an_unsent_form_belongs_to_its_uploader(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    window_clerk, colleague = sign_in("chuangkou1"), sign_in("chuangkou2")
    address = reverse("file", args=[keep(window.PDF, "a.pdf", clock).pk])
    assert window_clerk.get(address).status_code == 200
    assert colleague.get(address).status_code == 404


def test_a_file_that_the_store_lost_is_not_found(clock: Moment, sign_in: Callable[[str], Client], store: Path) -> None:
    case = with_file(clock)
    uploads.file_path(Upload.objects.get(case_material__case=case)).unlink()
    assert sign_in("chuangkou1").get(url(case)).status_code == 404


def test_files_of_a_form_that_nobody_sent_go_after_a_week(
    city: None, clock: Moment, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    left = keep(window.PDF, "a.pdf", clock)
    path = uploads.file_path(left)
    discard_abandoned()
    assert path.exists()
    clock.to("2026-10-06 10:00")
    with django_capture_on_commit_callbacks(execute=True):
        discard_abandoned()
    assert not path.exists()
    assert not Upload.objects.filter(pk=left.pk).exists()
