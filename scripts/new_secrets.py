"""Print new secrets for a production installation as lines of an ``.env`` file: ``python -m scripts.new_secrets``."""

import base64
import secrets

from scripts.runtime import finish


def new_secrets() -> dict[str, str]:
    """Return fresh random values for every secret that the settings ask for in production."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "HASH_KEY": secrets.token_urlsafe(32),
        "HOOK_TOKEN": secrets.token_urlsafe(32),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "REDIS_PASSWORD": secrets.token_urlsafe(24),
    }


def main() -> int:
    """Print ``NAME=value`` lines."""
    for name, value in new_secrets().items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    finish(main)
