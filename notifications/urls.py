"""Addresses of the outbox: the gateway's hook, and the demo phone where there is one."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, path, re_path

from notifications import api, views

app_name = "notifications"

urlpatterns: list[URLPattern] = [path("hooks/sms/receipts", api.ReceiptsView.as_view(), name="receipts")]

if settings.DEMO_PHONE:
    urlpatterns += [
        path("demo/phone/", views.phones, name="phones"),
        path("demo/phone/<int:user_id>/", views.phone_of_user, name="phone_of_user"),
        re_path(r"^demo/phone/(?P<phone_hash>[0-9a-f]{64})/$", views.phone, name="phone"),
    ]
