"""The clocks' part of the API: explaining a period, the working calendar, and how a clock is written in JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deadlines import arithmetic
from deadlines import calendar as working_calendar
from deadlines.enums import DayKind, Light, State, Unit, YearStatus
from deadlines.kinds import KindCode
from deadlines.models import CalendarYear, Deadline
from deadlines.reading import event_day
from offices.api import PublicView, answers, read

COUNTED_UNITS = [(unit.value, unit.label) for unit in (Unit.WORKING, Unit.CALENDAR, Unit.MONTHS)]
MOST_DAYS = 3660


class DeadlineSerializer(serializers.Serializer[Any]):
    """A clock as it stands today. The context names the day: ``today``."""

    kind = serializers.ChoiceField(choices=KindCode.choices)
    label = serializers.CharField(source="get_kind_display")  # type: ignore[assignment]  # the field of the answer
    length_text = serializers.CharField(help_text="`5个工作日`, `60个自然日`, `6个月` or `固定日期`.")
    legal_basis = serializers.CharField()
    start_on = serializers.DateField(help_text="Day of the event; it is not counted.")
    due_on = serializers.DateField(help_text="The last day. Overdue begins on the day after.")
    state = serializers.ChoiceField(choices=State.choices)
    light = serializers.SerializerMethodField(help_text="Never shown without its words and days.")
    light_text = serializers.SerializerMethodField()
    days_left = serializers.SerializerMethodField(help_text="Working days; negative when overdue.")
    overdue = serializers.SerializerMethodField()
    provisional_note = serializers.CharField(help_text="Said where the due date rests on an unpublished year.")

    def get_light(self, clock: Deadline) -> Light:
        """The light today."""
        return clock.light(self.context["today"])

    def get_light_text(self, clock: Deadline) -> str:
        """The words beside the light."""
        return clock.light_text(self.context["today"])

    def get_days_left(self, clock: Deadline) -> int:
        """Working days to the due date."""
        return clock.days_left(self.context["today"])

    def get_overdue(self, clock: Deadline) -> bool:
        """Whether it is late, or was met late."""
        return clock.is_overdue(self.context["today"])


class ExplainQuerySerializer(serializers.Serializer[Any]):
    """What is to be counted."""

    start = serializers.CharField(
        max_length=40, help_text="Moment (`2026-09-28T15:00`) or day of the event, which is not counted."
    )
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, help_text="Length in `unit`.")
    unit = serializers.ChoiceField(choices=COUNTED_UNITS, required=False, default=Unit.WORKING.value)

    def validate_start(self, text: str) -> dt.date:
        """Read the day of the event."""
        day = event_day(text)
        if day is None:
            raise serializers.ValidationError("起算要写成 2026-09-28T15:00 或 2026-09-28 的样子。")
        return day


class DayLineSerializer(serializers.Serializer[Any]):
    """One day of the period."""

    day = serializers.DateField()
    weekday = serializers.CharField()
    counted = serializers.BooleanField()
    number = serializers.IntegerField(allow_null=True, help_text="Its number in the period, if counted.")
    reason = serializers.CharField()
    provisional = serializers.BooleanField()


class ExplanationSerializer(serializers.Serializer[Any]):
    """A period, day by day."""

    start_on = serializers.DateField()
    due_on = serializers.DateField()
    provisional = serializers.BooleanField(help_text="Whether a year of it has not been published yet.")
    lines = DayLineSerializer(many=True)


class ExplainView(PublicView):
    """``manage.py explain_deadline``, as JSON."""

    @extend_schema(
        operation_id="explainDeadline",
        summary="期限逐日说明 · Explain a period day by day",
        description="Every day from the event to the due date: counted or not, and why. The same as "
        "`manage.py explain_deadline`. A year without a calendar is refused with the code `calendar-missing`.",
        tags=["public"],
        parameters=[ExplainQuerySerializer],
        responses=answers({200: ExplanationSerializer}, 422),
    )
    def get(self, request: Request) -> Response:
        """Count."""
        asked = read(ExplainQuerySerializer, request.query_params)
        lines = arithmetic.explain(asked["start"], asked["days"], Unit(asked["unit"]), working_calendar.load())
        found = {
            "start_on": asked["start"],
            "due_on": lines[-1].day,
            "provisional": any(line.provisional for line in lines),
            "lines": lines,
        }
        return Response(ExplanationSerializer(found).data)


class DaySerializer(serializers.Serializer[Any]):
    """One day of the working calendar."""

    day = serializers.DateField()
    is_working = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=DayKind.choices)
    name = serializers.CharField(allow_blank=True)


class CalendarYearSerializer(serializers.Serializer[Any]):
    """A year of the working calendar."""

    year = serializers.IntegerField()
    status = serializers.ChoiceField(choices=YearStatus.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    days = DaySerializer(many=True)


class CalendarView(PublicView):
    """A year of the working calendar."""

    @extend_schema(
        operation_id="getCalendarYear",
        summary="工作日历 · The working calendar of a year",
        description="Every day of the year: working or not, holidays and make-up days by name. Provisional years rest "
        "on weekends and statutory holidays only.",
        tags=["public"],
        responses=answers({200: CalendarYearSerializer}, 404),
    )
    def get(self, request: Request, year: int) -> Response:
        """Return the year; two statements."""
        found = get_object_or_404(CalendarYear.objects.prefetch_related("days"), year=year)
        return Response(
            CalendarYearSerializer(
                {
                    "year": found.year,
                    "status": found.status,
                    "source": found.source,
                    "version": found.version,
                    "days": found.days.all(),
                }
            ).data
        )
