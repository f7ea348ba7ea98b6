"""The electronic-licence service over HTTP: one question, one strictly read answer.

``POST {ELICENCE_URL}/verifications`` with a bearer token and JSON ``{key, certificate, holder: {kind, code, name}}``
answers 200 with ``{key, found, certificate}``; ``certificate`` (null: nothing was found) holds ``kind``, ``number``,
``holder_code``, ``holder_name``, ``issuer``, ``status`` ("valid" or "revoked"), ``valid_from`` and ``valid_to``
(``YYYY-MM-DD``; ``valid_to`` may be null: no end). The same ``key`` asked twice is the same question.
Anything else, by whatever cause, is ``Unavailable``: no answer at all, never half of one.
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NoReturn

import httpx
from django.conf import settings

CONCURRENCY = 8
# An answer is a few hundred bytes; more than this is not one.
LARGEST_ANSWER = 16 * 1024
LONGEST_TEXT = 120
STATUSES = frozenset({"valid", "revoked"})


class Unavailable(Exception):  # noqa: N818 - nobody's error here: there is no answer
    """No answer could be had; the words tell a technician why and hold nothing of what was sent or received."""


@dataclass(frozen=True, slots=True)
class Question:
    """Does this holder have this certificate? Plain data, so that threads may carry it."""

    key: uuid.UUID
    certificate: str
    holder_kind: str
    holder_code: str
    holder_name: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the service knows of a certificate."""

    kind: str
    number: str
    holder_code: str
    holder_name: str
    issuer: str
    is_revoked: bool
    valid_from: dt.date
    valid_to: dt.date | None


class Elicence:
    """The service at one address; one object is shared by the threads of a worker."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        """``url``: base address; ``timeout``: seconds, for each step and for the whole answer."""
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.client = httpx.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
            limits=httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY),
            follow_redirects=False,
            trust_env=False,
        )

    def ask(self, question: Question) -> Certificate | None:
        """Return the certificate, or None when the service knows of none. Raises ``Unavailable``."""
        body = {
            "key": str(question.key),
            "certificate": question.certificate,
            "holder": {"kind": question.holder_kind, "code": question.holder_code, "name": question.holder_name},
        }
        ends_at = time.monotonic() + self.timeout
        try:
            with self.client.stream("POST", f"{self.url}/verifications", json=body) as response:
                if response.status_code != HTTPStatus.OK:
                    raise Unavailable(f"答复 {response.status_code}")
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        raise Unavailable("答复过长")
                    if time.monotonic() > ends_at:
                        raise Unavailable("答复过慢")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"没有答复（{type(error).__name__}）") from error
        return read(bytes(content), question.key)


def read(content: bytes, key: uuid.UUID) -> Certificate | None:
    """Read an answer to the question ``key``. Raises ``Unavailable`` for whatever is not exactly one."""
    try:
        answer = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unavailable("答复不是 JSON") from error
    if not isinstance(answer, dict):
        raise Unavailable("答复不是 JSON 对象")
    if answer.get("key") != str(key):
        raise Unavailable("答复的不是这一次请求")
    found, said = answer.get("found"), answer.get("certificate")
    if found is False and said is None:
        return None
    if found is not True or not isinstance(said, dict):
        raise Unavailable("答复缺少证照")
    if said.get("status") not in STATUSES:
        raise Unavailable("证照状态不认识")
    if "valid_to" not in said:
        raise Unavailable("答复缺少有效期")
    return Certificate(
        kind=_text(said, "kind"),
        number=_text(said, "number"),
        holder_code=_text(said, "holder_code"),
        holder_name=_text(said, "holder_name"),
        issuer=_text(said, "issuer"),
        is_revoked=said["status"] == "revoked",
        valid_from=_day(said, "valid_from"),
        valid_to=None if said["valid_to"] is None else _day(said, "valid_to"),
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        raise Unavailable(f"答复的 {name} 不对")
    return value.strip()


def _day(said: dict[str, Any], name: str) -> dt.date:
    value = said.get(name)
    try:
        if not isinstance(value, str) or len(value) != len("2026-09-28"):
            raise ValueError
        return dt.date.fromisoformat(value)
    except ValueError:
        raise Unavailable(f"答复的 {name} 不是日期") from None


def is_on() -> bool:
    """Whether a service is configured."""
    return bool(settings.ELICENCE_URL)


@lru_cache(maxsize=4)
def _service(url: str, token: str, timeout: float) -> Elicence:
    """One client a process, so that its connections stay open."""
    return Elicence(url, token, timeout)


def current() -> Elicence:
    """The service that the settings name."""
    return _service(settings.ELICENCE_URL, settings.ELICENCE_TOKEN, settings.ELICENCE_TIMEOUT)
