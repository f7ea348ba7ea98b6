"""The window's part of the API: intake, materials, acceptance, the one notice, refusal, delivery."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import uploads
from approvals.actions import (
    IntakeDraft,
    accept_case,
    answer_correction,
    deliver,
    receive_case,
    refuse_acceptance,
    request_correction,
)
from approvals.actions.intake import add_materials, slot_of
from approvals.actions.owing import to_hand_in
from approvals.actions.sitting import supplement_and_accept
from approvals.api.serializers import TICKS, CaseRowSerializer, CaseSerializer, DocumentSerializer, UploadSerializer
from approvals.enums import CaseStatus, DeliveryMethod, RefusalGround, Way
from approvals.exceptions import Refused
from approvals.forms import clean_identifier, clean_phone
from approvals.models import Case, Upload
from approvals.upload_handler import CappedUploadHandler
from approvals.views.window.desk import ORDER, search, with_row
from approvals.views.window.items import open_items
from catalogue.enums import PromiseMode
from credit.models import CreditSubject
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting

Role = Posting.Role
TAGS = ["window"]
CLERK = (Role.WINDOW_CLERK,)
WINDOW = (Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)


def _ticks() -> serializers.DictField:
    return serializers.DictField(
        child=serializers.ChoiceField(choices=TICKS),
        required=False,
        default=dict,
        help_text="Slot (a material's `slot`, or `promise`) → `provided`, `not_needed` or `deferred`. The letter of a "
        "promise comes in by its signature alone.",
    )


class CasePageQuerySerializer(PageQuerySerializer):
    """What narrows the list."""

    status = serializers.ChoiceField(choices=CaseStatus.choices, required=False)


class IntakeSerializer(serializers.Serializer[Any]):
    """收件."""

    intake_key = serializers.UUIDField(help_text="Made by the caller. The same key gives the same case.")
    business_item = serializers.CharField(max_length=40, help_text="Code of a published item of the window's division.")
    subject_kind = serializers.ChoiceField(choices=CreditSubject.Kind.choices)
    identifier = serializers.CharField(max_length=500, help_text="GB 32100 code, or GB 11643 identity number.")
    name = serializers.CharField(max_length=120)
    renamed = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The licence bears a new name, which was checked (`name-differs`).",
    )
    contact_name = serializers.CharField(max_length=40)
    contact_phone = serializers.CharField(max_length=30)
    content = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=500,
        help_text="Reviewers read it: no applicant's name.",
    )
    way = serializers.ChoiceField(choices=Way.choices, required=False, default=Way.ORDINARY.value)
    modes = serializers.ListField(
        child=serializers.ChoiceField(choices=PromiseMode.choices), required=False, default=list,
        help_text="With `promise`: the modes that the applicant chose; none named: all that the item offers.",
    )  # fmt: skip
    deferred_until = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="The day meant for what is deferred; signed later."
    )
    provided = _ticks()

    def validate_contact_phone(self, text: str) -> str:
        """The same check as the page's."""
        try:
            return clean_phone(text)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the identifier by the kind of subject, as the page does."""
        try:
            return attrs | {"identifier": clean_identifier(attrs["subject_kind"], attrs["identifier"])}
        except ValidationError as error:
            raise serializers.ValidationError({"identifier": error.messages}) from error


class ProvidedSerializer(serializers.Serializer[Any]):
    """What else came in."""

    provided = _ticks()


class UploadRequestSerializer(serializers.Serializer[Any]):
    """A file for one line of the checklist."""

    slot = serializers.CharField(max_length=20, help_text="A material's `slot`, or `promise`.")
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="PDF, JPG, PNG or OFD by content, at most 20 MB."
    )


class CorrectionSerializer(serializers.Serializer[Any]):
    """一次性补正告知."""

    keys = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=200, help_text="From `correction_choices`."
    )
    remarks = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False, default=dict,
        help_text="Key → words added to it.",
    )  # fmt: skip


class RefusalSerializer(serializers.Serializer[Any]):
    """不予受理."""

    ground = Choice(choices=RefusalGround.choices)
    reason = Said(max_length=500)
    keys = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=200,
        help_text="With `not_corrected`: the points of the notice that were not met; at least one.",
    )  # fmt: skip


class DeliveryRequestSerializer(serializers.Serializer[Any]):
    """出件."""

    method = Choice(choices=DeliveryMethod.choices)
    receiver = Said(max_length=40)
    tracking = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40, help_text="Required with `post`."
    )


class WindowView(PortalView):
    """What every view of the window does."""

    roles: ClassVar[tuple[str, ...]] = CLERK

    def found(self, number: str) -> Case:
        """The case if the person's window has it, in one of the view's roles; 404 otherwise."""
        cases = Case.objects.for_window(self.access).filter(division_id__in=self.access.divisions(*self.roles))
        rows = with_row(cases).defer(None).select_related(
            "business_item__item", "department", "division", "applicant", "correction_notice", "refusal", "decision",
            "credit_check", "promise__document", "licence", "delivery", "notice_deadline", "answer_deadline",
            "statutory_deadline", "promised_deadline", "issue_deadline", "promise_deadline",
        )  # fmt: skip
        return get_object_or_404(rows, number=number)

    def shown(self, number: str, status: int = 200) -> Response:
        """The case as it now stands."""
        case = self.found(number)
        waiting = uploads.waiting(case.intake_key) if case.status in BEFORE_ACCEPTANCE else {}
        context = {"today": self.today, "waiting": waiting}
        address = {"Location": reverse("api:case", args=[number])} if status == HTTPStatus.CREATED else None
        return Response(CaseSerializer(case, context=context).data, status=status, headers=address)


class CaseListView(WindowView):
    """The window's list, and intake."""

    roles = WINDOW

    @extend_schema(
        operation_id="listCases",
        summary="窗口办件 · The window's cases",
        description="Cases of the person's divisions, newest change first, 50 a page. `q` finds by case number, whole "
        "code or identity number, applicant's name, item (name, initials, code).",
        tags=TAGS,
        parameters=[CasePageQuerySerializer],
        responses=answers({200: paged(CaseRowSerializer, "CasePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(CasePageQuerySerializer, request.query_params)
        cases = search(Case.objects.for_window(self.access), asked["q"])
        if asked.get("status"):
            cases = cases.filter(status=asked["status"])
        return page(with_row(cases), ORDER, asked["cursor"], CaseRowSerializer, today=self.today)

    @extend_schema(
        operation_id="receiveCase",
        summary="收件 · Take in an application",
        description="The applicant's code is checked by GB 32100 or GB 11643. Idempotent by `intake_key`: the same key "
        "from the same person gives the case that it made, as it stands, with 200; nothing is taken in twice.",
        tags=TAGS,
        request=IntakeSerializer,
        responses=answers(
            {
                201: OpenApiResponse(CaseSerializer, description="Received."),
                200: OpenApiResponse(CaseSerializer, description="This key was received before."),
            },
            *ACT,
        ),
    )
    def post(self, request: Request) -> Response:
        """Receive the case, or answer with the one that this key made."""
        if not self.access.has(*CLERK):
            raise NotFound
        said = read(IntakeSerializer, request.data)
        known = Case.objects.for_window(self.access).filter(intake_key=said["intake_key"], intake_by=self.user).first()
        if known is not None:
            return self.shown(known.number)
        item = open_items(self.access).filter(code=said.pop("business_item")).first()
        if item is None:
            raise Refused("item-not-open", "本窗口没有这个可以收件的业务办理项。", field="business_item")
        case = receive_case(IntakeDraft(business_item=item, **said), by=self.user, now=self.now)
        return self.shown(case.number, HTTPStatus.CREATED)


class CaseDetailView(WindowView):
    """One case."""

    roles = WINDOW

    @extend_schema(
        operation_id="getCase",
        summary="办件详情 · A case at the window",
        description="With its checklist, and what the one correction notice may name.",
        tags=TAGS,
        responses=answers({200: CaseSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the case."""
        return self.shown(number)


class UploadView(WindowView):
    """Files."""

    parser_classes = (MultiPartParser,)  # type: ignore[assignment]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """No file may fill the disk before it is refused."""
        request.upload_handlers = [CappedUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="uploadMaterial",
        summary="上传材料 · Upload a file for a line of the checklist",
        description="Checked by content, never by name. Before acceptance it counts as handed in at once; after a "
        "correction notice it waits until `corrections/answer` takes it in, what was owed until `owed` does.",
        tags=TAGS,
        request={"multipart/form-data": UploadRequestSerializer},
        responses=answers({201: UploadSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Store the file and hang it on its line."""
        case = self.found(number)
        said = read(UploadRequestSerializer, request.data)
        owed = {slot_of(line) for line in to_hand_in(case)}
        if case.status not in BEFORE_ACCEPTANCE and said["slot"] not in owed:
            raise Refused(
                "state-conflict", f"这件办件现在是“{case.get_status_display()}”，不能再交材料。", conflict=True
            )
        if said["slot"] not in {slot_of(line) for line in case.materials.all()}:
            raise Refused("slot-unknown", "材料清单中没有这一项。", field="slot")
        upload = self._store(case, said)
        return Response(UploadSerializer(upload).data, status=HTTPStatus.CREATED)

    def _store(self, case: Case, said: dict[str, Any]) -> Upload:
        upload = uploads.store(said["file"], intake_key=case.intake_key, slot=said["slot"], by=self.user, now=self.now)
        if case.status == CaseStatus.SUBMITTED:
            try:
                add_materials(case, provided={}, by=self.user, now=self.now)
            except Refused:
                uploads.discard(upload.pk, intake_key=case.intake_key)
                raise
        return upload


class AcceptView(WindowView):
    """受理."""

    @extend_schema(
        operation_id="acceptCase",
        summary="受理 · Accept",
        description="Everything required must be in; `provided` takes in, in the same transaction, what was still "
        "missing. A filing ends at once; everything else goes to a reviewer or a decider drawn at random.",
        tags=TAGS,
        request=ProvidedSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Accept."""
        case = self.found(number)
        provided = read(ProvidedSerializer, request.data)["provided"]
        if provided:
            supplement_and_accept(case, provided=provided, by=self.user, now=self.now)
        else:
            accept_case(case, by=self.user, now=self.now)
        return self.shown(number)


class CorrectionView(WindowView):
    """一次性补正告知."""

    @extend_schema(
        operation_id="requestCorrection",
        summary="一次性告知补正 · Give the one correction notice",
        description="From `correction_choices` only, with everything that is missing. A second notice is a conflict "
        "(409, `second-correction`).",
        tags=TAGS,
        request=CorrectionSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Give the notice."""
        case = self.found(number)
        said = read(CorrectionSerializer, request.data)
        keys: Sequence[str] = list(dict.fromkeys(said["keys"]))
        request_correction(case, keys=keys, remarks=said["remarks"], by=self.user, now=self.now)
        return self.shown(number)


class CorrectionAnswerView(WindowView):
    """补正收件."""

    @extend_schema(
        operation_id="answerCorrection",
        summary="补正收件 · Take in the answer to the notice",
        description="With the files that wait for it. The window then accepts, or refuses on a point of the notice.",
        tags=TAGS,
        request=ProvidedSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Take the answer in."""
        case = self.found(number)
        provided = read(ProvidedSerializer, request.data)["provided"]
        answer_correction(case, provided=provided, by=self.user, now=self.now)
        return self.shown(number)


class RefusalView(WindowView):
    """不予受理."""

    @extend_schema(
        operation_id="refuseAcceptance",
        summary="不予受理 · Refuse to accept",
        description="On a ground of art. 32 of the Licensing Law and with a reason; the overseers see it.",
        tags=TAGS,
        request=RefusalSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Refuse."""
        case = self.found(number)
        said = read(RefusalSerializer, request.data)
        refuse_acceptance(case, **said, by=self.user, now=self.now)
        return self.shown(number)


class DeliveryView(WindowView):
    """出件."""

    roles = WINDOW

    @extend_schema(
        operation_id="deliverResult",
        summary="出件 · Hand the result over",
        description="Once; serving a rejection completes its case.",
        tags=TAGS,
        request=DeliveryRequestSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Deliver."""
        case = self.found(number)
        said = read(DeliveryRequestSerializer, request.data)
        deliver(case, **said, by=self.user, now=self.now)
        return self.shown(number)


class DocumentListView(WindowView):
    """Papers."""

    roles = WINDOW

    @extend_schema(
        operation_id="listCaseDocuments",
        summary="文书 · The papers of a case",
        description="In the order of their issue, with their frozen content. There are at most eight.",
        tags=TAGS,
        responses=answers({200: DocumentSerializer(many=True)}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the papers."""
        return Response(DocumentSerializer(self.found(number).documents.order_by("id"), many=True).data)
