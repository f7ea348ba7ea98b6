"""Ask the supervisor over its unix socket (XML-RPC, stdlib only)."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path
from typing import cast

_GONE = (OSError, http.client.HTTPException)


class _Connection(http.client.HTTPConnection):
    """An HTTP connection over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    """XML-RPC's transport over that connection."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _Connection(self._path)


def _call(path: Path, name: str, *arguments: object) -> object:
    server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(path))
    return getattr(server.supervisor, name)(*arguments)


def pid_of(path: Path) -> int | None:
    """Return the pid of the supervisor behind ``path``, or None if nobody answers there."""
    try:
        return cast(int, _call(path, "getPID"))
    except _GONE:
        return None


def shutdown(path: Path) -> None:
    """Ask the supervisor to stop everything and end."""
    try:
        _call(path, "shutdown")
    except (*_GONE, xmlrpc.client.Fault):
        return  # it is ending already


def start(path: Path, name: str) -> None:
    """Start one process without waiting for it; no harm if it runs already."""
    try:
        _call(path, "startProcess", name, False)
    except xmlrpc.client.Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise


def stop(path: Path, name: str) -> bool:
    """Stop one process; tell whether it is down to stay: one that has just died may be on its way back, ask again."""
    try:
        _call(path, "stopProcess", name)
    except xmlrpc.client.Fault as fault:
        if "NOT_RUNNING" not in fault.faultString:
            raise
    info = cast(dict[str, object], _call(path, "getProcessInfo", name))
    return info["statename"] == "STOPPED"


def process_pid(path: Path, name: str) -> int:
    """Return the pid of a process, 0 while it is not running."""
    info = cast(dict[str, object], _call(path, "getProcessInfo", name))
    return cast(int, info["pid"])
