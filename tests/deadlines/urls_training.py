"""The portal's addresses with the training page, for tests: the suite's own mode has none."""

from django.urls import include, path

from lianyungang_gov.urls import urlpatterns as portal

urlpatterns = [path("training/", include("deadlines.urls")), *portal]
