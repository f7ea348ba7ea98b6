"""The table of differential handling in JSON (L12a)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit import handling
from credit.models import Grade, HandlingWay
from offices.api import READ, PortalView, answers
from offices.models import Posting


class HandlingCellSerializer(serializers.Serializer[Any]):
    """One cell of the table grade × way."""

    grade = serializers.ChoiceField(choices=Grade.choices, help_text="`none`: not evaluated, which is no good grade.")
    way = serializers.ChoiceField(choices=HandlingWay.choices)
    is_open = serializers.BooleanField()
    basis = serializers.CharField(help_text="On what it rests, in Chinese.")
    changed = serializers.BooleanField(help_text="Whether the city's administrators set it; else it is as proposed.")


class HandlingView(PortalView):
    """差异化办理."""

    roles = tuple(Posting.Role.values)

    @extend_schema(
        operation_id="listHandling",
        summary="差异化办理 · Which ways a credit grade opens",
        description="Every cell, grade by grade. It counts for credit queries from now on; kept answers stay as seen.",
        tags=["credit"],
        responses=answers({200: HandlingCellSerializer(many=True)}, *READ),
    )
    def get(self, request: Request) -> Response:
        """Return the table; one statement."""
        return Response(HandlingCellSerializer(handling.table().values(), many=True).data)
