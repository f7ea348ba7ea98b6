"""The public register of licences with the 双公示 fields. Identity numbers never; persons by their masked names only.

Source: O3.1.3d; `domain.md` (Publication and privacy).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from approvals.enums import DocumentKind
from approvals.listing import Listing, Select
from approvals.models import Document, Licence
from catalogue.enums import ItemKind
from catalogue.models import BusinessItem
from catalogue.pinyin import fold
from credit.models import CreditSubject

ORGANISATION = CreditSubject.Kind.ORGANISATION
NOT_KNOWN = "待核实"
# 连水许准〔2026〕12号, with whatever brackets people have on their keyboard.
DOCUMENT_NUMBER = re.compile(r"(\S+?)[〔\[(【](\d{4})[〕\])】](\d+)号?")
HEAD = (
    "持有人", "统一社会信用代码", "决定文书名称", "决定文书号", "类别", "许可（备案）事项", "证照名称",
    "证照编号", "许可内容", "决定日期", "有效期自", "有效期至", "决定机关", "机关代码", "状态",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A licence as the register shows it."""

    licence: Licence

    @property
    def holder(self) -> str:
        """An organisation's name in full, a person's masked."""
        subject = self.licence.holder
        return self.licence.holder_name if subject.kind == ORGANISATION else subject.public_name

    @property
    def is_person(self) -> bool:
        """Whether the holder is a natural person."""
        return self.licence.holder.kind != ORGANISATION

    @property
    def code(self) -> str:
        """The unified social credit code; of a person nothing at all."""
        return "" if self.is_person else (self.licence.holder.code or "")

    @property
    def document(self) -> Document | None:
        """The decision, or the filing receipt."""
        found: list[Document] = list(self.licence.case.documents.all())
        return found[0] if found else None

    def cells(self) -> list[object]:
        """The fields in the order of ``HEAD``."""
        licence, case, document = self.licence, self.licence.case, self.document
        return [
            self.holder,
            self.code,
            document.content["title"] if document else "",
            document.number if document else "",
            case.business_item.item.get_kind_display(),
            case.business_item.name,
            licence.kind,
            licence.number,
            licence.content,
            self.decided_on,
            licence.valid_from,
            licence.valid_to or "",
            licence.department.name,
            NOT_KNOWN,
            licence.state_text,
        ]

    @property
    def decided_on(self) -> str:
        """The local day of the decision; a filing is decided by being received in full."""
        document = self.document
        return str(document.content["date"]) if document else ""

    def fields(self) -> list[tuple[str, object]]:
        """Name and value, for the page of one licence."""
        return list(zip(HEAD, self.cells(), strict=True))


def rows() -> QuerySet[Licence]:
    """Licences with all that the register shows: one statement, and one for the decisions."""
    decisions = Document.objects.filter(kind__in=[DocumentKind.APPROVAL, DocumentKind.FILING]).order_by("id")
    return (
        Licence.objects.select_related("holder", "department", "case__business_item__item")
        .defer("holder__id_number", "case__contact_phone")
        .prefetch_related(Prefetch("case__documents", queryset=decisions))
    )


def selects() -> list[Select]:
    """The choices over the register: who publishes and what kind; one statement."""
    departments = (
        BusinessItem.objects.published()
        .order_by("item__department_id")
        .values_list("item__department_id", "item__department__name")
        .distinct()
    )
    return [
        Select("department", "决定机关", [(str(key), name) for key, name in departments]),
        Select("kind", "类别", [c for c in ItemKind.choices if c[0] != ItemKind.REVIEW]),
    ]


def narrowed(listing: Listing) -> QuerySet[Licence]:
    """Return the licences that the list asks for.

    Numbers and codes are matched whole. Names are searched among organisations only: a search must not tell whether a
    person of a certain name holds a licence.
    """
    found = rows()
    if listing.get("department"):
        found = found.filter(department_id=int(listing.get("department")))
    if listing.get("kind"):
        found = found.filter(case__business_item__item__kind=listing.get("kind"))
    if listing.q:
        asked = fold(listing.q).upper()
        if re.fullmatch(r"LYG[0-9A-Z]{10,21}", asked):
            found = found.filter(number=asked)
        elif re.fullmatch(r"[0-9A-Z]{18}", asked):
            found = found.filter(holder__code=asked)
        elif match := DOCUMENT_NUMBER.fullmatch(fold(listing.q)):
            number = f"{match[1]}〔{match[2]}〕{match[3]}号"
            found = found.filter(case__in=Document.objects.filter(number=number).values("case"))
        else:
            organisation = Q(holder__kind=ORGANISATION, holder_name__icontains=listing.q)
            found = found.filter(organisation | Q(kind__icontains=listing.q))
    return found
