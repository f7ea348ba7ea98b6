"""RFC 9457 problem documents for the API: a stable code, a Chinese sentence, and the field where there is one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import set_rollback

from approvals.exceptions import Refused
from approvals.limiter import RateLimited
from deadlines.arithmetic import MissingYear
from deadlines.errors import DeadlineError
from offices.api import PROBLEM_JSON, Problem, PublicView

# Under these addresses nothing but JSON answers.
ROOTS = ("/api/", "/hooks/")
TITLES = {
    400: "请求有误",
    401: "需要登录",
    403: "无权办理",
    404: "没有找到",
    405: "不支持的方法",
    406: "不支持的格式",
    409: "状态已变化",
    413: "内容过大",
    415: "不支持的格式",
    422: "内容有误",
    429: "请求过于频繁",
    500: "系统故障",
}
CODES = {
    400: "bad-request",
    401: "not-signed-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
    500: "server-error",
}
NOT_FOUND = "没有找到，或者不在您的办理范围内。"
UNREADABLE = "请求内容不能解析，请按接口说明发送 JSON 或者 multipart 表单。"


def is_api(request: HttpRequest) -> bool:
    """Whether the address is one under which errors are problem documents."""
    return request.path_info.startswith(ROOTS)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JsonResponse:
    """Return a problem document. ``errors``: ``[{"field": "identifier", "detail": "…"}]``.

    It is JSON whatever the view renders otherwise, so that it can also be given outside of REST framework.
    """
    body: dict[str, Any] = {
        "type": f"urn:problem:{code}",
        "title": TITLES.get(status, "请求未完成"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return JsonResponse(
        body, status=status, content_type=PROBLEM_JSON, headers=headers, json_dumps_params={"ensure_ascii": False}
    )


def _flatten(detail: Any, field: str = "") -> list[dict[str, str]]:
    """Turn DRF's nested error detail into a flat list of fields and sentences; ``""`` is the body as a whole."""
    if isinstance(detail, dict):
        rows = []
        for key, value in detail.items():
            inner = field if key == "non_field_errors" else f"{field}.{key}" if field else str(key)
            rows += _flatten(value, inner)
        return rows
    if isinstance(detail, list):
        if any(isinstance(value, dict | list) for value in detail):
            return [
                row for place, value in enumerate(detail) for row in _flatten(value, f"{field}.{place}".lstrip("."))
            ]
        return [row for value in detail for row in _flatten(value, field)]
    return [{"field": field, "detail": str(detail)}]


def _named(error: Exception) -> exceptions.APIException | None:
    """The APIException that says what ``error`` means; None for what nobody foresaw."""
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(
            error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
        )
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, Refused):
        return Problem(409 if error.conflict else 422, error.code, error.message, field=error.field or "")
    if isinstance(error, RateLimited):
        seconds = error.retry_after
        return Problem(429, CODES[429], f"请求次数过多，请 {seconds} 秒后再试。", wait=seconds)
    if isinstance(error, MissingYear):
        return Problem(422, "calendar-missing", str(error))
    if isinstance(error, DeadlineError):
        return Problem(409, "state-conflict", str(error))
    if isinstance(error, RequestDataTooBig):
        return Problem(413, CODES[413], "请求内容过大，请分次提交。")
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    return None


def handler(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """DRF's exception handler: everything that can be named becomes a problem document; the rest is a 500."""
    named = _named(error)
    if named is None:
        return None
    set_rollback()
    headers = {}
    if getattr(named, "auth_header", None):
        headers["WWW-Authenticate"] = named.auth_header  # type: ignore[attr-defined]
    if getattr(named, "wait", None):
        headers["Retry-After"] = str(int(named.wait))  # type: ignore[attr-defined]
    if isinstance(named, exceptions.ValidationError):
        rows = _flatten(named.detail)
        return problem(422, "invalid", "；".join(row["detail"] for row in rows), errors=rows, headers=headers)
    detail = str(named.detail)
    if isinstance(named, Problem):
        errors = [{"field": named.field, "detail": detail}] if named.field else None
        return problem(named.status_code, named.problem_code, detail, errors=errors, headers=headers)
    if isinstance(named, exceptions.NotFound):
        detail = NOT_FOUND
    elif isinstance(named, exceptions.ParseError):
        detail = UNREADABLE
    elif isinstance(named, exceptions.MethodNotAllowed):
        methods = getattr(context.get("view"), "allowed_methods", [])
        headers["Allow"] = ", ".join(methods)
    return problem(named.status_code, CODES.get(named.status_code, "error"), detail, headers=headers)


def plain(status: HTTPStatus, detail: str) -> JsonResponse:
    """The problem document of an error that Django met outside of any view."""
    return problem(status, CODES[status], detail)


@extend_schema(exclude=True)
class UnknownAddress(PublicView):
    """Every address under /api/ that is none: a problem document, never a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 whatever the method."""
        raise exceptions.NotFound
