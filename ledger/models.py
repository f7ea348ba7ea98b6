"""Entries and daily anchors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from ledger import acts
from ledger.hashing import ALGORITHM, canonical, sm3


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
