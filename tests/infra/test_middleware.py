"""What a page answers when a clock changed under the hands of whoever pressed."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import RequestFactory

from deadlines.errors import ChangedMeanwhile, DeadlineError
from lianyungang_gov.middleware import PortalMiddleware


def test_a_clock_changed_meanwhile_is_a_conflict_in_words() -> None:
    middleware = PortalMiddleware(lambda request: HttpResponse())
    request = RequestFactory().post("/window/1/accept/")
    answer = middleware.process_exception(request, ChangedMeanwhile("这个期限刚刚被他人处理过。"))
    assert answer is not None
    assert answer.status_code == 409
    assert "这个期限刚刚被他人处理过。" in answer.content.decode()
    assert middleware.process_exception(request, DeadlineError("另一件事")) is None
    assert middleware.process_exception(RequestFactory().get("/api/v1/cases/"), ChangedMeanwhile("x")) is None
