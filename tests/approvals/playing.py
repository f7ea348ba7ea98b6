"""A whole case through HTTP alone: each person signs in, looks what the case asks of them, and does it.

The window clerk takes in through the API; reviewers, the countersigning office, site officers and the decider press
the buttons of their pages; the delivery clerk hands over at the window.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalogue.models import BusinessItem, Criterion
from offices.models import Posting
from offices.tokens import issue
from oversight.demo.cases import code_of
from tests.approvals import play, window
from tests.conftest import Moment

Role = Posting.Role
CLERK, COUNTER = "chuangkou1", "chujian1"
WORDS = "已逐项审查，符合已公布的条件。"


@dataclass(frozen=True)
class Halt:
    """A special procedure: why, until what moment, how many working days were foreseen."""

    ground: str
    until: str
    days: int


def _done(answer: Any) -> Any:
    """The answer of a press that must succeed."""
    assert answer.status_code == 302, f"{answer.status_code}: {window.text_of(answer)[-3000:]}"
    return answer


@dataclass
class Player:
    """One applicant's case of ``item``; ``met``: those of the back office who had a hand in it, by account."""

    item: BusinessItem
    clock: Moment
    company: int = 1
    number: str = ""
    query_code: str = ""
    met: set[str] = field(default_factory=set)
    seats: dict[str, Client] = field(default_factory=dict)

    # --- who plays

    def desk(self, username: str) -> Client:
        """The browser of a person, who stays signed in."""
        if username not in self.seats:
            browser = Client()
            browser.force_login(play.person(username), backend="django.contrib.auth.backends.ModelBackend")
            self.seats[username] = browser
        return self.seats[username]

    def holders(self, role: Role, *offices: int) -> list[str]:
        """The accounts with ``role`` in these offices, or in the item's review office."""
        rows = Posting.objects.filter(role=role, office_id__in=offices or [self.item.review_office_id])
        return list(dict.fromkeys(rows.order_by("pk").values_list("user__username", flat=True)))

    def having(self, queue: str, people: list[str]) -> list[str]:
        """Those of ``people`` on whose work list the case stands."""
        return [name for name in people if self.number in self._list(name, queue)]

    def _list(self, who: str, queue: str) -> str:
        return window.text_of(self.desk(who).get(reverse("office:list"), {"tab": queue}))

    # --- what they use

    @property
    def applicant(self) -> dict[str, str]:
        """Invented, and different for each ``company``."""
        return {
            "subject_kind": "organisation",
            "identifier": code_of(f"91320700MA1E3E0{self.company:02d}"),
            "name": f"连云港秦山岛{self.company:02d}号公司（演示）",
            "contact_name": "演示甲",
            "contact_phone": f"100770000{self.company:02d}",
        }

    def post(self, who: str, path: str, said: Any, status: int = 200) -> Any:
        """What the API answers to a person."""
        token = {"authorization": f"Token {issue(play.person(who)).token}"}
        answer = self.desk(who).post(f"/api/v1/{path}", said, content_type="application/json", headers=token)
        assert answer.status_code == status, answer.content.decode()
        return answer.json()

    def press(self, who: str, page: str, **said: Any) -> Any:
        """Send a form of the back office."""
        self.met.add(who)
        return _done(self.desk(who).post(reverse(f"office:{page}", args=[self.number]), said))

    def looks(self, who: str, page: str = "case") -> str:
        """The page of the case as a person reads it: before the decision nothing on it says whose case it is."""
        answer = self.desk(who).get(reverse(f"office:{page}", args=[self.number]))
        assert answer.status_code == 200
        text = window.text_of(answer)
        told = [secret for name, secret in self.applicant.items() if name != "subject_kind" and secret in text]
        assert not told, f"{who} reads {told}"
        return text

    # --- the window

    def intake(self, **changes: Any) -> dict[str, Any]:
        """The body of the intake with everything that is required."""
        return {
            "intake_key": str(uuid.uuid4()),
            "business_item": self.item.code,
            **self.applicant,
            "content": "海州区某路 1 号",
            "provided": dict.fromkeys(window.slots(self.item), "provided"),
        } | changes

    def take_in(self) -> None:
        """收件 with all that is required, a scan of the first material, 受理."""
        told = self.post(CLERK, "cases/", self.intake(), 201)
        self.number, self.query_code = told["number"], told["query_code"]
        scan = SimpleUploadedFile("报告.pdf", window.PDF, "application/pdf")
        slot = window.slots(self.item)[0]
        page = reverse("window:case", args=[self.number])
        _done(self.desk(CLERK).post(page, {"act": "save", f"file-{slot}": scan}))
        told = self.post(CLERK, f"cases/{self.number}/accept/", {})
        assert told["status"] == "in_review"

    def deliver(self) -> None:
        """出件 at the counter."""
        said = {"act": "deliver", "method": "counter", "receiver": "演示乙"}
        _done(self.desk(COUNTER).post(reverse("window:case", args=[self.number]), said))

    # --- the back office

    @property
    def reviewers(self) -> list[str]:
        """Whom the draw gave the case: those on whose desk it waits for review."""
        return self.having("review", self.holders(Role.REVIEWER))

    def halt(self, halt: Halt, reviewer: str) -> None:
        """特别程序 by the reviewer until ``halt.until``; meanwhile no opinion is taken."""
        self.press(reviewer, "procedure", ground=halt.ground, estimated_days=halt.days, law="", reason="由专家组评审。")
        early = self.desk(reviewer).post(reverse(self._advice, args=[self.number]), self._opinion())
        assert early.status_code == 409
        self.clock.to(halt.until)
        self.press(reviewer, "procedure_end", result="已形成结论，原则同意。")

    def visit(self, reviewer: str) -> list[str]:
        """现场核查: the reviewer plans it, one of the two who were drawn reports; returns the two."""
        self.press(reviewer, "site_plan", planned_on=self.clock.at.date().isoformat())
        page = reverse("office:site_check", args=[self.number])
        officers = self.holders(Role.SITE_OFFICER)
        drawn = [name for name in officers if self.desk(name).get(page).status_code == 200]
        self.met |= set(drawn)
        said = {"verdict": "conforms", "findings": "两人到场核查，设施、场地与材料一致。", "place": "某路 1 号"}
        _done(self.desk(drawn[0]).post(page, said))
        _done(self.desk(drawn[1]).post(page, {"verdict": "confirm"}))
        return drawn

    def countersign(self) -> list[str]:
        """内部会签 of every office that the item names; returns who signed."""
        signed = []
        for office in self.item.countersign_offices.order_by("pk"):
            people = self.holders(Role.REVIEWER, office.pk) + self.holders(Role.DECIDER, office.pk)
            who = self.having("countersign", people)[0]
            self.looks(who, "countersign")
            self.press(who, "countersign", verdict="agree", text="不影响规划实施，无意见。")
            signed.append(who)
        return signed

    @property
    def _advice(self) -> str:
        return "office:sheet" if self.item.pass_mark is not None else "office:opinion"

    def _opinion(self) -> dict[str, Any]:
        form: dict[str, Any] = {"verdict": "approve", "text": WORDS}
        for criterion in self.item.effective_criteria():
            name = f"criterion_{criterion.pk}"
            form |= {name: self._best(criterion), f"evidence_{criterion.pk}": "见所附材料"}
        return form

    def _best(self, criterion: Criterion) -> str:
        return "met" if criterion.is_veto else str(max(grade["score"] for grade in criterion.grades))

    def advise(self, reviewer: str) -> None:
        """The opinion, or the score sheet where the item has criteria, from a page that names nobody."""
        text = self.looks(reviewer)
        assert ("criterion_" in text) == (self.item.pass_mark is not None)
        self.press(reviewer, self._advice.removeprefix("office:"), **self._opinion())

    def province(self, reviewer: str) -> None:
        """上报省主管部门 and its answer, where the item asks for it."""
        self.press(reviewer, "province", number="连报〔2026〕1号")
        self.press(reviewer, "province_answer", answer="省厅同意。")

    def review(self, halt: Halt | None = None) -> list[str]:
        """Everything that the item asks for before the decision; returns the reviewers who were drawn."""
        drawn = self.reviewers
        first = self.first(drawn)
        for who in drawn:
            self.looks(who)
        if halt:
            self.halt(halt, first)
        if self.item.reports_to_province:
            self.province(first)
        if self.item.site_check:
            self.visit(first)
        self.countersign()
        for who in drawn:
            self.advise(who)
        return drawn

    def first(self, drawn: list[str]) -> str:
        """The reviewer of the first seat, who alone is offered the plan of a site check; else the first by account."""
        offered = [name for name in drawn if reverse("office:site_plan", args=[self.number]) in self.looks(name)]
        return (offered or drawn)[0]

    def decide(self) -> str:
        """准予 by a decider of the office who has it on the work list; returns who."""
        who = self.having("decide", self.holders(Role.DECIDER))[0]
        self.looks(who)
        self.press(who, "decision", verdict="approve", text="")
        return who

    def complete(self, reviewer: str) -> str:
        """办结; returns the number of the licence or opinion, as the page shows it."""
        self.press(reviewer, "complete")
        page = window.text_of(self.desk(reviewer).get(reverse("office:case", args=[self.number])))
        found = re.search(r'licence-number num">([^<]+)<', page)
        assert found
        return found[1]

    # --- anybody

    def progress(self) -> dict[str, Any]:
        """What the applicant reads with number and query code."""
        said = {"number": self.number, "query_code": self.query_code}
        answer = Client().post("/api/v1/progress/", said, content_type="application/json")
        assert answer.status_code == 200, answer.content.decode()
        told: dict[str, Any] = answer.json()
        return told
