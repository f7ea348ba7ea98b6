"""The app's addresses alone."""

from django.urls import include, path

urlpatterns = [path("", include("notifications.urls"))]
