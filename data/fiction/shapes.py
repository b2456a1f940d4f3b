"""From metres on a drawing board to polygons on the ground, many at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

SLAB, STAGGERED, COURTYARD = 0, 1, 2
_OUTLINES: Final[dict[int, tuple[tuple[float, float], ...]]] = {
    SLAB: ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    STAGGERED: (
        *((-0.5, -0.5), (0.0, -0.5), (0.0, -0.36), (0.5, -0.36)),
        *((0.5, 0.5), (0.0, 0.5), (0.0, 0.36), (-0.5, 0.36)),
    ),
    COURTYARD: ((-0.5, -0.5), (-0.1, -0.5), (-0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (-0.5, 0.5)),
}
"""Outlines in a square of side 1, counter-clockwise: a slab, two slabs side by side, a house with a wing."""
_DECIMALS: Final = 7
"""About a centimetre; rounds away what differs in the last bit from processor to processor."""
_HOUSEHOLD: Final = 2.65
_LIVED_IN: Final = 0.86


@dataclass(frozen=True)
class Frame:
    """Metres east and north of a point, turned by an angle; good to a few parts in a thousand over 20 km."""

    lon: float
    lat: float
    turn_deg: float

    def to_lonlat(self, xy: Floats) -> Floats:
        """Return longitude, latitude in CGCS2000, shape (n, 2), of metres (n, 2)."""
        turn = np.deg2rad(self.turn_deg)
        east = xy[:, 0] * np.cos(turn) - xy[:, 1] * np.sin(turn)
        north = xy[:, 0] * np.sin(turn) + xy[:, 1] * np.cos(turn)
        per_lon, per_lat = self._metres_per_degree()
        return np.column_stack([self.lon + east / per_lon, self.lat + north / per_lat])

    def to_metres(self, lonlat: Floats) -> Floats:
        """Return metres, shape (n, 2), of longitude and latitude (n, 2); the inverse of ``to_lonlat``."""
        per_lon, per_lat = self._metres_per_degree()
        east, north = (lonlat[:, 0] - self.lon) * per_lon, (lonlat[:, 1] - self.lat) * per_lat
        turn = np.deg2rad(self.turn_deg)
        return np.column_stack([east * np.cos(turn) + north * np.sin(turn), north * np.cos(turn) - east * np.sin(turn)])

    def _metres_per_degree(self) -> tuple[float, float]:
        """Return metres in a degree of longitude and of latitude at the frame's origin."""
        lat = np.deg2rad(self.lat)
        return float(111_412.88 * np.cos(lat) - 93.5 * np.cos(3 * lat)), float(111_132.95 - 559.85 * np.cos(2 * lat))


@dataclass(frozen=True)
class Group:
    """Buildings drawn together: one block of a town, one hamlet, one row of sheds. Arrays have shape (n,)."""

    key: str
    """Begins the source_id of each."""
    frame: Frame
    x: Floats
    y: Floats
    width_m: Floats
    depth_m: Floats
    form: Ints
    addresses: list[str]
    kind: str = "residential"
    entrances: int | Ints = 0
    floors: int | Ints = 0
    rooms_per_floor: int = 0
    """0: not divided into rooms, one dwelling."""
    premises: str | None = None
    valid_to: str | None = None
    people_each: float = _HOUSEHOLD * _LIVED_IN
    """Expected residents of a dwelling."""

    def people(self) -> Floats:
        """Return the residents expected in each building, (n,)."""
        rooms = np.asarray(self.entrances) * np.asarray(self.floors) * np.asarray(self.rooms_per_floor)
        return np.broadcast_to(np.maximum(rooms, 1) * self.people_each, self.x.shape)

    def first(self, count: int) -> "Group":
        """Return the group with only its first buildings."""
        return replace(
            self,
            x=self.x[:count],
            y=self.y[:count],
            width_m=self.width_m[:count],
            depth_m=self.depth_m[:count],
            form=self.form[:count],
            addresses=self.addresses[:count],
            entrances=_cut(self.entrances, count),
            floors=_cut(self.floors, count),
        )


def _cut(column: int | Ints, count: int) -> int | Ints:
    """Return the first of a column, or the number that stands for all of it."""
    return column if isinstance(column, int) else column[:count]


def filled(groups: Iterator[Group], people: float) -> Iterator[Group]:
    """Yield groups, the last cut short, until they hold ``people``: what is built is dense, just less of it."""
    left = people
    for group in groups:
        if left <= 0:
            return
        running = np.cumsum(group.people())
        if not running.size:  # nothing fitted
            continue
        count = int(np.searchsorted(running, left)) + 1
        yield group if count >= len(running) else group.first(count)
        left -= float(running[-1])


def polygons(groups: Sequence[Group]) -> npt.NDArray[np.object_]:
    """Return the outlines of all buildings of all groups, in order, as polygons in EPSG:4490."""
    sizes = [len(group.x) for group in groups]
    x, y, width, depth = (
        np.concatenate([getattr(group, name) for group in groups]) for name in ("x", "y", "width_m", "depth_m")
    )
    form = np.concatenate([group.form for group in groups])
    frame = np.repeat([[g.frame.lon, g.frame.lat, g.frame.turn_deg] for g in groups], sizes, axis=0)
    out = np.empty(len(x), dtype=object)
    for kind, outline in _OUTLINES.items():
        which = np.flatnonzero(form == kind)
        unit = np.array([*outline, outline[0]])
        east = x[which, None] + unit[:, 0] * width[which, None]
        north = y[which, None] + unit[:, 1] * depth[which, None]
        out[which] = _on_the_ground(east, north, frame[which])
    return out


def _on_the_ground(east: Floats, north: Floats, frame: Floats) -> npt.NDArray[np.object_]:
    """Return polygons, (n,), of rings (n, k) in metres of their frames (n, 3)."""
    turn, lat = np.deg2rad(frame[:, 2:3]), np.deg2rad(frame[:, 1:2])
    per_lon = 111_412.88 * np.cos(lat) - 93.5 * np.cos(3 * lat)
    per_lat = 111_132.95 - 559.85 * np.cos(2 * lat)
    lon = frame[:, 0:1] + (east * np.cos(turn) - north * np.sin(turn)) / per_lon
    lat_deg = frame[:, 1:2] + (east * np.sin(turn) + north * np.cos(turn)) / per_lat
    rings = np.round(np.stack([lon, lat_deg], axis=-1), _DECIMALS)
    return np.asarray(shapely.polygons(shapely.linearrings(rings)), dtype=object)
