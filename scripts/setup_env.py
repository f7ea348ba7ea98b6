"""Make the virtual environment and install the pinned requirements; instant when nothing has changed.

Runs with any Python 3.11+ and nothing else: ``python3 -m scripts.setup_env``. pip is used as this machine has it set
up.
``--runtime`` installs only what the portal itself needs (the container image does that).
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.runtime import ROOT, Lock, PlainError, finish

VENV = ROOT / ".venv"
RUNTIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")


def stamp_of(root: Path, files: tuple[str, ...]) -> str:
    """Return the fingerprint of the requirement files together with the Python that they are installed for."""
    digest = hashlib.sha256(f"{sys.version_info.major}.{sys.version_info.minor}".encode())
    for name in files:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(venv: Path, stamp: str) -> bool:
    """Tell whether ``venv`` works and was last filled from requirements with this ``stamp``."""
    mark = venv / ".requirements"
    return os.access(venv / "bin" / "python", os.X_OK) and mark.is_file() and mark.read_text().strip() == stamp


def _make(venv: Path) -> None:
    """Make the virtual environment, with a hint where the system's Python comes without ``venv``."""
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(venv, ignore_errors=True)
        raise PlainError(
            f"无法建立虚拟环境：{(made.stdout + made.stderr).strip()}\n"
            "  Debian/Ubuntu 请先安装：sudo apt-get install python3-venv"
        )


def _same_python(venv: Path) -> bool:
    """Tell whether the interpreter in ``venv`` runs and is of our own version."""
    python = venv / "bin" / "python"
    if not os.access(python, os.X_OK):
        return False
    asked = subprocess.run(
        [str(python), "-c", "import sys; print(sys.version_info[:2] == tuple(map(int, sys.argv[1:])))"]
        + [str(part) for part in sys.version_info[:2]],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() == "True"


def ensure(venv: Path = VENV, files: tuple[str, ...] = DEVELOPMENT, root: Path = ROOT) -> bool:
    """Bring ``venv`` up to date with ``files``; return whether anything had to be done."""
    stamp = stamp_of(root, files)
    if is_current(venv, stamp):
        return False
    if not os.access(root, os.W_OK):
        raise PlainError(f"当前用户不能写入 {root}，无法建立虚拟环境。请复制一份到自己的目录，或更改目录所有者。")
    lock = Lock(root / ".setup.lock")
    if not lock.acquire():
        raise PlainError("另一个 make 正在安装依赖，请等它完成后重试。")
    try:
        if not _same_python(venv):
            print(f"建立虚拟环境 {venv} …")
            _make(venv)
        print("安装依赖 …")
        command = [str(venv / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        for name in files:
            command += ["-r", str(root / name)]
        if subprocess.run(command, check=False).returncode:
            raise PlainError("依赖没有装好，原因见上。网络恢复后再运行同一条命令即可，已下载的不会重来。")
        (venv / ".requirements").write_text(stamp + "\n")
    finally:
        lock.path.unlink(missing_ok=True)
        lock.release()
    return True


def main() -> int:
    """Command line: ``[--runtime] [--venv PATH]``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", action="store_true", help="only what the portal itself needs")
    parser.add_argument("--venv", type=Path, default=VENV, help="where (default: .venv in the project)")
    options = parser.parse_args()
    ensure(options.venv, RUNTIME if options.runtime else DEVELOPMENT)
    return 0


if __name__ == "__main__":
    finish(main)
