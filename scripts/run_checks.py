"""``make check``: style, types, layers, migrations and Django's own checks in the demo and the production mode."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.new_secrets import new_secrets
from scripts.runtime import ROOT, default_var_dir, finish, scratch_dir

_PY = sys.executable
_BIN = Path(sys.executable).parent
_SETTINGS = {"DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings"}


def production_environment(var_dir: Path) -> dict[str, str]:
    """Return a complete production environment with fresh secrets and addresses that nobody answers at."""
    return new_secrets() | {
        "PORTAL_MODE": "production",
        "VAR_DIR": str(var_dir),
        "DATABASE_URL": "postgresql://portal:unused@127.0.0.1:5432/portal",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "ALLOWED_HOSTS": "portal.example",
        "PUBLIC_BASE_URL": "https://portal.example",
        "SMS_GATEWAY_URL": "https://sms.example/send",
        "SMS_GATEWAY_TOKEN": "unused",
    }


def checks(var_dir: Path) -> list[tuple[str, list[str], dict[str, str]]]:
    """Return the checks as (title, command, additional environment)."""
    manage = [_PY, "manage.py"]
    demo = _SETTINGS | {"VAR_DIR": str(var_dir), "PORTAL_MODE": "demo"}
    return [
        ("ruff check", [_PY, "-m", "ruff", "check", "."], {}),
        ("ruff format", [_PY, "-m", "ruff", "format", "--check", "."], {}),
        ("mypy", [_PY, "-m", "mypy", "."], demo),
        ("import layers", [str(_BIN / "lint-imports")], demo),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], demo),
        ("django check, demo", [*manage, "check", "--fail-level", "WARNING"], demo),
        (
            "django check, production",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            _SETTINGS | production_environment(var_dir),
        ),
    ]


def main() -> int:
    """Run all checks, also after a failure, and exit 1 if any failed."""
    failed: list[str] = []
    inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    with scratch_dir(default_var_dir(), "check-") as var_dir:
        for title, command, environment in checks(var_dir):
            print(f"### {title}", flush=True)
            if subprocess.run(command, cwd=ROOT, env=inherited | environment, check=False).returncode:
                failed.append(title)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    finish(main)
