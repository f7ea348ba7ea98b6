"""How cases are written in JSON, for the window and for the back office. What is not here is not told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals import blind, covering, verifying
from approvals.actions.clocks import grounds_for
from approvals.actions.intake import NOT_NEEDED, correction_choices, required_points, slot_of
from approvals.actions.review import ground_choices
from approvals.api.weighing_parts import WeighingSerializer
from approvals.archive import neutral_files
from approvals.blind import BlindCase
from approvals.enums import (
    CaseStatus,
    DeliveryMethod,
    DocumentKind,
    MaterialState,
    Outcome,
    RefusalGround,
    SignerCapacity,
    SignMethod,
    VerificationState,
    Way,
)
from approvals.models import (
    Case,
    CaseMaterial,
    Extension,
    Licence,
    Opinion,
    ProvinceReport,
    SpecialProcedure,
    Upload,
)
from catalogue.api import ExtensionSerializer
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit.models import CreditRecord, Grade, HandlingWay
from deadlines.api import COUNTED_UNITS, DeadlineSerializer
from deadlines.enums import PauseGround
from offices.crypto import mask_phone

TICKS = [
    (MaterialState.PROVIDED.value, MaterialState.PROVIDED.label),
    (NOT_NEEDED, MaterialState.NOT_NEEDED.label),
    (MaterialState.DEFERRED.value, MaterialState.DEFERRED.label),
]


class UploadSerializer(serializers.Serializer[Any]):
    """A file that was handed in."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="original_name")
    content_type = serializers.CharField(help_text="Found in the content.")
    size = serializers.IntegerField(help_text="Bytes.")
    digest = serializers.CharField(help_text="SM3.")
    uploaded_at = serializers.DateTimeField()


class NeutralFileSerializer(serializers.Serializer[Any]):
    """A file under a name that betrays nobody."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="neutral_name")
    size = serializers.IntegerField(help_text="Bytes.")


class PointSerializer(serializers.Serializer[Any]):
    """Something that may be asked for or rested on, from the item's published list."""

    key = serializers.CharField(help_text="`material:12`, `condition:7` or `promise-letter`.")
    text = serializers.CharField()


class CorrectionPointSerializer(PointSerializer):
    """A point of the one notice; what is missing must be in it."""

    required = serializers.BooleanField(  # type: ignore[assignment]  # the field of the answer
        help_text="Must be among the keys of the notice."
    )


class VerificationSerializer(serializers.Serializer[Any]):
    """材料核验: the newest question to the electronic-licence service about a line (L8d)."""

    state = serializers.ChoiceField(choices=VerificationState.choices)
    state_label = serializers.CharField(source="get_state_display")
    asked_at = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    answered_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True, help_text="Why paper is needed again; empty when it matched.")
    answer = serializers.DictField(
        help_text="As kept: kind, number, holder_code (masked for persons), holder_name, issuer, revoked, valid_from, "
        "valid_to, digest. Of a certificate that is somebody else's, only kind, issuer and digest."
    )


class LineSerializer(serializers.Serializer[Any]):
    """A line of the checklist."""

    slot = serializers.SerializerMethodField(help_text="Names the line in `provided` and in uploads.")
    name = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=MaterialState.choices)
    received_at = serializers.DateTimeField(allow_null=True)
    uploads = serializers.SerializerMethodField(help_text="Files, waiting ones included.")
    verification = serializers.SerializerMethodField(help_text="Null: the service was never asked.")

    @extend_schema_field(VerificationSerializer(allow_null=True))
    def get_verification(self, line: CaseMaterial) -> Any:
        """The newest question about the line."""
        found = self.context["verifications"].get(line.pk)
        return VerificationSerializer(found).data if found else None

    def get_slot(self, line: CaseMaterial) -> str:
        """The slot's name."""
        return slot_of(line)

    @extend_schema_field(UploadSerializer(many=True))
    def get_uploads(self, line: CaseMaterial) -> Any:
        """What hangs on the line, and what was uploaded and waits for the answer to be taken in."""
        waiting: dict[str, list[Upload]] = self.context["waiting"]
        return UploadSerializer([*line.uploads.all(), *waiting.get(slot_of(line), [])], many=True).data


class CaseRowSerializer(serializers.Serializer[Any]):
    """A case in the window's list. The context names the day."""

    number = serializers.CharField()
    business_item = serializers.CharField(source="business_item.code")
    business_item_name = serializers.CharField(source="business_item.name")
    department = serializers.CharField(source="department.name")
    applicant_name = serializers.CharField()
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    status_label = serializers.CharField(source="get_status_display")
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_blank=True)
    way = serializers.ChoiceField(choices=Way.choices)
    received_at = serializers.DateTimeField()
    touched_at = serializers.DateTimeField()
    deadline = DeadlineSerializer(source="current_deadline", allow_null=True)


class NoticeSerializer(serializers.Serializer[Any]):
    """The one correction notice."""

    points = PointSerializer(many=True)
    issued_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class NotAcceptedSerializer(serializers.Serializer[Any]):
    """A refusal at the door."""

    ground = serializers.ChoiceField(choices=RefusalGround.choices)
    ground_label = serializers.CharField(source="get_ground_display")
    reason = serializers.CharField()
    issued_at = serializers.DateTimeField()


class DecisionSerializer(serializers.Serializer[Any]):
    """The decision, without who made it."""

    approve = serializers.BooleanField()
    grounds = PointSerializer(many=True)
    text = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField()


class LicenceSerializer(serializers.Serializer[Any]):
    """The licence or filing receipt."""

    number = serializers.CharField()
    kind = serializers.CharField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)


class DeliverySerializer(serializers.Serializer[Any]):
    """The result handed over."""

    method = serializers.ChoiceField(choices=DeliveryMethod.choices)
    receiver = serializers.CharField()
    tracking = serializers.CharField(allow_blank=True)
    delivered_at = serializers.DateTimeField()


class DocumentSerializer(serializers.Serializer[Any]):
    """A paper; whoever holds its code can verify it."""

    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    title = serializers.CharField(source="get_kind_display")
    number = serializers.CharField()
    verify_code = serializers.CharField()
    digest = serializers.CharField(help_text="SM3 of the frozen content.")
    issued_at = serializers.DateTimeField()
    content = serializers.DictField(help_text="The frozen content, from which page and print are set.")


class WayAnswerSerializer(serializers.Serializer[Any]):
    """Whether the rule opens one way of handling."""

    way = serializers.ChoiceField(choices=HandlingWay.choices)
    is_open = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="In Chinese.")


class CheckedRecordSerializer(serializers.Serializer[Any]):
    """A record that was in use when the question was asked."""

    kind = serializers.ChoiceField(choices=CreditRecord.Kind.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    basis = serializers.CharField()
    found_on = serializers.DateField()


class CreditCheckSerializer(serializers.Serializer[Any]):
    """信用查询, kept as seen: the rule's answer, and what a person decided on it."""

    grade = serializers.ChoiceField(
        source="answer.grade", choices=Grade.choices, help_text="`none`: not evaluated, which is no good grade."
    )
    grade_source = serializers.CharField(
        source="answer.grade_source", allow_blank=True, help_text="Who gave the grade."
    )
    said = serializers.CharField(
        source="answer.said", default="", help_text="In Chinese: of when the platform's answer is; blank without one."
    )
    records = CheckedRecordSerializer(source="answer.records", many=True)
    measures = serializers.ListField(
        source="answer.measures", child=serializers.CharField(), default=list,
        help_text="Joint rewards and penalties in force then, in Chinese.",
    )  # fmt: skip
    ways = WayAnswerSerializer(source="answer.ways", many=True)
    rule_allows = serializers.BooleanField(help_text="Whether the rule opens the promise way.")
    asked_at = serializers.DateTimeField()
    allowed = serializers.BooleanField(allow_null=True, help_text="What was decided; null: nobody has yet.")
    reason = serializers.CharField(allow_blank=True, help_text="Of a departure from the rule.")
    decided_at = serializers.DateTimeField(allow_null=True)


class PromiseSerializer(serializers.Serializer[Any]):
    """告知承诺 as it was signed; its paper is among the documents."""

    modes = serializers.ListField(child=serializers.ChoiceField(choices=PromiseMode.choices))
    signer = serializers.CharField()
    capacity = serializers.ChoiceField(choices=SignerCapacity.choices)
    method = serializers.ChoiceField(choices=SignMethod.choices)
    document = serializers.CharField(source="document.number")
    digest = serializers.CharField(source="document.digest", help_text="SM3 of the signed letter.")
    consents_to_publication = serializers.BooleanField()
    deferred_until = serializers.DateField(allow_null=True)
    signed_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class CaseSerializer(CaseRowSerializer):
    """A case as the window sees it: never an officer of the back office."""

    query_code = serializers.CharField(help_text="With the number it opens the public progress page.")
    applicant_identifier = serializers.CharField(
        source="applicant.public_identifier", help_text="Identity numbers are masked."
    )
    contact_name = serializers.CharField()
    contact_phone = serializers.SerializerMethodField(help_text="Masked.")
    content = serializers.CharField(allow_blank=True)
    promise_clauses = serializers.ListField(child=serializers.CharField())
    promise_modes = serializers.ListField(child=serializers.ChoiceField(choices=PromiseMode.choices))
    credit_check = CreditCheckSerializer(allow_null=True, default=None)
    promise = PromiseSerializer(allow_null=True, default=None)
    accepted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    materials = serializers.SerializerMethodField()
    correction_choices = serializers.SerializerMethodField(
        help_text="What the one notice may name; empty where no notice can be given."
    )
    correction_notice = NoticeSerializer(allow_null=True, default=None)
    refusal = NotAcceptedSerializer(allow_null=True, default=None)
    decision = DecisionSerializer(allow_null=True, default=None)
    licence = LicenceSerializer(allow_null=True, default=None)
    delivery = DeliverySerializer(allow_null=True, default=None)

    def get_contact_phone(self, case: Case) -> str:
        """The phone, masked."""
        return mask_phone(case.contact_phone)

    @extend_schema_field(LineSerializer(many=True))
    def get_materials(self, case: Case) -> Any:
        """The checklist with its files and what the licence service said; three statements."""
        lines = case.materials.prefetch_related(covering.originals()).order_by("order")
        context = {**self.context, "verifications": verifying.newest_of(lines)}
        return LineSerializer(lines, many=True, context=context).data

    @extend_schema_field(CorrectionPointSerializer(many=True))
    def get_correction_choices(self, case: Case) -> Any:
        """The published points, while a notice can still be given."""
        if case.status != CaseStatus.SUBMITTED or getattr(case, "correction_notice", None) is not None:
            return []
        required = required_points(case)
        return [{**choice, "required": choice["key"] in required} for choice in correction_choices(case)]


class ReviewRowSerializer(serializers.Serializer[Any]):
    """A ``BlindCase``: nothing in it tells whose case it is."""

    number = serializers.CharField()
    business_item = serializers.CharField(source="item_code")
    business_item_name = serializers.CharField(source="item_name")
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    status_label = serializers.CharField(source="status.label")
    way = serializers.ChoiceField(choices=Way.choices)
    is_on_the_spot = serializers.BooleanField()
    received_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    deadline = DeadlineSerializer(allow_null=True)


class BlindVerificationSerializer(serializers.Serializer[Any]):
    """That a line was verified by data: what, when, until when; never number or holder."""

    kind = serializers.CharField()
    answered_at = serializers.DateTimeField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)


class ProvinceReportSerializer(serializers.Serializer[Any]):
    """上报省主管部门: it lifts the city's 5 days and pauses nothing statutory. Officers are not named."""

    number = serializers.CharField()
    reported_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(allow_blank=True)


class ReviewLineSerializer(serializers.Serializer[Any]):
    """A line of the checklist, with files under neutral names."""

    name = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=MaterialState.choices)
    files = serializers.SerializerMethodField()
    verification = serializers.SerializerMethodField(help_text="Where data stands for the material; else null.")

    @extend_schema_field(BlindVerificationSerializer(allow_null=True))
    def get_verification(self, line: CaseMaterial) -> Any:
        """What the blind side may know of the answer."""
        found = self.context["verified"].get(line.pk)
        return BlindVerificationSerializer(found).data if found else None

    @extend_schema_field(NeutralFileSerializer(many=True))
    def get_files(self, line: CaseMaterial) -> Any:
        """The line's files."""
        files: dict[int, list[Upload]] = self.context["files"]
        return NeutralFileSerializer(files.get(line.pk, []), many=True).data


class OpinionSerializer(serializers.Serializer[Any]):
    """The reviewer's opinion, without the reviewer."""

    approve = serializers.BooleanField()
    text = serializers.CharField()
    grounds = PointSerializer(many=True)
    given_at = serializers.DateTimeField()


class ProcedureSerializer(serializers.Serializer[Any]):
    """特别程序: while it goes on the decision clocks stand still (行政许可法 art. 45). Officers are not named."""

    ground = serializers.ChoiceField(choices=PauseGround.choices)
    ground_label = serializers.CharField(source="get_ground_display")
    law = serializers.CharField(allow_blank=True, help_text="The law where the ground needs one.")
    estimated_days = serializers.IntegerField(help_text="Working days, as the applicant was told in writing.")
    reason = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: it goes on.")
    result = serializers.CharField(allow_blank=True)


class AskedExtensionSerializer(serializers.Serializer[Any]):
    """延期 (行政许可法 art. 42). Officers are not named."""

    days = serializers.IntegerField(help_text="In the unit of the statutory period.")
    reason = serializers.CharField()
    requested_at = serializers.DateTimeField()
    granted = serializers.BooleanField(allow_null=True, help_text="Null: nobody has answered.")
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(allow_blank=True)


class ExtensionRoomSerializer(ExtensionSerializer):
    """How far the statutory period may be extended, once, with the unit."""

    unit = serializers.ChoiceField(choices=COUNTED_UNITS)


class ExtensionRowSerializer(serializers.Serializer[Any]):
    """A request for more time as the authority's head sees it, never whose case it is. The context names the day."""

    number = serializers.CharField(source="case.number")
    business_item = serializers.CharField(source="case.business_item.code")
    business_item_name = serializers.CharField(source="case.business_item.name")
    status = serializers.ChoiceField(source="case.status", choices=CaseStatus.choices)
    office = serializers.CharField(source="case.review_office.name")
    days = serializers.IntegerField(help_text="In the unit of the statutory period.")
    reason = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.full_name")
    requested_at = serializers.DateTimeField()
    granted = serializers.BooleanField(allow_null=True, help_text="Null: nobody has answered.")
    answered_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(allow_blank=True)
    deadline = DeadlineSerializer(source="case.statutory_deadline", allow_null=True, help_text="The statutory clock.")


class ApplicantSerializer(serializers.Serializer[Any]):
    """Whose case it was, once it is decided."""

    name = serializers.CharField(source="public_name", help_text="Persons are masked.")
    identifier = serializers.CharField(source="public_identifier", help_text="Identity numbers are masked.")


class ReviewSerializer(ReviewRowSerializer):
    """A case as the back office sees it. ``applicant``, ``decision`` and ``licence`` are null before the decision."""

    _known: BusinessItem | None = None
    content = serializers.CharField(allow_blank=True)
    promise_clauses = serializers.ListField(child=serializers.CharField())
    deemed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was noted that the law had accepted the case (行政许可法 art. 32)."
    )
    decided_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    statutory = DeadlineSerializer(allow_null=True, help_text="The statutory clock beside the one that presses.")
    in_procedure = serializers.BooleanField(help_text="Whether a special procedure stops the clocks now.")
    pause_grounds = serializers.SerializerMethodField(help_text="On which a special procedure may begin.")
    extension_room = serializers.SerializerMethodField(help_text="Null: the law allows none for this item.")
    procedures = serializers.SerializerMethodField()
    extensions = serializers.SerializerMethodField()
    province_report = serializers.SerializerMethodField(help_text="Null: nothing went up to the province.")
    materials = serializers.SerializerMethodField()
    grounds = serializers.SerializerMethodField(help_text="All that an adverse opinion or a rejection may rest on.")
    opinion = serializers.SerializerMethodField()
    weighing = serializers.SerializerMethodField(help_text="Score sheets, countersignatures, the site check.")
    applicant = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    licence = serializers.SerializerMethodField()

    def _item(self, case: BlindCase) -> BusinessItem:
        """The item, read once an answer."""
        if self._known is None or self._known.pk != case.item_id:
            self._known = BusinessItem.objects.get(pk=case.item_id)
        return self._known

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=PauseGround.choices)))
    def get_pause_grounds(self, case: BlindCase) -> Any:
        """The grounds that the law lists, public notice where the item has one."""
        return grounds_for(self._item(case))

    @extend_schema_field(ExtensionRoomSerializer(allow_null=True))
    def get_extension_room(self, case: BlindCase) -> Any:
        """What the item's law allows."""
        item = self._item(case)
        room = item.extension
        if room is None:
            return None
        told = {"longest": room.longest, "unit": item.statutory_unit, "allowed_by": room.allowed_by}
        return ExtensionRoomSerializer(told | {"legal_basis": room.legal_basis}).data

    @extend_schema_field(ProcedureSerializer(many=True))
    def get_procedures(self, case: BlindCase) -> Any:
        """The special procedures, the first first."""
        return ProcedureSerializer(SpecialProcedure.objects.filter(case_id=case.pk).order_by("id"), many=True).data

    @extend_schema_field(AskedExtensionSerializer(many=True))
    def get_extensions(self, case: BlindCase) -> Any:
        """The requests for more time, the first first."""
        return AskedExtensionSerializer(Extension.objects.filter(case_id=case.pk).order_by("id"), many=True).data

    @extend_schema_field(ProvinceReportSerializer(allow_null=True))
    def get_province_report(self, case: BlindCase) -> Any:
        """The report, once it went up."""
        found = ProvinceReport.objects.filter(case_id=case.pk).first()
        return ProvinceReportSerializer(found).data if found else None

    @extend_schema_field(ReviewLineSerializer(many=True))
    def get_materials(self, case: BlindCase) -> Any:
        """The checklist; three statements."""
        lines = CaseMaterial.objects.filter(case_id=case.pk).order_by("order")
        context = {"files": neutral_files(case.pk), "verified": verifying.blind_answers(case.pk)}
        return ReviewLineSerializer(lines, many=True, context=context).data

    @extend_schema_field(PointSerializer(many=True))
    def get_grounds(self, case: BlindCase) -> Any:
        """The item's published conditions and materials."""
        return ground_choices(Case(pk=case.pk, business_item=self._item(case)))

    @extend_schema_field(OpinionSerializer(allow_null=True))
    def get_opinion(self, case: BlindCase) -> Any:
        """The opinion, once given."""
        found = Opinion.objects.filter(case_id=case.pk).first()
        return OpinionSerializer(found).data if found else None

    @extend_schema_field(WeighingSerializer)
    def get_weighing(self, case: BlindCase) -> Any:
        """How the case is weighed, as the reader may see it."""
        return WeighingSerializer(case, context={**self.context, "item": self._item(case)}).data

    @extend_schema_field(ApplicantSerializer(allow_null=True))
    def get_applicant(self, case: BlindCase) -> Any:
        """The applicant, once the case is decided."""
        found = blind.applicant_of(case)
        return ApplicantSerializer(found).data if found else None

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_decision(self, case: BlindCase) -> Any:
        """The decision, once made."""
        found = Case(pk=case.pk).decision if case.decided_at else None
        return DecisionSerializer(found).data if found else None

    @extend_schema_field(LicenceSerializer(allow_null=True))
    def get_licence(self, case: BlindCase) -> Any:
        """The licence, once issued."""
        found = Licence.objects.filter(case_id=case.pk).first() if case.is_decided else None
        return LicenceSerializer(found).data if found else None
