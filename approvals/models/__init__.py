"""Models of the approval side, by noun."""

from approvals.models.blinding import Conflict, Covering, Recusal, Unveiling
from approvals.models.cases import Case, CaseMaterial, Upload
from approvals.models.clocks import Extension, SpecialProcedure
from approvals.models.doors import PhoneCode
from approvals.models.mending import Mending
from approvals.models.outcomes import (
    CorrectionNotice,
    Decision,
    Delivery,
    Document,
    Ending,
    Licence,
    NotAccepted,
    Opinion,
)
from approvals.models.promises import (
    CreditCheck,
    LaterSubmission,
    Promise,
    PromiseClause,
    PromiseLapse,
    ProvinceReport,
    Verification,
)
from approvals.models.revocations import LicenceChange, Revocation
from approvals.models.scoring import Countersignature, Score, Sheet, SiteCheck
from approvals.models.serials import Serial

__all__ = [
    "Case",
    "CaseMaterial",
    "Conflict",
    "CorrectionNotice",
    "Countersignature",
    "Covering",
    "CreditCheck",
    "Decision",
    "Delivery",
    "Document",
    "Ending",
    "Extension",
    "LaterSubmission",
    "Licence",
    "LicenceChange",
    "Mending",
    "NotAccepted",
    "Opinion",
    "PhoneCode",
    "Promise",
    "PromiseClause",
    "PromiseLapse",
    "ProvinceReport",
    "Recusal",
    "Revocation",
    "Score",
    "Serial",
    "Sheet",
    "SiteCheck",
    "SpecialProcedure",
    "Unveiling",
    "Upload",
    "Verification",
]
