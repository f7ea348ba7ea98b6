"""The API's addresses and views of 检查表: what is looked at for a sub-item of the department, by version."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.models import SupervisionSubItem
from catalogue.models.supervision import MOST_PLAN_DAYS
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting
from supervision import checklists
from supervision.views_inspections import own_sub_items, with_version

Role = Posting.Role
TAGS = ["supervision"]


class ChecklistRowSerializer(serializers.Serializer[Any]):
    """A sub-item of the department with the version in force; version 0 are the catalogue's own points."""

    id = serializers.IntegerField(source="pk")
    code = serializers.CharField()
    name = serializers.CharField()
    item = serializers.CharField(source="item.name")
    version = serializers.SerializerMethodField()
    published_at = serializers.DateTimeField(source="published", allow_null=True)

    def get_version(self, row: Any) -> int:
        """The version in force."""
        return row.version or 0


class ChecklistPointSerializer(serializers.Serializer[Any]):
    """One thing to look at; its key stays the same through the versions."""

    key = serializers.CharField()
    text = serializers.CharField()
    basis = serializers.CharField(allow_blank=True)


class ChecklistVersionSerializer(serializers.Serializer[Any]):
    """A version as it was published."""

    version = serializers.IntegerField(source="number")
    points = ChecklistPointSerializer(many=True)
    note = serializers.CharField(source="row.note", default="")
    published_by = serializers.CharField(source="row.published_by.full_name", default="")
    published_at = serializers.DateTimeField(source="row.published_at", default=None, allow_null=True)


class ChecklistSerializer(serializers.Serializer[Any]):
    """A sub-item's checklist: every version, the one in force first."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    longest_plan_days = serializers.IntegerField(help_text="Of a plan, from the acknowledgement.")
    versions = ChecklistVersionSerializer(many=True)


class PointDraftSerializer(serializers.Serializer[Any]):
    """A point of the next version; one that keeps its `key` stays the same point."""

    key = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    text = Said(max_length=checklists.LONGEST_POINT)
    basis = serializers.CharField(required=False, allow_blank=True, default="", max_length=checklists.LONGEST_BASIS)


class PublishChecklistSerializer(serializers.Serializer[Any]):
    """The next version."""

    base = serializers.IntegerField(min_value=0, max_value=32767, help_text="The version that was being changed.")
    points = PointDraftSerializer(many=True, required=False, default=list)
    note = Said(max_length=300, help_text="What was changed, and why.")


class PlanLimitSerializer(serializers.Serializer[Any]):
    """The most days of a plan."""

    days = serializers.IntegerField(min_value=1, max_value=MOST_PLAN_DAYS)
    reason = Said(max_length=300)


class ChecklistView(PortalView):
    """Managers and heads, for the sub-items of their department."""

    roles = (Role.OFFICE_MANAGER, Role.DEPARTMENT_HEAD)

    def found(self, pk: int) -> SupervisionSubItem:
        """A sub-item of the person's department; 404 otherwise."""
        return get_object_or_404(own_sub_items(self.access), pk=pk)

    def shown(self, sub_item: SupervisionSubItem) -> Response:
        """Its checklist as it now stands."""
        body = {
            "id": sub_item.pk, "code": sub_item.code, "name": sub_item.name,
            "longest_plan_days": sub_item.longest_plan_days,
            "versions": checklists.versions(sub_item),
        }  # fmt: skip
        return Response(ChecklistSerializer(body).data)


class ChecklistListView(ChecklistView):
    """检查表."""

    @extend_schema(
        operation_id="listChecklists",
        summary="检查表 · Checklists of the department's sub-items",
        description="50 a page, by code. `q` finds by name or code of the sub-item or its item.",
        tags=TAGS,
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(ChecklistRowSerializer, "ChecklistPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(PageQuerySerializer, request.query_params)
        rows = with_version(own_sub_items(self.access), asked["q"])
        return page(rows, ("code",), asked["cursor"], ChecklistRowSerializer)


class ChecklistDetailView(ChecklistView):
    """One checklist."""

    @extend_schema(
        operation_id="getChecklist",
        summary="检查表各版本 · Every version of a checklist",
        tags=TAGS,
        responses=answers({200: ChecklistSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.shown(self.found(pk))

    @extend_schema(
        operation_id="publishChecklist",
        summary="发布新版检查表 · Publish the next version",
        description="Inspections begun from now on are made by it; records keep the version that they were made by. A "
        "version that is not the one in force as `base` is 409.",
        tags=TAGS,
        request=PublishChecklistSerializer,
        responses=answers({200: ChecklistSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Publish."""
        sub_item = self.found(pk)
        checklists.publish(sub_item, **read(PublishChecklistSerializer, request.data), by=self.user, now=self.now)
        return self.shown(sub_item)


class PlanLimitView(ChecklistView):
    """监管计划最长天数."""

    @extend_schema(
        operation_id="setPlanLimit",
        summary="设定监管计划最长天数 · Set the most days of a plan of the sub-item",
        description="Counted from the acknowledgement. Plans made before keep their day; a change of them keeps to it.",
        tags=TAGS,
        request=PlanLimitSerializer,
        responses=answers({200: ChecklistSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Set."""
        said = read(PlanLimitSerializer, request.data)
        return self.shown(checklists.set_plan_limit(self.found(pk), **said, by=self.user, now=self.now))


urlpatterns: list[URLPattern | URLResolver] = [
    path("checklists/", ChecklistListView.as_view(), name="checklists"),
    path("checklists/<int:pk>/", ChecklistDetailView.as_view(), name="checklist"),
    path("checklists/<int:pk>/plan-limit/", PlanLimitView.as_view(), name="checklist-plan-limit"),
]
