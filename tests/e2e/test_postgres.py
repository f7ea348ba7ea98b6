"""The same portal on PostgreSQL and Redis: the chain runs through it, and it stands without its broker's memory."""

from pathlib import Path

from tests.e2e import chain
from tests.e2e.acts import Town
from tests.e2e.conftest import NewPage
from tests.stacks import PostgresStack


def test_chain(stack_postgres: PostgresStack, new_page: NewPage, tmp_path: Path) -> None:
    chain.play(Town(stack_postgres, new_page), tmp_path)


def test_home_opens_without_the_brokers_memory(new_page: NewPage, stack_postgres: PostgresStack) -> None:
    stack_postgres.kill("valkey")
    stack_postgres.wait_healthy()
    answer = new_page(stack_postgres).goto("/")
    assert answer is not None
    assert answer.status == 200
