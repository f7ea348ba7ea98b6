"""Whole portals for tests: the environment of a demo system, one on PostgreSQL and Redis, and its demo accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from scripts.runtime import ROOT, free_port
from scripts.servers import PostgresServer, ValkeyServer
from scripts.stack import Stack

# The suite's own settings are in our environment; the stacks are demo systems with databases of their own.
DEMO = {"PORTAL_MODE": "demo", "DATABASE_URL": "", "REDIS_URL": "", "PUBLIC_BASE_URL": ""} | {
    "STATIC_ROOT": str(ROOT / "var" / "e2e-static")  # collected once for all stacks
}


class PostgresStack(Stack):
    """The portal on PostgreSQL and on a Redis that the supervisor does not own."""

    def __init__(self, directory: Path, env: Mapping[str, str] | None = None) -> None:
        self.postgres = PostgresServer(directory / "pg")
        self.broker = ValkeyServer(directory)
        self.postgres.start()
        self.broker.start()
        urls = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.broker.url}
        super().__init__(var_dir=directory / "var", port=free_port(), env={**DEMO, **(env or {}), **urls})

    def kill(self, role: str) -> int:
        """As the stack's own; the broker is started again here, empty."""
        if role != "valkey":
            return super().kill(role)
        self.broker.kill()
        self.broker.start()
        return 0

    def hold_down(self, role: str) -> None:
        """As the stack's own; the broker is ours to kill."""
        if role != "valkey":
            super().hold_down(role)
        else:
            self.broker.kill()

    def bring_back(self, role: str) -> None:
        """As the stack's own; the broker comes back empty."""
        if role != "valkey":
            super().bring_back(role)
        else:
            self.broker.start()

    def close(self) -> None:
        """Stop the portal and its servers."""
        try:
            self.stop()
        finally:
            self.broker.stop()
            self.postgres.stop()


def accounts(stack: Stack, item: str) -> dict[str, list[str]]:
    """Step → accounts of the walk of ``item``, read as a newcomer does from what ``make run`` prints."""
    walk = stack.accounts.split(f"走一遍“{item}”：")[1].split("走一遍")[0]
    found = {}
    for line in walk.strip().splitlines():
        if line.strip():
            _, step, _, names = re.split(r"\s{2,}", line.strip(), maxsplit=3)
            found[step] = re.split(r"\s{2,}", names)[0].split(" / ")
    return found
