"""Divisions, departments, offices, people and their postings."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from simple_history.models import HistoricalRecords

from offices.crypto import EncryptedTextField, keyed_hash


class Division(models.Model):
    """区划: the city, a district or county, or a development zone."""

    class Level(models.TextChoices):
        CITY = "city", "市"
        COUNTY = "county", "县（区）"
        ZONE = "zone", "功能区"

    code = models.CharField("区划代码", max_length=6, unique=True)
    name = models.CharField("名称", max_length=40, unique=True)
    level = models.CharField("层级", max_length=8, choices=Level.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    document_prefix = models.CharField("发文地区代字", max_length=8, blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "区划"
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name

    @property
    def has_national_code(self) -> bool:
        """Whether the code is one of GB/T 2260; zones carry an internal code with a letter."""
        return self.code.isdigit()

    def overseers(self, on: datetime.date) -> list[User]:
        """People who oversee this division on that day; a division without its own falls to its parent's."""
        found = User.objects.posted(on, Posting.Role.OVERSEER).filter(postings__department__division=self)
        people = list(found.distinct())
        return people if people or self.parent is None else self.parent.overseers(on)


class Department(models.Model):
    """部门 of one division, with its side in the linkage (L1b)."""

    class Side(models.TextChoices):
        APPROVAL = "approval", "审批侧"
        SUPERVISION = "supervision", "监管侧"
        BOTH = "both", "审批侧、监管侧"
        OTHER = "other", "其他"

    division = models.ForeignKey(Division, models.PROTECT, related_name="departments")
    name = models.CharField("名称", max_length=60)
    official_name = models.CharField("全称", max_length=80, blank=True, default="", help_text="用于文书落款")
    short_name = models.CharField("发文代字", max_length=8, help_text="用于文号，如“发改”")
    side = models.CharField("侧", max_length=12, choices=Side.choices, default=Side.BOTH)
    is_demo = models.BooleanField("演示", default=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "部门"
        ordering = ("division__code", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("division", "name"), name="department_once", violation_error_message="本区划已有同名部门。"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def paper_name(self) -> str:
        """The name that stands under a paper."""
        return self.official_name or self.name

    @property
    def supervises(self) -> bool:
        """Whether offices of this department may be linked."""
        return self.side in {self.Side.SUPERVISION, self.Side.BOTH}

    def heads(self, on: datetime.date) -> list[User]:
        """Heads of the department on that day."""
        found = User.objects.posted(on, Posting.Role.DEPARTMENT_HEAD).filter(postings__department=self)
        return list(found.distinct())


class OfficeQuerySet(models.QuerySet["Office"]):
    """Adjectives for offices."""

    def reachable(self, on: datetime.date) -> OfficeQuerySet:
        """Offices with an office manager who is active on that day and has a phone (L2)."""
        managers = (
            Posting.objects.active(on)
            .role(Posting.Role.OFFICE_MANAGER)
            .filter(office=OuterRef("pk"), user__is_active=True)
            .exclude(user__phone_hash="")
        )
        return self.filter(Exists(managers))

    def countersigning(self, on: datetime.date) -> OfficeQuerySet:
        """Offices in which somebody countersigns on that day (O3.2.1c)."""
        people = Posting.objects.active(on).role(*Posting.COUNTERSIGNING_ROLES)
        return self.filter(Exists(people.filter(office=OuterRef("pk"), user__is_active=True)))


class Office(models.Model):
    """处室 of a department."""

    department = models.ForeignKey(Department, models.PROTECT, related_name="offices")
    name = models.CharField("名称", max_length=60)
    is_demo = models.BooleanField("演示", default=False, help_text="名称为演示而设，不是查得的真实处室")
    source = models.CharField("来源", max_length=200, blank=True, default="")
    objects = OfficeQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "处室"
        ordering = ("department_id", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("department", "name"), name="office_once", violation_error_message="本部门已有同名处室。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.department.name}{self.name}"

    def people(self, on: datetime.date, role: Posting.Role) -> list[User]:
        """People with ``role`` in this office on that day."""
        found = User.objects.posted(on, role).filter(postings__office=self, postings__role=role)
        return list(found.distinct())

    def managers(self, on: datetime.date) -> list[User]:
        """处室管理员 of this office on that day, who receive the task SMS (L2)."""
        return self.people(on, Posting.Role.OFFICE_MANAGER)

    def deputies(self, on: datetime.date) -> list[User]:
        """Deputies of the manager on that day."""
        return self.people(on, Posting.Role.OFFICE_DEPUTY)


class UserQuerySet(models.QuerySet["User"]):
    """Adjectives for people."""

    def posted(self, on: datetime.date, *roles: str) -> UserQuerySet:
        """Active people who hold one of ``roles`` on that day."""
        return self.filter(
            Exists(Posting.objects.active(on).role(*roles).filter(user=OuterRef("pk"))), is_active=True
        ).order_by("pk")


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates accounts."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create an active account; a missing password makes an account that cannot sign in."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save()
        return user  # type: ignore[no-any-return]


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account."""

    username = models.CharField("账号", max_length=40, unique=True)
    full_name = models.CharField("姓名", max_length=40)
    phone = EncryptedTextField("手机", blank=True, default="")
    phone_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    is_active = models.BooleanField("启用", default=True)
    is_demo = models.BooleanField("演示", default=False)
    objects = UserManager()
    history = HistoricalRecords(excluded_fields=["password", "last_login", "phone"])

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["full_name"]

    class Meta:
        verbose_name = verbose_name_plural = "人员"

    def __str__(self) -> str:
        return self.full_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the searchable hash beside the encrypted phone."""
        self.phone_hash = keyed_hash(self.phone) if self.phone else ""
        super().save(*args, **kwargs)


class PostingQuerySet(models.QuerySet["Posting"]):
    """Adjectives for postings."""

    def active(self, on: datetime.date) -> PostingQuerySet:
        """Postings in force on that day."""
        return self.filter(Q(starts_on__lte=on), Q(ends_on__isnull=True) | Q(ends_on__gte=on))

    def role(self, *roles: str) -> PostingQuerySet:
        """Postings of one of these roles."""
        return self.filter(role__in=roles)


class Posting(models.Model):
    """A person's role in a department or one of its offices, for a time; a person may hold several."""

    class Role(models.TextChoices):
        WINDOW_CLERK = "window_clerk", "窗口人员"
        DELIVERY_CLERK = "delivery_clerk", "出件人员"
        REVIEWER = "reviewer", "审查人员"
        DECIDER = "decider", "决定人员"
        OFFICE_MANAGER = "office_manager", "处室管理员"
        OFFICE_DEPUTY = "office_deputy", "处室副管理员"
        DEPARTMENT_HEAD = "department_head", "部门负责人"
        OVERSEER = "overseer", "督办人员"
        DIVISION_ADMIN = "division_admin", "区划管理员"
        DISCIPLINE = "discipline", "纪检监察人员"
        SITE_OFFICER = "site_officer", "现场核查人员"
        INSPECTOR = "inspector", "监管执法人员"
        CREDIT_OFFICER = "credit_officer", "信用管理员"

    OFFICE_ROLES = (
        Role.REVIEWER, Role.DECIDER, Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.SITE_OFFICER, Role.INSPECTOR,
    )  # fmt: skip
    # Those who answer for an office that was asked to countersign (O3.2.1c).
    COUNTERSIGNING_ROLES = (Role.REVIEWER, Role.DECIDER)
    # Those who act on cases and tasks against a clock.
    ACTING_ROLES = (Role.WINDOW_CLERK, Role.DELIVERY_CLERK, *OFFICE_ROLES)

    user = models.ForeignKey(User, models.PROTECT, related_name="postings")
    department = models.ForeignKey(Department, models.PROTECT, related_name="postings")
    office = models.ForeignKey(Office, models.PROTECT, null=True, blank=True, related_name="postings")
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    on_duty = models.BooleanField("值班", default=False, help_text="值班的决定人员当场决定即办件")
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期", null=True, blank=True)
    objects = PostingQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "任职"
        indexes: ClassVar = [
            # Who holds a role in an office or a department: every SMS and every draw asks this.
            models.Index(fields=("office", "role"), name="posting_office_role"),
            models.Index(fields=("department", "role"), name="posting_department_role"),
            models.Index(fields=("role", "user"), name="posting_role_user"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="posting_ends_after_start",
                violation_error_message="结束日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(
                    role__in=["reviewer", "decider", "office_manager", "office_deputy", "site_officer", "inspector"]
                )
                | Q(office__isnull=False),
                name="posting_office_role_has_office",
                violation_error_message="该角色必须落到处室。",
            ),
            models.UniqueConstraint(
                fields=("user", "office", "role", "starts_on"),
                name="posting_once",
                violation_error_message="该任职已存在。",
            ),
            models.UniqueConstraint(
                fields=("user", "department", "role", "starts_on"),
                condition=Q(office__isnull=True),
                name="posting_once_without_office",
                violation_error_message="该任职已存在。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.get_role_display()}"

    def clean(self) -> None:
        """Refuse an office of another department."""
        if self.office is not None and self.office.department_id != self.department_id:
            raise ValidationError({"office": "处室不属于该部门。"})


class LeaveQuerySet(models.QuerySet["Leave"]):
    """Adjectives for leaves."""

    def on(self, day: datetime.date) -> LeaveQuerySet:
        """Leaves that cover that day and were not called off."""
        return self.filter(starts_on__lte=day, ends_on__gte=day, cancelled_at__isnull=True)


class Leave(models.Model):
    """请假: who is away, for how long, and who stands in. Whoever is away is in no draw."""

    user = models.ForeignKey(User, models.PROTECT, related_name="leaves")
    deputy = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")
    reason = models.CharField("事由", max_length=200, blank=True, default="")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField("登记时间")
    cancelled_at = models.DateTimeField("销假时间", null=True, blank=True)
    objects = LeaveQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "请假"
        indexes: ClassVar = [
            # Every draw asks who of its pool is away that day.
            models.Index(fields=("user", "starts_on", "ends_on"), name="leave_of_user"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="leave_ends_after_start",
                violation_error_message="结束日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("user")),
                name="leave_deputy_is_another",
                violation_error_message="代理人不能是本人。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.starts_on:%F}–{self.ends_on:%F}"
