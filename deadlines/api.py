"""The clocks' part of the API: explaining a period or a clock, the working calendar, a clock written in JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deadlines import calendar as working_calendar
from deadlines import owners, sights
from deadlines.enums import DayKind, EventKind, Light, State, Unit, YearStatus
from deadlines.explaining import (
    MOST_PAUSES,
    Explanation,
    NoSense,
    Row,
    Standing,
    Supposed,
    explain_many,
    read_pause,
    what_if,
)
from deadlines.kinds import KindCode
from deadlines.models import CalendarYear, Deadline
from deadlines.reading import event_day
from offices.api import READ, PortalView, PublicView, answers, read
from offices.models import Posting

Role = Posting.Role
COUNTED_UNITS = [(unit.value, unit.label) for unit in (Unit.WORKING, Unit.CALENDAR, Unit.MONTHS)]
MOST_DAYS = 3660


class DeadlineSerializer(serializers.Serializer[Any]):
    """A clock as it stands today. The context names the day: ``today``."""

    id = serializers.IntegerField(source="pk", help_text="For `deadlines/{id}/`, which explains it.")
    kind = serializers.ChoiceField(choices=KindCode.choices)
    label = serializers.CharField(source="get_kind_display")  # type: ignore[assignment]  # the field of the answer
    length_text = serializers.CharField(help_text="`5个工作日`, `60个自然日`, `6个月` or `固定日期`.")
    legal_basis = serializers.CharField()
    start_on = serializers.DateField(help_text="Day of the event; it is not counted.")
    due_on = serializers.DateField(
        help_text="The last day; overdue begins on the day after. While `paused`, as it was before the pause."
    )
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


class PublicDeadlineSerializer(DeadlineSerializer):
    """A clock as the applicant sees it; without the key that only people of the offices can use."""

    id = None  # type: ignore[assignment]


class ExplainQuerySerializer(serializers.Serializer[Any]):
    """What is to be counted."""

    start = serializers.CharField(
        max_length=40, help_text="Moment (`2026-09-28T15:00`) or day of the event, which is not counted."
    )
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, help_text="Length in `unit`.")
    unit = serializers.ChoiceField(choices=COUNTED_UNITS, required=False, default=Unit.WORKING.value)
    pause = serializers.ListField(
        child=serializers.CharField(max_length=260),
        required=False,
        default=list,
        max_length=MOST_PAUSES,
        help_text="May be repeated: `2026-10-12..2026-10-20:expert_review`, the day of the event that stops the clock, "
        "that of the one that resumes it, and the ground (optional). Not counted are the days after the first, up to "
        "and including the second. `named_law` names its law behind another colon.",
    )
    extension = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS, required=False, default=0, help_text="More of the same `unit`."
    )

    def validate_start(self, text: str) -> dt.date:
        """Read the day of the event."""
        day = event_day(text)
        if day is None:
            raise serializers.ValidationError("起算要写成 2026-09-28T15:00 或 2026-09-28 的样子。")
        return day

    def validate_pause(self, texts: list[str]) -> list[Supposed]:
        """Read the pauses."""
        try:
            return [read_pause(text) for text in texts]
        except NoSense as error:
            raise serializers.ValidationError(str(error)) from error


class DayLineSerializer(serializers.Serializer[Any]):
    """One day of the period."""

    day = serializers.DateField(source="first")
    weekday = serializers.CharField()
    standing = serializers.ChoiceField(choices=Standing.choices)
    counted = serializers.SerializerMethodField()
    number = serializers.IntegerField(allow_null=True, help_text="Its number in the period, if counted.")
    reason = serializers.CharField()
    provisional = serializers.BooleanField()
    is_due = serializers.BooleanField(help_text="Whether it is the last day.")

    def get_counted(self, row: Row) -> bool:
        """Whether it is counted."""
        return row.standing is Standing.COUNTED


class RuleSerializer(serializers.Serializer[Any]):
    """A rule of counting that was used."""

    text = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # the field of the answer


class CalendarNoteSerializer(serializers.Serializer[Any]):
    """A year of the working calendar that was counted by."""

    year = serializers.IntegerField()
    version = serializers.IntegerField(help_text="0: a year that is not held, counted by the law alone.")
    provisional = serializers.BooleanField()
    text = serializers.CharField()


class ExplanationSerializer(serializers.Serializer[Any]):
    """A period, day by day."""

    start_on = serializers.DateField()
    due_on = serializers.DateField()
    length_text = serializers.CharField(help_text="With its extension: `20个工作日，延长10个工作日，共30个工作日`.")
    provisional = serializers.SerializerMethodField(help_text="Whether a year of it has not been published yet.")
    provisional_note = serializers.CharField(source="provisional", allow_blank=True)
    rules = RuleSerializer(many=True)
    calendars = CalendarNoteSerializer(many=True)
    lines = DayLineSerializer(many=True, source="days")

    def get_provisional(self, explanation: Explanation) -> bool:
        """Whether the day is not certain yet."""
        return bool(explanation.provisional)


class ClockEventSerializer(serializers.Serializer[Any]):
    """An event of a clock in words."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    label = serializers.CharField()  # type: ignore[assignment]
    text = serializers.CharField()
    who = serializers.CharField(allow_blank=True, help_text="Only for overseers and discipline officers.")
    due_on = serializers.DateField(allow_null=True, help_text="The due date after it; null where it moved nothing.")


class StandstillSerializer(serializers.Serializer[Any]):
    """Why a clock stands still."""

    since = serializers.DateField(help_text="Day of the event; days are not counted from the day after.")
    why = serializers.CharField()
    estimate = serializers.IntegerField(allow_null=True, help_text="Working days that the applicant was told.")
    estimated_end = serializers.DateField(allow_null=True)
    due_on = serializers.DateField(help_text="The due date if it were resumed today.")
    text = serializers.CharField()


class ClockSerializer(ExplanationSerializer):
    """A clock with its days, its events and its rules, as its page shows them."""

    basis = serializers.CharField()
    still = StandstillSerializer(
        allow_null=True, help_text="While the clock stands still; `lines` then run as if it were resumed today."
    )
    caveat = serializers.CharField(allow_blank=True)
    events = ClockEventSerializer(many=True)


class PublicClockExplanationSerializer(ClockSerializer):
    """For the applicant. The context names the day: ``today``."""

    deadline = PublicDeadlineSerializer(source="clock")


class OwnerSerializer(serializers.Serializer[Any]):
    """Whose clock it is."""

    title = serializers.CharField()
    number = serializers.CharField(allow_blank=True)


class ClockExplanationSerializer(ClockSerializer):
    """For the offices. The context names the day (``today``) and the ``owner``."""

    deadline = DeadlineSerializer(source="clock")
    owner = serializers.SerializerMethodField()

    @extend_schema_field(OwnerSerializer)
    def get_owner(self, explanation: Explanation) -> Any:
        """What its case or task is called."""
        return OwnerSerializer(self.context["owner"]).data


class ExplainView(PublicView):
    """``manage.py explain_deadline``, as JSON."""

    @extend_schema(
        operation_id="explainDeadline",
        summary="期限逐日说明 · Explain a period day by day",
        description="Every day from the event to the due date: counted, passed over or paused, and why; the rules and "
        "the calendars used. The same as `manage.py explain_deadline`. A year without a calendar is refused with the "
        "code `calendar-missing`.",
        tags=["public"],
        parameters=[ExplainQuerySerializer],
        responses=answers({200: ExplanationSerializer}, 422),
    )
    def get(self, request: Request) -> Response:
        """Count."""
        asked = read(ExplainQuerySerializer, request.query_params)
        try:
            found = what_if(
                asked["start"],
                asked["days"],
                Unit(asked["unit"]),
                working_calendar.load(),
                pauses=asked["pause"],
                extension=asked["extension"],
            )
        except NoSense as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        return Response(ExplanationSerializer(found).data)


class ClockView(PortalView):
    """The page of a clock, as JSON."""

    roles = (*Posting.ACTING_ROLES, Role.DEPARTMENT_HEAD, Role.CREDIT_OFFICER, Role.OVERSEER, Role.DISCIPLINE)

    @extend_schema(
        operation_id="getDeadline",
        summary="期限说明 · Why a clock stands where it stands",
        description="For whoever may see the case, task or credit matter: its days, events, rules and calendars, "
        "as on its page. Officers are named to overseers and discipline officers only; a discipline officer's look is "
        "on the record.",
        tags=["clocks"],
        responses=answers({200: ClockExplanationSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Explain."""
        clock = get_object_or_404(Deadline, pk=pk)
        sight = sights.of([clock.stream], self.access).get(clock.stream)
        if sight is None or not sight.sees(pk):
            raise Http404
        if sight.note is not None:
            sight.note(self.now)
        found = explain_many([clock], self.today, names=sight.names).get(clock.pk)
        if found is None:
            raise Http404
        context = {"today": self.today, "owner": owners.names([clock.stream])[clock.stream]}
        return Response(ClockExplanationSerializer(found, context=context).data)


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
