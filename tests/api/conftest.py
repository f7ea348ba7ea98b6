"""Callers of the API with tokens, and short ways to say what they send."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals.actions.intake import checklist, is_letter, slot_of
from catalogue.models import BusinessItem
from offices.tokens import issue
from oversight.demo.cases import COMPANIES, code_of
from tests.approvals import play

Caller = Callable[[str], APIClient]
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@pytest.fixture(autouse=True)
def _own_things(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """No test inherits another's counters or files."""
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def caller(city: None) -> Caller:
    """Give a client with the token of a demo person."""

    def give(username: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(username)).token}")
        return client

    return give


@pytest.fixture
def nobody(city: None) -> APIClient:
    """A client without a token."""
    return APIClient()


def intake(item: BusinessItem, *, complete: bool = True, **changes: Any) -> dict[str, Any]:
    """The body of an intake, for an invented company."""
    way = changes.get("way", "ordinary")
    asked = [line for line in checklist(item, way) if line.required and line.state == "missing"]
    provided = {slot_of(line): "provided" for line in asked if not is_letter(line)}
    if not complete:
        provided.popitem()
    body = {
        "intake_key": str(uuid.uuid4()),
        "business_item": item.code,
        "subject_kind": "organisation",
        "identifier": code_of(COMPANIES[0][0]),
        "name": COMPANIES[0][1],
        "contact_name": "联系人",
        "contact_phone": "10000990001",
        "content": "一幢，二十套",
        "provided": provided,
    }
    return body | changes


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response that must be one."""
    assert response.status_code == status, response.content.decode()
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["type"] == f"urn:problem:{code}"
    assert body["title"]
    assert any("一" <= letter <= "鿿" for letter in body["detail"]), body["detail"]
    return body
