"""A few invented cases, played through the real actions, so that every desk has something on it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.core.files.base import ContentFile
from stdnum.cn import uscc

from approvals.actions import (
    IntakeDraft,
    accept_case,
    complete_case,
    decide,
    receive_case,
    request_correction,
)
from approvals.actions.intake import checklist, is_letter, required_points, slot_of
from approvals.actions.promising import Signing, capacities, last_lawful_day, letter_of, sign_promise
from approvals.credit_gate import ask, settle
from approvals.enums import MaterialState, SignMethod, Way
from approvals.models import Case
from approvals.uploads import store
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit.models import CreditSubject, Grade, SubjectGrade
from offices.models import Posting, User
from oversight.demo.weighing import advise

# Invented companies: their codes are well-formed (GB 32100) and belong to nobody we know of.
COMPANIES = (
    ("91320700MA1DEMO01", "连云港海州湾置业有限公司（演示）"),
    ("91320700MA1DEMO02", "连云港云台物流有限公司（演示）"),
    ("91320700MA1DEMO03", "连云港花果山食品有限公司（演示）"),
    ("91320700MA1DEMO04", "连云港连岛旅馆有限公司（演示）"),
    ("91320700MA1DEMO05", "连云港港城建材有限公司（演示）"),
    ("91320700MA1DEMO06", "连云港西连岛水产有限公司（演示）"),
    # Those of the stories of supervision, one each.
    ("91320700MA1DEMO07", "连云港海棠湾歌舞厅有限公司（演示）"),
    ("91320700MA1DEMO08", "连云港秦东门影城有限公司（演示）"),
    ("91320700MA1DEMO09", "连云港盐河剧场有限公司（演示）"),
    ("91320700MA1DEMO10", "连云港蔷薇河商场有限公司（演示）"),
    ("91320700MA1DEMO11", "连云港锦屏山酒店有限公司（演示）"),
    ("91320700MA1DEMO12", "连云港东磊网吧有限公司（演示）"),
    ("91320700MA1DEMO13", "连云港苏马湾浴场有限公司（演示）"),
    ("91320700MA1DEMO14", "连云港渔湾民宿有限公司（演示）"),
    ("91320700MA1DEMO15", "连云港孔望山理发店（演示）"),
    # That of the loop.
    ("91320700MA1DEMO16", "连云港高公岛影城有限公司（演示）"),
)

# A page with nothing on it, as if a signed letter had been scanned.
SCAN = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def code_of(stem: str) -> str:
    """Complete 17 characters with their check character (GB 32100)."""
    stem = stem.replace("O", "0")
    return stem + str(uscc.calc_check_digit(stem))


def receive(
    item: BusinessItem,
    company: int,
    clerk: User,
    now: dt.datetime,
    *,
    complete: bool = True,
    way: Way | None = None,
    modes: Sequence[str] = (),
    signed: bool = True,
) -> Case:
    """Take in one case of ``item`` for an invented company, with or without all of its materials.

    A complete one by promise is signed as well unless told not to; what it defers stays owed.
    """
    stem, name = COMPANIES[company % len(COMPANIES)]
    way = way or (Way.PROMISE if item.is_promise_only else Way.ORDINARY)
    lines = [line for line in checklist(item, way, modes) if line.required and line.state == MaterialState.MISSING]
    provided = {slot_of(line): MaterialState.PROVIDED.value for line in lines if not is_letter(line)}
    if not complete:
        provided.popitem()
    case = receive_case(
        IntakeDraft(
            business_item=item,
            intake_key=uuid.uuid4(),
            subject_kind=CreditSubject.Kind.ORGANISATION,
            identifier=code_of(stem),
            name=name,
            contact_name="演示联系人",
            contact_phone=f"1000099{company:04d}",
            content=f"{item.name}（演示）",
            way=way,
            modes=modes,
            provided=provided,
        ),
        by=clerk,
        now=now,
    )
    return sign(case, clerk, now) if complete and signed and way == Way.PROMISE else case


def sign(case: Case, clerk: User, now: dt.datetime, *, until: dt.date | None = None) -> Case:
    """Ask for the credit, take the promise way, and let the applicant sign every clause on paper.

    What is deferred is promised for ``until``, else for the case's own day, else for the last lawful one.
    """
    if ask(case, by=clerk, now=now).allowed is None:
        settle(case, allowed=True, reason="演示：承办人决定采用", by=clerk, now=now)
    letter = letter_of(case)
    if letter is not None:
        store(ContentFile(SCAN, "承诺书.pdf"), intake_key=case.intake_key, slot=slot_of(letter), by=clerk, now=now)
    signing = Signing(
        signer=case.applicant_name if case.applicant.kind == CreditSubject.Kind.PERSON else case.contact_name,
        capacity=capacities(case.applicant)[0][0],
        method=SignMethod.PAPER,
        clauses=range(1, len(case.promise_clauses) + 1),
        deferred_until=until or case.deferred_until or last_lawful_day(case, now),
    )
    sign_promise(case, signing=signing, by=clerk, now=now)
    case.refresh_from_db()
    return case


def _one(role: Posting.Role, office_id: int, *not_these: User | None) -> User:
    postings = Posting.objects.role(role).filter(office_id=office_id).exclude(user__in=[u for u in not_these if u])
    posting = postings.select_related("user").order_by("pk").first()
    if posting is None:
        raise LookupError(f"no {role} in office {office_id}")
    return posting.user


def play(case: Case, until: str, clerk: User, now: dt.datetime) -> Case:
    """Carry a received case on to ``until``: accepted, opinion, approved, completed."""
    case = accept_case(case, by=clerk, now=now)
    if until == "accepted":
        return case
    if case.on_the_spot:
        decider = case.decider or _one(Posting.Role.DECIDER, case.review_office_id, clerk)
        return decide(case, approve=True, by=decider, now=now)
    reviewer = case.reviewer
    if reviewer is None:
        raise LookupError(f"{case.number} has no reviewer")
    advise(case, now, text="材料齐全，符合已公布的条件，建议准予许可。")
    if until == "opinion":
        return case
    decider = _one(Posting.Role.DECIDER, case.review_office_id, reviewer, clerk)
    case = decide(case, approve=True, by=decider, now=now)
    return case if until == "approved" else complete_case(case, by=reviewer, now=now)


def load(now: dt.datetime) -> int:
    """Make the cases of today; return how many."""
    clerk = User.objects.get(username="chuangkou1")
    city = BusinessItem.objects.published().filter(
        item__division__code="320700", item__kind="licence", handling="ordinary"
    )
    items = list(city.order_by("item__key_item_id", "code"))
    steps = ["received", "correction", "accepted", "accepted", "opinion", "approved", "completed", "completed"]
    for number, step in enumerate(steps):
        item = items[(number * 3) % len(items)]
        case = receive(item, number, clerk, now, complete=step != "correction")
        if step == "correction":
            request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=now)
        elif step != "received":
            play(case, step, clerk, now)
    return len(steps) + _promises(clerk, now)


GRADES = ((0, Grade.EXCELLENT), (1, Grade.GOOD), (2, Grade.FAIR), (4, Grade.POOR))
# That of ``supervising.revoked``, recorded for a broken promise, so that the credit gate has something to say.
BROKE_ITS_WORD = 6


def _credit(now: dt.datetime) -> None:
    """Public evaluations of some of the companies."""
    subjects = [
        CreditSubject.objects.identify(CreditSubject.Kind.ORGANISATION, code_of(stem), name) for stem, name in COMPANIES
    ]
    for number, grade in GRADES:
        given = {"given_at": now - dt.timedelta(days=30), "received_at": now}
        SubjectGrade.objects.get_or_create(
            subject=subjects[number], grade=grade, source="公共信用综合评价（演示）", defaults=given
        )


def _promises(clerk: User, now: dt.datetime) -> int:
    """One case of each mode in different states, and one whose applicant broke an earlier promise; how many."""
    _credit(now)
    offered = BusinessItem.objects.published().filter(item__division__code="320700").exclude(promise_modes=[])
    only = next((item for item in offered if item.is_promise_only and item.is_on_the_spot), None)
    defers = next((item for item in offered if PromiseMode.DEFERRED_MATERIAL in item.promise_modes), None)
    if only is None or defers is None:
        return 0
    play(receive(only, 1, clerk, now, modes=[PromiseMode.POST_CHECK]), "completed", clerk, now)
    ask(receive(only, 2, clerk, now, modes=[PromiseMode.VERIFIED_MATERIAL], signed=False), by=clerk, now=now)
    accept_case(receive(defers, 0, clerk, now, way=Way.PROMISE), by=clerk, now=now)
    ask(receive(defers, BROKE_ITS_WORD, clerk, now, way=Way.PROMISE, signed=False), by=clerk, now=now)
    return 4
