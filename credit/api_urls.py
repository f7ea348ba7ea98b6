"""Addresses of the credit side's part of the API."""

from django.urls import URLPattern, path

from credit import api, api_links, api_measures, api_pushes, api_records

app_name = "api-credit"
urlpatterns: list[URLPattern] = [
    path("handling/", api.HandlingView.as_view(), name="handling"),
    path("credit-pushes/", api_pushes.PushesView.as_view(), name="credit-pushes"),
    path("credit-pushes/<int:pk>/", api_pushes.PushView.as_view(), name="credit-push"),
    *api_records.urlpatterns,
    *api_measures.urlpatterns,
    *api_links.urlpatterns,
]
