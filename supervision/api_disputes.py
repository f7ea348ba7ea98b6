"""The API's addresses and views of 不属本处室: an office objects, the overseers list and decide."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deadlines.api import DeadlineSerializer
from offices.access import covered
from offices.api import (
    ACT,
    READ,
    Choice,
    PageQuerySerializer,
    PortalView,
    Problem,
    Said,
    answers,
    page,
    paged,
    read,
)
from offices.models import Office, OfficeQuerySet, Posting
from supervision import panels_disputes
from supervision.actions import disputing
from supervision.enums import DisputeOutcome
from supervision.models import Dispute, SupervisionTask

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
TAGS = ["supervision"]
STATES = (("open", "待处理"), *DisputeOutcome.choices)
READ_WITH = (
    "task__business_item", "task__subject", "task__department", "task__office__department",
    "from_office__department", "proposed_office__department", "decided_office__department", "deadline",
)  # fmt: skip


class OfficeChoiceSerializer(serializers.Serializer[Any]):
    """An office that a task may go to."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="__str__")


class DisputeSerializer(serializers.Serializer[Any]):
    """An objection."""

    id = serializers.IntegerField(source="pk")
    task_number = serializers.CharField(source="task.number")
    business_item = serializers.CharField(source="task.business_item.name")
    subject = serializers.CharField(source="task.public_subject", help_text="Persons are masked.")
    from_office = serializers.CharField(source="from_office.__str__")
    reason = serializers.CharField()
    proposed_office = OfficeChoiceSerializer(allow_null=True)
    raised_at = serializers.DateTimeField()
    deadline = DeadlineSerializer(allow_null=True, help_text="Until when the overseers decide.")
    outcome = serializers.ChoiceField(
        choices=DisputeOutcome.choices, allow_blank=True, help_text="Empty while it is open."
    )
    decided_office = OfficeChoiceSerializer(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class OpenDisputeSerializer(DisputeSerializer):
    """An objection with the offices that the task may go to."""

    offices = serializers.SerializerMethodField(help_text="Where `reassigned` may send the task.")

    @extend_schema_field(OfficeChoiceSerializer(many=True))
    def get_offices(self, dispute: Dispute) -> list[dict[str, Any]]:
        """The offices, none once it is decided; one statement."""
        return [] if dispute.outcome else named(disputing.other_offices(dispute.task, self.context["today"]))


class TaskDisputesSerializer(serializers.Serializer[Any]):
    """The objections of a task, and the offices that may be proposed."""

    disputes = DisputeSerializer(many=True)
    offices = OfficeChoiceSerializer(many=True)


class RaiseSerializer(serializers.Serializer[Any]):
    """提出异议."""

    reason = Said(max_length=1000)
    proposed_office = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Id of one of `offices`, if one knows it."
    )


class DecideSerializer(serializers.Serializer[Any]):
    """处理异议."""

    outcome = Choice(choices=DisputeOutcome.choices)
    office = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Id of one of `offices`; required with `reassigned`."
    )
    reason = Said(max_length=1000)


class DisputePageQuerySerializer(PageQuerySerializer):
    """What narrows the list."""

    state = serializers.ChoiceField(choices=STATES, required=False, default="open")


def named(offices: OfficeQuerySet) -> list[dict[str, Any]]:
    """Ids and names of offices; one statement."""
    return [{"id": one.pk, "name": str(one)} for one in offices.select_related("department").order_by("pk")]


def _chosen(key: int | None, field: str) -> Office | None:
    """The office with that id; 422 for one that is not there."""
    if key is None:
        return None
    found = Office.objects.filter(pk=key).first() if 0 < key < 2**63 else None
    if found is None:
        raise Problem(422, "office-not-fit", "所选的处室不在可选范围内，请重新选择。", field=field)
    return found


class TaskDisputesView(PortalView):
    """The objections of one task, for those who manage it."""

    roles = MANAGERS

    def own(self, number: str) -> SupervisionTask:
        """A task that this person may act on; 404 otherwise."""
        rows = SupervisionTask.objects.for_managers(self.access).select_related("office__department")
        return get_object_or_404(rows, number=number)

    def shown(self, task: SupervisionTask) -> Response:
        """What was said of it so far."""
        offices = disputing.other_offices(task, self.today).select_related("department").order_by("pk")
        said = {"disputes": panels_disputes.of_task(task), "offices": offices}
        return Response(TaskDisputesSerializer(said, context={"today": self.today}).data)

    @extend_schema(
        operation_id="getTaskDisputes",
        summary="查看异议 · The objections of a task, and which offices may be proposed",
        description="For the manager and the deputies of the task's office.",
        tags=TAGS,
        responses=answers({200: TaskDisputesSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return them."""
        return self.shown(self.own(number))

    @extend_schema(
        operation_id="raiseDispute",
        summary="提出异议 · Say that a task is not the office's own",
        description="The task must have been read and not yet acknowledged. Its acknowledge clock runs on. Once the "
        "overseers left it with the office, the same office cannot object again (409).",
        tags=TAGS,
        request=RaiseSerializer,
        responses=answers({200: TaskDisputesSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Object."""
        task = self.own(number)
        said = read(RaiseSerializer, request.data)
        office = _chosen(said["proposed_office"], "proposed_office")
        disputing.raise_dispute(task, reason=said["reason"], proposed_office=office, by=self.user, now=self.now)
        return self.shown(task)


class OverseerView(PortalView):
    """What the overseers' views share."""

    roles = (Role.OVERSEER,)

    def own(self) -> QuerySet[Dispute]:
        """Objections in the divisions that the person oversees."""
        divisions = covered(self.access, Role.OVERSEER)
        return Dispute.objects.filter(from_office__department__division__in=divisions).select_related(*READ_WITH)

    def shown(self, pk: int) -> Response:
        """One of them as it now stands; 404 for others."""
        found = get_object_or_404(self.own(), pk=pk)
        return Response(OpenDisputeSerializer(found, context={"today": self.today}).data)


class DisputeListView(OverseerView):
    """The overseers' list."""

    @extend_schema(
        operation_id="listDisputes",
        summary="审管争议 · What offices say is not their own",
        description="Newest first, 50 a page; `q` finds by task number, item or subject.",
        tags=TAGS,
        parameters=[DisputePageQuerySerializer],
        responses=answers({200: paged(DisputeSerializer, "DisputePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(DisputePageQuerySerializer, request.query_params)
        rows = self.own().filter(outcome="" if asked["state"] == "open" else asked["state"])
        rows = panels_disputes.search(rows, asked["q"])
        return page(rows, ("-id",), asked["cursor"], DisputeSerializer, today=self.today)


class DisputeView(OverseerView):
    """One objection."""

    @extend_schema(
        operation_id="getDispute",
        summary="查看争议 · Read an objection",
        description="With the offices of the division that the task may be sent to.",
        tags=TAGS,
        responses=answers({200: OpenDisputeSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.shown(pk)


class DecisionView(OverseerView):
    """处理异议."""

    @extend_schema(
        operation_id="decideDispute",
        summary="处理争议 · Leave a task where it is, or send it to the right office",
        description="Reassigned, the task is told anew: its acknowledge clock starts when the SMS to the right office "
        "is accepted. Whoever comes second gets a conflict (409).",
        tags=TAGS,
        request=DecideSerializer,
        responses=answers({200: OpenDisputeSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide."""
        found = get_object_or_404(self.own(), pk=pk)
        said = read(DecideSerializer, request.data)
        office = _chosen(said["office"], "office")
        disputing.decide_dispute(
            found, outcome=said["outcome"], reason=said["reason"], office=office, by=self.user, now=self.now
        )
        return self.shown(pk)


urlpatterns: list[URLPattern | URLResolver] = [
    path("disputes/", DisputeListView.as_view(), name="disputes"),
    path("disputes/<int:pk>/", DisputeView.as_view(), name="dispute"),
    path("disputes/<int:pk>/decision/", DecisionView.as_view(), name="dispute_decision"),
    path("tasks/<slug:number>/dispute/", TaskDisputesView.as_view(), name="task_disputes"),
]
