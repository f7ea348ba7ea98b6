"""What every view of the API shares: who asks and when, the role gate, pages, problems and their description.

The rooms above write views; nothing here knows a case or a task.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.fields import empty
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from offices.access import Access, access_for
from offices.keyset import Keyset
from offices.models import User
from offices.web import PortalRequest

M = TypeVar("M", bound=Model)
PROBLEM_JSON = "application/problem+json"
LONGEST_QUERY = 60


# --- problems


class Problem(exceptions.APIException):
    """A problem document raised by a view: status, stable code, Chinese sentence, perhaps the field at fault."""

    def __init__(self, status: int, code: str, detail: str, *, field: str = "", wait: int | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.problem_code = code
        self.field = field
        self.wait = wait


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField(allow_blank=True, help_text="Path of the field (`keys.0`); empty: the whole body.")
    detail = serializers.CharField(help_text="A sentence in Chinese that says what is wrong.")


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem document (RFC 9457). `code` is stable; `detail` is for people."""

    type = serializers.CharField(help_text="`urn:problem:` followed by the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable, machine-readable; the table is in docs/api.md.")
    detail = serializers.CharField(help_text="A sentence in Chinese that says what is wrong and what to do.")
    errors = FieldErrorSerializer(  # type: ignore[assignment]  # the member of the document
        many=True, required=False, help_text="Only where fields can be named."
    )


MEANINGS = {
    400: "The body cannot be parsed. / 请求内容不能解析。",
    401: "No token, or one that is unknown, expired or revoked. / 没有令牌，或者令牌无效。",
    404: "Does not exist, or is not within the person's reach; the two are the same. / 没有，或者不在办理范围内。",
    409: "Somebody was faster: the state no longer allows the act; nothing doubled. / 状态已变化，没有重复办理。",
    413: "The body is too large. / 请求内容过大。",
    415: "A format that is not taken here. / 不支持的格式。",
    422: "The content is at fault; `errors` names the fields. Nothing was changed. / 内容有误，没有任何改动。",
    429: "Too many requests, or locked out; see `Retry-After`. / 请求过于频繁，或者已暂时锁定。",
}
READ = (401, 404)
ACT = (400, 401, 404, 409, 413, 415, 422)


def answers(ok: Mapping[int, Any], *codes: int) -> dict[Any, Any]:
    """Return the ``responses`` of an operation: what succeeds, and each problem with its schema."""
    problems = {
        (code, PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description=MEANINGS[code])
        for code in sorted(set(codes))
    }
    return {**ok, **problems}


# --- requests


class CappedJSONParser(JSONParser):
    """JSON of bounded size: REST framework reads the wire itself, past Django's own limit."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Parse the body; raises a 413 problem when it is larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE``.

        Brackets nested beyond all sense are as unreadable as broken ones (400).
        """
        request = (parser_context or {}).get("request")
        length = str(request.META.get("CONTENT_LENGTH") or "0") if request is not None else "0"
        if not length.isdigit() or int(length) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "请求内容过大，请分次提交。")
        try:
            return super().parse(stream, media_type, dict(parser_context or {}))
        except RecursionError as error:
            raise exceptions.ParseError from error


class PortalView(APIView):
    """A view that knows its moment (``now``), its person (``user``) and the person's postings (``access``).

    ``roles``: who may come here at all; for everybody else the address does not exist (404).
    """

    roles: ClassVar[tuple[str, ...]] = ()
    parser_classes = (CappedJSONParser,)
    metadata_class = None
    now: dt.datetime
    access: Access

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then look at the postings once."""
        super().initial(request, *args, **kwargs)
        self.now = cast(PortalRequest, request._request).now
        self.today = timezone.localtime(self.now).date()
        if self.roles:
            self.access = access_for(self.user, self.today)
            if not self.access.has(*self.roles):
                raise exceptions.NotFound

    @property
    def user(self) -> User:
        """The person whose token came."""
        return cast(User, self.request.user)


class PublicView(PortalView):
    """A view for everybody; tokens are not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


def read(serializer: type[serializers.Serializer[Any]], data: Any, **context: Any) -> dict[str, Any]:
    """Return the validated ``data`` (a body or the address's query); raises ``ValidationError`` (422)."""
    if data is None:
        raise serializers.ValidationError({"non_field_errors": ["请求内容不能是 null。"]})
    found = serializer(data=data, context=context)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


# --- input whose absence the actions themselves refuse, with their own code and sentence


class Said(serializers.CharField):
    """A required text. Missing or blank reaches the action, which says what it is needed for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, **kwargs})

    def get_value(self, dictionary: Any) -> Any:
        """A missing text is a blank one."""
        value = super().get_value(dictionary)
        return "" if value is empty or value is None else value


class Choice(serializers.ChoiceField):
    """A required choice. Missing reaches the action as an empty text."""

    def get_value(self, dictionary: Any) -> Any:
        """A missing choice is an empty one."""
        value = super().get_value(dictionary)
        return "" if value is empty or value is None else value

    def to_internal_value(self, data: Any) -> Any:
        """Let the empty choice through."""
        return "" if data == "" else super().to_internal_value(data)


class SaidDay(serializers.DateField):
    """A required day. Missing reaches the action as None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def get_value(self, dictionary: Any) -> Any:
        """A missing day is None."""
        value = super().get_value(dictionary)
        return None if value is empty or value == "" else value


# --- pages


class PageQuerySerializer(serializers.Serializer[Any]):
    """What every list takes."""

    q = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_QUERY, help_text="Search text. / 查找。"
    )
    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=600,
        help_text="`next` or `previous` of a former page; it fits only the list and order that gave it.",
    )


def paged(row: type[serializers.Serializer[Any]], name: str) -> serializers.Serializer[Any]:
    """Return the description of a page of ``row``."""
    cursor = "Cursor of that page; empty: there is none."
    return inline_serializer(
        name,
        {
            "next": serializers.CharField(allow_blank=True, help_text=cursor),
            "previous": serializers.CharField(allow_blank=True, help_text=cursor),
            "results": row(many=True),
        },
    )


def page(
    queryset: QuerySet[M],
    order: Sequence[str],
    cursor: str,
    row: type[serializers.Serializer[Any]],
    *,
    complete: Callable[[list[M]], list[M]] = list,
    **context: Any,
) -> Response:
    """Return one page of 50 rows by keyset; raises a 422 problem for a cursor that this list did not give out.

    ``complete`` adds to the rows of the page what their answer says, where the queryset does not join it.
    """
    keyset = Keyset(queryset, order)
    if cursor and not keyset.knows(cursor):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", "翻页标识不对，请从第一页重新取。", field="cursor")
    found = keyset.page(cursor)
    rows = row(complete(found.rows), many=True, context=context).data
    return Response({"next": found.next, "previous": found.previous, "results": rows})
