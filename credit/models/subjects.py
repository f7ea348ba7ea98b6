"""Credit subjects, and what is known of how they kept their word."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_
from typing import ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.identifiers import FORMS, Form, check_ric, check_uscc, form_label, form_of
from offices.crypto import EncryptedTextField, keyed_hash, mask_id, mask_name
from offices.history import save_at


def of_form(form: str, prefix: str = "") -> Q:
    """The condition that a subject is of that kind (``Form``); ``prefix`` leads to the subject (``subject__``).

    A range of the unique index of ``code``, which serves the officers' lists by kind.
    """
    if form == Form.PERSON:
        return Q(**{f"{prefix}kind": CreditSubject.Kind.PERSON})
    known = [Q(**{f"{prefix}code__startswith": start}) for start, of in FORMS.items() if form in {of, Form.OTHER}]
    if form != Form.OTHER:
        return reduce(or_, known)
    return Q(**{f"{prefix}kind": CreditSubject.Kind.ORGANISATION}) & ~reduce(or_, known)


class SubjectQuerySet(models.QuerySet["CreditSubject"]):
    """Finding subjects by what identifies them."""

    def by_identifier(self, kind: str, identifier: str) -> SubjectQuerySet:
        """The subject of that kind with that (normalised) code or identity number, if known."""
        if kind == CreditSubject.Kind.PERSON:
            return self.filter(id_hash=keyed_hash(identifier))
        return self.filter(code=identifier)

    def of_form(self, form: str) -> SubjectQuerySet:
        """Subjects of that kind (``Form``): a range of codes."""
        return self.filter(of_form(form))

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
        indexes: ClassVar = [
            # The credit officers' list of received gradings, searched by how a name begins.
            models.Index(fields=("name",), name="subject_by_name", opclasses=["varchar_pattern_ops"]),
        ]
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

    @property
    def stream(self) -> str:
        """The subject's stream of the ledger."""
        return f"subject:{self.pk}"

    def rename(self, name: str, now: datetime) -> None:
        """Take over the name that the licence or card now says; the row history keeps the old one."""
        self.name = name
        save_at(self, now)

    def name_on(self, at: datetime) -> str:
        """The name that it had at that moment: what a paper of the day says; one statement or two."""
        rows = self.history.order_by("-history_date", "-history_id").values_list("name", flat=True)
        named = rows.filter(history_date__lte=at).first() or rows.order_by("history_id").first()
        return str(named or self.name)

    @property
    def form(self) -> Form:
        """What kind of subject it is, by its code."""
        return form_of(self.code)

    @property
    def form_label(self) -> str:
        """The kind in Chinese, as precisely as its code says it."""
        return form_label(self.code)

    @property
    def public_name(self) -> str:
        """The name as others may read it: organisations in full, persons masked."""
        return mask_name(self.name) if self.kind == self.Kind.PERSON else self.name

    @property
    def public_identifier(self) -> str:
        """The code in full, or the identity number masked."""
        return mask_id(self.id_number) if self.kind == self.Kind.PERSON else (self.code or "")
