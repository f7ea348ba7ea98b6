"""Bringing the database to what the data files say: idempotent, all or nothing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from simple_history.utils import bulk_create_with_history

from catalogue import actions, linking
from catalogue.enums import Act, ItemStatus, Requirement, SubItemAct, Topic
from catalogue.errors import DataError, NotPublishable
from catalogue.loading.reading import Bundle
from catalogue.models import (
    ApprovalItem,
    BusinessItem,
    Criterion,
    ItemFact,
    KeyItem,
    KeyItemUnit,
    Linkage,
    Material,
    SupervisionItem,
    SupervisionSubItem,
)
from catalogue.periods import PROMISE_FIELDS, Promise, faults
from ledger.models import Entry
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import Department, Office

_CITY = "320700"
M = TypeVar("M", bound=models.Model)


@dataclass
class Report:
    """What a load did, in rows; ``refused`` lists items that could not be published, each with its reasons.

    ``kept`` names items whose promised period a division set on its page, otherwise than the files say. ``reopened``:
    linkages that are to be looked at again, because what they rest on changed.
    """

    created: int = 0
    updated: int = 0
    switched_off: int = 0
    unchanged: int = 0
    published: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    reopened: int = 0

    @property
    def changes(self) -> int:
        """Rows that were written, and publications."""
        return self.created + self.updated + self.switched_off + len(self.published)


@transaction.atomic
def load(bundle: Bundle, *, now: datetime.datetime, check: bool = False) -> Report:
    """Write what differs, then publish what is marked ``publish: true``; ``check`` rolls everything back.

    Rows that the files no longer name are switched off, not deleted. Raises ``DataError`` if the database lacks a
    department or an office that the files name, or refuses a row.
    """
    try:
        with transaction.atomic():
            report = _Loader(bundle, now).run()
    except IntegrityError as error:
        raise DataError([f"数据库拒绝了数据：{error}"]) from error
    if check:
        transaction.set_rollback(True)
    return report


class _Loader:
    def __init__(self, bundle: Bundle, now: datetime.datetime) -> None:
        self.bundle = bundle
        self.now = now
        self.report = Report()
        self.departments = {(row.division.code, row.name): row for row in Department.objects.select_related("division")}
        self.offices = {
            (row.department.division.code, row.department.name, row.name): row
            for row in Office.objects.select_related("department__division")
        }
        self.subs: dict[str, SupervisionSubItem] = {}
        self.standards: dict[str, BusinessItem] = {}
        self.touched: dict[int, BusinessItem] = {}
        self.fresh: dict[int, BusinessItem] = {}
        # What of the two lists is otherwise than it was, and what it says of the linkages that rest on it.
        self.changed_items: dict[int, str] = {}
        self.changed_subs: dict[int, str] = {}
        self.countersigning: dict[int, set[int]] = {}
        through = BusinessItem.countersign_offices.through.objects
        for key, office in through.values_list("businessitem_id", "office_id"):
            self.countersigning.setdefault(key, set()).add(office)
        self.promised_here = set(Entry.objects.filter(act=Act.PROMISE_SET).values_list("stream", flat=True))
        self.limited_here = set(Entry.objects.filter(act=SubItemAct.PLAN_LIMIT_SET).values_list("stream", flat=True))
        self.pending: dict[type[models.Model], list[models.Model]] = {
            model: [] for model in (Material, ItemFact, Criterion, Linkage)
        }

    def run(self) -> Report:
        """Everything in the order of its references."""
        self.need_departments_and_offices()
        self.key_items()
        self.supervision()
        rows = list(self.bundle.business_items())
        for item, one in sorted(rows, key=lambda row: "standard" in row[1]):
            self.business_item(item, one)
        self.write_pending()
        self.note()
        self.reopen()
        self.publish()
        return self.report

    def need_departments_and_offices(self) -> None:
        """Name everything missing at once."""
        wanted = {(item["division"], item["department"]) for item in (*self.bundle.items, *self.bundle.supervision)}
        missing = [f"没有部门 {code} {name}" for code, name in sorted(wanted) if (code, name) not in self.departments]
        missing += [f"没有处室 {'/'.join(key)}" for key in sorted(self.bundle.offices) if key not in self.offices]
        if missing:
            raise DataError([f"{line}（先装入机构数据）" for line in missing])

    def sync(self, existing: M | None, model: type[M], values: Mapping[str, Any], where: str) -> tuple[M, bool]:
        """Create or update one row if it differs; returns it and whether anything was written."""
        row = existing if existing is not None else model()
        changed = existing is None
        for name, value in values.items():
            if existing is None or getattr(row, name) != value:
                changed = True
                setattr(row, name, value)
        if not changed:
            self.report.unchanged += 1
            return row, False
        bulk = existing is None and model in self.pending
        try:
            if bulk:
                # References are rows at hand and the database holds the constraints: no query a row.
                row.clean_fields(exclude=[field.name for field in row._meta.fields if field.is_relation])
                row.clean()
            else:
                row.full_clean()
        except ValidationError as error:
            raise DataError([f"{where}：{'；'.join(error.messages)}"]) from error
        if bulk:
            self.pending[model].append(row)
            self.report.created += 1
            return row, True
        save_at(row, self.now, reason="load_catalogue")
        if existing is None:
            self.report.created += 1
        elif values.get("is_active", True) and values.get("active", True):
            self.report.updated += 1
        else:
            self.report.switched_off += 1
        return row, True

    def key_items(self) -> None:
        """The annex's nine key items with their responsible units in its order."""
        known = KeyItem.objects.in_bulk()
        units = {(row.key_item_id, row.department_id): row for row in KeyItemUnit.objects.all()}
        for line in self.bundle.key_items:
            number = int(line["number"])
            where = f"key_items.csv 第 {number} 项"
            values = {"number": number, "name": line["item"], "note": line["note"]}
            key_item, _ = self.sync(known.get(number), KeyItem, values, where)
            for order, name in enumerate(line["responsible_units"].split(";"), start=1):
                department = self.departments.get((_CITY, name))
                if department is None:
                    raise DataError([f"{where}：没有部门 {name}（先装入机构数据）"])
                row = units.get((number, department.pk))
                self.sync(row, KeyItemUnit, {"key_item": key_item, "department": department, "order": order}, where)

    def supervision(self) -> None:
        """Supervision items and their sub-items."""
        items = {row.code: row for row in SupervisionItem.objects.select_related("department")}
        subs = {row.code: row for row in SupervisionSubItem.objects.select_related("item")}
        for one in self.bundle.supervision:
            where = self.bundle.where[one["code"]]
            values = {
                "code": one["code"],
                "name": one["name"],
                "department": self.departments[one["division"], one["department"]],
                **self.sourced(one),
            }
            item, _ = self.sync(items.get(one["code"]), SupervisionItem, values, where)
            for sub in one["sub_items"]:
                values = {
                    "item": item,
                    "code": sub["code"],
                    "name": sub["name"],
                    "points": list(sub["points"]),
                    **self.sourced(sub),
                }
                known = subs.get(sub["code"])
                if "longest_plan_days" in sub and (known is None or known.stream not in self.limited_here):
                    values["longest_plan_days"] = sub["longest_plan_days"]
                row, changed = self.sync(known, SupervisionSubItem, values, self.bundle.where[sub["code"]])
                self.subs[sub["code"]] = row
                if changed and known is not None:
                    self.changed_subs[row.pk] = f"监管事项子项“{row.name}”有变动"

    def sourced(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Source written out, and its mark."""
        return {"source": self.bundle.cite(data["source"]), "certainty": data["mark"]}

    def approval_item(self, item: dict[str, Any]) -> ApprovalItem:
        """The approval item of a file; written once however many business items it has."""
        if "row" not in item:
            department = self.departments[item["division"], item["department"]]
            values = {
                "code": item["code"],
                "name": item["name"],
                "kind": item["kind"],
                "division": department.division,
                "department": department,
                "key_item_id": item.get("key_item"),
                "notes": item["notes"],
                **self.sourced(item),
            }
            known = ApprovalItem.objects.filter(code=item["code"]).first()
            item["row"], _ = self.sync(known, ApprovalItem, values, self.bundle.where[item["code"]])
        row: ApprovalItem = item["row"]
        return row

    def business_item(self, item: dict[str, Any], one: dict[str, Any]) -> None:
        """A business item with its materials, facts, criteria, countersigning offices and linkages."""
        where = self.bundle.where[one["code"]]
        approval_item = self.approval_item(item)
        values = self.own_values(item, approval_item, one)
        standard = self.standards.get(one.get("standard", ""))
        if standard is not None:
            values["standard_item"] = standard
            values |= {name: getattr(standard, name) for name in BusinessItem.INHERITED_FIELDS}
        else:
            values["standard_item"] = None
            values |= self.full_values(one)
        known = BusinessItem.objects.filter(code=one["code"]).select_related("item", "standard_item").first()
        if known is not None and known.stream in self.promised_here:
            values |= self.own_promise(known, values)
        row, changed = self.sync(known, BusinessItem, values, where)
        if standard is None:
            self.standards[one["code"]] = row
            changed |= self.materials(row, one, where)
            changed |= self.facts(row, one, where)
            changed |= self.criteria(row, one, where)
        if known is not None and changed:
            self.changed_items[row.pk] = f"业务办理项“{row.name}”有变动"
        changed |= self.countersigners(row, item, one)
        changed |= self.linkages(row, item, one, where)
        if known is None:
            self.fresh[row.pk] = row
        elif changed:
            self.touched[row.pk] = row

    def own_values(self, item: dict[str, Any], approval_item: ApprovalItem, one: dict[str, Any]) -> dict[str, Any]:
        """What every business item says of itself."""
        promised = one.get("promised") or {}
        exemption = promised.get("exemption") or {}
        return {
            "item": approval_item,
            "code": one["code"],
            "name": one["name"],
            "aliases": list(one["aliases"]),
            "review_office": self.offices[item["division"], item["department"], one["review_office"]],
            "document_word": one["document_word"],
            "reports_to_province": one["reports_to_province"],
            "promised_length": promised.get("days"),
            "promised_source": self.bundle.cite(promised.get("source", "")),
            "promised_certainty": promised.get("mark", ""),
            "promised_exemption": exemption.get("reason", ""),
            "promised_exemption_by": exemption.get("by", ""),
            "notes": one["notes"],
        }

    def own_promise(self, known: BusinessItem, values: Mapping[str, Any]) -> dict[str, Any]:
        """The promise that a division set on its page, which stands against the files while the law leaves it room."""
        own = {name: getattr(known, name) for name in PROMISE_FIELDS}
        if all(values[name] == value for name, value in own.items()):
            return {}
        new = BusinessItem(**{**values, **own})
        if known.promised_length is None or faults(new, Promise.of(new)):
            return {}
        self.report.kept.append(f"{known.code} {known.name}：{known.promised_text}")
        return own

    def full_values(self, one: dict[str, Any]) -> dict[str, Any]:
        """What an item with its own content says."""
        statutory = one.get("statutory") or {}
        extension = statutory.get("extension") or {}
        notice = one.get("public_notice") or {}
        promise = one.get("promise") or {}
        refusal = one.get("no_promise") or {}
        validity = one.get("validity") or {}
        criteria = one.get("criteria") or {}
        must_meet = one.get("must_meet")
        return {
            "handling": one["handling"],
            "standard_only": one["standard_only"],
            "statutory_length": statutory.get("length"),
            "statutory_unit": statutory.get("unit", ""),
            "statutory_start": statutory.get("start", ""),
            "statutory_source": self.bundle.cite(statutory.get("source", "")),
            "statutory_certainty": statutory.get("mark", ""),
            "extension_length": extension.get("length"),
            "extension_source": self.bundle.cite(extension.get("source", "")),
            "period_note": one["period_note"],
            "public_notice_days": notice.get("days"),
            "public_notice_pauses_promise": notice.get("pauses_promise", False),
            "public_notice_law": self.bundle.cite(notice.get("law", "")),
            "high_risk": refusal.get("high_risk", False),
            "promise_modes": list(promise.get("modes", [])),
            "promise_clauses": list(promise.get("clauses", [])),
            "promise_refusal": refusal.get("text", ""),
            "result_name": one["result"]["name"],
            "result_kind": one["result"]["kind"],
            "validity_months": validity.get("months"),
            "validity_text": validity.get("text", ""),
            "fee_text": one["fee"]["text"],
            "must_meet": must_meet is not None,
            "must_meet_reason": self.must_meet_reason(must_meet or {}),
            "reviewers": one["reviewers"],
            "pass_mark": criteria.get("pass_mark"),
            "divergence": criteria.get("divergence"),
            "site_check": one["site_check"],
            "later_consequence": (one.get("later") or {}).get("consequence", ""),
        }

    def must_meet_reason(self, said: Mapping[str, str]) -> str:
        """The reason, with its source in brackets."""
        source = f"（{self.bundle.cite(said['source'])}）" if "source" in said else ""
        return f"{said.get('reason', '')}{source}"

    def materials(self, row: BusinessItem, one: dict[str, Any], where: str) -> bool:
        """The list of materials; a material is known by its name."""
        known = {material.name: material for material in row.materials.select_related("business_item")}
        changed = False
        for order, material in enumerate(one["materials"], start=1):
            when = material.get("when", "")
            values = {
                "business_item": row,
                "order": order,
                "name": material["name"],
                "requirement": Requirement.CONDITIONAL if when else Requirement.REQUIRED,
                "condition_text": when,
                "sample_text": material["sample"],
                "is_active": True,
                "is_promise_letter": material["promise_letter"],
                "later_allowed": material["later"],
                **{key: material[key] for key in ("form", "copies", "waived_by_promise", "deferrable", "verifiable")},
                **self.sourced(material),
            }
            at = f"{where}materials[{order - 1}]"
            changed |= self.sync(known.pop(material["name"], None), Material, values, at)[1]
        return self.switch_off(known.values(), Material, where) or changed

    def facts(self, row: BusinessItem, one: dict[str, Any], where: str) -> bool:
        """The statements of the guide: those of the numbers first, then the listed ones; known by topic and order."""
        known = {(fact.topic, fact.order): fact for fact in row.facts.select_related("business_item")}
        changed = False
        for topic, listed in self.statements(row, one).items():
            for order, fact in enumerate(listed, start=1):
                values = {
                    "business_item": row,
                    "topic": topic,
                    "order": order,
                    "text": fact["text"],
                    "is_active": True,
                    **self.sourced(fact),
                }
                at = f"{where}facts.{topic}[{order - 1}]"
                changed |= self.sync(known.pop((topic, order), None), ItemFact, values, at)[1]
        return self.switch_off(known.values(), ItemFact, where) or changed

    def criteria(self, row: BusinessItem, one: dict[str, Any], where: str) -> bool:
        """The graded criteria; a criterion is known by its name, so that sheets keep pointing at what was scored."""
        listed = (one.get("criteria") or {}).get("list", [])
        rows = list(row.criteria.select_related("business_item"))
        wanted = {criterion["name"]: order for order, criterion in enumerate(listed, start=1)}
        self.make_room(rows, wanted)
        known = {criterion.name: criterion for criterion in rows if criterion.is_active or criterion.name in wanted}
        changed = False
        for order, criterion in enumerate(listed, start=1):
            grades = [dict(grade) for grade in criterion.get("grades", [])]
            values = {
                "business_item": row,
                "order": order,
                "name": criterion["name"],
                "evidence": criterion["evidence"],
                "is_veto": criterion["veto"],
                "max_score": grades[0]["score"] if grades else 0,
                "grades": grades,
                "is_active": True,
                **self.sourced(criterion),
            }
            at = f"{where}criteria.list[{order - 1}]"
            changed |= self.sync(known.pop(criterion["name"], None), Criterion, values, at)[1]
        return self.switch_off(known.values(), Criterion, where) or changed

    def make_room(self, rows: list[Criterion], wanted: Mapping[str, int]) -> None:
        """Move criteria that stand on another's place behind all others; ``sync`` then puts each where it belongs."""
        places = set(wanted.values())
        behind = max([len(places), *(row.order for row in rows)])
        moved = [row for row in rows if row.order in places and wanted.get(row.name) != row.order]
        for place, row in enumerate(moved, start=behind + 1):
            row.order = place
            Criterion.objects.filter(pk=row.pk).update(order=place)

    def countersigners(self, row: BusinessItem, item: dict[str, Any], one: dict[str, Any]) -> bool:
        """The offices of the same department that countersign; return whether they are others than before."""
        wanted = {self.offices[item["division"], item["department"], name].pk for name in one["countersign"]}
        if wanted == self.countersigning.get(row.pk, set()):
            return False
        row.countersign_offices.set(wanted)
        self.report.updated += 1
        return True

    def statements(self, row: BusinessItem, one: dict[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
        """Statements by topic, with those that say what stands in the item's own columns, and their sources.

        The periods are not among them: they are read from the columns (``catalogue.periods.lines``), since a division
        may set its promise and a county's may be shorter than the standard's.
        """
        said: dict[str, list[Mapping[str, Any]]] = {topic: [] for topic in Topic.values}

        def say(topic: Topic, key: str, text: str) -> None:
            if key in one:
                said[topic].append({"text": text, "source": one[key]["source"], "mark": one[key]["mark"]})

        pause = "，公示期间承诺期限停止计算，法定期限不停" if row.public_notice_pauses_promise else ""
        if row.public_notice_law:
            pause = f"，公示期间法定期限和承诺期限停止计算（{row.public_notice_law}）"
        say(Topic.PROCEDURE, "public_notice", f"作出决定前公示{row.public_notice_days}个工作日{pause}。")
        say(Topic.RESULT, "result", f"{row.result_name}。")
        say(Topic.VALIDITY, "validity", f"{row.validity_text}。")
        say(Topic.FEE, "fee", f"{row.fee_text}。")
        modes = "、".join(label for mode, label in _MODES.items() if mode in row.promise_modes)
        say(Topic.PROMISE, "promise", f"可选择告知承诺方式办理：{modes}。")
        say(Topic.PROMISE, "no_promise", f"不适用告知承诺：{row.promise_refusal}。")
        for facts in (one["facts"], self.bundle.common.get(row.item.kind, {})):
            for topic, listed in facts.items():
                said[topic].extend(listed)
        return said

    def linkages(self, row: BusinessItem, item: dict[str, Any], one: dict[str, Any], where: str) -> bool:
        """The linkages; known by office and sub-item. What an administrator made, or turned off, stays as it is."""
        known = {
            (linkage.office_id, linkage.sub_item_id): linkage
            for linkage in row.linkages.select_related("business_item__item", "office__department", "sub_item__item")
        }
        edited = Linkage.history.filter(business_item_id=row.pk, history_user__isnull=False)
        edited = edited.exclude(history_change_reason=linking.CONFIRMED)
        by_people = set(edited.values_list("id", flat=True))
        changed = False
        for index, linkage in enumerate(one["linkages"]):
            department, _, name = linkage["office"].partition("/")
            office, sub = self.offices[item["division"], department, name], self.subs[linkage["sub_item"]]
            values = {
                "business_item": row,
                "office": office,
                "sub_item": sub,
                "active": True,
                **self.sourced(linkage),
            }
            at = f"{where}linkages[{index}]"
            held = known.pop((office.pk, sub.pk), None)
            if held is not None and held.pk in by_people:
                values["active"] = held.active
            changed |= self.sync(held, Linkage, values, at)[1]
        gone = [linkage for linkage in known.values() if linkage.pk not in by_people]
        return self.switch_off(gone, Linkage, where, flag="active") or changed

    def switch_off(self, rows: Any, model: type[Any], where: str, flag: str = "is_active") -> bool:
        """Switch off what the files no longer name."""
        gone = [row for row in rows if getattr(row, flag)]
        for row in gone:
            self.sync(row, model, {flag: False}, where)
        return bool(gone)

    def write_pending(self) -> None:
        """New materials, facts and linkages with their histories, in bulk."""
        for model, rows in self.pending.items():
            bulk_create_with_history(
                rows, model, batch_size=500, default_change_reason="load_catalogue", default_date=self.now
            )

    def note(self) -> None:
        """Ledger entries: new items, and a new version of those that changed."""
        drafts = [
            Draft(row.stream, Act.LOADED, {"code": row.code, "version": row.version}, fresh=True)
            for row in self.fresh.values()
        ]
        record_many(drafts, at=self.now)
        inheritors = BusinessItem.objects.filter(standard_item__in=self.touched).exclude(pk__in=self.fresh)
        for row in {**self.touched, **{one.pk: one for one in inheritors}}.values():
            actions.note_revision(row, by=None, now=self.now)

    def reopen(self) -> None:
        """Linkages that rest on what changed, but for those that this load brings: to be looked at again (O3.3.3)."""
        inheriting = BusinessItem.objects.filter(standard_item__in=self.changed_items).exclude(pk__in=self.fresh)
        items = {row.pk: f"业务办理项“{row.name}”有变动" for row in inheriting} | self.changed_items
        resting = Linkage.objects.active().filter(
            models.Q(business_item__in=items) | models.Q(sub_item__in=self.changed_subs)
        )
        rows = resting.exclude(pk__in=[row.pk for row in self.pending[Linkage]])
        self.report.reopened = linking.reopen(
            {
                pk: "；".join(filter(None, (items.get(item), self.changed_subs.get(sub))))
                for pk, item, sub in rows.values_list("pk", "business_item_id", "sub_item_id")
            },
            now=self.now,
        )

    def publish(self) -> None:
        """Publish what is marked so and still waits; an item that was retired stays so."""
        codes = [one["code"] for _, one in self.bundle.business_items() if one["publish"]]
        waiting = BusinessItem.objects.filter(code__in=codes, status=ItemStatus.DRAFT).order_by("code")
        for row in waiting:
            try:
                actions.publish(row, by=None, now=self.now)
            except NotPublishable as refusal:
                self.report.refused.append(str(refusal))
            else:
                self.report.published.append(row.name)


_MODES = {"deferred_material": "材料延期", "verified_material": "材料核验", "post_check": "事后核查"}
