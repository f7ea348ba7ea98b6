"""The supervision side's part of the API: the same queues, the same actions, the same 404 as the inbox."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import verifying
from approvals.api.serializers import LicenceSerializer, ReviewLineSerializer
from approvals.archive import neutral_files
from approvals.models import CaseMaterial, Licence
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting
from supervision import actions, lists
from supervision.enums import Measure, Platform, Result, TaskStatus
from supervision.models import Feedback, SupervisionTask, TaskQuerySet

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
TAGS = ["supervision"]
QUEUES = [(queue.key, queue.label) for queue in lists.QUEUES]


class TaskRowSerializer(serializers.Serializer[Any]):
    """A task in the inbox."""

    number = serializers.CharField()
    status = serializers.ChoiceField(choices=TaskStatus.choices)
    status_label = serializers.CharField(source="get_status_display")
    case_number = serializers.CharField(source="case.number")
    business_item = serializers.CharField(source="case.business_item.name")
    subject = serializers.CharField(source="case.public_name", help_text="Persons are masked.")
    subject_identifier = serializers.CharField(source="case.applicant.public_identifier")
    sub_item = serializers.CharField(source="sub_item.name")
    department = serializers.CharField(source="office.department.name")
    office = serializers.CharField(source="office.name")
    opened_at = serializers.DateTimeField()
    deadline = DeadlineSerializer(
        source="current_deadline", allow_null=True, help_text="The clock that presses; null before the SMS went out."
    )


class ClauseSerializer(serializers.Serializer[Any]):
    """A promise clause with what was found."""

    text = serializers.CharField()
    result = serializers.ChoiceField(choices=Result.choices)


class FeedbackSerializer(serializers.Serializer[Any]):
    """What was fed back."""

    result = serializers.ChoiceField(choices=Result.choices)
    text = serializers.CharField()
    clauses = ClauseSerializer(many=True)
    platform = serializers.ChoiceField(choices=Platform.choices)
    platform_number = serializers.CharField()
    given_at = serializers.DateTimeField()
    is_late = serializers.BooleanField()
    follow_up = serializers.CharField(allow_blank=True)


class TaskSerializer(TaskRowSerializer):
    """A task with everything that its page says."""

    points = serializers.ListField(
        child=serializers.CharField(), source="sub_item.points", help_text="What to look at."
    )
    promise_clauses = serializers.ListField(child=serializers.CharField(), help_text="To be checked one by one (L10b).")
    content = serializers.CharField(source="case.content", allow_blank=True)
    sms_sent_at = serializers.DateTimeField(allow_null=True)
    viewed_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    measure = serializers.ChoiceField(choices=Measure.choices, allow_blank=True)
    measure_reason = serializers.CharField(allow_blank=True)
    planned_finish_on = serializers.DateField(allow_null=True)
    finished_on = serializers.DateField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    materials = serializers.SerializerMethodField(help_text="The case's archive, files under neutral names.")
    licence = serializers.SerializerMethodField()
    feedback = serializers.SerializerMethodField()

    @extend_schema_field(ReviewLineSerializer(many=True))
    def get_materials(self, task: SupervisionTask) -> Any:
        """The checklist; three statements."""
        lines = CaseMaterial.objects.filter(case_id=task.case_id).order_by("order")
        context = {"files": neutral_files(task.case_id), "verified": verifying.blind_answers(task.case_id)}
        return ReviewLineSerializer(lines, many=True, context=context).data

    @extend_schema_field(LicenceSerializer(allow_null=True))
    def get_licence(self, task: SupervisionTask) -> Any:
        """The licence or filing receipt that is supervised."""
        found = Licence.objects.filter(case_id=task.case_id).first()
        return LicenceSerializer(found).data if found else None

    @extend_schema_field(FeedbackSerializer(allow_null=True))
    def get_feedback(self, task: SupervisionTask) -> Any:
        """The feedback, once given; one statement."""
        found = Feedback.objects.filter(task=task).first()
        return FeedbackSerializer(found).data if found else None


class TaskPageQuerySerializer(PageQuerySerializer):
    """What narrows the inbox."""

    queue = serializers.ChoiceField(choices=QUEUES, required=False, default=lists.QUEUES[0].key)
    late = serializers.BooleanField(required=False, default=False, help_text="Only what is overdue.")


class AcknowledgeSerializer(serializers.Serializer[Any]):
    """签收 (L9c)."""

    measure = Choice(choices=Measure.choices)
    planned_finish_on = SaidDay(help_text="Today or later, at most 180 days ahead.")
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Required with `none_now`."
    )


class FinishSerializer(serializers.Serializer[Any]):
    """完成监管."""

    finished_on = SaidDay(help_text="Between the day the task was opened and today.")


class FeedBackSerializer(serializers.Serializer[Any]):
    """反馈 (L10a, L10b)."""

    result = Choice(choices=Result.choices)
    text = Said(max_length=2000)
    platform = Choice(choices=Platform.choices)
    platform_number = Said(max_length=60)
    clauses = serializers.ListField(
        child=serializers.ChoiceField(choices=Result.choices),
        required=False,
        default=list,
        max_length=200,
        help_text="One finding for each of `promise_clauses`, in their order.",
    )


class ClosureSerializer(serializers.Serializer[Any]):
    """归档 of what was not fully conforming."""

    follow_up = Said(max_length=2000)


class TaskView(PortalView):
    """What every view of one task does: find it among what the person may see, act, and show it again."""

    def found(self, number: str, tasks: TaskQuerySet) -> SupervisionTask:
        """The task if it is among ``tasks``; 404 otherwise."""
        rows = tasks.select_related(
            "case__business_item", "case__applicant", "office__department", "sub_item__item", *lists.CLOCKS
        )
        return get_object_or_404(rows, number=number)

    def own(self, number: str) -> SupervisionTask:
        """A task that this person may act on; 404 otherwise, for heads too."""
        return self.found(number, SupervisionTask.objects.for_managers(self.access))

    def shown(self, task: SupervisionTask) -> Response:
        """The task as it now stands."""
        fresh = self.found(task.number, SupervisionTask.objects.for_office_people(self.access))
        return Response(TaskSerializer(fresh, context={"today": self.today}).data)


class TaskListView(PortalView):
    """The inbox."""

    roles = (*MANAGERS, Role.DEPARTMENT_HEAD)

    @extend_schema(
        operation_id="listTasks",
        summary="监管任务 · The inbox",
        description="Tasks of the offices that the person manages or deputises for, and of the departments the person "
        "heads, by due day, 50 a page. `q` finds by task or case number, holder, item or sub-item.",
        tags=TAGS,
        parameters=[TaskPageQuerySerializer],
        responses=answers({200: paged(TaskRowSerializer, "TaskPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; one statement."""
        asked = read(TaskPageQuerySerializer, request.query_params)
        queue = lists.chosen(asked["queue"])
        rows = lists.narrowed(self.access, queue, text=asked["q"], late_on=self.today if asked["late"] else None)
        return page(rows, queue.order, asked["cursor"], TaskRowSerializer, today=self.today)


class TaskDetailView(TaskView):
    """One task."""

    roles = (*MANAGERS, Role.DEPARTMENT_HEAD)

    @extend_schema(
        operation_id="getTask",
        summary="查看任务 · Read a task",
        description="A manager or deputy of the office who reads a task has viewed it (L9c); a head's reading, and a "
        "`HEAD` request, do not count.",
        tags=TAGS,
        responses=answers({200: TaskSerializer}, *READ),
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the task, marking it viewed where the reader manages it."""
        task = self.found(number, SupervisionTask.objects.for_office_people(self.access))
        if request.method == "GET" and task.office_id in self.access.offices(*MANAGERS):
            actions.view_task(task, by=self.user, now=self.now)
        return self.shown(task)


class AcknowledgementView(TaskView):
    """签收."""

    roles = MANAGERS

    @extend_schema(
        operation_id="acknowledgeTask",
        summary="签收 · Acknowledge with a measure and a planned finish day",
        description="The task must have been read before. A second acknowledgement is a conflict (409).",
        tags=TAGS,
        request=AcknowledgeSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Acknowledge."""
        task = self.own(number)
        said = read(AcknowledgeSerializer, request.data)
        return self.shown(actions.acknowledge(task, **said, by=self.user, now=self.now))


class FinishView(TaskView):
    """完成监管."""

    roles = MANAGERS

    @extend_schema(
        operation_id="finishTask",
        summary="完成监管 · Say on which day supervision was finished",
        description="The five working days for feedback start on that day; it is neither in the future nor before "
        "the task.",
        tags=TAGS,
        request=FinishSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Finish."""
        task = self.own(number)
        said = read(FinishSerializer, request.data)
        return self.shown(actions.finish(task, **said, by=self.user, now=self.now))


class FeedbackView(TaskView):
    """反馈监管结果."""

    roles = MANAGERS

    @extend_schema(
        operation_id="feedBackTask",
        summary="反馈监管结果 · Feed the result back",
        description="A conforming result closes the task; anything else stays open until `closure`.",
        tags=TAGS,
        request=FeedBackSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Feed back."""
        task = self.own(number)
        said = read(FeedBackSerializer, request.data)
        clauses = said.pop("clauses")
        return self.shown(actions.feed_back(task, **said, clause_results=clauses, by=self.user, now=self.now))


class ClosureView(TaskView):
    """归档."""

    roles = MANAGERS

    @extend_schema(
        operation_id="closeTask",
        summary="归档 · Close a task whose feedback was not fully conforming",
        description="With what was done about it.",
        tags=TAGS,
        request=ClosureSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Close."""
        task = self.own(number)
        said = read(ClosureSerializer, request.data)
        return self.shown(actions.close(task, **said, by=self.user, now=self.now))
