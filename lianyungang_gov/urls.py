"""Every address of the portal."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from lianyungang_gov import desk, health, problems
from offices.display import display
from offices.styleguide import styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("desk/", desk.desk, name="desk"),
    path("display/", display, name="display"),
    path("window/", include("approvals.urls_window")),
    path("", include("approvals.urls_papers")),
    path("office/", include("approvals.urls_office")),
    path("tasks/", include("supervision.urls")),
    path("credit/", include("credit.urls")),
    path("alarms/", include("oversight.urls_alarms")),
    path("oversight/", include("oversight.urls")),
    path("division/calendar/", include("deadlines.urls_calendar")),
    path("division/", include("oversight.urls_division")),
    path("calendar/", include("deadlines.urls_calendar_public")),
    path("draws/inspections/", include("supervision.urls_public_draws")),
    path("draws/", include("ledger.urls")),
    path("leave/", include("approvals.urls_leave")),
    path("conflicts/", include("approvals.urls_conflicts")),
    path("credit/pushes/", include("credit.urls_pushes")),
    path("traces/", include("oversight.urls_traces")),
    path("subjects/", include("oversight.urls_subjects")),
    path("clocks/", include("deadlines.urls_clock")),
    path("api/v1/", include("approvals.api_urls")),
    path("api/v1/", include("supervision.api_urls")),
    path("api/v1/", include("catalogue.api_urls")),
    path("api/v1/", include("credit.api_urls")),
    path("api/v1/", include("oversight.api_subjects")),
    path("api/v1/", include("deadlines.api_urls")),
    path("api/v1/", include("ledger.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/", problems.UnknownAddress.as_view()),
    path("", include("notifications.urls")),
]
if settings.PORTAL_MODE != "production":
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
if settings.TRAINING_ALLOWED:
    urlpatterns.append(path("training/", include("deadlines.urls")))
urlpatterns.append(path("", include("oversight.urls_accounts")))
urlpatterns.append(path("", include("approvals.urls_public")))

handler400 = "lianyungang_gov.errors.bad_request"
handler403 = "lianyungang_gov.errors.forbidden"
handler404 = "lianyungang_gov.errors.not_found"
handler500 = "lianyungang_gov.errors.server_error"
