"""The API's addresses and views of 双随机: plans, draws, the table of ratios, and the results for everybody."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.models import BusinessItem, SupervisionSubItem
from offices.access import covered
from offices.api import (
    ACT,
    READ,
    PageQuerySerializer,
    PortalView,
    PublicView,
    Said,
    SaidDay,
    answers,
    page,
    paged,
    read,
)
from offices.models import Division, Office, Posting
from supervision import sampling
from supervision.actions import drawing
from supervision.actions.drawing import Wanted
from supervision.models import DrawnSubject, DrawPlan, DrawRun
from supervision.pools import left_out_words, preview
from supervision.views_draws import TABS, search, shares_of, with_office
from supervision.views_public_draws import (
    BY_SUBJECT,
    digests_of,
    drawn_of,
    positions_of,
    public_plans,
    result_of,
    row_of,
)

Role = Posting.Role
MAKERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD)
READERS = (*MAKERS, Role.OVERSEER)
TAGS = ["supervision"]


# --- what is said


class ShareSerializer(serializers.Serializer[Any]):
    """One group of the pool."""

    key = serializers.CharField(help_text="`A` … `D`, `none`, or `all` with a uniform ratio.")
    label = serializers.CharField()  # type: ignore[assignment]  # the member of the answer
    size = serializers.IntegerField(help_text="Subjects in the pool.")
    ratio = serializers.IntegerField(help_text="Hundredths of a percent.")
    taken = serializers.IntegerField(help_text="Drawn: size × ratio, rounded up.")
    times = serializers.IntegerField(help_text="Draws a year of this class; 0 with a uniform ratio.")
    used = serializers.IntegerField(help_text="Draws of the year before this one.")


class LeftOutSerializer(serializers.Serializer[Any]):
    """Why some are not in the pool."""

    reason = serializers.CharField()
    number = serializers.IntegerField()


class RunSerializer(serializers.Serializer[Any]):
    """A draw: its pools as they were frozen, and what makes it checkable."""

    period = serializers.CharField(source="draw_period")
    number = serializers.IntegerField(help_text="The draw's number within its period.")
    drawn_at = serializers.DateTimeField()
    groups = serializers.SerializerMethodField()
    left_out = serializers.SerializerMethodField()
    inspectors = serializers.SerializerMethodField(help_text="How many could be sent.")
    subject_pool_hash = serializers.CharField(help_text="SM3 of the frozen pool.")
    inspector_pool_hash = serializers.CharField(help_text="Salted SM3 of the inspectors.")
    pools_hash = serializers.SerializerMethodField(help_text="SM3 of both.")
    pool_hash = serializers.SerializerMethodField(help_text="SM3 of `SM3-sample-1:pools_hash:size,taken,…`.")
    commitment = serializers.SerializerMethodField(help_text="SM3 of the period's seed, published beforehand.")
    seed = serializers.SerializerMethodField(help_text="Empty until the month is over.")

    @extend_schema_field(ShareSerializer(many=True))
    def get_groups(self, run: DrawRun) -> Any:
        """Group by group."""
        return ShareSerializer(shares_of(run), many=True).data

    @extend_schema_field(LeftOutSerializer(many=True))
    def get_left_out(self, run: DrawRun) -> Any:
        """Reason and number."""
        return [{"reason": reason, "number": number} for reason, number in left_out_words(run.pools["left_out"])]

    def get_inspectors(self, run: DrawRun) -> int:
        """How many."""
        return len(run.pools["inspectors"])

    def _digests(self, run: DrawRun) -> dict[str, Any]:
        if not hasattr(run, "_digests"):
            run._digests = digests_of(run)  # type: ignore[attr-defined]
        return run._digests  # type: ignore[attr-defined,no-any-return]

    def get_pools_hash(self, run: DrawRun) -> str:
        """Of both pools."""
        made = self._digests(run)["draw"]
        return str(made.people) if made else ""

    def get_pool_hash(self, run: DrawRun) -> str:
        """Of the draw."""
        made = self._digests(run)["draw"]
        return str(made.pool_hash) if made else ""

    def get_commitment(self, run: DrawRun) -> str:
        """Of the seed."""
        period = self._digests(run)["period"]
        return str(period.commitment) if period else ""

    def get_seed(self, run: DrawRun) -> str:
        """Once it is revealed."""
        period = self._digests(run)["period"]
        return str(period.revealed_seed) if period else ""


class PlanRowSerializer(serializers.Serializer[Any]):
    """A plan in a list."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    office = serializers.CharField(source="office.__str__")
    sub_item = serializers.CharField(source="sub_item.name")
    sub_item_code = serializers.CharField(source="sub_item.code")
    month = serializers.CharField()
    planned_finish_on = serializers.DateField()
    area = serializers.CharField(source="area.name", default="", help_text="Empty: not narrowed.")
    ratio = serializers.IntegerField(allow_null=True, help_text="Hundredths of a percent; null: by risk class.")
    spare_months = serializers.IntegerField()
    is_key_field = serializers.BooleanField(source="keeps_ratio", help_text="No discount for a good class.")
    is_published = serializers.BooleanField()
    published_at = serializers.DateTimeField(allow_null=True)
    is_drawn = serializers.BooleanField()


class PlanSerializer(PlanRowSerializer):
    """A plan with its items and its draw."""

    business_items = serializers.SerializerMethodField()
    run = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_business_items(self, plan: DrawPlan) -> list[str]:
        """Their names."""
        return list(plan.business_items.order_by("name", "pk").values_list("name", flat=True))

    @extend_schema_field(RunSerializer(allow_null=True))
    def get_run(self, plan: DrawPlan) -> Any:
        """The draw, once made."""
        return RunSerializer(plan.run).data if plan.is_drawn else None


class PreviewSerializer(serializers.Serializer[Any]):
    """What a draw would find now; nothing is kept."""

    groups = ShareSerializer(many=True, source="shares")
    left_out = serializers.SerializerMethodField()
    inspectors = serializers.IntegerField()
    taken = serializers.IntegerField()

    @extend_schema_field(LeftOutSerializer(many=True))
    def get_left_out(self, found: Any) -> Any:
        """Reason and number."""
        return [{"reason": reason, "number": number} for reason, number in found.left_out]


class DrawnSerializer(serializers.Serializer[Any]):
    """Who was drawn, and who is sent; for the office."""

    order = serializers.IntegerField()
    position = serializers.IntegerField(help_text="In the frozen pool, from 0.")
    risk = serializers.CharField()
    subject = serializers.CharField(source="task.public_subject", help_text="Persons are masked.")
    task = serializers.CharField(source="task.number")
    status = serializers.CharField(source="task.status")
    first_officer = serializers.CharField(source="first_officer.full_name")
    second_officer = serializers.CharField(source="second_officer.full_name")


class PublicDrawnSerializer(serializers.Serializer[Any]):
    """Who was drawn, as everybody may read it."""

    name = serializers.SerializerMethodField(help_text="Persons are masked.")
    code = serializers.SerializerMethodField(help_text="Empty for persons.")
    result = serializers.SerializerMethodField(help_text="Of the check, once it is closed.")
    end = serializers.SerializerMethodField(help_text="How the task ended.")

    def get_name(self, one: DrawnSubject) -> str:
        """The public name."""
        return str(row_of(one)["name"])

    def get_code(self, one: DrawnSubject) -> str:
        """The organisation's code."""
        return str(row_of(one)["code"])

    def get_result(self, one: DrawnSubject) -> str:
        """In words."""
        return result_of(one.task)["label"]

    def get_end(self, one: DrawnSubject) -> str:
        """In words."""
        return result_of(one.task)["end"]


class PositionSerializer(serializers.Serializer[Any]):
    """A drawn position, without a name."""

    order = serializers.IntegerField()
    position = serializers.IntegerField(help_text="In the frozen pool, from 0.")


class PlanQuerySerializer(PageQuerySerializer):
    """What narrows the plans."""

    stage = serializers.ChoiceField(choices=[tab for tab in TABS if tab], required=False, default="")


class WantedSerializer(serializers.Serializer[Any]):
    """A plan as it is to be."""

    name = Said(max_length=400)
    sub_item = Said(max_length=40, help_text="Code of a sub-item of the office's department.")
    business_items = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=300,
        help_text="Codes of items that the office supervises.",
    )
    month = Said(max_length=7, help_text="`2026-10`, this month or up to twelve ahead.")
    planned_finish_on = SaidDay()
    area = serializers.CharField(required=False, allow_blank=True, default="", max_length=6, help_text="Division code.")
    is_key_field = serializers.BooleanField(required=False, default=False)
    ratio = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Hundredths of a percent; null: by risk class."
    )
    spare_months = serializers.IntegerField(required=False, default=6)

    def wanted(self) -> Wanted:
        """As the action takes it; what is unknown reaches it as nothing."""
        said = dict(self.validated_data)
        codes = set(said["business_items"])
        items = list(BusinessItem.objects.filter(code__in=codes))
        area = Division.objects.filter(code=said["area"]).first() if said["area"] else None
        if said["area"] and area is None:
            raise serializers.ValidationError({"area": ["没有这个区划。"]})
        return Wanted(
            **said
            | {
                "sub_item": SupervisionSubItem.objects.filter(code=said["sub_item"]).first(),
                "business_items": items if len(items) == len(codes) else [],
                "area": area,
            }
        )


class NewPlanSerializer(WantedSerializer):
    """A new plan of one of the person's offices."""

    client_key = serializers.UUIDField(help_text="Made by the caller. The same key gives the same plan.")
    office = serializers.IntegerField(
        help_text="Id of an office that the person manages or whose department they head."
    )


class RateSerializer(serializers.Serializer[Any]):
    """How much of a class is drawn, and how often."""

    risk = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the member of the answer
    ratio = serializers.IntegerField(help_text="Hundredths of a percent.")
    times_a_year = serializers.IntegerField(source="times")
    basis = serializers.CharField()
    is_own = serializers.SerializerMethodField(help_text="Set by the division, not built in.")

    def get_is_own(self, rate: sampling.Rate) -> bool:
        """Whether people set it."""
        return rate.rule is not None


class RateQuerySerializer(serializers.Serializer[Any]):
    """Of which division."""

    division = serializers.CharField(required=False, allow_blank=True, default="", max_length=6)


class NewRateSerializer(RateQuerySerializer):
    """A class's ratio as it is to be."""

    ratio = serializers.IntegerField(help_text="1 to 10000 hundredths of a percent.")
    times_a_year = serializers.IntegerField()
    basis = Said(max_length=400)


def _wanted(kind: type[WantedSerializer], data: Any) -> tuple[Wanted, dict[str, Any]]:
    """What was asked for, and the rest of the body."""
    if data is None:
        raise serializers.ValidationError({"non_field_errors": ["请求内容不能是 null。"]})
    found = kind(data=data)
    found.is_valid(raise_exception=True)
    rest = {name: found.validated_data.pop(name, None) for name in ("office", "client_key")}
    return found.wanted(), rest


# --- for the offices and the overseers


class PlanView(PortalView):
    """What every view of one plan does."""

    def own(self, pk: int) -> DrawPlan:
        """A plan that the person may act on; 404 otherwise, for overseers too."""
        return get_object_or_404(with_office(DrawPlan.objects.for_makers(self.access)), pk=pk)

    def readable(self, pk: int) -> DrawPlan:
        """A plan that the person may read; 404 otherwise."""
        return get_object_or_404(with_office(DrawPlan.objects.for_readers(self.access)), pk=pk)

    def shown(self, pk: int, status: int = 200) -> Response:
        """The plan as it now stands."""
        return Response(PlanSerializer(self.readable(pk)).data, status=status)


class PlansView(PlanView):
    """The plans."""

    roles = READERS

    @extend_schema(
        operation_id="listDrawPlans",
        summary="抽查计划 · Plans of random draws",
        description="Of the offices that the person manages or deputises for, of the departments the person heads, and "
        "for overseers of their divisions; newest first, 50 a page. `q`: name, sub-item, office or month.",
        tags=TAGS,
        parameters=[PlanQuerySerializer],
        responses=answers({200: paged(PlanRowSerializer, "DrawPlanPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(PlanQuerySerializer, request.query_params)
        rows = search(DrawPlan.objects.for_readers(self.access), asked["q"].strip()).filter(TABS[asked["stage"]])
        return page(with_office(rows), ("-id",), asked["cursor"], PlanRowSerializer)


class NewPlanView(PlanView):
    """制定."""

    roles = MAKERS

    @extend_schema(
        operation_id="makeDrawPlan",
        summary="制定抽查计划 · Make a plan",
        description="Not public yet. An office that is not the person's is 404. Idempotent by `client_key`: the same "
        "plan sent again with its key gives the one that it made, as it stands, with 200; another plan with that key "
        "is refused (409).",
        tags=TAGS,
        request=NewPlanSerializer,
        responses=answers(
            {
                201: OpenApiResponse(PlanSerializer, description="Made."),
                200: OpenApiResponse(PlanSerializer, description="This key made it before."),
            },
            *ACT,
        ),
    )
    def post(self, request: Request) -> Response:
        """Make it."""
        wanted, rest = _wanted(NewPlanSerializer, request.data)
        office: Office | None = next(
            (one for one in drawing.offices_for(self.access) if one.pk == rest["office"]), None
        )
        if office is None:
            raise NotFound
        key = rest["client_key"]
        known = DrawPlan.objects.filter(client_key=key).exists()
        plan = drawing.make_plan(office, wanted, by=self.user, now=self.now, key=key)
        return self.shown(plan.pk, 200 if known else 201)


class OnePlanView(PlanView):
    """One plan."""

    roles = READERS

    @extend_schema(
        operation_id="getDrawPlan",
        summary="查看抽查计划 · Read a plan",
        description="With its draw, once made.",
        tags=TAGS,
        responses=answers({200: PlanSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return the plan."""
        return self.shown(pk)


class ChangeView(PlanView):
    """修改."""

    roles = MAKERS

    @extend_schema(
        operation_id="changeDrawPlan",
        summary="修改抽查计划 · Change a plan that is not published",
        description="The whole plan anew. A published one is frozen (409).",
        tags=TAGS,
        request=WantedSerializer,
        responses=answers({200: PlanSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Change it."""
        plan = self.own(pk)
        wanted, _ = _wanted(WantedSerializer, request.data)
        return self.shown(drawing.change_plan(plan, wanted, by=self.user, now=self.now).pk)


class RemovalView(PlanView):
    """删除."""

    roles = MAKERS

    @extend_schema(
        operation_id="removeDrawPlan",
        summary="删除抽查计划 · Remove a plan that is not published",
        description="For good; what it said stays in the ledger. A published one stays (409).",
        tags=TAGS,
        request=None,
        responses=answers({204: OpenApiResponse(description="Removed. / 已删除。")}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Remove it."""
        drawing.remove_plan(self.own(pk), by=self.user, now=self.now)
        return Response(status=204)


class PublicationView(PlanView):
    """公布."""

    roles = MAKERS

    @extend_schema(
        operation_id="publishDrawPlan",
        summary="公布抽查计划 · Publish a plan, which freezes it",
        description="Everybody may read it from then on.",
        tags=TAGS,
        request=None,
        responses=answers({200: PlanSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Publish it."""
        return self.shown(drawing.publish_plan(self.own(pk), by=self.user, now=self.now).pk)


class DrawView(PlanView):
    """抽取."""

    roles = MAKERS

    @extend_schema(
        operation_id="drawDrawPlan",
        summary="抽取 · Draw a published plan, once, in its month",
        description="Both pools are frozen and hashed into the ledger, the month's secret seed decides, every drawn "
        "subject becomes a task; all or nothing. A second draw is a conflict (409).",
        tags=TAGS,
        request=None,
        responses=answers({200: PlanSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Draw it."""
        plan = self.own(pk)
        drawing.draw_plan(plan, by=self.user, now=self.now)
        return self.shown(pk)


class PreviewView(PlanView):
    """对象池预览."""

    roles = READERS

    @extend_schema(
        operation_id="previewDrawPlan",
        summary="对象池预览 · What a draw would find now",
        description="Nothing is kept, and nothing is drawn.",
        tags=TAGS,
        responses=answers({200: PreviewSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return the counts."""
        return Response(PreviewSerializer(preview(self.readable(pk), self.now)).data)


class DrawnView(PlanView):
    """抽中对象."""

    roles = READERS

    @extend_schema(
        operation_id="listDrawn",
        summary="抽中对象 · Who was drawn and who is sent",
        description="In the order of drawing, 50 a page; empty before the draw.",
        tags=TAGS,
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(DrawnSerializer, "DrawnPage")}, *READ, 422),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return a page; two statements."""
        asked = read(PageQuerySerializer, request.query_params)
        rows = DrawnSubject.objects.filter(run__plan=self.readable(pk)).select_related(
            "task__subject", "first_officer", "second_officer"
        )
        if asked["q"]:
            rows = rows.filter(task__subject_name__icontains=asked["q"])
        return page(rows, ("order",), asked["cursor"], DrawnSerializer)


# --- the table of ratios


class RatesView(PortalView):
    """The table of a division."""

    roles = (*READERS, Role.DIVISION_ADMIN)

    @extend_schema(
        operation_id="listSamplingRates",
        summary="抽查比例 · How much of each risk class is drawn",
        description="Of one of the person's divisions; without `division` the first.",
        tags=TAGS,
        parameters=[RateQuerySerializer],
        responses=answers({200: RateSerializer(many=True)}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return the five classes; two statements."""
        asked = read(RateQuerySerializer, request.query_params)["division"]
        ids = self.access.divisions(*MAKERS, Role.DIVISION_ADMIN)
        ids |= set(covered(self.access, Role.OVERSEER).values_list("pk", flat=True))
        divisions = Division.objects.filter(pk__in=ids).order_by("code")
        division = get_object_or_404(divisions, code=asked) if asked else divisions.first()
        if division is None:
            raise NotFound
        return Response(RateSerializer(sampling.table(division.pk).values(), many=True).data)


class RateView(PortalView):
    """One class."""

    roles = (Role.DIVISION_ADMIN,)

    @extend_schema(
        operation_id="setSamplingRate",
        summary="设定抽查比例 · Set how much of a class is drawn",
        description="By the division's administrators, with the basis; for draws from now on.",
        tags=TAGS,
        request=NewRateSerializer,
        responses=answers({200: RateSerializer}, *ACT),
    )
    def post(self, request: Request, risk: str) -> Response:
        """Set it."""
        said = read(NewRateSerializer, request.data)
        asked = said.pop("division")
        divisions = Division.objects.filter(pk__in=self.access.divisions(Role.DIVISION_ADMIN)).order_by("code")
        division = get_object_or_404(divisions, code=asked) if asked else divisions[0]
        if risk not in sampling.PROPOSED:
            raise NotFound
        sampling.set_rule(division, risk, **said, by=self.user, now=self.now)
        return Response(RateSerializer(sampling.table(division.pk)[risk]).data)


# --- for everybody


class PublicPlansView(PublicView):
    """The published plans."""

    @extend_schema(
        operation_id="listInspectionDraws",
        summary="双随机抽查公开 · Published plans",
        description="Newest first, 50 a page. `q`: name, sub-item, office or month.",
        tags=["public"],
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(PlanRowSerializer, "InspectionDrawPage")}, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(PageQuerySerializer, request.query_params)
        return page(search(public_plans(), asked["q"].strip()), ("-id",), asked["cursor"], PlanRowSerializer)


class PublicPlanView(PublicView):
    """One published plan."""

    @extend_schema(
        operation_id="getInspectionDraw",
        summary="抽查计划和抽取 · A published plan and its draw",
        description="With the digests, and the seed once the month is over: docs/mechanisms/inspection-draws.md.",
        tags=["public"],
        responses=answers({200: PlanSerializer}, 404),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return the plan."""
        return Response(PlanSerializer(get_object_or_404(public_plans(), pk=pk)).data)


class PublicDrawnView(PublicView):
    """Who was drawn."""

    @extend_schema(
        operation_id="listInspected",
        summary="抽中对象和检查结果 · Who was drawn, with the result",
        description="In no order of drawing, 50 a page. Never an inspector, never a risk class.",
        tags=["public"],
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(PublicDrawnSerializer, "InspectedPage")}, 404, 422),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return a page; two statements."""
        asked = read(PageQuerySerializer, request.query_params)
        plan = get_object_or_404(public_plans(), pk=pk)
        rows = drawn_of(plan.run) if plan.is_drawn else DrawnSubject.objects.none()
        return page(rows, BY_SUBJECT, asked["cursor"], PublicDrawnSerializer)


class PublicPositionsView(PublicView):
    """The drawn positions."""

    @extend_schema(
        operation_id="listDrawnPositions",
        summary="抽中位置 · The drawn positions, to be checked",
        description="In the order of drawing, without names, 50 a page.",
        tags=["public"],
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(PositionSerializer, "PositionPage")}, 404, 422),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return a page; two statements."""
        asked = read(PageQuerySerializer, request.query_params)
        plan = get_object_or_404(public_plans(), pk=pk)
        rows = positions_of(plan.run) if plan.is_drawn else DrawnSubject.objects.none()
        return page(rows, ("order",), asked["cursor"], PositionSerializer)


urlpatterns: list[URLPattern | URLResolver] = [
    path("draw-plans/", PlansView.as_view(), name="draw-plans"),
    path("draw-plans/new/", NewPlanView.as_view(), name="draw-plan-new"),
    path("draw-plans/<int:pk>/", OnePlanView.as_view(), name="draw-plan"),
    path("draw-plans/<int:pk>/change/", ChangeView.as_view(), name="draw-plan-change"),
    path("draw-plans/<int:pk>/removal/", RemovalView.as_view(), name="draw-plan-removal"),
    path("draw-plans/<int:pk>/publication/", PublicationView.as_view(), name="draw-plan-publication"),
    path("draw-plans/<int:pk>/drawing/", DrawView.as_view(), name="draw-plan-drawing"),
    path("draw-plans/<int:pk>/preview/", PreviewView.as_view(), name="draw-plan-preview"),
    path("draw-plans/<int:pk>/drawn/", DrawnView.as_view(), name="draw-plan-drawn"),
    path("sampling/", RatesView.as_view(), name="sampling"),
    path("sampling/<slug:risk>/", RateView.as_view(), name="sampling-rate"),
    path("inspection-draws/", PublicPlansView.as_view(), name="inspection-draws"),
    path("inspection-draws/<int:pk>/", PublicPlanView.as_view(), name="inspection-draw"),
    path("inspection-draws/<int:pk>/drawn/", PublicDrawnView.as_view(), name="inspection-draw-drawn"),
    path("inspection-draws/<int:pk>/positions/", PublicPositionsView.as_view(), name="inspection-draw-positions"),
]
