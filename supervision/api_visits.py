"""The API's addresses and views of 入企检查."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.exceptions import TransitionNotAllowed
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting
from supervision.actions import visiting
from supervision.api import MANAGERS, ReasonSerializer, VisitSerializer
from supervision.enums import VisitStatus
from supervision.models import SupervisionTask, Visit
from supervision.views_visits import for_heads, matching, with_rows

TAGS = ["supervision"]
HEADS = (Posting.Role.DEPARTMENT_HEAD,)
GONE = "这件任务没有这样的入企检查，可能有同事已先一步办理，请刷新查看。"


class VisitPageQuerySerializer(PageQuerySerializer):
    """What narrows the visits."""

    status = serializers.ChoiceField(
        choices=VisitStatus.choices, required=False, default=VisitStatus.REQUESTED, help_text="Where they are."
    )


class VisitRequestSerializer(serializers.Serializer[Any]):
    """申请入企检查."""

    planned_on = SaidDay(help_text="Today or later, not after the planned finish day of a first look.")
    purpose = Said(max_length=300)
    exemption = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=200,
        help_text="Why it does not count against the yearly cap; required once that is reached.",
    )  # fmt: skip


class VisitAnswerSerializer(serializers.Serializer[Any]):
    """批准或不批准."""

    approve = serializers.BooleanField()
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Required to refuse."
    )


class VisitView(PortalView):
    """What the views of a task's visit share."""

    def own(self, number: str) -> SupervisionTask:
        """A task that this person may act on; 404 otherwise."""
        return get_object_or_404(SupervisionTask.objects.for_managers(self.access), number=number)

    def shown(self, visit: Visit, status: int = 200) -> Response:
        """The visit as it now stands."""
        rows = Visit.objects.select_related("task__subject", "requested_by", "settled_by")
        return Response(VisitSerializer(rows.get(pk=visit.pk)).data, status=status)


class VisitListView(PortalView):
    """What waits for the head."""

    roles = HEADS

    @extend_schema(
        operation_id="listVisits",
        summary="入企检查 · Visits of the departments that the person heads",
        description="Those that wait for an answer, or those in another state; 50 a page.",
        tags=TAGS,
        parameters=[VisitPageQuerySerializer],
        responses=answers({200: paged(VisitSerializer, "VisitPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(VisitPageQuerySerializer, request.query_params)
        rows = with_rows(for_heads(self.access)).filter(status=asked["status"])
        if asked["q"].strip():
            rows = rows.filter(matching(asked["q"].strip()))
        waiting = asked["status"] == VisitStatus.REQUESTED
        return page(rows, ("planned_on", "id") if waiting else ("-id",), asked["cursor"], VisitSerializer)


class VisitRequestView(VisitView):
    """申请."""

    roles = MANAGERS

    @extend_schema(
        operation_id="requestVisit",
        summary="申请入企检查 · Ask the head of the department for a visit",
        description="Counted against the yearly cap of subject and department; above it only with `exemption`.",
        tags=TAGS,
        request=VisitRequestSerializer,
        responses=answers({201: VisitSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        task = self.own(number)
        said = read(VisitRequestSerializer, request.data)
        return self.shown(visiting.request_visit(task, **said, by=self.user, now=self.now), 201)


class VisitAnswerView(VisitView):
    """批准或不批准."""

    roles = HEADS

    @extend_schema(
        operation_id="settleVisit",
        summary="批准或不批准入企检查 · Approve or refuse the visit that waits",
        description="Nobody settles the own request.",
        tags=TAGS,
        request=VisitAnswerSerializer,
        responses=answers({200: VisitSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer."""
        task = get_object_or_404(SupervisionTask.objects.for_heads(self.access), number=number)
        said = read(VisitAnswerSerializer, request.data)
        visit = visiting.open_visit(task)
        if visit is None:
            raise TransitionNotAllowed(GONE)
        return self.shown(visiting.settle_visit(visit, **said, by=self.user, now=self.now))


class VisitCancellationView(VisitView):
    """取消."""

    roles = MANAGERS

    @extend_schema(
        operation_id="cancelVisit",
        summary="取消入企检查 · Take back a visit that was not made",
        description="It no longer counts against the cap.",
        tags=TAGS,
        request=ReasonSerializer,
        responses=answers({200: VisitSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Cancel."""
        task = self.own(number)
        said = read(ReasonSerializer, request.data)
        visit = visiting.open_visit(task)
        if visit is None:
            raise TransitionNotAllowed(GONE)
        return self.shown(visiting.cancel_visit(visit, **said, by=self.user, now=self.now))


urlpatterns = [
    path("tasks/visits/", VisitListView.as_view(), name="visits"),
    path("tasks/<slug:number>/visit/", VisitRequestView.as_view(), name="visit-request"),
    path("tasks/<slug:number>/visit-settlement/", VisitAnswerView.as_view(), name="visit-settlement"),
    path("tasks/<slug:number>/visit-cancellation/", VisitCancellationView.as_view(), name="visit-cancellation"),
]
