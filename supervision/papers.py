"""Papers of the supervision side: number, parties, facts, basis, remedies; frozen, digested, verified by their code.

Page and print are set from the content as it was frozen. Source: L10b, L10c; 行政复议法 art. 20, 行政诉讼法 art. 46.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from django.db.models import Q
from django.utils import timezone

from approvals.models import Revocation
from approvals.numbers import next_serial
from approvals.papers import cn_day
from approvals.verification import Found
from credit.models import CreditSubject
from ledger.hashing import canonical, sm3
from ledger.record import Draft
from offices.access import Access
from offices.crypto import mask_name
from offices.models import Posting, User
from supervision.enums import PaperKind, TaskAct
from supervision.models import Paper, Proposal, SetAside, SupervisionTask, TaskQuerySet

Role = Posting.Role
# Who answers a proposal to revoke, or chairs its hearing, reads what it rests on.
APPROVAL_SIDE = (Role.DECIDER, Role.DEPARTMENT_HEAD)


class Table(TypedDict, total=False):
    """A table of a paper: its title (may be missing), its heads and its rows of text."""

    title: str
    head: list[str]
    rows: list[list[str]]


def remedies_against(kind: PaperKind) -> str:
    """What the subject may do against a paper of this kind: 60 days to reconsideration, six months to the court."""
    return (
        f"如不服本{_short(kind)}，可以自收到之日起六十日内依法申请行政复议，"
        "或者自收到之日起六个月内依法向人民法院提起行政诉讼。"
    )


def _short(kind: PaperKind) -> str:
    return "意见" if kind == PaperKind.REINSPECTION else "通知"


def paper_number(task: SupervisionTask, kind: PaperKind, at: dt.datetime) -> str:
    """Return the next number of the supervising department's series for this kind and year: 连市监责改〔2026〕12号."""
    year = timezone.localtime(at).year
    department = task.office.department
    prefix = f"{department.division.document_prefix}{department.short_name}{kind.word}"
    return f"{prefix}〔{year}〕{next_serial(f'paper:{department.pk}:{kind.value}:{year}')}号"


def issue(
    task: SupervisionTask,
    kind: PaperKind,
    *,
    by: User,
    now: dt.datetime,
    to: str,
    paragraphs: Sequence[str],
    tables: Sequence[Table] = (),
    remedies: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> tuple[Paper, Draft]:
    """Make the paper and return it with the draft of its ledger entry (the caller writes all its entries at once).

    ``task`` is locked by the caller. ``extra`` (JSON) joins the content; the page sets ``closing`` (sentences after the
    tables) and ``basis`` (without its full stop).
    """
    department = task.office.department
    number = paper_number(task, kind, now)
    content: dict[str, Any] = {
        "title": kind.label,
        "number": number,
        "to": to,
        "task": task.number,
        "authority": department.paper_name,
        "date": cn_day(timezone.localtime(now).date()),
        "paragraphs": list(paragraphs),
        "tables": [dict(table) for table in tables],
        **({"remedies": remedies_against(kind)} if remedies else {}),
        **(extra or {}),
    }
    paper = Paper.objects.create(
        task=task,
        kind=kind,
        number=number,
        verify_code=secrets.token_urlsafe(16),
        content=content,
        digest=sm3(canonical(content)),
        issued_by=by,
        issued_at=now,
    )
    data = {"kind": kind.value, "paper": paper.pk, "digest": paper.digest}
    return paper, Draft(task.stream, TaskAct.PAPER_ISSUED, data, by)


def withdrawn(paper: Paper) -> SetAside | None:
    """The grant by which the record that this paper reports counts no more, or None; a statement for a record's."""
    if paper.kind != PaperKind.INSPECTION:
        return None
    found = SetAside.objects.filter(inspection=paper.content.get("inspection"), granted=True)
    return found.select_related("settled_by", "inspection").first()


def standing(task: SupervisionTask) -> list[Paper]:
    """The papers of the task without those of records that were set aside, in their order; two statements."""
    gone = set(SetAside.objects.filter(inspection__task=task, granted=True).values_list("inspection", flat=True))
    papers = task.papers.order_by("pk")
    return [one for one in papers if one.kind != PaperKind.INSPECTION or one.content.get("inspection") not in gone]


def is_intact(paper: Paper) -> bool:
    """Whether the content is still what its digest was taken of."""
    return bool(sm3(canonical(paper.content)) == paper.digest)


def within(access: Access) -> TaskQuerySet:
    """Tasks whose papers, records and photos the person may read, all of them: the office's people and overseers."""
    tasks = SupervisionTask.objects
    return tasks.filter(
        Q(pk__in=tasks.for_office_people(access).values("pk")) | Q(pk__in=tasks.for_overseer(access).values("pk"))
    )


def put_forward(access: Access, task_id: int) -> set[str]:
    """Keys of what the task's proposal put forward, for whoever decides on it or chairs its hearing; one statement."""
    found = Proposal.objects.filter(task=task_id, revocation__in=Revocation.objects.readable(access).values("pk"))
    proposal = found.only("evidence", "paper_id").first()
    if proposal is None:
        return set()
    return {one["key"] for one in proposal.evidence} | {f"{PaperKind.PROPOSAL}-{proposal.paper_id}"}


def may_read(access: Access, paper: Paper) -> bool:
    """Whether the person may read a paper: one of a task within reach, or put forward with a proposal.

    The paper of an inspection goes with its record.
    """
    if within(access).filter(pk=paper.task_id).exists():
        return True
    keys = {f"{paper.kind}-{paper.pk}", f"look-{paper.content.get('inspection', 0)}"}
    return not keys.isdisjoint(put_forward(access, paper.task_id))


def find(code: str, on: dt.date) -> Found | None:
    """What a verification code of a supervision paper opens (``approvals.verification``); two statements at most."""
    paper = Paper.objects.filter(verify_code=code).select_related("task__subject").defer(
        "task__subject__id_number"
    ).first()  # fmt: skip
    if paper is None:
        return None
    content = paper.content
    masked = paper.task.subject.kind == CreditSubject.Kind.PERSON and content["to"] == paper.task.subject_name
    return Found(
        kind=content["title"],
        number=paper.number,
        party=mask_name(content["to"]) if masked else content["to"],
        authority=content["authority"],
        date=content["date"],
        digest=paper.digest,
        intact=is_intact(paper),
        licence=None,
        expired=False,
        withdrawn=withdrawn(paper) is not None,
    )
