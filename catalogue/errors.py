"""Refusals of the catalogue, in words for the person who asked."""

from collections.abc import Mapping, Sequence


class CatalogueError(Exception):
    """An act on the catalogue that cannot be done; ``str()`` is a Chinese sentence."""


class ItemMoveNotAllowed(CatalogueError):  # noqa: N818 - says what happened
    """The business item's state does not allow this move."""


class NotPublishable(CatalogueError):  # noqa: N818 - says what happened
    """The business item lacks something; ``reasons`` lists everything at once."""

    def __init__(self, name: str, reasons: Sequence[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(f"“{name}”不能发布：{'；'.join(reasons)}。")


class LinkageRefused(CatalogueError):  # noqa: N818 - reads as what happened
    """A linkage cannot be made or ended; ``field`` names the input at fault, ``conflict``: somebody was faster."""

    def __init__(self, message: str, *, field: str | None = None, conflict: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.conflict = conflict


class PromiseRefused(CatalogueError):  # noqa: N818 - reads as what happened
    """A promised period that cannot stand; ``faults`` says why, field by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__("".join(self.faults.values()))


class DataError(CatalogueError):
    """Data files that cannot be loaded; ``problems`` lists everything found, each with its file and key."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))
