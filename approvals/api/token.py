"""Signing in and out of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import limiter
from offices.api import PortalView, Problem, answers, read
from offices.models import User
from offices.tokens import issue, revoke

TAGS = ["token"]


class CredentialsSerializer(serializers.Serializer[Any]):
    """Who signs in."""

    username = serializers.CharField(max_length=40)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class TokenSerializer(serializers.Serializer[Any]):
    """A fresh token."""

    token = serializers.CharField(help_text="Shown once; only its digest is kept.")
    expires_at = serializers.DateTimeField()


@method_decorator(sensitive_post_parameters(), name="dispatch")
class TokenView(PortalView):
    """One live token a person."""

    @property
    def _signs_in(self) -> bool:
        return self.request is not None and self.request.method == "POST"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Signing in needs no token, and an old one in the header does no harm."""
        return [] if self._signs_in else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        """Everybody may try to sign in."""
        return [AllowAny()] if self._signs_in else [IsAuthenticated()]

    @extend_schema(
        operation_id="createToken",
        summary="登录取得令牌 · Sign in",
        description="Username and password give a token, to be sent as `Authorization: Token <token>`. It ends after "
        "ten hours, when it is revoked, or when the same person signs in again. Five wrong passwords in a row lock the "
        "account for this address for fifteen minutes (`locked-out`), on the pages too.",
        tags=TAGS,
        auth=[],
        request=CredentialsSerializer,
        responses=answers({200: TokenSerializer}, 400, 401, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        """Check the password and issue the token."""
        plain = request._request
        limiter.charge([f"token:address:{limiter.client_address(plain)}"], limiter.Rate.parse(settings.TOKEN_RATE))
        said = read(CredentialsSerializer, request.data)
        user = authenticate(plain, username=said["username"], password=said["password"])
        if not isinstance(user, User):
            raise Problem(HTTPStatus.UNAUTHORIZED, "wrong-password", "账号或密码不对，请核对后重试。")
        user_logged_in.send(sender=User, request=plain, user=user)
        return Response(TokenSerializer(issue(user)).data, headers={"Cache-Control": "no-store"})

    @extend_schema(
        operation_id="revokeToken",
        summary="注销令牌 · Sign out",
        description="The token ends at once.",
        tags=TAGS,
        request=None,
        responses=answers({204: OpenApiResponse(description="Revoked.")}, 401),
    )
    def delete(self, request: Request) -> Response:
        """Revoke the token that came."""
        revoke(self.user)
        return Response(status=HTTPStatus.NO_CONTENT)
