"""The draws, for everybody. Their names stand without a namespace, as those of all public pages."""

from django.urls import URLPattern, path

from ledger import views

urlpatterns: list[URLPattern] = [
    path("", views.periods, name="draws"),
    path("<slug:name>.csv", views.export, name="draws_export"),
]
