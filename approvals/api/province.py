"""上报省主管部门 through the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.province import LONGEST_ANSWER, LONGEST_NUMBER, province_answered, report_to_province
from approvals.api.reviews import TAGS, ReviewView
from approvals.api.serializers import ReviewSerializer
from approvals.models import Case
from offices.api import ACT, Said, answers, read


class ReportSerializer(serializers.Serializer[Any]):
    """上报."""

    number = Said(max_length=LONGEST_NUMBER, help_text="Number of the letter that went up.")


class AnswerSerializer(serializers.Serializer[Any]):
    """省主管部门的答复."""

    answer = Said(max_length=LONGEST_ANSWER, help_text="Without the applicant's identity.")


class ReportView(ReviewView):
    """上报."""

    @extend_schema(
        operation_id="reportToProvince",
        summary="上报省主管部门 · Put on record that the case went up to the province",
        description="Once a case, while it is in review, for items with `reports_to_province`. The city's limit of 5 "
        "working days is off for these items; no clock stands still (行政许可法 art. 43).",
        tags=TAGS,
        request=ReportSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Report."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(ReportSerializer, request.data)
        report_to_province(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class AnswerView(ReviewView):
    """省主管部门的答复."""

    @extend_schema(
        operation_id="recordProvinceAnswer",
        summary="省主管部门答复 · Put the province's answer on record",
        description="Once, after the report, while the case is in review.",
        tags=TAGS,
        request=AnswerSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record it."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(AnswerSerializer, request.data)
        province_answered(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)
