"""The suite's settings: the portal's own, in test mode, with runtime files of their own."""

import os
from pathlib import Path

os.environ["PORTAL_MODE"] = "test"
os.environ.setdefault("VAR_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test"))

from lianyungang_gov.settings import *  # noqa: F403

# The real hasher is slow on purpose; one test signs in through it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
