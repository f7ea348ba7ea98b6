"""Addresses of 信用推送; in the namespace ``pushes``."""

from django.urls import URLPattern, path

from credit import views_pushes

app_name = "pushes"
urlpatterns: list[URLPattern] = [
    path("", views_pushes.push_list, name="list"),
    path("export.csv", views_pushes.export, name="export"),
    path("<int:pk>/", views_pushes.push_page, name="push"),
]
