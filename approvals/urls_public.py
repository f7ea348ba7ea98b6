"""Addresses of the public side. Their names stand without a namespace: every frame links to them."""

from django.urls import URLPattern, path

from approvals.views import must_meet, public, public_credit, public_door

urlpatterns: list[URLPattern] = [
    path("", public.home, name="home"),
    path("guide/", public.guides, name="guide"),
    path("guide/suggest/", public.suggest, name="guide_suggest"),
    path("guide/must-meet/", must_meet.must_meet, name="must_meet"),
    path("guide/<str:code>/", public.guide_item, name="guide_item"),
    path("guide/<str:code>/notice/", public.guide_notice, name="guide_notice"),
    path("progress/", public.progress, name="progress"),
    path("progress/door/", public_door.door, name="door"),
    path("progress/<slug:number>/code/", public_door.code, name="door_code"),
    path("progress/<slug:number>/acts/", public_door.acts, name="door_acts"),
    path("progress/<slug:number>/papers/<int:pk>/", public_door.paper, name="door_paper"),
    path("progress/<slug:number>/credit/", public_credit.overview, name="door_credit"),
    path("progress/<slug:number>/credit/breaches/<int:pk>/", public_credit.breach, name="door_breach"),
    path("progress/<slug:number>/credit/breaches/<int:pk>/notice/", public_credit.notice, name="door_breach_paper"),
    path("progress/<slug:number>/credit/records/<int:pk>/", public_credit.record, name="door_record"),
    path("verify/", public.verify_form, name="verify_form"),
    path("verify/<str:code>/", public.verify, name="verify"),
    path("register/", public.licences, name="licences"),
    path("register/<str:number>/", public.licence, name="licence"),
    path("help/", public.leaflet, {"name": "help"}, name="help"),
    path("accessibility/", public.leaflet, {"name": "accessibility"}, name="accessibility"),
    path("data/", public.leaflet, {"name": "data"}, name="data_statement"),
]
