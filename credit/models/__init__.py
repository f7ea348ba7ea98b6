"""Subjects, records, grades, what is found and repaired, and what is pushed and received."""

from credit.models.grades import Grade, HandlingRule, HandlingWay, RiskClass, SubjectGrade, SubjectRisk
from credit.models.platform import PlatformAnswer, Push
from credit.models.procedure import Breach, Repair, RuleVersion
from credit.models.records import CreditFact, CreditRecord, Level, note_kept_promise, queue_fact
from credit.models.subjects import CreditSubject

__all__ = [
    "Breach", "CreditFact", "CreditRecord", "CreditSubject", "Grade", "HandlingRule", "HandlingWay", "Level",
    "PlatformAnswer", "Push", "Repair", "RiskClass", "RuleVersion", "SubjectGrade", "SubjectRisk", "note_kept_promise",
    "queue_fact",
]  # fmt: skip
