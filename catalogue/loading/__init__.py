"""Loading the catalogue from its data files: read, validate, bring the database to what they say."""

from catalogue.loading.plan import Report, load
from catalogue.loading.reading import DATA, Bundle, read

__all__ = ["DATA", "Bundle", "Report", "load", "read"]
