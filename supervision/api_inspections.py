"""The API's addresses and views of 检查: what is to be looked at, the record, its photos, the checklists."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.upload_handler import CappedUploadHandler
from offices.api import ACT, READ, Choice, PortalView, Said, answers, read
from offices.models import Posting
from supervision import checklists, photos
from supervision.actions import inspecting
from supervision.actions.inspecting import FindingDraft, InspectionDraft
from supervision.enums import FindingKind, InspectionKind, OffSite, Result
from supervision.models import Inspection, SupervisionTask

Role = Posting.Role
FIELD = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR)
READERS = (*FIELD, Role.DEPARTMENT_HEAD)
TAGS = ["supervision"]


class AskedSerializer(serializers.Serializer[Any]):
    """One thing that has to be found out."""

    kind = serializers.ChoiceField(choices=FindingKind.choices)
    key = serializers.CharField()
    text = serializers.CharField()
    basis = serializers.CharField(allow_blank=True)


class OfficerSerializer(serializers.Serializer[Any]):
    """Somebody who may stand in the record: assigned, or of the office where nobody is."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="full_name")


class InspectionFormSerializer(serializers.Serializer[Any]):
    """What a record of this task has to say today."""

    checklist_version = serializers.IntegerField()
    asked = AskedSerializer(many=True)
    asked_again = AskedSerializer(many=True, help_text="Of a re-inspection; empty without a running order.")
    officers = OfficerSerializer(many=True)


class FindingSerializer(serializers.Serializer[Any]):
    """What was found on one thing."""

    kind = serializers.ChoiceField(choices=FindingKind.choices)
    key = serializers.CharField()
    text = serializers.CharField()
    result = serializers.ChoiceField(choices=Result.choices)
    words = serializers.CharField(allow_blank=True)


class PhotoSerializer(serializers.Serializer[Any]):
    """A photo; it is read through the page of the task."""

    client_key = serializers.UUIDField()
    finding = serializers.CharField(source="finding_key", allow_blank=True, help_text="`kind-key`; empty: the whole.")
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    digest = serializers.CharField(help_text="SM3.")


class InspectionSerializer(serializers.Serializer[Any]):
    """A record of an inspection."""

    order = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=InspectionKind.choices)
    client_key = serializers.UUIDField()
    off_site = serializers.ChoiceField(choices=OffSite.choices, allow_blank=True)
    checklist_version = serializers.IntegerField()
    place = serializers.CharField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    first_officer = serializers.CharField(source="first_officer.full_name")
    second_officer = serializers.CharField(source="second_officer.full_name", default="")
    identity_numbers = serializers.CharField(allow_blank=True)
    result = serializers.ChoiceField(choices=Result.choices)
    summary = serializers.CharField()
    remarks = serializers.CharField(allow_blank=True)
    signer = serializers.CharField(allow_blank=True)
    unsigned_reason = serializers.CharField(allow_blank=True)
    recorded_at = serializers.DateTimeField()
    set_aside = serializers.SerializerMethodField(help_text="Whether it counts no more.")
    findings = FindingSerializer(many=True)
    photos = PhotoSerializer(many=True)

    def get_set_aside(self, record: Inspection) -> bool:
        """Whether it was set aside, from what was read with it."""
        return any(one.granted for one in record.set_asides.all())


class FindingDraftSerializer(serializers.Serializer[Any]):
    """A finding as it is sent."""

    kind = serializers.ChoiceField(choices=FindingKind.choices)
    key = serializers.CharField(max_length=40)
    result = serializers.ChoiceField(choices=Result.choices)
    words = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class InspectionDraftSerializer(serializers.Serializer[Any]):
    """A record as it is sent; the same `client_key` twice is one record."""

    client_key = serializers.UUIDField(help_text="Made by the sender, before there is a connection.")
    kind = serializers.ChoiceField(choices=InspectionKind.choices, required=False, default=InspectionKind.FIRST)
    checklist_version = serializers.IntegerField(min_value=0, max_value=32767)
    off_site = serializers.ChoiceField(choices=OffSite.choices, required=False, allow_blank=True, default="")
    place = Said(max_length=200)
    began_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ended_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    first_officer = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    second_officer = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    showed_identity = serializers.BooleanField(required=False, default=False)
    identity_numbers = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    findings = FindingDraftSerializer(many=True)
    result = Choice(choices=Result.choices)
    summary = Said(max_length=2000)
    remarks = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)
    signer = serializers.CharField(required=False, allow_blank=True, default="", max_length=40)
    confirmed = serializers.BooleanField(required=False, default=False)
    unsigned_reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    photos = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=photos.MOST,
        help_text="`client_key`s of photos that were uploaded for this draft.",
    )  # fmt: skip


class PhotoRequestSerializer(serializers.Serializer[Any]):
    """One photo of a draft."""

    draft_key = serializers.UUIDField(help_text="The `client_key` of the record to come.")
    client_key = serializers.UUIDField()
    finding = serializers.CharField(required=False, allow_blank=True, default="", max_length=50)
    taken_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="JPG, PNG or PDF by content, at most 20 MB."
    )


class InspectionView(PortalView):
    """What the views of inspections do."""

    def in_field(self, number: str) -> SupervisionTask:
        """A task on which the person may record what was found; 404 otherwise."""
        rows = SupervisionTask.objects.for_field(self.access).select_related("sub_item", "business_item", "office")
        return get_object_or_404(rows, number=number)


class InspectionsView(InspectionView):
    """检查记录."""

    roles = READERS

    @extend_schema(
        operation_id="listInspections",
        summary="检查记录 · The records of a task",
        description="All of them, in their order, with findings and photos.",
        tags=TAGS,
        responses=answers({200: InspectionSerializer(many=True)}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the records; five statements."""
        task = get_object_or_404(SupervisionTask.objects.for_office_people(self.access), number=number)
        rows = Inspection.objects.filter(task=task).select_related("first_officer", "second_officer")
        return Response(
            InspectionSerializer(
                rows.prefetch_related("findings", "photos", "set_asides").order_by("order"), many=True
            ).data
        )

    @extend_schema(
        operation_id="recordInspection",
        summary="记录检查 · Record an inspection, once however often it is sent",
        description="The first record moves the task to `in_progress`. On the spot: an approved visit whose day has "
        "come, two officers, identity shown, signature or why none; its paper 现场检查记录 is issued at once. `again` "
        "looks at what a running order is about and does not move the task. The officers are the assigned ones; where "
        "nobody is assigned, they become so. A draft changed after it was sent is 409.",
        tags=TAGS,
        request=InspectionDraftSerializer,
        responses=answers({200: InspectionSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record."""
        task = self.in_field(number)
        said = read(InspectionDraftSerializer, request.data)
        findings = [FindingDraft(**one) for one in said.pop("findings")]
        draft = InspectionDraft(**said, findings=findings)
        done = inspecting.record_inspection(task, draft=draft, by=self.user, now=self.now)
        return Response(InspectionSerializer(done).data)


class InspectionFormView(InspectionView):
    """What is to be looked at."""

    roles = FIELD

    @extend_schema(
        operation_id="getInspectionForm",
        summary="检查要点 · What a record of this task has to say",
        description="The points of the checklist in force, every promise clause, the licensed activity; the officers.",
        tags=TAGS,
        responses=answers({200: InspectionFormSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        task = self.in_field(number)
        version = checklists.current(task.sub_item)
        order = inspecting.running_order(task)
        body = {
            "checklist_version": version.number,
            "asked": checklists.asked_of(task, version),
            "asked_again": checklists.asked_of(task, version, order) if order else [],
            "officers": list(inspecting.may_inspect(task, self.today)),
        }
        return Response(InspectionFormSerializer(body).data)


class PhotoView(InspectionView):
    """照片."""

    roles = FIELD
    parser_classes = (MultiPartParser,)  # type: ignore[assignment]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """No file may fill the disk before it is refused."""
        request.upload_handlers = [CappedUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="uploadInspectionPhoto",
        summary="上传检查照片 · Upload a photo of a draft, once however often it is sent",
        description="It joins the record that names it; one that no record names is deleted after 30 days.",
        tags=TAGS,
        request={"multipart/form-data": PhotoRequestSerializer},
        responses=answers({200: PhotoSerializer, 201: PhotoSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Keep it."""
        task = self.in_field(number)
        said = read(PhotoRequestSerializer, request.data)
        photo, new = photos.store(said.pop("file"), task=task, **said, by=self.user, now=self.now)
        return Response(PhotoSerializer(photo).data, status=HTTPStatus.CREATED if new else HTTPStatus.OK)


urlpatterns: list[URLPattern | URLResolver] = [
    path("tasks/<slug:number>/inspections/", InspectionsView.as_view(), name="inspections"),
    path("tasks/<slug:number>/inspection-form/", InspectionFormView.as_view(), name="inspection-form"),
    path("tasks/<slug:number>/inspection-photos/", PhotoView.as_view(), name="inspection-photos"),
]
