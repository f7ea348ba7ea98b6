"""Addresses of 双随机; they live in the namespace ``tasks``."""

from django.urls import URLPattern, URLResolver, path

from supervision import views_draws

urlpatterns: list[URLPattern | URLResolver] = [
    path("draws/", views_draws.plans, name="draws"),
    path("draws/export.csv", views_draws.plans_export, name="draws_export"),
    path("draws/new/", views_draws.new, name="draw_new"),
    path("draws/<int:pk>/", views_draws.plan_page, name="draw"),
    path("draws/<int:pk>/change/", views_draws.change, name="draw_change"),
    path("draws/<int:pk>/removal/", views_draws.remove, name="draw_remove"),
    path("draws/<int:pk>/publication/", views_draws.publish, name="draw_publish"),
    path("draws/<int:pk>/drawing/", views_draws.draw, name="draw_draw"),
    path("draws/<int:pk>/drawn.csv", views_draws.drawn_export, name="draw_drawn"),
    path("sampling/", views_draws.rates, name="sampling"),
    path("sampling/export.csv", views_draws.rates_export, name="sampling_export"),
    path("sampling/<slug:risk>/", views_draws.rate, name="sampling_rule"),
    path("sampling/<slug:risk>/off/", views_draws.rate_off, name="sampling_off"),
]
