"""What a row must be before it can be numbered: its kind, its shape, its attributes.

Every check looks at whole columns and leaves the first reason found against a row. Nothing is
repaired: a shape that is wrong goes back to whoever drew it.
"""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from gis.terms import BuildingKind, Reason

KINDS: dict[str, BuildingKind] = {
    **{kind.value: kind for kind in BuildingKind},
    **{kind.zh: kind for kind in BuildingKind},
    "住宅": BuildingKind.RESIDENTIAL,
    "工棚": BuildingKind.WORK_SHED,
    **dict.fromkeys(
        (
            "house",
            "apartments",
            "detached",
            "semidetached_house",
            "terrace",
            "dormitory",
            "bungalow",
            "farm",
        ),
        BuildingKind.RESIDENTIAL,
    ),
    **dict.fromkeys(("hut", "cabin", "static_caravan"), BuildingKind.OTHER_HABITABLE),
}
"""Values of ``kind``: ours in English and Chinese, and those of OSM's building= (contract.md)."""
UNSPECIFIED = "yes"
"""OSM's word for a building of no stated use: taken for residential and marked ``kind_assumed``."""
LIMITS = {"entrances": 99, "floors": 200, "rooms_per_floor": 999}
MOST_DWELLINGS = 20_000
LON_DEG, LAT_DEG = 180.0, 90.0
_SHAPES = (shapely.GeometryType.POINT, shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_FEWEST_PLACES = 4
_AROUND = 6.0
"""How many times the median distance from the middle of a file still counts as where the file lies."""
_LEAST_AROUND_DEG = 0.5
"""A town near the equator or Greenwich lies on both sides of it: nobody is called mirrored for so little."""
LONGEST = 200
"""Characters of a text that names something; an index takes no more than a few thousand octets."""
NAMES = ("source_id", "standard_address", "premises")
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].*)?")
_TOLD = 40
"""Characters of an unreadable value that a detail repeats."""

UNREADABLE = Reason.UNREADABLE_ATTRIBUTE
Mask = npt.NDArray[np.bool_]


@dataclass
class Verdicts:
    """The first reason found against each row, and what to say about it."""

    reasons: npt.NDArray[np.object_]
    """Shape (n,): a Reason as text, or None while nothing stands against the row."""
    details: dict[int, str] = field(default_factory=dict)
    """By position."""

    @classmethod
    def none(cls, count: int) -> "Verdicts":
        """Return verdicts that hold nothing against anybody."""
        return cls(np.full(count, None, dtype=object))

    @property
    def good(self) -> Mask:
        """Shape (n,): nothing stands against the row so far."""
        return np.asarray(self.reasons == None, dtype=bool)  # noqa: E711 - element by element

    def against(self, mask: Mask, reason: Reason) -> npt.NDArray[np.intp]:
        """Hold a reason against the rows of a mask (n,) that are still good; return their positions."""
        struck = np.flatnonzero(mask & self.good)
        self.reasons[struck] = reason
        return struck


@dataclass(frozen=True)
class Attributes:
    """The attributes of the rows as the register keeps them; shape (n,) each."""

    kinds: npt.NDArray[np.object_]
    kind_assumed: Mask
    entrances: npt.NDArray[np.float64]
    """NaN where unknown; so with floors and rooms_per_floor."""
    floors: npt.NDArray[np.float64]
    rooms_per_floor: npt.NDArray[np.float64]
    expires_on: npt.NDArray[np.datetime64]
    """Days; NaT where none."""


def check_kinds(kinds: pa.ChunkedArray, default: BuildingKind | None, verdicts: Verdicts) -> tuple[Any, Mask]:
    """Return the kind of each row (n,) and where it was assumed; holds NOT_RESIDENTIAL against the others."""
    encoded = kinds.combine_chunks().dictionary_encode()
    words = ["" if word is None else word.strip().lower() for word in encoded.dictionary.to_pylist()]
    assumed_kind = default or BuildingKind.RESIDENTIAL
    meanings = [assumed_kind if word in {"", UNSPECIFIED} else KINDS.get(word) for word in words]
    guesses = [word in {"", UNSPECIFIED} and default is None for word in words]
    # one more place at the end for rows that say nothing
    places = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    found = np.array([*meanings, assumed_kind], dtype=object)[places]
    assumed = np.array([*guesses, default is None], dtype=bool)[places]
    for position in verdicts.against(np.asarray(found == None, dtype=bool), Reason.NOT_RESIDENTIAL):  # noqa: E711
        verdicts.details[int(position)] = f"kind={words[places[position]][:_TOLD]}"
    return found, assumed


def check_names(rows: pa.Table, verdicts: Verdicts) -> None:
    """Hold against the rows texts that the register cannot keep: too long to be a name, or with NUL characters."""
    for name in NAMES:
        column = rows[name]
        if column.null_count == len(column):
            continue
        for position in verdicts.against(_mask(pc.greater(_filled(pc.utf8_length(column)), LONGEST)), UNREADABLE):
            verdicts.details[int(position)] = f"{name} has more than {LONGEST} characters"
        for position in verdicts.against(_mask(pc.match_substring(_filled(column), "\x00")), UNREADABLE):
            verdicts.details[int(position)] = f"{name} contains a NUL character"


def check_shapes(shapes: npt.NDArray[np.object_], missing: Mask, verdicts: Verdicts) -> None:
    """Hold against the rows whatever is wrong with their geometry as such; ``shapes`` (n,) in degrees."""
    verdicts.against(missing, Reason.MISSING_GEOMETRY)
    for position in verdicts.against(np.asarray(shapely.is_missing(shapes)), Reason.INVALID_GEOMETRY):
        verdicts.details[int(position)] = "no shape can be made of it"
    verdicts.against(np.asarray(shapely.is_empty(shapes)), Reason.EMPTY_GEOMETRY)
    types = shapely.get_type_id(shapes)
    for position in verdicts.against(~np.isin(types, _SHAPES), Reason.UNSUPPORTED_GEOMETRY):
        verdicts.details[int(position)] = str(shapely.GeometryType(types[position]).name).lower()
    bounds = shapely.bounds(shapes)
    verdicts.against(np.asarray(~np.isfinite(bounds).all(axis=1)), Reason.BAD_COORDINATES)


def can_be_kept(shapes: npt.NDArray[np.object_]) -> Mask:
    """Tell which shapes (n,) PostGIS takes: finite points and polygons whose rings have four places or more."""
    kept = np.isin(shapely.get_type_id(shapes), _SHAPES) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    positions = np.flatnonzero(kept)
    rings, owners = shapely.get_rings(shapes[positions], return_index=True)
    kept[positions[owners[shapely.get_num_coordinates(rings) < _FEWEST_PLACES]]] = False
    places, owners = shapely.get_coordinates(shapes[positions], return_index=True)
    kept[positions[owners[~np.isfinite(places).all(axis=1)]]] = False
    return np.asarray(kept)


def check_places(
    bounds: npt.NDArray[np.float64], home: tuple[float, float, float, float] | None, verdicts: Verdicts
) -> None:
    """Hold swapped, mirrored and impossible coordinates against the rows; ``bounds`` is (n, 4) in degrees.

    ``home`` is where the register lies (west, south, east, north). Without one it is where most of the
    file lies, so that trials with another city's file find the row whose coordinates are the wrong way round.
    """
    x, y = bounds[:, 0] / 2 + bounds[:, 2] / 2, bounds[:, 1] / 2 + bounds[:, 3] / 2
    west, south, east, north = home or _bulk(x[verdicts.good], y[verdicts.good])

    def at_home(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> Mask:
        around = np.where(np.isfinite(lon), lon - west, np.nan) % 360  # a home may lie on both sides of 180 degrees
        return np.asarray((around <= east - west) & (lat >= south) & (lat <= north), dtype=bool)

    away = ~at_home(x, y)
    verdicts.against(away & at_home(y, x), Reason.SWAPPED_COORDINATES)
    verdicts.against(away & (at_home(-x, y) | at_home(x, -y) | at_home(-x, -y)), Reason.WRONG_HEMISPHERE)
    possible = (bounds[:, 0] >= -LON_DEG) & (bounds[:, 2] <= LON_DEG) & (bounds[:, 1] >= -LAT_DEG)
    verdicts.against(~(possible & (bounds[:, 3] <= LAT_DEG)), Reason.BAD_COORDINATES)


def check_validity(shapes: npt.NDArray[np.object_], verdicts: Verdicts) -> None:
    """Hold INVALID_GEOMETRY against shapes that break the rules of OGC Simple Features."""
    good = np.flatnonzero(verdicts.good)
    broken = np.zeros(len(shapes), dtype=bool)
    broken[good] = ~shapely.is_valid(shapes[good])
    for position in verdicts.against(broken, Reason.INVALID_GEOMETRY):
        verdicts.details[int(position)] = str(shapely.is_valid_reason(shapes[position]))


def read_attributes(rows: pa.Table, default_kind: BuildingKind | None, verdicts: Verdicts) -> Attributes:
    """Return the attributes; holds against the rows what cannot be read, and what a work shed lacks."""
    kinds, assumed = check_kinds(rows["kind"], default_kind, verdicts)
    check_names(rows, verdicts)
    numbers = {name: _whole_numbers(rows, name, verdicts) for name in LIMITS}
    dwellings = np.prod([np.nan_to_num(column, nan=1.0) for column in numbers.values()], axis=0)
    for position in verdicts.against(dwellings > MOST_DWELLINGS, UNREADABLE):
        verdicts.details[int(position)] = f"{int(dwellings[position])} dwellings in one building"
    expires_on = _dates(rows, verdicts)
    sheds = kinds == BuildingKind.WORK_SHED
    nameless = pc.equal(pc.fill_null(pc.utf8_trim_whitespace(rows["premises"]), ""), "")
    verdicts.against(sheds & _mask(nameless), Reason.SHED_WITHOUT_PREMISES)
    verdicts.against(sheds & np.isnat(expires_on), Reason.SHED_WITHOUT_EXPIRY)
    return Attributes(kinds, assumed, **numbers, expires_on=expires_on)


def _bulk(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return a box around the middle of the points (n,); up to half of them may lie anywhere."""
    if not x.size:
        return (0.0, 0.0, 0.0, 0.0)
    lon, lat = (float(np.quantile(values, 0.5, method="lower")) for values in (x, y))
    off = np.maximum(np.abs((x - lon + LON_DEG) % (2 * LON_DEG) - LON_DEG), np.abs(y - lat))
    around = min(max(_AROUND * float(np.quantile(off, 0.5, method="lower")), _LEAST_AROUND_DEG), LON_DEG)
    return (lon - around, lat - around, lon + around, lat + around)


def _whole_numbers(rows: pa.Table, name: str, verdicts: Verdicts) -> npt.NDArray[np.float64]:
    """Return a column of counts, NaN where empty; 3 and 3.0 are three, anything else is unreadable."""
    column = rows[name]
    numbers = np.full(len(column), np.nan)
    if column.null_count == len(column):
        return numbers
    for position, word in enumerate(column.to_pylist()):
        if word is None or not word.strip():
            continue
        value = _whole(word.strip())
        if value is None or not 0 < value <= LIMITS[name]:
            if verdicts.reasons[position] is None:
                verdicts.reasons[position] = UNREADABLE
                verdicts.details[position] = f"{name}={word[:_TOLD]}: a whole number from 1 to {LIMITS[name]}"
        else:
            numbers[position] = value
    return numbers


def _whole(word: str) -> int | None:
    """Return a text as a whole number, or None."""
    try:
        value = float(word.replace("_", "?"))  # Python alone reads 1_0 as ten
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _dates(rows: pa.Table, verdicts: Verdicts) -> npt.NDArray[np.datetime64]:
    """Return the expiry dates in days, NaT where empty; anything but YYYY-MM-DD is unreadable."""
    column = rows["valid_to"]
    days = np.full(len(column), np.datetime64("NaT", "D"))
    if column.null_count == len(column):
        return days
    for position, word in enumerate(column.to_pylist()):
        if word is None or not word.strip():
            continue
        try:
            days[position] = _day(word.strip())
        except ValueError:
            if verdicts.reasons[position] is None:
                verdicts.reasons[position] = UNREADABLE
                verdicts.details[position] = f"valid_to={word[:_TOLD]}: write YYYY-MM-DD"
    return days


def _day(word: str) -> dt.date:
    """Return a date written as figures, with a time of day or without; raises ValueError."""
    found = _DAY.fullmatch(word)
    if found is None:
        raise ValueError(word)
    return dt.date(*map(int, found.groups()))


def _filled(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with nothing missing: texts empty, counts 0."""
    return pc.fill_null(values, "" if pa.types.is_string(values.type) else 0)


def _mask(values: pa.ChunkedArray) -> Mask:
    """Return an Arrow column of booleans as an array (n,)."""
    return np.asarray(values.to_numpy(), dtype=bool)
