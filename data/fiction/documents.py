"""Identity documents that nobody can hold (rights.md, 10): births of 1880-1899, and X00 numbers."""

from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.fiction.shapes import Ints

FIRST_BIRTH: Final = date(1880, 1, 1)
LAST_BIRTH: Final = date(1899, 12, 31)
_DAYS: Final = (LAST_BIRTH - FIRST_BIRTH).days + 1
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = pa.array(list("10X98765432"))
_OWN: Final = 500
"""Sequence numbers from here belong to those who live in the county of the prefix; lower ones to everybody else."""
_STRIDE: Final = 1_000_003
"""A prime: stepping by it visits every pair of day and sequence number once, far apart."""
_ISO: Final = pa.array([(FIRST_BIRTH + timedelta(days=day)).isoformat() for day in range(_DAYS)])
_COMPACT: Final = np.array(
    [int((FIRST_BIRTH + timedelta(days=day)).strftime("%Y%m%d")) for day in range(_DAYS)], dtype=np.int64
)


def births(days: Ints) -> pa.Array:
    """Return dates YYYY-MM-DD of days counted from FIRST_BIRTH."""
    return _ISO.take(pa.array(days))


def days_and_sequences(prefix: Ints, already: dict[int, int], own: int, slot: int, slots: int) -> tuple[Ints, Ints]:
    """Return day of birth and sequence number of identity numbers that nobody else in the fiction has.

    ``prefix`` (n,) are county codes; ``already`` counts what was given out of each and is brought up to date; ``own``
    is the county of residence, ``slot`` its place among ``slots`` counties, each of which has sequence numbers of its
    own under every foreign prefix. Raises ValueError when a prefix is used up.
    """
    days, sequences = np.empty(len(prefix), dtype=np.int64), np.empty(len(prefix), dtype=np.int64)
    for code in np.unique(prefix):
        which = np.flatnonzero(prefix == code)
        first, last = (_OWN, 1000) if code == own else _share(slot, slots)
        room = (last - first) * _DAYS
        begin = already.get(int(code), 0)
        if begin + len(which) > room:
            message = f"no identity numbers left under {code}"
            raise ValueError(message)
        place = (np.arange(begin, begin + len(which)) * _STRIDE + int(code)) % room
        days[which], sequences[which] = place // (last - first), first + place % (last - first)
        already[int(code)] = begin + len(which)
    return days, sequences


def identity_numbers(prefix: Ints, days: Ints, sequences: Ints) -> pa.Array:
    """Return identity numbers of 18 characters (GB 11643) with the right check character."""
    body = prefix * 10**11 + _COMPACT[days] * 1000 + sequences
    total = np.zeros_like(body)
    rest = body.copy()
    for weight in reversed(_WEIGHTS):
        rest, digit = np.divmod(rest, 10)
        total += digit * weight
    return pc.binary_join_element_wise(pa.array(body).cast(pa.string()), _CHECKS.take(pa.array(total % 11)), "")


def other_numbers(slot: int, first: int, count: int) -> list[str]:
    """Return numbers for passports and permits in a form that no state issues."""
    return [f"X00{slot:02d}{number:06d}" for number in range(first, first + count)]


def _share(slot: int, slots: int) -> tuple[int, int]:
    """Return the sequence numbers (first, end) of one county of residence under foreign prefixes."""
    each = (_OWN - 2) // slots & ~1
    return 2 + slot * each, 2 + (slot + 1) * each
