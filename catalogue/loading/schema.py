"""The shape of the data files. Unknown keys are refused; errors name the key path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from rest_framework import serializers

from catalogue.enums import (
    Certainty,
    Handling,
    ItemKind,
    MaterialForm,
    PeriodStart,
    PeriodUnit,
    PromiseMode,
    ResultKind,
    Topic,
)
from catalogue.models.supervision import MOST_PLAN_DAYS
from catalogue.periods import LONGEST_PROMISE


class Strict(serializers.Serializer[Any]):
    """Refuses keys that it does not know, so that a slip of the pen is not silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate ``data``; raises ``ValidationError`` with the unknown keys."""
        if isinstance(data, Mapping):
            unknown = [str(key) for key in data if key not in self.fields]
            if unknown:
                raise serializers.ValidationError({key: ["没有这个键。"] for key in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A text that is written as a text: numbers and truth values are refused."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what YAML read as something else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Sourced(Strict):
    """Something with the place where it is written and how far that was read."""

    source = Text(max_length=300)  # type: ignore[assignment] # declared fields leave the class
    mark = serializers.ChoiceField(choices=Certainty.choices)


class SourceShape(Strict):
    """One entry of the register of sources."""

    name = Text(max_length=200)
    kind = serializers.ChoiceField(choices=["law", "regulation", "rule", "policy", "guide", "none"])
    read = serializers.BooleanField(default=False)
    note = Text(max_length=300, default="", allow_blank=True)


class FactShape(Sourced):
    """A statement of the guide."""

    text = Text()


class MaterialShape(Sourced):
    """A material; ``when`` makes it conditional."""

    name = Text(max_length=120)
    when = Text(max_length=200, required=False)
    form = serializers.ChoiceField(choices=MaterialForm.choices, default=MaterialForm.ORIGINAL)
    copies = serializers.IntegerField(min_value=1, max_value=20, default=1)
    promise_letter = serializers.BooleanField(default=False)
    waived_by_promise = serializers.BooleanField(default=False)
    deferrable = serializers.BooleanField(default=False)
    verifiable = serializers.BooleanField(default=False)
    later = serializers.BooleanField(default=False)
    sample = Text(default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only a secondary paper may follow the licence: not the letter of promise."""
        if attrs["later"] and attrs["promise_letter"]:
            raise serializers.ValidationError({"later": ["告知承诺书不能容缺后补。"]})
        return attrs


class ExtensionShape(Strict):
    """How far a law or regulation of its own lets the statutory period be extended, in its unit (else art. 42)."""

    length = serializers.IntegerField(min_value=1, max_value=365)
    source = Text(max_length=300)  # type: ignore[assignment] # declared fields leave the class


class StatutoryShape(Sourced):
    """The period that the law sets."""

    length = serializers.IntegerField(min_value=1, max_value=365)
    unit = serializers.ChoiceField(choices=PeriodUnit.choices)
    start = serializers.ChoiceField(choices=PeriodStart.choices)
    extension = ExtensionShape(required=False)


class ExemptionShape(Strict):
    """Why a promised period is over the inner limit, and who allowed it."""

    reason = Text(max_length=300)
    by = Text(max_length=120)


class PromisedShape(Sourced):
    """The promised period in working days."""

    days = serializers.IntegerField(min_value=1, max_value=LONGEST_PROMISE)
    exemption = ExemptionShape(required=False)


class NoticeShape(Sourced):
    """Public notice before the decision; ``pauses_promise`` stops the promised clock meanwhile, ``law`` (the law or
    regulation that says so) the statutory one as well."""

    days = serializers.IntegerField(min_value=1, max_value=60)
    pauses_promise = serializers.BooleanField(default=False)
    law = Text(max_length=200, required=False)


class PromiseShape(Sourced):
    """Promise-based approval: its modes and what is promised."""

    modes = serializers.ListField(child=serializers.ChoiceField(choices=PromiseMode.choices), allow_empty=False)
    clauses = serializers.ListField(child=Text(max_length=300), allow_empty=False)


class NoPromiseShape(Sourced):
    """Why promise-based approval is not open; ``high_risk`` bars it for good."""

    text = Text(max_length=300)
    high_risk = serializers.BooleanField(default=False)


class ResultShape(Sourced):
    """What the applicant receives."""

    name = Text(max_length=120)
    kind = serializers.ChoiceField(choices=ResultKind.choices)


class ValidityShape(Sourced):
    """How long the result holds."""

    months = serializers.IntegerField(min_value=1, max_value=1200, required=False)
    text = Text(max_length=200)


class FeeShape(Sourced):
    """What it costs."""

    text = Text(max_length=200)


class MustMeetShape(Strict):
    """Why the applicant has to come in person; without it nobody has to."""

    reason = Text(max_length=300)
    source = Text(max_length=300, required=False)  # type: ignore[assignment] # declared fields leave the class


class LaterShape(Strict):
    """容缺: what follows when a secondary paper does not come in by its day after the licence."""

    consequence = Text(max_length=300)


class GradeShape(Strict):
    """A degree of a criterion and its points."""

    score = serializers.IntegerField(min_value=0, max_value=1000)
    text = Text(max_length=200)


class CriterionShape(Sourced):
    """A criterion of the review: graded, or a veto (O3.1.2d)."""

    name = Text(max_length=200)
    evidence = Text(max_length=300)
    veto = serializers.BooleanField(default=False)
    grades = GradeShape(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Points in at least two degrees, the best first; a veto has none."""
        grades = attrs.get("grades")
        if attrs["veto"] == bool(grades):
            raise serializers.ValidationError({"grades": ["grades 与 veto: true 必须写且只能写一个。"]})
        scores = [grade["score"] for grade in grades or []]
        if scores and (len(scores) < 2 or any(low >= high for high, low in pairwise(scores))):
            raise serializers.ValidationError({"grades": ["至少两档，分数从高到低，不能相同。"]})
        return attrs


class CriteriaShape(Strict):
    """裁量准则 with the mark that passes; ``divergence`` of two reviewers' sums calls the lead."""

    pass_mark = serializers.IntegerField(min_value=0, max_value=10000)
    divergence = serializers.IntegerField(min_value=1, max_value=10000, required=False)
    list = CriterionShape(many=True, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A pass mark that can be reached and missed; each criterion once."""
        most = sum(one["grades"][0]["score"] for one in attrs["list"] if one.get("grades"))
        if attrs["pass_mark"] > most:
            raise serializers.ValidationError({"pass_mark": [f"合格分高于满分 {most} 分。"]})
        if most and not attrs["pass_mark"]:
            raise serializers.ValidationError({"pass_mark": ["分档记分的准则要有合格分。"]})
        named = [one["name"] for one in attrs["list"]]
        if doubles := sorted({name for name in named if named.count(name) > 1}):
            raise serializers.ValidationError({"list": [f"{'、'.join(doubles)} 重复"]})
        return attrs


class LinkageShape(Sourced):
    """Which office watches what: ``office`` is 「部门/处室」 of the item's own division."""

    sub_item = Text(max_length=40)
    office = Text(max_length=130)


class FactsShape(Strict):
    """Statements by topic."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """One list a topic."""
        return {topic: FactShape(many=True, required=False) for topic in Topic.values}


class OwnShape(Strict):
    """What every business item says of itself."""

    code = Text(max_length=40)
    name = Text(max_length=120)
    aliases = serializers.ListField(child=Text(max_length=120), default=list)
    publish = serializers.BooleanField(default=False)
    review_office = Text(max_length=60)
    document_word = Text(max_length=12)
    promised = PromisedShape(required=False)
    reports_to_province = serializers.BooleanField(default=False)
    linkages = LinkageShape(many=True, default=list)
    countersign = serializers.ListField(child=Text(max_length=60), default=list)
    notes = Text(default="", allow_blank=True)


class InheritingShape(OwnShape):
    """A business item that inherits the city's standard; it has nothing of its own but the above."""

    standard = Text(max_length=40)


class FullShape(OwnShape):
    """A business item with its own content."""

    handling = serializers.ChoiceField(choices=Handling.choices)
    standard_only = serializers.BooleanField(default=False)
    statutory = StatutoryShape(required=False)
    period_note = Text(default="", allow_blank=True)
    public_notice = NoticeShape(required=False)
    promise = PromiseShape(required=False)
    no_promise = NoPromiseShape(required=False)
    result = ResultShape()
    validity = ValidityShape(required=False)
    fee = FeeShape()
    must_meet = MustMeetShape(required=False)
    later = LaterShape(required=False)
    reviewers = serializers.IntegerField(min_value=1, max_value=2, default=1)
    criteria = CriteriaShape(required=False)
    site_check = serializers.BooleanField(default=False)
    materials = MaterialShape(many=True, allow_empty=False)
    facts = FactsShape()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either the promise way is open or it is said why not."""
        if ("promise" in attrs) == ("no_promise" in attrs):
            raise serializers.ValidationError({"promise": ["promise 与 no_promise 必须写且只能写一个。"]})
        if any(material["later"] for material in attrs["materials"]) != ("later" in attrs):
            raise serializers.ValidationError({"later": ["容缺后补的材料与 later.consequence 必须同时写明。"]})
        if "later" in attrs and attrs.get("no_promise", {}).get("high_risk"):
            raise serializers.ValidationError({"later": ["风险较大、损害难以挽回的事项不得容缺。"]})
        if "divergence" in attrs.get("criteria", {}) and attrs["reviewers"] != 2:
            raise serializers.ValidationError({"criteria": ["只有两名审查人员评分的事项才写 divergence。"]})
        return attrs


class ApprovalItemShape(Sourced):
    """One approval item with its business items: one file."""

    code = Text(max_length=40)
    name = Text(max_length=120)
    kind = serializers.ChoiceField(choices=ItemKind.choices)
    division = Text(max_length=6)
    department = Text(max_length=60)
    key_item = serializers.IntegerField(min_value=1, required=False)
    notes = Text(default="", allow_blank=True)
    business_items = serializers.ListField(child=serializers.DictField(), allow_empty=False)


class SubItemShape(Sourced):
    """A supervision sub-item with its check points."""

    code = Text(max_length=40)
    name = Text(max_length=120)
    points = serializers.ListField(child=Text(max_length=300), allow_empty=False)
    # The most days of a plan from the acknowledgement; without it the default, or what the department set.
    longest_plan_days = serializers.IntegerField(required=False, min_value=1, max_value=MOST_PLAN_DAYS)


class SupervisionItemShape(Sourced):
    """A supervision item of one department."""

    code = Text(max_length=40)
    name = Text(max_length=120)
    division = Text(max_length=6)
    department = Text(max_length=60)
    sub_items = SubItemShape(many=True, allow_empty=False)


def flatten(errors: Any, path: str) -> Iterator[str]:
    """Turn nested errors into lines 「key.path[2]：what is wrong」."""
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            if key == "non_field_errors":
                yield from flatten(inner, path)
            elif isinstance(key, int):
                yield from flatten(inner, f"{path}[{key}]")
            else:
                yield from flatten(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(errors, list):
        for index, inner in enumerate(errors):
            if isinstance(inner, Mapping):
                yield from flatten(inner, f"{path}[{index}]")
            else:
                yield f"{path}：{inner}"
    else:
        yield f"{path}：{errors}"
