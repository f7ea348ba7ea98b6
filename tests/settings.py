"""The suite's settings: the portal's own, in test mode, with runtime files of their own."""

import os
import re
from pathlib import Path

os.environ["PORTAL_MODE"] = "test"
os.environ.setdefault("VAR_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test"))

from lianyungang_gov.settings import *  # noqa: F403

# The real hasher is slow on purpose; one test signs in through it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each worker of the suite has a database of its own in the shared Valkey: clearing one cache leaves the others alone.
_cache = CACHES["default"]  # noqa: F405
if "LOCATION" in _cache:
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw") or 0)
    _cache["LOCATION"] = re.sub(r"(db=|/)\d+$", rf"\g<1>{1 + _worker}", _cache["LOCATION"])

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
