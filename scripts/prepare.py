"""Bring the database or the static files to the state that the code needs.

``python -m scripts.prepare data [--demo] [--accounts FILE]``: migrate, load the demo city (``load_demo``, idempotent)
and write the demo accounts that ``make run`` shows.
``python -m scripts.prepare static``: collect the static files (hashed, compressed) if any has changed.
"""

import argparse
import hashlib
import os
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from scripts.laying import lay_tables
from scripts.runtime import Lock, PlainError, finish, wait_until

UNUSED = (
    *("bootstrap-*", "bootstrap.css*", "bootstrap.js*", "bootstrap.bundle.js*", "*.rtl.*", "*.esm.*"),
    *("bootstrap.min.js*", "htmx-4.*", "htmax-4.*", "htmx-2-compat-4.*", "hx-*-4.*", "rest_framework"),
)
"""Static files of our packages that no page uses: hashing and compressing them would take most of the first start."""


def _static_fingerprint() -> str:
    """Return a digest over the paths, sizes and times of all static files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(list(UNUSED)):
            found = os.stat(storage.path(name))
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> bool:
    """Collect (hash, compress) the static files unless nothing changed since the last time; tell whether it did."""
    root = Path(settings.STATIC_ROOT)
    mark = root / ".collected"
    fingerprint = _static_fingerprint()
    lock = Lock(root.with_name(root.name + ".lock"))
    if not wait_until(lock.acquire, 120):
        raise PlainError(f"另一个进程一直占用 {lock.path}。")
    if mark.is_file() and mark.read_text() == fingerprint:
        lock.release()
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=list(UNUSED))
    mark.write_text(fingerprint)
    lock.release()
    return True


def prepare_data(*, demo: bool, accounts: Path | None) -> None:
    """Migrate; with ``demo`` load the demo city; write the demo accounts to the file ``accounts``."""
    if demo and lay_tables():
        print("  数据表已一次建好", flush=True)
    call_command("migrate", interactive=False, verbosity=1)
    if demo:
        call_command("load_demo")
    if accounts:
        with accounts.open("w", encoding="utf-8") as out:
            call_command("demo_accounts", stdout=out, no_color=True)


def main() -> int:
    """Command line, see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("data", "static"))
    parser.add_argument("--demo", action="store_true", help="load the demo city")
    parser.add_argument("--accounts", type=Path, help="write the demo accounts to this file")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lianyungang_gov.settings")
    django.setup()
    if options.what == "static":
        collect_static()
    else:
        prepare_data(demo=options.demo, accounts=options.accounts)
    return 0


if __name__ == "__main__":
    finish(main)
