"""The large-type version: chosen once, kept, and never a way out of the portal."""

import pytest
from django.test import RequestFactory

from offices.display import ELDER_COOKIE, display


def test_the_elder_version_is_kept_and_leads_back() -> None:
    answer = display(RequestFactory().get("/display", {"elder": "1", "next": "/guide/?q=消防"}))
    assert answer.status_code == 302
    assert answer.cookies[ELDER_COOKIE].value == "1"
    assert answer.headers["Location"].startswith("/guide/?q=")


def test_the_standard_version_forgets_it() -> None:
    answer = display(RequestFactory().get("/display", {"elder": "0", "next": "/"}))
    assert answer.cookies[ELDER_COOKIE].value == ""


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_it_never_leads_out_of_the_portal(target: str) -> None:
    answer = display(RequestFactory().get("/display", {"elder": "1", "next": target}))
    assert answer.headers["Location"] == "/"
