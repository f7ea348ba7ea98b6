"""What the back office's case page shows, gathered from the blind side of a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.forms import BaseForm
from django.urls import reverse

from approvals import blind
from approvals.archive import material_rows
from approvals.blind import BlindCase
from approvals.enums import DocumentKind, MaterialState, Way
from approvals.forms_office import DecisionForm, OpinionForm
from approvals.lacking import sentence
from approvals.models import Case, Decision, Document, Licence, Opinion
from approvals.views.clock_page import clock_context
from approvals.views.province_page import province_context
from approvals.views.unveil import unveil_context
from approvals.views.weighing_page import advice_form, weighing_context
from catalogue.enums import GroundKind, Topic
from catalogue.models import BusinessItem, Linkage
from credit.models import CreditSubject
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from ledger.models import Entry
from offices.access import Access
from offices.links import link

# The steps of the page at which somebody advises, decides or completes an approval.
APPROVES = {"review", "decide", "spot", "issue"}
STANDARD_TOPICS = (Topic.CONDITION, Topic.QUANTITY, Topic.PROCEDURE, Topic.BASIS)
SHOWN_PAPERS = (
    DocumentKind.SPECIAL,
    DocumentKind.EXTENSION,
    DocumentKind.APPROVAL,
    DocumentKind.REJECTION,
    DocumentKind.FILING,
)


def _materials(case: BlindCase) -> list[dict[str, Any]]:
    return material_rows(case.pk, lambda file: link("file")(file.pk))


def _facts(case: BlindCase) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [
        {"label": "业务办理项", "value": case.item_name},
        {"label": "办件编号", "value": case.number},
        {"label": "办理方式", "value": f"{case.way.label}{' · 即办件' if case.is_on_the_spot else ''}"},
        {"label": "收件时间", "value": case.received_at},
        {"label": "受理时间", "value": case.accepted_at},
    ]
    if case.deemed_at:
        said = "收到后五个工作日内没有答复，自收到之日起即为受理（行政许可法第三十二条）"
        facts.append({"label": "依法视为受理", "value": said, "wide": True})
    if case.decided_at:
        facts.append({"label": "决定时间", "value": case.decided_at})
    return facts


def preview_context(case: BlindCase, subject: CreditSubject | None) -> dict[str, Any]:
    """The side pane of the list: facts, clocks without their days, materials."""
    return {"case": case, "subject": subject, "facts": _facts(case), "materials": _materials(case)}


def countersign_context(case: BlindCase, now: dt.datetime) -> dict[str, Any]:
    """The page of an office that countersigns: the case, its materials and standards, never whose it is."""
    item = BusinessItem.objects.select_related("standard_item").get(pk=case.item_id)
    return {
        "today": local_date(now),
        "crumbs": [{"label": "审批办件", "url": reverse("office:list")}],
        "case": case,
        "facts": _facts(case),
        "materials": _materials(case),
        "standards": _standards(item),
        "explanations": explain_many(case.clocks, local_date(now)),
    }


def _grounds(item: BusinessItem, ticked: set[str]) -> list[dict[str, Any]]:
    """Everything that a rejection may rest on: conditions with their sources, then the listed materials (O3.2.1d)."""
    found = (
        (GroundKind.CONDITION, [(row.pk, row.text, row) for row in item.effective_facts(Topic.CONDITION)]),
        (GroundKind.MATERIAL, [(row.pk, row.name, row) for row in item.effective_materials()]),
    )
    groups = []
    for kind, published in found:
        rows = [
            {
                "key": f"{kind.value}:{pk}",
                "id": f"ground-{kind.value}-{pk}",
                "text": text,
                "source": row.source,
                "unsure": row.get_certainty_display() if row.is_unverified else "",
                "ticked": f"{kind.value}:{pk}" in ticked,
            }
            for pk, text, row in published
        ]
        if rows:
            folded = kind == GroundKind.MATERIAL
            any_ticked = any(row["ticked"] for row in rows)
            groups.append({"label": kind.label, "rows": rows, "folded": folded, "is_ticked": any_ticked})
    return groups


def _standards(item: BusinessItem) -> list[dict[str, Any]]:
    """The item's published standards by topic, each statement with its source."""
    topics: dict[str, list[Any]] = {topic.label: [] for topic in STANDARD_TOPICS}
    for fact in item.effective_facts().filter(topic__in=STANDARD_TOPICS):
        topics[Topic(fact.topic).label].append(fact)
    return [{"label": label, "facts": facts} for label, facts in topics.items() if facts]


def _follows(case: BlindCase, offices: list[str], materials: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """What each verb brings about, said before it is pressed."""
    tasks = "本事项没有有效的审管关联，办结后进入督办人员的待分派清单"
    if offices:
        tasks = f"同时生成监管任务：{'、'.join(offices)}"
    issue = "出具许可证件编号，移交出件窗口，短信通知申请人领取"
    approve = ["出具《准予行政许可决定书》，审批期限停止计算"]
    if any(row["state"] == MaterialState.DEFERRED for row in materials):
        approve.append("证件等申请人补齐承诺延期的材料，补齐当日颁发；短信告知申请人还欠哪些、最迟哪一天")
    elif case.is_on_the_spot:
        approve += [issue, tasks, "即办件当场办结"]
    else:
        approve.append("转入待制证，10 个工作日内制证送达（行政许可法第四十四条）")
    return {
        "advise": ["意见转交本处室决定人员", "提交后不能修改"],
        "object": ["勾选的各项将作为建议不予的理由转交决定人员", "提交后不能修改"],
        "approve": approve,
        "reject": [
            "一次性列明勾选的全部理由，出具《不予行政许可决定书》",
            "载明救济途径：六十日内复议、六个月内诉讼",
            "决定书由出件窗口送达",
        ],
        "complete": [issue, tasks, "短信通知各处室管理员，3 个工作日内签收"],
    }


def _timeline(case: BlindCase) -> list[dict[str, Any]]:
    """The case's acts by name and moment; people and data stay on the ledger until the decision."""
    entries = Entry.objects.filter(stream=f"case:{case.pk}").order_by("seq")
    if not case.is_decided:
        return [{"at": entry.at, "label": entry.label} for entry in entries.only("at", "act", "seq", "stream")]
    return [
        {"at": entry.at, "label": entry.label, "who": entry.actor.full_name if entry.actor else ""}
        for entry in entries.select_related("actor")
    ]


def _outcome(case: BlindCase) -> dict[str, Any]:
    """What may be shown once the decision stands: whose case it is, papers, licence, tasks."""
    if not case.is_decided:
        return {}
    # ``tasks`` is the supervision side's own relation to a case; it is read here, never imported.
    tasks = Case(pk=case.pk).tasks.select_related("office__department", "sub_item").order_by("number")
    return {
        "subject": blind.applicant_of(case),
        "decision_made": Decision.objects.select_related("decider").filter(case_id=case.pk).first(),
        "licence": Licence.objects.filter(case_id=case.pk).first(),
        "papers": [
            {
                "title": paper.get_kind_display(),
                "number": paper.number,
                "date": local_date(paper.issued_at),
                "url": reverse("paper", args=[paper.pk]),
            }
            for paper in Document.objects.filter(case_id=case.pk, kind__in=SHOWN_PAPERS)
        ],
        "tasks": list(tasks),
    }


def _lead(case: BlindCase, stage: str) -> str:
    leads = {
        "review": "请对照已公布的条件和材料审查，出具意见。申请人信息在决定作出前不显示。",
        "decide": "请根据审查意见作出决定。申请人信息在决定作出前不显示。",
        "spot": "即办件：请当场决定，准予后立即制证办结。申请人信息在决定作出前不显示。",
        "issue": "已准予许可，请制证办结，移交出件窗口。",
        "procedure": "特别程序进行中，期限已停止计算；结束后才能出具审查意见、作出决定。",
    }
    if stage in leads:
        return leads[stage]
    return "这件办件已经办结。" if case.completed_at else "目前没有需要您办理的步骤。"


def case_context(
    case: BlindCase,
    access: Access,
    now: dt.datetime,
    *,
    opinion: OpinionForm | None = None,
    decision: DecisionForm | None = None,
    site_plan: BaseForm | None = None,
    **clock_forms: BaseForm | None,
) -> dict[str, Any]:
    """Everything on the page; the forms are those that came back (``clock_forms`` as ``clock_context`` takes them)."""
    item = BusinessItem.objects.select_related("item__department", "standard_item").get(pk=case.item_id)
    given = Opinion.objects.filter(case_id=case.pk).select_related("reviewer").first()
    stage = ""
    if case.in_procedure:
        stage, opinion, decision = "procedure", None, None
    elif opinion is not None or blind.to_review(access).filter(pk=case.pk).exists():
        stage = "review"
        opinion = opinion or advice_form(item, case)
    elif decision is not None or blind.to_decide(access).filter(pk=case.pk).exists():
        stage = "spot" if case.is_on_the_spot else "decide"
        decision = decision or DecisionForm()
    elif blind.to_issue(access).filter(pk=case.pk).exists():
        stage = "issue"
    form: OpinionForm | DecisionForm | None = opinion or decision
    ticked: set[str] = set()
    if form is not None and form.is_bound:
        ticked = set(form["keys"].value() or [])
    elif given is not None and not given.approve:
        ticked = {ground["key"] for ground in given.grounds}
    materials = _materials(case)
    lacks = [row["name"] for row in materials if row["required"] and row["state"] == MaterialState.MISSING]
    lacks = lacks if stage in APPROVES else []
    offices = [f"{linkage.office}（{linkage.sub_item.name}）" for linkage in Linkage.objects.for_item(item).active()]
    return {
        "today": local_date(now),
        "crumbs": [{"label": "审批办件", "url": reverse("office:list")}],
        "case": case,
        "explanations": explain_many(case.clocks, local_date(now)),
        "is_promise": case.way == Way.PROMISE,
        "lead": _lead(case, stage),
        "stage": stage,
        "facts": _facts(case),
        "materials": materials,
        "standards": _standards(item),
        "grounds": _grounds(item, ticked) if form is not None else [],
        "opinion_form": opinion,
        "decision_form": decision,
        "opinion": given,
        "follows": _follows(case, offices, materials),
        "lacks": sentence(lacks) if lacks else "",
        "entries": _timeline(case),
        "subject": None,
        "returned": site_plan or next((form for form in clock_forms.values() if form), None),
        **weighing_context(case, item, access, local_date(now), given, site_plan),
        **clock_context(case, item, local_date(now), clock_forms),
        **unveil_context(case),
        **province_context(case, item, clock_forms),
        **_outcome(case),
    }
