"""Models of the supervision side, by noun."""

from supervision.models.corrections import SetAside
from supervision.models.disputes import Dispute
from supervision.models.draws import DrawnSubject, DrawPlan, DrawPlanQuerySet, DrawRun, PoolPart, SamplingRule
from supervision.models.inspections import Checklist, Finding, Inspection, Photo
from supervision.models.orders import Handover, Paper, Proposal, Rectification
from supervision.models.stock import ClockStart, StockBatch, StockLicence
from supervision.models.tasks import Feedback, SupervisionTask, TaskChange, TaskQuerySet, UnlinkedCase
from supervision.models.visits import DEFAULT_CAP, Visit, VisitCap

__all__ = [
    "DEFAULT_CAP",
    "Checklist",
    "ClockStart",
    "Dispute",
    "DrawPlan",
    "DrawPlanQuerySet",
    "DrawRun",
    "DrawnSubject",
    "Feedback",
    "Finding",
    "Handover",
    "Inspection",
    "Paper",
    "Photo",
    "PoolPart",
    "Proposal",
    "Rectification",
    "SamplingRule",
    "SetAside",
    "StockBatch",
    "StockLicence",
    "SupervisionTask",
    "TaskChange",
    "TaskQuerySet",
    "UnlinkedCase",
    "Visit",
    "VisitCap",
]
