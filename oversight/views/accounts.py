"""Signing in, signing out, a new password; in the demonstration also the list of invented accounts."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET

from deadlines.clock import local_date
from offices.web import PortalRequest
from oversight.demo import people, walk


class SignInForm(AuthenticationForm):
    """Account and password, with words that say what to do."""

    error_messages = {
        "invalid_login": "账号或密码不对，请核对后重试。连续输错 5 次将锁定 15 分钟。",
        "inactive": "账号或密码不对，请核对后重试。连续输错 5 次将锁定 15 分钟。",
    }


class SignIn(auth.LoginView):
    """Sign in and go to the desk, or back to the page that asked for it."""

    authentication_form = SignInForm
    template_name = "registration/login.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Somebody who is signed in goes on to the desk; posting another account changes the person."""
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form comes back with its sentence; the password is typed anew."""
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the suggested demo accounts, outside production only."""
        context = super().get_context_data(**kwargs)
        if not settings.PRODUCTION:
            context["walks"] = walk.walks(local_date(self.request.now))  # type: ignore[attr-defined]
            context["demo_password"] = people.PASSWORD
        return context


class NewPassword(LoginRequiredMixin, auth.PasswordChangeView):
    """Change one's own password."""

    form_class = PasswordChangeForm
    template_name = "registration/password_change.html"
    success_url = reverse_lazy("desk")

    def form_valid(self, form: Any) -> HttpResponse:
        """Say that it was done."""
        messages.success(self.request, "密码已修改，下次登录请用新密码。")
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        """The form comes back with what is wrong."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


@require_GET
def accounts(request: PortalRequest) -> HttpResponse:
    """Every invented account by role, each a press away. In production there is no such page."""
    if settings.PRODUCTION:
        raise Http404
    on = local_date(request.now)
    everybody = walk.accounts(on)
    q = request.GET.get("q", "").strip()[:60]
    if q:
        everybody = [one for one in everybody if q in f"{one.username} {one.name} {one.role_label} {one.office}"]
    groups = [(role, list(rows)) for role, rows in groupby(everybody, key=lambda one: one.role)]
    context = {
        "groups": [{"label": rows[0].role_label, "duty": walk.DUTIES[role], "accounts": rows} for role, rows in groups],
        "walks": walk.walks(on),
        "demo_password": people.PASSWORD,
        "q": q,
    }
    return render(request, "demo/accounts.html", context)
