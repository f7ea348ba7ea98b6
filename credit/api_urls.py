"""Addresses of the credit side's part of the API."""

from django.urls import URLPattern, path

from credit import api

app_name = "api-credit"
urlpatterns: list[URLPattern] = [path("handling/", api.HandlingView.as_view(), name="handling")]
