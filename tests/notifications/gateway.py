"""A small SMS gateway that really speaks HTTP, for tests and the bench.

It does not take a ``client_id`` only once, so that a message sent twice is seen twice. Alone on a port:
``python -m tests.notifications.gateway --port 8099 --delay 0.005``.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections import Counter, deque
from collections.abc import Iterable
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "gateway-token"
# How long a silent gateway keeps a connection; tests let go of it sooner.
SILENCE = 30.0


class Mode(StrEnum):
    """What the gateway does with the next message."""

    OK = "ok"
    ERROR = "500"
    PROXY_ERROR = "504"
    REFUSE = "400"
    UNAUTHORIZED = "401"
    THROTTLE = "429"
    # Takes the message, and the answer comes too late or never.
    LATE = "late"
    LOST = "lost"
    # Neither takes it nor answers.
    SILENT = "silent"


class Gateway(ThreadingHTTPServer):
    """The server; ``taken`` lists every message it ever took, in order."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0, delay: float = 0.0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.mode = Mode.OK
        self.script: deque[Mode] = deque()
        self.ask_mode = Mode.OK
        self.delay = delay
        self.taken: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.fates: dict[str, str] = {}
        self.lock = threading.Lock()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def doubled(self) -> list[str]:
        """Messages that came more than once."""
        return [client_id for client_id, times in Counter(m["client_id"] for m in self.taken).items() if times > 1]

    def plays(self, modes: Iterable[Mode]) -> None:
        """Treat the next messages like this, then fall back to ``mode``."""
        self.script.extend(modes)

    def next_mode(self) -> Mode:
        """What to do with this message."""
        with self.lock:
            return self.script.popleft() if self.script else self.mode

    def take(self, message: dict[str, Any]) -> int:
        """Take a message; return its number."""
        with self.lock:
            self.taken.append(message)
            self.fates.setdefault(message["client_id"], "accepted")
            return len(self.taken)

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


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Take a message, as the mode says."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        gateway, mode = self.server, self.server.next_mode()
        if gateway.delay:
            gateway.released.wait(gateway.delay)
        if self.headers["Authorization"] != f"Bearer {TOKEN}" or mode == Mode.UNAUTHORIZED:
            return self._answer(401, {"detail": "token"})
        if mode in {Mode.ERROR, Mode.PROXY_ERROR, Mode.REFUSE, Mode.THROTTLE}:
            headers = {"Retry-After": "40"} if mode == Mode.THROTTLE else {}
            return self._answer(int(mode), {"detail": f"号码 {message['phone']} 未受理"}, headers)
        if mode == Mode.SILENT:
            gateway.released.wait(SILENCE)
            return self._hang_up()
        number = gateway.take(message)
        if mode == Mode.LATE:
            gateway.released.wait(SILENCE)
        if mode in {Mode.LATE, Mode.LOST}:
            return self._hang_up()
        return self._answer(200, {"id": f"gw-{number}", "status": "accepted"})

    def do_GET(self) -> None:
        """Say what became of a message."""
        client_id = self.path.rsplit("/", 1)[1]
        self.server.asked.append(client_id)
        if self.server.ask_mode != Mode.OK:
            return self._answer(int(self.server.ask_mode), {"detail": "down"})
        fate = self.server.fates.get(client_id)
        if fate is None:
            return self._answer(404, {"status": "absent"})
        return self._answer(200, {"id": f"gw-{client_id[:8]}", "status": fate})

    def _answer(self, code: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    gateway = Gateway(options.port, options.delay)
    print(f"{gateway.url}  (token {TOKEN})", flush=True)
    gateway.serve_forever()


if __name__ == "__main__":
    main()
