"""Exit 0 if a process of the portal is well: ``python -m scripts.healthcheck web|worker|beat`` (containers, tests)."""

import argparse
import json
import os
import socket
import sys
import urllib.error
import urllib.request

from scripts.entry import ENVIRONMENT
from scripts.runtime import finish

PARTS = {"web": ("web", "database"), "beat": ("worker_and_beat",)}
"""The parts of ``/healthz`` that must be ok: web does not count as ill because another container is."""
ROLES = (*PARTS, "worker")


def ask_healthz(url: str) -> dict[str, str]:
    """Return the parts that ``/healthz`` reports, asked under the first allowed host name; empty without an answer."""
    host = (os.environ.get("ALLOWED_HOSTS") or "127.0.0.1").split(",")[0].strip().lstrip(".")
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 - our own http address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read()  # 503 says in its body what is not well
    except OSError as error:
        print(error, file=sys.stderr)
        return {}
    try:
        parts: dict[str, str] = json.loads(text)
    except ValueError:
        print(text[:200], file=sys.stderr)
        return {}
    return parts


def ping_worker() -> bool:
    """Ask this host's worker, through the broker, whether it takes orders."""
    from lianyungang_gov.celery import app  # noqa: PLC0415 - needs the settings, which the other checks do without

    return bool(app.control.ping(destination=[f"celery@{socket.gethostname()}"], timeout=5))


def main() -> int:
    """Command line: ROLE. Web is asked at its own port; beat through web (``HEALTH_URL``), which sees its heartbeat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=ROLES)
    role = parser.parse_args().role
    if role == "worker":
        return 0 if ping_worker() else 1
    own = f"http://127.0.0.1:{os.environ.get('WEB_PORT') or ENVIRONMENT['WEB_PORT']}/healthz"
    parts = ask_healthz(own if role == "web" else os.environ.get("HEALTH_URL") or own)
    print(parts)
    return 0 if all(parts.get(part) == "ok" for part in PARTS[role]) else 1


if __name__ == "__main__":
    finish(main)
