"""Somebody who knows every perturbed piece, every exact sum and the whole method, against one count.

Whatever is released follows from those (sql/70_release.sql), so nobody can work out more from it: not from two areas,
two categories, squares against hexagons, or everything at once.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from gis.planning import disclosure
from tests.planning.lands import ALL, CATEGORIES, Known, Land, Piece, Place, covered

MOST_NOISE = 4


def may_hold(z: int) -> tuple[int, int]:
    """Return the fewest and the most residents of a piece that the perturbation table can turn into z."""
    return (0 if z == 0 else max(1, z - MOST_NOISE)), z + MOST_NOISE


class Attack:
    """The whole numbers of residents that fit with everything: one unknown for each piece."""

    def __init__(self, land: Land, known: Known) -> None:
        """Set up what is known."""
        self._pieces: dict[Piece, int] = {}
        for place in land:
            for category in CATEGORIES:
                self._pieces[place, category] = len(self._pieces)
        limits = [may_hold(known.pieces.get(piece, 0)) for piece in self._pieces]
        self._bounds = Bounds(*np.array(limits, dtype=float).T)
        rows: list[npt.NDArray[np.float64]] = []
        low: list[float] = []
        high: list[float] = []
        for pieces, total in known.exact:
            rows.append(self._sum_of(pieces))
            low.append(total)
            high.append(total)
        for area in self._spoken_of(land, known):
            rows.append(self._sum_of(area))
            low.append(disclosure.WITHHELD_BELOW)
            high.append(np.inf)
        self._constraints = [LinearConstraint(np.array(rows), low, high)] if rows else []

    def range_of(self, places: Iterable[Place], category: str) -> tuple[int, int]:
        """Return the least and the most that may live there."""
        of = CATEGORIES if category == ALL else [category]
        return self.range_over((place, each) for place in places for each in of)

    def range_over(self, pieces: Iterable[Piece]) -> tuple[int, int]:
        """Return the least and the most that may live in any pieces."""
        wanted = self._sum_of(pieces)
        least, most = (self._least(sign * wanted) for sign in (1, -1))
        return least, -most

    def _spoken_of(self, land: Land, known: Known) -> list[list[Piece]]:
        """Return the areas of which at least ten are spoken: there live at least ten, as the gate promises."""
        found = []
        for places in covered(land).values():
            for of in (CATEGORIES, *([each] for each in CATEGORIES)):
                pieces = [(place, each) for place in places for each in of]
                if sum(known.pieces.get(piece, 0) for piece in pieces) >= disclosure.WITHHELD_BELOW:
                    found.append(pieces)
        return found

    def _sum_of(self, pieces: Iterable[Piece]) -> npt.NDArray[np.float64]:
        wanted = np.zeros(len(self._pieces))
        wanted[[self._pieces[piece] for piece in pieces]] = 1
        return wanted

    def _least(self, wanted: npt.NDArray[np.float64]) -> int:
        answer = milp(wanted, integrality=np.ones_like(wanted), bounds=self._bounds, constraints=self._constraints)
        assert answer.success, answer.message
        return round(float(answer.fun))
