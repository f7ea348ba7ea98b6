"""Score sheets, the lead, countersignatures and site checks in the API; the same actions as the pages."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import blind, countersigning, verifying
from approvals.actions.countersigning import sign_countersignature
from approvals.actions.scoring import call_lead, give_sheet
from approvals.actions.site import confirm_site_check, plan_site_check, report_site_check, return_site_check
from approvals.api.reviews import OpinionRequestSerializer, ReviewView
from approvals.api.serializers import ReviewLineSerializer, ReviewRowSerializer, ReviewSerializer
from approvals.api.weighing_parts import CountersignedSerializer
from approvals.archive import neutral_files
from approvals.blind import BlindCase
from approvals.enums import CaseStatus
from approvals.models import Case, CaseMaterial, Countersignature, SiteCheck
from approvals.sheets import Mark
from approvals.views.site import mine, waiting
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting

Role = Posting.Role
TAGS = ["back office"]
SITE_TAGS = ["site officer"]


class MarkSerializer(serializers.Serializer[Any]):
    """The mark for one criterion: ``points`` of a graded one, ``met`` of a veto."""

    criterion = serializers.IntegerField(help_text="`id` from `weighing.criteria`.")
    points = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="Of one of its degrees.")
    met = serializers.BooleanField(required=False, allow_null=True, default=None)
    evidence = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Required below the full marks."
    )


class SheetRequestSerializer(OpinionRequestSerializer):
    """评分表."""

    scores = MarkSerializer(many=True, max_length=200)  # type: ignore[call-arg]  # of the list

    def validate_scores(self, rows: list[dict[str, Any]]) -> dict[int, Mark]:
        """One mark a criterion."""
        found = {row["criterion"]: Mark(row["points"], row["met"], row["evidence"]) for row in rows}
        if len(found) < len(rows):
            raise serializers.ValidationError("同一准则只能评一次。")
        return found


class SitePlanRequestSerializer(serializers.Serializer[Any]):
    """安排现场核查."""

    planned_on = SaidDay(required=False, allow_null=True, default=None)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Required when it is planned anew."
    )


class CountersignRequestSerializer(serializers.Serializer[Any]):
    """会签."""

    agree = serializers.BooleanField()
    text = Said(max_length=1000, help_text="Without the applicant's identity.")


class SiteConfirmRequestSerializer(serializers.Serializer[Any]):
    """核对同行人员的报告."""

    confirms = serializers.BooleanField()
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Why it goes back, where it does."
    )


class SiteReportRequestSerializer(serializers.Serializer[Any]):
    """现场核查情况."""

    conforms = serializers.BooleanField()
    findings = Said(max_length=1000, help_text="Reviewers read it: without the applicant's identity.")
    place = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class SheetView(ReviewView):
    """评分表."""

    @extend_schema(
        operation_id="giveSheet",
        summary="评分 · Give one's score sheet, with the advice that follows from it",
        description="Once, by whoever was drawn to a seat (`weighing.seat`), with a mark for every criterion. Approval "
        "cannot be advised below the pass mark or with a veto criterion not met (`score-fails`). The last sheet makes "
        "the opinion; two that are apart call the lead, who reads both and gives a sheet that counts alone.",
        tags=TAGS,
        request=SheetRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Give the sheet."""
        case = self.found(number, Case.objects.for_reviewer(self.access))
        said = read(SheetRequestSerializer, request.data)
        give_sheet(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class LeadView(ReviewView):
    """牵头人."""

    @extend_schema(
        operation_id="callLead",
        summary="抽取牵头人 · Draw the lead where nobody could be drawn before",
        description="While `weighing.awaits_lead`.",
        tags=TAGS,
        request=None,
        responses=answers({200: ReviewSerializer}, 401, 404, 409, 422),
    )
    def post(self, request: Request, number: str) -> Response:
        """Draw."""
        case = self.found(number, Case.objects.for_back_office(self.access))
        call_lead(Case(pk=case.pk), by=self.user, now=self.now)
        return self.shown(number)


class SitePlanView(ReviewView):
    """安排现场核查."""

    @extend_schema(
        operation_id="planSiteCheck",
        summary="安排现场核查 · Plan the site check; two officers are drawn",
        description="By the first reviewer, who learns neither who goes nor where. Until it is reported no opinion is "
        "taken (`site-check-first`). Planned anew with a reason, two are drawn again.",
        tags=TAGS,
        request=SitePlanRequestSerializer,
        responses=answers({200: ReviewSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Plan."""
        case = self.found(number, Case.objects.for_reviewer(self.access))
        said = read(SitePlanRequestSerializer, request.data)
        plan_site_check(Case(pk=case.pk), **said, by=self.user, now=self.now)
        return self.shown(number)


class CountersignatureSerializer(ReviewRowSerializer):
    """A ``BlindCase`` before an office that countersigns."""

    content = serializers.CharField(allow_blank=True)
    materials = serializers.SerializerMethodField()
    countersignature = serializers.SerializerMethodField()

    @extend_schema_field(ReviewLineSerializer(many=True))
    def get_materials(self, case: BlindCase) -> Any:
        """The checklist, files under neutral names."""
        lines = CaseMaterial.objects.filter(case_id=case.pk).order_by("order")
        context = {"files": neutral_files(case.pk), "verified": verifying.blind_answers(case.pk)}
        return ReviewLineSerializer(lines, many=True, context=context).data

    @extend_schema_field(CountersignedSerializer)
    def get_countersignature(self, case: BlindCase) -> Any:
        """What was asked of this office."""
        return CountersignedSerializer(self.context["asked"]).data


class CountersignatureView(PortalView):
    """内部会签."""

    roles = (Role.REVIEWER, Role.DECIDER)

    def found(self, number: str) -> tuple[BlindCase, Countersignature]:
        """The case and what the person's office was asked; 404 otherwise."""
        cases = blind.blind(Case.objects.for_countersigner(self.access))
        case = BlindCase.of(get_object_or_404(cases, number=number))
        asked = countersigning.asked(self.access).filter(case_id=case.pk)[0]
        return case, asked

    def shown(self, number: str) -> Response:
        """The case as it now stands."""
        case, asked = self.found(number)
        return Response(CountersignatureSerializer(case, context={"today": self.today, "asked": asked}).data)

    @extend_schema(
        operation_id="getCountersignature",
        summary="会签办件 · A case that another office sent for countersignature",
        description="`reviews/?queue=countersign` lists them. Nothing tells whose case it is.",
        tags=TAGS,
        responses=answers({200: CountersignatureSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        return self.shown(number)

    @extend_schema(
        operation_id="countersign",
        summary="会签 · Answer for the office, with words",
        description="Once. Until every office that was asked has answered nobody decides (`countersign-waiting`).",
        tags=TAGS,
        request=CountersignRequestSerializer,
        responses=answers({200: CountersignatureSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer."""
        case, asked = self.found(number)
        said = read(CountersignRequestSerializer, request.data)
        sign_countersignature(Case(pk=case.pk), office=asked.office, **said, by=self.user, now=self.now)
        return self.shown(number)


class SiteCheckSerializer(serializers.Serializer[Any]):
    """A site check as its officers see it: whose, where, by when; nothing of the review."""

    number = serializers.CharField(source="case.number")
    business_item = serializers.CharField(source="case.business_item.code")
    business_item_name = serializers.CharField(source="case.business_item.name")
    status = serializers.ChoiceField(source="case.status", choices=CaseStatus.choices)
    applicant = serializers.CharField(source="case.applicant_name")
    content = serializers.CharField(source="case.content", allow_blank=True)
    planned_on = serializers.DateField()
    place = serializers.CharField(allow_blank=True)
    conforms = serializers.BooleanField(allow_null=True, help_text="Null: not reported yet.")
    findings = serializers.CharField(allow_blank=True)
    reported_at = serializers.DateTimeField(allow_null=True, help_text="By one of the two; the other confirms.")
    done_at = serializers.DateTimeField(allow_null=True)


class SitePageQuerySerializer(PageQuerySerializer):
    """Which site checks."""

    done = serializers.BooleanField(required=False, default=False, help_text="Those that wait no longer.")


class SiteCheckListView(PortalView):
    """现场核查."""

    roles = (Role.SITE_OFFICER,)

    @extend_schema(
        operation_id="listSiteChecks",
        summary="现场核查 · What the person was drawn to look at on the spot",
        description="What waits, by day; with `done`, what waits no longer, the newest first. 50 a page.",
        tags=SITE_TAGS,
        parameters=[SitePageQuerySerializer],
        responses=answers({200: paged(SiteCheckSerializer, "SiteCheckPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(SitePageQuerySerializer, request.query_params)
        rows = mine(self.access)
        if text := asked["q"].strip():
            rows = rows.filter(blind.matching(text, "case__"))
        open_ones = waiting(rows, self.access)
        if asked["done"]:
            rows = rows.exclude(pk__in=waiting(mine(self.access), self.access).values("pk"))
            return page(rows, ("-id",), asked["cursor"], SiteCheckSerializer, today=self.today)
        return page(open_ones, ("planned_on", "id"), asked["cursor"], SiteCheckSerializer, today=self.today)


class SiteCheckView(PortalView):
    """One site check."""

    roles = (Role.SITE_OFFICER,)

    def found(self, number: str) -> SiteCheck:
        """The site check, if the person was drawn for it; 404 otherwise."""
        return get_object_or_404(mine(self.access), case__number=number)

    @extend_schema(
        operation_id="getSiteCheck",
        summary="现场核查详情 · One site check",
        tags=SITE_TAGS,
        responses=answers({200: SiteCheckSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        return Response(SiteCheckSerializer(self.found(number)).data)

    @extend_schema(
        operation_id="reportSiteCheck",
        summary="报告核查情况 · Report what was found, by either of the two",
        description="Once. The findings go to the reviewers, who do not know whose case it is: a text that names the "
        "applicant is refused (`text-names-applicant`). Site officers neither score nor decide.",
        tags=SITE_TAGS,
        request=SiteReportRequestSerializer,
        responses=answers({200: SiteCheckSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Report."""
        check = self.found(number)
        said = read(SiteReportRequestSerializer, request.data)
        report_site_check(Case(pk=check.case_id), **said, by=self.user, now=self.now)
        return Response(SiteCheckSerializer(self.found(number)).data)


class SiteConfirmView(PortalView):
    """确认现场核查情况."""

    roles = (Role.SITE_OFFICER,)

    @extend_schema(
        operation_id="confirmSiteCheck",
        summary="确认或退回核查情况 · The other of the two confirms the report, or sends it back",
        description="Reviewers read nothing of it before both stand behind it.",
        tags=SITE_TAGS,
        request=SiteConfirmRequestSerializer,
        responses=answers({200: SiteCheckSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Confirm or return."""
        check = get_object_or_404(mine(self.access), case__number=number)
        said = read(SiteConfirmRequestSerializer, request.data)
        case = Case(pk=check.case_id)
        if said["confirms"]:
            confirm_site_check(case, by=self.user, now=self.now)
        else:
            return_site_check(case, reason=said["reason"], by=self.user, now=self.now)
        return Response(SiteCheckSerializer(get_object_or_404(mine(self.access), pk=check.pk)).data)
