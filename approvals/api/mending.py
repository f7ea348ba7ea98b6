"""The window's API for the applicant who stands there: 当场更正 and 撤回申请."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.ending import withdraw_case
from approvals.actions.mending import mend_case
from approvals.api.serializers import CaseSerializer
from approvals.api.window import TAGS, WindowView
from approvals.enums import Door
from approvals.forms import clean_phone
from offices.api import ACT, answers, read


class MendingSerializer(serializers.Serializer[Any]):
    """What is put right; a field that does not come stays as it is."""

    contact_name = serializers.CharField(max_length=40, required=False)
    contact_phone = serializers.CharField(max_length=30, required=False)
    content = serializers.CharField(max_length=500, required=False, allow_blank=True)

    def validate_contact_phone(self, text: str) -> str:
        """The same check as the page's."""
        try:
            return clean_phone(text)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


class WindowWithdrawalSerializer(serializers.Serializer[Any]):
    """撤回申请 at the window; the clerk checked who stands there."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class MendingView(WindowView):
    """当场更正."""

    @extend_schema(
        operation_id="mendCase",
        summary="当场更正 · Put small errors right on the spot",
        description="Contact and content, before acceptance. It is not the correction notice and does not use it up; "
        "who applies cannot be mended.",
        tags=TAGS,
        request=MendingSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Mend."""
        case = self.found(number)
        said = read(MendingSerializer, request.data)
        known = {name: getattr(case, name) for name in ("contact_name", "contact_phone", "content")}
        mend_case(case, **(known | said), by=self.user, now=self.now)
        return self.shown(number)


class WindowWithdrawalView(WindowView):
    """撤回申请."""

    @extend_schema(
        operation_id="withdrawCase",
        summary="申请人撤回 · Withdraw the application for the applicant at the window",
        description="Any time before the decision; later it is a conflict.",
        tags=TAGS,
        request=WindowWithdrawalSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Withdraw."""
        case = self.found(number)
        said = read(WindowWithdrawalSerializer, request.data)
        withdraw_case(case, by=self.user, door=Door.WINDOW, reason=said["reason"], now=self.now)
        return self.shown(number)
