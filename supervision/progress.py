"""What the public may know of supervision after the licence: who watches and how far it is. No officer, no measure."""

from __future__ import annotations

from approvals.progress import Afterwards
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask

# In the words of the public; the measure stays unsaid, so that no visit is announced by this page.
STAGES = {
    TaskStatus.NOTIFIED: "已推送监管部门",
    TaskStatus.VIEWED: "已推送监管部门",
    TaskStatus.DISPUTED: "已推送监管部门",
    TaskStatus.ACKNOWLEDGED: "监管部门已签收",
    TaskStatus.IN_PROGRESS: "监管部门已签收",
    TaskStatus.FINISHED: "监管已完成，待反馈",
    TaskStatus.FED_BACK: "监管结果已反馈",
    TaskStatus.RECTIFYING: "监管结果已反馈",
    TaskStatus.HANDED_OVER: "监管结果已反馈",
    TaskStatus.REVOCATION: "监管结果已反馈",
    TaskStatus.CLOSED: "监管结果已反馈",
}
DONE = {TaskStatus.FED_BACK, TaskStatus.RECTIFYING, TaskStatus.HANDED_OVER, TaskStatus.REVOCATION, TaskStatus.CLOSED}


def afterwards(case_id: int) -> list[Afterwards]:
    """Return the tasks of a case for its progress page; one statement."""
    rows = SupervisionTask.objects.filter(case_id=case_id).order_by("pk")
    return [
        Afterwards(department, name, STAGES[TaskStatus(status)], TaskStatus(status) in DONE)
        for department, name, status in rows.values_list("department__name", "sub_item__name", "status")
    ]
