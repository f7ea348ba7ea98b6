"""What everybody may ask: the progress of a case by its query code, and whether a paper is ours."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import progress, verification
from approvals.enums import CaseStatus
from approvals.forms_public import ProgressForm
from approvals.limiter import client_address
from approvals.models import Licence
from deadlines.api import PublicClockExplanationSerializer, PublicDeadlineSerializer
from deadlines.explaining import explain_many
from offices.api import Problem, PublicView, answers, read

TAGS = ["public"]
STEP_STATES = ["done", "current", "todo", "skipped", "stopped", "paused"]


class ProgressQuestionSerializer(serializers.Serializer[Any]):
    """Both stand on the receipt."""

    number = serializers.CharField(max_length=60, help_text="Blanks, dashes and full width are forgiven.")
    query_code = serializers.CharField(max_length=40)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Tell a slip of the pen as the page does, before anything is looked up."""
        form = ProgressForm({"number": attrs["number"], "code": attrs["query_code"]})
        if not form.is_valid():
            names = {"number": "number", "code": "query_code"}
            raise serializers.ValidationError(
                {names[name]: [str(text) for text in said] for name, said in form.errors.items()}
            )
        return {"number": form.cleaned_data["number"], "query_code": form.cleaned_data["code"]}


class StepSerializer(serializers.Serializer[Any]):
    """A step of the line."""

    label = serializers.CharField()  # type: ignore[assignment]  # the field of the answer, not this field's label
    state = serializers.ChoiceField(choices=STEP_STATES)
    at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True)


class NextSerializer(serializers.Serializer[Any]):
    """What the applicant does next."""

    title = serializers.CharField()
    text = serializers.CharField()
    points = serializers.ListField(child=serializers.CharField())
    remedies = serializers.CharField(allow_blank=True)


class ClockNoteSerializer(serializers.Serializer[Any]):
    """What stopped or lengthened the period: deemed acceptance, a special procedure, the extension."""

    title = serializers.CharField()
    text = serializers.CharField()


class AfterwardsSerializer(serializers.Serializer[Any]):
    """How far supervision has come."""

    department = serializers.CharField()
    subject = serializers.CharField()
    stage = serializers.CharField()
    done = serializers.BooleanField()


class LicenceNoteSerializer(serializers.Serializer[Any]):
    """What became of the licence after its issue."""

    state = serializers.ChoiceField(choices=Licence.State.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    text = serializers.CharField()


class ProgressSerializer(serializers.Serializer[Any]):
    """What the public may know of a case: no officer, no full identity."""

    number = serializers.CharField()
    item = serializers.CharField()
    authority = serializers.CharField()
    applicant = serializers.CharField(help_text="Persons are masked.")
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    steps = StepSerializer(many=True)
    next = NextSerializer()
    deadline = PublicDeadlineSerializer(allow_null=True)
    explanations = PublicClockExplanationSerializer(
        many=True,
        required=False,
        help_text="Only with `?explain=1`: why the clock that presses, and the statutory one, stand where they stand.",
    )
    clock_notes = ClockNoteSerializer(many=True)
    afterwards = AfterwardsSerializer(many=True)
    licence = LicenceNoteSerializer(
        allow_null=True, help_text="Only where the licence is not simply valid: suspended, ended, or to be revoked."
    )


class ProgressQuerySerializer(serializers.Serializer[Any]):
    """What is asked for besides."""

    explain = serializers.BooleanField(required=False, default=False, help_text="With the clocks, day by day.")


class ProgressView(PublicView):
    """Progress by number and query code."""

    @extend_schema(
        operation_id="readProgress",
        summary="办理进度 · Progress of a case",
        description="The code opens nothing but this reading. An unknown number and a wrong code get the same answer "
        "(404, `progress-not-found`). Limited by address and by number; a wrong answer weighs five times a right one.",
        tags=TAGS,
        parameters=[ProgressQuerySerializer],
        request=ProgressQuestionSerializer,
        responses=answers({200: ProgressSerializer}, 400, 404, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        """Answer, or refuse in one and the same way."""
        asked = read(ProgressQuerySerializer, request.query_params)
        said = read(ProgressQuestionSerializer, request.data)
        case = progress.find(said["number"], said["query_code"], client_address(request._request))
        if case is None:
            raise Problem(
                HTTPStatus.NOT_FOUND, "progress-not-found", "没有查到：办件编号或查询码不对，请对照接收凭证核对后再试。"
            )
        context = {"today": self.today}
        shown = ProgressSerializer(progress.show(case, self.today), context=context).data
        if asked["explain"]:
            told = explain_many(progress.public_clocks(case), self.today).values()
            shown["explanations"] = PublicClockExplanationSerializer(told, many=True, context=context).data
        return Response(shown, headers={"Cache-Control": "no-store"})


class VerifiedLicenceSerializer(serializers.Serializer[Any]):
    """The licence that a paper gave."""

    number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Licence.State.choices)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)


class VerifiedSerializer(serializers.Serializer[Any]):
    """A paper of ours; never its content."""

    kind = serializers.CharField()
    number = serializers.CharField()
    party = serializers.CharField(help_text="Persons are masked.")
    authority = serializers.CharField()
    date = serializers.CharField()
    digest = serializers.CharField(help_text="SM3 of the frozen content.")
    intact = serializers.BooleanField()
    expired = serializers.BooleanField()
    state = serializers.CharField()
    licence = VerifiedLicenceSerializer(allow_null=True)


class VerifyView(PublicView):
    """Verification of a paper."""

    @extend_schema(
        operation_id="verifyPaper",
        summary="文书验证 · Verify a paper by the code at its foot",
        description="Whether the paper is ours, unchanged and in force.",
        tags=TAGS,
        responses=answers({200: VerifiedSerializer}, 404),
    )
    def get(self, request: Request, code: str) -> Response:
        """Look it up; one statement."""
        found = verification.find(code, self.today)
        if found is None:
            raise Http404
        return Response(VerifiedSerializer(found).data)
