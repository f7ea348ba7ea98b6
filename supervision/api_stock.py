"""The API's addresses and views of 存量证照: a file looked through, loaded by a rule, and when clocks begin."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.exceptions import Refused
from approvals.upload_handler import CappedUploadHandler
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Division, Posting
from supervision import starting, stock
from supervision.actions import stocking
from supervision.models import StockBatch
from supervision.views_stock import ORDER, TABS

Role = Posting.Role
TAGS = ["supervision"]
STATES = [(tab or "all", tab or "all") for tab in TABS]
# So many faulty rows are told; all of them stand in the table that the page gives out.
TOLD = 500


class StockFaultSerializer(serializers.Serializer[Any]):
    """A row that cannot be loaded."""

    line = serializers.IntegerField()
    why = serializers.CharField()


class StockCountsSerializer(serializers.Serializer[Any]):
    """What became of the rows."""

    rows = serializers.IntegerField()
    done = serializers.IntegerField(help_text="Rows read so far.")
    licences = serializers.IntegerField()
    tasks = serializers.IntegerField()
    expired = serializers.IntegerField(help_text="Not in force on `valid_on`: loaded, no task.")
    unlinked = serializers.IntegerField(help_text="Without an active linkage: loaded, no task.")


class StockBatchSerializer(serializers.Serializer[Any]):
    """A batch of old licences; a worker loads it."""

    id = serializers.IntegerField()
    division = serializers.CharField(source="division.code")
    name = serializers.CharField()
    digest = serializers.CharField(help_text="SM3 of the file.")
    opens_tasks = serializers.BooleanField()
    valid_on = serializers.DateField(allow_null=True)
    counts = serializers.SerializerMethodField()
    faults = serializers.SerializerMethodField()
    loaded_by = serializers.CharField(source="loaded_by.full_name")
    loaded_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(StockCountsSerializer)
    def get_counts(self, batch: StockBatch) -> dict[str, Any]:
        """How far it is."""
        return dict(StockCountsSerializer(stocking.NOTHING | batch.counts).data)

    @extend_schema_field(StockFaultSerializer(many=True))
    def get_faults(self, batch: StockBatch) -> list[dict[str, Any]]:
        """Rows that were not loaded, the first 500."""
        return [dict(row) for row in StockFaultSerializer(batch.faults[:TOLD], many=True).data]


class StockFileSerializer(serializers.Serializer[Any]):
    """A file that was looked through; nothing of it is loaded yet."""

    division = serializers.CharField()
    digest = serializers.CharField(help_text="Names the file in `stock/`; it is kept for a day.")
    rows = serializers.IntegerField()
    good = serializers.IntegerField()
    unlinked = serializers.IntegerField(help_text="Good rows without an active linkage: no task.")
    faults = StockFaultSerializer(many=True, help_text="The first 500.")
    doubts = StockFaultSerializer(
        many=True, help_text="Good rows whose code is known under another name, the first 500; they are loaded."
    )


class StockFileRequestSerializer(serializers.Serializer[Any]):
    """A table of old licences."""

    division = Said(max_length=20, help_text="Code of a division that the person administers.")
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="CSV in UTF-8 or GBK, at most 20 MB and 100,000 rows."
    )


class StockLoadSerializer(serializers.Serializer[Any]):
    """The rule by which a file is loaded."""

    division = Said(max_length=20)
    digest = Said(max_length=64)
    name = Said(max_length=120)
    opens_tasks = serializers.BooleanField(help_text="Whether licences in force on `valid_on` become tasks.")
    valid_on = SaidDay(help_text="Required with `opens_tasks`.")


class StockQuerySerializer(PageQuerySerializer):
    """Which batches."""

    state = serializers.ChoiceField(choices=STATES, required=False, default="all")


class ClockStartSerializer(serializers.Serializer[Any]):
    """The first day of a kind of clock in a division."""

    division = serializers.CharField()
    kind = serializers.CharField(help_text="`acknowledge`, `planned_finish` or `feedback`.")
    starts_on = serializers.DateField(allow_null=True, help_text="null: from always.")


class ClockStartsSerializer(serializers.Serializer[Any]):
    """Every kind that may have a first day, in each division administered."""

    results = ClockStartSerializer(many=True)


class SetClockStartSerializer(serializers.Serializer[Any]):
    """A first day, or none."""

    division = Said(max_length=20)
    kind = Said(max_length=40, help_text="`acknowledge`, `planned_finish` or `feedback`.")
    starts_on = serializers.DateField(required=False, allow_null=True, default=None)


class StockView(PortalView):
    """Of the divisions that the person administers."""

    roles = (Role.DIVISION_ADMIN,)

    def own(self, code: str) -> Division:
        """A division that the person administers; 404 otherwise."""
        mine = Division.objects.filter(pk__in=self.access.divisions(Role.DIVISION_ADMIN))
        return get_object_or_404(mine, code=code)

    @property
    def batches(self) -> Any:
        """The batches of these divisions."""
        rows = StockBatch.objects.filter(division_id__in=self.access.divisions(Role.DIVISION_ADMIN))
        return rows.select_related("division", "loaded_by")


class StockFilesView(StockView):
    """A file."""

    parser_classes = (MultiPartParser,)  # type: ignore[assignment]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """No file may fill the disk before it is refused."""
        request.upload_handlers = [CappedUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="checkStockFile",
        summary="核对存量证照表格 · Look a table of old licences through",
        description="Every row is checked, none is loaded. The same file answers the same digest.",
        tags=TAGS,
        request={"multipart/form-data": StockFileRequestSerializer},
        responses=answers({200: StockFileSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Keep the file for a day and say what is in it."""
        said = read(StockFileRequestSerializer, request.data)
        division, file = self.own(said["division"]), said["file"]
        if file.size > min(stock.LARGEST, settings.UPLOAD_MAX_BYTES):
            raise Refused("stock-too-big", "文件超过 20 MB，请分成几个文件。", field="file")
        content = file.read()
        rows = stock.parse(content)
        catalogue = stock.known(division.pk, rows)
        stock.check(rows, catalogue, self.today)
        digest = stock.keep(content, division)
        good = [row for row in rows if not row.fault]
        body = {
            "division": division.code,
            "digest": digest,
            "rows": len(rows),
            "good": len(good),
            "unlinked": sum(1 for row in good if not catalogue.linked(row)),
            "faults": [{"line": row.line, "why": row.fault} for row in rows if row.fault][:TOLD],
            "doubts": [{"line": row.line, "why": row.doubt} for row in stock.doubt(rows)][:TOLD],
        }
        return Response(StockFileSerializer(body).data)


class StockListView(StockView):
    """存量证照."""

    @extend_schema(
        operation_id="listStockBatches",
        summary="存量证照批次 · Batches of old licences",
        description="Of the divisions administered, the newest first, 50 a page. `q` is part of a name.",
        tags=TAGS,
        parameters=[StockQuerySerializer],
        responses=answers({200: paged(StockBatchSerializer, "StockBatchPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(StockQuerySerializer, request.query_params)
        rows = self.batches.filter(TABS["" if asked["state"] == "all" else asked["state"]])
        if asked["q"]:
            rows = rows.filter(name__contains=asked["q"])
        return page(rows, ORDER, asked["cursor"], StockBatchSerializer)

    @extend_schema(
        operation_id="loadStock",
        summary="载入存量证照 · Load a file that was looked through",
        description="A worker loads it in chunks; `stock/{id}/` says how far it is. The same file twice is a conflict.",
        tags=TAGS,
        request=StockLoadSerializer,
        responses=answers({201: StockBatchSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Begin."""
        said = read(StockLoadSerializer, request.data)
        division, digest = self.own(said.pop("division")), said.pop("digest")
        if not stock.DIGEST.fullmatch(digest):
            raise NotFound
        batch = stocking.begin(division, digest, **said, by=self.user, now=self.now)
        return Response(StockBatchSerializer(batch).data, status=HTTPStatus.CREATED)


class StockDetailView(StockView):
    """One batch."""

    @extend_schema(
        operation_id="getStockBatch",
        summary="存量证照批次详情 · How far a batch is, and what was not loaded",
        tags=TAGS,
        responses=answers({200: StockBatchSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return Response(StockBatchSerializer(get_object_or_404(self.batches, pk=pk)).data)


class ClockStartsView(StockView):
    """期限启用日期."""

    def shown(self) -> Response:
        """Every kind in every division, as it now stands; two statements."""
        mine = list(Division.objects.filter(pk__in=self.access.divisions(Role.DIVISION_ADMIN)).order_by("code"))
        days = starting.load(starting.KINDS_THAT_START).days
        rows = [
            {"division": one.code, "kind": kind.value, "starts_on": days.get((one.pk, kind.value))}
            for one in mine
            for kind in starting.KINDS_THAT_START
        ]
        return Response(ClockStartsSerializer({"results": rows}).data)

    @extend_schema(
        operation_id="listClockStarts",
        summary="期限启用日期 · From which day each kind of clock runs",
        tags=TAGS,
        responses=answers({200: ClockStartsSerializer}, *READ),
    )
    def get(self, request: Request) -> Response:
        """Return them."""
        return self.shown()

    @extend_schema(
        operation_id="setClockStart",
        summary="设定期限启用日期 · Set the first day of a kind of clock, or take it back",
        description="Clocks that run stay as they are; what happened before counts as of that day.",
        tags=TAGS,
        request=SetClockStartSerializer,
        responses=answers({200: ClockStartsSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Set."""
        said = read(SetClockStartSerializer, request.data)
        division = self.own(said["division"])
        starting.set_start(division, said["kind"], said["starts_on"], by=self.user, now=self.now)
        return self.shown()


urlpatterns: list[URLPattern | URLResolver] = [
    path("stock/", StockListView.as_view(), name="stock-batches"),
    path("stock/files/", StockFilesView.as_view(), name="stock-files"),
    path("stock/starts/", ClockStartsView.as_view(), name="stock-starts"),
    path("stock/<int:pk>/", StockDetailView.as_view(), name="stock-batch"),
]
