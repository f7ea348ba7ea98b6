"""A stand-in for the electronic-licence service: invented answers over real HTTP, for ``make run`` and the tests.

``ELICENCE_TOKEN=… python -m scripts.standin_elicence --port 8098``, on 127.0.0.1 only, never in production. Every
holder has every certificate that is asked for, but for the invented codes in ``BY_HOLDER``, each of which plays one
trouble. The same key asked twice gets the same answer.
"""

import argparse
import datetime as dt
import hmac
import json
import os
import threading
from collections import Counter, deque
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scripts.runtime import PlainError, finish

ADDRESS = "127.0.0.1"
LARGEST_QUESTION = 16 * 1024
# How long a slow service keeps a connection; tests let go of it sooner.
SILENCE = 30.0


class Mode(StrEnum):
    """What the service does with a question."""

    MATCH = "match"
    OTHER_NAME = "other_name"
    OTHER_HOLDER = "other_holder"
    OTHER_KIND = "other_kind"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    REVOKED = "revoked"
    ABSENT = "absent"
    SLOW = "slow"
    DRIP = "drip"
    ERROR = "500"
    REDIRECT = "302"
    GARBAGE = "garbage"
    HUGE = "huge"
    OTHER_KEY = "other_key"
    HALF = "half"


# The first 17 characters of invented codes (GB 32100; the 18th is the check character) → what happens.
BY_HOLDER = {
    "91320700MA1CHK001": Mode.OTHER_NAME,
    "91320700MA1CHK002": Mode.EXPIRED,
    "91320700MA1CHK003": Mode.REVOKED,
    "91320700MA1CHK004": Mode.ABSENT,
    "91320700MA1CHK005": Mode.SLOW,
    "91320700MA1CHK006": Mode.ERROR,
    "91320700MA1CHK007": Mode.GARBAGE,
}


class Service(ThreadingHTTPServer):
    """The server. ``mode`` overrides what a holder's code says; ``script`` goes first, one mode a question."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, token: str, mode: Mode | None = None) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.token = token
        self.mode = mode
        self.script: deque[Mode] = deque()
        self.asked: Counter[str] = Counter()
        self.questions: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{ADDRESS}:{self.server_address[1]}"

    def mode_of(self, question: dict[str, Any]) -> Mode:
        """What to do with this question; it is counted by its key."""
        with self.lock:
            self.asked[str(question.get("key"))] += 1
            self.questions.append(question)
            if self.script:
                return self.script.popleft()
        code = str(question.get("holder", {}).get("code", ""))
        return self.mode or BY_HOLDER.get(code[:17], Mode.MATCH)

    def start(self) -> threading.Thread:
        """Serve in a thread of its own."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Let everybody go and close."""
        self.released.set()
        self.shutdown()
        self.server_close()


def certificate(question: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """An invented certificate of the holder, with the fault that ``mode`` names."""
    holder = question["holder"]
    found = {
        "kind": question["certificate"],
        "number": f"YS{holder['code'][-6:]}",
        "holder_code": holder["code"],
        "holder_name": holder["name"],
        "issuer": "连云港市行政审批局（演示）",
        "status": "valid",
        "valid_from": "2020-01-06",
        "valid_to": None,
    }
    changes: dict[Mode, dict[str, Any]] = {
        Mode.OTHER_NAME: {"holder_name": "连云港另一家有限公司（演示）"},
        Mode.OTHER_HOLDER: {"holder_code": "91320700MA1CHK009X", "holder_name": "连云港另一家有限公司（演示）"},
        Mode.OTHER_KIND: {"kind": "食品经营许可证"},
        Mode.EXPIRED: {"valid_to": (dt.date(2025, 6, 30)).isoformat()},
        Mode.NOT_YET: {"valid_from": "2099-01-01"},
        Mode.REVOKED: {"status": "revoked"},
    }
    return found | changes.get(mode, {})


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Service
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer a question, as its mode says."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/verifications" or not 0 < length <= LARGEST_QUESTION:
            self.close_connection = True
            return self._answer(404, b"{}")
        body = self.rfile.read(length)
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return self._answer(401, b"{}")
        try:
            question = json.loads(body)
            mode = self.server.mode_of(question)
            found = None if mode == Mode.ABSENT else certificate(question, mode)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._answer(400, b"{}")
        whole = json.dumps({"key": question["key"], "found": found is not None, "certificate": found}).encode()
        return self._play(mode, question, whole)

    def _play(self, mode: Mode, question: dict[str, Any], whole: bytes) -> None:
        match mode:
            case Mode.ERROR:
                return self._answer(500, b'{"detail": "down"}')
            case Mode.REDIRECT:
                return self._answer(302, b"", {"Location": f"{self.server.url}/elsewhere"})
            case Mode.GARBAGE:
                return self._answer(200, "<html>系统维护中</html>".encode())
            case Mode.HUGE:
                return self._answer(200, whole + b" " * 1_000_000)
            case Mode.OTHER_KEY:
                return self._answer(200, whole.replace(question["key"].encode(), b"0" * 36))
            case Mode.HALF:
                return self._answer(200, json.dumps({"key": question["key"], "found": True}).encode())
            case Mode.SLOW:
                self.server.released.wait(SILENCE)
                self.close_connection = True
                return None
            case Mode.DRIP:
                return self._drip(whole)
        return self._answer(200, whole)

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
            except OSError:  # the caller had enough
                return

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: questions name holders."""


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", choices=[str(mode) for mode in Mode], help="the same for every question")
    options = parser.parse_args()
    if os.environ.get("PORTAL_MODE") == "production":
        raise PlainError("生产环境不能启动演示用的电子证照服务。")
    token = os.environ.get("ELICENCE_TOKEN", "")
    if not token:
        raise PlainError("请在环境变量 ELICENCE_TOKEN 中给出令牌。")
    service = Service(options.port, token=token, mode=Mode(options.mode) if options.mode else None)
    print(service.url, flush=True)
    service.serve_forever()
    return 0


if __name__ == "__main__":
    finish(main)
