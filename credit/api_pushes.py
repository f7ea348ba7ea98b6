"""The pushes to the public credit platform in JSON, to be read; they are mended on the page (L11)."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit.models import Push
from credit.views_pushes import ORDER, matching, visible, with_held
from offices.api import READ, PageQuerySerializer, PortalView, answers, page, paged, read
from offices.models import Posting

ROLES = (Posting.Role.CREDIT_OFFICER, Posting.Role.OVERSEER)
TAGS = ["credit"]


class PushQuerySerializer(PageQuerySerializer):
    """What narrows the pushes."""

    state = serializers.ChoiceField(
        choices=Push.State.choices, required=False, default=Push.State.DEAD, help_text="Where they are."
    )


class PushSerializer(serializers.Serializer[Any]):
    """One push; persons are masked."""

    id = serializers.IntegerField(source="pk")
    key = serializers.UUIDField(help_text="Stays the same however often it is sent.")
    subject = serializers.CharField(source="subject.public_name")
    identifier = serializers.CharField(source="subject.public_identifier")
    seq = serializers.IntegerField(help_text="Place among the pushes of its subject.")
    kind = serializers.ChoiceField(choices=Push.Kind.choices)
    record_source = serializers.CharField(source="record.source", help_text="Number of what the record rests on.")
    state = serializers.ChoiceField(choices=Push.State.choices)
    queued_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True, help_text="Why it was not taken the last time, in Chinese.")
    refused = serializers.BooleanField(source="is_refused", help_text="Refused for good; its content may be mended.")
    accepted_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.CharField(allow_blank=True)
    held = serializers.IntegerField(help_text="How many later pushes of the subject wait behind it.")


class WholePushSerializer(PushSerializer):
    """One push with its content."""

    content = serializers.JSONField(source="payload", help_text="As it goes out; a person by the keyed hash.")


class PushesView(PortalView):
    """信用推送."""

    roles = ROLES

    @extend_schema(
        operation_id="listCreditPushes",
        summary="信用推送 · Pushes to the public credit platform",
        description="A credit officer's own departments', for the city's overseers those of no department; 50 a page.",
        tags=TAGS,
        parameters=[PushQuerySerializer],
        responses=answers({200: paged(PushSerializer, "CreditPushPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(PushQuerySerializer, request.query_params)
        rows = with_held(visible(self.access).filter(state=asked["state"]))
        if asked["q"].strip():
            rows = rows.filter(matching(asked["q"].strip()))
        return page(rows, ORDER, asked["cursor"], PushSerializer)


class PushView(PortalView):
    """One push."""

    roles = ROLES

    @extend_schema(
        operation_id="getCreditPush",
        summary="信用推送 · One push with its content",
        description="Why it was not taken, and what it says.",
        tags=TAGS,
        responses=answers({200: WholePushSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return Response(WholePushSerializer(get_object_or_404(with_held(visible(self.access)), pk=pk)).data)
