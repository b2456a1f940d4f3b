"""Building numbers: issue, check, show.

A number has twelve digits ``C NNNNNNNNN KK`` and is shown ``CNNN NNNN NNKK``. ``C`` is the kind at
issue, ``N`` a fixed permutation of one global serial, ``KK`` the check digits of ISO 7064 MOD 97-10:
every single wrong digit and every swap of two digits is found. No division is inside, because
divisions are renamed, merged and their codes reused while a building stands where it stood.

The permutation is a four-round Feistel network over 30 bits with cycle walking (Black & Rogaway,
"Ciphers with arbitrary finite domains", CT-RSA 2002). It hides the order of issue and protects
nothing. Its constants are published here and must never change: a restored register goes on
counting where the old one stopped.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gis.terms import BuildingKind

TEST: Final = "test"
"""The kind of numbers for the test division, samples and trials."""
KIND_DIGITS: Final[dict[str, int]] = {
    BuildingKind.RESIDENTIAL: 1,
    BuildingKind.WORK_SHED: 2,
    BuildingKind.OTHER_HABITABLE: 3,
    TEST: 9,
}
SERIALS: Final = 10**9
"""How many serials there are; a serial is 0 <= serial < SERIALS."""

_HALF_BITS: Final = 15
_HALF: Final = (1 << _HALF_BITS) - 1
_ROUNDS: Final = ((28_703, 10_501), (19_421, 27_197), (31_991, 5_639), (23_099, 16_411))
_SHAPE: Final = re.compile(r"[0-9]{12}|[0-9]{4} [0-9]{4} [0-9]{4}")
_MODULUS: Final = 97
_FIRST_CHECK: Final = 2
_LAST_CHECK: Final = 98


def issue(serial: int, kind: str) -> str:
    """Return the number that belongs to a serial, as twelve digits.

    ``kind`` is a building kind or ``"test"``. Raises ValueError for a serial outside
    0 … 999,999,999 or an unknown kind.
    """
    return str(int(issue_many(np.array([serial], dtype=np.int64), [kind])[0]))


def issue_many(serials: npt.NDArray[np.int64], kinds: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the numbers, shape (n,), of serials (n,) and their kinds (n,); raises as ``issue``."""
    if serials.size and (serials.min() < 0 or serials.max() >= SERIALS):
        message = f"a serial is at least 0 and below {SERIALS}"
        raise ValueError(message)
    unknown = set(kinds) - KIND_DIGITS.keys()
    if unknown:
        message = f"unknown kind of building: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    digits = np.array([KIND_DIGITS[kind] for kind in kinds], dtype=np.int64)
    body = digits * SERIALS + _permute(serials)
    return body * 100 + (_MODULUS + 1 - body * 100 % _MODULUS)


def is_valid(number: str) -> bool:
    """Tell whether the text is a number that could have been issued, plain or in its 4-4-4 groups."""
    if not _SHAPE.fullmatch(number):
        return False
    value = int(number.replace(" ", ""))
    # 00, 01 and 99 satisfy the congruence too, but ISO 7064 never produces them
    canonical = _FIRST_CHECK <= value % 100 <= _LAST_CHECK
    return canonical and value % _MODULUS == 1 and value // 10**11 in KIND_DIGITS.values()


def show(number: str) -> str:
    """Return a valid number in its groups, ``CNNN NNNN NNKK``; raises ValueError for anything else."""
    if not is_valid(number):
        message = f"not a building number: {number!r}"
        raise ValueError(message)
    plain = number.replace(" ", "")
    return f"{plain[:4]} {plain[4:8]} {plain[8:]}"


def _permute(serials: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the permutation's image of each serial, shape (n,)."""
    images = _feistel(serials)
    outside = np.flatnonzero(images >= SERIALS)
    while outside.size:  # cycle walking: 2**30 exceeds the domain by 7 %
        images[outside] = _feistel(images[outside])
        outside = outside[images[outside] >= SERIALS]
    return images


def _feistel(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a bijection of 0 … 2**30 - 1."""
    left, right = values >> _HALF_BITS, values & _HALF
    for factor, offset in _ROUNDS:
        mixed = (right * right * factor + right * offset + factor) >> 9
        left, right = right, left ^ (mixed & _HALF)
    return (left << _HALF_BITS) | right
