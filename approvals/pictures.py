"""Looks into files that strangers made, in a process of its own: without Django and without the database.

``python -m approvals.pictures`` reads one question as JSON from its input (never from its arguments, which others can
list) and answers on its output. It limits its own memory and time, so that a file made to break its reader breaks this
process and nothing else. Boxes are ``[page, x, y, width, height]``: pages from 1, the rest shares of the page as shown,
from its upper left corner.
"""

from __future__ import annotations

import ctypes
import html
import io
import json
import math
import re
import resource
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
from PIL import Image, ImageDraw, ImageOps
from pypdfium2 import raw

MOST_PAGES = 80
MOST_PIXELS = 50_000_000  # an A3 page at 400 dpi has 31 million
MOST_TEXT = 40 * 1024 * 1024  # bytes of text unpacked from one OFD file
MOST_RESULT = 120 * 1024 * 1024
MEMORY, SECONDS = 1536 * 1024 * 1024, 120
LONGEST_SIDE = 2200  # of a covered page, in pixels: A4 at 190 dpi
LOOK_SIDE = 1400  # of the picture on which the boxes are drawn
SHARPEST = 200 / 72
GRID = 100_000
NEAR = 0.03  # of the page
XML_TAG = re.compile(r"<[^>]*>")
UNREADABLE = "unreadable"


class Unusable(Exception):  # noqa: N818 - reads as what the file is
    """The file cannot be opened, or goes over a limit; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def plain(text: str) -> tuple[str, list[int]]:
    """Return ``text`` as ``credit.identifiers.normalise`` does, and for each character its place in ``text``."""
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for one in unicodedata.normalize("NFKC", char):
            if one.isalnum():
                upper = one.upper()
                letters.append(upper)
                places += [place] * len(upper)
    return "".join(letters), places


def kinds_in(text: str, words: dict[str, list[str]]) -> set[str]:
    """The kinds of which a word stands in ``text``."""
    found, _ = plain(text)
    return {kind for kind, known in words.items() if any(word and word in found for word in known)}


# --- PDF


def _open(path: str) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(path)
        pages = len(document)
    except pdfium.PdfiumError as error:
        raise Unusable("unopened") from error
    if not pages:
        raise Unusable("unopened")
    if pages > MOST_PAGES:
        raise Unusable("too-many-pages")
    return document


def _spread(page: pdfium.PdfPage, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Turn left, bottom, right, top in the page's own points into shares of the page as shown, however it is turned."""
    x, y = ctypes.c_int(), ctypes.c_int()
    seen = []
    for left, bottom in ((box[0], box[1]), (box[2], box[3])):
        raw.FPDF_PageToDevice(page, 0, 0, GRID, GRID, 0, left, bottom, x, y)
        seen.append((x.value / GRID, y.value / GRID))
    (x0, y0), (x1, y1) = seen
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _joined(boxes: list[tuple[float, float, float, float]]) -> Iterator[tuple[float, float, float, float]]:
    """Join the boxes of characters that stand side by side, in whatever direction the line runs."""
    whole: tuple[float, float, float, float] | None = None
    last = whole
    for box in boxes:
        if whole is not None and last is not None and _beside_each_other(last, box):
            whole = min(whole[0], box[0]), min(whole[1], box[1]), max(whole[2], box[2]), max(whole[3], box[3])
        else:
            if whole is not None:
                yield whole
            whole = box
        last = box
    if whole is not None:
        yield whole


def _beside_each_other(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two characters are no further from each other than a few blanks."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    return across < NEAR and down < NEAR and min(across, down) < 0


def _marks(page: pdfium.PdfPage, number: int, words: dict[str, list[str]]) -> tuple[set[str], list[list[float]], bool]:
    """What stands in the text of a page, where, and whether there is any text at all."""
    text = page.get_textpage()
    count = text.count_chars()
    chars = [raw.FPDFText_GetUnicode(text, place) for place in range(count)]
    letters, places = plain("".join(chr(char) if 0 < char < 0x110000 else " " for char in chars))
    kinds: set[str] = set()
    boxes: list[list[float]] = []
    for kind, known in words.items():
        for word in filter(None, known):
            start = letters.find(word)
            while start >= 0:
                kinds.add(kind)
                own = dict.fromkeys(places[start : start + len(word)])
                for x0, y0, x1, y1 in _joined([_spread(page, text.get_charbox(place, loose=True)) for place in own]):
                    left, top = max(0.0, x0 - 0.006), max(0.0, y0 - 0.004)
                    width, height = min(1.0, x1 + 0.006) - left, min(1.0, y1 + 0.004) - top
                    boxes.append([number, *(round(value, 4) for value in (left, top, width, height))])
                start = letters.find(word, start + len(word))
    return kinds, [box for box in boxes if not any(_holds(other, box) for other in boxes)], bool(letters)


def _holds(outer: list[float], inner: list[float]) -> bool:
    """Whether a larger box covers a smaller one: a short name inside the whole one needs no box of its own."""
    if outer == inner:
        return False
    _, x, y, width, height = inner
    _, left, top, wide, high = outer
    return left <= x and top <= y and x + width <= left + wide + 1e-6 and y + height <= top + high + 1e-6


def _elsewhere(document: pdfium.PdfDocument) -> str:
    """The words of a PDF that stand on no page: its properties, bookmarks, names of attachments."""
    said = list(document.get_metadata_dict().values())
    said += [mark.get_title() for mark in document.get_toc()]
    said += [document.get_attachment(place).get_name() for place in range(document.count_attachments())]
    return "\n".join(said)


def _notes(page: pdfium.PdfPage) -> str:
    """The words in the annotations and form fields of a page, which belong to no text layer."""
    said = []
    for place in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, place)
        if not note:
            continue
        for key in (b"Contents", b"V", b"T", b"DA", b"Subj"):
            size = raw.FPDFAnnot_GetStringValue(note, key, None, 0)
            if 2 < size < 200_000:
                buffer = ctypes.create_string_buffer(size)
                raw.FPDFAnnot_GetStringValue(note, key, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
                said.append(buffer.raw[:size].decode("utf-16-le", errors="replace"))
        raw.FPDFPage_CloseAnnot(note)
    return "\n".join(said)


def _read_pdf(path: str, words: dict[str, list[str]]) -> dict[str, Any]:
    document = _open(path)
    kinds, boxes, pages = kinds_in(_elsewhere(document), words), [], []
    for number, page in enumerate(document, start=1):
        found, places, has_text = _marks(page, number, words)
        kinds |= found | kinds_in(_notes(page), words)
        boxes += places
        if not has_text or any(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)):
            kinds.add(UNREADABLE)
        pages.append([round(side, 1) for side in page.get_size()])
        page.close()
    return {"kinds": sorted(kinds), "boxes": boxes, "pages": pages}


def _drawn(page: pdfium.PdfPage, side: int) -> Image.Image:
    """A page as a picture whose longer side has at most ``side`` pixels."""
    longest = max(page.get_size())
    if longest <= 0:
        raise Unusable("unopened")
    scale = min(SHARPEST, side / longest)
    drawn: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
    return drawn


# --- images


def _picture(path: str) -> Image.Image:
    """An image as people see it: upright, without anything but its pixels."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as found:
            if found.width * found.height > MOST_PIXELS:
                raise Unusable("too-many-pixels")
            found.load()
            turned = ImageOps.exif_transpose(found)
            clean = Image.new("RGB", turned.size, "white")
            clean.paste(turned.convert("RGBA"), mask=turned.convert("RGBA").getchannel("A"))
            return clean
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Unusable("unopened") from error


def _read_image(path: str, words: dict[str, list[str]]) -> dict[str, Any]:
    """Look at what an image says beside its pixels."""
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as found:
            if found.width * found.height > MOST_PIXELS:
                raise Unusable("too-many-pixels")
            said = [_text(value) for value in found.info.values()]
            exif = found.getexif()
            for part in (exif, exif.get_ifd(0x8769), exif.get_ifd(0x8825)):
                said += [_text(value) for value in part.values()]
            width, height = ImageOps.exif_transpose(found).size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Unusable("unopened") from error
    return {"kinds": sorted(kinds_in("\n".join(said), words) | {UNREADABLE}), "boxes": [], "pages": [[width, height]]}


def _text(value: Any) -> str:
    """What a field of a file may say: bytes are read the ways in which cameras and Windows write them."""
    if not isinstance(value, bytes):
        return str(value)
    return "\n".join(value.decode(code, errors="ignore") for code in ("utf-8", "utf-16-le", "gb18030"))


# --- OFD (GB/T 33190): a zip of XML


def _read_ofd(path: str, words: dict[str, list[str]]) -> dict[str, Any]:
    kinds: set[str] = set()
    left = MOST_TEXT
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = entry.filename.lower()
                if name.endswith((".png", ".jpg", ".jpeg", ".bmp", ".jb2", ".tif", ".tiff", ".gif")):
                    kinds.add(UNREADABLE)
                if not name.endswith(".xml"):
                    continue
                with archive.open(entry) as stream:
                    said = stream.read(left + 1)
                left -= len(said)
                if left < 0:
                    raise Unusable("too-large")
                kinds |= kinds_in(html.unescape(XML_TAG.sub("", said.decode(errors="replace"))), words)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise Unusable("unopened") from error
    return {"kinds": sorted(kinds), "boxes": [], "pages": []}


# --- the questions


def read(path: str, kind: str, words: dict[str, list[str]]) -> dict[str, Any]:
    """What a machine finds in the file: ``kinds``, ``boxes`` around it, ``pages`` with their sizes."""
    if kind == "pdf":
        return _read_pdf(path, words)
    return _read_ofd(path, words) if kind == "ofd" else _read_image(path, words)


def read_each(files: list[dict[str, str]], words: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The answer of ``read`` for each of a few small files; ``problem`` for one that cannot be used."""
    answers: list[dict[str, Any]] = []
    for file in files:
        try:
            answers.append(read(file["path"], file["kind"], words))
        except Unusable as error:
            answers.append({"problem": error.code})
        except (OSError, pdfium.PdfiumError):
            answers.append({"problem": "unopened"})
    return answers


def picture(path: str, kind: str, page: int) -> bytes:
    """One page as a JPEG to draw on."""
    if kind == "pdf":
        document = _open(path)
        if not 1 <= page <= len(document):
            raise Unusable("no-such-page")
        document.init_forms()
        drawn = _drawn(document[page - 1], LOOK_SIDE)
    elif page == 1:
        drawn = _picture(path)
        drawn.thumbnail((LOOK_SIDE, LOOK_SIDE))
    else:
        raise Unusable("no-such-page")
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=72)
    return out.getvalue()


def _burn(drawn: Image.Image, boxes: list[list[float]]) -> Image.Image:
    """Paint the boxes black; a touched pixel is covered whole."""
    pen = ImageDraw.Draw(drawn)
    for _, x, y, width, height in boxes:
        right, bottom = math.ceil((x + width) * drawn.width), math.ceil((y + height) * drawn.height)
        pen.rectangle((int(x * drawn.width), int(y * drawn.height), right, bottom), "black")
    return drawn


def cover(path: str, kind: str, boxes: list[list[float]], out: str) -> dict[str, Any]:
    """Write the file anew as pictures with the boxes painted over: no text layer, no attachments, no old properties."""
    if kind != "pdf":
        drawn = _burn(_picture(path), boxes)
        drawn.save(out, "PNG" if kind == "png" else "JPEG", **({} if kind == "png" else {"quality": 88}))
        return {"pages": 1}
    document, made = _open(path), pdfium.PdfDocument.new()
    document.init_forms()
    written = 0
    for number, page in enumerate(document, start=1):
        width, height = page.get_size()
        drawn = _burn(_drawn(page, LONGEST_SIDE), [box for box in boxes if box[0] == number])
        packed = io.BytesIO()
        drawn.save(packed, "JPEG", quality=82)
        written += packed.tell()
        if written > MOST_RESULT:
            raise Unusable("too-large")
        packed.seek(0)
        shown = pdfium.PdfImage.new(made)
        shown.load_jpeg(packed, inline=True)
        shown.set_matrix(pdfium.PdfMatrix().scale(width, height))
        sheet = made.new_page(width, height)
        sheet.insert_obj(shown)
        sheet.gen_content()
        page.close()
    made.save(out)
    return {"pages": len(document)}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_RESULT, MOST_RESULT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Answer one question; exit code 3 with a code on the output for a file that cannot be used."""
    _limit()
    asked = json.load(sys.stdin)
    path, kind = asked.get("path", ""), asked.get("kind", "")
    try:
        if asked["act"] == "picture":
            sys.stdout.buffer.write(picture(path, kind, asked["page"]))
            return 0
        if asked["act"] == "read":
            done: Any = read(path, kind, asked["words"])
        elif asked["act"] == "read_each":
            done = read_each(asked["files"], asked["words"])
        else:
            done = cover(path, kind, asked["boxes"], asked["out"])
    except Unusable as error:
        print(error.code)
        return 3
    except (MemoryError, OSError, pdfium.PdfiumError):
        print("unopened")
        return 3
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
