"""Models of the catalogue, by noun."""

from catalogue.models.content import Criterion, Ground, ItemFact, Material
from catalogue.models.items import ApprovalItem, BusinessItem
from catalogue.models.key import KeyItem, KeyItemUnit
from catalogue.models.supervision import Linkage, SupervisionItem, SupervisionSubItem

__all__ = [
    "ApprovalItem",
    "BusinessItem",
    "Criterion",
    "Ground",
    "ItemFact",
    "KeyItem",
    "KeyItemUnit",
    "Linkage",
    "Material",
    "SupervisionItem",
    "SupervisionSubItem",
]
