"""A subject's page in JSON, by the same rules (L13b)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit.models import CreditRecord
from offices.api import READ, PortalView, Problem, answers, read
from oversight import lifelines, portraits
from oversight.actions.traces import note_subject
from oversight.lifelines import Event
from oversight.scopes import ROLES, Scope

KINDS = list(lifelines.KINDS.items())


class GradingSerializer(serializers.Serializer[Any]):
    """One of the two gradings, as it was received; `none`: there is none, or none any more since `given_at`."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    given_at = serializers.DateTimeField(allow_null=True)


class EarlierNameSerializer(serializers.Serializer[Any]):
    """A name that the subject bore before; persons are masked."""

    name = serializers.CharField()
    since = serializers.DateTimeField()


class LiveRecordSerializer(serializers.Serializer[Any]):
    """A record in use."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=CreditRecord.Kind.choices)
    level = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    found_at = serializers.DateTimeField()
    shown_until = serializers.DateField(allow_null=True)


class FigureSerializer(serializers.Serializer[Any]):
    """How many rows of the time line one kind has in one year."""

    kind = serializers.ChoiceField(choices=KINDS)
    year = serializers.IntegerField()
    count = serializers.IntegerField()


class EventSerializer(serializers.Serializer[Any]):
    """One row of the time line."""

    kind = serializers.ChoiceField(choices=KINDS)
    at = serializers.DateTimeField()
    text = serializers.SerializerMethodField()
    note = serializers.SerializerMethodField()
    number = serializers.CharField(allow_blank=True)
    department = serializers.CharField(allow_blank=True)

    def get_text(self, event: Event) -> str:
        """What happened."""
        return event.words[0]

    def get_note(self, event: Event) -> str:
        """What there is to say besides."""
        return event.words[1]


class SubjectPageSerializer(serializers.Serializer[Any]):
    """A subject with a page of its time line."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.CharField()
    name = serializers.CharField(source="public_name")
    identifier = serializers.CharField(source="public_identifier")
    earlier_names = EarlierNameSerializer(many=True)
    risk = GradingSerializer(allow_null=True, help_text="Drives sampling. Null: a person's, not for the asker.")
    grade = GradingSerializer(allow_null=True, help_text="Drives handling. Null: a person's, not for the asker.")
    records = LiveRecordSerializer(many=True)
    figure = FigureSerializer(many=True)
    events = EventSerializer(many=True)
    next = serializers.CharField(allow_blank=True, help_text="Cursor of what is older; empty: that is all.")


class SubjectQuerySerializer(serializers.Serializer[Any]):
    """What narrows the time line."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, allow_blank=True, default="")
    year = serializers.IntegerField(required=False, default=0, min_value=1949, max_value=2999)
    cursor = serializers.CharField(required=False, allow_blank=True, default="", max_length=600)


class SubjectView(PortalView):
    """One subject."""

    roles = ROLES

    @extend_schema(
        operation_id="getSubject",
        summary="企业画像 · One subject",
        description="Whoever's department has business with it; overseers and discipline officers of the city: every "
        "subject. The look of overseers and discipline officers is on the record.",
        tags=["subjects"],
        parameters=[SubjectQuerySerializer],
        responses=answers({200: SubjectPageSerializer}, *READ, 422),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        asked = read(SubjectQuerySerializer, request.query_params)
        scope = Scope(self.access)
        subject = portraits.visible(scope, pk)
        if asked["cursor"] and lifelines.place_of(asked["cursor"], pk) is None:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", "翻页标识不对，请从第一页重新取。", field="cursor"
            )
        if scope.watches:
            note_subject(subject, by=self.user, now=self.now)
        page = lifelines.lines(scope, subject, self.today, **asked)
        head = portraits.head(subject, decides=subject.decides)  # type: ignore[attr-defined]
        counts = lifelines.figure(scope, subject, self.today)
        data = {
            "pk": subject.pk,
            "kind": subject.kind,
            "public_name": subject.public_name,
            "public_identifier": subject.public_identifier,
            "earlier_names": [{"name": name, "since": since} for name, since in head.names],
            "risk": head.risk,
            "grade": head.grade,
            "records": [row["record"] for row in portraits.live(subject, self.today)],
            "figure": [
                {"kind": kind, "year": year, "count": count}
                for kind, years in counts.items()
                for year, count in years.items()
            ],
            "events": page.events,
            "next": page.next,
        }
        return Response(SubjectPageSerializer(data).data)


app_name = "api-subjects"
urlpatterns: list[URLPattern] = [path("subjects/<int:pk>/", SubjectView.as_view(), name="subject")]
