"""Addresses of a clock's page. Their names stand without a namespace: the panel of every page links to it."""

from django.urls import URLPattern, path

from deadlines import views_clock

urlpatterns: list[URLPattern] = [
    path("<int:pk>/", views_clock.clock_page, name="clock"),
    path("<int:pk>/days.csv", views_clock.days, name="clock_days"),
]
