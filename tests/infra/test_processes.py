"""The real processes: what compose passes starts them on PostgreSQL and Redis; kills leave nothing behind."""

import os
import re
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import supervision_rpc as rpc
from scripts.new_secrets import new_secrets
from scripts.runtime import ROOT, Lock, PlainError, free_port, short_dir, tail, wait_until
from scripts.servers import PostgresServer, ValkeyServer, running
from scripts.stack import LONGEST_SOCKET, Stack
from tests.infra.test_compose import fill

pytestmark = pytest.mark.processes

DEMO = {"PORTAL_MODE": "demo", "DATABASE_URL": "", "REDIS_URL": "", "PUBLIC_BASE_URL": ""} | {
    "STATIC_ROOT": str(ROOT / "var" / "e2e-static")
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return ``start(role, env)``: the entry script as a child, ended with its group after the test."""
    children: list[subprocess.Popen[bytes]] = []

    def starter(role: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{role}.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "scripts.entry", role],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        children.append(child)
        return child

    yield starter
    for child in children:
        child.terminate()
    for child in children:
        child.wait(20)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A PostgreSQL and a Redis of this test's own: (DATABASE_URL, REDIS_URL)."""
    with running(given={}) as urls:
        yield urls["DATABASE_URL"], urls["REDIS_URL"]


LAY = "import django; django.setup(); from scripts.laying import lay_tables; assert lay_tables()"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings"}


def compose_environment(database_url: str, redis_url: str, var_dir: Path, port: int) -> dict[str, str]:
    """Return what compose would pass to the portal's services, with the two servers' addresses put in."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    values = new_secrets() | {
        "ALLOWED_HOSTS": "portal.example",
        "PUBLIC_BASE_URL": "https://portal.example",
        "SMS_GATEWAY_URL": "https://sms.example/send",
        "SMS_GATEWAY_TOKEN": secrets.token_urlsafe(),
    }
    passed = {name: fill(text, values) for name, text in compose["services"]["web"]["environment"].items()}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return (
        kept
        | passed
        | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "VAR_DIR": str(var_dir),
            "STATIC_ROOT": DEMO["STATIC_ROOT"],
            "WEB_HOST": "127.0.0.1",
            "WEB_PORT": str(port),
            "HEALTH_URL": "",
        }
    )


def test_compose_settings_start_the_system(
    servers: tuple[str, str], start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Static files, migration, web, worker and beat start as in the containers, and each health check passes."""
    port = free_port()
    env = compose_environment(*servers, tmp_path / "var", port)
    # What it takes to migrate from nothing, tests/infra/test_migrations.py shows.
    subprocess.run([sys.executable, "-c", LAY], cwd=ROOT, env=env | SETTINGS, check=True)
    for role in ("static", "migrate"):
        assert start(role, env).wait(240) == 0, tail(tmp_path / f"{role}.log")
    for role in ("web", "worker", "beat"):
        start(role, env)

    def healthy(role: str) -> bool:
        asked = subprocess.run(
            [sys.executable, "-m", "scripts.healthcheck", role], cwd=ROOT, env=env, capture_output=True, check=False
        )
        return asked.returncode == 0

    for role in ("web", "worker", "beat"):
        assert wait_until(lambda role=role: healthy(role), 60, 0.5), tail(tmp_path / f"{role}.log")  # type: ignore[misc]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": "portal.example"})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


def test_production_refuses_a_missing_secret(servers: tuple[str, str], tmp_path: Path) -> None:
    env = compose_environment(*servers, tmp_path / "var", free_port())
    del env["SECRET_KEY"]
    refused = subprocess.run(
        [sys.executable, "-m", "scripts.entry", "migrate"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert "SECRET_KEY" in refused.stderr


def _state_and_group(pid: int) -> tuple[str, int]:
    """Return the process's state letter and process group from /proc ("Z": a zombie, also where there is none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return "Z", 0
    return fields[0], int(fields[2])


def alive(pid: int) -> bool:
    """Tell whether the process runs (a zombie does not)."""
    return _state_and_group(pid)[0] != "Z"


def members(group: int) -> list[int]:
    """Return the running processes of a process group."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if (found := _state_and_group(pid))[0] != "Z" and found[1] == group]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A healthy stack whose folder is too deep for unix sockets; at the end nothing of it may be left."""
    made = Stack(var_dir=tmp_path_factory.mktemp("deep") / ("d" * 100), port=free_port(), env=DEMO)
    try:
        made.start()
        made.wait_healthy()
        yield made
        pids = [made.pid(role) for role in made.roles]
    finally:
        made.stop()
    assert all(pids)
    assert not [pid for pid in pids if alive(pid)]
    assert not [role for role in made.roles if Lock(made.run_dir / f"{role}.lock").is_held()]
    assert not made._sockets.exists()


def test_second_start_in_the_same_folder_is_refused(stack: Stack) -> None:
    second = Stack(var_dir=stack.var_dir, port=free_port(), env=DEMO)
    with pytest.raises(PlainError, match=re.escape(stack.base_url)):
        second.start()
    assert stack.health()[0] == 200


def test_taken_port_is_refused(stack: Stack, tmp_path: Path) -> None:
    other = Stack(var_dir=tmp_path, port=stack.port, env=DEMO)
    with pytest.raises(PlainError, match=f"端口 {stack.port}"):
        other.start()


@pytest.mark.parametrize("role", ["valkey", "web", "worker", "beat"])
def test_killed_process_comes_back(stack: Stack, role: str) -> None:
    stack.wait_restarted(role, stack.kill(role))
    stack.wait_healthy()


@pytest.mark.parametrize("role", ["web", "worker"])
def test_leader_killed_alone_does_not_block_its_successor(stack: Stack, role: str) -> None:
    """Its orphans still hold the port or the queue when the supervisor starts the next one: they are ended first."""
    pid = stack.pid(role)
    os.kill(pid, signal.SIGKILL)
    stack.wait_restarted(role, pid)
    stack.wait_healthy()
    assert wait_until(lambda: not members(pid), 15)


def test_next_start_ends_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    stack = Stack(var_dir=tmp_path, port=free_port(), env=DEMO)
    stack.start()
    stack.wait_healthy()
    pids = [stack.pid(role) for role in stack.roles]
    supervisor = rpc.pid_of(stack._rpc_socket)
    assert supervisor
    os.kill(supervisor, signal.SIGKILL)
    stack.watch()  # returns: it has ended
    left = [pid for pid in pids if alive(pid)]
    assert left, "the children of a killed supervisor go on"
    stack._lock.release()  # as if the terminal's process had been killed too
    follower = Stack(var_dir=stack.var_dir, port=stack.port, env=DEMO)
    try:
        follower.start()
        follower.wait_healthy()
        assert not [pid for pid in pids if alive(pid)]
    finally:
        follower.stop()


def test_supervisor_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """kill -9 of ``make run``'s own process: the supervisor notices and stops everything."""
    port = free_port()
    env = os.environ | DEMO | {"VAR_DIR": str(tmp_path / "var"), "WEB_PORT": str(port)}
    child = subprocess.Popen(
        [sys.executable, "-m", "scripts.run", "--port", str(port)],
        cwd=ROOT,
        env={name: value for name, value in env.items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    shown = ""
    while "停止  按 Ctrl-C" not in shown:
        line = child.stdout.readline()
        assert line, shown
        shown += line
    assert f"http://127.0.0.1:{port}/" in shown
    supervisor = int((tmp_path / "var" / "run" / "supervisord.pid").read_text())
    child.kill()
    child.wait()
    child.stdout.close()
    assert wait_until(lambda: not alive(supervisor), 60)
    assert not [path for path in (tmp_path / "var" / "run").glob("*.lock") if Lock(path).is_held()]
    sockets = short_dir(tmp_path / "var" / "run", LONGEST_SOCKET)
    if sockets != tmp_path / "var" / "run":
        sockets.rmdir()


def test_postgres_in_a_folder_that_others_cannot_enter(tmp_path: Path) -> None:
    """As root the server runs as another user; a closed home must not stop it, nor be opened for it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    server = PostgresServer(home / "pg")
    try:
        server.start()
        assert server._run("psql", server.url, "-Atc", "SELECT current_user, 1 + 1").stdout == "portal|2\n"
    finally:
        server.stop()
    assert home.stat().st_mode & 0o777 == 0o700
    assert not server.sockets.exists() or server.sockets == home / "pg"


def test_valkey_asks_for_its_password(tmp_path: Path) -> None:
    import redis

    server = ValkeyServer(tmp_path)
    server.start()
    try:
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port).ping()
        assert redis.Redis.from_url(server.url).ping()
    finally:
        server.stop()
