"""Facts, breaches, records and repairs in JSON: the credit officer's pages, act by act (L8c, L10d)."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from credit import lists
from credit.actions import judging, repairing
from credit.identifiers import Form
from credit.models import Breach, CreditFact, CreditRecord, Level, Repair
from credit.models.subjects import of_form
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting

OFFICERS = (Posting.Role.CREDIT_OFFICER,)
TAGS = ["credit"]
FACT_TABS = [(tab.key or "new", tab.label) for tab in lists.FACTS]
RECORD_TABS = [(tab.key or "live", tab.label) for tab in lists.RECORDS]


class CreditSubjectSerializer(serializers.Serializer[Any]):
    """Whose it is; persons are masked."""

    kind = serializers.CharField()
    name = serializers.CharField(source="public_name")
    identifier = serializers.CharField(source="public_identifier")
    form = serializers.ChoiceField(choices=Form.choices, help_text="By the first two characters of the code.")
    form_label = serializers.CharField(help_text="The kind in Chinese, as precisely as the code says it.")


class BreachSerializer(serializers.Serializer[Any]):
    """拟认定失信: what its subject was told, objected, and what was decided."""

    id = serializers.IntegerField(source="pk")
    fact = serializers.IntegerField(source="fact_id")
    number = serializers.CharField()
    subject = CreditSubjectSerializer()
    status = serializers.ChoiceField(choices=Breach.Status.choices)
    listed = serializers.CharField(help_text="Code of the 目录.")
    level = serializers.ChoiceField(choices=Level.choices)
    text = serializers.CharField()
    basis = serializers.CharField()
    told_at = serializers.DateTimeField()
    told_how = serializers.CharField()
    deadline = DeadlineSerializer()
    objection = serializers.CharField(allow_blank=True)
    objected_at = serializers.DateTimeField(allow_null=True)
    final_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    record = serializers.IntegerField(source="record_id", allow_null=True)


class CreditFactSerializer(serializers.Serializer[Any]):
    """A fact that the department found."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=CreditFact.Kind.choices)
    subject = CreditSubjectSerializer()
    source = serializers.CharField(  # type: ignore[assignment]  # the field of the answer
        help_text="The paper or task that found it."
    )
    basis = serializers.CharField()
    found_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    breach = serializers.SerializerMethodField(help_text="Id of the breach once its subject was told; null before.")

    def get_breach(self, fact: CreditFact) -> int | None:
        """The id of the breach."""
        breach = getattr(fact, "breach", None)
        return breach.pk if breach else None


class RepairSerializer(serializers.Serializer[Any]):
    """A request for repair or correction, or a notice of the platform."""

    id = serializers.IntegerField(source="pk")
    origin = serializers.ChoiceField(choices=Repair.Origin.choices)
    ground = serializers.ChoiceField(choices=Repair.Ground.choices)
    statement = serializers.CharField()
    notice = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    deadline = DeadlineSerializer(allow_null=True)
    granted = serializers.BooleanField(allow_null=True, help_text="Null: not decided.")
    reason = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class CreditRecordSerializer(serializers.Serializer[Any]):
    """A record; the row stays once it is lifted."""

    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=CreditRecord.Kind.choices)
    origin = serializers.ChoiceField(choices=CreditRecord.Origin.choices)
    subject = CreditSubjectSerializer()
    source = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    basis = serializers.CharField()
    listed = serializers.CharField(allow_blank=True)
    level = serializers.CharField(allow_blank=True)
    found_at = serializers.DateTimeField()
    rule = serializers.CharField(allow_blank=True)
    repair_from = serializers.DateField(allow_null=True, help_text="First day on which repair may be asked for.")
    shown_until = serializers.DateField(allow_null=True, help_text="Last day of display; null: not shown.")
    repaired_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class CreditRecordWholeSerializer(CreditRecordSerializer):
    """A record with all that was asked for of it."""

    repairs = RepairSerializer(many=True)


class FactPageQuerySerializer(PageQuerySerializer):
    """What narrows the list of facts."""

    tab = serializers.ChoiceField(choices=FACT_TABS, required=False, default="new")


class RecordPageQuerySerializer(PageQuerySerializer):
    """What narrows the list of records."""

    tab = serializers.ChoiceField(choices=RECORD_TABS, required=False, default="live")
    form = serializers.ChoiceField(choices=Form.choices, required=False, help_text="Kind of subject.")


class TellBodySerializer(serializers.Serializer[Any]):
    """告知."""

    identifier = Said(help_text="Code or identity number as the finding's paper names it; another subject's: 422.")
    listed = Said(help_text="Code of the 目录 that fits the kind of the fact.")
    level = Choice(choices=Level.choices)
    text = Said()
    how = Said(help_text="How the notice was served.")


class ObjectionBodySerializer(serializers.Serializer[Any]):
    """异议."""

    text = Said()


class BreachDecisionBodySerializer(serializers.Serializer[Any]):
    """决定."""

    record = serializers.BooleanField()
    final_on = SaidDay(help_text="Required to record: since when the finding is final.")
    reason = Said()


class AskBodySerializer(serializers.Serializer[Any]):
    """申请."""

    ground = Choice(choices=Repair.Ground.choices)
    statement = Said()


class NoticeBodySerializer(serializers.Serializer[Any]):
    """修复通知."""

    notice = Said()
    text = Said()


class RepairDecisionBodySerializer(serializers.Serializer[Any]):
    """决定."""

    grant = serializers.BooleanField()
    reason = Said()


class CreditView(PortalView):
    """What these views share: whose things may be found, and how they are shown."""

    roles = OFFICERS

    def fact(self, pk: int) -> CreditFact:
        """A fact of the person's departments; 404 otherwise."""
        return get_object_or_404(lists.facts_with_rows(lists.facts(self.access)), pk=pk)

    def breach(self, pk: int) -> Breach:
        """A breach of the person's departments; 404 otherwise."""
        rows = Breach.objects.filter(department__in=lists.own(self.access)).select_related("subject", "deadline")
        return get_object_or_404(rows, pk=pk)

    def record(self, pk: int) -> CreditRecord:
        """A record of the person's departments; 404 otherwise."""
        return get_object_or_404(lists.records(self.access).select_related("subject"), pk=pk)

    def show_breach(self, pk: int) -> Response:
        """The breach as it now stands."""
        return Response(BreachSerializer(self.breach(pk), context={"today": self.today}).data)

    def show_record(self, pk: int) -> Response:
        """The record as it now stands."""
        record = self.record(pk)
        repairs = list(record.repairs.select_related("deadline").order_by("-pk"))
        data = CreditRecordSerializer(record).data
        asked = RepairSerializer(repairs, many=True, context={"today": self.today}).data
        return Response({**data, "repairs": asked})


class FactListView(CreditView):
    """What the department found."""

    @extend_schema(
        operation_id="listCreditFacts",
        summary="信用事实 · Facts that wait to be judged, and what became of them",
        description="Of the person's departments, 50 a page. `q` finds by number, name or whole code.",
        tags=TAGS,
        parameters=[FactPageQuerySerializer],
        responses=answers({200: paged(CreditFactSerializer, "CreditFactPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(FactPageQuerySerializer, request.query_params)
        tab = lists.tab_of(lists.FACTS, "" if asked["tab"] == "new" else asked["tab"])
        rows = lists.facts(self.access).filter(lists.fact_condition(tab.key, self.today))
        rows = lists.facts_searched(rows, asked["q"]).select_related("subject", "breach")
        return page(rows, tab.order, asked["cursor"], CreditFactSerializer)


class FactView(CreditView):
    """One fact."""

    @extend_schema(
        operation_id="getCreditFact",
        summary="信用事实 · One fact",
        tags=TAGS,
        responses=answers({200: CreditFactSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return Response(CreditFactSerializer(self.fact(pk)).data)


class TellView(CreditView):
    """告知拟认定失信."""

    @extend_schema(
        operation_id="tellBreach",
        summary="告知拟认定失信 · Tell the subject beforehand",
        description="The notice gets its number and the clock of the objection starts; nothing is recorded by it.",
        tags=TAGS,
        request=TellBodySerializer,
        responses=answers({200: BreachSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Tell."""
        fact = self.fact(pk)
        said = read(TellBodySerializer, request.data)
        return self.show_breach(judging.tell(fact, **said, by=self.user, now=self.now).pk)


class BreachView(CreditView):
    """One breach."""

    @extend_schema(
        operation_id="getBreach",
        summary="拟认定失信 · One breach",
        tags=TAGS,
        responses=answers({200: BreachSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.show_breach(pk)


class ObjectionView(CreditView):
    """登记异议."""

    @extend_schema(
        operation_id="objectToBreach",
        summary="登记异议 · Take in the subject's objection",
        description="Once, within its days.",
        tags=TAGS,
        request=ObjectionBodySerializer,
        responses=answers({200: BreachSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take it in."""
        breach = self.breach(pk)
        said = read(ObjectionBodySerializer, request.data)
        judging.object_to(breach, **said, by=self.user, now=self.now)
        return self.show_breach(pk)


class BreachDecisionView(CreditView):
    """决定是否记录."""

    @extend_schema(
        operation_id="decideBreach",
        summary="决定是否记录 · Record the breach, or drop it",
        description="Recorded only after the objection or its day, and once the finding is final; dropped at any time.",
        tags=TAGS,
        request=BreachDecisionBodySerializer,
        responses=answers({200: BreachSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide."""
        breach = self.breach(pk)
        said = read(BreachDecisionBodySerializer, request.data)
        if said["record"]:
            judging.record_breach(
                breach, final_on=said["final_on"], reason=said["reason"], by=self.user, now=self.now
            )  # fmt: skip
        else:
            judging.drop(breach, reason=said["reason"], by=self.user, now=self.now)
        return self.show_breach(pk)


class RecordListView(CreditView):
    """Records of what the department found."""

    @extend_schema(
        operation_id="listCreditRecords",
        summary="信用记录 · Records",
        description="Of the person's departments, newest first (`waiting`: first due first), 50 a page. "
        "`q` finds by number, name or whole code.",
        tags=TAGS,
        parameters=[RecordPageQuerySerializer],
        responses=answers({200: paged(CreditRecordSerializer, "CreditRecordPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(RecordPageQuerySerializer, request.query_params)
        tab = lists.tab_of(lists.RECORDS, "" if asked["tab"] == "live" else asked["tab"])
        rows = lists.records_in(self.access, tab.key, self.today)
        if "form" in asked:
            rows = rows.filter(of_form(asked["form"], "subject__"))
        rows = lists.records_searched(rows, asked["q"]).select_related("subject")
        return page(rows, tab.order, asked["cursor"], CreditRecordSerializer)


class RecordView(CreditView):
    """One record."""

    @extend_schema(
        operation_id="getCreditRecord",
        summary="信用记录 · One record with its requests",
        tags=TAGS,
        responses=answers({200: CreditRecordWholeSerializer}, *READ),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return it."""
        return self.show_record(pk)


class AskView(CreditView):
    """登记修复或者更正申请."""

    @extend_schema(
        operation_id="askRepair",
        summary="登记修复或者更正申请 · Take in a request for repair or correction",
        description="`mended`: from `repair_from` on. `wrong`: at any time.",
        tags=TAGS,
        request=AskBodySerializer,
        responses=answers({200: CreditRecordWholeSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take it in."""
        record = self.record(pk)
        said = read(AskBodySerializer, request.data)
        repairing.ask(record, **said, by=self.user, now=self.now)
        return self.show_record(pk)


class NoticeView(CreditView):
    """登记信用平台的修复通知."""

    @extend_schema(
        operation_id="takeRepairNotice",
        summary="登记修复通知 · Take in a repair that the platform decided",
        description="From `repair_from` on. The record goes out of use at once; the same notice again changes nothing.",
        tags=TAGS,
        request=NoticeBodySerializer,
        responses=answers({200: CreditRecordWholeSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take it in."""
        record = self.record(pk)
        said = read(NoticeBodySerializer, request.data)
        repairing.take_notice(record, **said, now=self.now, by=self.user)
        return self.show_record(pk)


class RepairDecisionView(CreditView):
    """决定修复或者更正."""

    @extend_schema(
        operation_id="decideRepair",
        summary="决定修复或者更正 · Grant or refuse",
        description="Granted, the record goes out of use: display, handling, sampling, and the push of it, at once.",
        tags=TAGS,
        request=RepairDecisionBodySerializer,
        responses=answers({200: CreditRecordWholeSerializer}, *ACT),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide."""
        repair = get_object_or_404(Repair.objects.filter(record__in=lists.records(self.access)), pk=pk)
        said = read(RepairDecisionBodySerializer, request.data)
        repairing.settle(repair, **said, by=self.user, now=self.now)
        return self.show_record(repair.record_id)


urlpatterns: list[URLPattern] = [
    path("credit/facts/", FactListView.as_view(), name="credit-facts"),
    path("credit/facts/<int:pk>/", FactView.as_view(), name="credit-fact"),
    path("credit/facts/<int:pk>/notice/", TellView.as_view(), name="credit-fact-notice"),
    path("credit/breaches/<int:pk>/", BreachView.as_view(), name="breach"),
    path("credit/breaches/<int:pk>/objection/", ObjectionView.as_view(), name="breach-objection"),
    path("credit/breaches/<int:pk>/decision/", BreachDecisionView.as_view(), name="breach-decision"),
    path("credit/records/", RecordListView.as_view(), name="credit-records"),
    path("credit/records/<int:pk>/", RecordView.as_view(), name="credit-record"),
    path("credit/records/<int:pk>/repair/", AskView.as_view(), name="repair-request"),
    path("credit/records/<int:pk>/platform-notice/", NoticeView.as_view(), name="repair-notice"),
    path("credit/repairs/<int:pk>/decision/", RepairDecisionView.as_view(), name="repair-decision"),
]
