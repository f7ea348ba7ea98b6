"""The rows of long lists: templates compiled to Python (``templates/**/*.jinja``), asked for by ``{% rows %}``.

Fifty rows of a dozen values are most of what a list costs Django's own templates, which look each name up anew. The
page around the rows stays with those. Everything is escaped as there; a name that is not known is an error.
"""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import truncatechars
from jinja2 import Environment, StrictUndefined

from deadlines.templatetags import deadlines
from offices.links import link
from offices.templatetags import portal

FUNCTIONS = (portal.icon, portal.status_badge, portal.lamp, portal.row_verb, deadlines.row_clocks, link)
FILTERS = (
    portal.cn_date, portal.cn_day, portal.cn_datetime, portal.month_day,
    portal.mask_name, portal.mask_phone, portal.mask_id, truncatechars,
)  # fmt: skip


def environment(**options: Any) -> Environment:
    """The environment of the second template engine (``settings.TEMPLATES``): the tags of the pages as functions."""
    made = Environment(**options | {"undefined": StrictUndefined, "trim_blocks": True})  # noqa: S701 - it is an option
    made.globals.update({function.__name__: function for function in FUNCTIONS})
    made.filters.update({function.__name__: function for function in FILTERS})
    return made
