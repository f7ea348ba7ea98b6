"""What the tools share: places, locks, sockets, ports and sentences for the person at the terminal (stdlib only)."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
SOCKET_PATH_LIMIT = 100
"""Longest path in bytes that we give to a unix socket (Linux allows 107, macOS 103)."""
_PR_SET_PDEATHSIG = 1


class PlainError(Exception):
    """Something the person at the terminal can put right; its text is shown alone, without a traceback."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def finish(main: Callable[[], int]) -> NoReturn:
    """Run ``main`` and exit with its code; a :class:`PlainError` becomes one plain sentence on stderr.

    SIGTERM ends it like Ctrl-C: what was opened is closed first.
    """
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", line_buffering=True)
    try:
        sys.exit(main())
    except PlainError as problem:
        print(f"\n✗ {problem}\n", file=sys.stderr)
        sys.exit(problem.code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def default_var_dir() -> Path:
    """Return the folder of runtime files: ``VAR_DIR`` or ``var`` in the project (the same rule as the settings)."""
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()


def writable_dir(path: Path) -> Path:
    """Make ``path`` if need be and return it; raise :class:`PlainError` where this user may not write."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlainError(f"无法建立目录 {path}：{error.strerror}。请换一个有写权限的目录，或设置 VAR_DIR。") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise PlainError(
            f"当前用户不能写入 {path}（可能由另一个用户建立）。请用该用户运行、更改目录所有者，或设置 VAR_DIR。"
        )
    return path


def short_dir(preferred: Path, longest_name: str) -> Path:
    """Return a folder in which a socket called ``longest_name`` has a path short enough for the system.

    ``preferred`` where it fits; else a private folder (0700) of the system's temporary folder, whose name depends only
    on ``preferred`` so that a later start finds what an earlier one left.
    """
    if len(os.fsencode(preferred / longest_name)) <= SOCKET_PATH_LIMIT:
        return writable_dir(preferred)
    name = f"portal-{os.geteuid()}-{hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]}"
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base / name / longest_name)) > SOCKET_PATH_LIMIT:
        base = Path("/tmp")  # noqa: S108 - the folder below is ours alone, checked by owner and mode
    path = base / name
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise PlainError(f"临时目录 {path} 不属于当前用户或权限不对，请删除后重试。")
    return path


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen on ``host:port`` now."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(ready: Callable[[], bool], timeout: float, interval: float = 0.05) -> bool:
    """Ask ``ready`` every ``interval`` seconds until it is true; False after ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not ready():
        if time.monotonic() >= end:
            return False
        time.sleep(interval)
    return True


def die_with_parent() -> None:
    """Ask Linux to end this process with SIGTERM when its parent dies (for ``preexec_fn``; elsewhere no effect)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Lock:
    """A file lock that lives exactly as long as the processes that hold it, so that a crash never leaves it behind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self, *, inheritable: bool = False) -> bool:
        """Take the lock without waiting; with ``inheritable`` a program put in our place by ``exec`` keeps it."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.set_inheritable(fd, inheritable)
        self._fd = fd
        return True

    def write(self, text: str) -> None:
        """Leave a note for whoever finds the lock taken."""
        if self._fd is None:
            raise RuntimeError("the lock is not held")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def read(self) -> str:
        """Return the holder's note, or nothing."""
        return self.path.read_text() if self.path.exists() else ""

    def is_held(self) -> bool:
        """Tell whether any process (this one included) holds the lock."""
        if self._fd is not None:
            return True
        if not self.path.exists():
            return False
        if self.acquire():
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def evict(lock: Lock, grace: float) -> bool:
    """End the process group whose leader's pid is noted in ``lock``, and wait until the lock is free.

    SIGTERM first, SIGKILL after ``grace`` seconds (at once for 0). A held lock proves that the noted group still lives,
    so a reused pid is never hit. Returns whether there was anybody to end.
    """
    if not lock.is_held():
        return False
    group = int(lock.read() or 0)
    if group <= 1:
        raise PlainError(f"{lock.path} 被占用，但没有记下是哪个进程。请手工检查。")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM if grace else signal.SIGKILL)
    if grace and not wait_until(lambda: not lock.is_held(), grace):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    if not wait_until(lambda: not lock.is_held(), 10):
        raise PlainError(f"进程组 {group} 没有结束，请手工检查（{lock.path}）。")
    return True


@contextlib.contextmanager
def scratch_dir(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder below ``parent``, removed at the end."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=writable_dir(parent)))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def tail(path: Path, lines: int = 25) -> str:
    """Return the last ``lines`` of a text file, or nothing if there is none."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
