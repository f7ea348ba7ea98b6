"""The back office's part of the API: blind before the decision, by the same querysets as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import blind
from approvals.actions import complete_case, decide, give_opinion
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.api.serializers import ExtensionRowSerializer, ReviewRowSerializer, ReviewSerializer
from approvals.blind import BlindCase
from approvals.models import Case, Extension
from approvals.querysets import CaseQuerySet
from approvals.views.office import TABS
from deadlines.enums import PauseGround
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting

Role = Posting.Role
TAGS = ["back office"]
HEAD_TAGS = ["department head"]
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


class ProcedureRequestSerializer(serializers.Serializer[Any]):
    """启动特别程序."""

    ground = Choice(choices=PauseGround.choices, help_text="From `pause_grounds` of the review.")
    law = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=200,
        help_text="Law and article; required with `named_law`.",
    )  # fmt: skip
    estimated_days = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Working days, 1 to 250; the applicant is told."
    )
    reason = Said(max_length=500, help_text="Who does what; on the paper. Without the applicant's identity.")


class ProcedureEndSerializer(serializers.Serializer[Any]):
    """结束特别程序."""

    result = Said(max_length=500, help_text="What came of it. Without the applicant's identity.")


class ExtensionRequestSerializer(serializers.Serializer[Any]):
    """申请延期."""

    days = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="In the unit of the statutory period."
    )
    reason = Said(max_length=500, help_text="On the paper, if granted. Without the applicant's identity.")


class ExtensionAnswerSerializer(serializers.Serializer[Any]):
    """批复延期."""

    grant = serializers.BooleanField()
    answer = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Required with `grant: false`."
    )


class ExtensionPageQuerySerializer(PageQuerySerializer):
    """Which requests."""

    answered = serializers.BooleanField(required=False, default=False, help_text="Those that wait no longer.")


class ReviewView(PortalView):
    """What every view of one case of the back office does."""

    roles = (Role.REVIEWER, Role.DECIDER)

    def found(self, number: str, cases: CaseQuerySet) -> BlindCase:
        """The case if it is among ``cases``; 404 otherwise."""
        return BlindCase.of(get_object_or_404(blind.blind(cases), number=number))

    def shown(self, number: str) -> Response:
        """The case as it now stands."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        return Response(ReviewSerializer(case, context={"today": self.today, "access": self.access}).data)


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
        cases = blind.with_pressing(blind.search(tab.queue(self.access), asked["q"]))
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


class ProcedureView(ReviewView):
    """特别程序."""

    @extend_schema(
        operation_id="startProcedure",
        summary="启动特别程序 · Begin a special procedure: the clocks stand still",
        description="By the reviewer to whom the case was drawn or a decider of the office, while it is in review "
        "(行政许可法 art. 45). The clocks that the ground stops stand still from tomorrow; 特别程序告知书 is "
        "issued and the applicant gets an SMS. Until it ends no opinion and no decision is taken (409, "
        "`procedure-open`). A text that names the applicant is refused (`text-names-applicant`) and stands on the "
        "ledger.",
        tags=TAGS,
        request=ProcedureRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Begin."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(ProcedureRequestSerializer, request.data)
        start_procedure(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class ProcedureEndView(ReviewView):
    """特别程序结束."""

    @extend_schema(
        operation_id="endProcedure",
        summary="结束特别程序 · End the special procedure: the clocks run again",
        description="The clocks run again from tomorrow; their due days are derived anew and the applicant is told.",
        tags=TAGS,
        request=ProcedureEndSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """End."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(ProcedureEndSerializer, request.data)
        end_procedure(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class ExtensionRequestView(ReviewView):
    """申请延期."""

    @extend_schema(
        operation_id="requestExtension",
        summary="申请延期 · Ask the authority's head for more time",
        description="Once a case, before the statutory period ends, at most `extension_room.longest` "
        "(行政许可法 art. 42). Nothing moves until a head of the department grants it.",
        tags=TAGS,
        request=ExtensionRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(ExtensionRequestSerializer, request.data)
        request_extension(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class ExtensionListView(PortalView):
    """延期审批."""

    roles = (Role.DEPARTMENT_HEAD,)

    @extend_schema(
        operation_id="listExtensions",
        summary="延期审批 · Requests for more time before the authority's head",
        description="Of the head's departments: what waits, the oldest first; with `answered`, what waits no longer, "
        "the newest first. 50 a page. `q` finds by case number or item; an applicant's name finds nothing.",
        tags=HEAD_TAGS,
        parameters=[ExtensionPageQuerySerializer],
        responses=answers({200: paged(ExtensionRowSerializer, "ExtensionPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(ExtensionPageQuerySerializer, request.query_params)
        rows = (blind.answered_extensions if asked["answered"] else blind.waiting_extensions)(self.access)
        if text := asked["q"].strip():
            rows = rows.filter(blind.matching(text, "case__"))
        order = ("-id",) if asked["answered"] else ("id",)
        return page(rows, order, asked["cursor"], ExtensionRowSerializer, today=self.today)


class ExtensionView(PortalView):
    """One request: the newest of a case."""

    roles = (Role.DEPARTMENT_HEAD,)

    def found(self, number: str) -> Extension:
        """The newest request of the case, if it is before this head; 404 otherwise."""
        newest = blind.extensions(self.access).filter(case__number=number).order_by("-id").first()
        if newest is None:
            raise Http404
        return newest

    def shown(self, number: str) -> Response:
        """The request as it now stands."""
        return Response(ExtensionRowSerializer(self.found(number), context={"today": self.today}).data)

    @extend_schema(
        operation_id="getExtension",
        summary="延期申请 · The newest request for more time of a case",
        description="Nothing tells whose case it is.",
        tags=HEAD_TAGS,
        responses=answers({200: ExtensionRowSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        return self.shown(number)

    @extend_schema(
        operation_id="answerExtension",
        summary="批复延期 · Grant the extension, or decline with a reason",
        description="By a head of the department who did not ask for it. Granted, the statutory due day is derived "
        "anew, 延期告知书 is issued with the reason and the applicant gets an SMS. Not after the due day (409, "
        "`extension-too-late`), not twice.",
        tags=HEAD_TAGS,
        request=ExtensionAnswerSerializer,
        responses=answers({200: ExtensionRowSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer."""
        extension = self.found(number)
        said = read(ExtensionAnswerSerializer, request.data)
        answer_extension(extension, **said, by=self.user, now=self.now)
        return self.shown(number)
