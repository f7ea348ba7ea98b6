"""整改、移送与撤销建议 in the API: the list of orders, what followed a check, and the acts of the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.exceptions import TransitionNotAllowed
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting
from supervision import lists_orders
from supervision.actions import handing_over, ordering, proposing
from supervision.enums import OrderStatus, PaperKind
from supervision.models import Handover, Paper, Proposal, Rectification, SupervisionTask, TaskQuerySet

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
READERS = (*MANAGERS, Role.DEPARTMENT_HEAD, Role.INSPECTOR)
TAGS = ["supervision"]
TABS = [(tab.key or "running", tab.label) for tab in lists_orders.TABS]
FINAL = {OrderStatus.MENDED, OrderStatus.NOT_MENDED, OrderStatus.REFUSED}
OUTCOMES = [(value, label) for value, label in OrderStatus.choices if value in FINAL]


class OrderSerializer(serializers.Serializer[Any]):
    """An order to mend."""

    id = serializers.IntegerField(source="pk")
    paper_number = serializers.CharField(source="paper.number")
    task_number = serializers.CharField(source="task.number")
    subject = serializers.CharField(source="task.public_subject", help_text="Persons are masked.")
    office = serializers.CharField(source="task.office.name")
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    status_label = serializers.CharField(source="get_status_display")
    facts = serializers.CharField()
    basis = serializers.CharField()
    demands = serializers.CharField()
    consequence = serializers.CharField()
    due_on = serializers.DateField()
    deadline = DeadlineSerializer()
    issued_at = serializers.DateTimeField()
    extension_until = serializers.DateField(allow_null=True, help_text="The day that was asked for.")
    extension_reason = serializers.CharField(allow_blank=True)
    extension_granted = serializers.BooleanField(allow_null=True, help_text="Null: not asked for, or not answered.")
    extension_answer = serializers.CharField(allow_blank=True)
    settled_reason = serializers.CharField(allow_blank=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class HandoverSerializer(serializers.Serializer[Any]):
    """A handover to penalty."""

    paper_number = serializers.CharField(source="paper.number")
    to_name = serializers.CharField()
    facts = serializers.CharField()
    basis = serializers.CharField()
    handed_at = serializers.DateTimeField()
    receipt_number = serializers.CharField(allow_blank=True)
    received_on = serializers.DateField(allow_null=True)
    result = serializers.CharField(allow_blank=True)
    result_number = serializers.CharField(allow_blank=True)
    result_on = serializers.DateField(allow_null=True)


class TaskEvidenceSerializer(serializers.Serializer[Any]):
    """Something that a proposal may put forward."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of the answer
    text = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class ProposalSerializer(serializers.Serializer[Any]):
    """A proposal to revoke with its answer."""

    paper_number = serializers.CharField(source="paper.number")
    facts = serializers.CharField()
    evidence = TaskEvidenceSerializer(many=True)
    proposed_at = serializers.DateTimeField()
    answer = serializers.CharField(allow_blank=True)
    answered_at = serializers.DateTimeField(allow_null=True)


class PaperSerializer(serializers.Serializer[Any]):
    """A paper of the supervision side."""

    kind = serializers.ChoiceField(choices=PaperKind.choices)
    number = serializers.CharField()
    verify_code = serializers.CharField(help_text="For `verify/{code}/`.")
    digest = serializers.CharField(help_text="SM3 of the frozen content.")
    issued_at = serializers.DateTimeField()
    content = serializers.JSONField(help_text="What the paper says, as it was frozen.")


class FollowingSerializer(serializers.Serializer[Any]):
    """What followed a check: orders, handover, proposal, papers, and what a proposal could put forward."""

    status = serializers.CharField(help_text="Of the task.")
    orders = OrderSerializer(many=True)
    handover = HandoverSerializer(allow_null=True)
    proposal = ProposalSerializer(allow_null=True)
    papers = PaperSerializer(many=True)
    evidence = TaskEvidenceSerializer(many=True)


class OrderPageQuerySerializer(PageQuerySerializer):
    """What narrows the list of orders."""

    tab = serializers.ChoiceField(choices=TABS, required=False, default="running")


class OrderBodySerializer(serializers.Serializer[Any]):
    """责令限期整改."""

    facts = Said()
    basis = Said()
    demands = Said()
    consequence = Said()
    due_on = SaidDay(help_text="After today, at most 180 days ahead.")


class ExtensionBodySerializer(serializers.Serializer[Any]):
    """申请延长."""

    until = SaidDay(help_text="After the day of the order, at most 180 days after it.")
    reason = Said()


class AnswerBodySerializer(serializers.Serializer[Any]):
    """批复."""

    grant = serializers.BooleanField()
    answer = serializers.CharField(required=False, allow_blank=True, default="", help_text="Required to refuse.")


class OutcomeBodySerializer(serializers.Serializer[Any]):
    """认定整改结果."""

    outcome = Choice(choices=OUTCOMES)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Required unless it is `mended`."
    )


class HandoverBodySerializer(serializers.Serializer[Any]):
    """移送执法."""

    to_name = Said()
    facts = Said()
    basis = Said()


class ReceiptBodySerializer(serializers.Serializer[Any]):
    """登记回执."""

    number = Said()
    received_on = SaidDay(help_text="From the day of the handover to today.")


class ResultBodySerializer(serializers.Serializer[Any]):
    """登记处理结果."""

    result = Said()
    number = Said()
    result_on = SaidDay(help_text="From the day of the receipt to today.")


class ProposalBodySerializer(serializers.Serializer[Any]):
    """建议撤销行政许可."""

    facts = Said()
    keys = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, max_length=200,
        help_text="Of `evidence`; the order goes with it in any case.",
    )  # fmt: skip


class OrderListView(PortalView):
    """The orders of the person's offices."""

    roles = READERS

    @extend_schema(
        operation_id="listOrders",
        summary="责令整改 · Orders to mend",
        description="Orders of the tasks that the person sees, by their day, 50 a page; settled ones newest first. "
        "`q` finds by paper or task number, subject, item or sub-item.",
        tags=TAGS,
        parameters=[OrderPageQuerySerializer],
        responses=answers({200: paged(OrderSerializer, "OrderPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(OrderPageQuerySerializer, request.query_params)
        tab = lists_orders.tab_of("" if asked["tab"] == "running" else asked["tab"])
        rows = lists_orders.mine(self.access).filter(lists_orders.condition(tab.key, self.today))
        rows = lists_orders.with_rows(lists_orders.searched(rows, asked["q"]))
        return page(rows, tab.order, asked["cursor"], OrderSerializer, today=self.today)


class FollowingView(PortalView):
    """What every view of one task's orders does: find the task, act, show what followed."""

    def task(self, number: str, tasks: TaskQuerySet) -> SupervisionTask:
        """The task if it is among ``tasks``; 404 otherwise."""
        return get_object_or_404(tasks, number=number)

    def own(self, number: str) -> SupervisionTask:
        """A task that this person may act on; 404 otherwise."""
        return self.task(number, SupervisionTask.objects.for_managers(self.access))

    def order(self, task: SupervisionTask) -> Rectification:
        """The newest order of the task; a conflict without one."""
        found = ordering.newest(task)
        if found is None:
            raise TransitionNotAllowed("这件任务没有责令整改，可能有同事已先一步办理，请刷新查看。")
        return found

    def shown(self, number: str) -> Response:
        """What followed, as it now stands."""
        orders = Rectification.objects.select_related(
            "paper", "deadline", "task__subject", "task__office"
        ).order_by("pk")  # fmt: skip
        task = SupervisionTask.objects.prefetch_related(Prefetch("orders", queryset=orders)).get(number=number)
        found = {
            "status": task.status,
            "orders": task.orders.all(),
            "handover": Handover.objects.filter(task=task).select_related("paper").first(),
            "proposal": Proposal.objects.filter(task=task).select_related("paper").first(),
            "papers": Paper.objects.filter(task=task),
            "evidence": proposing.evidence_of(task),
        }
        return Response(FollowingSerializer(found, context={"today": self.today}).data)


class RectificationView(FollowingView):
    """What followed a check."""

    roles = READERS

    @extend_schema(
        operation_id="getRectification",
        summary="整改与后续 · What followed a check",
        description="Orders, handover, proposal and papers of a task, and what a proposal could put forward.",
        tags=TAGS,
        responses=answers({200: FollowingSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return it."""
        task = self.task(number, SupervisionTask.objects.for_office_people(self.access))
        return self.shown(task.number)


class OrderView(FollowingView):
    """责令限期整改."""

    roles = MANAGERS

    @extend_schema(
        operation_id="orderRectification",
        summary="责令限期整改 · Order to mend",
        description="For all records of 不符合 that no order answers. Before the feedback the task stays where it is; "
        "once it was fed back it is `rectifying`.",
        tags=TAGS,
        request=OrderBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Order."""
        task = self.own(number)
        said = read(OrderBodySerializer, request.data)
        ordering.order_rectification(task, **said, by=self.user, now=self.now)
        return self.shown(number)


class OrderExtensionView(FollowingView):
    """申请延长整改期限."""

    roles = MANAGERS

    @extend_schema(
        operation_id="askOrderExtension",
        summary="申请延长整改期限 · Ask for more time",
        description="Once an order, before its day is over; the head of the department answers.",
        tags=TAGS,
        request=ExtensionBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        order = self.order(self.own(number))
        said = read(ExtensionBodySerializer, request.data)
        ordering.ask_extension(order, **said, by=self.user, now=self.now)
        return self.shown(number)


class OrderAnswerView(FollowingView):
    """批复延长申请."""

    roles = (Role.DEPARTMENT_HEAD,)

    @extend_schema(
        operation_id="answerOrderExtension",
        summary="批复延长申请 · Grant or refuse more time",
        description="By a head of the department who did not ask for it; granted only before the day is over.",
        tags=TAGS,
        request=AnswerBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Answer."""
        order = self.order(self.task(number, SupervisionTask.objects.for_heads(self.access)))
        said = read(AnswerBodySerializer, request.data)
        ordering.settle_extension(order, **said, by=self.user, now=self.now)
        return self.shown(number)


class OrderOutcomeView(FollowingView):
    """认定整改结果."""

    roles = MANAGERS

    @extend_schema(
        operation_id="settleOrder",
        summary="认定整改结果 · Settle an order",
        description="`mended` after a re-inspection without 不符合; `not_mended` once the day is over; `refused` at "
        "any time. A mended order closes a task that was fed back.",
        tags=TAGS,
        request=OutcomeBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Settle."""
        order = self.order(self.own(number))
        said = read(OutcomeBodySerializer, request.data)
        ordering.settle_order(order, **said, by=self.user, now=self.now)
        return self.shown(number)


class HandoverView(FollowingView):
    """移送执法."""

    roles = MANAGERS

    @extend_schema(
        operation_id="handOverTask",
        summary="移送执法 · Hand over to penalty",
        description="From `fed_back` with 不符合, or from `rectifying` once the order is settled.",
        tags=TAGS,
        request=HandoverBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Hand over."""
        task = self.own(number)
        said = read(HandoverBodySerializer, request.data)
        handing_over.hand_over(task, **said, by=self.user, now=self.now)
        return self.shown(number)


class ReceiptView(FollowingView):
    """登记回执."""

    roles = MANAGERS

    @extend_schema(
        operation_id="recordHandoverReceipt",
        summary="登记移送回执 · Record the receipt",
        description="Once, with its number and day.",
        tags=TAGS,
        request=ReceiptBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record."""
        task = self.own(number)
        said = read(ReceiptBodySerializer, request.data)
        handing_over.receive_receipt(task, **said, by=self.user, now=self.now)
        return self.shown(number)


class ResultView(FollowingView):
    """登记处理结果."""

    roles = MANAGERS

    @extend_schema(
        operation_id="recordHandoverResult",
        summary="登记移送处理结果 · Record the result",
        description="After the receipt; the task closes.",
        tags=TAGS,
        request=ResultBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Record."""
        task = self.own(number)
        said = read(ResultBodySerializer, request.data)
        handing_over.receive_result(task, **said, by=self.user, now=self.now)
        return self.shown(number)


class ProposalView(FollowingView):
    """建议撤销行政许可."""

    roles = MANAGERS

    @extend_schema(
        operation_id="proposeRevocation",
        summary="建议撤销行政许可 · Propose to revoke",
        description="From `rectifying` with an order not mended or refused, where the licence stands; the approval "
        "side hears the holder and decides, its answer closes the task.",
        tags=TAGS,
        request=ProposalBodySerializer,
        responses=answers({200: FollowingSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Propose."""
        task = self.own(number)
        said = read(ProposalBodySerializer, request.data)
        proposing.propose(task, **said, by=self.user, now=self.now)
        return self.shown(number)


urlpatterns: list[URLPattern | URLResolver] = [
    path("tasks/orders/", OrderListView.as_view(), name="orders"),
    path("tasks/<slug:number>/rectification/", RectificationView.as_view(), name="rectification"),
    path("tasks/<slug:number>/order/", OrderView.as_view(), name="order"),
    path("tasks/<slug:number>/order/extension/", OrderExtensionView.as_view(), name="order-extension"),
    path("tasks/<slug:number>/order/answer/", OrderAnswerView.as_view(), name="order-answer"),
    path("tasks/<slug:number>/order/outcome/", OrderOutcomeView.as_view(), name="order-outcome"),
    path("tasks/<slug:number>/handover/", HandoverView.as_view(), name="handover"),
    path("tasks/<slug:number>/handover/receipt/", ReceiptView.as_view(), name="handover-receipt"),
    path("tasks/<slug:number>/handover/result/", ResultView.as_view(), name="handover-result"),
    path("tasks/<slug:number>/proposal/", ProposalView.as_view(), name="proposal"),
]
