"""Addresses of papers, orders to mend, handovers to penalty and proposals to revoke; in the namespace ``tasks``."""

from django.urls import URLPattern, URLResolver, path

from supervision import views_orders, views_papers

urlpatterns: list[URLPattern | URLResolver] = [
    path("papers/<int:pk>/", views_papers.paper, name="paper"),
    path("papers/<int:pk>/file/", views_papers.paper_file, name="paper_file"),
    path("orders/", views_orders.order_list, name="orders"),
    path("orders/export.csv", views_orders.orders_export, name="orders_export"),
    path("orders/<int:pk>/", views_orders.order_page, name="order"),
    path("orders/<int:pk>/extension/", views_orders.order_extension, name="order_extension"),
    path("orders/<int:pk>/answer/", views_orders.order_answer, name="order_answer"),
    path("orders/<int:pk>/outcome/", views_orders.order_outcome, name="order_outcome"),
    path("<slug:number>/order/", views_orders.order_new, name="order_new"),
    path("<slug:number>/handover/", views_orders.handover, name="handover"),
    path("<slug:number>/proposal/", views_orders.proposal, name="proposal"),
]
