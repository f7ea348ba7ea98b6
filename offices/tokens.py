"""Tokens of the API: one live token a person, kept as a keyed digest only, and valid for a working day.

The database never holds a token that could be used: what is stored under ``authtoken`` is its BLAKE2s digest under
``HASH_KEY``, cut to the 40 characters of that column.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework import authentication, exceptions
from rest_framework.authtoken.models import Token

from offices.models import User


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token in clear; it is told once and cannot be read again."""

    token: str
    expires_at: dt.datetime


def _digest(token: str) -> str:
    key = hashlib.sha256(settings.HASH_KEY.encode()).digest()
    return hashlib.blake2s(token.encode("utf-8", "replace"), digest_size=20, key=key).hexdigest()


@transaction.atomic
def issue(user: User) -> Issued:
    """Give ``user`` a new token; an older one ends at this moment."""
    User.objects.select_for_update().get(pk=user.pk)
    revoke(user)
    token = secrets.token_urlsafe(32)
    row = Token.objects.create(user=user, key=_digest(token))
    return Issued(token, row.created + dt.timedelta(seconds=settings.API_TOKEN_SECONDS))


def revoke(user: User) -> None:
    """End the person's token, if there is one."""
    Token.objects.filter(user=user).delete()


class TokenAuthentication(authentication.TokenAuthentication):
    """``Authorization: Token <token>``. Tokens age by the real clock, whatever the training clock says."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        """Return the person and the row; raises ``AuthenticationFailed`` for an unknown, old or disabled one."""
        token = Token.objects.select_related("user").filter(key=_digest(key)).first()
        if token is None:
            raise exceptions.AuthenticationFailed("令牌不对或者已经作废，请重新登录。")
        if token.created < timezone.now() - dt.timedelta(seconds=settings.API_TOKEN_SECONDS):
            raise exceptions.AuthenticationFailed("令牌已过期，请重新登录。")
        if not token.user.is_active:
            raise exceptions.AuthenticationFailed("账号已停用，请联系区划管理员。")
        return token.user, token
