"""The supervision side's part of the API: the same queues, the same actions, the same 404 as the inbox."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import verifying
from approvals.api.serializers import LicenceSerializer, ReviewLineSerializer
from approvals.archive import neutral_files
from approvals.exceptions import Refused
from approvals.models import CaseMaterial, Licence
from deadlines.api import DeadlineSerializer
from offices.api import ACT, READ, Choice, PageQuerySerializer, PortalView, Said, SaidDay, answers, page, paged, read
from offices.models import Posting, User
from supervision import actions, lists, officers, pages
from supervision.actions.taking import MOST_AT_ONCE, refuse_gone
from supervision.enums import OPEN, Measure, Origin, Platform, Result, TaskEnd, TaskStatus, VisitStatus
from supervision.models import Feedback, SupervisionTask, TaskQuerySet, Visit

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
TAGS = ["supervision"]
QUEUES = [(queue.key, queue.label) for queue in lists.QUEUES]


class TaskRowSerializer(serializers.Serializer[Any]):
    """A task in the inbox."""

    number = serializers.CharField()
    status = serializers.ChoiceField(choices=TaskStatus.choices)
    status_label = serializers.CharField(source="get_status_display")
    case_number = serializers.CharField(source="case.number", default="", help_text="Empty for old stock.")
    business_item = serializers.CharField(source="business_item.name")
    subject = serializers.CharField(source="public_subject", help_text="Persons are masked.")
    subject_identifier = serializers.CharField(source="subject.public_identifier")
    sub_item = serializers.CharField(source="sub_item.name")
    department = serializers.CharField(source="office.department.name")
    office = serializers.CharField(source="office.name")
    origin = serializers.ChoiceField(choices=Origin.choices)
    first_officer = serializers.CharField(source="first_officer.username", default=None, allow_null=True)
    second_officer = serializers.CharField(source="second_officer.username", default=None, allow_null=True)
    opened_at = serializers.DateTimeField()
    deadline = DeadlineSerializer(
        source="current_deadline",
        allow_null=True,
        help_text="The clock that presses; null before the SMS went out, and while an order to mend runs.",
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


class VisitSerializer(serializers.Serializer[Any]):
    """入企检查: a planned visit."""

    task = serializers.CharField(source="task.number")
    subject = serializers.CharField(source="task.public_subject", help_text="Persons are masked.")
    status = serializers.ChoiceField(choices=VisitStatus.choices)
    planned_on = serializers.DateField()
    purpose = serializers.CharField()
    exemption = serializers.CharField(allow_blank=True, help_text="Why it does not count against the yearly cap.")
    requested_by = serializers.CharField(source="requested_by.username")
    requested_at = serializers.DateTimeField()
    settled_by = serializers.CharField(source="settled_by.username", default=None, allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    settled_reason = serializers.CharField(allow_blank=True)


class TaskSerializer(TaskRowSerializer):
    """A task with everything that its page says."""

    points = serializers.ListField(
        child=serializers.CharField(), source="sub_item.points", help_text="What to look at."
    )
    promise_clauses = serializers.ListField(child=serializers.CharField(), help_text="To be checked one by one (L10b).")
    content = serializers.CharField(source="case.content", allow_blank=True, default="")
    sms_sent_at = serializers.DateTimeField(allow_null=True)
    viewed_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    measure = serializers.ChoiceField(choices=Measure.choices, allow_blank=True)
    measure_reason = serializers.CharField(allow_blank=True)
    measure_with = serializers.CharField(allow_blank=True)
    planned_finish_on = serializers.DateField(allow_null=True, help_text="With `none_now` the day of the review.")
    finished_on = serializers.DateField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    end = serializers.ChoiceField(choices=TaskEnd.choices, allow_blank=True)
    end_reason = serializers.CharField(allow_blank=True)
    officer_faults = serializers.SerializerMethodField(help_text="What is wrong with the assignment, in words.")
    earlier = serializers.SerializerMethodField(help_text="Numbers of other tasks of the subject within reach.")
    visits = serializers.SerializerMethodField(help_text="Visits of this task, the newest first.")
    materials = serializers.SerializerMethodField(help_text="The case's archive, files under neutral names.")
    licence = serializers.SerializerMethodField()
    feedback = serializers.SerializerMethodField()

    @extend_schema_field(ReviewLineSerializer(many=True))
    def get_materials(self, task: SupervisionTask) -> Any:
        """The checklist; three statements."""
        if task.case_id is None:
            return []
        lines = CaseMaterial.objects.filter(case_id=task.case_id).order_by("order")
        context = {"files": neutral_files(task.case_id), "verified": verifying.blind_answers(task.case_id)}
        return ReviewLineSerializer(lines, many=True, context=context).data

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_officer_faults(self, task: SupervisionTask) -> Any:
        """Two statements at most."""
        return officers.faults([task], self.context["today"]).get(task.pk, []) if task.status in OPEN else []

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_earlier(self, task: SupervisionTask) -> Any:
        """One statement."""
        return [one["task"].number for one in pages.earlier_tasks(task, self.context["access"])]

    @extend_schema_field(VisitSerializer(many=True))
    def get_visits(self, task: SupervisionTask) -> Any:
        """One statement."""
        rows = Visit.objects.filter(task=task).select_related("requested_by", "settled_by", "task__subject")
        return VisitSerializer(rows.order_by("-id"), many=True).data

    @extend_schema_field(LicenceSerializer(allow_null=True))
    def get_licence(self, task: SupervisionTask) -> Any:
        """The licence or filing receipt that is supervised."""
        found = Licence.objects.filter(pk=task.licence_id).first() if task.licence_id else None
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
    item = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40, help_text="Code of the business item."
    )
    area = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=6,
        help_text="Code of the division whose case it came from; of the department where there is no case.",
    )  # fmt: skip
    origin = serializers.ChoiceField(choices=Origin.choices, required=False, allow_blank=True, default="")
    whose = serializers.ChoiceField(
        choices=lists.WHOSE, required=False, allow_blank=True, default="",
        help_text="Given to the caller, to nobody, or to somebody who left or is away.",
    )  # fmt: skip


class PlanSerializer(serializers.Serializer[Any]):
    """A measure and a day."""

    measure = Choice(choices=Measure.choices)
    planned_finish_on = SaidDay(
        help_text="Today or later, within the sub-item's maximum; with `none_now` the day of the review."
    )
    measure_with = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=120,
        help_text="Required with `random_draw` and `combined`: which plan or which other check.",
    )  # fmt: skip
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Required with `none_now`."
    )


class OfficersSerializer(serializers.Serializer[Any]):
    """分派."""

    first_officer = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40,
        help_text="Account of somebody who serves in the task's office.",
    )  # fmt: skip
    second_officer = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40,
        help_text="Another account; required on site where the sub-item wants two.",
    )  # fmt: skip


class AssignSerializer(OfficersSerializer):
    """改派 too."""

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300,
        help_text="Required to replace somebody who was drawn by lot.",
    )  # fmt: skip


class AcknowledgeSerializer(PlanSerializer, OfficersSerializer):
    """签收 (L9c)."""


class ReplanSerializer(PlanSerializer):
    """变更计划."""

    reason = Said(max_length=300)


class ManySerializer(PlanSerializer):
    """批量签收."""

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=26),
        max_length=MOST_AT_ONCE,
        help_text="Tasks of one office and one sub-item, each read before.",
    )


class ReasonSerializer(serializers.Serializer[Any]):
    """A reason."""

    reason = Said(max_length=300)


class ManyDoneSerializer(serializers.Serializer[Any]):
    """What was acknowledged."""

    results = TaskRowSerializer(many=True)


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
            "case", "business_item", "subject", "office__department", "sub_item__item", *lists.PEOPLE, *lists.CLOCKS
        )
        return get_object_or_404(rows, number=number)

    def own(self, number: str) -> SupervisionTask:
        """A task that this person may act on; 404 otherwise, for heads too."""
        return self.found(number, SupervisionTask.objects.for_managers(self.access))

    def shown(self, task: SupervisionTask) -> Response:
        """The task as it now stands."""
        fresh = self.found(task.number, SupervisionTask.objects.for_office_people(self.access))
        return Response(TaskSerializer(fresh, context={"today": self.today, "access": self.access}).data)

    def officers(self, task: SupervisionTask, said: dict[str, Any]) -> dict[str, User | None]:
        """The accounts of ``first_officer`` and ``second_officer`` as people; refused outside of the office."""
        found: dict[str, User | None] = {}
        for name in ("first_officer", "second_officer"):
            account, given = said.pop(name), getattr(task, name)
            if task.origin == Origin.DRAW and given is not None and account == given.username:
                found[name] = given  # who was drawn stays, on leave too
                continue
            found[name] = officers.eligible(task.office_id, self.today).filter(username=account).first()
            if account and found[name] is None:
                text = "这位人员不在本处室任职，或者正在请假，请另选。"
                raise Refused("officer-not-eligible", text, field=name)
        return found


def with_case(tasks: list[SupervisionTask]) -> list[SupervisionTask]:
    """A page of tasks with all that a row says; one statement."""
    return lists.completed(tasks, "case")


class TaskListView(PortalView):
    """The inbox."""

    roles = (*MANAGERS, Role.DEPARTMENT_HEAD, Role.INSPECTOR)

    @extend_schema(
        operation_id="listTasks",
        summary="监管任务 · The inbox",
        description="Tasks of the offices that the person manages or deputises for, of the departments the person "
        "heads, and those given to an inspector, by due day, 50 a page. `q` finds by task or case number, holder, "
        "item or sub-item.",
        tags=TAGS,
        parameters=[TaskPageQuerySerializer],
        responses=answers({200: paged(TaskRowSerializer, "TaskPage")}, *READ, 422),
    )
    def get(self, request: Request) -> Response:
        """Return a page; two statements."""
        asked = read(TaskPageQuerySerializer, request.query_params)
        queue = lists.chosen(asked["queue"])
        more = lists.Narrow(
            text=asked["q"],
            late_on=self.today if asked["late"] else None,
            area=asked["area"],
            origin=asked["origin"],
            whose=asked["whose"],
        )
        rows = lists.narrowed(self.access, queue, more=more)
        if asked["item"]:
            rows = rows.filter(business_item__code=asked["item"])
        return page(rows, queue.order, asked["cursor"], TaskRowSerializer, complete=with_case, today=self.today)


class TaskDetailView(TaskView):
    """One task."""

    roles = (*MANAGERS, Role.DEPARTMENT_HEAD, Role.INSPECTOR)

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
        people = self.officers(task, said)
        return self.shown(actions.acknowledge(task, **(said | people), by=self.user, now=self.now))


class AcknowledgementsView(TaskView):
    """批量签收."""

    roles = MANAGERS

    @extend_schema(
        operation_id="acknowledgeTasks",
        summary="批量签收 · Acknowledge like tasks with one measure and one day",
        description="All of them or none; what stands in the way is named in `detail`, task by task. Numbers that are "
        "not the caller's, or no more, are named in a conflict (409); where none is, they do not exist (404).",
        tags=TAGS,
        request=ManySerializer,
        responses=answers({200: ManyDoneSerializer}, *ACT),
    )
    def post(self, request: Request) -> Response:
        """Acknowledge all."""
        said = read(ManySerializer, request.data)
        numbers = set(said.pop("numbers"))
        mine = SupervisionTask.objects.for_managers(self.access).filter(number__in=numbers)
        wanted = list(mine)
        if numbers and not wanted:
            raise Http404
        refuse_gone(sorted(numbers), wanted)
        done = actions.acknowledge_many(wanted, **said, by=self.user, now=self.now)
        rows = SupervisionTask.objects.filter(pk__in=[task.pk for task in done]).order_by("pk")
        shown = rows.select_related(
            "case", "business_item", "subject", "office__department", "sub_item", *lists.PEOPLE, *lists.CLOCKS
        )
        return Response({"results": TaskRowSerializer(shown, many=True, context={"today": self.today}).data})


class AssignmentView(TaskView):
    """分派."""

    roles = MANAGERS

    @extend_schema(
        operation_id="assignTask",
        summary="分派办理人员 · Give the task to one or two people of its office",
        description="Managers, deputies and inspectors of the office who are not on leave; they are told by SMS. No "
        "clock changes. The same people again change nothing. Who was drawn by lot is replaced only when unable to "
        "serve, by somebody of the draw's pool, with a `reason`.",
        tags=TAGS,
        request=AssignSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Assign."""
        task = self.own(number)
        said = read(AssignSerializer, request.data)
        people = self.officers(task, said)
        return self.shown(actions.assign(task, **(said | people), by=self.user, now=self.now))


class PlanView(TaskView):
    """变更计划."""

    roles = MANAGERS

    @extend_schema(
        operation_id="replanTask",
        summary="变更监管措施或计划完成日 · Choose another measure or day, with a reason",
        description="Also the review of `none_now`. The day stays within the sub-item's maximum counted from the "
        "acknowledgement, or from the review, and not before a visit that was asked for. A day that has passed is not "
        "moved.",
        tags=TAGS,
        request=ReplanSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Replan."""
        task = self.own(number)
        said = read(ReplanSerializer, request.data)
        return self.shown(actions.replan(task, **said, by=self.user, now=self.now))


class LicenceEndedView(TaskView):
    """证照已失效，归档."""

    roles = MANAGERS

    @extend_schema(
        operation_id="closeTaskOfEndedLicence",
        summary="证照已失效，归档 · Close a task whose licence came to its end before the check was finished",
        description="Only after the approval side ended the licence; a conflict (409) otherwise.",
        tags=TAGS,
        request=ReasonSerializer,
        responses=answers({200: TaskSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Close."""
        task = self.own(number)
        said = read(ReasonSerializer, request.data)
        return self.shown(actions.close_for_licence(task, **said, by=self.user, now=self.now))


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
