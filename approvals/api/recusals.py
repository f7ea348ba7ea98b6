"""回避 through the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.drawing import recuse
from approvals.api.reviews import TAGS, ReviewView
from approvals.models import Case
from offices.api import ACT, Said, answers, read


class RecusalRequestSerializer(serializers.Serializer[Any]):
    """回避并重新抽取."""

    reason = Said(max_length=300, help_text="Why. Without the applicant's identity.")


class RecusedSerializer(serializers.Serializer[Any]):
    """What is left of the case for whoever handed it back."""

    number = serializers.CharField()
    recused = serializers.BooleanField()


class RecusalView(ReviewView):
    """回避并重新抽取."""

    @extend_schema(
        operation_id="recuse",
        summary="回避并重新抽取 · Hand a case back with a reason; another is drawn",
        description="By whoever drew the case, before the opinion or the score sheet is given; a decider before the "
        "decision. No clock changes. Afterwards the case may no longer be within the person's reach. Nobody else to "
        "draw: 422, `nobody-left`, and the overseers are told.",
        tags=TAGS,
        request=RecusalRequestSerializer,
        responses=answers({200: RecusedSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Hand back."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(RecusalRequestSerializer, request.data)
        recuse(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return Response({"number": number, "recused": True})
