"""The portal stands: pages open, everything beats, and what is killed comes back."""

import pytest
from playwright.sync_api import Page, expect

from scripts.stack import Stack
from tests.e2e.conftest import NewPage, shot
from tests.stacks import PostgresStack


def test_home_opens(page: Page, stack: Stack) -> None:
    assert stack.health()[0] == 200
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shot(page, "home")


@pytest.mark.parametrize("role", ["web", "worker", "beat", "valkey"])
def test_killed_process_comes_back(stack: Stack, role: str) -> None:
    pid = stack.kill(role)
    stack.wait_restarted(role, pid)
    stack.wait_healthy()


def test_home_opens_on_postgres(new_page: NewPage, stack_postgres: PostgresStack) -> None:
    stack_postgres.kill("valkey")
    stack_postgres.wait_healthy()
    answer = new_page(stack_postgres).goto("/")
    assert answer is not None
    assert answer.status == 200
