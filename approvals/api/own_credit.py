"""A subject's own credit for programs, behind its own door: read, object, ask for repair (L8c, L10d)."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.door import FAULTS, PermittedSerializer, PermittedView
from approvals.api.public import TAGS
from approvals.models import Case
from credit import gate, own
from credit.actions import judging, repairing
from credit.api_records import BreachSerializer, CreditRecordSerializer, RepairSerializer
from credit.joining import lineage, succeeded
from credit.models import CreditRecord, Grade, HandlingWay, Repair
from deadlines.api import PublicDeadlineSerializer
from offices.api import Choice, Problem, Said, answers, paged, read
from offices.keyset import Keyset

PRIVATE = {"Cache-Control": "no-store"}


class OwnBreachSerializer(BreachSerializer):
    """拟认定失信, as its subject reads it."""

    fact = None  # type: ignore[assignment]
    source = serializers.CharField(source="fact.source", help_text="The paper that found it.")  # type: ignore[assignment]
    found_at = serializers.DateTimeField(source="fact.found_at")
    deadline = PublicDeadlineSerializer()


class OwnRepairSerializer(RepairSerializer):
    """A request for repair or correction of one's own record."""

    record = serializers.IntegerField(source="record_id")
    deadline = PublicDeadlineSerializer(allow_null=True)


class OwnRecordSerializer(CreditRecordSerializer):
    """A record of one's own, or of a code that it took the place of (`subject`)."""


class OwnRecordWholeSerializer(OwnRecordSerializer):
    """A record of one's own with all that was asked for of it."""

    repairs = OwnRepairSerializer(many=True)


class OwnWaySerializer(serializers.Serializer[Any]):
    """A way of handling: whether the rule opens it, and why or why not."""

    way = serializers.ChoiceField(choices=HandlingWay.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    is_open = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class OwnCreditSerializer(serializers.Serializer[Any]):
    """What is known of the subject of the case."""

    name = serializers.CharField(help_text="Persons are masked.")
    grade = serializers.ChoiceField(choices=Grade.choices, help_text="`none`: the platform says nothing; not `good`.")
    grade_source = serializers.CharField(allow_blank=True)
    measures = serializers.ListField(
        child=serializers.CharField(), help_text="Joint rewards and penalties in force, in Chinese."
    )
    ways = OwnWaySerializer(many=True)
    breaches = OwnBreachSerializer(many=True, help_text="The newest fifty notices.")
    repairs = OwnRepairSerializer(many=True, help_text="The newest fifty requests and notices of the platform.")
    records = paged(OwnRecordSerializer, "OwnRecordPage")


class OwnCreditQuestionSerializer(PermittedSerializer):
    """Which page of the records."""

    cursor = serializers.CharField(required=False, allow_blank=True, default="", max_length=600)


class OwnObjectionSerializer(PermittedSerializer):
    """异议."""

    breach = serializers.IntegerField()
    text = Said()


class OwnAskSerializer(PermittedSerializer):
    """修复 or 更正."""

    record = serializers.IntegerField()
    ground = Choice(choices=Repair.Ground.choices)
    statement = Said()


class OwnView(PermittedView):
    """What belongs to the subject of the permitted case, and nothing else."""

    def show_record(self, case: Case, pk: int) -> Response:
        """The record as it now stands."""
        whose = lineage(case.applicant)
        record = get_object_or_404(own.records(whose), pk=pk)
        asked = own.repairs(succeeded(case.applicant)).filter(record=record).order_by("-id")
        repairs = OwnRepairSerializer(asked, many=True, context={"today": self.today}).data
        return Response({**OwnRecordSerializer(record).data, "repairs": repairs}, headers=PRIVATE)

    def page_of_records(self, whose: Collection[int], cursor: str) -> dict[str, Any]:
        """Fifty records, newest first; raises a 422 problem for a cursor that was not given out."""
        keyset: Keyset[CreditRecord] = Keyset(own.records(whose), own.ORDER)
        if cursor and not keyset.knows(cursor):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", "翻页标识不对，请从第一页重新取。", field="cursor"
            )
        page = keyset.page(cursor)
        return {"next": page.next, "previous": page.previous, "results": OwnRecordSerializer(page.rows, many=True).data}


class OwnCreditView(OwnView):
    """我的信用."""

    @extend_schema(
        operation_id="getOwnCredit",
        summary="我的信用 · Records, notices, requests, evaluation and open ways of the case's applicant",
        description="The permit of any case of the subject will do, however old. Risk classes are not told.",
        tags=TAGS,
        request=OwnCreditQuestionSerializer,
        responses=answers({200: OwnCreditSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Return it."""
        said = read(OwnCreditQuestionSerializer, request.data)
        subject = self.permitted(said).applicant
        whose, spoken_for = lineage(subject), succeeded(subject)
        answer, context = gate.ask(subject, self.now, whose=whose), {"today": self.today}
        breaches = own.breaches(spoken_for).order_by("-id")[: own.MOST]
        repairs = own.repairs(spoken_for).order_by("-id")[: own.MOST]
        told = {
            "name": subject.public_name,
            "grade": answer.grade,
            "grade_source": answer.grade_source,
            "measures": answer.measures,
            "ways": OwnWaySerializer(answer.ways, many=True).data,
            "breaches": OwnBreachSerializer(breaches, many=True, context=context).data,
            "repairs": OwnRepairSerializer(repairs, many=True, context=context).data,
            "records": self.page_of_records(whose, said["cursor"]),
        }
        return Response(told, headers=PRIVATE)


class OwnObjectionView(OwnView):
    """网上提出异议."""

    @extend_schema(
        operation_id="objectThroughDoor",
        summary="网上提出异议 · Object to a breach of one's own, once, to the end of the due day",
        tags=TAGS,
        request=OwnObjectionSerializer,
        responses=answers({200: OwnBreachSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Object."""
        said = read(OwnObjectionSerializer, request.data)
        case = self.permitted(said)
        found = own.breaches(succeeded(case.applicant))
        breach = get_object_or_404(found, pk=said["breach"])
        judging.object_to(breach, text=said["text"], by=None, now=self.now, through=case.stream)
        shown = OwnBreachSerializer(found.get(pk=breach.pk), context={"today": self.today})
        return Response(shown.data, headers=PRIVATE)


class OwnAskView(OwnView):
    """网上申请修复或者更正."""

    @extend_schema(
        operation_id="askRepairThroughDoor",
        summary="网上申请修复或者更正 · Ask for repair or correction of a record of one's own",
        description="`mended`: from `repair_from` on. `wrong`: at any time.",
        tags=TAGS,
        request=OwnAskSerializer,
        responses=answers({200: OwnRecordWholeSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Ask."""
        said = read(OwnAskSerializer, request.data)
        case = self.permitted(said)
        record = get_object_or_404(own.records(succeeded(case.applicant)), pk=said["record"])
        repairing.ask(
            record, ground=said["ground"], statement=said["statement"], by=None, now=self.now, through=case.stream
        )
        return self.show_record(case, record.pk)
