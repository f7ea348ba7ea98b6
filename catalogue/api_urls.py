"""Addresses of the catalogue's part of the API."""

from django.urls import URLPattern, path

from catalogue import api

app_name = "api-items"
urlpatterns: list[URLPattern] = [
    path("items/", api.ItemListView.as_view(), name="items"),
    path("items/<slug:code>/", api.ItemView.as_view(), name="item"),
]
