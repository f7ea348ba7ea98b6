"""What the window's tests share: files of every kind, and an intake form filled in."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from approvals.actions.intake import checklist, is_letter, slot_of
from approvals.enums import MaterialState, Way
from catalogue.models import BusinessItem
from oversight.demo.cases import COMPANIES, code_of

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def picture(kind: str) -> bytes:
    """A small white picture."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, kind)
    return out.getvalue()


JPEG, PNG = picture("JPEG"), picture("PNG")
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\x00" * 256
HTML = b"<html><script>alert(1)</script></html>"


def archive(*names: str) -> bytes:
    """A zip archive with empty members of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name in names:
            out.writestr(zipfile.ZipInfo(name), "x")  # a date of its own would change the test's name
    return buffer.getvalue()


OFD = archive("OFD.xml", "Doc_0/Document.xml")
DOCX = archive("[Content_Types].xml", "word/document.xml")


def file(content: bytes = PDF, name: str = "营业执照.pdf", content_type: str = "application/pdf") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content, content_type)


def slots(item: BusinessItem, way: str = Way.ORDINARY, modes: Sequence[str] = ()) -> list[str]:
    """The slots of the required lines that must come in: neither deferred nor signed."""
    lines = [line for line in checklist(item, way, modes) if line.required and line.state == MaterialState.MISSING]
    return [slot_of(line) for line in lines if not is_letter(line)]


def filled(item: BusinessItem, **changes: Any) -> dict[str, Any]:
    """A complete intake form; ``changes`` replace fields, None removes one."""
    stem, name = COMPANIES[0]
    data: dict[str, Any] = {
        "intake_key": str(uuid.uuid4()),
        "subject_kind": "organisation",
        "identifier": code_of(stem),
        "name": name,
        "contact_name": "演示联系人",
        "contact_phone": "10000990001",
        "content": "海州区某路 1 号",
        "way": "ordinary",
        "act": "accept",
        **{f"m-{slot}": "provided" for slot in slots(item)},
    }
    data |= changes
    return {name: value for name, value in data.items() if value is not None}


def text_of(response: Any) -> str:
    """The page's HTML."""
    return str(response.content.decode())


def body(response: Any) -> bytes:
    """What a streamed answer holds."""
    return b"".join(response.streaming_content)


def value_of(html: str, name: str) -> str:
    """What a field named ``name`` holds on the page."""
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', html)
    found = re.search(r'value="([^"]*)"', tag.group()) if tag else None
    return found.group(1) if found else ""


def htmx(browser: Client, url: str, data: dict[str, Any]) -> Any:
    """Post as htmx does."""
    return browser.post(url, data, headers={"HX-Request": "true"})
