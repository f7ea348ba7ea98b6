"""Addresses of the supervision side."""

from django.urls import path

from supervision import views

app_name = "tasks"
urlpatterns = [
    path("", views.inbox, name="list"),
    path("export.csv", views.export, name="export"),
    path("<slug:number>/", views.task_page, name="task"),
    path("<slug:number>/files/<int:pk>/", views.file, name="file"),
    path("<slug:number>/acknowledgement/", views.acknowledgement, name="acknowledge"),
    path("<slug:number>/finish/", views.finish, name="finish"),
    path("<slug:number>/feedback/", views.feedback, name="feedback"),
    path("<slug:number>/closing/", views.closing, name="close"),
]
