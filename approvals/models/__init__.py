"""Models of the approval side, by noun."""

from approvals.models.cases import Case, CaseMaterial, Upload
from approvals.models.clocks import Extension, SpecialProcedure
from approvals.models.outcomes import CorrectionNotice, Decision, Delivery, Document, Licence, NotAccepted, Opinion
from approvals.models.serials import Serial

__all__ = [
    "Case",
    "CaseMaterial",
    "CorrectionNotice",
    "Decision",
    "Delivery",
    "Document",
    "Extension",
    "Licence",
    "NotAccepted",
    "Opinion",
    "Serial",
    "SpecialProcedure",
    "Upload",
]
