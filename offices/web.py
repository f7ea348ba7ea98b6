"""What every staff view needs: a request that knows its moment and its person's postings, and the role gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase

from offices.access import Access
from offices.models import User

P = ParamSpec("P")

if TYPE_CHECKING:

    class PortalRequest(HttpRequest):
        """A request as the portal's middleware leaves it: ``now`` is taken once, ``access`` is asked once."""

        user: User
        now: dt.datetime
        access: Access
else:
    PortalRequest = HttpRequest

View = Callable[Concatenate[PortalRequest, P], HttpResponseBase]


def roles_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """Let in people who hold one of ``roles`` today; strangers sign in first, everybody else gets a 404."""

    def gate(view: View[P]) -> View[P]:
        @login_required
        @wraps(view)
        def gated(request: PortalRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.access.has(*roles):
                raise Http404
            return view(request, *args, **kwargs)

        return gated  # type: ignore[return-value]

    return gate
