"""How a visitor wants to see the pages: the large-type version for elders (长辈版), kept in a cookie for a year."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

ELDER_COOKIE = "elder"
YEAR = 365 * 24 * 3600


@require_GET
def display(request: HttpRequest) -> HttpResponse:
    """Switch 长辈版 on (``?elder=1``) or off and go back to ``?next=``, which must lie within the portal."""
    target = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    if request.GET.get("elder") == "1":
        response.set_cookie(ELDER_COOKIE, "1", max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    else:
        response.delete_cookie(ELDER_COOKIE, samesite="Lax")
    return response
