"""Polygons as short text: thousands of cells in a page of a few megabytes.

Coordinates become whole steps of 0.00001° (about a metre), each vertex is written as the difference from the one
before it, and each difference in base 32 with a continuation bit, in letters that need no escaping anywhere. The
reader is ``unpacked`` in density.js.
"""

from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

STEPS_PER_DEGREE: Final = 100_000
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MORE: Final = 32


def packed(geometries: list[BaseGeometry]) -> str:
    """Write polygons and multipolygons (OGC:CRS84): areas apart by ``|``, rings by ``,``.

    Every ring is filled even-odd, so a hole is just one more ring. The closing vertex is left out. Each ring starts
    from where the ring before it started. Rings that shrink to nothing at a metre are left out too.
    """
    origin = (0, 0)
    areas: list[str] = []
    for geometry in geometries:
        rings: list[str] = []
        for ring in _rings(geometry):
            if len(ring) < 3:  # noqa: PLR2004 - a ring needs three corners
                continue
            rings.append(_written(ring, origin))
            origin = ring[0]
        areas.append(",".join(rings))
    return "|".join(areas)


def _rings(geometry: BaseGeometry) -> list[list[tuple[int, int]]]:
    """Rings of a polygon or multipolygon in whole steps, open, without repeated corners."""
    rings: list[list[tuple[int, int]]] = []
    for part in shapely.get_parts(geometry):
        for ring in shapely.get_rings(part):
            steps = np.rint(shapely.get_coordinates(ring)[:-1] * STEPS_PER_DEGREE).astype(np.int64)
            corners = [(int(lon), int(lat)) for lon, lat in steps]
            rings.append([corner for place, corner in enumerate(corners) if corner != corners[place - 1]])
    return rings


def _written(ring: list[tuple[int, int]], origin: tuple[int, int]) -> str:
    """One ring as differences, the first from ``origin``."""
    before = origin
    letters: list[str] = []
    for corner in ring:
        letters.append(_number(corner[0] - before[0]))
        letters.append(_number(corner[1] - before[1]))
        before = corner
    return "".join(letters)


def _number(difference: int) -> str:
    """One whole number: the sign in the lowest bit, five bits a letter, lowest first."""
    rest = difference << 1 if difference >= 0 else (-difference << 1) - 1
    letters = ""
    while rest >= _MORE:
        letters += _LETTERS[(rest % _MORE) + _MORE]
        rest //= _MORE
    return letters + _LETTERS[rest]
