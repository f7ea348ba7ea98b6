"""The API's part of the blindness: covering files at the window, and the one look past it in the back office."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import covering
from approvals.actions.covering import ask_cover, discard_cover, leave_open
from approvals.actions.unveiling import unveil
from approvals.api.reviews import ReviewView
from approvals.api.window import WindowView
from approvals.models import Case, Upload
from offices.api import ACT, READ, Said, answers, read

KINDS = [*covering.LABELS, covering.UNREADABLE]


class BoxSerializer(serializers.Serializer[Any]):
    """A place on a page, in shares of the page as it is shown, from its upper left corner."""

    page = serializers.IntegerField(min_value=1, max_value=1000)
    x = serializers.FloatField(min_value=0, max_value=1)
    y = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class FileSerializer(serializers.Serializer[Any]):
    """Which file of the case."""

    file = serializers.IntegerField(min_value=1, max_value=2**62, help_text="`id` of an upload of the case.")


class CoverRequestSerializer(FileSerializer):
    """遮盖."""

    boxes = BoxSerializer(many=True)


class OpenRequestSerializer(FileSerializer):
    """不遮盖."""

    reason = Said(max_length=500, help_text="Why the file stays as it is.")


class FoundSerializer(serializers.Serializer[Any]):
    """What a machine finds in a file now."""

    file = serializers.IntegerField()
    findings = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS),
        help_text="`unreadable`: pictures, in which a machine sees nothing.",
    )
    suggested = BoxSerializer(many=True, help_text="Where, as far as a text layer says.")
    covered = BoxSerializer(many=True, help_text="The places of the cover that holds.")
    cover = serializers.IntegerField(allow_null=True, help_text="The cover's `id`; null: none, or being drawn.")
    state = serializers.ChoiceField(choices=["open", "drawing", "covered", "failed"])
    left_reason = serializers.CharField(allow_blank=True, help_text="Why it stays open, if somebody said so.")


def _named(box: list[float]) -> dict[str, Any]:
    page, x, y, width, height = box
    return {"page": int(page), "x": x, "y": y, "width": width, "height": height}


class FileView(WindowView):
    """What every view of one file of a case does."""

    def _file(self, number: str, pk: int) -> tuple[Case, Upload]:
        case = self.found(number)
        return case, get_object_or_404(Upload, pk=pk, case_material__case_id=case.pk, covers__isnull=True)

    def _answer(self, case: Case, pk: int) -> Response:
        """The file as it now stands."""
        upload = Upload.objects.get(pk=pk)
        try:
            found = covering.look(upload, case) if upload.extension in covering.COVERABLE else None
        except covering.Unusable:
            found = None
        held = covering.live(upload)
        state = "open"
        if held is not None:
            state = "failed" if held.problem else "covered" if held.done_at else "drawing"
        told = {
            "file": pk,
            "findings": found.kinds if found else upload.findings,
            "suggested": [_named(box) for box in found.boxes] if found else [],
            "covered": [_named(box) for box in held.boxes] if held else [],
            "cover": held.cover_id if held else None,
            "state": state,
            "left_reason": upload.left_reason,
        }
        return Response(FoundSerializer(told).data)


class CoverView(FileView):
    """遮盖材料."""

    @extend_schema(
        operation_id="findIdentity",
        summary="身份信息提示 · What in a file betrays the applicant",
        description="The kinds and places that a machine finds, and what is covered. Pictures it cannot read.",
        tags=["window"],
        parameters=[OpenApiParameter("file", int, required=True, description="`id` of an upload of the case.")],
        responses=answers({200: FoundSerializer}, *READ, 422),
    )
    def get(self, request: Request, number: str) -> Response:
        """Look at one file."""
        self.found(number)
        said = read(FileSerializer, request.query_params)
        case, upload = self._file(number, said["file"])
        return self._answer(case, upload.pk)

    @extend_schema(
        operation_id="coverFile",
        summary="遮盖 · Cover places of a file",
        description="Until the decision the back office reads the cover: pages as pictures, the places black, no text "
        "layer, no properties. More than eight pages are drawn behind the answer. After acceptance places are only "
        "added.",
        tags=["window"],
        request=CoverRequestSerializer,
        responses=answers({200: FoundSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Cover."""
        self.found(number)
        said = read(CoverRequestSerializer, request.data)
        case, upload = self._file(number, said["file"])
        boxes = [[box["page"], box["x"], box["y"], box["width"], box["height"]] for box in said["boxes"]]
        ask_cover(upload, boxes=boxes, by=self.user, now=self.now)
        return self._answer(case, upload.pk)

    @extend_schema(
        operation_id="discardCover",
        summary="撤销遮盖 · Take a cover back",
        description="Before acceptance only.",
        tags=["window"],
        parameters=[OpenApiParameter("file", int, required=True, description="`id` of an upload of the case.")],
        responses=answers({200: FoundSerializer}, *ACT),
    )
    def delete(self, request: Request, number: str) -> Response:
        """Take it back."""
        self.found(number)
        said = read(FileSerializer, request.query_params)
        case, upload = self._file(number, said["file"])
        discard_cover(upload, by=self.user, now=self.now)
        return self._answer(case, upload.pk)


class OpenView(FileView):
    """不遮盖."""

    @extend_schema(
        operation_id="leaveFileOpen",
        summary="不遮盖 · Say why a file stays as it is",
        description="The back office reads the original.",
        tags=["window"],
        request=OpenRequestSerializer,
        responses=answers({200: FoundSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Keep the reason."""
        self.found(number)
        said = read(OpenRequestSerializer, request.data)
        case, upload = self._file(number, said["file"])
        leave_open(upload, reason=said["reason"], by=self.user, now=self.now)
        return self._answer(case, upload.pk)


class UnveilRequestSerializer(serializers.Serializer[Any]):
    """决定前查看申请人."""

    reason = Said(
        max_length=500, help_text="Why it must be known before the decision. Without the applicant's identity."
    )


class UnveiledSerializer(serializers.Serializer[Any]):
    """One look."""

    name = serializers.CharField(help_text="Persons are masked.")
    identifier = serializers.CharField(help_text="Identity numbers are masked.")
    at = serializers.DateTimeField()


class UnveilView(ReviewView):
    """决定前查看申请人."""

    @extend_schema(
        operation_id="unveilApplicant",
        summary="决定前查看申请人 · See the applicant before the decision",
        description="Break-glass: shown in this answer alone; the look and its reason stand on the ledger, the "
        "overseers are told at once. Each further look is another act.",
        tags=["back office"],
        request=UnveilRequestSerializer,
        responses=answers({200: UnveiledSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Show the applicant once."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        said = read(UnveilRequestSerializer, request.data)
        seen = unveil(Case(pk=case.pk), by=self.user, reason=said["reason"], now=self.now)
        return Response(UnveiledSerializer(seen).data, headers={"Cache-Control": "private, no-store"})
