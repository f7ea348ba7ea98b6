"""A few lines of the city's list of joint measures, each with the paper of the State Council that it rests on."""

from __future__ import annotations

import datetime as dt

from credit.actions import listing_measures
from credit.models import Grade, Level, MeasureKind, MeasureRule
from offices.models import User

GUIDE = (
    "国务院关于建立完善守信联合激励和失信联合惩戒制度加快推进社会诚信建设的指导意见（国发〔2016〕33号）"
)  # fmt: skip
PROMISES = "国务院办公厅关于全面推行证明事项和涉企经营许可事项告知承诺制的指导意见（国办发〔2020〕42号）"
WATCH = (
    "国务院办公厅关于加快推进社会信用体系建设构建以信用为基础的新型监管机制的指导意见（国办发〔2019〕35号）"
)  # fmt: skip
# Kind, level or grade, what, basis, months.
LINES = (
    (MeasureKind.PENALTY, Level.SERIOUS, "列为重点监管对象，从严审核行政许可申请", GUIDE, 12),
    (MeasureKind.PENALTY, Level.SERIOUS, "信用修复前不适用告知承诺制", PROMISES, 12),
    (MeasureKind.PENALTY, Level.GENERAL, "适当提高抽查比例和频次", WATCH, 6),
    (MeasureKind.REWARD, Grade.EXCELLENT, "行政审批“绿色通道”、容缺受理", GUIDE, 12),
    (MeasureKind.REWARD, Grade.EXCELLENT, "同等条件下优先办理", GUIDE, 12),
    (MeasureKind.REWARD, Grade.GOOD, "合理降低抽查比例和频次", WATCH, 12),
)


def load(now: dt.datetime) -> int:
    """Add the lines that were never there; return how many. One that somebody switched off stays off."""
    by, made = User.objects.get(username="guanliyuan1"), 0
    for kind, ground, what, basis, months in LINES:
        level, grade = (ground.value, "") if kind == MeasureKind.PENALTY else ("", ground.value)
        if not MeasureRule.objects.filter(kind=kind, level=level, grade=grade, what=what).exists():
            listing_measures.add(
                kind=kind, level=level, grade=grade, what=what, basis=basis, months=months, by=by, now=now
            )
            made += 1
    return made
