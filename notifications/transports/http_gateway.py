"""A generic SMS gateway over HTTP.

``POST {url}/messages`` with JSON ``{client_id, phone, text, template, sign}`` and a bearer token answers 2xx
``{id, status}``; ``GET {url}/messages/{client_id}`` answers ``{id, status}`` or 404. The gateway is expected to take a
``client_id`` once; we still ask before we send one again whose answer we did not see.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
from django.conf import settings

from notifications.transports.base import Accepted, Answer, Fate, Outgoing, TransportError, TransportUnknown

# Raised before a single byte of the message could have left.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# The gateway refuses us, not the message: a wrong token or address must not fail everybody's messages for good.
_OUR_FAULT = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.REQUEST_TIMEOUT,
}
# Said by a proxy that does not know what the gateway behind it did.
_NOBODY_KNOWS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
_LONGEST_WAIT = 3600


class HttpGateway:
    """See the module. One object is shared by the threads of a worker."""

    name = "http"
    concurrency = 16

    def __init__(self, url: str, token: str, timeout: float) -> None:
        """``url``: the gateway's base address; ``timeout``: seconds, for connecting and for the answer."""
        self.url = url.rstrip("/")
        limits = httpx.Limits(max_connections=self.concurrency, max_keepalive_connections=self.concurrency)
        self.client = httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=timeout, limits=limits, trust_env=False
        )

    @property
    def is_noop(self) -> bool:
        """No address, no gateway."""
        return not self.url

    def send(self, message: Outgoing) -> Accepted:
        """Hand the message over; see :meth:`Transport.send`."""
        body = {
            "client_id": str(message.client_id),
            "phone": message.phone,
            "text": message.text,
            "template": message.template_id,
            "sign": settings.SMS_SIGNATURE,
        }
        response = self._request("POST", f"{self.url}/messages", json=body)
        if not response.is_success:
            raise _failure(response)
        answer = _json(response)
        status, gateway_id = answer.get("status"), answer.get("id")
        if status in {"failed", "rejected"}:
            raise TransportError(f"网关拒绝：{answer.get('detail', status)}", permanent=True)
        if not gateway_id:
            raise TransportUnknown("网关答复中没有编号")
        return Accepted(str(gateway_id))

    def ask(self, client_id: uuid.UUID) -> Answer:
        """Ask what became of it; see :meth:`Transport.ask`."""
        response = self._request("GET", f"{self.url}/messages/{client_id}")
        if response.status_code == HTTPStatus.NOT_FOUND and _json(response).get("status") == Fate.ABSENT:
            return Answer(Fate.ABSENT)
        if not response.is_success:
            raise _failure(response)
        answer = _json(response)
        try:
            fate = Fate(str(answer.get("status")))
        except ValueError:
            raise TransportUnknown(f"网关答复的状态不认识：{answer.get('status')}") from None
        return Answer(fate, str(answer.get("id") or ""), str(answer.get("detail") or ""))

    def _request(self, method: str, url: str, **content: Any) -> httpx.Response:
        try:
            return self.client.request(method, url, **content)
        except _NOT_SENT as error:
            raise TransportError(f"连不上网关（{type(error).__name__}）", stop=True) from error
        except httpx.RequestError as error:
            raise TransportUnknown(f"网关没有答复（{type(error).__name__}）") from error


def _json(response: httpx.Response) -> dict[str, Any]:
    """Return the object in the answer. Raises ``TransportUnknown`` if there is none."""
    try:
        content = response.json()
    except ValueError as error:
        raise TransportUnknown(f"网关答复不是 JSON（{response.status_code}）") from error
    if not isinstance(content, dict):
        raise TransportUnknown(f"网关答复不是 JSON 对象（{response.status_code}）")
    return content


def _failure(response: httpx.Response) -> TransportError | TransportUnknown:
    """Return what an answer other than 2xx means."""
    code = response.status_code
    detail = f"网关答复 {code}：{response.text[:120]}"
    if code in _NOBODY_KNOWS:
        return TransportUnknown(detail)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return TransportError(detail, stop=True, wait=_retry_after(response))
    if code == HTTPStatus.SERVICE_UNAVAILABLE:
        return TransportError(detail, wait=_retry_after(response))
    if code in _OUR_FAULT or response.is_redirect:
        return TransportError(detail, stop=True)
    return TransportError(detail, permanent=response.is_client_error)


def _retry_after(response: httpx.Response) -> timedelta | None:
    """Return the seconds of Retry-After, at most an hour; its date form is left to our own backoff."""
    value = response.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(value), _LONGEST_WAIT)) if value.isascii() and value.isdigit() else None
