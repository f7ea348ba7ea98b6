"""The API's addresses and views of 更正检查记录."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.exceptions import Refused, TransitionNotAllowed
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting
from supervision.actions import correcting
from supervision.models import SetAside, SupervisionTask
from supervision.views_corrections import for_heads, matching, with_rows

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
HEADS = (Role.DEPARTMENT_HEAD,)
TAGS = ["supervision"]


class SetAsideSerializer(serializers.Serializer[Any]):
    """A request that a record count no more."""

    id = serializers.IntegerField(source="pk")
    task_number = serializers.CharField(source="inspection.task.number")
    subject = serializers.CharField(source="inspection.task.public_subject", help_text="Persons are masked.")
    record = serializers.IntegerField(source="inspection.order", help_text="The `order` of the record.")
    result = serializers.CharField(source="inspection.result")
    reason = serializers.CharField()
    asked_by = serializers.CharField(source="asked_by.full_name")
    asked_at = serializers.DateTimeField()
    granted = serializers.BooleanField(allow_null=True, help_text="Null: not answered.")
    answer = serializers.CharField(allow_blank=True)
    settled_by = serializers.CharField(source="settled_by.full_name", default="")
    settled_at = serializers.DateTimeField(allow_null=True)


class SetAsideBodySerializer(serializers.Serializer[Any]):
    """申请作废."""

    record = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=32767,
        help_text="The `order` of a record of this task; not of a re-inspection.",
    )  # fmt: skip
    reason = Said(help_text="What is wrong with it; ten characters or more, 300 at most.")


class SetAsideAnswerSerializer(serializers.Serializer[Any]):
    """批复."""

    record = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=32767,
        help_text="The `order` of the record, where several requests wait.",
    )  # fmt: skip
    grant = serializers.BooleanField()
    answer = Said(help_text="Why; ten characters or more, 300 at most.")


class SetAsidePageQuerySerializer(PageQuerySerializer):
    """What narrows the requests."""

    tab = serializers.ChoiceField(
        choices=[("waiting", "待批复"), ("settled", "已批复")], required=False, default="waiting"
    )


class SetAsideListView(PortalView):
    """What waits for the head."""

    roles = HEADS

    @extend_schema(
        operation_id="listSetAsides",
        summary="更正检查记录 · Records that are asked to count no more",
        description="Of the departments that the person heads: those that wait, the oldest first, or the others; 50 a "
        "page.",
        tags=TAGS,
        parameters=[SetAsidePageQuerySerializer],
        responses=answers({200: paged(SetAsideSerializer, "SetAsidePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(SetAsidePageQuerySerializer, request.query_params)
        waits = SetAside.objects.waiting().values("pk")
        rows = with_rows(for_heads(self.access))
        rows = rows.filter(pk__in=waits) if asked["tab"] == "waiting" else rows.exclude(pk__in=waits)
        if asked["q"].strip():
            rows = rows.filter(matching(asked["q"].strip()))
        return page(rows, ("id",) if asked["tab"] == "waiting" else ("-id",), asked["cursor"], SetAsideSerializer)


class SetAsideView(PortalView):
    """申请作废."""

    roles = MANAGERS

    @extend_schema(
        operation_id="askSetAside",
        summary="申请检查记录作废 · Ask that a record count no more",
        description="Until the feedback, and as long as no order answers it; the head of the department answers. The "
        "record stays as it is.",
        tags=TAGS,
        request=SetAsideBodySerializer,
        responses=answers({200: SetAsideSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        task = get_object_or_404(SupervisionTask.objects.for_managers(self.access), number=number)
        said = read(SetAsideBodySerializer, request.data)
        done = correcting.ask_set_aside(task, **said, by=self.user, now=self.now)
        return Response(SetAsideSerializer(with_rows(SetAside.objects.all()).get(pk=done.pk)).data)


class SetAsideAnswerView(PortalView):
    """批复."""

    roles = HEADS

    @extend_schema(
        operation_id="answerSetAside",
        summary="批复检查记录作废 · Grant or refuse that a record count no more",
        description="By a head of the department who neither asked for it nor inspected. Granted, it binds neither "
        "feedback nor order; without another record the task has to be looked at again.",
        tags=TAGS,
        request=SetAsideAnswerSerializer,
        responses=answers({200: SetAsideSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer the request that waits; of several the one about the named record."""
        task = get_object_or_404(SupervisionTask.objects.for_heads(self.access), number=number)
        said = read(SetAsideAnswerSerializer, request.data)
        record = said.pop("record")
        asked = SetAside.objects.filter(inspection__task=task).select_related("inspection")
        if record is None:
            found = list(asked.waiting())
        else:  # one that was overtaken is refused with what overtook it
            found = list(asked.filter(granted__isnull=True, inspection__order=record))
        if not found:
            raise TransitionNotAllowed("这件任务没有待批的检查记录作废申请，可能已经批复，请刷新查看。")
        if len(found) > 1:
            raise Refused("record-missing", "有几份申请待批，请写明是第几次检查记录。", field="record")
        done = correcting.settle_set_aside(found[0], **said, by=self.user, now=self.now)
        return Response(SetAsideSerializer(with_rows(SetAside.objects.all()).get(pk=done.pk)).data)


urlpatterns: list[URLPattern | URLResolver] = [
    path("tasks/set-asides/", SetAsideListView.as_view(), name="set-asides"),
    path("tasks/<slug:number>/set-aside/", SetAsideView.as_view(), name="set-aside"),
    path("tasks/<slug:number>/set-aside-answer/", SetAsideAnswerView.as_view(), name="set-aside-answer"),
]
