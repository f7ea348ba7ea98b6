"""What portal.js needs of the pages: unsaved work is kept, and forgotten only when it was accepted."""

from collections.abc import Callable

from django.shortcuts import render
from django.test import Client, RequestFactory


def test_a_page_that_says_no_is_marked_so_that_no_draft_is_forgotten_there(city: None, client: Client) -> None:
    assert "data-problem" in client.get("/no/such/page/").content.decode()
    html = render(RequestFactory().get("/"), "409.html").content.decode()
    assert "data-problem" in html
    assert "情况已有变化，这一步没有办理" in html
    assert "他人办理" not in html


def test_the_login_page_belongs_to_nobody(city: None, client: Client) -> None:
    assert "data-person" not in client.get("/login/").content.decode()


def test_the_intake_is_kept_without_numbers_and_not_by_the_browser(sign_in: Callable[[str], Client]) -> None:
    html = sign_in("chuangkou1").get("/window/new/SP-0601/").content.decode()
    form = html[html.index('<form id="intake"') :].split(">", 1)[0]
    assert 'data-keep="SP-0601"' in form
    assert 'data-once="intake_key"' in form
    assert 'autocomplete="off"' in form
    for name in ("identifier", "contact_phone"):
        field = html[html.index(f'name="{name}"') :].split(">", 1)[0]
        assert "data-private" in field
