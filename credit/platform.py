"""The public credit platform over HTTP: pushes go out, questions are asked, and what comes back is read strictly.

``POST {CREDIT_URL}/pushes`` with a bearer token and JSON ``{key, seq, kind, subject, record}`` answers 200 or 201 with
``{key, receipt}``; the same ``key`` again is the same push and gets the same receipt. ``POST …/queries`` with
``{subject}`` answers 200 with ``{subject, grade, risk, records}``. ``POST …/reconciliations`` with ``{after, limit}``
answers 200 with ``{pushes: [{key, receipt}], next}``, by key. Subjects are ``{kind: "organisation", code}`` or ``{kind:
"person", id_hash}``: an identity number never leaves the house. docs/mechanisms/credit-pushes.md has every field.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NoReturn

import httpx
from django.conf import settings

from credit.models import CreditRecord, CreditSubject, Grade, RiskClass
from deadlines import clock

CONCURRENCY = 8
LARGEST_ANSWER = 256 * 1024
LONGEST_TEXT = 200
LONGEST_RECEIPT = 60
MOST_RECORDS = 500
PAGE = 500
EARLIEST = dt.date(1949, 1, 1)
LONGEST_WAIT = dt.timedelta(hours=2)
TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
# The push itself is not at fault: the platform is busy with it, or has not got an earlier push yet. So with every 5xx.
AGAIN = frozenset({409, 425})
# The platform refuses us and not the push: nothing else goes out for a while.
STOPS = frozenset({401, 403, 404, 405, 407, 408, 429})
_LONG_NUMBER = re.compile(r"\d{11,}[0-9Xx]?")


class Unavailable(Exception):  # noqa: N818 - nobody's error here: there is no answer
    """No answer could be had; the words tell a technician why and hold nothing of what was sent or received."""


class NotTaken(Exception):  # noqa: N818 - reads as what happened
    """A push that was not taken, or of which nobody knows; under its key it may always be sent again.

    ``refused``: the platform refuses this push for good. ``stops``: the fault lies with the line, so the rest waits,
    ``wait`` long if the platform said so.
    """

    def __init__(
        self, words: str, *, refused: bool = False, stops: bool = False, silent: bool = False,
        wait: dt.timedelta | None = None,
    ) -> None:  # fmt: skip
        super().__init__(words)
        self.refused, self.stops, self.silent, self.wait = refused, stops, silent, wait


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One push as it is sent: plain data, so that threads may carry it."""

    key: uuid.UUID
    seq: int
    kind: str
    payload: Mapping[str, Any]

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {"key": str(self.key), "seq": self.seq, "kind": self.kind, **self.payload}


@dataclass(frozen=True, slots=True)
class Held:
    """A push that the platform says it has."""

    key: uuid.UUID
    receipt: str


class Platform:
    """The platform at one address; one object is shared by the threads of a process."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        """``url``: base address; ``timeout``: seconds, for each step and for the whole answer."""
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.client = httpx.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
            limits=httpx.Limits(max_connections=2 * CONCURRENCY, max_keepalive_connections=CONCURRENCY),
            follow_redirects=False,
            trust_env=False,
        )

    def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, bytes, httpx.Headers]:
        """Return status, content and headers. Raises ``httpx.HTTPError`` or ``Unavailable`` (too long, too slow)."""
        ends_at = time.monotonic() + self.timeout
        with self.client.stream("POST", f"{self.url}/{path}", json=body) as response:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise Unavailable("答复过长")
                if time.monotonic() > ends_at:
                    raise Unavailable("答复过慢")
            return response.status_code, bytes(content), response.headers

    def push(self, push: Outgoing) -> str:
        """Hand one push over; return the receipt. Raises ``NotTaken``."""
        try:
            status, content, headers = self._post("pushes", push.body())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
            raise NotTaken("连接不上信用平台", stops=True) from error
        except (httpx.HTTPError, Unavailable) as error:
            raise NotTaken(f"没有答复（{type(error).__name__}），不知是否收到", silent=True) from error
        if status in TAKEN:
            try:
                return _receipt(_object(content), push.key)
            except Unavailable as error:
                raise NotTaken(f"{error}，不知是否收到") from error
        if status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotTaken(f"信用平台答复 {status}")
        if status in STOPS or status < HTTPStatus.BAD_REQUEST:
            raise NotTaken(f"信用平台答复 {status}", stops=True, wait=_wait(headers))
        raise NotTaken(_said(status, content), refused=True)

    def ask(self, subject: CreditSubject) -> dict[str, Any]:
        """Ask what is known of a subject; see ``read_answer``. Raises ``Unavailable``."""
        named = identifier_of(subject)
        return read_answer(self._get("queries", {"subject": named}), named)

    def held(self) -> Iterator[Held]:
        """Every push that the platform has, by key. Raises ``Unavailable``."""
        after: str | None = ""
        while after is not None:
            said = self._get("reconciliations", {"after": after, "limit": PAGE})
            rows = said.get("pushes")
            if not isinstance(rows, list):
                raise Unavailable("答复缺少推送清单")
            last = after
            for row in rows:
                held = _held(row)
                if str(held.key) <= last:
                    raise Unavailable("推送清单的次序不对")
                last = str(held.key)
                yield held
            goes_on = said.get("next")
            if goes_on is not None and (goes_on != last or not rows):
                raise Unavailable("推送清单的续页标识不对")
            after = goes_on

    def _get(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            status, content, _ = self._post(path, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"没有答复（{type(error).__name__}）") from error
        if status != HTTPStatus.OK:
            raise Unavailable(f"答复 {status}")
        return _object(content)


def identifier_of(subject: CreditSubject) -> dict[str, str]:
    """How a subject is named to the platform: by its code, a person by the keyed hash of the identity number."""
    if subject.kind == CreditSubject.Kind.PERSON:
        return {"kind": "person", "id_hash": subject.id_hash or ""}
    return {"kind": "organisation", "code": subject.code or ""}


# --- reading


def read_answer(said: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """Return ``{grade, risk, records}`` of an answer about the subject ``named``, every value checked.

    ``grade``: ``{grade, source, given_on}`` or None (not evaluated); ``risk``: ``{risk, source, given_on}`` or None;
    ``records``: ``[{kind, source, basis, found_on}]``, those in use only. Days are ISO texts, of 1949 at the earliest,
    of tomorrow at the latest: no two clocks agree. Raises ``Unavailable`` for whatever is not exactly such an answer.
    """
    if said.get("subject") != dict(named):
        raise Unavailable("答复的不是这一主体")
    if not {"grade", "risk", "records"} <= set(said):
        raise Unavailable("答复不完整")
    latest = clock.today() + dt.timedelta(days=1)
    rows = said["records"]
    if not isinstance(rows, list) or len(rows) > MOST_RECORDS:
        raise Unavailable("答复的记录不对")
    return {
        "grade": _graded(said["grade"], "grade", {*Grade.values} - {Grade.NONE.value}, latest),
        "risk": _graded(said["risk"], "risk", {*RiskClass.values} - {RiskClass.NONE.value}, latest),
        "records": [_record(row, latest) for row in rows],
    }


def _graded(said: Any, name: str, known: set[str], latest: dt.date) -> dict[str, str] | None:
    if said is None:
        return None
    if not isinstance(said, dict) or said.get(name) not in known:
        raise Unavailable(f"答复的 {name} 不认识")
    return {name: said[name], "source": _text(said, "source", 120), "given_on": _day(said, "given_on", latest)}


def _record(said: Any, latest: dt.date) -> dict[str, str]:
    kinds = {*CreditRecord.Kind.values}
    if not isinstance(said, dict) or said.get("kind") not in kinds:
        raise Unavailable("答复的记录种类不认识")
    return {
        "kind": said["kind"],
        "source": _text(said, "source", 60),
        "basis": _text(said, "basis", 200),
        "found_on": _day(said, "found_on", latest),
    }


def _receipt(said: Mapping[str, Any], key: uuid.UUID) -> str:
    if said.get("key") != str(key):
        raise Unavailable("答复的不是这一次推送")
    return _text(said, "receipt", LONGEST_RECEIPT)


def _held(said: Any) -> Held:
    if not isinstance(said, dict):
        raise Unavailable("推送清单不对")
    try:
        key = uuid.UUID(str(said.get("key")))
    except ValueError:
        raise Unavailable("推送清单的编号不对") from None
    return Held(key, _text(said, "receipt", LONGEST_RECEIPT))


def _object(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unavailable("答复不是 JSON") from error
    if not isinstance(said, dict):
        raise Unavailable("答复不是 JSON 对象")
    return said


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(said: Mapping[str, Any], name: str, longest: int = LONGEST_TEXT) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise Unavailable(f"答复的 {name} 不对")
    return value.strip()


def _day(said: Mapping[str, Any], name: str, latest: dt.date) -> str:
    value = said.get(name)
    try:
        if not isinstance(value, str) or len(value) != len("2026-09-28"):
            raise ValueError
        day = dt.date.fromisoformat(value)
    except ValueError:
        raise Unavailable(f"答复的 {name} 不是日期") from None
    if day < EARLIEST or day > latest:
        raise Unavailable(f"答复的 {name} 不是可能的日期")
    return day.isoformat()


def _said(status: int, content: bytes) -> str:
    """Why the platform refuses a push, in its own words where it has some; long numbers are blotted out."""
    try:
        detail = str(_object(content).get("detail") or "")
    except Unavailable:
        detail = ""
    plain = "".join(char if char.isprintable() else " " for char in detail).strip()
    words = _LONG_NUMBER.sub("…", plain)
    return f"信用平台拒收（{status}）：{words}"[:LONGEST_TEXT] if words else f"信用平台拒收（{status}）"


def _wait(headers: httpx.Headers) -> dt.timedelta | None:
    asked = headers.get("Retry-After", "")
    return min(dt.timedelta(seconds=int(asked)), LONGEST_WAIT) if asked.isascii() and asked.isdigit() else None


# --- which platform


def is_on() -> bool:
    """Whether a platform is configured."""
    return bool(settings.CREDIT_URL)


@lru_cache(maxsize=4)
def _platform(url: str, token: str, timeout: float) -> Platform:
    """One client a process, so that its connections stay open."""
    return Platform(url, token, timeout)


def current() -> Platform:
    """The platform that the settings name."""
    return _platform(settings.CREDIT_URL, settings.CREDIT_TOKEN, settings.CREDIT_TIMEOUT)


def ask(subject: CreditSubject) -> dict[str, Any]:
    """Ask the platform that the settings name about a subject. Raises ``Unavailable``, also where there is none."""
    if not is_on():
        raise Unavailable("没有接入信用平台")
    return current().ask(subject)
