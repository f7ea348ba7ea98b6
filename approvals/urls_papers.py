"""Addresses of papers and files, shared by the desks."""

from django.urls import path

from approvals.views import files, papers

urlpatterns = [
    path("papers/<int:pk>/", papers.paper, name="paper"),
    path("files/<int:pk>/", files.file, name="file"),
]
