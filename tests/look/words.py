"""How the look's tests render a snippet."""

from django.template import Context, Template


def render(snippet: str, **context: object) -> str:
    """Render ``snippet`` with the portal's tags loaded."""
    return Template("{% load portal %}" + snippet).render(Context(context))
