"""The catalogue's part of the API: the published business items and their full guides."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue import periods
from catalogue.enums import (
    Certainty,
    Handling,
    ItemKind,
    MaterialForm,
    PeriodStart,
    PeriodUnit,
    PromiseMode,
    Requirement,
    Topic,
)
from catalogue.models import BusinessItem, Linkage
from offices.api import PageQuerySerializer, PublicView, answers, page, paged, read


class ItemRowSerializer(serializers.Serializer[Any]):
    """A business item in the list."""

    code = serializers.CharField()
    name = serializers.CharField()
    approval_item = serializers.CharField(source="item.name")
    kind = serializers.ChoiceField(source="item.kind", choices=ItemKind.choices)
    kind_label = serializers.CharField(source="item.get_kind_display")
    division = serializers.CharField(source="item.division.code", help_text="Code of GB/T 2260, or the zone's own.")
    division_name = serializers.CharField(source="item.division.name")
    department = serializers.CharField(source="item.department.name")
    handling = serializers.ChoiceField(choices=Handling.choices)
    statutory_text = serializers.CharField(help_text="Empty where no law sets a period.")
    promised_text = serializers.CharField()
    promise_modes = serializers.ListField(child=serializers.ChoiceField(choices=PromiseMode.choices))
    key_item = serializers.IntegerField(
        source="item.key_number", allow_null=True, help_text="Number among the city's nine key items."
    )


class ItemPageQuerySerializer(PageQuerySerializer):
    """Search and filters of the list of items."""

    division = serializers.CharField(required=False, default="", allow_blank=True, max_length=6)
    kind = serializers.ChoiceField(choices=ItemKind.choices, required=False)


class StatementSerializer(serializers.Serializer[Any]):
    """A statement of the guide, with the place where it is written and how far that was read."""

    topic = serializers.ChoiceField(choices=Topic.choices)
    topic_label = serializers.CharField(source="get_topic_display")
    text = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    certainty = serializers.ChoiceField(choices=Certainty.choices)


class MaterialSerializer(serializers.Serializer[Any]):
    """A material to be handed in."""

    slot = serializers.CharField(source="pk", help_text="Names the material in intake, uploads and corrections.")
    name = serializers.CharField()
    requirement = serializers.ChoiceField(choices=Requirement.choices)
    condition_text = serializers.CharField(allow_blank=True)
    form = serializers.ChoiceField(choices=MaterialForm.choices)
    copies = serializers.IntegerField()
    waived_by_promise = serializers.BooleanField()
    deferrable = serializers.BooleanField()
    verifiable = serializers.BooleanField()
    later_allowed = serializers.BooleanField(help_text="A secondary paper that may follow the licence (容缺).")
    sample_text = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    certainty = serializers.ChoiceField(choices=Certainty.choices)


class DegreeSerializer(serializers.Serializer[Any]):
    """A degree of a criterion."""

    score = serializers.IntegerField()
    text = serializers.CharField()


class CriterionSerializer(serializers.Serializer[Any]):
    """裁量准则: what reviewers score, on what evidence, or what fails the application alone (O3.1.2d)."""

    id = serializers.IntegerField(source="pk", help_text="Names the criterion on a score sheet.")
    name = serializers.CharField()
    evidence = serializers.CharField()
    is_veto = serializers.BooleanField()
    max_score = serializers.IntegerField()
    grades = DegreeSerializer(many=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    certainty = serializers.ChoiceField(choices=Certainty.choices)


class WatcherSerializer(serializers.Serializer[Any]):
    """Who supervises after the licence, and what it looks at."""

    department = serializers.CharField(source="office.department.name")
    subject = serializers.CharField(source="sub_item.name")


class PeriodLineSerializer(serializers.Serializer[Any]):
    """A statement on the periods, with its source."""

    text = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    certainty = serializers.ChoiceField(choices=Certainty.choices)


class ExtensionSerializer(serializers.Serializer[Any]):
    """How far the statutory period may be extended, once, in its unit."""

    longest = serializers.IntegerField()
    allowed_by = serializers.CharField()
    legal_basis = serializers.CharField()


class ItemSerializer(ItemRowSerializer):
    """A business item with its full guide (O3.1.1a)."""

    version = serializers.IntegerField()
    review_office = serializers.CharField(source="review_office.name")
    statutory_length = serializers.IntegerField(allow_null=True)
    statutory_unit = serializers.ChoiceField(choices=PeriodUnit.choices, allow_blank=True)
    statutory_start = serializers.ChoiceField(
        choices=PeriodStart.choices, allow_blank=True, help_text="The event from which the law counts."
    )
    statutory_source = serializers.CharField(allow_blank=True)
    extension = ExtensionSerializer(allow_null=True, help_text="Null where the law allows none.")
    promised_length = serializers.IntegerField(
        allow_null=True, help_text="Working days from acceptance; never more than the law leaves."
    )
    promised_source = serializers.CharField(allow_blank=True)
    promised_exemption = serializers.CharField(allow_blank=True, help_text="Why it is over 5 working days.")
    reports_to_province = serializers.BooleanField()
    must_meet = serializers.BooleanField(help_text="Whether the applicant has to come in person (O4).")
    must_meet_reason = serializers.CharField(allow_blank=True)
    public_notice_days = serializers.IntegerField(allow_null=True, help_text="Working days before the decision.")
    public_notice_pauses_promise = serializers.BooleanField()
    public_notice_law = serializers.CharField(
        allow_blank=True, help_text="The law under which the notice stops the statutory period; empty: it does not."
    )
    periods = serializers.SerializerMethodField(
        help_text="The law's period, its extension and the promise; what is not counted stands among the statements."
    )
    period_note = serializers.CharField(allow_blank=True)
    promise_refusal = serializers.CharField(allow_blank=True, help_text="Why there is no promise way.")
    promise_clauses = serializers.ListField(child=serializers.CharField())
    result_name = serializers.CharField()
    validity_months = serializers.IntegerField(allow_null=True)
    validity_text = serializers.CharField(allow_blank=True)
    fee_text = serializers.CharField()
    standard = serializers.CharField(
        source="standard_item.code", default=None, allow_null=True, help_text="The city's standard that it follows."
    )
    statements = StatementSerializer(source="effective_facts", many=True)
    materials = MaterialSerializer(source="effective_materials", many=True)
    reviewers = serializers.IntegerField(help_text="How many score the case apart.")
    pass_mark = serializers.IntegerField(allow_null=True, help_text="Null where nothing is scored.")
    divergence = serializers.IntegerField(
        allow_null=True, help_text="Two sums so many points apart call the lead (牵头人会办)."
    )
    criteria = CriterionSerializer(source="effective_criteria", many=True)
    site_check = serializers.BooleanField(help_text="Whether two officers look on the spot (行政许可法 art. 34).")
    later_consequence = serializers.CharField(allow_blank=True, help_text="Empty: no 容缺 for this item.")
    supervision = serializers.SerializerMethodField()

    @extend_schema_field(PeriodLineSerializer(many=True))
    def get_periods(self, item: BusinessItem) -> Any:
        """The guide's statements, from the item's own columns."""
        return PeriodLineSerializer(periods.lines(item), many=True).data

    @extend_schema_field(WatcherSerializer(many=True))
    def get_supervision(self, item: BusinessItem) -> Any:
        """The active linkages."""
        return WatcherSerializer(Linkage.objects.for_item(item).active(), many=True).data


class ItemListView(PublicView):
    """The list of what can be applied for."""

    @extend_schema(
        operation_id="listItems",
        summary="业务办理项 · What can be applied for",
        description="Published business items, 50 a page. `q` finds by name, alias, pinyin initials or code, best "
        "first.",
        tags=["public"],
        parameters=[ItemPageQuerySerializer],
        responses=answers({200: paged(ItemRowSerializer, "ItemPage")}, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(ItemPageQuerySerializer, request.query_params)
        items = BusinessItem.objects.published().with_offices()
        if asked["division"]:
            items = items.filter(item__division__code=asked["division"])
        if asked.get("kind"):
            items = items.filter(item__kind=asked["kind"])
        if asked["q"]:
            return page(items.search(asked["q"]), ("rank", "name", "code"), asked["cursor"], ItemRowSerializer)
        return page(items, ("item__division__code", "code"), asked["cursor"], ItemRowSerializer)


class ItemView(PublicView):
    """One business item."""

    @extend_schema(
        operation_id="getItem",
        summary="办事指南 · The full guide of a business item",
        description="Basis, conditions, materials, procedure, periods, fee, result; every statement with its source, "
        "and `unverified` where the source has not been read.",
        tags=["public"],
        responses=answers({200: ItemSerializer}, 404),
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the guide; four statements."""
        item = get_object_or_404(BusinessItem.objects.published().with_offices(), code=code)
        return Response(ItemSerializer(item).data)
