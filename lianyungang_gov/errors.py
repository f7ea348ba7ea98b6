"""Pages and problem documents for what goes wrong, in words that say what to do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    """Render an error page with ``status``, a title and a sentence that says what to do."""
    return render(request, "problem.html", {"status": status, "title": title, "advice": advice}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's safety code is stale (a page left open, or cookies switched off)."""
    return page(request, 403, "页面停留时间过长", "请返回上一页刷新后重新提交；如仍不行，请确认浏览器允许 Cookie。")


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords."""
    return page(request, 429, "登录已暂时锁定", "密码连续输错 5 次，请 15 分钟后再试，或请区划管理员重置密码。")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return page(request, 400, "请求有误", "请返回上一页检查后重试。")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return page(request, 403, "无权办理", "您的岗位不能办理此事；如需办理，请联系本区划管理员。")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: it does not exist, or it is not yours; the answer is the same."""
    return page(request, 404, "没有找到", "您要找的内容不存在，或者不在您的职责范围内。")


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return page(request, 500, "这一步没有办成", "已填写的内容没有提交。请稍后重试；多次不成请拨打 12345 说明所办事项和时间。")
