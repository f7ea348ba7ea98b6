"""Addresses of the supervision side's part of the API; each area adds its own before a task's number."""

from django.urls import URLPattern, URLResolver, include, path

from supervision import api

app_name = "api-tasks"
urlpatterns: list[URLPattern | URLResolver] = [
    path("tasks/", api.TaskListView.as_view(), name="tasks"),
    path("tasks/acknowledgements/", api.AcknowledgementsView.as_view(), name="acknowledgements"),
    path("", include("supervision.api_visits")),
    path("", include("supervision.api_corrections")),
    path("", include("supervision.api_disputes")),
    path("", include("supervision.api_inspections")),
    path("", include("supervision.api_orders")),
    path("", include("supervision.api_draws")),
    path("", include("supervision.api_stock")),
    path("", include("supervision.api_checklists")),
    path("tasks/<slug:number>/", api.TaskDetailView.as_view(), name="task"),
    path("tasks/<slug:number>/acknowledgement/", api.AcknowledgementView.as_view(), name="acknowledgement"),
    path("tasks/<slug:number>/assignment/", api.AssignmentView.as_view(), name="assignment"),
    path("tasks/<slug:number>/plan/", api.PlanView.as_view(), name="plan"),
    path("tasks/<slug:number>/licence-ended/", api.LicenceEndedView.as_view(), name="licence-ended"),
    path("tasks/<slug:number>/finish/", api.FinishView.as_view(), name="finish"),
    path("tasks/<slug:number>/feedback/", api.FeedbackView.as_view(), name="feedback"),
    path("tasks/<slug:number>/closure/", api.ClosureView.as_view(), name="closure"),
]
