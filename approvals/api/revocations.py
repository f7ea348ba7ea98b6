"""撤销许可: proposals, the holder's hearing and the decision (L10c), for deciders and for who chairs a hearing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import progress
from approvals.actions.revoking import (
    CHAIRS,
    decide_revocation,
    give_notice,
    give_notice_anew,
    hear_holder,
    plan_hearing,
    record_hearing,
    supervisors_of,
)
from approvals.api.door import FAULTS, PermittedSerializer, PermittedView
from approvals.api.public import TAGS, ProgressSerializer
from approvals.api.serializers import CaseSerializer
from approvals.api.window import TAGS as WINDOW_TAGS
from approvals.api.window import WindowView
from approvals.enums import Door, HearingWish, RevocationGround, RevocationStatus
from approvals.exceptions import Refused
from approvals.models import Licence, Revocation
from approvals.views.revocations import ACTS as REVOCATION_ACT_KEYS
from approvals.views.revocations import TABS, acts_of, fetch, holder_of, searched, with_rows
from approvals.views.window.statement import NOTHING, panel
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting, User

Role = Posting.Role
OFFICE_TAGS = ["back office"]
BARS = [("yes", "属于"), ("no", "不属于")]
QUEUES = [(tab.key or "received", tab.label) for tab in TABS]
REVOCATION_ACTS = list(REVOCATION_ACT_KEYS)
ACT_CHOICES = [(act, act) for act in REVOCATION_ACTS]


class EvidenceSerializer(serializers.Serializer[Any]):
    """What supervision put forward."""

    label = serializers.CharField()  # type: ignore[assignment]
    text = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True, help_text="Page of the paper; empty: none.")


class RevokedLicenceSerializer(serializers.Serializer[Any]):
    """The licence in question."""

    number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Licence.State.choices)
    deregistered_on = serializers.DateField(allow_null=True)


class RevocationSerializer(serializers.Serializer[Any]):
    """A proposal to revoke. It is after the grant, so the holder is named; persons are masked."""

    id = serializers.IntegerField()
    case = serializers.CharField(source="case.number")
    licence = RevokedLicenceSerializer()
    holder = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=RevocationStatus.choices)
    proposed_by = serializers.CharField(source="proposed_by_name")
    task = serializers.CharField(source="source_number")
    facts = serializers.CharField()
    evidence = EvidenceSerializer(many=True)
    broken_promise = serializers.BooleanField()
    received_at = serializers.DateTimeField()
    deadline = serializers.SerializerMethodField()
    answer_deadline = serializers.SerializerMethodField()
    hearing_deadline = serializers.SerializerMethodField()
    noticed_at = serializers.DateTimeField(allow_null=True)
    notice = serializers.SerializerMethodField()
    statement = serializers.CharField(allow_blank=True)
    waiver = serializers.CharField(allow_blank=True)
    hearing_asked_at = serializers.DateTimeField(allow_null=True)
    hearing_on = serializers.DateField(allow_null=True)
    hearing_place = serializers.CharField(allow_blank=True)
    hearing_record = serializers.CharField(allow_blank=True)
    revoke = serializers.BooleanField(allow_null=True)
    ground = serializers.ChoiceField(choices=RevocationGround.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    public_interest = serializers.CharField(allow_blank=True)
    compensation = serializers.CharField(allow_blank=True)
    barred_until = serializers.DateField(allow_null=True, help_text="Last day without a new application (art. 79).")
    decided_at = serializers.DateTimeField(allow_null=True)
    acts = serializers.SerializerMethodField()

    def get_holder(self, one: Revocation) -> str:
        """The holder's name."""
        return holder_of(one)["name"]

    def get_notice(self, one: Revocation) -> str:
        """The number of the newest notice; empty: none was given."""
        return one.notice.number if one.notice is not None else ""

    def _clock(self, clock: Any) -> dict[str, Any] | None:
        return dict(DeadlineSerializer(clock, context=self.context).data) if clock else None

    @cached_property
    def _barred(self) -> Mapping[str, set[int]]:
        """Who had a part in the tasks behind the one that is shown, or behind all of the list."""
        shown = self.instance if self.parent is None else self.parent.instance
        return supervisors_of([shown] if isinstance(shown, Revocation) else list(shown or ()))

    @extend_schema_field(DeadlineSerializer)
    def get_deadline(self, one: Revocation) -> dict[str, Any] | None:
        """The clock of the proposal."""
        return self._clock(one.deadline)

    @extend_schema_field(DeadlineSerializer(allow_null=True))
    def get_answer_deadline(self, one: Revocation) -> dict[str, Any] | None:
        """The holder's days to answer."""
        return self._clock(one.answer_deadline)

    @extend_schema_field(DeadlineSerializer(allow_null=True))
    def get_hearing_deadline(self, one: Revocation) -> dict[str, Any] | None:
        """By when the hearing has to be held."""
        return self._clock(one.hearing_deadline)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=ACT_CHOICES)))
    def get_acts(self, one: Revocation) -> list[str]:
        """What this person may do now."""
        may = acts_of(one, self.context["access"], self.context["today"], self._barred[one.source])
        return [act for act, open_now in may.items() if open_now]


class NoticeSerializer(serializers.Serializer[Any]):
    """撤销行政许可告知书."""

    ground = Choice(choices=RevocationGround.choices)
    facts = Said(max_length=4000)
    days = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Working days to answer: 5 to 20."
    )
    replaces = Said(
        max_length=60,
        required=False,
        default="",
        help_text="Number of the notice whose place it takes (`notice`), to tell another ground or other facts.",
    )


class HearSerializer(serializers.Serializer[Any]):
    """陈述、申辩."""

    text = Said(max_length=4000)
    wish = Choice(choices=HearingWish.choices, help_text="`later`, `ask` (a hearing) or `waive` (in writing).")
    waiver = Said(max_length=300, required=False, default="", help_text="Required with `waive`: who signed when.")


class PlanSerializer(serializers.Serializer[Any]):
    """听证的安排."""

    on = SaidDay(help_text="A working day, at least seven working days ahead, within twenty of the request.")
    place = Said(max_length=120)
    chair = Said(max_length=150, help_text="Username: of the department, no part in the case or the revocation.")


class RecordSerializer(serializers.Serializer[Any]):
    """听证笔录."""

    record = Said(max_length=20000)


class RevocationDecisionSerializer(serializers.Serializer[Any]):
    """撤销或者不予撤销 (行政许可法 art. 69)."""

    revoke = serializers.BooleanField()
    ground = Choice(choices=RevocationGround.choices, required=False, default="")
    reason = Said(max_length=4000)
    public_interest = Said(max_length=4000, required=False, default="", help_text="Required with `revoke: true`.")
    compensation = Said(max_length=4000, required=False, default="", help_text="Required with `revoke: true`.")
    bars = Choice(
        choices=BARS, required=False, default="", help_text="Required with `fraud`: whether art. 79 bars the holder."
    )


class RevocationPageQuerySerializer(PageQuerySerializer):
    """Which part of the list."""

    queue = serializers.ChoiceField(choices=QUEUES, required=False, default="received")


class RevocationView(PortalView):
    """What every view of one revocation does."""

    roles: ClassVar[tuple[str, ...]] = CHAIRS

    def found(self, pk: int) -> Revocation:
        """The revocation if the person decides on it or chairs its hearing; 404 otherwise."""
        return fetch(self.access, pk)

    def own(self, pk: int) -> Revocation:
        """The revocation if the person decides in its office; 404 otherwise, for the chair too."""
        found = self.found(pk)
        if found.office_id not in self.access.offices(Role.DECIDER):
            raise NotFound
        return found

    def shown(self, pk: int) -> Response:
        """It as it now stands."""
        context = {"today": self.today, "access": self.access}
        return Response(RevocationSerializer(self.found(pk), context=context).data)


class RevocationListView(RevocationView):
    """撤销许可."""

    roles = (Role.DECIDER,)

    @extend_schema(
        operation_id="listRevocations",
        summary="撤销许可 · Proposals to revoke a licence",
        description="Of the offices in which the person decides. `received`: the holder has to be told; `noticed`: may "
        "still answer; `heard`: to be decided; `decided`. 50 a page. `q` finds by number or holder.",
        tags=OFFICE_TAGS,
        parameters=[RevocationPageQuerySerializer],
        responses=answers({200: paged(RevocationSerializer, "RevocationPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page."""
        asked = read(RevocationPageQuerySerializer, request.query_params)
        tab = next(one for one in TABS if (one.key or "received") == asked["queue"])
        rows = searched(Revocation.objects.for_decider(self.access), asked["q"])
        found = with_rows(tab.rows(rows, self.today))
        return page(found, tab.order, asked["cursor"], RevocationSerializer, today=self.today, access=self.access)


class RevocationDetailView(RevocationView):
    """One revocation."""

    @extend_schema(
        operation_id="getRevocation",
        summary="撤销建议详情 · One proposal to revoke",
        tags=OFFICE_TAGS,
        responses=answers({200: RevocationSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.shown(pk)


class NoticeView(RevocationView):
    """告知."""

    @extend_schema(
        operation_id="noticeRevocation",
        summary="告知持证人 · Tell the holder facts, ground and rights",
        description="Issues 撤销行政许可告知书 and starts the holder's days to answer. With `replaces`, before the "
        "decision, a new one with another ground or other facts: the days begin anew, and so does the hearing.",
        tags=OFFICE_TAGS,
        request=NoticeSerializer,
        responses=answers({200: RevocationSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Tell."""
        said = read(NoticeSerializer, request.data)
        if replaces := said.pop("replaces"):
            give_notice_anew(self.own(pk), replaces=replaces, **said, by=self.user, now=self.now)
        else:
            give_notice(self.own(pk), **said, by=self.user, now=self.now)
        return self.shown(pk)


class HearView(RevocationView):
    """听取意见."""

    @extend_schema(
        operation_id="hearHolder",
        summary="记录陈述申辩 · Record what the holder says, asks for or waives",
        tags=OFFICE_TAGS,
        request=HearSerializer,
        responses=answers({200: RevocationSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Record."""
        said = read(HearSerializer, request.data)
        hear_holder(self.own(pk), **said, by=self.user, door=Door.WINDOW, now=self.now)
        return self.shown(pk)


class HearingView(RevocationView):
    """听证."""

    @extend_schema(
        operation_id="planHearing",
        summary="安排听证 · Set day, place and chair of the hearing",
        tags=OFFICE_TAGS,
        request=PlanSerializer,
        responses=answers({200: RevocationSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Plan."""
        said = read(PlanSerializer, request.data)
        one, name = self.own(pk), said.pop("chair").strip()
        chair = User.objects.filter(username=name).first() if name else None
        if name and chair is None:
            raise Refused("chair-involved", "没有这个账号，请另选主持人。", field="chair")
        plan_hearing(one, **said, chair=chair, by=self.user, now=self.now)
        return self.shown(pk)


class HearingRecordView(RevocationView):
    """听证笔录."""

    @extend_schema(
        operation_id="recordHearing",
        summary="提交听证笔录 · The chair writes the record",
        tags=OFFICE_TAGS,
        request=RecordSerializer,
        responses=answers({200: RevocationSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Write it."""
        record_hearing(self.found(pk), **read(RecordSerializer, request.data), by=self.user, now=self.now)
        return self.shown(pk)


class RevocationDecisionView(RevocationView):
    """决定."""

    @extend_schema(
        operation_id="decideRevocation",
        summary="撤销或者不予撤销 · Revoke the licence, or not, with reasons",
        description="Only after the holder was heard, waived in writing, or let the day pass. Revoked, the licence is "
        "struck off, supervision is answered, open tasks learn of it and the facts wait for the credit side, all in "
        "one transaction.",
        tags=OFFICE_TAGS,
        request=RevocationDecisionSerializer,
        responses=answers({200: RevocationSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide."""
        decide_revocation(self.own(pk), **read(RevocationDecisionSerializer, request.data), by=self.user, now=self.now)
        return self.shown(pk)


# --- at the window


class WindowStatementView(WindowView):
    """窗口记录陈述、申辩."""

    @extend_schema(
        operation_id="hearHolderAtWindow",
        summary="窗口记录陈述申辩 · Record at the window what the holder says before a revocation is decided",
        description="By the number of the case of the licence. A conflict where the holder was not told, the hearing "
        "was held, or it is decided.",
        tags=WINDOW_TAGS,
        request=HearSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record."""
        case, said = self.found(number), read(HearSerializer, request.data)
        one = panel(case)
        if one is None:
            raise Refused("state-conflict", NOTHING, conflict=True)
        hear_holder(one, **said, by=self.user, door=Door.WINDOW, now=self.now)
        return self.shown(number)


# --- the holder's own door


class HolderStatementSerializer(PermittedSerializer):
    """陈述、申辩, through the own door."""

    text = Said(max_length=4000)
    wish = Choice(choices=HearingWish.choices)


class DoorStatementView(PermittedView):
    """网上陈述、申请听证."""

    @extend_schema(
        operation_id="stateThroughDoor",
        summary="网上陈述申辩、申请听证 · State, ask for a hearing or waive before a revocation is decided",
        tags=TAGS,
        request=HolderStatementSerializer,
        responses=answers({200: ProgressSerializer}, *FAULTS),
    )
    def post(self, request: Request) -> Response:
        """Record the holder's word."""
        said = read(HolderStatementSerializer, request.data)
        case = self.permitted(said)
        one = progress.revocation_of(case)
        if one is None:
            raise Refused("state-conflict", "这件证照没有等待您陈述的撤销建议，请查询进度。", conflict=True)
        hear_holder(one, text=said["text"], wish=said["wish"], by=None, door=Door.PUBLIC, now=self.now)
        return self.shown(case)
