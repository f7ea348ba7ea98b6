"""One moment and one look at the postings for each request."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from deadlines import clock
from deadlines.errors import ChangedMeanwhile
from lianyungang_gov import problems
from offices.access import Access, access_for
from offices.models import User

# What somebody looks for is a name, a number or a few words; a whole page pasted by mistake finds nothing.
LONGEST_SEARCH = 200
WRITTEN_EVERY = 60  # seconds


def _cut_search(request: HttpRequest) -> None:
    """Look for the first part of a search text that is too long, and say so; an unseen NUL is left out."""
    said = request.GET.get("q", "")
    if problems.is_api(request) or (len(said) <= LONGEST_SEARCH and "\0" not in said):
        return
    asked = request.GET.copy()
    asked["q"] = said.replace("\0", "")[:LONGEST_SEARCH]
    request.GET = asked  # type: ignore[assignment]
    if len(said) > LONGEST_SEARCH:
        messages.warning(request, f"查找的文字太长（{len(said)} 字），只按前 {LONGEST_SEARCH} 字查找。")


def _sign_of_life(request: HttpRequest) -> None:
    """Let the session last another half hour, written at most once a minute: most pages then write nothing at all.

    An applicant's session, whose door stands open, lasts as well. A view that took the session away (a poll) is no sign
    of life; a call with a token has no session to keep.
    """
    session = getattr(request, "session", None)
    if session is None or not session.accessed or session.is_empty():
        return
    now = int(time.time())  # the session's own clock, not the portal's: training must not sign anybody out
    if not 0 <= now - session.get("seen", 0) < WRITTEN_EVERY:
        session["seen"] = now


class PortalMiddleware:
    """Set ``request.now`` (the portal's clock) and ``request.access`` (lazily; empty for strangers)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the moment once; everything the request does carries it."""
        now = clock.now()

        def access() -> Access:
            if isinstance(request.user, User) or request.user.is_authenticated:
                return access_for(request.user, clock.local_date(now))
            return Access(User(), clock.local_date(now), ())

        request.now = now  # type: ignore[attr-defined]
        request.access = SimpleLazyObject(access)  # type: ignore[attr-defined]
        _cut_search(request)
        response = self.get_response(request)
        _sign_of_life(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            # A shared machine's back button must not show the last person's work.
            response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A clock that another person, or a published calendar, changed at the same moment: 409 on a page."""
        if isinstance(error, ChangedMeanwhile) and not problems.is_api(request):
            return render(request, "409.html", {"reason": str(error), "next_url": "/desk/"}, status=409)
        return None
