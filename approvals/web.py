"""How pages answer an action that was refused (``offices.refusing``, under the name that this room has always used)."""

from offices.refusing import TYPED, UNSAID, Typed, conflict, put_on_form, typed

__all__ = ["TYPED", "UNSAID", "Typed", "conflict", "put_on_form", "typed"]
