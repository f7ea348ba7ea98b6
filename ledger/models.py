"""Entries, daily anchors, and draws by commit and reveal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger import acts
from ledger.hashing import ALGORITHM, canonical, sm3
from offices.crypto import EncryptedTextField


def hash_of(
    stream: str,
    seq: int,
    at: datetime,
    actor: int | None,
    act: str,
    data: Mapping[str, Any],
    prev: str,
    algorithm: str = ALGORITHM,
) -> str:
    """The hash of an entry: over everything that it says, and the hash before it."""
    content = {
        "stream": stream,
        "seq": seq,
        "at": int(at.timestamp() * 1_000_000),
        "actor": actor,
        "act": act,
        "data": data,
        "prev": prev,
        "algorithm": algorithm,
    }
    return sm3(canonical(content))


class Entry(models.Model):
    """One act. Entries of a stream are numbered from 1 and each holds the hash of the one before.

    ``data`` holds digests, codes and ids; never a name, a phone or an identity number.
    The database refuses update and delete (see ``ledger.guards``).
    """

    stream = models.CharField("流", max_length=60)
    seq = models.PositiveIntegerField("序号")
    at = models.DateTimeField("时间")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    act = models.CharField("行为", max_length=60)
    data = models.JSONField("内容", default=dict)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=16, default=ALGORITHM)

    class Meta:
        verbose_name = verbose_name_plural = "留痕"
        constraints: ClassVar = [
            # Also the timeline of a case or a task, and the look-up of a stream's head.
            models.UniqueConstraint(fields=("stream", "seq"), name="ledger_stream_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.stream}#{self.seq} {self.act}"

    @property
    def label(self) -> str:
        """The act's name in Chinese."""
        return acts.label(self.act)

    def computed_hash(self) -> str:
        """The hash that this entry must have."""
        return hash_of(
            self.stream, self.seq, self.at, self.actor_id, self.act, self.data, self.prev_hash, self.algorithm
        )


class Anchor(models.Model):
    """One figure a day over the heads of all streams: published, it fixes everything written before."""

    day = models.DateField("日期", unique=True)
    at = models.DateTimeField("时间")
    last_entry = models.BigIntegerField("截至留痕编号")
    streams = models.PositiveIntegerField("流数")
    figure = models.CharField("锚值", max_length=64)
    algorithm = models.CharField(max_length=16, default=ALGORITHM)

    class Meta:
        verbose_name = verbose_name_plural = "锚定"
        ordering = ("-day",)

    def __str__(self) -> str:
        return f"{self.day} {self.figure}"


class DrawPeriod(models.Model):
    """A calendar month of draws. Its secrets' SM3 digests are published beforehand, the seed after its end.

    A month has a second part only where it was revealed before its last draw. ``blind`` salts the digests of the people
    in a pool and is never published. What was committed cannot be changed (see ``ledger.guards``).
    """

    month = models.CharField("月份", max_length=7, help_text="2026-09")
    part = models.PositiveSmallIntegerField("部分", default=1)
    seed = EncryptedTextField("种子")
    blind = EncryptedTextField("掩码")
    commitment = models.CharField("种子承诺值", max_length=64)
    blind_commitment = models.CharField("掩码承诺值", max_length=64)
    algorithm = models.CharField(max_length=16, default=ALGORITHM)
    opened_at = models.DateTimeField("承诺公布时间")
    is_late = models.BooleanField("月份开始后公布", default=False)
    is_for_draw = models.BooleanField("与首次抽取同时公布", default=False)
    drawn = models.PositiveIntegerField("抽取次数", default=0)
    revealed_seed = models.CharField("公开的种子", max_length=64, blank=True, default="")
    revealed_at = models.DateTimeField("公开时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "抽取期"
        ordering = ("-month", "-part")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("month", "part"), name="draw_period_once"),
            models.CheckConstraint(
                condition=Q(revealed_seed="", revealed_at__isnull=True)
                | (~Q(revealed_seed="") & Q(revealed_at__isnull=False)),
                name="draw_period_revealed_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """``2026-09``, or ``2026-09-2`` for a further part."""
        return self.month if self.part == 1 else f"{self.month}-{self.part}"

    @property
    def stream(self) -> str:
        """The period's stream of the ledger."""
        return f"draws:{self.name}"

    @property
    def is_revealed(self) -> bool:
        """Whether everybody knows the seed: no draw comes from it any more."""
        return bool(self.revealed_seed)


class Draw(models.Model):
    """One draw: who could be drawn with what load, and who was. The database refuses update and delete.

    ``pool`` is ``[[id, load], …]`` in the order of ids, as it was at that moment; ``people`` and ``pool_hash`` are
    digests of it, ``position`` (from 0) and ``result`` what the seed gave (see ``ledger.draws``).
    """

    period = models.ForeignKey(DrawPeriod, models.PROTECT, related_name="draws")
    number = models.PositiveIntegerField("序号")
    purpose = models.CharField("用途", max_length=40)
    stream = models.CharField("流", max_length=60, help_text="记载这次抽取的留痕流")
    pool = models.JSONField("名单")
    people = models.CharField("名单人员摘要", max_length=64)
    pool_hash = models.CharField("名单摘要", max_length=64)
    algorithm = models.CharField("算法", max_length=20)
    position = models.PositiveIntegerField("抽中位置")
    result = models.BigIntegerField("抽中")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "抽取"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("period", "number"), name="draw_number_once"),
        ]
        indexes: ClassVar = [
            # When was this drawn to whom: the draws of one case.
            models.Index(fields=("stream", "id"), name="draw_of_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.period_id}#{self.number}"

    @property
    def loads(self) -> list[int]:
        """The loads of the pool, by position."""
        return [load for _, load in self.pool]
