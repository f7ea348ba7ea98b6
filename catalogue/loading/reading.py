"""Reading and validating the data files. Nothing here touches the database."""

from __future__ import annotations

import csv
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rest_framework import serializers

from catalogue.enums import INNER_LIMIT_WORKING_DAYS, Certainty
from catalogue.errors import DataError
from catalogue.loading import schema
from catalogue.periods import longest_promise

DATA = Path(__file__).resolve().parent.parent / "data"
_REFERENCE = re.compile(r"\{(\w+)\}")


@dataclass
class Bundle:
    """All data files, validated; ``where`` maps a code to the file and key where it stands."""

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    common: dict[str, dict[str, Any]] = field(default_factory=dict)
    key_items: list[dict[str, str]] = field(default_factory=list)
    offices: set[tuple[str, str, str]] = field(default_factory=set)
    items: list[dict[str, Any]] = field(default_factory=list)
    supervision: list[dict[str, Any]] = field(default_factory=list)
    where: dict[str, str] = field(default_factory=dict)

    def cite(self, text: str) -> str:
        """Write out the keys of a source: ``{CXF}第四十条`` → 《中华人民共和国城乡规划法》第四十条."""
        return _REFERENCE.sub(lambda match: str(self.sources[match[1]]["name"]), text)

    def business_items(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Every business item with its approval item."""
        for item in self.items:
            for business_item in item["business_items"]:
                yield item, business_item


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, which plain YAML lets win silently."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"重复的键 {key}", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


class _Reader:
    """Collects problems over all files, so that one run names them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.bundle = Bundle()

    def run(self) -> Bundle:
        """Read everything; raises ``DataError`` with every problem found."""
        self.sources()
        self.common()
        self.tables()
        for path in sorted((self.folder / "supervision").glob("*.yaml")):
            self.supervision(path)
        for path in sorted((self.folder / "items").glob("*.yaml")):
            self.item(path)
        self.references()
        if self.problems:
            raise DataError(self.problems)
        return self.bundle

    def parse(self, path: Path) -> Any:
        """Read a YAML file; a fault in its syntax is a problem with its line."""
        name = path.relative_to(self.folder)
        try:
            return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a safe loader
        except FileNotFoundError:
            self.problems.append(f"{name}：没有这个文件")
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else "?"
            self.problems.append(f"{name} 第 {line} 行：{error.problem}")
        return None

    def shape(self, shape: type[serializers.Serializer[Any]], data: Any, where: str) -> dict[str, Any] | None:
        """Validate against a shape; problems carry file and key path."""
        serializer = shape(data=data)
        if serializer.is_valid():
            return dict(serializer.validated_data)
        self.problems.extend(f"{where}{line}" for line in schema.flatten(serializer.errors, ""))
        return None

    def sources(self) -> None:
        """The register of sources: key → name, kind and whether its text was read."""
        raw = self.parse(self.folder / "sources.yaml")
        for key, value in (raw or {}).items():
            valid = self.shape(schema.SourceShape, value, f"sources.yaml {key}.")
            if valid is not None:
                self.bundle.sources[str(key)] = valid

    def common(self) -> None:
        """Statements that hold for every item of a kind."""
        for kind, raw in (self.parse(self.folder / "common.yaml") or {}).items():
            valid = self.shape(schema.FactsShape, raw, f"common.yaml {kind}.")
            if valid is not None:
                self.check_sources(valid, f"common.yaml {kind}.")
                self.bundle.common[str(kind)] = valid

    def tables(self) -> None:
        """The annex's key items, and the list of offices that linkages may name."""
        self.bundle.key_items = list(self.rows("key_items.csv", {"number", "item", "responsible_units", "note"}))
        columns = {"division_code", "department", "office", "source", "side"}
        for row in self.rows("offices.csv", columns):
            self.bundle.offices.add((row["division_code"], row["department"], row["office"]))

    def rows(self, name: str, columns: set[str]) -> Iterator[dict[str, str]]:
        """Rows of a CSV file with exactly these columns."""
        path = self.folder / name
        if not path.exists():
            self.problems.append(f"{name}：没有这个文件")
            return
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if set(reader.fieldnames or ()) != columns:
                self.problems.append(f"{name} 第 1 行：列应为 {'、'.join(sorted(columns))}")
                return
            yield from reader

    def supervision(self, path: Path) -> None:
        """One file of supervision items."""
        name = str(path.relative_to(self.folder))
        for index, raw in enumerate(self.parse(path) or []):
            where = f"{name} [{index}]."
            item = self.shape(schema.SupervisionItemShape, raw, where)
            if item is None:
                continue
            self.claim(item["code"], where)
            self.check_sources(item, where)
            for number, sub in enumerate(item["sub_items"]):
                self.claim(sub["code"], f"{where}sub_items[{number}].")
            self.bundle.supervision.append(item)

    def item(self, path: Path) -> None:
        """One file: an approval item with its business items."""
        name = str(path.relative_to(self.folder))
        raw = self.parse(path)
        if raw is None:
            return
        item = self.shape(schema.ApprovalItemShape, raw, f"{name} ")
        if item is None:
            return
        self.claim(item["code"], f"{name} ")
        business_items = []
        for index, raw_one in enumerate(item["business_items"]):
            where = f"{name} business_items[{index}]."
            shape = schema.InheritingShape if "standard" in raw_one else schema.FullShape
            one = self.shape(shape, raw_one, where)
            if one is None:
                continue
            self.claim(one["code"], where)
            self.check_sources(one, where)
            self.check_period(one, where)
            self.check_doubles(one, where)
            self.check_must_meet(one, where)
            business_items.append(one)
        self.check_sources({key: item[key] for key in ("source", "mark")}, f"{name} ")
        item["business_items"] = business_items
        self.bundle.items.append(item)

    def claim(self, code: str, where: str) -> None:
        """A code stands once in all files."""
        if code in self.bundle.where:
            self.problems.append(f"{where}code：编码 {code} 已用于 {self.bundle.where[code]}")
        self.bundle.where[code] = where.strip()

    def check_sources(self, data: Any, where: str) -> None:
        """Every source names the register, and its mark is no better than what was read there."""
        if isinstance(data, dict):
            if "source" in data and "mark" in data:
                self.check_source(str(data["source"]), str(data["mark"]), where)
            for key, value in data.items():
                self.check_sources(value, f"{where}{key}.")
        elif isinstance(data, list):
            for index, value in enumerate(data):
                self.check_sources(value, f"{where.rstrip('.')}[{index}].")

    def check_source(self, source: str, mark: str, where: str) -> None:
        """``read`` needs a source whose text was read; ``guide`` a guide or a rule seen in one."""
        keys = _REFERENCE.findall(source)
        unknown = [key for key in keys if key not in self.bundle.sources]
        if unknown or not keys:
            saying = f"出处登记表里没有 {'、'.join(unknown)}" if unknown else "出处至少要引用一个登记的来源，如 {XKF}"
            self.problems.append(f"{where}source：{saying}")
            return
        known = [self.bundle.sources[key] for key in keys]
        if mark == Certainty.READ and not any(one["read"] for one in known):
            self.problems.append(f"{where}mark：所引来源没有核过原文，不能标 read")
        if mark == Certainty.GUIDE and not any(one["kind"] in {"guide", "rule"} for one in known):
            self.problems.append(f"{where}mark：没有引用办事指南，不能标 guide")

    def check_period(self, one: dict[str, Any], where: str) -> None:
        """A promise over the inner limit needs its reason; none is longer than the law (also held by the database)."""
        statutory, notice = one.get("statutory"), one.get("public_notice")
        if statutory and "extension" in statutory:
            self.check_law(statutory["extension"]["source"], f"{where}statutory.extension.source")
        if notice and "law" in notice:
            self.check_law(notice["law"], f"{where}public_notice.law")
        promised = one.get("promised")
        if promised is None:
            return
        over = promised["days"] > INNER_LIMIT_WORKING_DAYS
        if over and not one["reports_to_province"] and "exemption" not in promised:
            self.problems.append(f"{where}promised.days：超过5个工作日，须写 exemption 或 reports_to_province")
        if statutory is not None:
            most = longest_promise(statutory["length"], statutory["unit"])
            if notice and notice["pauses_promise"] and "law" not in notice:
                most -= notice["days"]
            if promised["days"] > most:
                self.problems.append(f"{where}promised.days：承诺期限不能长于法定期限")

    def check_must_meet(self, one: dict[str, Any], where: str) -> None:
        """Where a law makes people come in person, the register knows it."""
        source = one.get("must_meet", {}).get("source", "")
        if unknown := [key for key in _REFERENCE.findall(source) if key not in self.bundle.sources]:
            self.problems.append(f"{where}must_meet.source：出处登记表里没有 {'、'.join(unknown)}")

    def check_law(self, source: str, where: str) -> None:
        """What stops or lengthens a statutory period is a law or regulation whose text was read (art. 42)."""
        known = [self.bundle.sources.get(key, {}) for key in _REFERENCE.findall(source)]
        if not known or not all(one.get("read") and one.get("kind") in {"law", "regulation"} for one in known):
            self.problems.append(f"{where}：只能引用登记为法律、法规且核过原文的来源")

    def check_doubles(self, one: dict[str, Any], where: str) -> None:
        """A material, a linkage and a countersigning office stand once in an item."""
        named = [material["name"] for material in one.get("materials", [])]
        named += [f"{linkage['office']} {linkage['sub_item']}" for linkage in one["linkages"]]
        named += [f"会签处室 {name}" for name in one["countersign"]]
        for name in sorted({name for name in named if named.count(name) > 1}):
            self.problems.append(f"{where}：{name} 重复")

    def references(self) -> None:
        """Offices, sub-items and standards that are named exist in the files."""
        subs = {sub["code"] for item in self.bundle.supervision for sub in item["sub_items"]}
        numbers = {row["number"] for row in self.bundle.key_items}
        full = {one["code"] for _, one in self.bundle.business_items() if "standard" not in one}
        for item in self.bundle.items:
            if "key_item" in item and str(item["key_item"]) not in numbers:
                self.problems.append(f"{self.bundle.where[item['code']]} key_item：没有第 {item['key_item']} 项")
        for item, one in self.bundle.business_items():
            where = self.bundle.where[one["code"]]
            if "standard" in one and one["standard"] not in full:
                self.problems.append(f"{where}standard：没有标准事项 {one['standard']}")
            division = item["division"]
            self.office((division, item["department"], one["review_office"]), f"{where}review_office")
            for index, name in enumerate(one["countersign"]):
                self.office((division, item["department"], name), f"{where}countersign[{index}]")
                if name == one["review_office"]:
                    self.problems.append(f"{where}countersign[{index}]：审查处室不能会签自己的办件")
            for index, linkage in enumerate(one["linkages"]):
                at = f"{where}linkages[{index}]"
                department, _, office = linkage["office"].partition("/")
                self.office((division, department, office), f"{at}.office")
                if linkage["sub_item"] not in subs:
                    self.problems.append(f"{at}.sub_item：没有监管事项子项 {linkage['sub_item']}")

    def office(self, named: tuple[str, str, str], where: str) -> None:
        """An office that is named stands in offices.csv."""
        if named not in self.bundle.offices:
            self.problems.append(f"{where}：offices.csv 里没有 {'/'.join(named)}")


def read(folder: Path = DATA) -> Bundle:
    """Read and validate all data files; raises ``DataError`` listing every problem with its file and key or line."""
    return _Reader(folder).run()
