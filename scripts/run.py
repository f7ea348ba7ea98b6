"""``make run``: start the portal on this machine, say where it is and who may sign in, stop it all at Ctrl-C."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from scripts.runtime import PlainError, default_var_dir, finish
from scripts.stack import Stack

_DEMO_DATA = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "uploads", "run/beat-schedule*")
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def wipe(var_dir: Path) -> None:
    """Remove the embedded demo data below ``var_dir``; asks first where a person sits at the terminal."""
    if os.environ.get("DATABASE_URL"):
        raise PlainError("FRESH=1 只清空内置的演示数据；现在用的是 DATABASE_URL 指定的数据库，请自行清理。")
    found = [path for pattern in _DEMO_DATA for path in var_dir.glob(pattern)]
    if not found:
        return
    print(f"FRESH=1：将删除 {var_dir} 中的演示数据（数据库与上传的文件）。")
    if sys.stdin.isatty() and input("输入 yes 继续：").strip().lower() != "yes":
        raise PlainError("没有删除任何数据。")
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    print("演示数据已清空，将重新载入。")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _announce(stack: Stack, seconds: float) -> None:
    print(f"\n连云港市审批监管联动平台已启动（用时 {seconds:.0f} 秒）\n\n  地址  {stack.base_url}/")
    print(f"  日志  {stack.log_dir}/\n  停止  按 Ctrl-C\n")
    if stack.accounts:
        print(stack.accounts)


def main() -> int:
    """Command line: ``[--host H] [--port N] [--fresh]``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fresh", action="store_true", help="remove the demo data first")
    options = parser.parse_args()
    if os.environ.get("PORTAL_MODE", "demo") != "demo":
        raise PlainError("make run 启动的是演示系统。生产环境请用 docker compose，见 README。")
    for number in _STOPPING:
        signal.signal(number, _interrupt)
    stack = Stack(var_dir=default_var_dir(), host=options.host, port=options.port)
    began = time.monotonic()
    try:
        stack.claim()
        if options.fresh:
            wipe(stack.var_dir)
        print("正在启动（数据库、Valkey、网站、后台任务、定时器）…")
        stack.start()
        stack.wait_healthy()
        _announce(stack, time.monotonic() - began)
        stack.watch()
        raise PlainError("supervisor 意外结束，其余进程已一并停止。请重新运行 make run。")
    except KeyboardInterrupt:
        print("\n正在停止 …")
    finally:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        stack.stop()
    print("已停止。")
    return 0


if __name__ == "__main__":
    finish(main)
