"""The back office's part of the API: blind before the decision, by the same querysets as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import blind
from approvals.actions import complete_case, decide, give_opinion
from approvals.api.serializers import ReviewRowSerializer, ReviewSerializer
from approvals.blind import BlindCase
from approvals.models import Case
from approvals.querysets import CaseQuerySet
from approvals.views.office import TABS
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting

Role = Posting.Role
TAGS = ["back office"]
QUEUE_CHOICES = [(tab.key, tab.label) for tab in TABS]
BY_KEY = {tab.key: tab for tab in TABS}


class BlindRowSerializer(ReviewRowSerializer):
    """A row of the queue; the case is made blind before any field is read."""

    def to_representation(self, instance: Case) -> dict[str, Any]:
        """Write what ``BlindCase`` holds, and nothing else."""
        return super().to_representation(BlindCase.of(instance))


class ReviewPageQuerySerializer(PageQuerySerializer):
    """Which queue, and what in it."""

    queue = serializers.ChoiceField(
        choices=QUEUE_CHOICES, required=False, help_text="Default: the first that the person's roles have."
    )
    late = serializers.BooleanField(required=False, default=False, help_text="Only what is overdue.")


class VerdictSerializer(serializers.Serializer[Any]):
    """What an opinion and a decision have in common."""

    approve = serializers.BooleanField(help_text="`false` needs `keys`: every ground at once.")
    keys = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=200,
        help_text="From `grounds` of the review.",
    )  # fmt: skip


class OpinionRequestSerializer(VerdictSerializer):
    """审查意见."""

    text = Said(max_length=2000, help_text="Without the applicant's identity.")


class DecisionRequestSerializer(VerdictSerializer):
    """许可决定."""

    text = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)


class ReviewView(PortalView):
    """What every view of one case of the back office does."""

    roles = (Role.REVIEWER, Role.DECIDER)

    def found(self, number: str, cases: CaseQuerySet) -> BlindCase:
        """The case if it is among ``cases``; 404 otherwise."""
        return BlindCase.of(get_object_or_404(blind.blind(cases), number=number))

    def shown(self, number: str) -> Response:
        """The case as it now stands."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        return Response(ReviewSerializer(case, context={"today": self.today}).data)


class ReviewListView(PortalView):
    """The work list."""

    roles = (Role.REVIEWER, Role.DECIDER)

    @extend_schema(
        operation_id="listReviews",
        summary="审批办件 · The work list of reviewers and deciders",
        description="`review`: drawn to me, without an opinion. `decide`: waiting for a decision in my office, on the "
        "spot first. `issue`: approved, not completed. `advised`: my opinions that wait. `done`: decided and gone. "
        "50 a page, by due day. `q` finds by case number or item; an applicant's name finds nothing.",
        tags=TAGS,
        parameters=[ReviewPageQuerySerializer],
        responses=answers({200: paged(ReviewRowSerializer, "ReviewPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(ReviewPageQuerySerializer, request.query_params)
        own = [tab for tab in TABS if self.access.has(*tab.roles)]
        tab = BY_KEY.get(asked.get("queue", ""), own[0])
        cases = blind.with_due(blind.search(tab.queue(self.access), asked["q"]))
        if asked["late"]:
            cases = blind.late(cases, self.today)
        rows: QuerySet[Case] = blind.blind(cases)
        return page(rows, tab.order, asked["cursor"], BlindRowSerializer, today=self.today)


class ReviewDetailView(ReviewView):
    """One case."""

    @extend_schema(
        operation_id="getReview",
        summary="审批详情 · A case for review",
        description="Before the decision nothing tells whose case it is; files carry neutral names.",
        tags=TAGS,
        responses=answers({200: ReviewSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the case."""
        return self.shown(number)


class OpinionView(ReviewView):
    """审查意见."""

    @extend_schema(
        operation_id="giveOpinion",
        summary="出具审查意见 · Give the reviewer's opinion",
        description="Once, by the reviewer to whom the case was drawn.",
        tags=TAGS,
        request=OpinionRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Give the opinion."""
        case = self.found(number, Case.objects.for_reviewer(self.access))
        said = read(OpinionRequestSerializer, request.data)
        give_opinion(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class DecisionView(ReviewView):
    """许可决定."""

    @extend_schema(
        operation_id="decideCase",
        summary="作出决定 · Decide",
        description="Never by the clerk who took the case in, never by its reviewer. An on-the-spot approval is "
        "completed in the same sitting.",
        tags=TAGS,
        request=DecisionRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Decide."""
        case = self.found(number, Case.objects.for_decider(self.access))
        said = read(DecisionRequestSerializer, request.data)
        if said["approve"]:
            said["keys"] = []
        decide(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class CompletionView(ReviewView):
    """办结."""

    @extend_schema(
        operation_id="completeCase",
        summary="制证办结 · Issue the licence and complete",
        description="The supervision tasks open in the same transaction. A second completion is a conflict (409).",
        tags=TAGS,
        request=None,
        responses=answers({200: ReviewSerializer}, 401, 404, 409),
    )
    def post(self, request: Request, number: str) -> Response:
        """Complete."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        complete_case(Case(pk=case.pk), by=self.user, now=self.now)
        return self.shown(number)
