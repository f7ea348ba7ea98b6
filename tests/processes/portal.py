"""A portal seen over HTTP by people whose connection may die: they look at the state, and press again."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx

from oversight.demo.cases import code_of
from oversight.demo.people import PASSWORD
from scripts.runtime import wait_until
from scripts.stack import Stack
from tests.stacks import accounts

ITEM, ITEM_CODE = "商品房预售许可", "SP-0601"
# How long a person keeps trying while processes come back.
PATIENCE = 90.0
Json = dict[str, Any]


class DeadConnection(Exception):  # noqa: N818 - reads as what happened
    """The other end was gone before it answered: nobody knows whether the act was done."""


@dataclass
class Person:
    """Somebody with a token."""

    base_url: str
    username: str
    token: str = ""

    def _send(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        try:
            # A connection of its own each time: one that died with its process is never tried again.
            with httpx.Client(base_url=self.base_url, timeout=30, trust_env=False) as client:
                return client.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise DeadConnection from error

    def sign_in(self) -> Person:
        """Get a token."""
        answer = self._send("POST", "/api/v1/token/", {"username": self.username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]
        return self

    def look(self, path: str) -> Json:
        """Read; while nobody answers, try again."""
        found: list[Json] = []

        def read() -> bool:
            try:
                answer = self._send("GET", path)
            except DeadConnection:
                return False
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
            found.append(answer.json())
            return True

        assert wait_until(read, PATIENCE, 0.2), f"{path}: nobody answers"
        return found[-1]

    def press(self, path: str, body: Json, done: Callable[[], bool]) -> int:
        """Press until it is ``done``; return how many connections died. Before pressing again, look at the state."""
        died = 0
        end = time.monotonic() + PATIENCE
        while died == 0 or not done():
            assert time.monotonic() < end, f"{path}: not done in {PATIENCE:.0f} s"
            try:
                answer = self._send("POST", path, body)
            except DeadConnection:
                died += 1
                continue
            assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
            break
        return died


@dataclass(frozen=True)
class Task:
    """A supervision task in its manager's inbox."""

    number: str
    manager: Person


class Trainer:
    """Somebody signed in to the pages who moves the training clock."""

    def __init__(self, base_url: str) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=30, trust_env=False, follow_redirects=True)

    def sign_in(self, username: str) -> Trainer:
        """Through the login page, like everybody."""
        self.client.get("/login/")
        page = self._post("/login/", {"username": username, "password": PASSWORD})
        assert "退出" in page.text
        return self

    def _post(self, path: str, data: dict[str, str]) -> httpx.Response:
        return self.client.post(path, data=data | {"csrfmiddlewaretoken": self.client.cookies["csrftoken"]})

    def _jump(self, data: dict[str, str]) -> None:
        page = self._post("/training/jump/", data)
        assert "演练时钟已到" in page.text, f"{page.url} {page.status_code}: {page.text[-2000:]}"

    def now(self) -> dt.datetime:
        """The portal's time, from the training page."""
        page = self.client.get("/training/")
        found = re.search(r'<div class="clock-system">.*?datetime="([^"]+)"', page.text)
        assert found, f"{page.url} {page.status_code}: {page.text[-2000:]}"
        return dt.datetime.fromisoformat(found[1])

    def morning(self) -> None:
        """To the next working morning."""
        self._jump({"to": "morning"})

    def forward(self, minutes: int) -> None:
        """Some minutes ahead."""
        moment = self.now() + dt.timedelta(minutes=minutes)
        self._jump({"to": "moment", "moment": f"{moment:%Y-%m-%dT%H:%M}"})


@dataclass
class Portal:
    """One running stack and its people."""

    stack: Stack
    people: dict[str, Person] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.walk = accounts(self.stack, ITEM)
        self.trainer = Trainer(self.stack.base_url).sign_in("guanliyuan1")
        self.today = self.trainer.now().date()

    def person(self, username: str) -> Person:
        """The person with a token."""
        if username not in self.people:
            self.people[username] = Person(self.stack.base_url, username).sign_in()
        return self.people[username]

    @property
    def clerk(self) -> Person:
        """At the window."""
        return self.person("chuangkou1")

    def morning(self) -> None:
        """A new working day begins."""
        self.trainer.morning()
        self.today = self.trainer.now().date()

    # --- what is on the phones

    def _screens(self) -> dict[str, str]:
        """Whose phone (as the list of phones says it) → its text; of the phones that received anything."""
        listing = self.trainer.client.get("/demo/phone/").text
        cards = re.findall(r'<a class="phone-card" href="([^"]+)">(.*?)</a>', listing, re.DOTALL)
        return {
            re.sub(r"<[^>]+>|\s+", " ", unescape(card)): unescape(self.trainer.client.get(path).text)
            for path, card in cards
            if "还没有短信" not in card
        }

    def heard(self, text: str) -> dict[str, int]:
        """Whose phone → how often it says ``text``; phones that do not say it are left out."""
        found = {card: screen.count(text) for card, screen in self._screens().items()}
        return {card: number for card, number in found.items() if number}

    # --- the steps of one case

    def case(self, number: str) -> Json:
        """As the window sees it."""
        return self.clerk.look(f"/api/v1/cases/{number}/")

    def receive(self) -> str:
        """Take a complete application in; return the case number."""
        key = str(uuid.uuid4())
        count = len(self.cases) + 1
        body = {
            "intake_key": key,
            "business_item": ITEM_CODE,
            "subject_kind": "organisation",
            "identifier": code_of(f"91320700MA1CRAH{count:02d}"),
            "name": f"连云港连岛置业{count:02d}号公司（演示）",
            "contact_name": "演示联系人",
            "contact_phone": f"100770000{count:02d}",
            "content": "一幢，二十套",
        }
        # The same key gives the same case, so this press is never in doubt.
        self.clerk.press("/api/v1/cases/", body, lambda: False)
        number: str = self.clerk.look(f"/api/v1/cases/?q={body['identifier']}")["results"][0]["number"]
        self.cases.append(number)
        return number

    def accept(self, number: str) -> int:
        """Everything is there: accept."""
        lines = self.case(number)["materials"]
        provided = {line["slot"]: "provided" for line in lines if line["required"]}
        return self.clerk.press(
            f"/api/v1/cases/{number}/accept/",
            {"provided": provided},
            lambda: bool(self.case(number)["status"] == "in_review"),
        )

    def withdraw(self, number: str) -> int:
        """The applicant goes home."""
        return self.clerk.press(
            f"/api/v1/cases/{number}/withdrawal/", {}, lambda: bool(self.case(number)["status"] == "withdrawn")
        )

    def reviewer(self, number: str) -> Person:
        """Whoever has the case on the desk: exactly one."""
        pool = [self.person(name) for name in self.walk["审查，出具意见"]]
        having = [one for one in pool if one.look(f"/api/v1/reviews/?queue=review&q={number}")["results"]]
        assert len(having) == 1, f"{number} is on {len(having)} desks"
        return having[0]

    def advise(self, number: str) -> Person:
        """The drawn reviewer writes the opinion."""
        reviewer = self.reviewer(number)
        path = f"/api/v1/reviews/{number}/"
        opinion = {"approve": True, "text": "符合条件。"}
        reviewer.press(f"{path}opinion/", opinion, lambda: bool(reviewer.look(path)["opinion"]))
        return reviewer

    def decide(self, number: str) -> int:
        """Approve."""
        decider = self.person(self.walk["作出决定"][0])
        path = f"/api/v1/reviews/{number}/"
        return decider.press(
            f"{path}decision/", {"approve": True}, lambda: bool(decider.look(path)["status"] == "approved")
        )

    def complete(self, number: str, reviewer: Person) -> int:
        """办结."""
        path = f"/api/v1/reviews/{number}/"
        return reviewer.press(f"{path}completion/", {}, lambda: bool(reviewer.look(path)["status"] == "completed"))

    def tasks(self, number: str) -> list[Task]:
        """The tasks of the case, each in the inbox of one manager."""
        managers = [self.person(name) for name in self.walk["签收、监管、反馈"]]
        return [
            Task(row["number"], manager)
            for manager in managers
            for row in manager.look(f"/api/v1/tasks/?queue=open&q={number}")["results"]
        ]

    def clock_runs(self, task: Task) -> bool:
        """Whether the task's SMS was accepted and its acknowledge clock started."""
        [row] = task.manager.look(f"/api/v1/tasks/?queue=open&q={task.number}")["results"]
        return row["deadline"] is not None

    def messages_arrive(self, tasks: list[Task]) -> None:
        """Wait for the SMS of every task; what a dead worker had leased comes back as the portal's time goes on."""
        for _ in range(6):
            if wait_until(lambda: all(self.clock_runs(task) for task in tasks), 12, 0.4):
                return
            self.trainer.forward(minutes=6)
        raise AssertionError(f"no SMS for {[task.number for task in tasks]}")

    def acknowledge(self, task: Task, measure: str = "on_site") -> int:
        """Open, and acknowledge with a measure."""
        path = f"/api/v1/tasks/{task.number}/"
        task.manager.look(path)
        body = {"measure": measure, "planned_finish_on": f"{self.today + dt.timedelta(days=7)}"}
        return task.manager.press(
            f"{path}acknowledgement/", body, lambda: bool(task.manager.look(path)["status"] == "acknowledged")
        )

    def finish(self, task: Task) -> None:
        """Supervision is finished today."""
        path = f"/api/v1/tasks/{task.number}/"
        task.manager.press(
            f"{path}finish/",
            {"finished_on": f"{self.today}"},
            lambda: bool(task.manager.look(path)["status"] == "finished"),
        )

    def feed_back(self, task: Task) -> int:
        """Everything conforms: the task closes."""
        path = f"/api/v1/tasks/{task.number}/"
        body = {"result": "conforming", "text": "已查。", "platform": "market", "platform_number": "检1号"}
        return task.manager.press(f"{path}feedback/", body, lambda: bool(task.manager.look(path)["status"] == "closed"))

    # --- what follows a fault

    def inspect(self, task: Task) -> int:
        """From the documents: the first thing asked does not conform."""
        path = f"/api/v1/tasks/{task.number}/"
        form = task.manager.look(f"{path}inspection-form/")
        found = [{"kind": one["kind"], "key": one["key"], "result": "conforming"} for one in form["asked"]]
        found[0] |= {"result": "nonconforming", "words": "与许可条件不符。"}
        moment = self.trainer.now().isoformat()
        body = {
            "client_key": str(uuid.uuid4()), "checklist_version": form["checklist_version"], "off_site": "documents",
            "place": "调阅资料", "began_at": moment, "ended_at": moment, "first_officer": form["officers"][0]["id"],
            "findings": found, "result": "nonconforming", "summary": "已核对资料。",
        }  # fmt: skip
        return task.manager.press(
            f"{path}inspections/", body, lambda: len(task.manager.look(f"{path}rectification/")["evidence"]) > 0
        )

    def rectification(self, task: Task) -> Json:
        """Orders, evidence, proposal of a task."""
        return task.manager.look(f"/api/v1/tasks/{task.number}/rectification/")

    def order(self, task: Task) -> int:
        """责令限期整改, ten days."""
        body = {
            "facts": "与许可条件不符。", "basis": "《城市商品房预售管理办法》", "demands": "立即改正。",
            "consequence": "逾期不改正的，依法处理。", "due_on": f"{self.today + dt.timedelta(days=10)}",
        }  # fmt: skip
        path = f"/api/v1/tasks/{task.number}/order/"
        return task.manager.press(path, body, lambda: bool(self.rectification(task)["orders"]))

    def refuse_to_mend(self, task: Task) -> None:
        """The check is finished and fed back; the subject refuses to mend."""
        path = f"/api/v1/tasks/{task.number}/"
        self.finish(task)
        body = {"result": "nonconforming", "text": "有问题。", "platform": "market", "platform_number": "检1号"}
        steps = {"feedback": body, "order/outcome": {"outcome": "refused", "reason": "负责人当面拒绝整改。"}}
        for step, said in steps.items():
            task.manager.press(f"{path}{step}/", said, lambda: False)
        assert self.rectification(task)["orders"][0]["status"] == "refused"

    def propose(self, task: Task) -> int:
        """建议撤销 with all the evidence."""
        keys = [one["key"] for one in self.rectification(task)["evidence"]]
        return task.manager.press(
            f"/api/v1/tasks/{task.number}/proposal/",
            {"facts": "责令后当面拒不整改。", "keys": keys},
            lambda: bool(self.rectification(task)["status"] == "revocation"),
        )

    def revocation(self, number: str) -> tuple[Person, str]:
        """A decider of the case's office, and where the proposal to revoke its licence is."""
        decider = self.person(self.walk["作出决定"][0])
        rows = decider.look(f"/api/v1/revocations/?q={number}")["results"]
        assert [row["case"] for row in rows] == [number]
        return decider, f"/api/v1/revocations/{rows[0]['id']}/"

    def revoke(self, number: str, before: Callable[[], None]) -> int:
        """Tell the holder, who waives the hearing; decide. ``before`` is called before the decision is pressed."""
        decider, path = self.revocation(number)
        notice = {"ground": "unqualified", "facts": "责令后当面拒不整改。", "days": 5}
        waived = {"text": "", "wish": "waive", "waiver": "负责人当面签署。"}
        decider.press(f"{path}notice/", notice, lambda: False)
        decider.press(f"{path}statement/", waived, lambda: False)
        before()
        body = {
            "revoke": True, "ground": "unqualified", "reason": "责令后当面拒不整改。", "public_interest": "无损害。",
            "compensation": "不予赔偿。",
        }  # fmt: skip
        return decider.press(f"{path}decision/", body, lambda: bool(decider.look(path)["status"] == "decided"))

    # --- the account at the end

    def revoked_once(self, number: str, task: Task) -> None:
        """The licence is revoked, the task is closed with the answer, the holder and the managers are told once."""
        decider = self.person(self.walk["作出决定"][0])
        [row] = decider.look(f"/api/v1/revocations/?queue=decided&q={number}")["results"]
        assert (row["revoke"], row["licence"]["state"]) == (True, "revoked")
        assert self.rectification(task)["status"] == "closed"
        for text in (f"（{row['licence']['number']}），本机关已作出撤销的决定", f"监管任务{task.number}的撤销建议"):
            assert wait_until(lambda text=text: sum(self.heard(text).values()) >= 1, 60, 1), self.heard(text)  # type: ignore[misc]
            assert set(self.heard(text).values()) == {1}, self.heard(text)

    def nothing_lost_nothing_doubled(self, number: str, tasks: list[Task]) -> None:
        """Two tasks for two offices, each told once to one manager and to nobody else; the applicant told once."""
        assert len(tasks) == 2, tasks
        assert len({task.manager.username for task in tasks}) == 2
        for task in tasks:
            told = self.heard(f"新监管任务{task.number}：")
            assert list(told.values()) == [1], told
            assert "处室管理员" in next(iter(told))
        case = self.case(number)
        for text in (f"已收件，办件编号{number}", f"（{number}）已受理", f"（{number}）已办结"):
            assert wait_until(lambda text=text: sum(self.heard(text).values()) == 1, 30, 1), self.heard(text)  # type: ignore[misc]
        assert case["status"] == "completed"

    def books_are_right(self) -> None:
        """``reconcile`` and ``verify_ledger`` find nothing."""
        assert "differences 0" in self.stack.manage("reconcile").stdout
        assert " 0 faults" in self.stack.manage("verify_ledger").stdout
