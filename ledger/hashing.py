"""SM3 (GB/T 32905) over canonical JSON."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes

ALGORITHM = "SM3"
GENESIS = "0" * 64
_KNOWN = ("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
_written = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_IN_HASHLIB = "sm3" in hashlib.algorithms_available


def sm3(data: bytes) -> str:
    """Return the SM3 digest of ``data`` in hex; where hashlib lacks it (FIPS), ``cryptography`` answers."""
    if _IN_HASHLIB:
        return hashlib.new("sm3", data).hexdigest()
    digest = hashes.Hash(hashes.SM3())  # pragma: no cover - only on FIPS builds
    digest.update(data)  # pragma: no cover
    return digest.finalize().hex()  # pragma: no cover


def sm3_stream(chunks: Iterable[bytes]) -> str:
    """Return the SM3 digest in hex of what ``chunks`` yields; memory stays at one chunk."""
    if _IN_HASHLIB:
        digest = hashlib.new("sm3")
        for chunk in chunks:
            digest.update(chunk)
        return digest.hexdigest()
    other = hashes.Hash(hashes.SM3())  # pragma: no cover - only on FIPS builds
    for chunk in chunks:  # pragma: no cover
        other.update(chunk)
    return other.finalize().hex()  # pragma: no cover


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return ``value`` as JSON bytes that are the same wherever they are made: sorted keys, no spaces, UTF-8."""
    return _written(value).encode()


def self_test() -> None:
    """Refuse to start with a hash that gives a wrong answer (GB/T 32905, example 1)."""
    text, expected = _KNOWN
    if sm3(text.encode()) != expected:
        raise RuntimeError("SM3 gives a wrong answer on this machine")
