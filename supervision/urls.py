"""Addresses of the supervision side; each area adds its own before those that begin with a task's number."""

from django.urls import include, path

from supervision import views, views_taking

app_name = "tasks"
urlpatterns = [
    path("", views.inbox, name="list"),
    path("export.csv", views.export, name="export"),
    path("bulk/", views_taking.bulk, name="bulk"),
    path("bulk/<int:office>/<int:sub_item>/", views_taking.bulk_group, name="bulk_group"),
    path("", include("supervision.urls_visits")),
    path("", include("supervision.urls_corrections")),
    path("", include("supervision.urls_disputes")),
    path("", include("supervision.urls_inspections")),
    path("", include("supervision.urls_orders")),
    path("", include("supervision.urls_draws")),
    path("", include("supervision.urls_stock")),
    path("<slug:number>/", views.task_page, name="task"),
    path("<slug:number>/files/<int:pk>/", views.file, name="file"),
    path("<slug:number>/acknowledgement/", views.acknowledgement, name="acknowledge"),
    path("<slug:number>/assignment/", views_taking.assignment, name="assign"),
    path("<slug:number>/plan/", views_taking.replanning, name="replan"),
    path("<slug:number>/licence-ended/", views_taking.licence_ended, name="licence_ended"),
    path("<slug:number>/finish/", views.finish, name="finish"),
    path("<slug:number>/feedback/", views.feedback, name="feedback"),
    path("<slug:number>/closing/", views.closing, name="close"),
]
