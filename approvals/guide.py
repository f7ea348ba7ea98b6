"""The guide of a business item, complete by O3.1.1a: read for the page and for the printed one-time notice.

Every statement carries its source and how far it was read; nothing is said here that the catalogue does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from approvals.listing import Listing, Select
from catalogue.enums import Certainty, Handling, ItemKind, PromiseMode, Topic
from catalogue.models import BusinessItem, Criterion, ItemFact, KeyItem, Linkage, Material
from catalogue.periods import Line, lines
from catalogue.querysets import BusinessItemQuerySet

# Topics in the order in which somebody prepares an application; materials stand before them, the basis closes.
ORDER = (
    Topic.CONDITION,
    Topic.QUANTITY,
    Topic.PROCEDURE,
    Topic.PERIOD,
    Topic.FEE,
    Topic.RESULT,
    Topic.VALIDITY,
    Topic.PROMISE,
    Topic.NOTE,
    Topic.BASIS,
)
# What a guide must say something about (O3.1.1a), even if only that it is not known here yet.
NEVER_LEFT_OUT = frozenset(ORDER) - {Topic.VALIDITY, Topic.NOTE}
MODES: Mapping[str, str] = {
    PromiseMode.DEFERRED_MATERIAL: "先受理、后补材料：承诺在约定日前补齐的材料可以延期提交，补齐后颁发证件。",
    PromiseMode.VERIFIED_MATERIAL: "能通过数据共享核验的材料不用提交，由审批部门核验。",
    PromiseMode.POST_CHECK: "以承诺代替部分材料，当场作出决定；许可后由监管部门逐条核查承诺内容。",
}
# (text, source, how far it was read); the same for every item.
REMEDIES = (
    (
        "对不予受理、不予许可决定不服的，可以依法申请行政复议或者提起行政诉讼。",
        "《中华人民共和国行政许可法》第七条、第三十八条",
        Certainty.READ,
    ),
    (
        "申请行政复议的期限为六十日，直接提起行政诉讼的期限为六个月，从收到决定书之日起按自然日、月计算。",
        "《中华人民共和国行政复议法》第二十条；《中华人民共和国行政诉讼法》第四十六条",
        Certainty.UNVERIFIED,
    ),
)


@dataclass(frozen=True, slots=True)
class Section:
    """The statements of one topic."""

    topic: Topic
    facts: Sequence[ItemFact | Line]

    @property
    def label(self) -> str:
        """The topic's name."""
        return str(self.topic.label)


@dataclass(frozen=True, slots=True)
class Watching:
    """A department that supervises after the licence, and what it looks at."""

    department: str
    subjects: list[str]


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that the guide page shows."""

    item: BusinessItem
    sections: list[Section]
    materials: list[Material]
    watching: list[Watching]
    criteria: list[Criterion] = field(default_factory=list)

    @property
    def full_marks(self) -> int:
        """The most that the graded criteria give."""
        return sum(criterion.max_score for criterion in self.criteria)

    @property
    def required(self) -> list[Material]:
        """What every applicant brings."""
        return [row for row in self.materials if row.requirement == "required"]

    @property
    def eased(self) -> int:
        """How many of those a promise or a data check spares or puts off."""
        return sum(1 for row in self.required if row.waived_by_promise or row.deferrable or row.verifiable)

    @property
    def without_sample(self) -> bool:
        """Whether some material has no notes on how to fill it in yet."""
        return any(not row.sample_text for row in self.materials)

    @property
    def modes(self) -> list[tuple[str, str]]:
        """The open modes of promise: name and what it means."""
        return [(PromiseMode(mode).label, MODES[mode]) for mode in self.item.promise_modes]

    def facts(self, topic: Topic) -> Sequence[ItemFact | Line]:
        """The statements of one topic."""
        return next((section.facts for section in self.sections if section.topic == topic), [])


def read(item: BusinessItem) -> Guide:
    """Return the guide of an item that was fetched ``with_offices``; three statements, four with criteria.

    The periods are the item's own, law and promise first; what else is known of them follows.
    """
    by_topic: dict[str, list[ItemFact | Line]] = {}
    if own := lines(item):
        by_topic[Topic.PERIOD] = [*own]
    for fact in item.effective_facts():
        by_topic.setdefault(fact.topic, []).append(fact)
    watching: dict[str, list[str]] = {}
    linkages = Linkage.objects.active().filter(business_item=item).order_by("office__department_id", "sub_item__code")
    for department, subject in linkages.values_list("office__department__name", "sub_item__name"):
        watching.setdefault(department, []).append(subject)
    return Guide(
        item=item,
        sections=[
            Section(topic, by_topic.get(topic, [])) for topic in ORDER if topic in by_topic or topic in NEVER_LEFT_OUT
        ],
        materials=list(item.effective_materials()),
        criteria=[] if item.pass_mark is None else list(item.effective_criteria()),
        watching=[Watching(name, list(dict.fromkeys(subjects))) for name, subjects in watching.items()],
    )


def selects() -> list[Select]:
    """The choices over the list of guides, from what is published; two statements."""
    rows = (
        BusinessItem.objects.published()
        .order_by("item__division__code", "item__department_id")
        .values_list("item__division__code", "item__division__name", "item__department_id", "item__department__name")
        .distinct()
    )
    divisions: dict[str, str] = {}
    departments: dict[str, str] = {}
    for code, division, key, department in rows:
        divisions[code] = division
        departments[str(key)] = department
    keys = [(str(key), name) for key, name in KeyItem.objects.order_by("number").values_list("number", "name")]
    return [
        Select("division", "区划", list(divisions.items()), "全市"),
        Select("department", "部门", list(departments.items())),
        Select("kind", "类型", ItemKind.choices),
        Select("handling", "办件类型", Handling.choices),
        Select("promise", "告知承诺", [("1", "可以告知承诺"), ("0", "不适用")]),
        Select("key", "重点事项", keys),
    ]


def narrowed(listing: Listing) -> tuple[BusinessItemQuerySet, tuple[str, ...]]:
    """Return the published items that the list asks for, and the order of its keyset."""
    items = BusinessItem.objects.published().with_offices()
    if listing.get("division"):
        items = items.filter(item__division__code=listing.get("division"))
    if listing.get("department"):
        items = items.filter(item__department_id=int(listing.get("department")))
    if listing.get("kind"):
        items = items.filter(item__kind=listing.get("kind"))
    if listing.get("handling"):
        items = items.filter(handling=listing.get("handling"))
    if listing.get("key"):
        items = items.filter(item__key_item_id=int(listing.get("key")))
    if listing.get("promise"):
        without = listing.get("promise") == "0"
        items = items.filter(promise_modes=[]) if without else items.exclude(promise_modes=[])
    if listing.q:
        return items.search(listing.q), ("rank", "name", "code")
    return items, ("item__division__code", "item__department_id", "code")
