"""Addresses of 企业画像."""

from django.urls import path

from oversight import views_subjects

app_name = "subjects"
urlpatterns = [
    path("", views_subjects.look_up, name="home"),
    path("<int:pk>/", views_subjects.subject_page, name="subject"),
]
