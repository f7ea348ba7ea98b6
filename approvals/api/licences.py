"""证照管理: the licences of a decider's offices, and what is done to them after their issue."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.actions.licences import BY_HAND, change_licence
from approvals.enums import LicenceChangeKind
from approvals.models import Licence, LicenceChange
from approvals.views.licences import (
    ORDER,
    VALIDITY,
    fetch,
    holder_of,
    kinds_for,
    narrowed,
    rows_of,
    searched,
    with_rows,
    within,
)
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, answers, page, paged, read
from offices.models import Posting

OFFICE_TAGS = ["back office"]
HANDS = [(kind.value, kind.label) for kind in BY_HAND]


class ChangedSerializer(serializers.Serializer[Any]):
    """A field that changed."""

    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class LicenceChangeSerializer(serializers.Serializer[Any]):
    """What was done to a licence."""

    kind = serializers.ChoiceField(choices=LicenceChangeKind.choices)
    basis = serializers.CharField()
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()
    document = serializers.CharField(source="document.number", allow_null=True, default=None)
    fields_changed = serializers.SerializerMethodField()

    @extend_schema_field(ChangedSerializer(many=True))
    def get_fields_changed(self, change: LicenceChange) -> list[dict[str, str]]:
        """What was and what is."""
        return rows_of(change)


class LicenceRowSerializer(serializers.Serializer[Any]):
    """A licence in the list; persons are masked."""

    number = serializers.CharField()
    kind = serializers.CharField()
    item = serializers.CharField(source="case.business_item.name")
    case = serializers.CharField(source="case.number")
    holder = serializers.SerializerMethodField()
    content = serializers.CharField(allow_blank=True)
    issued_at = serializers.DateTimeField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=Licence.State.choices)
    deregistered_on = serializers.DateField(allow_null=True)

    def get_holder(self, licence: Licence) -> str:
        """The holder's name."""
        return holder_of(licence)["name"]


class LicenceDetailSerializer(LicenceRowSerializer):
    """With what was done to it and what may be done now."""

    may = serializers.SerializerMethodField()
    changes = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=HANDS)))
    def get_may(self, licence: Licence) -> list[str]:
        """The kinds of change that its state allows."""
        return [kind.value for kind in kinds_for(licence)]

    @extend_schema_field(LicenceChangeSerializer(many=True))
    def get_changes(self, licence: Licence) -> list[dict[str, Any]]:
        """Newest first."""
        rows = licence.changes.select_related("document").order_by("-id")
        return [dict(row) for row in LicenceChangeSerializer(rows, many=True).data]


class ChangeRequestSerializer(serializers.Serializer[Any]):
    """证照变动."""

    kind = Choice(choices=HANDS)
    basis = Said(max_length=300)
    reason = Said(max_length=2000)
    content = Said(max_length=500, required=False, default="", help_text="With `change`; empty: as it is.")
    holder_name = Said(max_length=120, required=False, default="", help_text="With `change`; empty: as it is.")
    valid_to = serializers.DateField(required=False, allow_null=True, default=None, help_text="With `renewal`.")


class LicencePageQuerySerializer(PageQuerySerializer):
    """Which licences."""

    state = serializers.ChoiceField(choices=Licence.State.choices, required=False, allow_blank=True, default="")
    validity = serializers.ChoiceField(choices=VALIDITY, required=False, allow_blank=True, default="")


class LicenceView(PortalView):
    """What every view of licences does."""

    roles = (Posting.Role.DECIDER,)


class LicenceListView(LicenceView):
    """证照管理."""

    @extend_schema(
        operation_id="listLicences",
        summary="证照管理 · Licences that the person's offices granted",
        tags=OFFICE_TAGS,
        parameters=[LicencePageQuerySerializer],
        responses=answers({200: paged(LicenceRowSerializer, "LicencePage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(LicencePageQuerySerializer, request.query_params)
        rows = narrowed(searched(within(self.access), asked["q"]), asked["state"], asked["validity"], self.today)
        return page(with_rows(rows), ORDER, asked["cursor"], LicenceRowSerializer)


class LicenceDetailView(LicenceView):
    """One licence."""

    @extend_schema(
        operation_id="getLicence",
        summary="证照详情 · One licence with its changes",
        tags=OFFICE_TAGS,
        responses=answers({200: LicenceDetailSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        return Response(LicenceDetailSerializer(fetch(self.access, number)).data)


class LicenceChangeView(LicenceView):
    """办理变动."""

    @extend_schema(
        operation_id="changeLicence",
        summary="证照变动 · Change, renew, suspend, resume, withdraw or deregister a licence",
        description="With basis and reason; the holder gets a paper and an SMS, open supervision tasks learn of it at "
        "once. Revoking has its own road (`revocations/`).",
        tags=OFFICE_TAGS,
        request=ChangeRequestSerializer,
        responses=answers({201: LicenceDetailSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Change it."""
        licence = fetch(self.access, number)
        change_licence(licence, **read(ChangeRequestSerializer, request.data), by=self.user, now=self.now)
        data = LicenceDetailSerializer(fetch(self.access, number)).data
        return Response(data, status=HTTPStatus.CREATED)
