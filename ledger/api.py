"""The draws' part of the API, for everybody."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.draws import LOCAL
from ledger.models import Draw
from ledger.views import ORDER, published, revealed_draws
from offices.api import PageQuerySerializer, PublicView, answers, page, paged, read


class CursorSerializer(PageQuerySerializer):
    """Where to go on."""

    q = None  # type: ignore[assignment]


class DrawPeriodSerializer(serializers.Serializer[Any]):
    """A month of draws."""

    name = serializers.CharField(help_text="`2026-09`; `2026-09-2` for a further part.")
    commitment = serializers.CharField(help_text="SM3 of the seed's 64 characters, published beforehand.")
    blind_commitment = serializers.CharField(help_text="SM3 of the secret that salts the digests of people.")
    opened_at = serializers.DateTimeField(help_text="When the commitments were published.")
    is_late = serializers.BooleanField(help_text="Published after the month had begun.")
    is_for_draw = serializers.BooleanField(help_text="Published together with the first draw, which waited for it.")
    drawn = serializers.IntegerField(help_text="Number of draws; they are numbered from 1 without gaps.")
    seed = serializers.CharField(source="revealed_seed", allow_blank=True, help_text="Empty until the month is over.")
    revealed_at = serializers.DateTimeField(allow_null=True)


class DrawSerializer(serializers.Serializer[Any]):
    """One draw, as everybody may see it: enough to draw it again, nobody to be recognised."""

    number = serializers.IntegerField()
    on = serializers.SerializerMethodField(help_text="The local day.")
    purpose = serializers.CharField()
    algorithm = serializers.CharField()
    people = serializers.CharField(help_text="Salted digest of who was in the pool.")
    loads = serializers.ListField(child=serializers.IntegerField(), help_text="Open work by position.")
    pool_hash = serializers.CharField(help_text="SM3 of `algorithm:people:load,load,…`.")
    position = serializers.IntegerField(help_text="From 0.")

    def get_on(self, draw: Draw) -> str:
        """The local day."""
        return f"{draw.at.astimezone(LOCAL):%Y-%m-%d}"


class PeriodsView(PublicView):
    """The months."""

    @extend_schema(
        operation_id="listDrawPeriods",
        summary="抽取各期 · The months of draws",
        description="The newest first: commitments, and the seed once the month is over. 50 a page.",
        tags=["public"],
        parameters=[CursorSerializer],
        responses=answers({200: paged(DrawPeriodSerializer, "DrawPeriodPage")}, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(CursorSerializer, request.query_params)
        return page(published(), ORDER, asked["cursor"], DrawPeriodSerializer)


class DrawsView(PublicView):
    """The draws of one month."""

    @extend_schema(
        operation_id="listDraws",
        summary="某期抽取 · The draws of a revealed month",
        description="In the order of their numbers, 50 a page. A month whose seed is secret does not exist here (404). "
        "How to draw each again is in docs/mechanisms/draws.md.",
        tags=["public"],
        parameters=[CursorSerializer],
        responses=answers({200: paged(DrawSerializer, "DrawPage")}, 404, 422),
    )
    def get(self, request: Request, name: str) -> Response:
        """Return a page; two statements."""
        asked = read(CursorSerializer, request.query_params)
        return page(revealed_draws(name), ("number",), asked["cursor"], DrawSerializer)
