"""撤销建议: an order not mended or refused, proposed to the approval side with its evidence; the answer (L10c, L10d).

The approval side's case is locked before the task, as everywhere where both are: a proposal and a change of the licence
that meet come one after the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction
from django.urls import reverse

from approvals.actions.revoking import propose_revocation
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Licence
from approvals.papers import cn_day
from approvals.reasons import grave
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User
from supervision import papers
from supervision.actions import following, visiting
from supervision.actions.ordering import UNMENDED, breaks_promise, irrevocable, newest, note_follow_up, said, stands
from supervision.enums import PaperKind, TaskAct, TaskStatus
from supervision.models import Inspection, Paper, Proposal, Rectification, SupervisionTask

BASIS = "《中华人民共和国行政许可法》第六十九条、《连云港市审管联动工作实施方案》（连政办发〔2022〕67号）"


def evidence_of(task: SupervisionTask) -> list[dict[str, str]]:
    """What may be put forward, each with a key: the records of the inspections with their photos, and the papers.

    What was set aside is not. Three statements; ``{"key", "label", "text", "url"}``, addresses that the approval side
    may open.
    """
    looks = [_of_inspection(task, one) for one in Inspection.objects.standing().filter(task=task).order_by("order")]
    return [*looks, *(_of_paper(paper) for paper in papers.standing(task))]


def _of_paper(paper: Paper) -> dict[str, str]:
    return {
        "key": f"{paper.kind}-{paper.pk}",
        "label": paper.get_kind_display(),
        "text": f"{paper.number}，{cn_day(local_date(paper.issued_at))}",
        "url": reverse("tasks:paper", args=[paper.pk]),
    }


def _of_inspection(task: SupervisionTask, inspection: Inspection) -> dict[str, str]:
    return {
        "key": f"look-{inspection.pk}",
        "label": f"{inspection.get_kind_display()}情况和照片",
        "text": f"{cn_day(local_date(inspection.ended_at))}，{inspection.get_result_display()}：{inspection.summary}",
        "url": reverse("tasks:inspection", args=[task.number, inspection.order]),
    }


def drafted_facts(order: Rectification) -> str:
    """The facts as the order and its verdict suggest them."""
    verdict = f"整改期限至{cn_day(order.due_on)}，认定结果：{order.get_status_display()}。{order.settled_reason}"
    return f"{order.facts}\n已责令限期整改（{order.paper.number}），{verdict}"


def why_not(task: SupervisionTask, order: Rectification | None, today: dt.date) -> Refused | None:
    """Why revocation cannot be proposed as the task, its newest ``order`` and its licence now stand, or None."""
    if task.status != TaskStatus.RECTIFYING:
        said = f"这件监管任务现在是“{task.get_status_display()}”，不能建议撤销许可，请刷新查看。"
        return TransitionNotAllowed(said)
    if order is None or order.status not in UNMENDED:
        return Refused("proposal-needs-order", "逾期未改、复查不合格或者拒不整改的，才能建议撤销许可。", conflict=True)
    if not stands(task.licence):
        return Refused("licence-not-standing", irrevocable(task, today), conflict=True)
    return None


@transaction.atomic
def propose(
    task: SupervisionTask, *, facts: str, keys: Sequence[str], by: User, now: dt.datetime
) -> Proposal:  # fmt: skip
    """建议撤销行政许可: the paper, the approval side's ``Revocation`` with its clock; the task waits for the answer.

    ``keys`` choose among ``evidence_of``; the order is always among them. Raises ``Refused`` (``proposal-needs-order``,
    ``licence-not-standing``, ``facts-missing``, ``reason-too-short``, ``evidence-missing``), ``TransitionNotAllowed``,
    and what the approval side refuses.
    """
    licence_id = SupervisionTask.objects.values_list("licence_id", flat=True).get(pk=task.pk)
    licence = Licence.objects.filter(pk=licence_id).first()
    if licence is not None:
        Case.objects.lock(licence.case_id)
        licence.refresh_from_db()
    task = SupervisionTask.objects.lock(task.pk)
    task.licence = licence
    order = newest(task)
    refused = why_not(task, order, local_date(now))
    if refused is not None:
        raise refused
    order, licence = cast(Rectification, order), cast(Licence, licence)
    text = said(facts, "facts", "facts-missing", "请写明事实和理由。", 4000)
    grave(text, "facts", "建议撤销许可，请写明查明的事实和理由")
    chosen = _chosen(task, order, keys)
    paper, entry = _paper(task, licence, text, chosen, by, now)
    evidence = [_of_paper(paper), *chosen]
    revocation = propose_revocation(
        licence, source=task.stream, source_number=task.number, proposed_by_name=task.office.department.paper_name,
        facts=text, evidence=[{key: one[key] for key in ("label", "text", "url")} for one in evidence],
        broken_promise=breaks_promise(order), by=by, now=now,
    )  # fmt: skip
    proposal = Proposal.objects.create(
        task=task, order=order, revocation=revocation, paper=paper, facts=text, evidence=chosen, proposed_by=by,
        proposed_at=now,
    )  # fmt: skip
    task.move(TaskStatus.REVOCATION)
    following.end(task, by=by, now=now)
    save_at(task, now)
    visiting.call_off_open(task, by=by, now=now)
    note_follow_up(task, f"建议撤销行政许可：{paper.number}。")
    data: dict[str, Any] = {"proposal": proposal.pk, "order": order.pk, "licence": licence.pk}
    record_many([Draft(task.stream, TaskAct.PROPOSED, data, by), entry], at=now)
    reach("proposal.before_commit")
    return proposal


def _chosen(task: SupervisionTask, order: Rectification, keys: Sequence[str]) -> list[dict[str, str]]:
    offered = evidence_of(task)
    unknown = set(keys) - {one["key"] for one in offered}
    if unknown or not keys:
        raise Refused("evidence-missing", "请从列出的文书和检查记录中选择证据。", field="keys")
    wanted = {*keys, f"{PaperKind.ORDER}-{order.paper_id}"}
    return [one for one in offered if one["key"] in wanted]


def _paper(
    task: SupervisionTask, licence: Licence, facts: str, evidence: Sequence[dict[str, str]], by: User, now: dt.datetime
) -> tuple[Paper, Draft]:
    return papers.issue(
        task, PaperKind.PROPOSAL, by=by, now=now, to=licence.department.paper_name,
        paragraphs=[
            f"你单位准予“{task.subject_name}”的“{licence.kind}”（编号：{licence.number}），"
            "经本机关监管，发现下列事实：",
            *facts.splitlines(),
            "本机关已责令限期整改，当事人逾期未改正、整改后仍不符合条件或者拒不整改。现建议你单位依法撤销上述行政许可决定，"
            "并将处理结果告知本机关。",
        ],
        tables=[
            {
                "title": "证据",
                "head": ["序号", "名称", "说明"],
                "rows": [[str(n), one["label"], one["text"]] for n, one in enumerate(evidence, start=1)],
            }
        ],
        extra={"basis": BASIS},
    )  # fmt: skip
