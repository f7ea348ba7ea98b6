"""Credit subjects, and what is known of how they kept their word."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.identifiers import check_ric, check_uscc
from offices.crypto import EncryptedTextField, keyed_hash, mask_id, mask_name
from offices.history import save_at


class SubjectQuerySet(models.QuerySet["CreditSubject"]):
    """Finding subjects by what identifies them."""

    def by_identifier(self, kind: str, identifier: str) -> SubjectQuerySet:
        """The subject of that kind with that (normalised) code or identity number, if known."""
        if kind == CreditSubject.Kind.PERSON:
            return self.filter(id_hash=keyed_hash(identifier))
        return self.filter(code=identifier)

    def identify(self, kind: str, identifier: str, name: str) -> CreditSubject:
        """Return the subject with this code or identity number, making it if it is new.

        A known subject keeps its name; a new one on the licence is told by ``rename``.
        Raises ``ValidationError`` when the code or number is not valid. Two at once get the same subject.
        """
        person = kind == CreditSubject.Kind.PERSON
        identifier = check_ric(identifier) if person else check_uscc(identifier)
        subject = self.by_identifier(kind, identifier).first()
        if subject is None:
            values = {"id_number": identifier, "id_hash": keyed_hash(identifier)} if person else {"code": identifier}
            try:
                with transaction.atomic():
                    return self.create(kind=kind, name=name, **values)
            except IntegrityError:
                subject = self.by_identifier(kind, identifier).get()
        return subject


class CreditSubject(models.Model):
    """信用主体: an organisation by its unified social credit code, or a person by an encrypted identity number."""

    class Kind(models.TextChoices):
        ORGANISATION = "organisation", "法人或其他组织"
        PERSON = "person", "自然人"

    kind = models.CharField("类型", max_length=14, choices=Kind.choices)
    code = models.CharField("统一社会信用代码", max_length=18, null=True, unique=True)  # noqa: DJ001 - null keeps it unique
    id_number = EncryptedTextField("身份证号码", blank=True, default="")
    id_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - null keeps it unique
    name = models.CharField("名称", max_length=120)
    objects = SubjectQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["id_number"])

    class Meta:
        verbose_name = verbose_name_plural = "信用主体"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="organisation", code__isnull=False, id_hash__isnull=True)
                | Q(kind="person", code__isnull=True, id_hash__isnull=False),
                name="subject_has_its_identifier",
                violation_error_message="法人须有统一社会信用代码，自然人须有身份证号码。",
            )
        ]

    def __str__(self) -> str:
        return self.public_name

    def rename(self, name: str, now: datetime) -> None:
        """Take over the name that the licence or card now says; the row history keeps the old one."""
        self.name = name
        save_at(self, now)

    @property
    def public_name(self) -> str:
        """The name as others may read it: organisations in full, persons masked."""
        return mask_name(self.name) if self.kind == self.Kind.PERSON else self.name

    @property
    def public_identifier(self) -> str:
        """The code in full, or the identity number masked."""
        return mask_id(self.id_number) if self.kind == self.Kind.PERSON else (self.code or "")


class CreditRecord(models.Model):
    """A fact in a subject's integrity record (L10d), received or found; ``repaired_at`` takes it out of use."""

    class Kind(models.TextChoices):
        KEPT_PROMISE = "kept_promise", "履行承诺"
        BROKEN_PROMISE = "broken_promise", "违背承诺"
        SERIOUS = "serious", "严重失信"

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="records")
    kind = models.CharField("类别", max_length=20, choices=Kind.choices)
    source = models.CharField("来源", max_length=60, help_text="认定它的任务编号")
    basis = models.CharField("依据", max_length=200)
    found_at = models.DateTimeField("认定时间")
    repaired_at = models.DateTimeField("信用修复时间", null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "信用记录"
        indexes: ClassVar = [
            # The credit query at intake: a subject's records, newest first (L7).
            models.Index(fields=("subject", "-found_at"), name="record_of_subject"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("subject", "kind", "source"), name="record_once", violation_error_message="该记录已存在。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source}"


class Grade(models.TextChoices):
    """The public credit evaluation as received; ``NONE`` where the platform says nothing, never taken for good."""

    EXCELLENT = "excellent", "优"
    GOOD = "good", "良"
    FAIR = "fair", "中"
    POOR = "poor", "差"
    NONE = "none", "未评价"


class SubjectGrade(models.Model):
    """A public credit evaluation that was received from outside; the newest one counts."""

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="grades")
    grade = models.CharField("等级", max_length=10, choices=Grade.choices)
    source = models.CharField("来源", max_length=120)
    given_at = models.DateTimeField("评价时间")
    received_at = models.DateTimeField("接收时间")

    class Meta:
        verbose_name = verbose_name_plural = "公共信用评价"
        indexes: ClassVar = [
            # The credit query at intake asks for the newest of a subject (L7).
            models.Index(fields=("subject", "-given_at", "-id"), name="grade_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source="") & ~Q(grade="none"),
                name="grade_has_source",
                violation_error_message="信用等级须写明来源。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.get_grade_display()}"


class RiskClass(models.TextChoices):
    """The market regulator's risk class as received; it drives sampling and nothing else (domain.md, Credit)."""

    A = "A", "A（低）"
    B = "B", "B（较低）"
    C = "C", "C（较高）"
    D = "D", "D（高）"
    NONE = "none", "未评定"


class SubjectRisk(models.Model):
    """A risk class that was received from outside; the newest one counts, none is never taken for good."""

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="risks")
    risk = models.CharField("风险等级", max_length=4, choices=RiskClass.choices)
    source = models.CharField("来源", max_length=120)
    given_at = models.DateTimeField("评定时间")
    received_at = models.DateTimeField("接收时间")

    class Meta:
        verbose_name = verbose_name_plural = "信用风险分类"
        indexes: ClassVar = [
            # A draw asks for the newest of every subject in its pool.
            models.Index(fields=("subject", "-given_at", "-id"), name="risk_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source="") & ~Q(risk="none"),
                name="risk_has_source",
                violation_error_message="风险等级须写明来源。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.risk}"


class CreditFact(models.Model):
    """A fact that waits to be judged: a revocation for a broken promise is queued here with its finding (L10d).

    Whether it becomes a record, and when, is decided by the rules of the record; nothing is recorded unheard.
    """

    class Kind(models.TextChoices):
        REVOKED = "revoked", "许可被撤销"
        BROKEN_PROMISE = "broken_promise", "违背承诺"

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="facts")
    kind = models.CharField("类别", max_length=16, choices=Kind.choices)
    source = models.CharField("来源", max_length=60, help_text="认定它的决定书文号或任务编号")
    basis = models.CharField("依据", max_length=200)
    found_at = models.DateTimeField("认定时间")
    queued_at = models.DateTimeField("入列时间")
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "待认定信用事实"
        indexes: ClassVar = [
            # What waits to be judged, oldest first.
            models.Index(fields=("id",), condition=Q(settled_at__isnull=True), name="credit_fact_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("subject", "kind", "source"), name="credit_fact_once", violation_error_message="该事实已入列。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source}"


class HandlingWay(models.TextChoices):
    """What a grade opens or closes (差异化审批办理方式, L12a)."""

    PROMISE = "promise", "告知承诺"
    LATER = "later", "容缺办理"
    ON_THE_SPOT = "on_the_spot", "当场决定"
    GREEN_LANE = "green_lane", "绿色通道"
    FULL = "full", "全部材料"


class HandlingRule(models.Model):
    """One cell of the table grade × way: open or closed, and why; with its history (L12a)."""

    grade = models.CharField("信用等级", max_length=10, choices=Grade.choices)
    way = models.CharField("办理方式", max_length=12, choices=HandlingWay.choices)
    is_open = models.BooleanField("适用")
    basis = models.CharField("依据", max_length=200)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "差异化办理"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("grade", "way"), name="handling_rule_once"),
            models.CheckConstraint(
                condition=~Q(way="full") | Q(is_open=True),
                name="full_materials_are_always_open",
                violation_error_message="提交全部材料的方式对任何申请人开放。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_grade_display()} {self.get_way_display()}"


def note_kept_promise(subject: CreditSubject, *, source: str, basis: str, at: datetime) -> CreditRecord:
    """Write that ``subject`` kept a promise, once per ``source`` (L10d)."""
    record, _ = CreditRecord.objects.get_or_create(
        subject=subject, kind=CreditRecord.Kind.KEPT_PROMISE, source=source, defaults={"basis": basis, "found_at": at}
    )
    return record


def queue_fact(
    subject: CreditSubject, kind: CreditFact.Kind, *, source: str, basis: str, found_at: datetime, now: datetime
) -> CreditFact:
    """Queue a fact about ``subject`` once per ``source``; the caller's transaction carries it (L10d)."""
    fact, _ = CreditFact.objects.get_or_create(
        subject=subject, kind=kind, source=source, defaults={"basis": basis, "found_at": found_at, "queued_at": now}
    )
    return fact
