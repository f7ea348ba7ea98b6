"""Errors outside of a view: pages for people, problem documents under /api/ (nothing there answers in HTML)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from lianyungang_gov import problems

LOCKED_SECONDS = 15 * 60


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """429: five wrong passwords in a row for one account from one address."""
    reason = "密码连续输错 5 次，登录已暂时锁定。请 15 分钟后再试，或请区划管理员重置密码。"
    if problems.is_api(request):
        wait = {"Retry-After": str(LOCKED_SECONDS)}
        return problems.problem(HTTPStatus.TOO_MANY_REQUESTS, "locked-out", reason, headers=wait)
    return render(request, "429.html", {"heading": "登录已暂时锁定", "reason": reason}, status=429)


def _bare(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """A problem page that asks nothing of session or database; the training banner stands on it as on every page."""
    training = {"on": settings.TRAINING_ALLOWED, "now": getattr(request, "now", None)}
    return HttpResponse(render_to_string(f"{status}.html", {"training": training}), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that Django itself refuses."""
    if problems.is_api(request):
        return problems.plain(HTTPStatus.BAD_REQUEST, problems.UNREADABLE)
    return _bare(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    if problems.is_api(request):
        return problems.plain(HTTPStatus.FORBIDDEN, "无权办理。")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address, or nothing there for this person."""
    if problems.is_api(request):
        return problems.plain(HTTPStatus.NOT_FOUND, problems.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: what nobody foresaw; it is in the log."""
    if problems.is_api(request):
        return problems.plain(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "系统出现故障，本次操作没有完成。请稍后重试；仍不成功请联系系统管理员。",
        )
    return _bare(request, HTTPStatus.INTERNAL_SERVER_ERROR)
