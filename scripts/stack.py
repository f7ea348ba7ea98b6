"""The whole portal on this machine: Valkey, web, worker and beat under one supervisor that restarts them.

``make run`` (``scripts.run``) starts it; the browser tests start the same :class:`Stack` in a folder of their own.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis

from scripts import supervision_rpc as rpc
from scripts.entry import valkey_command
from scripts.runtime import (
    ROOT,
    Lock,
    PlainError,
    die_with_parent,
    evict,
    free_port,
    port_is_free,
    short_dir,
    tail,
    wait_until,
    writable_dir,
)

LONGEST_SOCKET = "supervisor.sock.0000000"
PORTAL_ROLES = ("web", "worker", "beat")
EMBEDDED_ROLES = ("valkey", "elicence", "credit")
_LOG_BYTES = 2 * 1024 * 1024
_LOG_BACKUPS = 3
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child that may still run because another step failed or the person gave up."""
    child.kill()
    child.wait()


class Stack:
    """The running portal below one ``var_dir``: start, look after, stop, and (for tests) kill its processes.

    ``env`` changes the environment of all processes, an empty value takes a name away. With a ``REDIS_URL`` no Valkey
    is embedded; with a ``DATABASE_URL`` SQLite is not used. The demo embeds a stand-in electronic-licence service too.
    """

    def __init__(
        self, *, var_dir: Path, port: int, host: str = "127.0.0.1", env: Mapping[str, str] | None = None
    ) -> None:
        self.var_dir = var_dir.resolve()
        self.host = host
        self.port = port
        self.run_dir = self.var_dir / "run"
        self.log_dir = self.var_dir / "log"
        self._lock = Lock(self.run_dir / "stack.lock")
        self._changes = dict(env or {})
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._sockets = self.run_dir
        self._claimed = False
        self.env: dict[str, str] = {}
        told = os.environ | self._changes
        self.embedded_valkey = not told.get("REDIS_URL")
        # The stand-ins for services outside: in the demo, where no real one is named.
        is_demo = (told.get("PORTAL_MODE") or "demo") == "demo"
        self.embedded_elicence = is_demo and not told.get("ELICENCE_URL")
        self.embedded_credit = is_demo and not told.get("CREDIT_URL")

    @property
    def base_url(self) -> str:
        """The address to open, without a closing slash."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"

    @property
    def roles(self) -> tuple[str, ...]:
        """The supervised processes."""
        embedded = {
            "valkey": self.embedded_valkey,
            "elicence": self.embedded_elicence,
            "credit": self.embedded_credit,
        }
        return (*(role for role in EMBEDDED_ROLES if embedded[role]), *PORTAL_ROLES)

    @property
    def accounts(self) -> str:
        """The table of demo accounts as ``manage.py demo_accounts`` printed it."""
        path = self.run_dir / "accounts.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    # --- starting ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and return when the processes are up (not yet healthy: see :meth:`wait_healthy`).

        Raises:
            PlainError: the folder is in use by another start, the port is taken, or a step failed (its log's end is in
                the text).
        """
        if self._supervisor is not None:
            raise PlainError("已经启动。")
        self.claim()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def claim(self) -> None:
        """Take the folder's lock and end what a killed start left behind; harmless when it is ours already."""
        for path in (self.var_dir, self.run_dir, self.log_dir):
            writable_dir(path)
        if self._claimed:
            return
        if not self._lock.acquire():
            raise PlainError(f"本目录的系统已在运行：{self._lock.read() or self.var_dir}。先在那个终端按 Ctrl-C 停止。")
        self._claimed = True
        self._sockets = short_dir(self.run_dir, LONGEST_SOCKET)
        self._clear_leftovers()

    def _start(self) -> None:
        if not port_is_free(self.host, self.port):
            raise PlainError(f"端口 {self.port} 已被别的程序占用。换一个端口再试，例如：make run PORT={self.port + 1}")
        self._lock.write(f"{self.base_url}/ (pid {os.getpid()})")
        self.env = self._environment()
        config = self.run_dir / "supervisord.conf"
        config.write_text(self._configuration(), encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)]
        with (self.log_dir / "supervisord.out").open("wb") as out:
            self._supervisor = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches only us, so that we stop the rest in order
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        if not wait_until(lambda: rpc.pid_of(self._rpc_socket) is not None or self._has_ended(), 15):
            raise PlainError(f"supervisor 没有启动：\n{tail(self.log_dir / 'supervisord.out')}")
        if self._has_ended():
            raise PlainError(f"supervisor 启动后退出：\n{tail(self.log_dir / 'supervisord.out')}")
        if self.embedded_valkey and not wait_until(self._valkey_answers, 15):
            raise PlainError(f"Valkey 没有启动：\n{tail(self.log_dir / 'valkey.log')}")
        self._prepare()
        for role in PORTAL_ROLES:
            rpc.start(self._rpc_socket, role)

    def _prepare(self) -> None:
        """Database and static files, side by side: the first start has to be quick."""
        data = ["data"]
        if self.env.get("PORTAL_MODE", "demo") == "demo":
            data += ["--demo", "--accounts", str(self.run_dir / "accounts.txt")]
        with contextlib.ExitStack() as opened:
            running = []
            for arguments in (data, ["static"]):
                log = self.log_dir / f"prepare-{arguments[0]}.log"
                out = opened.enter_context(log.open("wb"))
                command = [sys.executable, "-m", "scripts.prepare", *arguments]
                child = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=out, stderr=out)
                opened.callback(_end, child)
                running.append((child, log))
            for child, log in running:
                if child.wait():
                    raise PlainError(f"准备数据库和静态文件时出错（全文见 {log}）：\n{tail(log)}")

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        env = {name: value for name, value in (inherited | self._changes).items() if value}
        env.setdefault("PUBLIC_BASE_URL", self.base_url)
        env |= {
            "VAR_DIR": str(self.var_dir),
            "WEB_HOST": self.host,
            "WEB_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings",
        }
        if self.embedded_valkey:
            env["VALKEY_SOCKET"] = str(self._sockets / "valkey.sock")
            env["REDIS_URL"] = f"unix://{quote(str(self._sockets / 'valkey.sock'))}?db=0"
            valkey_command(directory=self.run_dir)  # says now, not in a log, that there is no Valkey to start
        if self.embedded_elicence:
            port = free_port()
            env |= {"ELICENCE_PORT": str(port), "ELICENCE_URL": f"http://127.0.0.1:{port}"}
            env["ELICENCE_TOKEN"] = secrets.token_urlsafe()
        if self.embedded_credit:
            port = free_port()
            env |= {"CREDIT_PORT": str(port), "CREDIT_URL": f"http://127.0.0.1:{port}"}
            env["CREDIT_TOKEN"] = secrets.token_urlsafe()
        return env

    def _configuration(self) -> str:
        if "%" in f"{ROOT}{self.run_dir}{sys.executable}":
            raise PlainError(f"supervisor 不能处理带 % 的路径，请把项目放到另一个目录：{ROOT}")
        sections: dict[str, dict[str, object]] = {
            "unix_http_server": {"file": self._rpc_socket, "chmod": "0700"},
            "rpcinterface:supervisor": {
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
            "supervisord": {
                "logfile": self.log_dir / "supervisord.log",
                "logfile_maxbytes": _LOG_BYTES,
                "logfile_backups": _LOG_BACKUPS,
                "pidfile": self.run_dir / "supervisord.pid",
                "childlogdir": self.log_dir,
                "directory": ROOT,
            },
        }
        if os.geteuid() == 0:
            sections["supervisord"]["user"] = "root"
        for order, role in enumerate(self.roles):
            sections[f"program:{role}"] = {
                "command": f'"{sys.executable}" -m scripts.entry --hold "{self.run_dir}" {role}',
                "autostart": "true" if role in EMBEDDED_ROLES else "false",
                "autorestart": "true",
                "startsecs": 1,
                "startretries": 100,
                "stopwaitsecs": 15,
                "killasgroup": "true",
                "priority": 10 + order,  # stopped in the opposite order: the broker last
                "stdout_logfile": self.log_dir / f"{role}.log",
                "redirect_stderr": "true",
                "stdout_logfile_maxbytes": _LOG_BYTES,
                "stdout_logfile_backups": _LOG_BACKUPS,
            }
        lines: list[str] = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{key}={value}" for key, value in values.items()), ""]
        return "\n".join(lines)

    @property
    def _rpc_socket(self) -> Path:
        return self._sockets / "supervisor.sock"

    def _has_ended(self) -> bool:
        return self._supervisor is None or self._supervisor.poll() is not None

    def _valkey_answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.env["REDIS_URL"]).ping())
        except redis.RedisError:
            return False

    def _clear_leftovers(self) -> None:
        """End the supervisor and the processes of a start that was killed (we hold the lock: nobody else's run)."""
        if (pid := rpc.pid_of(self._rpc_socket)) is not None:
            print(f"停止上次遗留的进程（supervisor pid {pid}）…")
            rpc.shutdown(self._rpc_socket)
            wait_until(lambda: rpc.pid_of(self._rpc_socket) is None, 40)
        for role in reversed((*EMBEDDED_ROLES, *PORTAL_ROLES)):
            if evict(Lock(self.run_dir / f"{role}.lock"), grace=8):
                print(f"已停止上次遗留的 {role}。")

    # --- looking after -----------------------------------------------------------------------------------------------

    def health(self) -> tuple[int, str]:
        """Return the status code (0: no answer) and the text of ``/healthz``."""
        try:
            with _OPENER.open(f"{self.base_url}/healthz", timeout=5) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def wait_healthy(self, timeout: float = 90) -> None:
        """Wait until ``/healthz`` answers 200; raise :class:`PlainError` after ``timeout`` seconds."""
        if not wait_until(lambda: self._has_ended() or self.health()[0] == 200, timeout, 0.5) or self._has_ended():
            logs = "\n".join(f"--- {role}.log\n{tail(self.log_dir / f'{role}.log', 12)}" for role in self.roles)
            raise PlainError(f"{timeout:.0f} 秒内没有就绪，/healthz 的回答：{self.health()}\n{logs}")

    def pid(self, role: str) -> int:
        """Return the pid of a running process (0 while it is not running)."""
        return rpc.process_pid(self._rpc_socket, role)

    def kill(self, role: str) -> int:
        """End ``role`` with all its children by SIGKILL, as a power cut would; return the pid it had.

        The supervisor starts it again by itself; :meth:`wait_restarted` waits for that.
        """
        pid = self.pid(role)
        if not pid:
            raise RuntimeError(f"{role} is not running")
        os.killpg(pid, signal.SIGKILL)
        return pid

    def wait_restarted(self, role: str, old_pid: int, timeout: float = 60) -> None:
        """Wait until ``role`` runs under another pid than ``old_pid``."""
        if not wait_until(lambda: self.pid(role) not in {0, old_pid}, timeout, 0.1):
            raise PlainError(f"{role} 没有重新启动：\n{tail(self.log_dir / f'{role}.log')}")

    def hold_down(self, role: str) -> None:
        """Stop ``role`` in order and keep it down until :meth:`bring_back` (for tests: hours without it)."""
        if not wait_until(lambda: rpc.stop(self._rpc_socket, role), 30, 0.1):
            raise PlainError(f"{role} 没有停下：\n{tail(self.log_dir / f'{role}.log')}")

    def bring_back(self, role: str) -> None:
        """Start what :meth:`hold_down` keeps down, without waiting for it."""
        rpc.start(self._rpc_socket, role)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` against the running portal's data; with ``check`` a failure raises with its output."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    # --- stopping ----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything in order (the broker last) and give the folder back; nothing is left running."""
        try:
            if self._supervisor is not None:
                self._supervisor.terminate()
                try:
                    self._supervisor.wait(60)
                except subprocess.TimeoutExpired:
                    self._supervisor.kill()
                    self._supervisor.wait()
                self._supervisor = None
                for role in reversed(self.roles):
                    evict(Lock(self.run_dir / f"{role}.lock"), grace=3)
        finally:
            if self._sockets != self.run_dir:
                shutil.rmtree(self._sockets, ignore_errors=True)
            self._lock.release()
            self._claimed = False

    def restart(self, **env: str) -> None:
        """Stop, start and wait until healthy; ``env`` changes the environment (an empty value takes a name away)."""
        self.stop()
        self._changes |= env
        self.start()
        self.wait_healthy()

    def watch(self) -> None:
        """Return when the supervisor has ended by itself; ends by exception (Ctrl-C) otherwise."""
        if self._supervisor is not None:
            self._supervisor.wait()
