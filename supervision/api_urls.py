"""Addresses of the supervision side's part of the API."""

from django.urls import URLPattern, path

from supervision import api

app_name = "api-tasks"
urlpatterns: list[URLPattern] = [
    path("tasks/", api.TaskListView.as_view(), name="tasks"),
    path("tasks/<slug:number>/", api.TaskDetailView.as_view(), name="task"),
    path("tasks/<slug:number>/acknowledgement/", api.AcknowledgementView.as_view(), name="acknowledgement"),
    path("tasks/<slug:number>/finish/", api.FinishView.as_view(), name="finish"),
    path("tasks/<slug:number>/feedback/", api.FeedbackView.as_view(), name="feedback"),
    path("tasks/<slug:number>/closure/", api.ClosureView.as_view(), name="closure"),
]
