"""The OpenAPI document is complete and true: it validates, its operations are stable, no drawn request breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from approvals.actions.clocks import request_extension
from deadlines.office import propose
from lianyungang_gov import problems
from offices.models import Posting, User
from offices.tokens import issue
from tests.api.routes import routes
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Role = Posting.Role
EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
OPERATIONS = {
    "createToken", "revokeToken",
    "listItems", "getItem", "readProgress", "verifyPaper", "explainDeadline", "getDeadline", "getCalendarYear",
    "listCases", "receiveCase", "getCase", "uploadMaterial", "acceptCase", "verifyMaterial", "reportToProvince",
    "recordProvinceAnswer", "requestCorrection", "answerCorrection",
    "refuseAcceptance", "deliverResult", "listCaseDocuments",
    "listReviews", "getReview", "giveOpinion", "decideCase", "completeCase",
    "startProcedure", "endProcedure", "requestExtension", "listExtensions", "getExtension", "answerExtension",
    "listTasks", "getTask", "acknowledgeTask", "finishTask", "feedBackTask", "closeTask",
    "acknowledgeTasks", "assignTask", "replanTask", "closeTaskOfEndedLicence",
    "listVisits", "requestVisit", "settleVisit", "cancelVisit",
    "listSetAsides", "askSetAside", "answerSetAside",
    "listCalendarYears", "listCalendarDrafts", "proposeCalendarYear", "getCalendarDraft", "discardCalendarDraft",
    "listCalendarMoves", "checkCalendarDraft", "publishCalendarYear",
    "findIdentity", "coverFile", "discardCover", "leaveFileOpen", "askCredit", "decideCredit", "allowLater",
    "handInOwed", "mendCase", "signPromise", "sendPromiseCode", "withdrawPromise", "withdrawCase",
    "sendPhoneCode", "getPermit", "answerThroughDoor", "handInThroughDoor", "uploadThroughDoor", "withdrawThroughDoor",
    "withdrawPromiseThroughDoor", "listDrawPeriods", "listDraws", "listHandling",
    "listConflicts", "declareConflict", "endConflict", "listLeaves", "enterLeave", "cancelLeave",
    "getCountersignature", "countersign", "listOwed", "getOwed", "extendLater", "settleLater", "settlePromiseLapse",
    "callLead", "recuse", "giveSheet", "planSiteCheck", "unveilApplicant",
    "listSiteChecks", "getSiteCheck", "reportSiteCheck", "confirmSiteCheck",
    "getTaskDisputes", "raiseDispute", "listDisputes", "getDispute", "decideDispute",
    "listRevocations", "getRevocation", "noticeRevocation", "hearHolder", "planHearing", "recordHearing",
    "decideRevocation", "stateThroughDoor", "getOwnCredit", "objectThroughDoor", "askRepairThroughDoor",
    "hearHolderAtWindow", "listLicences", "getLicence", "changeLicence",
    "listOrders", "getRectification", "orderRectification", "askOrderExtension", "answerOrderExtension", "settleOrder",
    "handOverTask", "recordHandoverReceipt", "recordHandoverResult", "proposeRevocation",
    "listInspections", "recordInspection", "getInspectionForm", "uploadInspectionPhoto",
    "listDrawPlans", "makeDrawPlan", "getDrawPlan", "changeDrawPlan", "publishDrawPlan", "drawDrawPlan", "listDrawn",
    "removeDrawPlan", "previewDrawPlan", "listSamplingRates", "setSamplingRate",
    "listInspectionDraws", "getInspectionDraw", "listInspected", "listDrawnPositions",
    "listChecklists", "getChecklist", "publishChecklist", "setPlanLimit",
    "checkStockFile", "listStockBatches", "loadStock", "getStockBatch", "listClockStarts", "setClockStart",
    "listCreditFacts", "getCreditFact", "tellBreach", "getBreach", "objectToBreach", "decideBreach",
    "listCreditRecords", "getCreditRecord", "askRepair", "takeRepairNotice", "decideRepair",
    "listJointMeasures", "beginJointMeasure", "getJointMeasure", "endJointMeasure",
    "listMeasureRules", "listMeasureProposals",
    "listSubjectLinks", "linkSubjects", "unlinkSubjects", "listReceivedGrades", "getReceivedGrades",
    "listCreditPushes", "getCreditPush", "getSubject",
    "postReceipts",
}  # fmt: skip


def document() -> dict[str, Any]:
    """The document as it is served."""
    answer = APIClient().get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def operations(found: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, what) for path, methods in found["paths"].items() for method, what in methods.items()]


def test_the_document_is_valid_and_without_warnings(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_route_stands_in_it_and_is_described() -> None:
    found = operations(document())
    names = [what["operationId"] for _, _, what in found]
    assert len(names) == len(set(names))
    assert set(names) == OPERATIONS
    served = {(route.path.count("<"), method) for route in routes() for method in route.methods}
    assert sum(len(route.methods) for route in routes()) == len(names) - 1  # the gateway's hook is not under /api/v1/
    assert served
    tags = {tag["name"] for tag in document()["tags"]}
    for path, method, what in found:
        assert what["summary"], path
        assert what["description"], path
        assert len(what["tags"]) == 1, path
        assert set(what["tags"]) <= tags, path
        problems = {code: answer for code, answer in what["responses"].items() if code >= "400"}
        for code, answer in problems.items():
            assert list(answer["content"]) == ["application/problem+json"], (path, method, code)
        public = what["security"] == [{}] if "security" in what else True
        if not public and what["operationId"] != "createToken":
            assert "401" in problems, path


def test_components_are_named_by_meaning() -> None:
    names = set(SchemaGenerator().get_schema(public=True)["components"]["schemas"])  # type: ignore[no-untyped-call]
    assert {"CaseStatus", "TaskStatus", "Problem", "FieldError"} <= {name.removesuffix("Enum") for name in names}
    assert not [name for name in names if any(part.isdigit() for part in name)]


def test_the_handbook_names_every_code() -> None:
    """docs/api.md has a row for each code that an action, an upload or a view of the API can give."""
    root = django_settings.BASE_DIR
    places = [*root.glob("approvals/actions/*.py"), *root.glob("approvals/api/*.py")]
    places += [root / "approvals" / name for name in ("uploads.py", "wording.py")]
    places += [*root.glob("supervision/actions/*.py"), *root.glob("supervision/api*.py")]
    places += [root / "supervision" / name for name in ("stock.py", "starting.py", "checklists.py", "photos.py")]
    places += [root / "deadlines" / "api_calendar.py", *root.glob("credit/actions/*.py")]
    said = re.compile(r'(?:Refused|Problem)\(\s*(?:HTTPStatus\.\w+,\s*)?"([a-z-]+)"')
    codes = {code for place in places for code in said.findall(place.read_text())} | set(problems.CODES.values())
    handbook = (root / "docs" / "api.md").read_text()
    assert len(codes) > 40
    # An act of an overseer, which the API does not have.
    pages_only = {"linkage-not-fit"}
    assert not [code for code in codes - pages_only if f"`{code}`" not in handbook]


def _site_officer() -> User:
    return Posting.objects.filter(role=Role.SITE_OFFICER).order_by("pk")[0].user


@pytest.fixture
def town(city: None, clock: Moment) -> dict[str, dict[str, str]]:
    """Cases and a task in several states; for each tag a caller, and values of the address that exist."""
    done, waiting, fresh = play.completed(clock.at), play.accepted(clock.at), play.received(clock.at)
    assert waiting.reviewer is not None
    task = done.tasks.order_by("pk")[0]
    manager = Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user
    clerk, reviewer, keeper = (
        f"Token {issue(person).token}" for person in (play.person("chuangkou1"), waiting.reviewer, manager)
    )
    paper = done.documents.order_by("id")[0]
    longer = play.accepted(clock.at, play.item("固定资产投资项目节能审查"))
    assert longer.reviewer is not None
    request_extension(longer, days=5, reason="复杂", by=longer.reviewer, now=clock.at)
    head = Posting.objects.get(role=Role.DEPARTMENT_HEAD, department=longer.department).user
    admin = play.person("guanliyuan1")
    draft = propose(2028, by=admin, now=clock.at)
    return {
        "window": {"caller": clerk, "number": fresh.number},
        "back office": {"caller": reviewer, "number": waiting.number},
        "department head": {"caller": f"Token {issue(head).token}", "number": longer.number},
        "supervision": {"caller": keeper, "number": task.number},
        "staff": {"caller": reviewer},
        "credit": {"caller": clerk},
        "subjects": {"caller": keeper, "id": str(task.subject_id)},
        "site officer": {"caller": f"Token {issue(_site_officer()).token}"},
        "public": {"code": paper.verify_code, "year": "2026"},
        "calendar office": {"caller": f"Token {issue(admin).token}", "id": str(draft.pk)},
        "clocks": {"caller": reviewer, "id": str(waiting.statutory_deadline_id)},
        "token": {},
        "gateway": {"caller": "Bearer " + django_settings.HOOK_TOKEN},
    }


@pytest.fixture
def served(db: None) -> Iterator[WSGIHandler]:
    """The portal's own WSGI application, on the test's connection, which a server would close between requests."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signals:
        signal.connect(close_old_connections)


def _draw(operation: Any, known: dict[str, str], mode: GenerationMode) -> set[int]:
    """Send what is drawn for one operation, judge each answer by the document, and return the statuses seen.

    Nothing stays in the database, so that each request meets the same city.
    """
    place = {name: known[name] for name in known if f"{{{name}}}" in operation.path}
    fixed = {"path_parameters": place} if place else {}
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": known["caller"]} if "caller" in known else {})
    seen = set()

    @seed(20221231)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def send(case: Any) -> None:
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=CHECKS)
        seen.add(answer.status_code)

    send()
    return seen


@pytest.mark.postgres
def test_no_drawn_request_breaks_the_api(
    town: dict[str, dict[str, str]], served: WSGIHandler, settings: Settings
) -> None:
    """As the document asks, and against it: never a 5xx, and no answer that the document does not tell."""
    settings.TOKEN_RATE = settings.PROGRESS_RATE = settings.DOOR_RATE = "100000/m"
    accept = {"Accept": "application/vnd.oai.openapi+json", "Accept-Encoding": "identity"}
    drawn = schemathesis.openapi.from_wsgi("/api/schema/", served, headers=accept)
    seen: dict[str, set[int]] = {}
    for result in drawn.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        known = town[(operation.tags or [""])[0]]
        name = operation.definition.raw["operationId"]
        seen[name] = _draw(operation, known, GenerationMode.POSITIVE)
        if "{" in operation.path:  # also addresses of nothing
            strangers = {key: value for key, value in known.items() if key == "caller"}
            seen[name] |= _draw(operation, strangers, GenerationMode.POSITIVE)
        if operation.body or operation.query:
            seen[name] |= _draw(operation, known, GenerationMode.NEGATIVE)
    assert set(seen) == OPERATIONS
    assert all(seen.values())
    assert {200, 404, 422} <= set().union(*seen.values())
