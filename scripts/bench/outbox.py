"""Delivering to a gateway that answers in 5 ms, beside the bare requests from as many threads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.test import override_settings

from notifications import transports
from notifications.deliver import deliver
from notifications.models import Message
from notifications.outbox import Draft, queue
from scripts.bench.measure import Figure, seconds
from tests.notifications.gateway import TOKEN, Gateway

TOTAL = 2000
ROUNDS = 5


def _queue(now: dt.datetime, round_: int) -> None:
    queue(
        [
            Draft(
                kind="case_reminder", text="时限提醒", dedupe_key=f"b{round_}:{n}", reference="b", phone="10000000000"
            )
            for n in range(TOTAL)
        ],
        now,
    )


def delivering(now: dt.datetime) -> Iterator[Figure]:
    """Deliver 2,000 messages: ≥ 300/s a worker."""
    Message.objects.filter(state="queued").update(state="cancelled")
    gateway = Gateway(delay=0.005)
    gateway.start()
    ours, floor = [], []
    with override_settings(SMS_TRANSPORT="http", SMS_GATEWAY_URL=gateway.url, SMS_GATEWAY_TOKEN=TOKEN):
        threads = transports.current().concurrency

        def all_of_them() -> None:
            while deliver(now).claimed:
                pass

        def bare() -> None:
            with (
                httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client,
                ThreadPoolExecutor(threads) as pool,
            ):

                def post(n: int) -> int:
                    body = {"client_id": f"floor-{n}", "phone": "10000000000", "text": "时限提醒"}
                    return client.post(f"{gateway.url}/messages", json=body).status_code

                list(pool.map(post, range(TOTAL)))

        for round_ in range(ROUNDS):
            _queue(now, round_)
            ours.append(TOTAL / seconds(all_of_them))
            floor.append(TOTAL / seconds(bare))
    gateway.stop()
    a, b = sorted(ours)[ROUNDS // 2], sorted(floor)[ROUNDS // 2]
    yield Figure("deliver messages", "/s", a, b, a / b, "≥ 300/s a worker", a >= 300, TOTAL)
