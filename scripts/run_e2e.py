"""``make e2e``: the browser tests, with Debian's chromium and the real processes. Arguments go to pytest.

All of them run by files in three workers, which wait for their pages in turn; named ones one after another.
"""

import os
import shutil
import sys

from scripts.run_tests import pytest
from scripts.runtime import PlainError, finish


def chromium() -> str:
    """Return the browser to use: ``CHROMIUM``, else chromium on the PATH."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not os.access(found, os.X_OK):
        raise PlainError(
            "找不到 Chromium。请先安装：sudo apt-get update && sudo apt-get install -y chromium fonts-noto-cjk\n"
            "  或用 CHROMIUM=/路径/chromium 指定。",
            code=2,
        )
    return found


def main() -> int:
    """Command line: pytest's arguments; the whole of ``tests/e2e`` by default."""
    arguments = sys.argv[1:]
    if not any(argument.startswith("tests") for argument in arguments):
        workers = ["-n", os.environ.get("PYTEST_WORKERS", "3"), "--dist", "loadfile"]
        arguments = ["tests/e2e", *workers, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    code, closing = pytest(["-m", "e2e", *arguments], environment | {"CHROMIUM": chromium()})
    print(f"\n{closing}")
    return code


if __name__ == "__main__":
    finish(main)
