"""A stand-in for the public credit platform: real HTTP with errors, delays and doubled requests, for ``make run`` and
the tests.

``CREDIT_TOKEN=… python -m scripts.standin_credit --port 8097``, on 127.0.0.1 only, never in production. It takes a key
once, whatever comes how often. Nobody has a grade, but for the invented codes in ``BY_SUBJECT``, each of which plays an
answer or a trouble. ``--file``: where it keeps what it took, so that a restarted demo does not forget.
"""

import argparse
import hmac
import json
import os
import random
import sys
import threading
from collections import Counter, deque
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO

from scripts.runtime import PlainError, finish

ADDRESS = "127.0.0.1"
LARGEST_BODY = 64 * 1024
# How long a slow platform keeps a connection; tests let go of it sooner.
SILENCE = 30.0
SOURCE = "江苏省公共信用信息平台（演示）"


class Mode(StrEnum):
    """What the platform does with a request."""

    OK = "ok"
    # Takes the push, and the answer never comes.
    LOST = "lost"
    # Neither takes it nor answers.
    SILENT = "silent"
    # A proxy on the way sends the request twice.
    TWICE = "twice"
    ERROR = "500"
    BUSY = "409"
    REFUSE = "422"
    UNAUTHORIZED = "401"
    THROTTLE = "429"
    REDIRECT = "302"
    GARBAGE = "garbage"
    HUGE = "huge"
    OTHER_KEY = "other_key"
    NO_RECEIPT = "no_receipt"
    OTHER_SUBJECT = "other_subject"
    DRIP = "drip"


def _graded(grade: str, risk: str) -> dict[str, Any]:
    return {
        "grade": {"grade": grade, "source": SOURCE, "given_on": "2026-07-01"},
        "risk": {"risk": risk, "source": "市场监管部门信用风险分类（演示）", "given_on": "2026-07-01"},
        "records": [],
    }


NOTHING: dict[str, Any] = {"grade": None, "risk": None, "records": []}
LISTED = {
    "kind": "serious",
    "source": "严重失信主体名单（演示）2026-17",
    "basis": "名单主管部门列入决定",
    "found_on": "2026-05-20",
}
# The first 17 characters of invented codes (GB 32100; the 18th is the check character) → what is said, or what happens.
BY_SUBJECT: dict[str, dict[str, Any] | Mode] = {
    # Companies of the demonstration.
    "91320700MA1DEM001": _graded("excellent", "A"),
    "91320700MA1DEM002": _graded("good", "B"),
    "91320700MA1DEM003": _graded("fair", "C"),
    "91320700MA1DEM005": _graded("poor", "D"),
    "91320700MA1CRD001": _graded("excellent", "A"),
    "91320700MA1CRD002": _graded("good", "B"),
    "91320700MA1CRD003": _graded("fair", "C"),
    "91320700MA1CRD004": _graded("poor", "D"),
    "91320700MA1CRD005": _graded("poor", "D") | {"records": [LISTED]},
    "91320700MA1CRD006": Mode.SILENT,
    "91320700MA1CRD007": Mode.ERROR,
    "91320700MA1CRD008": Mode.GARBAGE,
    # Its pushes are refused.
    "91320700MA1CRD009": Mode.REFUSE,
}
REFUSED_WORDS = "主体名称与登记信息不一致"


class Service(ThreadingHTTPServer):
    """The platform. What ``once`` has for a push's key goes first, then ``script``, one mode a request as they come;
    then ``mode``; then chance (``errors``, ``timeouts``, ``duplicates``: shares of all pushes, by a seed); then what
    the subject's code says.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, port: int = 0, *, token: str, errors: float = 0, timeouts: float = 0, duplicates: float = 0,
        seed: int = 1, file: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__((ADDRESS, port), Handler)
        self.token = token
        self.shares = ((Mode.ERROR, errors), (Mode.LOST, timeouts / 2), (Mode.SILENT, timeouts / 2),
                       (Mode.TWICE, duplicates))  # fmt: skip
        self.chance = random.Random(seed)  # noqa: S311 - a play, no secret
        self.mode: Mode | None = None
        self.script: deque[Mode] = deque()
        # Key → what becomes of its next coming: pushes of a batch come at the same time, in any order.
        self.once: dict[str, Mode] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        # Key → the push as it took effect, in the order of taking; how often each came; what came out of order.
        self.taken: dict[str, dict[str, Any]] = {}
        self.came: Counter[str] = Counter()
        self.played: Counter[Mode] = Counter()
        self.last_seq: dict[str, int] = {}
        self.out_of_order: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.file: TextIO | None = self._open(file) if file else None

    def _open(self, path: Path) -> TextIO:
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                push = json.loads(line)
                self.taken[push["key"]] = push
                self.last_seq[subject_of(push)] = push["seq"]
        return path.open("a", encoding="utf-8")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{ADDRESS}:{self.server_address[1]}"

    def mode_of(self, body: dict[str, Any], *, is_push: bool) -> Mode:
        """What to do with this request."""
        with self.lock:
            mode = self.once.pop(str(body.get("key")), None)
            if mode is None:
                mode = self.script.popleft() if self.script else self.mode or self._by_chance(is_push=is_push)
            if mode is None:
                said = BY_SUBJECT.get(str(body.get("subject", {}).get("code", ""))[:17])
                mode = said if isinstance(said, Mode) and (is_push or said != Mode.REFUSE) else Mode.OK
            self.played[mode] += 1
            return mode

    def _by_chance(self, *, is_push: bool) -> Mode | None:
        if not is_push:
            return None
        rolled = self.chance.random()
        for mode, share in self.shares:
            if rolled < share:
                return mode
            rolled -= share
        return None

    def take(self, push: dict[str, Any]) -> str:
        """Take a push once, whatever comes how often; return its receipt."""
        key, subject = str(push["key"]), subject_of(push)
        with self.lock:
            self.came[key] += 1
            if key not in self.taken:
                if push["seq"] <= self.last_seq.get(subject, 0):
                    self.out_of_order.append(key)
                self.last_seq[subject] = push["seq"]
                self.taken[key] = push | {"receipt": f"XY{len(self.taken) + 1:08d}"}
                if self.file:
                    self.file.write(json.dumps(self.taken[key], ensure_ascii=False) + "\n")
                    self.file.flush()
            return str(self.taken[key]["receipt"])

    def answer(self, subject: dict[str, Any]) -> dict[str, Any]:
        """What is said of a subject."""
        code = str(subject.get("code") or subject.get("id_hash") or "")
        said = BY_SUBJECT.get(code[:17])
        return self.answers.get(code) or (NOTHING if said is None or isinstance(said, Mode) else said)

    def page(self, after: str, limit: int) -> dict[str, Any]:
        """Some pushes that it has, by key."""
        with self.lock:
            keys = sorted(key for key in self.taken if key > after)
            rows = [{"key": key, "receipt": self.taken[key]["receipt"]} for key in keys[:limit]]
        return {"pushes": rows, "next": keys[limit - 1] if len(keys) > limit else None}

    def start(self) -> threading.Thread:
        """Serve in a thread of its own."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        return thread

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller that went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Let everybody go and close."""
        self.released.set()
        self.shutdown()
        self.server_close()


def subject_of(push: dict[str, Any]) -> str:
    """By what a push names its subject."""
    named = push["subject"]
    return str(named.get("code") or named["id_hash"])


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Service
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer, as the request's mode says."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path not in {"/pushes", "/queries", "/reconciliations"} or not 0 < length <= LARGEST_BODY:
            self.close_connection = True
            return self._answer(404, b"{}")
        body = self.rfile.read(length)
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return self._answer(401, b"{}")
        try:
            said = json.loads(body)
            if self.path == "/reconciliations":
                return self._json(200, self.server.page(str(said["after"]), min(int(said["limit"]), 1000)))
            mode = self.server.mode_of(said, is_push=self.path == "/pushes")
            whole = self._push(said, mode) if self.path == "/pushes" else self._query(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._answer(400, '{"detail": "请求内容不对"}'.encode())
        return self._play(mode, said, whole)

    def _push(self, said: dict[str, Any], mode: Mode) -> dict[str, Any]:
        if mode in {Mode.SILENT, Mode.ERROR, Mode.BUSY, Mode.REFUSE, Mode.UNAUTHORIZED, Mode.THROTTLE, Mode.REDIRECT}:
            subject_of(said)
            return {}
        receipt = self.server.take(said)
        if mode == Mode.TWICE:
            receipt = self.server.take(said)
        return {"key": said["key"], "receipt": receipt}

    def _query(self, said: dict[str, Any]) -> dict[str, Any]:
        self.server.asked.append(said)
        return {"subject": said["subject"], **self.server.answer(said["subject"])}

    def _play(self, mode: Mode, said: dict[str, Any], whole: dict[str, Any]) -> None:
        match mode:
            case Mode.SILENT | Mode.LOST:
                self.server.released.wait(SILENCE)
                self.close_connection = True
                return None
            case Mode.REFUSE:
                return self._json(422, {"detail": REFUSED_WORDS})
            case Mode.THROTTLE:
                return self._json(429, {"detail": "busy"}, {"Retry-After": "40"})
            case Mode.ERROR | Mode.BUSY | Mode.UNAUTHORIZED:
                return self._json(int(mode), {"detail": "down"})
            case Mode.REDIRECT:
                return self._answer(302, b"", {"Location": f"{self.server.url}/elsewhere"})
            case Mode.GARBAGE:
                return self._answer(200, "<html>系统维护中</html>".encode())
            case Mode.HUGE:
                return self._answer(200, json.dumps(whole).encode() + b" " * 1_000_000)
            case Mode.OTHER_KEY:
                return self._json(200, whole | {"key": "0" * 36})
            case Mode.NO_RECEIPT:
                return self._json(200, {name: value for name, value in whole.items() if name != "receipt"})
            case Mode.OTHER_SUBJECT:
                return self._json(200, whole | {"subject": {"kind": "organisation", "code": "0" * 18}})
            case Mode.DRIP:
                return self._drip(json.dumps(whole).encode())
        return self._json(200, whole)

    def _drip(self, whole: bytes) -> None:
        """Answer a byte at a time, each in time and the whole never."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.close_connection = True
        for byte in whole:
            if self.server.released.wait(0.1):
                return
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:  # the caller had enough
                return

    def _json(self, code: int, said: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._answer(code, json.dumps(said, ensure_ascii=False).encode(), headers)

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: requests name subjects."""


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, help="what was taken, one JSON object a line")
    for share in ("errors", "timeouts", "duplicates"):
        parser.add_argument(f"--{share}", type=float, default=0.0, help="share of all pushes, 0 to 1")
    options = parser.parse_args()
    if os.environ.get("PORTAL_MODE") == "production":
        raise PlainError("生产环境不能启动演示用的信用平台。")
    token = os.environ.get("CREDIT_TOKEN", "")
    if not token:
        raise PlainError("请在环境变量 CREDIT_TOKEN 中给出令牌。")
    service = Service(
        options.port, token=token, file=options.file,
        errors=options.errors, timeouts=options.timeouts, duplicates=options.duplicates,
    )  # fmt: skip
    print(service.url, flush=True)
    service.serve_forever()
    return 0


if __name__ == "__main__":
    finish(main)
