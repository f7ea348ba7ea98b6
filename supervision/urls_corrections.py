"""Addresses of 更正检查记录; they live in the namespace ``tasks``."""

from django.urls import path

from supervision import views_corrections

urlpatterns = [
    path("set-asides/", views_corrections.waiting_list, name="set_asides"),
    path("set-asides/export.csv", views_corrections.export, name="set_asides_export"),
    path("set-asides/<int:pk>/", views_corrections.answering, name="set_aside_answer"),
    path("<slug:number>/set-aside/", views_corrections.asking, name="set_aside"),
]
