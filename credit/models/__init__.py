"""Subjects and how their codes follow one another, records, grades, findings and repairs, pushes and answers."""

from credit.models.grades import Grade, HandlingRule, HandlingWay, RiskClass, SubjectGrade, SubjectRisk
from credit.models.links import SubjectLink
from credit.models.measures import JointMeasure, MeasureKind, MeasureRule
from credit.models.platform import PlatformAnswer, Push
from credit.models.previews import HandlingPreview
from credit.models.procedure import Breach, Repair, RuleVersion
from credit.models.records import CreditFact, CreditRecord, Level, note_kept_promise, queue_fact
from credit.models.subjects import CreditSubject

__all__ = [
    "Breach", "CreditFact", "CreditRecord", "CreditSubject", "Grade", "HandlingPreview", "HandlingRule", "HandlingWay",
    "JointMeasure", "Level", "MeasureKind", "MeasureRule", "PlatformAnswer", "Push", "Repair", "RiskClass",
    "RuleVersion", "SubjectGrade", "SubjectLink", "SubjectRisk", "note_kept_promise", "queue_fact",
]  # fmt: skip
