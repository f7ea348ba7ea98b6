"""双随机抽查结果, for everybody. Their names stand without a namespace, as those of all public pages."""

from django.urls import URLPattern, path

from supervision import views_public_draws

urlpatterns: list[URLPattern] = [
    path("", views_public_draws.draws, name="inspection_draws"),
    path("<int:pk>/", views_public_draws.draw, name="inspection_draw"),
    path("<int:pk>/drawn.csv", views_public_draws.export, name="inspection_draw_export"),
    path("<int:pk>/positions.csv", views_public_draws.positions, name="inspection_draw_positions"),
]
