"""What each paper says: number, parties, facts, legal basis, what and by when, remedies, authority, date.

A paper's content is frozen as JSON when it is issued; page, print and (later) PDF are set from the same content.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from approvals import papers_revocation
from approvals.enums import CaseAct, DocumentKind, MaterialState
from approvals.models import Case, CaseMaterial, Document
from approvals.numbers import next_serial
from credit.models import CreditSubject
from deadlines.models import Deadline
from ledger.hashing import canonical, sm3
from ledger.record import Draft
from offices.models import User

REMEDIES = (
    "如不服本决定，可以自收到本决定之日起六十日内依法申请行政复议，"
    "或者自收到本决定之日起六个月内依法向人民法院提起行政诉讼。"
)
LICENSING_LAW = "《中华人民共和国行政许可法》"
TITLES = {kind: kind.label for kind in DocumentKind}


def cn_day(day: dt.date) -> str:
    """Return a day as papers write it: 2026年9月28日."""
    return f"{day.year}年{day.month}月{day.day}日"


def document_number(case: Case, kind: DocumentKind, at: dt.datetime) -> str:
    """Return the next number of the authority's series for this kind and year: 连水许准〔2026〕12号."""
    year = timezone.localtime(at).year
    department = case.department
    prefix = f"{department.division.document_prefix}{department.short_name}{kind.word}"
    return f"{prefix}〔{year}〕{next_serial(f'document:{department.pk}:{kind.value}:{year}')}号"


def _period(clock: Deadline | None) -> str:
    return cn_day(clock.due_on) if clock else "（无）"


RECEIVED = (MaterialState.PROVIDED, MaterialState.VERIFIED)


def _received(case: Case) -> list[list[str]]:
    """The checklist for the receipt: what came in first, then what did not, each with how it stands."""
    lines = sorted(case.materials.all(), key=lambda line: (line.state not in RECEIVED, line.order))
    return [[str(number), line.name, _receipt_state(line)] for number, line in enumerate(lines, start=1)]


def _receipt_state(line: CaseMaterial) -> str:
    if line.state in RECEIVED:
        return f"已收到（{line.get_state_display()}）" if line.state == MaterialState.VERIFIED else "已收到"
    if line.state == MaterialState.MISSING:
        return "未收到" if line.required else "未收到（需要时提交）"
    return f"未收到（{line.get_state_display()}）"


def _receipt_words(case: Case) -> str:
    """How many of the listed materials came in, and how many did not."""
    states = [line.state for line in case.materials.all()]
    came = sum(state in RECEIVED for state in states)
    left = len(states) - came
    if not left:
        return f"下列{came}项材料均已收到。"
    return f"材料清单中，已收到{came}项，未收到{left}项，逐项列明如下。"


def _of_clocks(case: Case, kind: DocumentKind, text: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a paper that says what stops or lengthens the clock (arts. 42, 45)."""
    item = case.business_item.name
    if kind == DocumentKind.EXTENSION:
        due = f"将于{extra['until']}前作出决定"
        if extra["paused"]:
            due = "特别程序正在进行，所需时间不计算在内，结束后另行告知作出决定的日期"
        return {
            "paragraphs": [
                f"你（单位）提出的“{item}”申请，本机关于{_accepted(case)}受理，不能在法定期限内作出决定。",
                f"经本机关负责人批准，审批期限延长{extra['more']}，{due}。",
                f"延长的理由：{text}",
            ],
            "basis": str(extra["basis"]).replace("行政许可法", LICENSING_LAW, 1),
        }
    law = f"（{extra['law']}）" if extra["law"] else ""
    return {
        "paragraphs": [
            f"你（单位）提出的“{item}”申请，本机关于{_accepted(case)}受理。审批中依法需要{extra['ground']}{law}。",
            f"所需时间预计为{extra['days']}个工作日，预计于{extra['until']}结束。这段时间依法不计算在审批期限内，"
            "结束后自次日起继续计算，届时另行告知。",
            f"说明：{text}",
        ],
        "basis": f"{LICENSING_LAW}第四十五条{'；' + extra['law'] if extra['law'] else ''}",
    }


def _not_certain(*deadlines: Deadline | None) -> list[str]:
    """The sentence about a due date that rests on a year which is not published yet; at most one."""
    return [note for note in (deadline.provisional_note() for deadline in deadlines if deadline) if note][:1]


def _accepted(case: Case) -> str:
    return cn_day(timezone.localtime(case.accepted_at).date()) if case.accepted_at else "（未受理）"


def late_words(case: Case, today: dt.date) -> str:
    """What is told of a decision whose told day is past: which day it was, and the law's day where that is to come."""
    told, law = case.decision_deadline, case.statutory_deadline
    words = f"承诺期限已于{cn_day(told.due_on)}届满，" if told and (law is None or told.due_on != law.due_on) else ""
    if law is not None and law.due_on >= today:
        return f"{words}本机关最迟于法定期限{cn_day(law.due_on)}前作出决定。"
    if law is not None:
        words += f"法定期限已于{cn_day(law.due_on)}届满，"
    return f"{words}本机关将尽快作出决定。"


def _listed(points: list[dict[str, Any]]) -> list[list[str]]:
    return [[str(number), point["text"]] for number, point in enumerate(points, start=1)]


def _day_text(day: dt.date | str) -> str:
    return cn_day(day) if isinstance(day, dt.date) else day


def _promisor(case: Case) -> str:
    """The applicant as a letter names it: an organisation by its code, a person by the masked identity number."""
    subject = case.applicant
    what = "身份证号码" if subject.kind == CreditSubject.Kind.PERSON else "统一社会信用代码"
    return f"{case.applicant_name}（{what}：{subject.public_identifier}）"


def _of_promise(case: Case, extra: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Return the body of the signed letter: conditions, checks, consequences, consent, and how it was signed.

    The promise is the applicant's: named as promisor, with a place for signature and seal; the authority receives it.
    ``extra``: ``signer``, ``capacity`` (label), ``method`` (label), ``modes`` (labels), ``consent`` (bool),
    ``deferred_until`` (day or None), ``checks`` and ``consequences`` (lists of sentences).
    """
    moment = timezone.localtime(now)
    until = extra.get("deferred_until")
    owed = [line.name for line in case.materials.all() if line.state == MaterialState.DEFERRED]
    deferred = [f"下列材料于{_day_text(until)}前补齐，补齐之日颁发证件：{'、'.join(owed)}。"] if until and owed else []
    agreed = "同意" if extra["consent"] else "不同意"
    return {
        "paragraphs": [
            f"{_promisor(case)}作为申请人和承诺人，就“{case.business_item.name}”（办件编号：{case.number}）自愿选择"
            "以告知承诺方式办理，"
            f"采用{'、'.join(extra['modes'])}的方式，已知晓许可条件、核查方式和不实承诺的后果，逐条承诺如下：",
        ],
        "head": ["序号", "承诺内容（已逐条确认）"],
        "table": [[str(n), clause] for n, clause in enumerate(case.promise_clauses, start=1)],
        "closing": [
            *deferred,
            f"核查方式：{''.join(extra['checks'])}",
            f"不实承诺的后果：{''.join(extra['consequences'])}",
            f"是否同意公开本承诺书：{agreed}（单独征求，不影响办理）。",
            f"承诺人：{_promisor(case)}。签署人：{extra['signer']}（{extra['capacity']}）。",
            f"签署方式：{extra['method']}；签署时间：{cn_day(moment.date())}{moment:%H:%M}。",
            "作出行政许可决定前，申请人可以撤回本承诺，改按一般方式办理或者撤回申请。",
        ],
        "promisor": case.applicant_name,
        "signature": [f"承诺人：{case.applicant_name}", f"签署人（{extra['capacity']}）：{extra['signer']}"],
        "basis": "国办发〔2020〕42号、《连云港市审管联动工作实施方案》（连政办发〔2022〕67号）",
    }


def _of_later(case: Case, points: list[dict[str, Any]], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of 容缺补交告知书. ``extra``: ``until`` (a day), ``consequence``, ``signer``."""
    return {
        "paragraphs": [
            f"你（单位）提出的“{case.business_item.name}”申请，主要材料齐全，下列次要材料暂缺。"
            "根据你（单位）的申请和承诺，本机关容缺办理，先行审查并颁发证件：",
        ],
        "head": ["序号", "应补交的材料"],
        "table": _listed(points),
        "closing": [
            f"请于{_day_text(extra['until'])}前补交以上全部材料。期限届满前一个工作日将以短信提醒；"
            "确有正当理由的，可以申请延长一次。",
            f"逾期未补交的后果：{extra['consequence']}",
            f"申请人已知晓并同意以上内容。签署人：{extra['signer']}",
        ],
        "basis": "《关于优化行政审批监管工作的方案》（连政办传〔2023〕8号）三、（一）3",
    }


ENDINGS = (DocumentKind.WITHDRAWAL, DocumentKind.TERMINATION, DocumentKind.CANCELLATION)


def _of_ending(case: Case, kind: DocumentKind, points: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """Return the body of a paper that ends a case early; ``points``: of the notice, or the materials owed."""
    item = case.business_item.name
    received = cn_day(timezone.localtime(case.received_at).date())
    if kind == DocumentKind.WITHDRAWAL:
        reason = f"申请人说明的理由：{text}" if text else ""
        return {
            "paragraphs": [
                f"你（单位）于{received}提出的“{item}”申请（办件编号：{case.number}），已按你（单位）的意思撤回，"
                "本机关终止办理。",
                *([reason] if reason else []),
                "撤回不影响你（单位）今后再次提出申请；已交的材料原件可凭本确认书到窗口领回。",
            ],
            "basis": "申请人的撤回申请",
        }
    if kind == DocumentKind.TERMINATION:
        return {
            "paragraphs": [
                f"你（单位）于{received}提出的“{item}”申请（办件编号：{case.number}），"
                f"本机关已一次性告知须补正的全部内容，你（单位）在{_period(case.answer_deadline)}前没有补正。",
                "本机关终止办理本申请。你（单位）可以在材料齐备后重新提出申请。",
                *([text] if text else []),
            ],
            "head": ["序号", "未补正的内容"],
            "table": _listed(points),
            "basis": f"{LICENSING_LAW}第三十二条第一款第四项",
            "remedies": REMEDIES,
        }
    return {
        "paragraphs": [
            f"你（单位）提出的“{item}”申请（办件编号：{case.number}），以告知承诺（材料延期）方式办理，"
            f"承诺于{_period(case.promise_deadline)}前补齐下列材料，期限届满仍未补齐。",
            "经本机关审核，决定撤销办理，不予颁发证件。",
            f"理由：{text}",
        ],
        "head": ["序号", "未补齐的材料"],
        "table": _listed(points),
        "basis": "《连云港市审管联动工作实施方案》（连政办发〔2022〕67号）二、（三）8",
        "remedies": REMEDIES,
    }


def _weighed(extra: Mapping[str, Any]) -> list[str]:
    """The arithmetic of a decision by criteria, where there is one (O3.1.2d); ``extra``: ``scores``, a sentence."""
    return [f"按本事项公布的裁量准则评分：{extra['scores']}"] if extra.get("scores") else []


def _issuing(case: Case) -> str:
    """By when the licence comes (art. 44); with 材料延期 at once with the last material (L8a)."""
    owed = [line.name for line in case.materials.all() if line.state == MaterialState.DEFERRED]
    if not owed:
        return "本机关自作出决定之日起十个工作日内颁发、送达行政许可证件。"
    until = f"，承诺的期限为{_period(case.promise_deadline)}" if case.promise_deadline else ""
    return (
        f"你（单位）承诺延期提交的材料（{'、'.join(owed)}）全部补齐时，本机关当即颁发行政许可证件，由出件窗口送达{until}；"
        "补齐以前不颁发证件。逾期未补齐的，本机关可以撤销办理。"
    )


def _of_acceptance(case: Case, extra: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Return the body of 受理通知书. ``extra``: ``untold``, names of materials that the notice did not name."""
    item = case.business_item.name
    due = _period(case.decision_deadline)
    lawful = f"（法定期限至{_period(case.statutory_deadline)}）" if case.statutory_deadline else ""
    accepted = f"你（单位）提出的“{item}”申请，材料齐全、符合法定形式，属于本机关职权范围，现予受理。"
    if untold := extra.get("untold"):
        accepted = (
            f"你（单位）提出的“{item}”申请，属于本机关职权范围，一次性告知的内容已经补正，现予受理。"
            f"{'、'.join(untold)}没有列入补正告知书，依法不再要求补正，不影响受理。"
            "缺少必要材料的不能准予许可，作出决定之前可以自愿补交。"
        )
    if case.is_deemed:
        accepted = (
            f"你（单位）提出的“{item}”申请，本机关收到材料后未在五个工作日内告知是否需要补正，"
            f"依法自收到申请材料之日（{_accepted(case)}）起即为受理，审批期限自该日起计算。"
        )
    promise = f"本机关将于{due}前作出决定{lawful}。"
    today = timezone.localtime(now).date()
    if case.is_deemed and case.decision_deadline and case.decision_deadline.due_on < today:
        promise = f"按自收到之日起计算，{late_words(case, today)}"
    return {
        "paragraphs": [
            accepted,
            f"{promise}依法需要听证、检验、检测、鉴定和专家评审的，所需时间不计算在内，将另行书面告知。",
            *_not_certain(case.promised_deadline, case.statutory_deadline),
        ],
        "basis": "《中华人民共和国行政许可法》第三十二条、第四十二条",
    }


# 备案 is no licence: none of its papers speaks of one or rests on the licensing law.
OF_FILING = {
    DocumentKind.RECEIPT, DocumentKind.CORRECTION, DocumentKind.FILING, DocumentKind.NOT_FILED,
    DocumentKind.TERMINATION,
}  # fmt: skip
FILING_BASIS = "本备案事项的设定依据，见办事指南"


def _of_filing(case: Case, kind: DocumentKind, points: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """Return the body of a paper of a filing: receipt, correction, 备案凭证, 不予备案, or the end without an answer."""
    item = case.business_item.name
    sent = f"你（单位）于{cn_day(timezone.localtime(case.received_at).date())}报送的“{item}”备案材料"
    body: dict[str, Any] = {"basis": FILING_BASIS}
    if kind == DocumentKind.RECEIPT:
        return body | {
            "paragraphs": [
                f"{sent}已收到，办件编号：{case.number}。{_receipt_words(case)}",
                f"本机关将于{_period(case.notice_deadline)}前核对材料是否齐全、是否符合规定形式：齐全的当场出具备案凭证，"
                "不齐全的一次性告知需要补正的全部内容。",
                f"凭办件编号和查询码 {case.query_code} 可随时查询办理进度。",
            ],
            "head": ["序号", "材料名称", "收取情况"],
            "table": _received(case),
        }
    if kind == DocumentKind.CORRECTION:
        return body | {
            "paragraphs": [f"{sent}需要补正。现将须补正的全部内容一次性告知如下，此后不再另行告知："],
            "head": ["序号", "须补正的内容"],
            "table": _listed(points),
            "closing": [f"请于{_period(case.answer_deadline)}前补正。逾期不补正的，本机关将终止办理，您可以重新报送。"],
        }
    if kind == DocumentKind.NOT_FILED:
        return body | {
            "paragraphs": [f"{sent}，经核对，不予备案。", f"理由：{text}"],
            "table": _listed(points),
            "remedies": REMEDIES,
        }
    if kind == DocumentKind.TERMINATION:
        return body | {
            "paragraphs": [
                f"{sent}（办件编号：{case.number}），本机关已一次性告知须补正的全部内容，"
                f"你（单位）在{_period(case.answer_deadline)}前没有补正。",
                "本机关终止办理。你（单位）可以在材料齐备后重新报送。",
                *([text] if text else []),
            ],
            "head": ["序号", "未补正的内容"],
            "table": _listed(points),
            "remedies": REMEDIES,
        }
    return body | {
        "paragraphs": [
            f"{sent}齐全、符合规定形式，予以备案。",
            "本凭证仅证明已收到备案材料，不对材料内容作实质审查。",
        ],
    }


def _body(
    case: Case, kind: DocumentKind, points: list[dict[str, Any]], text: str, extra: Mapping[str, Any], now: dt.datetime
) -> dict[str, Any]:
    """Return paragraphs, table, basis and remedies of one kind of paper."""
    if kind in {DocumentKind.SPECIAL, DocumentKind.EXTENSION}:
        return _of_clocks(case, kind, text, extra)
    if kind in {DocumentKind.FILING, DocumentKind.NOT_FILED} or (case.is_filing and kind in OF_FILING):
        return _of_filing(case, kind, points, text)
    if kind == DocumentKind.PROMISE:
        return _of_promise(case, extra, now)
    if kind == DocumentKind.LATER:
        return _of_later(case, points, extra)
    if kind in ENDINGS:
        return _of_ending(case, kind, points, text)
    item = case.business_item.name
    received = cn_day(timezone.localtime(case.received_at).date())
    listed = _listed(points)
    if kind == DocumentKind.RECEIPT:
        return {
            "paragraphs": [
                f"你（单位）于{received}提交的“{item}”申请已收到，办件编号：{case.number}。{_receipt_words(case)}",
                f"本机关将于{_period(case.notice_deadline)}前作出是否受理的答复，或者一次性告知需要补正的全部内容。",
                f"凭办件编号和查询码 {case.query_code} 可随时查询办理进度。",
            ],
            "head": ["序号", "材料名称", "收取情况"],
            "table": _received(case),
            "basis": "《中华人民共和国行政许可法》第三十二条",
        }
    if kind == DocumentKind.CORRECTION:
        return {
            "paragraphs": [
                f"你（单位）于{received}提出的“{item}”申请，经审查需要补正。现将须补正的全部内容一次性告知如下，此后不再另行告知：",
            ],
            "head": ["序号", "须补正的内容"],
            "table": listed,
            "closing": [
                f"请于{_period(case.answer_deadline)}前补正。逾期不补正的，本机关将终止办理，您可以重新申请。",
            ],
            "basis": "《中华人民共和国行政许可法》第三十二条第一款第四项",
        }
    if kind == DocumentKind.ACCEPTANCE:
        return _of_acceptance(case, extra, now)
    if kind == DocumentKind.NOT_ACCEPTED:
        return {
            "paragraphs": [f"你（单位）于{received}提出的“{item}”申请，经审查，决定不予受理。", f"理由：{text}"],
            "table": listed,
            "basis": "《中华人民共和国行政许可法》第三十二条",
            "remedies": REMEDIES,
        }
    if kind == DocumentKind.APPROVAL:
        months = case.business_item.validity_months
        return {
            "paragraphs": [
                f"你（单位）提出的“{item}”申请，经审查，符合法定条件、标准，决定准予行政许可。",
                f"许可内容：{case.content or item}。",
                f"有效期：{f'{months}个月' if months else case.business_item.validity_text or '以证照载明为准'}。",
                *_weighed(extra),
                _issuing(case),
            ],
            "basis": "《中华人民共和国行政许可法》第三十八条第一款、第四十四条",
        }
    if kind == DocumentKind.REJECTION:
        return {
            "paragraphs": [
                f"你（单位）提出的“{item}”申请，经审查，不符合法定条件、标准，决定不予行政许可。全部理由如下："
            ],
            "head": ["序号", "理由"],
            "table": listed,
            "closing": [*_weighed(extra), *([text] if text else [])],
            "basis": "《中华人民共和国行政许可法》第三十八条第二款",
            "remedies": REMEDIES,
        }
    raise ValueError(f"no words for {kind.value}")


def issue(
    case: Case,
    kind: DocumentKind,
    *,
    by: User | None,
    now: dt.datetime,
    points: list[dict[str, Any]] | None = None,
    text: str = "",
    extra: Mapping[str, Any] | None = None,
) -> tuple[Document, Draft]:
    """Make the paper and return it with the draft of its ledger entry (the caller writes all its entries at once).

    ``extra`` is what a paper says besides. About clocks: ``days``, ``until``, ``ground``, ``law``; ``more``, ``until``,
    ``paused``, ``basis``. Acceptance: ``untold``, names of what the notice did not name. The promise and
    容缺: see ``_of_promise``, ``_of_later``; licences: ``papers_revocation``.
    """
    number = document_number(case, kind, now)
    if kind in papers_revocation.KINDS:
        said = papers_revocation.body(kind, text, extra or {}, REMEDIES)
    else:
        said = _body(case, kind, points or [], text, extra or {}, now)
    content = {
        "title": TITLES[kind],
        "number": number,
        "to": case.department.paper_name if kind == DocumentKind.PROMISE else case.applicant_name,
        "case": case.number,
        "authority": case.department.paper_name,
        "date": cn_day(timezone.localtime(now).date()),
        **said,
    }
    document = Document.objects.create(
        case=case,
        kind=kind,
        number=number,
        verify_code=secrets.token_urlsafe(16),
        content=content,
        digest=sm3(canonical(content)),
        issued_by=by,
        issued_at=now,
    )
    data = {"kind": kind.value, "document": document.pk, "digest": document.digest}
    return document, Draft(case.stream, CaseAct.DOCUMENT_ISSUED, data, by)
