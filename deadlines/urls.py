"""Addresses of the training page. Their names stand without a namespace: the banner of every page links to it."""

from django.urls import URLPattern, path

from deadlines import views

urlpatterns: list[URLPattern] = [
    path("", views.training, name="training"),
    path("jump/", views.jump, name="training_jump"),
    path("deadline/<int:pk>/", views.jump_to_deadline, name="training_deadline"),
    path("reset/", views.reset, name="training_reset"),
]
