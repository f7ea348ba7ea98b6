"""The loop in one run (L17): refused the promise way after a breach, drawn harder; open again after the repair."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from approvals.models import Case, CreditCheck
from credit.models import CreditRecord
from ledger.models import Entry
from oversight.demo.loop import DEPARTS, Loop
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


def test_the_loop_closes_and_opens_again(city: None, clock: Moment) -> None:
    clock.to("2026-11-20 10:00")
    steps = list(Loop(clock.at).play())
    said = [(step.title, step.found) for step in steps]
    first, second = [found for title, found in said if title == "再次申请：信用查询"]
    assert first.startswith("告知承诺：不适用（有未修复的违背承诺记录（")
    assert second.startswith("告知承诺：适用（")
    [departed] = [step for step in steps if step.title == "不按规则的建议，承办人写明理由"]
    assert "没有理由被拒绝（按规则不适用告知承诺；作出不同的决定，请写明理由。）" in departed.found
    assert f"写明理由后采用：{DEPARTS}" in departed.found
    assert departed.entry is not None
    assert (departed.entry.act, departed.entry.data["departs"]) == ("case.credit_decided", True)
    check = CreditCheck.objects.get(case=int(departed.entry.stream.partition(":")[2]))
    assert (check.rule_allows, check.allowed, check.reason) == (False, True, DEPARTS)
    assert [found for title, found in said if title == "双随机对象池"] == ["按C（较高）抽取", "按未评定抽取"]
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[-1].at < clock.at
    assert all(step.entry is not None and step.entry.at == step.at for step in steps)
    acts = [step.entry.act for step in steps if step.entry]
    assert {"credit.breach_told", "credit.push_queued", "credit.record_repaired"} <= {*acts} | {
        entry.act for entry in Entry.objects.filter(stream__startswith="subject:")
    }
    for record in CreditRecord.objects.filter(level="general"):
        assert record.repaired_at is not None
        assert record.pushes.count() == 2


def test_after_a_fraud_the_repair_does_not_lift_the_bar(city: None, clock: Moment) -> None:
    clock.to("2026-11-20 10:00")
    said = [(step.title, step.found) for step in Loop(clock.at, fraud=True).play()]
    refused = [found for title, found in said if title == "再次申请：不予受理"]
    assert len(refused) == 2
    assert all("2029年" in found for found in refused)
    assert not [title for title, _ in said if title.startswith("不按规则")], "what the law bars nobody opens"


def test_the_command_prints_it_and_leaves_nothing(city: None, clock: Moment) -> None:
    clock.to("2026-11-20 10:00")
    before = (Case.objects.count(), CreditRecord.objects.count(), Entry.objects.count())
    out = StringIO()
    call_command("loop_demo", stdout=out)
    text = out.getvalue()
    for words in ("撤销行政许可", "认定并记录失信", "不适用", "写明理由后采用", "信用修复", "全部撤回"):
        assert words in text
    assert "subject:" in text
    assert "SM3" in text
    assert (Case.objects.count(), CreditRecord.objects.count(), Entry.objects.count()) == before


def test_across_a_year_without_a_calendar_the_command_says_so_and_leaves_nothing(city: None, clock: Moment) -> None:
    clock.to("2027-04-27 10:00")
    out = StringIO()
    with pytest.raises(CommandError, match="演示没有做完，以上各步已全部撤回。.*2027 年的节假日安排尚未发布"):
        call_command("loop_demo", stdout=out)
    assert "告知拟认定失信" in out.getvalue()
    assert not Case.objects.exists()
