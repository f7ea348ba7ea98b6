"""How pages answer an action that was refused."""

from __future__ import annotations

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from approvals.exceptions import Refused


def conflict(request: HttpRequest, error: Refused, back: str) -> HttpResponse:
    """Answer 409 in a friendly sentence with the way back: somebody else was faster, and nothing doubled."""
    return render(request, "409.html", {"reason": error.message, "next_url": back}, status=409)


def put_on_form(form: BaseForm, error: Refused) -> None:
    """Show a refusal beside the field that it names, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)
