"""The compiled rows of long lists: what people typed is escaped, and a name that nobody gave is no empty text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.template import engines
from django.test import Client
from jinja2 import UndefinedError

from supervision.models import SupervisionTask
from tests.conftest import Moment
from tests.supervision import tasks as some


@pytest.mark.django_db
def test_what_was_typed_is_escaped(city: None, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    task = some.notified(clock.at)
    SupervisionTask.objects.filter(pk=task.pk).update(subject_name="<script>alert('a')</script>公司")
    html = sign_in(some.manager_of(task)).get("/tasks/").content.decode()
    assert "&lt;script&gt;alert(&#39;a&#39;)&lt;/script&gt;公司" in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    "text", ["{{ nobody_gave_it }}", "{{ row.nobody_gave_it }}", "{% if row.nobody_gave_it %}1{% endif %}"]
)
def test_an_unknown_name_is_an_error(text: str) -> None:
    template = engines["rows"].from_string(text)
    with pytest.raises(UndefinedError, match="nobody_gave_it"):
        template.render({"row": {"given": "1"}})
