"""Leave and conflicts through the API: one's own, for everybody on the staff."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.leaves import cancel_leave, declare_conflict, end_conflict, enter_leave
from approvals.exceptions import Refused
from approvals.models import Conflict
from approvals.views import conflicts, leaves
from credit.models import CreditSubject
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Leave, Posting

TAGS = ["staff"]


class LeaveSerializer(serializers.Serializer[Any]):
    """A leave."""

    id = serializers.IntegerField(source="pk")
    user = serializers.CharField(source="user.username")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    deputy = serializers.CharField(source="deputy.username", default=None, allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    entered_at = serializers.DateTimeField()
    cancelled_at = serializers.DateTimeField(allow_null=True)


class LeaveRequestSerializer(serializers.Serializer[Any]):
    """登记请假."""

    user = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40,
        help_text="Account; default oneself. Others only for administrators of their division.",
    )  # fmt: skip
    starts_on = SaidDay()
    ends_on = SaidDay(help_text="The last day of it.")
    deputy = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40, help_text="Account of one of the same department."
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class ConflictSerializer(serializers.Serializer[Any]):
    """A declaration; an identity number is masked."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=CreditSubject.Kind.choices)
    identifier = serializers.CharField(source="shown")
    reason = serializers.CharField()
    declared_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class ConflictRequestSerializer(serializers.Serializer[Any]):
    """申报回避."""

    kind = Choice(choices=CreditSubject.Kind.choices)
    identifier = Said(max_length=60, help_text="Unified social credit code or identity number.")
    name = Said(max_length=120)
    reason = Said(max_length=200, help_text="The relation.")


class StaffView(PortalView):
    """For everybody with a posting."""

    roles = tuple(Posting.Role.values)


class LeavesView(StaffView):
    """请假."""

    @extend_schema(
        operation_id="listLeaves",
        summary="请假 · Leaves within reach",
        description="One's own; for division administrators also their people's. The newest first, 50 a page; `q` "
        "finds by name.",
        tags=TAGS,
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(LeaveSerializer, "LeavePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(PageQuerySerializer, request.query_params)
        rows = leaves.visible(self.access)
        if text := asked["q"].strip():
            rows = rows.filter(user__full_name__contains=text)
        return page(rows, leaves.ORDER, asked["cursor"], LeaveSerializer)

    @extend_schema(
        operation_id="enterLeave",
        summary="登记请假 · Enter a leave",
        description="From today on, whole days. Whoever is on leave is in no draw; cases without an opinion are handed "
        "over when it starts.",
        tags=TAGS,
        request=LeaveRequestSerializer,
        responses=answers({201: LeaveSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Enter it."""
        said = read(LeaveRequestSerializer, request.data)
        person, account = self.user, said.pop("user")
        if account and account != person.username:
            person = get_object_or_404(leaves.administered(self.access), username=account)
        wanted, deputy = said.pop("deputy"), None
        if wanted:
            deputy = leaves.colleagues_of(person, self.access).filter(username=wanted).first()
            if deputy is None:
                raise Refused("deputy-unknown", "所选代理人不在同部门人员中，请重新选择。", field="deputy")
        made = enter_leave(person, **said, deputy=deputy, by=self.user, now=self.now)
        return Response(LeaveSerializer(made).data, status=201)


class LeaveCancellationView(StaffView):
    """销假."""

    @extend_schema(
        operation_id="cancelLeave",
        summary="销假 · Cancel a leave, or end it early",
        description="What was handed over stays.",
        tags=TAGS,
        request=None,
        responses=answers({200: LeaveSerializer}, 401, 404, 409),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Cancel."""
        found: Leave = get_object_or_404(leaves.visible(self.access), pk=pk)
        return Response(LeaveSerializer(cancel_leave(found, by=self.user, now=self.now)).data)


class ConflictsView(StaffView):
    """回避申报."""

    @extend_schema(
        operation_id="listConflicts",
        summary="回避申报 · One's own declarations",
        description="The newest first, 50 a page; nobody else's. `q` finds by code or relation.",
        tags=TAGS,
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(ConflictSerializer, "ConflictPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(PageQuerySerializer, request.query_params)
        rows = conflicts.own(self.access)
        if text := asked["q"].strip():
            rows = rows.filter(shown__contains=text.upper()) | rows.filter(reason__contains=text)
        return page(rows, conflicts.ORDER, asked["cursor"], ConflictSerializer)

    @extend_schema(
        operation_id="declareConflict",
        summary="申报回避 · Declare that a subject's cases are not for oneself",
        description="From now on no draw takes the person for a case of that subject; what was drawn stays.",
        tags=TAGS,
        request=ConflictRequestSerializer,
        responses=answers({201: ConflictSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Declare it."""
        said = read(ConflictRequestSerializer, request.data)
        made: Conflict = declare_conflict(**said, by=self.user, now=self.now)
        return Response(ConflictSerializer(made).data, status=201)


class ConflictEndView(StaffView):
    """解除回避."""

    @extend_schema(
        operation_id="endConflict",
        summary="解除回避 · The relation is over",
        description="From now on draws take the person again.",
        tags=TAGS,
        request=None,
        responses=answers({200: ConflictSerializer}, 401, 404, 409),
    )
    def post(self, request: Request, pk: int) -> Response:
        """End it."""
        found: Conflict = get_object_or_404(conflicts.own(self.access), pk=pk)
        return Response(ConflictSerializer(end_conflict(found, by=self.user, now=self.now)).data)
