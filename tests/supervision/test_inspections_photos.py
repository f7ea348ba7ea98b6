"""Photos of inspections: by content, each once, joined to their record, read by permission, swept when never sent."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from ledger.models import Entry
from supervision import photos
from supervision.models import Inspection, Photo, SupervisionTask
from supervision.tasks import discard_photos
from tests.approvals import play
from tests.approvals.window import PDF
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
JSON = {"Accept": "application/json"}


def picture(content: bytes = field.JPEG, name: str = "IMG_1.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def send(
    browser: Client, task: SupervisionTask, draft: str, key: str = "", **files: SimpleUploadedFile
) -> HttpResponse:
    data = {"draft_key": draft, "client_key": key or str(uuid.uuid4()), "finding": "activity-activity"}
    address = reverse("tasks:photo_upload", args=[task.number])
    return browser.post(address, data | (files or {"file": picture()}), headers=JSON)  # type: ignore[return-value]


def kept(answer: HttpResponse) -> dict[str, str]:
    found: dict[str, str] = answer.json()  # type: ignore[attr-defined]
    return found


def test_a_photo_comes_once_and_joins_its_record(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    data = field.sheet(task, clock.at)
    key = str(uuid.uuid4())
    answers = [send(browser, task, data["client_key"], key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert Photo.objects.count() == 1
    left = kept(send(browser, task, data["client_key"]))  # taken, then taken out of the draft
    answer = browser.post(reverse("tasks:inspect", args=[task.number]), data | {"photos": [key]}, headers=JSON)
    assert answer.status_code == 200
    one = Inspection.objects.get(task=task)
    photo = one.photos.get()
    assert str(photo.client_key) == key
    assert photos.file_path(photo).read_bytes() == field.JPEG
    assert photo.path.count(photo.digest) == 0
    assert Photo.objects.get(client_key=left["client_key"]).inspection is None
    late = send(browser, task, data["client_key"])
    assert (late.status_code, kept(late)["code"]) == (409, "inspection-sent")
    again = browser.post(reverse("tasks:inspect", args=[task.number]), data | {"photos": [key]}, headers=JSON)
    assert again.content == answer.content


def test_a_record_waits_for_photos_that_it_names(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    data = field.sheet(task, clock.at, photos=[str(uuid.uuid4())])
    answer = browser.post(reverse("tasks:inspect", args=[task.number]), data, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["code"] == "photos-missing"
    assert not Inspection.objects.exists()


def huge() -> bytes:
    """A small file of more pixels than anything can show."""
    out = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(out, "PNG")
    return out.getvalue()


TRICKS = [
    ("shell.jpg", b"MZ\x90\x00" + b"\x00" * 200, "upload-kind"),
    ("page.png", b"<html><script>alert(1)</script></html>", "upload-kind"),
    ("vector.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "upload-kind"),
    ("anim.jpg", b"GIF89a" + b"\x00" * 64, "upload-kind"),
    ("zip.jpg", b"PK\x03\x04" + b"\x00" * 64, "upload-kind"),
    ("nothing.jpg", b"", "upload-empty"),
    ("head.png", field.PNG[:20], "upload-broken"),
    ("cut.png", field.PNG[:-20], "upload-broken"),
    ("cut.jpg", field.JPEG[:-60], "upload-broken"),
    ("cut.pdf", PDF[: len(PDF) // 3], "upload-broken"),
    ("huge.png", huge(), "upload-pixels"),
]


@pytest.mark.parametrize(("name", "content", "code"), TRICKS, ids=[name for name, *_ in TRICKS])
def test_what_only_looks_like_a_photo(
    city: None, clock: Moment, sign_in: SignIn, name: str, content: bytes, code: str
) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    answer = send(browser, task, str(uuid.uuid4()), file=picture(content, name))
    assert answer.status_code == 422
    assert kept(answer)["code"] == code
    assert not Photo.objects.exists()


def test_the_type_is_what_the_content_says(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    answer = send(browser, task, str(uuid.uuid4()), file=picture(field.PNG, "../../etc/x.html", "text/html"))
    assert answer.status_code == 201
    photo = Photo.objects.get()
    assert (photo.content_type, photo.extension) == ("image/png", "png")
    shown = browser.get(reverse("tasks:photo", args=[task.number, photo.pk]))
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


def test_too_big_and_too_many(city: None, clock: Moment, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    draft = str(uuid.uuid4())
    monkeypatch.setattr(settings, "UPLOAD_MAX_BYTES", len(field.JPEG))
    answer = send(browser, task, draft, file=picture(field.JPEG + b"\x00" * 200))
    assert kept(answer)["code"] == "upload-too-big"
    monkeypatch.setattr(photos, "MOST", 2)
    codes = [send(browser, task, draft).status_code for _ in range(3)]
    assert codes == [201, 201, 422]


def test_a_plain_form_keeps_its_photos_when_it_is_refused(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    address = reverse("tasks:inspect", args=[task.number])
    data = field.sheet(task, clock.at)
    first = field.names(task)[0]
    files = {f"photo-{first}": picture(), "photo-all": picture(field.PNG, "全景.png")}
    back = browser.post(address, data | files | {"summary": ""})
    assert back.status_code == 422
    html = back.content.decode()
    held = list(Photo.objects.order_by("id").values_list("client_key", flat=True))
    assert len(held) == 2
    for key in held:
        assert f'value="{key}" checked' in html
    # The same files again, and the same form twice: still two photos, one record.
    again = {f"photo-{first}": picture(), "photos": [str(key) for key in held]}
    for _ in range(2):
        assert browser.post(address, data | again).status_code == 302
        again[f"photo-{first}"] = picture()
    one = Inspection.objects.get(task=task)
    assert sorted(one.photos.values_list("finding_key", flat=True)) == ["", first]
    assert Photo.objects.count() == 2
    bad = browser.post(address, field.sheet(task, clock.at) | {"photo-all": picture(b"MZ" + b"\x00" * 300)})
    assert "内容不是 JPG、PNG 或 PDF" in bad.content.decode()


def test_photos_are_read_by_permission_and_leave_a_trace(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    manager = some.manager_of(task)
    browser = sign_in(manager)
    data = field.sheet(task, clock.at)
    key = kept(send(browser, task, data["client_key"]))["client_key"]
    address = reverse("tasks:photo", args=[task.number, Photo.objects.get().pk])
    head = f"{manager.split('.')[0]}.fuzeren"
    assert sign_in(head).get(address).status_code == 404  # a draft's photo is its maker's own
    assert browser.get(address).status_code == 200
    browser.post(reverse("tasks:inspect", args=[task.number]), data | {"photos": [key]})
    answer = sign_in(head).get(address)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == field.JPEG  # type: ignore[attr-defined]
    entry = Entry.objects.filter(stream=task.stream, act="case.file_opened").latest("seq")
    assert (entry.actor, entry.data["photo"]) == (play.person(head), Photo.objects.get().pk)
    shown = browser.get(reverse("tasks:inspection", args=[task.number, 1])).content.decode()
    assert address in shown
    other = field.ready(clock.at)
    assert (
        sign_in(some.manager_of(other))
        .get(reverse("tasks:photo", args=[other.number, Photo.objects.get().pk]))
        .status_code
        == 404
    )
    for name in ("chuangkou1", "zhujian.shenchaa", "jijian1"):
        assert sign_in(name).get(address).status_code == 404
    Photo.objects.update(path="zz/lost")
    lost = browser.get(address)
    assert lost.status_code == 404
    assert "照片没有找到" in lost.content.decode()


def test_a_key_of_another_draft_is_refused(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    key = str(uuid.uuid4())
    assert send(sign_in(some.manager_of(task)), task, str(uuid.uuid4()), key).status_code == 201
    answer = send(sign_in(f"{some.manager_of(task)}fu"), task, str(uuid.uuid4()), key)
    assert (answer.status_code, kept(answer)["code"]) == (409, "photo-key-used")


def test_photos_never_sent_are_swept_after_thirty_days(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    data = field.sheet(task, clock.at)
    key = kept(send(browser, task, data["client_key"]))["client_key"]
    browser.post(reverse("tasks:inspect", args=[task.number]), data | {"photos": [key]})
    send(browser, task, str(uuid.uuid4()))
    left = Photo.objects.get(inspection__isnull=True)
    path = photos.file_path(left)
    clock.at = clock.at + dt.timedelta(days=30)
    discard_photos()
    assert path.exists()
    clock.at = clock.at + dt.timedelta(minutes=1)
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        discard_photos()
    discard_photos()
    assert not path.exists()
    assert [str(one.client_key) for one in Photo.objects.all()] == [key]


def test_a_photo_is_of_what_is_asked_and_of_a_time_that_can_be(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at, promise=True)
    browser = sign_in(some.manager_of(task))
    address = reverse("tasks:photo_upload", args=[task.number])

    def sent(**said: str) -> HttpResponse:
        data = {"draft_key": str(uuid.uuid4()), "client_key": str(uuid.uuid4()), "finding": "", "file": picture()}
        return browser.post(address, data | said, headers=JSON)  # type: ignore[return-value]

    for strange in ("'; drop", "clause-99", "point-none", "all"):
        back = sent(finding=strange)
        assert (back.status_code, kept(back)["code"]) == (422, "photo-finding"), strange
    for moment in ("0001-02-01T00:00:00+08:00", "2025-09-01T10:00:00+08:00", "2026-09-30T10:00:00+08:00"):
        back = sent(taken_at=moment)
        assert back.status_code == 422, moment
    assert kept(sent(taken_at="2025-09-01T10:00:00+08:00"))["code"] == "photo-time"
    assert not Photo.objects.exists()
    for name in ("", "clause-1", "activity-activity", "point-p1"):
        assert sent(finding=name, taken_at="2026-09-28T10:30:00+08:00").status_code == 201, name
