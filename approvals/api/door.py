"""The applicant's own door for programs: an SMS code buys a permit for one case, the permit its acts (O2a)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import applicant, doors, progress
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import answer_correction
from approvals.actions.owing import hand_in
from approvals.actions.promising import withdraw_promise
from approvals.api.public import TAGS, ProgressQuestionSerializer, ProgressSerializer
from approvals.api.serializers import UploadSerializer
from approvals.enums import Door
from approvals.exceptions import Refused
from approvals.limiter import client_address
from approvals.models import Case
from approvals.upload_handler import CappedUploadHandler
from offices.api import Problem, PublicView, answers, read
from offices.crypto import mask_phone

ACTS = [applicant.ANSWER, applicant.HAND_IN, applicant.WITHDRAW_PROMISE, applicant.WITHDRAW, applicant.STATE]
FAULTS = (400, 404, 409, 413, 415, 422)
NOT_FOUND = "没有查到：办件编号或查询码不对，请对照接收凭证核对后再试。"
CLOSED = "办理许可不对或者已经过期，请重新获取短信验证码。"


class SentCodeSerializer(serializers.Serializer[Any]):
    """A code on its way."""

    phone = serializers.CharField(help_text="Masked.")
    expires_at = serializers.DateTimeField()


class PermitQuestionSerializer(ProgressQuestionSerializer):
    """With the code that came by SMS."""

    sms_code = serializers.CharField(max_length=20)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Keep the code beside what is checked."""
        return super().validate(attrs) | {"sms_code": progress.clean(attrs["sms_code"])}


class DoorLineSerializer(serializers.Serializer[Any]):
    """A line of the checklist to which files can be added."""

    slot = serializers.CharField()
    name = serializers.CharField(source="line.name")
    asked = serializers.BooleanField(source="named", help_text="The notice names it, or it is owed.")
    waiting = serializers.SerializerMethodField(help_text="How many files wait to be submitted.")

    def get_waiting(self, row: applicant.FileRow) -> int:
        """Their number."""
        return len(row.waiting)


class PermitSerializer(serializers.Serializer[Any]):
    """A permit to act on one case for half an hour."""

    permit = serializers.CharField()
    expires_at = serializers.DateTimeField()
    acts = serializers.ListField(child=serializers.ChoiceField(choices=ACTS))
    materials = DoorLineSerializer(many=True)


class PermittedSerializer(serializers.Serializer[Any]):
    """What every act begins with."""

    permit = serializers.CharField(max_length=400)


class WithdrawalSerializer(PermittedSerializer):
    """撤回申请."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class DoorUploadSerializer(PermittedSerializer):
    """A file for one line."""

    slot = serializers.CharField(max_length=20)
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="PDF, JPG, PNG or OFD by content, at most 20 MB."
    )


class AskingView(PublicView):
    """What the two steps to a permit share."""

    def asked(self, request: Request, said: dict[str, Any]) -> Case:
        """The case of number and query code, else the one and same 404."""
        case = progress.find(said["number"], said["query_code"], client_address(request._request))
        if case is None:
            raise Problem(HTTPStatus.NOT_FOUND, "progress-not-found", NOT_FOUND)
        return case


class CodeView(AskingView):
    """短信验证码."""

    @extend_schema(
        operation_id="sendPhoneCode",
        summary="获取短信验证码 · Send a code to the case's contact",
        description="To the phone given at intake, at any hour; valid for ten minutes, once. Codes sent before open "
        "nothing any more. At most five an hour for a case, and few for an address.",
        tags=TAGS,
        request=ProgressQuestionSerializer,
        responses=answers({202: SentCodeSerializer}, 400, 404, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        """Send it."""
        case = self.asked(request, read(ProgressQuestionSerializer, request.data))
        code = doors.send_code(case, address=client_address(request._request), now=self.now)
        told = {"phone": mask_phone(Case.objects.get(pk=case.pk).contact_phone), "expires_at": code.expires_at}
        return Response(SentCodeSerializer(told).data, status=HTTPStatus.ACCEPTED)


class PermitView(AskingView):
    """办理许可."""

    @extend_schema(
        operation_id="getPermit",
        summary="验证手机 · Give the code, get a permit for the acts of one case",
        description="The permit lasts half an hour. A wrong code is counted; five void it.",
        tags=TAGS,
        request=PermitQuestionSerializer,
        responses=answers({200: PermitSerializer}, 400, 404, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> Response:
        """Check the code."""
        said = read(PermitQuestionSerializer, request.data)
        case = self.asked(request, said)
        code = doors.check_code(case, said["sms_code"], address=client_address(request._request), now=self.now)
        acts = applicant.offers(case, self.now)
        act = next((one for one in (applicant.ANSWER, applicant.HAND_IN) if one in acts), "")
        told = {
            "permit": doors.permit(case.number, code),
            "expires_at": doors.open_until(code),
            "acts": acts,
            "materials": applicant.rows_for(case, act) if act else [],
        }
        return Response(PermitSerializer(told).data, headers={"Cache-Control": "no-store"})


class PermittedView(PublicView):
    """An act of the applicant's own."""

    def permitted(self, said: dict[str, Any]) -> Case:
        """The case that the permit names, while it lasts; the same 404 for everything else."""
        case = doors.case_behind(said["permit"], self.now)
        if case is None:
            raise Problem(HTTPStatus.NOT_FOUND, "permit-unknown", CLOSED)
        return case

    def shown(self, case: Case) -> Response:
        """The progress as it now stands."""
        found = progress.readable().get(pk=case.pk)
        data = ProgressSerializer(progress.show(found, self.today), context={"today": self.today}).data
        return Response(data, headers={"Cache-Control": "no-store"})


class DoorUploadView(PermittedView):
    """Files."""

    parser_classes = (MultiPartParser,)  # type: ignore[assignment]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """No file may fill the disk before it is refused."""
        request.upload_handlers = [CappedUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="uploadThroughDoor",
        summary="上传材料 · Upload a file that the answer or the handing in will take",
        description="Checked by content, never by name. It waits until `progress/answer/` or `progress/owed/`.",
        tags=TAGS,
        request={"multipart/form-data": DoorUploadSerializer},
        responses=answers({201: UploadSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Store the file."""
        said = read(DoorUploadSerializer, request.data)
        case = self.permitted(said)
        acts = applicant.offers(case, self.now)
        act = next((one for one in (applicant.ANSWER, applicant.HAND_IN) if one in acts), "")
        if not act:
            raise Refused("state-conflict", "这件办件现在不能提交材料，请查询进度。", conflict=True)
        slots = [row.slot for row in applicant.rows_for(case, act)]
        upload = applicant.keep_file(case, said["slot"], said["file"], slots=slots, now=self.now)
        return Response(UploadSerializer(upload).data, status=HTTPStatus.CREATED)


class DoorAnswerView(PermittedView):
    """网上补正."""

    @extend_schema(
        operation_id="answerThroughDoor",
        summary="网上补正 · Answer the one notice, once",
        description="With the files that wait. A second answer is a conflict.",
        tags=TAGS,
        request=PermittedSerializer,
        responses=answers({200: ProgressSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Answer."""
        case = self.permitted(read(PermittedSerializer, request.data))
        if applicant.ANSWER in applicant.offers(case, self.now):
            applicant.refuse_empty(applicant.rows_for(case, applicant.ANSWER))
        answer_correction(case, provided={}, by=None, door=Door.PUBLIC, now=self.now)
        return self.shown(case)


class DoorOwedView(PermittedView):
    """网上补交."""

    @extend_schema(
        operation_id="handInThroughDoor",
        summary="网上补交 · Hand in what is owed (材料延期, 容缺)",
        tags=TAGS,
        request=PermittedSerializer,
        responses=answers({200: ProgressSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Hand in."""
        case = self.permitted(read(PermittedSerializer, request.data))
        hand_in(case, provided={}, by=None, door=Door.PUBLIC, now=self.now)
        return self.shown(case)


class DoorPromiseWithdrawalView(PermittedView):
    """撤回承诺."""

    @extend_schema(
        operation_id="withdrawPromiseThroughDoor",
        summary="撤回承诺 · Withdraw the promise, before the decision",
        tags=TAGS,
        request=PermittedSerializer,
        responses=answers({200: ProgressSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Withdraw the promise."""
        case = self.permitted(read(PermittedSerializer, request.data))
        withdraw_promise(case, by=None, door=Door.PUBLIC, now=self.now)
        return self.shown(case)


class DoorWithdrawalView(PermittedView):
    """撤回申请."""

    @extend_schema(
        operation_id="withdrawThroughDoor",
        summary="撤回申请 · Withdraw the application, before the decision",
        tags=TAGS,
        request=WithdrawalSerializer,
        responses=answers({200: ProgressSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Withdraw."""
        said = read(WithdrawalSerializer, request.data)
        case = self.permitted(said)
        withdraw_case(case, by=None, door=Door.PUBLIC, reason=said["reason"], now=self.now)
        return self.shown(case)
