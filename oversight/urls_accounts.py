"""Addresses of signing in; outside production also the list of demo accounts. Their names stand without a namespace."""

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from oversight.views import accounts

urlpatterns: list[URLPattern] = [
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.NewPassword.as_view(), name="password_change"),
]
if not settings.PRODUCTION:
    urlpatterns.append(path("demo/accounts/", accounts.accounts, name="demo_accounts"))
