"""The lists of this room are those of every desk (``offices.lists``)."""

from offices.lists import EXPORT_SIZE, Filter, Listing, counted, everything

__all__ = ["EXPORT_SIZE", "Filter", "Listing", "counted", "everything"]
