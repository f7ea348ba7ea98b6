"""``make test``: the whole suite twice, on SQLite and on PostgreSQL, each with a real Valkey.

What follows on the command line goes to pytest. Tests marked ``processes`` (real kills) run once, on PostgreSQL; those
marked ``once`` (thousands of requests about what no database decides, and what touches none) on SQLite, those marked
``postgres`` on PostgreSQL, those marked ``twin`` only when asked (``make test ARGS='-m twin'``); ``e2e`` has its own
``make e2e``. With ``DATABASE_URL`` and ``REDIS_URL`` given, the second run uses those. The tables of the test databases
are laid from the models at once; that the migrations lay the same, and run both ways, is what
``tests/infra/test_migrations.py`` shows.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from scripts.runtime import ROOT, default_var_dir, finish, scratch_dir
from scripts.servers import running

_NO_TESTS = 5
_CLOSING = re.compile(r"\b\d+ (passed|failed|error|errors|skipped|deselected)\b.* in [\d.]+s|no tests ran in")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def pytest(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run pytest as a child, showing its output as it comes; return its exit code and its closing line."""
    command = [sys.executable, "-m", "pytest", f"--color={'yes' if sys.stdout.isatty() else 'no'}", *arguments]
    closing = "(pytest did not come to its end)"
    with subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout or ():
            print(line, end="", flush=True)
            plain = _COLOUR.sub("", line).strip()
            if _CLOSING.search(plain):
                closing = plain
    return child.returncode, closing


def main() -> int:
    """Command line: pytest's arguments."""
    arguments = sys.argv[1:]
    passes = (
        ("SQLite + Valkey", False, "not e2e and not processes and not postgres and not twin"),
        ("PostgreSQL + Valkey", True, "not e2e and not once and not twin"),
    )
    codes: list[int] = []
    closing: list[str] = []
    for title, postgres, marks in passes:
        print(f"\n### {title}\n", flush=True)
        servers = running(postgres=postgres, given=os.environ, autovacuum=False)
        with servers as urls, scratch_dir(default_var_dir(), "test-") as var_dir:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
            if not postgres:
                environment.pop("DATABASE_URL", None)
            environment |= urls | {"VAR_DIR": str(var_dir), "PORTAL_MODE": "test"}
            workers = ["--nomigrations", "-n", os.environ.get("PYTEST_WORKERS", "2"), "--dist", "loadfile"]
            workers.append("--no-loadscope-reorder")  # else the few long tests come last, one worker waiting
            ignored = [] if any("tests/e2e" in argument for argument in arguments) else ["--ignore=tests/e2e"]
            code, line = pytest([*workers, *ignored, "-m", marks, *arguments], environment)
        codes.append(code)
        closing.append(f"{title}:\n{line}")
    print("\n" + "\n".join(closing))
    if all(code == _NO_TESTS for code in codes):
        return _NO_TESTS
    return next((code for code in codes if code not in {0, _NO_TESTS}), 0)


if __name__ == "__main__":
    finish(main)
