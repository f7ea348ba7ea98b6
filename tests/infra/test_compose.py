"""The compose file and the image say the same as the settings and the scripts that make uses.

No container engine is needed: the files are read, and what they pass is held against the code.
"""

import ast
import re
from typing import Any

import pytest
import yaml

from scripts import entry, healthcheck
from scripts.new_secrets import new_secrets
from scripts.runtime import ROOT

PORTAL_SERVICES = ("migrate", "web", "worker", "beat")
_VARIABLE = re.compile(r"\$\{(\w+)(:[?-])?([^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def names_the_settings_read() -> set[str]:
    """Collect the names in ``env.xxx("NAME", …)`` and ``_secret("NAME", …)`` of the settings."""
    tree = ast.parse((ROOT / "lianyungang_gov" / "settings.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            by_env = (
                isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "env"
            )
            if by_env or (isinstance(called, ast.Name) and called.id == "_secret"):
                found.add(str(node.args[0].value))
    return found


def fill(text: str, values: dict[str, str]) -> str:
    """Interpolate ``${NAME:?message}`` and ``${NAME:-default}`` as compose does."""

    def one(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if values.get(name):
            return values[name]
        assert operator == ":-", f"{name} has no value: {rest}"
        return str(rest)

    return _VARIABLE.sub(one, text)


def test_the_services_are_the_documented_ones(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "redis", *PORTAL_SERVICES}


def test_every_service_has_a_health_check_or_ends_by_itself(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"


def test_processes_wait_for_the_migration(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat"):
        waits = compose["services"][name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["postgres"]["condition"] == waits["redis"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", PORTAL_SERVICES)
def test_commands_are_roles_of_the_entry_script(compose: dict[str, Any], name: str) -> None:
    command = compose["services"][name]["command"]
    assert command == ["python", "-m", "scripts.entry", name]
    assert name in entry.ROLES
    check = compose["services"][name]["healthcheck"]
    if name != "migrate":
        assert check["test"] == ["CMD", "python", "-m", "scripts.healthcheck", name]
        assert name in healthcheck.ROLES


def test_every_name_passed_is_known(compose: dict[str, Any]) -> None:
    known = names_the_settings_read() | set(entry.ENVIRONMENT) | {"VAR_DIR"}
    for name in PORTAL_SERVICES:
        assert set(compose["services"][name]["environment"]) <= known


def test_all_secrets_come_from_the_environment(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in new_secrets():
        assert re.search(r"\$\{" + name + r":\?[^}]+\}", text), f"{name} must be required with a message"
        for service in compose["services"].values():
            value = service.get("environment", {}).get(name)
            assert value is None or re.fullmatch(r"\$\{" + name + r":\?[^}]+\}", value)
    assert set(new_secrets()) >= {"SECRET_KEY", "FIELD_KEYS", "HASH_KEY", "HOOK_TOKEN"}


def test_missing_secret_is_named(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]
    with pytest.raises(AssertionError, match="SECRET_KEY has no value: set SECRET_KEY"):
        fill(environment["SECRET_KEY"], {})


def test_image_is_built_by_the_scripts_of_make() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "python -m scripts.setup_env --runtime" in dockerfile
    assert "-m scripts.setup_env" in makefile
    assert '"scripts.entry", "web"' in dockerfile
    assert "scripts.entry static" in dockerfile
    assert "static" in entry.ROLES
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*scripts\.healthcheck", dockerfile, re.MULTILINE)
    for copied in re.findall(r"scripts/\w+\.py", dockerfile):
        assert (ROOT / copied).is_file()


def test_no_secret_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", "var", ".git"} <= set(ignored)
