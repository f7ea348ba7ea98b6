"""Addresses of 存量证照; they live in the namespace ``tasks``."""

from django.urls import URLPattern, URLResolver, path

from supervision import views_stock as views

urlpatterns: list[URLPattern | URLResolver] = [
    path("stock/", views.batches, name="stock"),
    path("stock/export.csv", views.export, name="stock_export"),
    path("stock/template.csv", views.template, name="stock_template"),
    path("stock/new/", views.new, name="stock_new"),
    path("stock/starts/", views.starts, name="stock_starts"),
    path("stock/preview/<slug:code>/<slug:digest>/", views.preview, name="stock_preview"),
    path("stock/preview/<slug:code>/<slug:digest>/faults.csv", views.preview_faults, name="stock_preview_faults"),
    path("stock/<int:pk>/", views.batch, name="stock_batch"),
    path("stock/<int:pk>/faults.csv", views.batch_faults, name="stock_faults"),
]
