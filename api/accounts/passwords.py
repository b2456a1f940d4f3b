"""Passwords: argon2id, twelve characters or more, and none that a guesser would try early."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from gis.errors import BadArgument

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
LEAST_SCORE = 3
"""zxcvbn's scale of 0 to 4: 3 is 10^8 guesses and more, for somebody who knows the common ones and the name."""
_LOOKED_AT = 72
"""Characters that zxcvbn reads; its work grows faster than their number."""


def hashed(password: str, name: str) -> str:
    """Return what is kept of a new password; raises BadArgument where it is no good."""
    return hasher().hash(_checked(password, name))


def fits(kept: str | None, password: str) -> bool:
    """Tell whether a password belongs to a hash; without one the work is the same, and the answer no."""
    try:
        right = len(password) <= LONGEST_PASSWORD and hasher().verify(kept or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return right and bool(kept)


def writable(typed: str) -> bool:
    """Tell whether a text can be written down at all: JSON lets half a character through, forms a NUL."""
    try:
        return b"\0" not in typed.encode()
    except UnicodeEncodeError:
        return False


@cache
def hasher() -> PasswordHasher:
    """Return argon2id with RFC 9106's parameters for little memory, which are argon2-cffi's own."""
    return PasswordHasher()


def _checked(password: str, name: str) -> str:
    """Return a password that is long enough to keep, short enough to hash, and not the first guess.

    No class of characters is asked for (ASVS 6.2.5): length and rarity are what counts.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not writable(password):
        raise BadArgument(why=f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if zxcvbn(password[:_LOOKED_AT], user_inputs=[name, "menpai", "门牌"])["score"] < LEAST_SCORE:
        raise BadArgument(why="this password is among the first that are guessed; take another")
    return password


@cache
def _nobodys_hash() -> str:
    """Return a hash that no password fits, to spend the same time on a name nobody has."""
    return hasher().hash(secrets.token_urlsafe(32))
