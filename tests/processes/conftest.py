"""Stacks that can be crashed: at marked points from within, and from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.runtime import free_port
from scripts.stack import Stack
from tests.processes.portal import Portal
from tests.stacks import DEMO, PostgresStack


@dataclass
class Fault:
    """The file that arms one marked point; the process that reaches the point takes it away and kills itself."""

    file: Path

    def arm(self, point: str) -> None:
        """The next process that reaches ``point`` dies."""
        waiting = self.file.with_suffix(".new")
        waiting.write_text(point)
        waiting.rename(self.file)

    @property
    def fired(self) -> bool:
        """Whether the armed point was reached."""
        return not self.file.exists()


def _environment(file: Path) -> dict[str, str]:
    return {"FAULT_FILE": str(file), "TOKEN_RATE": "1000/m"}


@pytest.fixture(scope="module")
def fault(tmp_path_factory: pytest.TempPathFactory) -> Fault:
    """The fault file of the module's stack."""
    return Fault(tmp_path_factory.mktemp("fault") / "point")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, fault: Fault) -> Iterator[Portal]:
    """The embedded default with its people, on a working morning."""
    stack = Stack(var_dir=tmp_path_factory.mktemp("crash"), port=free_port(), env=DEMO | _environment(fault.file))
    yield from _running(stack, stack.stop)


@pytest.fixture(scope="module")
def portal_postgres(tmp_path_factory: pytest.TempPathFactory, fault: Fault) -> Iterator[Portal]:
    """The same on PostgreSQL and Redis."""
    stack = PostgresStack(tmp_path_factory.mktemp("crash-pg"), _environment(fault.file))
    yield from _running(stack, stack.close)


def _running(stack: Stack, stop: Callable[[], None]) -> Iterator[Portal]:
    try:
        stack.start()
        stack.wait_healthy(180)
        made = Portal(stack)
        made.morning()
        yield made
    finally:
        stop()
