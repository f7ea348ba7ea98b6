"""What applicants owe: taken in at the window, agreed on before the acceptance, settled by deciders (L8c, O3.1.3a)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.owing import allow_later, extend_later, hand_in, settle_later, settle_promise_lapse
from approvals.api.serializers import TICKS, CaseSerializer
from approvals.api.window import WindowView
from approvals.enums import CaseStatus, Door, MaterialState
from approvals.models import Case
from approvals.querysets import CaseQuerySet
from approvals.views.owed import TABS, clock_of, fetch, is_later, searched, with_rows
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting

Role = Posting.Role
WINDOW_TAGS, OFFICE_TAGS = ["window"], ["back office"]
QUEUES = [(tab.key or "overdue", tab.label) for tab in TABS]


class HandInSerializer(serializers.Serializer[Any]):
    """补交."""

    provided = serializers.DictField(
        child=serializers.ChoiceField(choices=TICKS),
        required=False,
        default=dict,
        help_text="Slot → `provided`; files that wait under `uploads/` count without it.",
    )


class LaterRequestSerializer(serializers.Serializer[Any]):
    """容缺."""

    slots = serializers.ListField(
        child=serializers.CharField(max_length=20), max_length=100, help_text="Missing secondary materials."
    )
    until = serializers.DateField(help_text="The written day, after the licence.")
    signer = Said(max_length=40, help_text="Who signs the paper that names the consequence.")


class PromiseSettlementSerializer(serializers.Serializer[Any]):
    """承诺逾期的处理."""

    cancel = serializers.BooleanField(help_text="`true` ends the handling without a licence.")
    reason = Said(max_length=500)
    until = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Another day, with `cancel: false` only."
    )


class LaterExtensionSerializer(serializers.Serializer[Any]):
    """容缺延期."""

    until = serializers.DateField()
    reason = Said(max_length=500)


class LaterSettlementSerializer(serializers.Serializer[Any]):
    """容缺逾期的处理."""

    apply = serializers.BooleanField(help_text="Whether the consequence on the paper applies.")
    reason = Said(max_length=500)


class OwedLineSerializer(serializers.Serializer[Any]):
    """A material that is owed."""

    name = serializers.CharField()
    state = serializers.ChoiceField(choices=MaterialState.choices)


class LapseSerializer(serializers.Serializer[Any]):
    """A promised day that passed, and what was decided on it."""

    due_on = serializers.DateField()
    cancel = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    until = serializers.DateField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class LaterSerializer(serializers.Serializer[Any]):
    """容缺: what was agreed, and what was decided after its day."""

    until = serializers.DateField()
    consequence = serializers.CharField()
    extended_to = serializers.DateField(allow_null=True)
    fulfilled_at = serializers.DateTimeField(allow_null=True)
    overdue_at = serializers.DateTimeField(allow_null=True)
    applied = serializers.BooleanField(allow_null=True)
    settle_reason = serializers.CharField(allow_blank=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class OwedSerializer(serializers.Serializer[Any]):
    """A decided case in which something is or was owed. The decision stands, so the applicant is named."""

    number = serializers.CharField()
    item = serializers.CharField(source="business_item.name")
    applicant = serializers.CharField(source="public_name", help_text="Persons are masked.")
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    kind = serializers.SerializerMethodField()
    owed = OwedLineSerializer(many=True, source="owed_lines")
    deadline = serializers.SerializerMethodField()
    lapses = serializers.SerializerMethodField()
    later = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=["deferred", "later"]))
    def get_kind(self, case: Case) -> str:
        """`deferred`: the papers first; `later`: the licence first."""
        return "later" if is_later(case) else "deferred"

    @extend_schema_field(DeadlineSerializer(allow_null=True))
    def get_deadline(self, case: Case) -> dict[str, Any] | None:
        """The clock of the debt."""
        clock = clock_of(case)
        return DeadlineSerializer(clock, context=self.context).data if clock else None

    @extend_schema_field(LapseSerializer(many=True))
    def get_lapses(self, case: Case) -> list[dict[str, Any]]:
        """Days that passed."""
        return list(LapseSerializer(case.promise_lapses.all(), many=True).data)

    @extend_schema_field(LaterSerializer(allow_null=True))
    def get_later(self, case: Case) -> dict[str, Any] | None:
        """What was agreed."""
        return dict(LaterSerializer(case.later_submission).data) if is_later(case) else None


class OwedPageQuerySerializer(PageQuerySerializer):
    """Which part of the list."""

    queue = serializers.ChoiceField(choices=QUEUES, required=False, default="overdue")


class HandInView(WindowView):
    """补交材料."""

    @extend_schema(
        operation_id="handInOwed",
        summary="补交材料 · Take in what was owed",
        description="The last deferred material of an approved case, in by its day, brings the licence in the same "
        "transaction. After the day it is taken in, late, and the licence waits for a decider. Until the decision an "
        "accepted case also takes in the required materials that it lacks, in the same way. Files come before, to "
        "`uploads/`.",
        tags=WINDOW_TAGS,
        request=HandInSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Take it in."""
        case = self.found(number)
        provided = read(HandInSerializer, request.data)["provided"]
        hand_in(case, provided=provided, by=self.user, door=Door.WINDOW, now=self.now)
        return self.shown(number)


class LaterView(WindowView):
    """容缺办理."""

    @extend_schema(
        operation_id="allowLater",
        summary="容缺办理 · Agree on what follows the licence",
        description="Before the acceptance, once: missing secondary materials of an item that offers it, by a written "
        "day after the licence.",
        tags=WINDOW_TAGS,
        request=LaterRequestSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Agree."""
        case = self.found(number)
        said = read(LaterRequestSerializer, request.data)
        allow_later(case, **said, by=self.user, now=self.now)
        return self.shown(number)


class OwedView(PortalView):
    """What every view of deciders on debts does."""

    roles = (Role.DECIDER,)

    def found(self, number: str) -> Case:
        """The case if it is within the decider's reach; 404 otherwise."""
        return fetch(self.access, number)

    def shown(self, number: str) -> Response:
        """The case as it now stands."""
        return Response(OwedSerializer(self.found(number), context={"today": self.today}).data)


class OwedListView(OwedView):
    """补交与逾期."""

    @extend_schema(
        operation_id="listOwed",
        summary="补交与逾期 · What applicants owe, and what waits for a decision on it",
        description="Decided cases of the person's offices. `overdue`: a day passed and nobody decided; `waiting`: "
        "owed and waited for; `settled`: decided. 50 a page. `q` finds by number, item or applicant.",
        tags=OFFICE_TAGS,
        parameters=[OwedPageQuerySerializer],
        responses=answers({200: paged(OwedSerializer, "OwedPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(OwedPageQuerySerializer, request.query_params)
        tab = next(one for one in TABS if (one.key or "overdue") == asked["queue"])
        rows: CaseQuerySet = with_rows(searched(tab.rows(self.access), asked["q"]))
        return page(rows, tab.order, asked["cursor"], OwedSerializer, today=self.today)


class OwedDetailView(OwedView):
    """One case."""

    @extend_schema(
        operation_id="getOwed",
        summary="补交详情 · What one applicant owes",
        tags=OFFICE_TAGS,
        responses=answers({200: OwedSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the case."""
        return self.shown(number)


class PromiseSettlementView(OwedView):
    """承诺逾期."""

    @extend_schema(
        operation_id="settlePromiseLapse",
        summary="处理承诺逾期 · Cancel the handling, or keep it going",
        description="By a decider of the office who did not take the case in, never by machine. Kept, with everything "
        "in meanwhile, the licence is issued at once.",
        tags=OFFICE_TAGS,
        request=PromiseSettlementSerializer,
        responses=answers({200: OwedSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Decide."""
        case = self.found(number)
        settle_promise_lapse(case, **read(PromiseSettlementSerializer, request.data), by=self.user, now=self.now)
        return self.shown(number)


class LaterExtensionView(OwedView):
    """容缺延期."""

    @extend_schema(
        operation_id="extendLater",
        summary="延长容缺补交期限 · Give what follows the licence another day",
        description="Once, before the written day is over.",
        tags=OFFICE_TAGS,
        request=LaterExtensionSerializer,
        responses=answers({200: OwedSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Extend."""
        case = self.found(number)
        extend_later(case, **read(LaterExtensionSerializer, request.data), by=self.user, now=self.now)
        return self.shown(number)


class LaterSettlementView(OwedView):
    """容缺逾期."""

    @extend_schema(
        operation_id="settleLater",
        summary="处理容缺逾期 · Decide whether the consequence applies",
        tags=OFFICE_TAGS,
        request=LaterSettlementSerializer,
        responses=answers({200: OwedSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Decide."""
        case = self.found(number)
        settle_later(case, **read(LaterSettlementSerializer, request.data), by=self.user, now=self.now)
        return self.shown(number)
