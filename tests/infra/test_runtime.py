"""The small tools below make: locks, sockets, ports, the virtual environment's stamp."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts import entry, run, setup_env
from scripts.run_e2e import chromium
from scripts.runtime import (
    ROOT,
    SOCKET_PATH_LIMIT,
    Lock,
    PlainError,
    evict,
    finish,
    free_port,
    port_is_free,
    short_dir,
    tail,
    wait_until,
)

HOLDER = """
import os, sys, time
from pathlib import Path
from scripts.runtime import Lock
os.setpgrp()
lock = Lock(Path(sys.argv[1]))
assert lock.acquire(inheritable=True)
lock.write(str(os.getpid()))
print("held", flush=True)
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
"""


def test_lock_is_exclusive_and_carries_a_note(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.acquire()
    first.write("here")
    assert not second.acquire()
    assert second.is_held()
    assert second.read() == "here"
    first.release()
    assert not second.is_held()


def test_lock_outlives_exec_and_its_holder_is_evicted(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert Lock(path).is_held()
        assert evict(Lock(path), grace=5)
        assert child.wait(10) != 0
    assert not Lock(path).is_held()
    assert not evict(Lock(path), grace=0)


def test_lock_without_a_note_is_not_guessed_at(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    with pytest.raises(PlainError, match="没有记下"):
        evict(Lock(tmp_path / "lock"), grace=0)
    lock.release()


def test_short_folder_is_used_as_it_is(tmp_path: Path) -> None:
    assert short_dir(tmp_path / "r", "s.sock") == tmp_path / "r"


def test_long_folder_gets_a_private_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("深" * 40) / "run"
    short = short_dir(deep, "valkey.sock")
    try:
        assert len(os.fsencode(short / "valkey.sock")) <= SOCKET_PATH_LIMIT
        assert short.stat().st_mode & 0o777 == 0o700
        assert short_dir(deep, "valkey.sock") == short
        short.chmod(0o755)
        with pytest.raises(PlainError, match="权限不对"):
            short_dir(deep, "valkey.sock")
    finally:
        short.rmdir()


def test_long_temporary_folder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("t" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    short = short_dir(tmp_path / ("d" * 120), "valkey.sock")
    assert short.parent == Path("/tmp")  # noqa: S108
    short.rmdir()


def test_taken_port_is_seen() -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not port_is_free("127.0.0.1", server.getsockname()[1])
    assert port_is_free("127.0.0.1", free_port())


def test_wait_until_gives_up() -> None:
    assert wait_until(lambda: True, 0)
    assert not wait_until(lambda: False, 0.01, 0.001)


def test_tail_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a\nb\nc\n")
    assert tail(tmp_path / "log", 2) == "b\nc"
    assert tail(tmp_path / "none") == ""


def test_plain_error_is_one_sentence_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise PlainError("请换一个端口", code=3)

    with pytest.raises(SystemExit) as ended:
        finish(main)
    assert ended.value.code == 3
    shown = capsys.readouterr().err
    assert "✗ 请换一个端口" in shown
    assert "Traceback" not in shown


def test_stamp_follows_the_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\n")
    first = setup_env.stamp_of(tmp_path, setup_env.RUNTIME)
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    assert not setup_env.is_current(venv, first)
    (venv / ".requirements").write_text(first + "\n")
    assert setup_env.is_current(venv, first)
    assert not setup_env.ensure(venv, setup_env.RUNTIME, tmp_path)
    (tmp_path / "requirements.txt").write_text("a==2\n")
    assert not setup_env.is_current(venv, setup_env.stamp_of(tmp_path, setup_env.RUNTIME))


def test_embedded_valkey_listens_on_no_port(tmp_path: Path) -> None:
    command = entry.command_of("valkey", {"VAR_DIR": str(tmp_path)})
    assert command[command.index("--port") + 1] == "0"
    assert command[command.index("--unixsocket") + 1] == str(tmp_path / "run" / "valkey.sock")
    assert command[command.index("--unixsocketperm") + 1] == "700"


def test_without_any_valkey_there_is_a_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlainError, match="REDIS_URL"):
        entry.command_of("valkey", {"VAR_DIR": str(tmp_path)})
    system = tmp_path / "redis-server"
    system.write_text("#!/bin/sh\n")
    system.chmod(0o755)
    assert entry.command_of("valkey", {"VAR_DIR": str(tmp_path)})[0] == str(system)


def test_access_log_holds_no_query_strings() -> None:
    assert "%(q)s" not in entry.ACCESS_LOG
    assert "%(r)s" not in entry.ACCESS_LOG


def test_fresh_removes_demo_data_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "db.sqlite3").touch()
    (tmp_path / "uploads").mkdir()
    (tmp_path / "bench.json").touch()
    run.wipe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_fresh_refuses_a_given_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///x")
    with pytest.raises(PlainError, match="DATABASE_URL"):
        run.wipe(tmp_path)


def test_missing_browser_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlainError, match="apt-get install -y chromium") as refused:
        chromium()
    assert refused.value.code == 2
