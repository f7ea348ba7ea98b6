"""Production refuses to start with anything that belongs to a demonstration."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts.new_secrets import new_secrets
from scripts.runtime import ROOT

GOOD = {
    "PORTAL_MODE": "production",
    "DATABASE_URL": "postgresql://portal@/portal",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "ALLOWED_HOSTS": "portal.example",
    "SMS_GATEWAY_URL": "https://sms.example/send",
    "SMS_GATEWAY_TOKEN": "a-token",
}


def start(tmp_path: object, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings as a production process would."""
    given = GOOD | new_secrets() | {"VAR_DIR": str(tmp_path)} | {k: v for k, v in changes.items() if v is not None}
    for name in [name for name, value in changes.items() if value is None]:
        given.pop(name, None)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    code = "import django; django.setup(); from django.conf import settings; print(settings.PORTAL_MODE)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=kept | given | {"DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_when_everything_is_given(tmp_path: object) -> None:
    done = start(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "production"), done.stderr[-500:]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"FIELD_KEYS": None}, "FIELD_KEYS"),
        ({"FIELD_KEYS": "ZGVtby1vbmx5LWtleS1uZXZlci1mb3ItcHJvZHVjdGk="}, "FIELD_KEYS"),
        ({"HASH_KEY": None}, "HASH_KEY"),
        ({"HOOK_TOKEN": None}, "HOOK_TOKEN"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS"),
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite3"}, "DATABASE_URL"),
        ({"REDIS_URL": None}, "REDIS_URL"),
        ({"TRAINING_ALLOWED": "true"}, "TRAINING_ALLOWED"),
        ({"DEMO_PHONE": "true"}, "DEMO_PHONE"),
        ({"FAULT_FILE": "fault"}, "FAULT_FILE"),
        ({"SMS_TRANSPORT": "demo_phone"}, "SMS_TRANSPORT"),
        ({"SMS_GATEWAY_TOKEN": None}, "SMS_GATEWAY"),
        ({"PORTAL_MODE": "prod"}, "PORTAL_MODE"),
    ],
)
def test_it_refuses_and_names_what_is_wrong(tmp_path: object, changes: dict[str, str | None], said: str) -> None:
    done = start(tmp_path, **changes)
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert said in done.stderr.splitlines()[-1]
