"""The portal's addresses with the training page, for tests: the suite's own mode has none."""

from django.urls import include, path

from lianyungang_gov.urls import handler400, handler403, handler404, handler500
from lianyungang_gov.urls import urlpatterns as portal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("training/", include("deadlines.urls")), *portal]
