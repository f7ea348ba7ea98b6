"""联合奖惩 in JSON: what the credit officer's pages show and do (L12c)."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit import lists, lists_measures
from credit.actions import measures
from credit.api_records import OFFICERS, TAGS, CreditSubjectSerializer
from credit.models import JointMeasure
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read

MEASURE_TABS = [(tab.key or "live", tab.label) for tab in lists_measures.MEASURES]


class JointMeasureSerializer(serializers.Serializer[Any]):
    """A reward or a penalty from a day to a day; the row stays once it ended."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=JointMeasure.Kind.choices)
    subject = CreditSubjectSerializer()
    what = serializers.CharField()
    basis = serializers.CharField()
    record = serializers.IntegerField(
        source="record_id", allow_null=True, help_text="What a penalty rests on; it ends with the record."
    )
    department = serializers.CharField(source="department.name")
    decided_at = serializers.DateTimeField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: not ended early.")
    end_reason = serializers.CharField(allow_blank=True)


class MeasurePageQuerySerializer(PageQuerySerializer):
    """What narrows the list."""

    tab = serializers.ChoiceField(choices=MEASURE_TABS, required=False, default="live")


class BeginMeasureBodySerializer(serializers.Serializer[Any]):
    """实施."""

    identifier = Said(help_text="Code or identity number of a known subject.")
    kind = Choice(choices=JointMeasure.Kind.choices)
    what = Said()
    basis = Said(help_text="Legal basis; may be blank for a penalty on a record, whose basis then holds.")
    record_source = Said(help_text="Number of the paper that found the record it rests on; blank: none.")
    department = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1,
        help_text="Required only of an officer of several departments.",
    )  # fmt: skip
    starts_on = SaidDay(help_text="Today or later.")
    ends_on = SaidDay(help_text="Not after the display of the record; without one three years at most.")


class EndMeasureBodySerializer(serializers.Serializer[Any]):
    """提前终止."""

    reason = Said()


class MeasuresSharedView(PortalView):
    """What these views share: whose measures may be found."""

    roles = OFFICERS

    def measure(self, pk: int) -> JointMeasure:
        """A measure of the person's departments; 404 otherwise."""
        return get_object_or_404(lists_measures.with_rows(lists_measures.measures(self.access)), pk=pk)

    def show(self, pk: int) -> Response:
        """The measure as it now stands."""
        return Response(JointMeasureSerializer(self.measure(pk)).data)


class MeasuresView(MeasuresSharedView):
    """What the departments decided; a new one."""

    @extend_schema(
        operation_id="listJointMeasures",
        summary="联合奖惩 · Joint rewards and penalties",
        description="Of the person's departments, newest first, 50 a page. `q` finds by words, number, name or code.",
        tags=TAGS,
        parameters=[MeasurePageQuerySerializer],
        responses=answers({200: paged(JointMeasureSerializer, "JointMeasurePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(MeasurePageQuerySerializer, request.query_params)
        tab = lists.tab_of(lists_measures.MEASURES, "" if asked["tab"] == "live" else asked["tab"])
        rows = lists_measures.measures(self.access).filter(lists_measures.condition(tab.key, self.today))
        rows = lists_measures.with_rows(lists_measures.searched(rows, asked["q"]))
        return page(rows, tab.order, asked["cursor"], JointMeasureSerializer)

    @extend_schema(
        operation_id="beginJointMeasure",
        summary="实施联合奖惩 · Begin a reward or a penalty",
        description="From a day to a day, with its legal basis; a penalty on a record ends with the record.",
        tags=TAGS,
        request=BeginMeasureBodySerializer,
        responses=answers({200: JointMeasureSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Begin."""
        said = read(BeginMeasureBodySerializer, request.data)
        subject = measures.find_subject(said.pop("identifier"))
        record = measures.find_record(subject, said.pop("record_source"))
        department = lists_measures.department_for(self.access, said.pop("department"))
        made = measures.begin(subject, **said, department=department, record=record, by=self.user, now=self.now)
        return self.show(made.pk)


class MeasureView(MeasuresSharedView):
    """One measure."""

    @extend_schema(
        operation_id="getJointMeasure",
        summary="联合奖惩 · One reward or penalty",
        tags=TAGS,
        responses=answers({200: JointMeasureSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.show(pk)


class MeasureEndView(MeasuresSharedView):
    """提前终止."""

    @extend_schema(
        operation_id="endJointMeasure",
        summary="提前终止 · End a reward or a penalty early",
        tags=TAGS,
        request=EndMeasureBodySerializer,
        responses=answers({200: JointMeasureSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """End it."""
        measure = self.measure(pk)
        said = read(EndMeasureBodySerializer, request.data)
        measures.end(measure, **said, by=self.user, now=self.now)
        return self.show(pk)


urlpatterns: list[URLPattern] = [
    path("credit/measures/", MeasuresView.as_view(), name="joint-measures"),
    path("credit/measures/<int:pk>/", MeasureView.as_view(), name="joint-measure"),
    path("credit/measures/<int:pk>/end/", MeasureEndView.as_view(), name="joint-measure-end"),
]
