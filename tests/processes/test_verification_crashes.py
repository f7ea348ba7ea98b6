"""kill -9 while data is asked about a material: the question is asked again under its key, and answered once."""

from __future__ import annotations

import uuid

import pytest

from oversight.demo.cases import code_of
from scripts.runtime import wait_until
from tests.processes.conftest import Fault
from tests.processes.portal import Portal

pytestmark = pytest.mark.processes

FILING = "SP-2201"
POINTS = ("verification.claimed", "verification.asked", "verification.before_commit")


def _receive(portal: Portal, count: int) -> tuple[str, str]:
    """A filing that lacks only its business licence; its number and the licence's slot."""
    item = portal.clerk.look(f"/api/v1/items/{FILING}/")
    slot = next(one["slot"] for one in item["materials"] if one["verifiable"])
    identifier = code_of(f"91320700MA1CHKQ{count:02d}")
    body = {
        "intake_key": str(uuid.uuid4()),
        "business_item": FILING,
        "subject_kind": "organisation",
        "identifier": identifier,
        "name": f"连云港花果山食品{count:02d}号公司（演示）",
        "contact_name": "演示联系人",
        "contact_phone": f"100770001{count:02d}",
        "provided": {
            one["slot"]: "provided"
            for one in item["materials"]
            if one["slot"] != slot and one["requirement"] == "required"
        },
    }
    portal.clerk.press("/api/v1/cases/", body, lambda: False)
    return portal.clerk.look(f"/api/v1/cases/?q={identifier}")["results"][0]["number"], slot


@pytest.mark.parametrize(("point", "count"), [(point, count) for count, point in enumerate(POINTS, start=1)])
def test_worker_dies_with_the_question_in_its_hands(portal: Portal, fault: Fault, point: str, count: int) -> None:
    number, slot = _receive(portal, count)

    def line() -> dict[str, object]:
        lines = portal.case(number)["materials"]
        found: dict[str, object] = next(one for one in lines if one["slot"] == slot)
        return found

    fault.arm(point)
    portal.clerk.press(f"/api/v1/cases/{number}/verifications/", {"slot": slot}, lambda: bool(line()["verification"]))
    assert wait_until(lambda: fault.fired, 60, 0.2)
    assert wait_until(lambda: line()["state"] == "verified", 120, 0.5), line()
    told = line()["verification"]
    assert isinstance(told, dict)
    assert (told["state"], told["attempts"]) == ("matched", 2)
    portal.clerk.press(f"/api/v1/cases/{number}/accept/", {}, lambda: bool(portal.case(number)["outcome"] == "filed"))
