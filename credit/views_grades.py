"""收到的信用评价: two gradings side by side, as they came; to be read, nothing can be typed in (L7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credit import received
from credit.identifiers import Form
from credit.models import CreditSubject, SubjectGrade, SubjectRisk
from credit.models.grades import NO_GRADE, NO_RISK
from credit.received import Received
from credit.views_breaches import officers, shown
from credit.views_links import cards, of_subject
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.web import PortalRequest

HEAD = (
    "主体", "主体类型", "主体代码", "公共信用评价", "评价来源", "评价日期", "评价接收时间", "信用风险分类", "分类来源",
    "评定日期", "分类接收时间",
)  # fmt: skip


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[CreditSubject]]:
    listing = Listing(
        request,
        reverse("credit:grades"),
        filters=[Filter("form", "主体类型", Form.choices)],
        q_label="名称开头或者代码",
        placeholder="名称开头或者统一社会信用代码",
        tabs=[key for key, _ in received.TABS if key],
    )
    rows = received.graded(request.access, listing["tab"])
    if listing["form"]:
        rows = rows.of_form(listing["form"])  # type: ignore[attr-defined]  # a SubjectQuerySet
    return listing, received.searched(rows, listing["q"])


@officers
@require_safe
def grade_list(request: PortalRequest) -> HttpResponse:
    """Subjects of whom a grading was ever received, the newest of both side by side."""
    listing, rows = _listing(request)
    page = listing.page(rows, received.ORDER)
    context = {
        "tab": dict(received.TABS)[listing["tab"]],
        "rows": [
            {"one": one, "url": reverse("credit:grade", args=[one.subject.pk])}
            for one in received.with_newest(page.rows)
        ],
        "stats": listing.stats(
            [(key, f"收到过{label}", received.number(request.access, key), "neutral") for key, label in received.TABS]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "个主体"),
        "export_url": listing.address(reverse("credit:grades_export")),
        "clear_url": listing.address(q="", form=""),
        "none": {"grade": NO_GRADE, "risk": NO_RISK},
    }
    return shown(request, "credit/grades.html", context)


@officers
@require_safe
def grades_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons are masked."""
    listing, rows = _listing(request)

    def came(one: SubjectGrade | SubjectRisk | None, none: str) -> Sequence[Any]:
        if one is None:
            return none, "", "", ""
        return one.label, one.source, local_date(one.given_at), f"{timezone.localtime(one.received_at):%Y-%m-%d %H:%M}"

    def line(one: Received) -> Sequence[Any]:
        subject, grade, risk = one.subject, one.grade, one.risk
        return (
            subject.public_name, subject.form_label, subject.code or "",
            *came(grade, NO_GRADE),
            *came(risk, NO_RISK),
        )  # fmt: skip

    lines = everything(rows, received.ORDER, lambda found: map(line, received.with_newest(found)))
    return csv_response(
        f"收到的信用评价-{dict(received.TABS)[listing['tab']]}-{local_date(request.now):%Y%m%d}", HEAD, lines
    )


def _entries(rows: Sequence[SubjectGrade | SubjectRisk], verb: str) -> list[dict[str, Any]]:
    def note(one: SubjectGrade | SubjectRisk) -> str:
        did = f"不再给出{verb}" if one.is_withdrawn else verb
        return f"{one.source}{did}，{timezone.localtime(one.received_at):%Y年%-m月%-d日 %H:%M}接收"

    return [
        {
            "at": one.given_at,
            "label": one.label,
            "note": note(one),
            "tone": "active" if place == 0 else "neutral",
        }
        for place, one in enumerate(rows)
    ]


def _withdrawn(rows: Sequence[SubjectGrade | SubjectRisk]) -> dt.datetime | None:
    """Since when the platform gives none any more; None where it gives one, or never gave one."""
    return rows[0].given_at if rows and rows[0].is_withdrawn else None


@officers
@require_safe
def grade_page(request: PortalRequest, pk: int) -> HttpResponse:
    """The gradings of one subject as they came, the newest first, and the codes that hang together with its own."""
    subject = get_object_or_404(received.received_of(request.access), pk=pk)
    grades = list(subject.grades.order_by("-given_at", "-id"))
    risks = list(subject.risks.order_by("-given_at", "-id"))
    context = {
        "subject": subject,
        "crumbs": [{"label": "信用评价", "url": reverse("credit:grades")}],
        "grade": grades[0].label if grades else NO_GRADE,
        "risk": risks[0].label if risks else NO_RISK,
        "withdrawn": {"grade": _withdrawn(grades), "risk": _withdrawn(risks)},
        "grades": _entries(grades, "评价"),
        "risks": _entries(risks, "评定"),
        "links": cards(of_subject(subject)),
    }
    return shown(request, "credit/grade.html", context)
