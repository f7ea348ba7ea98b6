"""The cast and the tools of the outbox's tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

import pytest
from pytest_django.fixtures import Settings

from deadlines import calendar as working_calendar
from ledger.record import record
from lianyungang_gov.celery import app
from notifications import kinds, tasks
from notifications.kinds import Handler, MessageKind
from notifications.models import Message
from notifications.outbox import Draft, queue
from offices.models import User
from tests.notifications.gateway import TOKEN, Gateway

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Monday morning.
NOW = datetime(2026, 9, 28, 9, 30, tzinfo=SHANGHAI)


@dataclass
class Listener(Handler):
    """Writes down what it hears, in the ledger too, so that a test sees whether it was in the same transaction."""

    accepted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)

    def on_accepted(self, messages: Sequence[Message], now: datetime) -> None:
        for message in messages:
            record(f"message:{message.pk}", "accepted", at=now)
            if message.dedupe_key in self.poison:
                raise RuntimeError(f"cannot handle {message.dedupe_key}")
        self.accepted += [message.dedupe_key for message in messages]

    def on_failed(self, messages: Sequence[Message], now: datetime) -> None:
        self.failed += [message.dedupe_key for message in messages]

    def on_unresolved(self, messages: Sequence[Message], now: datetime) -> None:
        self.unresolved += [message.dedupe_key for message in messages]


class Send(Protocol):
    """Queue messages to the office manager."""

    def __call__(
        self, *keys: str, kind: str = ..., now: datetime = ..., to: User | None = ..., bundle_key: str | None = ...
    ) -> list[Message]: ...


def use_broker(url: str) -> None:
    """Let Celery talk to the broker at ``url`` from here on, with no connection left over."""
    app.conf.update(broker_url=url)
    cast(Any, app)._after_fork()


def wakeups() -> int:
    """Take all wake-ups out of the broker; how many there were."""
    with app.connection_for_read() as link:
        channel = cast(Any, link.default_channel)
        channel.queue_declare(queue="outbox")
        found = 0
        while channel.basic_get("outbox", no_ack=True) is not None:
            found += 1
        return found


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees what another left behind: the broker is one in memory, the wake-up's key in the cache is its own."""
    monkeypatch.setattr(tasks, "WAKE_KEY", f"outbox:wake:{uuid.uuid4()}")
    before = app.conf.broker_url
    use_broker("memory://")
    wakeups()
    working_calendar.forget()
    yield
    working_calendar.forget()
    use_broker(before)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Kinds ``task``, ``reminder`` and ``code`` (a login code) with one listener."""
    heard = Listener()
    for kind in (
        MessageKind("task", "监管任务", "T01", handler=heard),
        MessageKind("reminder", "提醒", "T02", handler=heard),
        MessageKind("code", "登录验证码", "T03", ignores_quiet_hours=True, handler=heard),
    ):
        monkeypatch.setitem(kinds.REGISTRY, kind.code, kind)
    return heard


@pytest.fixture
def manager(db: None) -> User:
    """The office manager."""
    return User.objects.create_user("manager", full_name="欧阳海", phone="13800001111", is_demo=True)


@pytest.fixture
def colleague(db: None) -> User:
    """Another office's manager."""
    return User.objects.create_user("colleague", full_name="周云", phone="13800002222", is_demo=True)


@pytest.fixture
def send(listener: Listener, manager: User) -> Send:
    """Queue one message a key."""

    def to_manager(
        *keys: str, kind: str = "task", now: datetime = NOW, to: User | None = None, bundle_key: str | None = None
    ) -> list[Message]:
        return queue(
            [
                Draft(
                    kind, f"您有一项监管任务 {key}，请签收。", key, f"task:{key}", to or manager, bundle_key=bundle_key
                )
                for key in keys
            ],
            now,
        )

    return to_manager


@pytest.fixture
def gateway(settings: Settings) -> Iterator[Gateway]:
    """A gateway over real HTTP, and the settings that lead to it."""
    server = Gateway()
    server.start()
    settings.SMS_TRANSPORT = "http"
    settings.SMS_GATEWAY_URL = server.url
    settings.SMS_GATEWAY_TOKEN = TOKEN
    settings.SMS_GATEWAY_TIMEOUT = 0.3
    yield server
    server.stop()
