"""Addresses of 不属本处室; they live in the namespace ``tasks``."""

from django.urls import URLPattern, URLResolver, path

from supervision import views_disputes

urlpatterns: list[URLPattern | URLResolver] = [
    path("<slug:number>/dispute/", views_disputes.dispute, name="dispute"),
]
