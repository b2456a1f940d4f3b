"""Receipts: the code a resident takes home, by which they find their own record again (rights.md, 7).

Twelve characters of Crockford's base 32 (no I, L, O, U), 60 random bits, written in fours. The register keeps a keyed
hash of it; with the exact document it opens the resident's own desk, and nothing else.
"""

import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
GROUP: Final = 4
_READ_AS: Final = str.maketrans("ILO", "110", " -")
"""What people write for a character that is not in the alphabet."""


def new_code() -> str:
    """Return a new code, plain."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def show(code: str) -> str:
    """Return a code as a receipt prints it, ``7K2M-9QXT-04RD``."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def read(written: str) -> str | None:
    """Return the code somebody typed, plain; None for what cannot be one."""
    code = written.upper().translate(_READ_AS)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
