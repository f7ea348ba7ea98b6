"""How a case is weighed, as the back office may read it: sheets by seat and not by name, no place, no officer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.blind import BlindCase
from approvals.enums import Seat
from approvals.models import Countersignature, Opinion, SiteCheck
from approvals.sheets import Result
from approvals.views.weighing_page import seats_of, wants_sheet
from catalogue.api import CriterionSerializer
from catalogue.models import BusinessItem
from offices.access import Access


class ScoreSerializer(serializers.Serializer[Any]):
    """A mark on a sheet."""

    criterion = serializers.IntegerField(source="criterion_id")
    name = serializers.CharField()
    points = serializers.IntegerField(allow_null=True)
    max_score = serializers.IntegerField()
    met = serializers.BooleanField(allow_null=True, help_text="Of a veto criterion.")
    evidence = serializers.CharField(allow_blank=True)


class SheetSerializer(serializers.Serializer[Any]):
    """A sheet that was given."""

    seat = serializers.ChoiceField(choices=Seat.choices)
    approve = serializers.BooleanField()
    text = serializers.CharField()
    total = serializers.IntegerField(allow_null=True)
    pass_mark = serializers.IntegerField(allow_null=True)
    given_at = serializers.DateTimeField()
    scores = ScoreSerializer(many=True)


class ArithmeticSerializer(serializers.Serializer[Any]):
    """What the sheets that count come to: the lead's, or the reviewers'."""

    totals = serializers.ListField(child=serializers.IntegerField())
    mean = serializers.CharField()
    pass_mark = serializers.IntegerField(allow_null=True)
    failed = serializers.ListField(child=serializers.CharField(), help_text="Veto criteria that are not met.")
    passes = serializers.BooleanField()


class SeatStateSerializer(serializers.Serializer[Any]):
    """A seat and whether its sheet is in."""

    label = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    state = serializers.CharField()


class CountersignedSerializer(serializers.Serializer[Any]):
    """The answer of an office that was asked."""

    office = serializers.CharField(source="office.name")
    asked_at = serializers.DateTimeField()
    agree = serializers.BooleanField(allow_null=True, help_text="Null: nobody has answered.")
    text = serializers.CharField(allow_blank=True)
    signed_at = serializers.DateTimeField(allow_null=True)


class FoundOnSiteSerializer(serializers.Serializer[Any]):
    """现场核查 as reviewers see it: neither who went nor where."""

    planned_on = serializers.DateField()
    conforms = serializers.BooleanField(allow_null=True, help_text="Null: not reported yet.")
    findings = serializers.CharField(allow_blank=True)
    done_at = serializers.DateTimeField(allow_null=True)


class WeighingSerializer(serializers.Serializer[Any]):
    """A ``BlindCase``, its item and its reader in the context: ``item``, ``access``."""

    criteria = serializers.SerializerMethodField(help_text="What a score sheet marks; empty where there is none.")
    seat = serializers.SerializerMethodField(help_text="The reader's own seat; empty: none.")
    seats = serializers.SerializerMethodField()
    sheets = serializers.SerializerMethodField(
        help_text="One's own; all once the opinion stands; both reviewers' for the lead."
    )
    result = serializers.SerializerMethodField(help_text="Of the opinion; null before it.")
    awaits_lead = serializers.SerializerMethodField(help_text="Two sheets are apart and nobody could be drawn.")
    countersignatures = serializers.SerializerMethodField()
    site_check_wanted = serializers.SerializerMethodField()
    site_check = serializers.SerializerMethodField(help_text="Null: none was planned.")

    def to_representation(self, instance: BlindCase) -> dict[str, Any]:
        """Read opinion and sheets once."""
        access: Access = self.context["access"]
        self._opinion = Opinion.objects.filter(case_id=instance.pk).first()
        self._scored = wants_sheet(self._item, instance)
        self._seats = seats_of(instance, access, self._opinion) if self._scored else None
        return super().to_representation(instance)

    @property
    def _item(self) -> BusinessItem:
        item: BusinessItem = self.context["item"]
        return item

    @extend_schema_field(CriterionSerializer(many=True))
    def get_criteria(self, case: BlindCase) -> Any:
        """The published criteria."""
        return CriterionSerializer(self._item.effective_criteria(), many=True).data if self._scored else []

    @extend_schema_field(serializers.ChoiceField(choices=Seat.choices, allow_blank=True))
    def get_seat(self, case: BlindCase) -> Any:
        """Where the reader sits."""
        return self._seats.mine if self._seats else ""

    @extend_schema_field(SeatStateSerializer(many=True))
    def get_seats(self, case: BlindCase) -> Any:
        """Every seat and whether its sheet is in."""
        return SeatStateSerializer(self._seats.states if self._seats else [], many=True).data

    @extend_schema_field(SheetSerializer(many=True))
    def get_sheets(self, case: BlindCase) -> Any:
        """What the reader may read."""
        return SheetSerializer(self._seats.shown if self._seats else [], many=True).data

    @extend_schema_field(ArithmeticSerializer(allow_null=True))
    def get_result(self, case: BlindCase) -> Any:
        """The arithmetic on which the opinion rests."""
        found = Result.of(self._seats.shown) if self._seats and self._opinion else None
        return ArithmeticSerializer(found).data if found else None

    def get_awaits_lead(self, case: BlindCase) -> bool:
        """Whether ``lead/`` may be asked for."""
        return bool(self._seats and self._seats.awaits_lead)

    @extend_schema_field(CountersignedSerializer(many=True))
    def get_countersignatures(self, case: BlindCase) -> Any:
        """The offices that were asked."""
        rows = Countersignature.objects.filter(case_id=case.pk).select_related("office")
        return CountersignedSerializer(rows, many=True).data

    def get_site_check_wanted(self, case: BlindCase) -> bool:
        """Whether the item asks for one."""
        return self._item.site_check

    @extend_schema_field(FoundOnSiteSerializer(allow_null=True))
    def get_site_check(self, case: BlindCase) -> Any:
        """What was found on the spot."""
        found = SiteCheck.objects.filter(case_id=case.pk).defer("place").first()
        if found is not None and found.done_at is None:
            found.conforms, found.findings = None, ""  # one of the two has not confirmed it yet
        return FoundOnSiteSerializer(found).data if found else None
