"""What a task is called where only its stream is known."""

from __future__ import annotations

from collections.abc import Collection

from deadlines.owners import Owner
from supervision.models import SupervisionTask


def names_of(keys: Collection[int]) -> dict[int, Owner]:
    """Return office, sub-item and number of each task; one statement."""
    rows = SupervisionTask.objects.filter(pk__in=keys).values_list("pk", "office__name", "sub_item__name", "number")
    return {pk: Owner(f"{office}：{sub_item}", f"任务 {number}") for pk, office, sub_item, number in rows}
