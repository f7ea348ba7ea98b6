"""The calendar office's part of the API: the years for everybody, proposing and publishing for the city."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deadlines import owners
from deadlines.arithmetic import Calendar
from deadlines.enums import DayKind, DraftOrigin, DraftStatus, YearStatus
from deadlines.errors import Conflict, DeadlineError
from deadlines.forms_calendar import MOST_ROWS, Fault
from deadlines.kinds import KindCode
from deadlines.models import CalendarDraft, CalendarMove, CalendarYear
from deadlines.notice import LARGEST, NAME_LENGTH, SOURCE_LENGTH, YEARS, typed_year
from deadlines.office import check_again, discard, draft_year, import_file, propose, publish
from deadlines.views_calendar.desk import publishes
from deadlines.views_calendar.drafts import DIRECTIONS, ORDER, UNREAD, calendar_with, moved_text, narrowed
from offices.api import (
    ACT,
    READ,
    PageQuerySerializer,
    PortalView,
    Problem,
    PublicView,
    answers,
    page,
    paged,
    read,
)
from offices.models import Posting

TAGS = ["calendar office"]


# --- the years, for everybody


class YearRowSerializer(serializers.Serializer[Any]):
    """A year of the working calendar without its days."""

    year = serializers.IntegerField()
    status = serializers.ChoiceField(choices=YearStatus.choices)
    version = serializers.IntegerField(help_text="Grows with every change of the year.")
    source = serializers.CharField()  # type: ignore[assignment]
    published_at = serializers.DateTimeField(help_text="Since when this version stands.")
    working_days = serializers.IntegerField()
    days_off = serializers.IntegerField(help_text="By the notice; plain weekends are not among them.")
    makeup_days = serializers.IntegerField()


class CalendarYearsView(PublicView):
    """The years held."""

    @extend_schema(
        operation_id="listCalendarYears",
        summary="工作日历各年 · The years of the working calendar",
        description="Every year held, the newest first: official (by the State Council's notice) or provisional "
        "(weekends and statutory holidays only; due dates that touch it say so).",
        tags=["public"],
        responses=answers({200: YearRowSerializer(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """Return the years; one statement."""
        years = CalendarYear.objects.annotate(
            working_days=Count("days", filter=Q(days__is_working=True)),
            days_off=Count("days", filter=Q(days__kind=DayKind.HOLIDAY)),
            makeup_days=Count("days", filter=Q(days__kind=DayKind.MAKEUP)),
        ).order_by("-year")
        return Response(YearRowSerializer(years, many=True).data)


# --- drafts, for the city's administrator


class DraftRowSerializer(serializers.Serializer[Any]):
    """A proposed year and how far its preview or its publication is."""

    id = serializers.IntegerField(source="pk")
    year = serializers.IntegerField()
    status = serializers.ChoiceField(choices=DraftStatus.choices)
    status_label = serializers.CharField(source="get_status_display")
    year_status = serializers.ChoiceField(choices=YearStatus.choices, help_text="What the year would be.")
    source = serializers.CharField()  # type: ignore[assignment]
    origin = serializers.ChoiceField(choices=DraftOrigin.choices)
    percent = serializers.IntegerField(help_text="While `checking` or `applying`.")
    total = serializers.IntegerField(help_text="Open clocks that touch the year.")
    looked_at = serializers.IntegerField()
    moving = serializers.IntegerField(help_text="Clocks that the year would move.")
    moved = serializers.IntegerField(help_text="Clocks that it did move.")
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class DraftSerializer(DraftRowSerializer):
    """A proposed year with its days and doubts."""

    off = serializers.DictField(child=serializers.CharField(), help_text="Day → name of the days off.")
    makeup = serializers.DictField(child=serializers.CharField(), help_text="Day → name of the make-up working days.")
    doubts = serializers.ListField(
        child=serializers.CharField(), help_text="To be read before publishing; see `doubts_read`."
    )
    stale = serializers.BooleanField(
        source="is_stale", help_text="The year was changed since the preview: check again before publishing."
    )


class OffSerializer(serializers.Serializer[Any]):
    """Days off in a row."""

    first = serializers.DateField()
    last = serializers.DateField()
    name = serializers.CharField(max_length=NAME_LENGTH)


class MakeupSerializer(serializers.Serializer[Any]):
    """A make-up working day."""

    day = serializers.DateField()
    name = serializers.CharField(max_length=NAME_LENGTH)


class ProposalSerializer(serializers.Serializer[Any]):
    """One of three: `content` (a file as text), `off` and `makeup` of a `year`, or `provisional: true` for a `year`."""

    file_name = serializers.CharField(required=False, default="安排", max_length=100, help_text="For the messages.")
    content = serializers.CharField(
        required=False,
        max_length=LARGEST,
        trim_whitespace=False,
        help_text="CSV (`year,from,to,kind,name,notice`) or JSON as `holiday-cn` has it; may hold several years.",
    )
    year = serializers.IntegerField(required=False, min_value=YEARS.start, max_value=YEARS.stop - 1)
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=SOURCE_LENGTH, help_text="Title and number of the State Council's notice."
    )
    off = serializers.ListField(child=OffSerializer(), required=False, max_length=MOST_ROWS)
    makeup = serializers.ListField(child=MakeupSerializer(), required=False, default=list, max_length=MOST_ROWS)
    provisional = serializers.BooleanField(
        required=False, default=False, help_text="As a public package has the year, else by the law alone."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """One way, with all it takes."""
        ways = ["content" in data, "off" in data, bool(data["provisional"])]
        if sum(ways) != 1:
            raise serializers.ValidationError("请给出 content（文件内容）、off（逐段安排）或 provisional（暂定）之一。")
        if not ways[0] and "year" not in data:
            raise serializers.ValidationError({"year": "请写明年份。"})
        if ways[1] and "source" not in data:
            raise serializers.ValidationError({"source": "请写明国务院办公厅通知的名称和文号。"})
        return data


class PublicationSerializer(serializers.Serializer[Any]):
    """The word that each doubt was held against the notice."""

    doubts_read = serializers.BooleanField(required=False, default=False)


class MoveQuerySerializer(PageQuerySerializer):
    """Which moves; `q` is the full number of a case or task."""

    kind = serializers.ChoiceField(choices=KindCode.choices, required=False, default="", allow_blank=True)
    direction = serializers.ChoiceField(choices=DIRECTIONS, required=False, default="", allow_blank=True)


class MoveListSerializer(serializers.ListSerializer[Any]):
    """A page of moves: their owners are named together."""

    def to_representation(self, data: Any) -> list[Any]:
        """Ask for the names of this page's owners, one statement a kind of owner."""
        rows = list(data)
        context = cast("dict[str, Any]", self.context)
        context["owners"] = owners.names(row.deadline.stream for row in rows)
        return super().to_representation(rows)


class MoveSerializer(serializers.Serializer[Any]):
    """A clock that the year moves. The context has the ``calendar`` as it would stand."""

    deadline = serializers.IntegerField(source="deadline_id")
    kind = serializers.ChoiceField(choices=KindCode.choices, source="deadline.kind")
    kind_label = serializers.CharField(source="deadline.get_kind_display")
    title = serializers.SerializerMethodField(help_text="What the case or task is called.")
    number = serializers.SerializerMethodField()
    before = serializers.DateField()
    after = serializers.DateField()
    text = serializers.SerializerMethodField(help_text="`推后 3 个工作日`.")
    applied_at = serializers.DateTimeField(allow_null=True, help_text="Null until the clock was really moved.")

    class Meta:
        list_serializer_class = MoveListSerializer

    def _owner(self, move: CalendarMove) -> owners.Owner:
        known: dict[str, owners.Owner] = self.context["owners"]
        return known[move.deadline.stream]

    def get_title(self, move: CalendarMove) -> str:
        """The owner's title."""
        return self._owner(move).title

    def get_number(self, move: CalendarMove) -> str:
        """The owner's number."""
        return self._owner(move).number

    def get_text(self, move: CalendarMove) -> str:
        """How far, in working days."""
        calendar: Calendar = self.context["calendar"]
        return moved_text(move.before, move.after, calendar)


DRAFTS = inline_serializer("Drafts", {"results": DraftSerializer(many=True)})
GONE = {204: OpenApiResponse(description="Discarded. / 已作废。")}


class CityView(PortalView):
    """For the division administrator of the city; to everybody else there is no such address."""

    roles: ClassVar[tuple[str, ...]] = (Posting.Role.DIVISION_ADMIN,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at the level of the division, too."""
        super().initial(request, *args, **kwargs)
        if not publishes(self.access):
            raise exceptions.NotFound

    def draft(self, pk: int) -> CalendarDraft:
        """The draft; 404 for none."""
        return get_object_or_404(CalendarDraft, pk=pk)


class DraftsView(CityView):
    """All drafts; a new one."""

    @extend_schema(
        operation_id="listCalendarDrafts",
        summary="年度安排草稿 · Proposed years",
        description="The newest first.",
        tags=TAGS,
        parameters=[PageQuerySerializer],
        responses=answers({200: paged(DraftRowSerializer, "DraftPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(PageQuerySerializer, request.query_params)
        return page(CalendarDraft.objects.all(), ("-id",), asked["cursor"], DraftRowSerializer)

    @extend_schema(
        operation_id="proposeCalendarYear",
        summary="起草年度安排 · Propose a year",
        description="From a file, from ranges, or provisionally. A draft changes nothing: the worker works out which "
        "running deadlines it would move; read it until it is `ready`, then publish or discard it. `notice-invalid` "
        "names the line or the day at fault, also where nothing would change; an open draft of the year is a conflict.",
        tags=TAGS,
        request=ProposalSerializer,
        responses=answers({201: DRAFTS}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Propose."""
        asked = read(ProposalSerializer, request.data)
        try:
            made = self._propose(asked)
        except Conflict:
            raise
        except DeadlineError as error:
            raise _invalid(str(error), typed="off" in asked) from error
        return Response({"results": DraftSerializer(made, many=True).data}, status=HTTPStatus.CREATED)

    def _propose(self, asked: dict[str, Any]) -> list[CalendarDraft]:
        told: dict[str, Any] = {"by": self.user, "now": self.now}
        if "content" in asked:
            return import_file(asked["file_name"], asked["content"].encode(), **told)
        if asked["provisional"]:
            return [propose(asked["year"], **told)]
        off = [(one["first"], one["last"], one["name"]) for one in asked["off"]]
        makeup: list[tuple[dt.date, str]] = [(one["day"], one["name"]) for one in asked["makeup"]]
        return [draft_year(typed_year(asked["year"], off, makeup, asked["source"]), **told)]


def _invalid(text: str, *, typed: bool) -> Problem:
    """The refusal as a problem, with the field at fault where it can be told."""
    fault = Fault.of(text) if typed else None
    field = f"{fault.rows}.{fault.number}.{fault.name}" if fault else "" if typed else "content"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "notice-invalid", text, field=field)


class DraftView(CityView):
    """One draft."""

    @extend_schema(
        operation_id="getCalendarDraft",
        summary="查看草稿 · A proposed year",
        description="Its days, its doubts, and how far the worker is with the preview or the publication.",
        tags=TAGS,
        responses=answers({200: DraftSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return Response(DraftSerializer(self.draft(pk)).data)

    @extend_schema(
        operation_id="discardCalendarDraft",
        summary="作废草稿 · Discard a proposed year",
        description="Before it is published. The working calendar stays as it is.",
        tags=TAGS,
        responses=answers(GONE, 401, 404, 409),
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Give it up."""
        discard(self.draft(pk), by=self.user, now=self.now)
        return Response(status=HTTPStatus.NO_CONTENT)


class MovesView(CityView):
    """The clocks that a draft moves."""

    @extend_schema(
        operation_id="listCalendarMoves",
        summary="会变动的期限 · Deadlines that a year moves",
        description="From when to when, in the order of the clocks; complete once the draft is `ready`. After the "
        "publication `applied_at` says which really moved.",
        tags=TAGS,
        parameters=[MoveQuerySerializer],
        responses=answers({200: paged(MoveSerializer, "MovePage")}, *READ, 422),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return a page; a constant number of statements."""
        draft = self.draft(pk)
        asked = read(MoveQuerySerializer, request.query_params)
        rows = narrowed(
            CalendarMove.objects.filter(draft=draft), q=asked["q"], kind=asked["kind"], direction=asked["direction"]
        )
        return page(rows, ORDER, asked["cursor"], MoveSerializer, calendar=calendar_with(draft))


class PublicationView(CityView):
    """Publishing a draft."""

    @extend_schema(
        operation_id="publishCalendarYear",
        summary="发布年度安排 · Publish a year",
        description="The year stands at once; the worker then moves its deadlines, each with an event and a ledger "
        "entry, and tells those concerned. A draft with doubts takes `doubts_read: true` (`doubts-unread`). A preview "
        "that is stale or not complete is a conflict.",
        tags=TAGS,
        request=PublicationSerializer,
        responses=answers({200: DraftSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Publish."""
        draft = self.draft(pk)
        asked = read(PublicationSerializer, request.data)
        if draft.status == DraftStatus.READY and draft.doubts and not asked["doubts_read"]:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "doubts-unread", UNREAD, field="doubts_read")
        return Response(DraftSerializer(publish(draft, by=self.user, now=self.now)).data)


class CheckView(CityView):
    """Previewing a draft once more."""

    @extend_schema(
        operation_id="checkCalendarDraft",
        summary="重新预览 · Preview once more",
        description="Against the year and the deadlines as they stand now.",
        tags=TAGS,
        request=None,
        responses=answers({200: DraftSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Preview."""
        return Response(DraftSerializer(check_again(self.draft(pk), by=self.user, now=self.now)).data)
