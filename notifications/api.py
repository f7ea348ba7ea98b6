"""The gateway's hook: it posts delivery receipts here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deadlines import clock
from notifications import receipts
from notifications.enums import ReceiptStatus
from offices.api import CappedJSONParser, answers

MOST = 1000


class GatewayAuthentication(BaseAuthentication):
    """``Authorization: Bearer <HOOK_TOKEN>``; the gateway has no account."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str] | None:
        """Return nobody in person, authorised as the gateway."""
        words = get_authorization_header(request).split()
        if not words:
            return None
        if len(words) != 2 or words[0].lower() != b"bearer" or not settings.HOOK_TOKEN:
            raise AuthenticationFailed("请用 Bearer 令牌。")
        if not constant_time_compare(words[1], settings.HOOK_TOKEN.encode()):
            raise AuthenticationFailed("令牌不对。")
        return AnonymousUser(), "gateway"

    def authenticate_header(self, request: Request) -> str:
        """Make a missing token 401, not 403."""
        return "Bearer"


class GatewayScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the gateway's token stands in the OpenAPI document."""

    target_class = GatewayAuthentication
    name = "gatewayToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}


class IsGateway(BasePermission):
    """Only the gateway."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token was the gateway's."""
        return request.auth == "gateway"


class ReceiptListSerializer(serializers.ListSerializer[Any]):
    """A list of receipts, of a size that one transaction can bear."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": MOST, **kwargs})


class ReceiptSerializer(serializers.Serializer[Any]):
    """One receipt; ``client_id`` is the number that we gave the message."""

    client_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ReceiptStatus.choices)
    at = serializers.DateTimeField()
    detail = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)

    class Meta:
        list_serializer_class = ReceiptListSerializer


class TakenSerializer(serializers.Serializer[Any]):
    """What was done with the list."""

    applied = serializers.IntegerField(help_text="记入的回执")
    repeated = serializers.IntegerField(help_text="此前已收到的回执")
    unmatched = serializers.IntegerField(help_text="不是本系统短信的回执")


class ReceiptsView(APIView):
    """``POST /hooks/sms/receipts``: a JSON list of receipts; posting it again changes nothing."""

    authentication_classes = [GatewayAuthentication]
    permission_classes = [IsGateway]
    parser_classes = [CappedJSONParser]
    throttle_classes = []

    @extend_schema(
        operation_id="postReceipts",
        summary="短信回执 · Delivery receipts of the SMS gateway",
        description="A list is taken as a whole or not at all; posting it again changes nothing.",
        tags=["gateway"],
        request=ReceiptSerializer(many=True),
        responses=answers({200: TakenSerializer}, 400, 401, 413, 415, 422),
    )
    def post(self, request: Request) -> Response:
        """Take the list as a whole."""
        now = clock.now()
        serializer = ReceiptSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        notes = [
            receipts.Note(item["client_id"], ReceiptStatus(item["status"]), item["at"], item["detail"])
            for item in serializer.validated_data
        ]
        return Response(TakenSerializer(receipts.take(notes, now)).data)
