"""联合奖惩 in JSON: what the credit officer's pages show and do (L12c)."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit import lists, lists_measures, proposing
from credit.actions import measures
from credit.api_records import OFFICERS, TAGS, CreditSubjectSerializer
from credit.models import CreditRecord, Grade, JointMeasure, Level, MeasureRule
from deadlines.clock import local_date
from offices.api import (
    ACT,
    READ,
    Choice,
    PageQuerySerializer,
    PortalView,
    Problem,
    Said,
    SaidDay,
    answers,
    page,
    paged,
    read,
)
from offices.keyset import Keyset

MEASURE_TABS = [(tab.key or "live", tab.label) for tab in lists_measures.MEASURES]
RULE_TABS = [("on", "启用"), ("off", "已停用")]
BIGGEST = 2**63 - 1


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
    rule = serializers.IntegerField(
        source="rule_id", allow_null=True, help_text="The line of the city's list that proposed it; null: none."
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

    identifier = Said(help_text="Code or identity number of a known subject; not read where `record` is given.")
    kind = Choice(choices=JointMeasure.Kind.choices)
    what = Said(help_text="May be blank with `rule`, whose words then hold.")
    basis = Said(help_text="Legal basis; may be blank with `rule`, or for a penalty on a record, whose basis holds.")
    record = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=BIGGEST,
        help_text="A record of the own department, as `listMeasureProposals` names it.",
    )  # fmt: skip
    rule = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=BIGGEST,
        help_text="The line of the city's list that proposed it, for `record` only; the kind must be its kind.",
    )  # fmt: skip
    record_source = Said(
        help_text="Number of the paper that found the record it rests on; blank: none. Name `record` where several fit."
    )
    department = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1,
        help_text="Required only of an officer of several departments.",
    )  # fmt: skip
    starts_on = SaidDay(help_text="Today or later, within a year.")
    ends_on = SaidDay(help_text="Not after the display of the record; without one three years at most.")


class EndMeasureBodySerializer(serializers.Serializer[Any]):
    """提前终止."""

    reason = Said()


def _with_identifiers(rows: QuerySet[JointMeasure]) -> QuerySet[JointMeasure]:
    """With everything that an answer says, also of what a person's number is masked from."""
    return rows.select_related("subject", "department")


class MeasuresSharedView(PortalView):
    """What these views share: whose measures may be found."""

    roles = OFFICERS

    def measure(self, pk: int) -> JointMeasure:
        """A measure of the person's departments; 404 otherwise."""
        return get_object_or_404(_with_identifiers(lists_measures.measures(self.access)), pk=pk)

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
        rows = _with_identifiers(lists_measures.searched(rows, asked["q"]))
        return page(rows, tab.order, asked["cursor"], JointMeasureSerializer)

    @extend_schema(
        operation_id="beginJointMeasure",
        summary="实施联合奖惩 · Begin a reward or a penalty",
        description="From a day to a day, with its legal basis; a penalty on a record ends with the record. With `rule`"
        " and `record` by a line of the city's list (`listMeasureProposals`).",
        tags=TAGS,
        request=BeginMeasureBodySerializer,
        responses=answers({200: JointMeasureSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Begin."""
        said = read(BeginMeasureBodySerializer, request.data)
        identifier, source, resting = said.pop("identifier"), said.pop("record_source"), said.pop("record")
        line = said.pop("rule")
        rule = get_object_or_404(MeasureRule, pk=line) if line is not None else None
        record: CreditRecord | None = None
        if rule is not None and resting is None:
            # By a line only on a record of the own department, as on the page: how others are graded is not tried out.
            raise Http404
        if resting is not None:
            record = get_object_or_404(lists.records(self.access).select_related("subject"), pk=resting)
            subject = record.subject
        else:
            subject = measures.find_subject(identifier)
            record = measures.find_record(subject, source, said["kind"], self.today)
        department = lists_measures.department_for(self.access, said.pop("department"))
        made = measures.begin(
            subject, **said, department=department, record=record, by=self.user, now=self.now, rule=rule
        )
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


class MeasureRuleSerializer(serializers.Serializer[Any]):
    """A line of the city's list of joint measures."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=JointMeasure.Kind.choices)
    level = serializers.ChoiceField(
        choices=Level.choices, allow_blank=True, help_text="Of a penalty: the level of the breach; blank for a reward."
    )
    grade = serializers.ChoiceField(
        choices=Grade.choices, allow_blank=True, help_text="Of a reward: the public grade; blank for a penalty."
    )
    what = serializers.CharField()
    basis = serializers.CharField()
    months = serializers.IntegerField()
    is_on = serializers.BooleanField()
    off_reason = serializers.CharField(allow_blank=True)


class MeasureRulesQuerySerializer(PageQuerySerializer):
    """What narrows the list."""

    tab = serializers.ChoiceField(choices=RULE_TABS, required=False, default="on")


class MeasureRulesView(PortalView):
    """联合奖惩措施清单, to be read; the city's administrators keep it on its page."""

    roles = OFFICERS

    @extend_schema(
        operation_id="listMeasureRules",
        summary="联合奖惩措施清单 · The city's list of joint measures",
        description="By level of a breach and by public grade, newest first, 50 a page. `q` finds by words or basis.",
        tags=TAGS,
        parameters=[MeasureRulesQuerySerializer],
        responses=answers({200: paged(MeasureRuleSerializer, "MeasureRulePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(MeasureRulesQuerySerializer, request.query_params)
        rows = MeasureRule.objects.filter(is_on=asked["tab"] == "on")
        if asked["q"]:
            rows = rows.filter(Q(what__icontains=asked["q"]) | Q(basis__icontains=asked["q"]))
        return page(rows, ("-id",), asked["cursor"], MeasureRuleSerializer)


class MeasureProposalSerializer(serializers.Serializer[Any]):
    """One line for one record: what `beginJointMeasure` takes, and the last day that it may have."""

    rule = serializers.IntegerField(source="rule.pk")
    kind = serializers.ChoiceField(source="rule.kind", choices=JointMeasure.Kind.choices)
    what = serializers.CharField(source="rule.what")
    basis = serializers.CharField(source="rule.basis")
    ends_on = serializers.DateField()


class ProposedRecordSerializer(serializers.Serializer[Any]):
    """A record of the own department with all that the list proposes for it."""

    record = serializers.IntegerField(source="record.pk")
    kind = serializers.ChoiceField(source="record.kind", choices=CreditRecord.Kind.choices)
    subject = CreditSubjectSerializer(source="record.subject")
    source = serializers.CharField(source="record.source")  # type: ignore[assignment]  # the field of the answer
    found_on = serializers.SerializerMethodField()
    level = serializers.ChoiceField(source="record.level", choices=Level.choices, allow_blank=True)
    grade = serializers.SerializerMethodField(help_text="Of a reward: the newest public grade; blank for a penalty.")
    proposals = MeasureProposalSerializer(many=True)

    def get_found_on(self, row: proposing.Row) -> dt.date:
        """The local day of the finding."""
        return local_date(row.record.found_at)

    def get_grade(self, row: proposing.Row) -> str:
        """The grade as received."""
        return str(getattr(row.record, "graded", None) or "")


class ProposalsQuerySerializer(PageQuerySerializer):
    """What narrows the list."""

    tab = serializers.ChoiceField(choices=JointMeasure.Kind.choices, required=False, default="penalty")


class ProposalsView(PortalView):
    """What the list proposes to the person's departments; nothing begins by itself."""

    roles = OFFICERS

    @extend_schema(
        operation_id="listMeasureProposals",
        summary="建议实施的联合奖惩 · What the city's list proposes",
        description="For records of the person's departments, newest first, 50 a page. A person begins one with"
        " `beginJointMeasure`, its `record` and `rule`.",
        tags=TAGS,
        parameters=[ProposalsQuerySerializer],
        responses=answers({200: paged(ProposedRecordSerializer, "MeasureProposalPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; three statements."""
        asked = read(ProposalsQuerySerializer, request.query_params)
        tab = "reward" if asked["tab"] == "reward" else ""
        rows = lists.records_searched(proposing.proposed(self.access, tab, self.today), asked["q"])
        keyset = Keyset(rows.select_related("subject"), proposing.ORDER)
        if asked["cursor"] and not keyset.knows(asked["cursor"]):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", "翻页标识不对，请从第一页重新取。", field="cursor"
            )
        found = keyset.page(asked["cursor"])
        made = proposing.rows_of(found.rows, proposing.kind_of(tab), self.today)
        results = ProposedRecordSerializer(made, many=True).data
        return Response({"next": found.next, "previous": found.previous, "results": results})


urlpatterns: list[URLPattern] = [
    path("credit/measures/", MeasuresView.as_view(), name="joint-measures"),
    path("credit/measure-rules/", MeasureRulesView.as_view(), name="measure-rules"),
    path("credit/measures/proposals/", ProposalsView.as_view(), name="measure-proposals"),
    path("credit/measures/<int:pk>/", MeasureView.as_view(), name="joint-measure"),
    path("credit/measures/<int:pk>/end/", MeasureEndView.as_view(), name="joint-measure-end"),
]
