"""Encryption at rest, keyed hashes for searching, and the masks that people see.

Source: PIPL; `domain.md` (Publication and privacy).
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

COMPOUND_SURNAMES = ("欧阳", "司马", "上官", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容", "夏侯")


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in keys])


def encrypt(text: str) -> str:
    """Return ``text`` as a Fernet token under the first key of ``FIELD_KEYS``."""
    return _fernet(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the clear text of ``token``; any key of ``FIELD_KEYS`` may have written it.

    Raises ``cryptography.fernet.InvalidToken`` when none did.
    """
    return _fernet(tuple(settings.FIELD_KEYS)).decrypt(token.encode()).decode()


def keyed_hash(text: str) -> str:
    """Return the hex HMAC-SHA-256 of ``text``: equality can be searched, the text cannot be read back."""
    return hmac.new(settings.HASH_KEY.encode(), text.strip().upper().encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token that was read and that nobody has looked at: opening it costs more than the rest of the row."""

    token: str


class _Opening(DeferredAttribute):
    """Opens what was read at the first look: a list of people does not decrypt numbers that it does not show."""

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        found = super().__get__(instance, cls)
        if instance is not None and isinstance(found, Sealed):
            found = instance.__dict__[self.field.attname] = decrypt(found.token)
        return found

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Set the clear text; that there is a setter lets every look come by ``__get__``."""
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted in the database and clear in Python; an empty text stays empty.

    To be read from an instance: ``values()`` gives what is ``Sealed``.
    """

    descriptor_class = _Opening

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way to the database."""
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Sealed | str | None:
        """What came from the database, to be decrypted at the first look."""
        return Sealed(value) if value else value


def mask_name(name: str) -> str:
    """Mask a person's name: 张三 → 张*, 欧阳娜娜 → 欧阳**."""
    head = 2 if len(name) > 2 and name.startswith(COMPOUND_SURNAMES) else 1
    return name[:head] + "*" * max(1, len(name) - head) if name else ""


def mask_phone(phone: str) -> str:
    """Mask a phone number: 13812341234 → 138****1234."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "*" * len(phone)


def mask_id(number: str) -> str:
    """Mask an identity card: first 6 and last 4 stay."""
    return f"{number[:6]}********{number[-4:]}" if len(number) >= 12 else "*" * len(number)
