"""Nothing under /api/ answers in HTML: every error is a problem document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals import verification
from deadlines.errors import DeadlineError
from lianyungang_gov import errors, problems
from tests.api.conftest import Caller, problem
from tests.api.routes import routes
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


def send(client: APIClient, url: str, body: bytes, kind: str) -> Any:
    """Post bytes as they are."""
    return client.generic("POST", url, body, content_type=kind)  # type: ignore[arg-type]  # bytes are taken too


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/items/", "/api/v1/items", "/api/v1/cases/a b/", "/api/%00"],
)
def test_an_unknown_address_is_a_problem_document(method: str, path: str) -> None:
    problem(getattr(APIClient(), method)(path), 404, "not-found")


def test_every_route_refuses_other_methods(caller: Caller) -> None:
    client = caller("chuangkou1")
    for route in routes():
        assert set(route.methods) <= {"get", "post", "delete"}
        for method in {"put", "patch", "options"} - set(route.methods):
            answer = getattr(client, method)(route.url(number="X", code="X", year="2026", pk="1"))
            if answer.status_code == 404:  # another role's address
                problem(answer, 404, "not-found")
            else:
                problem(answer, 405, "method-not-allowed")
                allowed = answer.headers["Allow"].split(", ")
                assert {name.upper() for name in route.methods} <= set(allowed)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "bad-request"),
        (b"\xff\xfe", "application/json", 400, "bad-request"),
        (b'{"number": NaN}', "application/json", 400, "bad-request"),
        (b"[" * 100_000, "application/json", 400, "bad-request"),
        (b"[]", "application/json", 422, "invalid"),
        (b'"x"', "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b"", "application/json", 422, "invalid"),
        (b'{"number": {}, "query_code": []}', "application/json", 422, "invalid"),
        (b'{"number": "\\ud800", "query_code": "x"}', "application/json", 422, "invalid"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"<a/>", "text/xml", 415, "unsupported-media-type"),
    ],
)
def test_a_broken_body_is_said_so(body: bytes, kind: str, status: int, code: str) -> None:
    problem(send(APIClient(), "/api/v1/progress/", body, kind), status, code)


def test_a_body_beyond_the_limit_is_not_read(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"number": "1" * 2000, "query_code": "x"})
    answer = APIClient().generic("POST", "/api/v1/progress/", body, content_type="application/json")
    problem(answer, 413, "too-large")


def test_a_broken_upload_is_said_so(caller: Caller, clock: Moment) -> None:
    from tests.approvals import play

    url = f"/api/v1/cases/{play.received(clock.at).number}/uploads/"
    broken = send(caller("chuangkou1"), url, b"--x", "multipart/form-data")
    problem(broken, 400, "bad-request")
    parts = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="f{n}"; filename="a"\r\n\r\na\r\n'.encode() for n in range(150)
    )
    many = send(caller("chuangkou1"), url, parts + b"--x--", "multipart/form-data; boundary=x")
    problem(many, 400, "bad-request")


def test_no_other_format_is_rendered() -> None:
    assert APIClient().get("/api/v1/items/", HTTP_ACCEPT="text/html").headers["Content-Type"].startswith("application/")
    problem(APIClient().get("/api/v1/items/?format=api"), 404, "not-found")


def _break(monkeypatch: pytest.MonkeyPatch, error: Exception) -> APIClient:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(verification, "find", broken)
    return APIClient(raise_request_exception=False)


def test_what_nobody_foresaw_is_a_problem_document_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = _break(monkeypatch, RuntimeError("secret detail")).get("/api/v1/verify/abc/")
    body = problem(answer, 500, "server-error")
    assert "secret" not in json.dumps(body)


def test_a_clock_that_changed_meanwhile_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = _break(monkeypatch, DeadlineError("这个期限已经改变。")).get("/api/v1/verify/abc/")
    problem(answer, 409, "state-conflict")


def test_a_host_that_is_not_ours_gets_a_problem_document(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["portal.example"]
    problem(APIClient().get("/api/v1/items/", HTTP_HOST="evil.example"), 400, "bad-request")


@pytest.mark.parametrize("path", ["/api/x", "/hooks/x", "/guide/x"])
def test_errors_outside_of_views_follow_the_address(path: str) -> None:
    request = HttpRequest()
    request.path_info = request.path = path
    for answer, status in (
        (errors.bad_request(request, ValueError()), 400),
        (errors.forbidden(request, ValueError()), 403),
        (errors.not_found(request, ValueError()), 404),
        (errors.server_error(request), 500),
    ):
        assert answer.status_code == status
        assert (answer.headers["Content-Type"] == "application/problem+json") == problems.is_api(request)
