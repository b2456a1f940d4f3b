"""The township and village a standard address names: boundaries end at the county, addresses go on.

Nothing is guessed. The address must begin with the county in which the structure was found, the
township's name must follow it and the village's name the township's, letter for letter; where two
names fit, the longer one is meant (北塔村 before 北塔), and where two divisions share it, neither is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from gis import addresses
from gis.terms import DivisionLevel

_COMMITTEE = ("社区居民委员会", "居民委员会", "村民委员会", "社区居委会", "村委会", "居委会")
"""Statistical names end in the committee's name (亲水阳光社区居委会); addresses in the place's (亲水阳光社区)."""
_KEPT = {"社区居民委员会": "社区", "社区居委会": "社区", "村民委员会": "村", "村委会": "村"}

Codes = npt.NDArray[np.int64]


@dataclass
class _Names:
    """The names under one division, and how long they are, longest first."""

    codes: dict[str, int] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)

    def add(self, name: str, code: int) -> None:
        """Add a name; one that two divisions share means neither, and is 0."""
        self.codes[name] = 0 if name in self.codes else code

    def leading(self, words: str) -> tuple[int, str]:
        """Return the division whose name begins the words, 0 for none, and the words after it."""
        for length in self.lengths:
            code = self.codes.get(words[:length], 0)
            if code:
                return code, words[length:]
        return 0, words


def narrow(
    connection: Connection, codes: Codes, positions: npt.NDArray[np.intp], normalised: Sequence[str | None]
) -> None:
    """Put the county codes (n,) at some positions down to the township or village their addresses name.

    ``normalised`` goes with ``positions``: addresses as ``gis.addresses.normalise`` writes them.
    """
    if not any(normalised):
        return
    prefixes, under = _gazetteer(connection, np.unique(codes[positions] // 1_000_000))
    for position, address in zip(positions.tolist(), normalised, strict=True):
        county = int(codes[position])
        if not address or county % 1_000_000 or county not in under:
            continue
        rest = next((address[len(prefix) :] for prefix in prefixes[county] if address.startswith(prefix)), None)
        if rest is None:
            continue
        township, rest = under[county].leading(rest)
        if township:
            village, _ = under[township].leading(rest) if township in under else (0, rest)
            codes[position] = village or township


def _gazetteer(connection: Connection, counties: Codes) -> tuple[dict[int, tuple[str, ...]], dict[int, _Names]]:
    """Return how addresses begin in each of some counties (six digits), and the names under county and township."""
    rows = connection.execute(
        text(
            "SELECT code, name, level, parent_code FROM reg.divisions WHERE code < 999999000000"
            " AND (level IN ('province', 'prefecture') OR code / 1000000 = ANY (:counties))"
        ),
        {"counties": counties.tolist()},
    ).all()
    names = {row.code: addresses.normalise(row.name) for row in rows}
    prefixes: dict[int, tuple[str, ...]] = {}
    under: dict[int, _Names] = defaultdict(_Names)
    for row in rows:
        if row.level == DivisionLevel.COUNTY:
            prefixes[row.code] = (names[row.parent_code] + names[row.code], names[row.code])
        elif row.level in {DivisionLevel.TOWNSHIP, DivisionLevel.VILLAGE}:
            under[row.parent_code].add(_place(names[row.code]), row.code)
    for known in under.values():
        known.lengths = sorted({len(name) for name in known.codes}, reverse=True)
    return prefixes, dict(under)


def _place(name: str) -> str:
    """Return the place of which a statistical name names the committee."""
    for ending in _COMMITTEE:
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending) + _KEPT.get(ending, "")
    return name
