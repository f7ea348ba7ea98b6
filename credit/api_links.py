"""代码衔接 and the received gradings in JSON."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from credit import received, views_links
from credit.actions import joining
from credit.api_records import OFFICERS, TAGS, CreditSubjectSerializer
from credit.identifiers import Form
from credit.models import Grade, RiskClass, SubjectLink
from credit.models.subjects import of_form
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read

LINK_TABS = (("used", "有效"), ("aside", "已撤销"))
GRADE_TABS = tuple((key or "grade", label) for key, label in received.TABS)


class SubjectLinkSerializer(serializers.Serializer[Any]):
    """One code that stands where another stood."""

    id = serializers.IntegerField(source="pk")
    before = CreditSubjectSerializer()
    after = CreditSubjectSerializer()
    kind = serializers.ChoiceField(choices=SubjectLink.Kind.choices)
    on = serializers.DateField(help_text="Since when.")
    basis = serializers.CharField()
    carries = serializers.BooleanField(help_text="Whether what stands behind `before` counts for `after`.")
    carries_reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    set_aside_at = serializers.DateTimeField(allow_null=True)
    set_aside_reason = serializers.CharField(allow_blank=True)


class LinkPageQuerySerializer(PageQuerySerializer):
    """What narrows the list of links."""

    tab = serializers.ChoiceField(choices=LINK_TABS, required=False, default="used")


class LinkBodySerializer(serializers.Serializer[Any]):
    """衔接."""

    before = Said(help_text="Code that was replaced, merged or split.")
    after = Said(help_text="Code that stands in its place.")
    kind = Choice(choices=SubjectLink.Kind.choices)
    on = SaidDay(help_text="Not after today.")
    basis = Said(help_text="At least ten characters.")
    carries = serializers.BooleanField(default=True, help_text="False only for a split, with `carries_reason`.")
    carries_reason = Said()


class UnlinkBodySerializer(serializers.Serializer[Any]):
    """撤销."""

    reason = Said()


class ReceivedGradeSerializer(serializers.Serializer[Any]):
    """A public credit evaluation as it came; `none`: the platform gives none any more, since `given_at`."""

    grade = serializers.ChoiceField(choices=Grade.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    given_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()


class ReceivedRiskSerializer(serializers.Serializer[Any]):
    """A risk class as it came; `none`: the platform gives none any more, since `given_at`."""

    risk = serializers.ChoiceField(choices=RiskClass.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    given_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()


class ReceivedSerializer(serializers.Serializer[Any]):
    """A subject with the newest of both gradings; null: nothing was received, which is no good grade."""

    id = serializers.IntegerField(source="subject.pk")
    subject = CreditSubjectSerializer()
    grade = ReceivedGradeSerializer(allow_null=True)
    risk = ReceivedRiskSerializer(allow_null=True)


class ReceivedHistorySerializer(serializers.Serializer[Any]):
    """All that was received of a subject, the newest first."""

    id = serializers.IntegerField()
    subject = CreditSubjectSerializer()
    grades = ReceivedGradeSerializer(many=True)
    risks = ReceivedRiskSerializer(many=True)


class GradePageQuerySerializer(PageQuerySerializer):
    """What narrows the list of received gradings."""

    tab = serializers.ChoiceField(choices=GRADE_TABS, required=False, default="grade")
    form = serializers.ChoiceField(choices=Form.choices, required=False, help_text="Kind of subject.")


class LinksView(PortalView):
    """代码衔接."""

    roles = OFFICERS

    @extend_schema(
        operation_id="listSubjectLinks",
        summary="代码衔接 · Codes that were replaced, merged or split",
        description="The newest first, 50 a page. `q` finds by whole code, or by how a name begins.",
        tags=TAGS,
        parameters=[LinkPageQuerySerializer],
        responses=answers({200: paged(SubjectLinkSerializer, "SubjectLinkPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(LinkPageQuerySerializer, request.query_params)
        rows = SubjectLink.objects.filter(set_aside_at__isnull=asked["tab"] == "used")
        rows = views_links.whole(views_links.searched(rows, asked["q"]))
        return page(rows, views_links.ORDER, asked["cursor"], SubjectLinkSerializer)

    @extend_schema(
        operation_id="linkSubjects",
        summary="衔接代码 · Link two codes",
        description="Credit officers of the city's departments. Nothing is moved: records count for both.",
        tags=TAGS,
        request=LinkBodySerializer,
        responses=answers({201: SubjectLinkSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Link."""
        said = read(LinkBodySerializer, request.data)
        made = joining.link(**said, by=self.user, now=self.now)
        return Response(SubjectLinkSerializer(made).data, status=status.HTTP_201_CREATED)


class UnlinkView(PortalView):
    """撤销衔接."""

    roles = OFFICERS

    @extend_schema(
        operation_id="unlinkSubjects",
        summary="撤销衔接 · Set a link aside",
        description="Credit officers of the city's departments. The link stays to be read, with the reason.",
        tags=TAGS,
        request=UnlinkBodySerializer,
        responses=answers({200: SubjectLinkSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Set it aside."""
        link = get_object_or_404(views_links.whole(SubjectLink.objects.all()), pk=pk)
        joining.undo(link, **read(UnlinkBodySerializer, request.data), by=self.user, now=self.now)
        link.refresh_from_db()
        return Response(SubjectLinkSerializer(link).data)


class GradesView(PortalView):
    """收到的信用评价."""

    roles = OFFICERS

    @extend_schema(
        operation_id="listReceivedGrades",
        summary="信用评价 · Both gradings as they were received",
        description=(
            "Subjects of whom one was received, 50 a page; people only where the own department found something. `q` "
            "finds by how name or code begins. Read only: nobody gives a grade here."
        ),
        tags=TAGS,
        parameters=[GradePageQuerySerializer],
        responses=answers({200: paged(ReceivedSerializer, "ReceivedPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; three statements."""
        asked = read(GradePageQuerySerializer, request.query_params)
        rows = received.graded(self.access, "risk" if asked["tab"] == "risk" else "")
        if "form" in asked:
            rows = rows.filter(of_form(asked["form"]))
        rows = received.searched(rows, asked["q"])
        return page(rows, received.ORDER, asked["cursor"], ReceivedSerializer, complete=received.with_newest)  # type: ignore[arg-type]


class GradeView(PortalView):
    """What was received of one subject."""

    roles = OFFICERS

    @extend_schema(
        operation_id="getReceivedGrades",
        summary="信用评价 · All gradings of one subject",
        description="The newest first. Read only.",
        tags=TAGS,
        responses=answers({200: ReceivedHistorySerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return them; three statements."""
        subject = get_object_or_404(received.received_of(self.access), pk=pk)
        grades, risks = (rows.order_by("-given_at", "-id") for rows in (subject.grades, subject.risks))
        whole = {"id": subject.pk, "subject": subject, "grades": grades, "risks": risks}
        return Response(ReceivedHistorySerializer(whole).data)


urlpatterns: list[URLPattern] = [
    path("credit/links/", LinksView.as_view(), name="subject-links"),
    path("credit/links/<int:pk>/set-aside/", UnlinkView.as_view(), name="subject-unlink"),
    path("credit/grades/", GradesView.as_view(), name="received-grades"),
    path("credit/grades/<int:pk>/", GradeView.as_view(), name="received-grades-of"),
]
