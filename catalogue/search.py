"""Finding what can be applied for."""

from catalogue.models import BusinessItem
from catalogue.querysets import BusinessItemQuerySet
from offices.models import Division


def find(text: str, division: Division | None = None) -> BusinessItemQuerySet:
    """Published items by name, alias, initials or code, best first; one statement with department and division.

    ``division`` limits the answer to what that division handles itself. Blank text finds nothing.
    """
    items = BusinessItem.objects.published()
    if division is not None:
        items = items.for_division(division)
    return items.search(text).with_offices()
