"""材料核验 through the API: data answers for a material (L8d)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import verifying
from approvals.actions.intake import slot_of
from approvals.api.serializers import CaseSerializer
from approvals.api.window import TAGS, WindowView
from approvals.exceptions import Refused
from offices.api import ACT, answers, read


class VerificationRequestSerializer(serializers.Serializer[Any]):
    """核验."""

    slot = serializers.CharField(max_length=20, help_text="A material's `slot`.")


class VerificationView(WindowView):
    """核验."""

    @extend_schema(
        operation_id="verifyMaterial",
        summary="材料核验 · Let the electronic-licence service answer for a material",
        description="Before acceptance. The question is queued and asked at once; read the case again for the answer "
        "(`verification` of the line). Matched, the line becomes `verified`; otherwise paper is needed and `note` says "
        "why. Asked twice while it is open, it is one question; acceptance waits for the answer (409, "
        "`verification-open`).",
        tags=TAGS,
        request=VerificationRequestSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        case = self.found(number)
        slot = read(VerificationRequestSerializer, request.data)["slot"]
        line = next((one for one in case.materials.select_related("material") if slot_of(one) == slot), None)
        if line is None:
            raise Refused("slot-unknown", "材料清单中没有这一项。", field="slot")
        verifying.verify(line, by=self.user, now=self.now)
        return self.shown(number)
