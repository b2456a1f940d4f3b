"""A road network that answers how long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import text

from gis.planning.roads import many_to_many, snapping, ways
from gis.planning.roads.chains import Chains, join
from gis.planning.roads.parts import Parts, divide
from gis.planning.roads.places import Degrees, Plane, read_points
from gis.planning.roads.snapping import Snapped, Snapper
from gis.planning.roads.speeds import KMH_IN_M_PER_S, WALK_KMH, Mode, table
from gis.planning.roads.straight import check_limit
from gis.planning.roads.times import Far, TravelTimes, told
from gis.planning.siting.compiled import Floats, Integers
from gis.register import divisions
from gis.store import session

FAR_M = 1000.0
"""Points farther than this from any road are named, and get no time."""
_JUNCTION_ARMS = 3


def network(mode: Mode, *, division: int | None = None, speeds: Mapping[str, float] | None = None) -> "Network":
    """Return the stored roads as a network, in and around a division (a code of twelve digits) where one is given.

    ``speeds`` in km/h, by class of road, take the place of the table's. Raises NoRoads, UnknownDivision, BadArgument.
    """
    kmh = table(mode, speeds)
    with session.open("planner") as connection:
        found = ways.stored(connection, mode, division, kmh)
    return Network(mode, found, access_kmh=kmh["access"])


@dataclass(frozen=True)
class Standing:
    """Where points stand, who is too far, who is apart."""

    snapped: Snapped
    leg_s: Floats
    """(n,): on foot from the point to the road; infinite where that is too far."""
    far: Far
    apart: Integers


class Network:
    """Roads that one mode may use."""

    def __init__(self, mode: Mode, found: ways.Ways, *, access_kmh: float = WALK_KMH) -> None:
        """Make a network of ways; ``access_kmh`` is how fast one walks from a door to the road."""
        self.mode: Mode = mode
        self.sources = found.sources
        self.chains: Chains = join(found)
        self._access_m_s = access_kmh / KMH_IN_M_PER_S
        self._plane = Plane(found.places.mean(axis=0))

    @cached_property
    def parts(self) -> Parts:
        """Which edges hang together."""
        return divide(self.chains)

    @cached_property
    def _all_edges(self) -> Snapper:
        return Snapper(self.chains, self._plane, np.arange(len(self.chains.tail)))

    @cached_property
    def _whole_edges(self) -> Snapper:
        return Snapper(self.chains, self._plane, np.flatnonzero(self.parts.whole))

    def travel_times(
        self, origins: npt.ArrayLike, destinations: npt.ArrayLike, *, limit_s: float, far_m: float = FAR_M
    ) -> TravelTimes:
        """Return how long it takes from points (n, 2) to points (m, 2), in degrees of EPSG:4490, within a limit.

        Each way begins and ends on foot, straight between point and road. Points more than ``far_m`` from any road
        have no times, and are named.

        Raises:
            ValueError: points that are no longitude and latitude, or a limit that is none.
        """
        check_limit(limit_s)
        starts, ends = read_points("origins", origins), read_points("destinations", destinations)
        leaving, arriving = self._stand(starts, far_m), self._stand(ends, far_m)
        seconds = many_to_many.seconds(
            self.chains,
            many_to_many.Places(starts, leaving.snapped, leaving.leg_s),
            many_to_many.Places(ends, arriving.snapped, arriving.leg_s),
            limit_s,
        )
        return TravelTimes(
            seconds,
            "roads",
            limit_s,
            leaving.far,
            arriving.far,
            leaving.apart,
            arriving.apart,
            told(self.mode, self.sources, self.parts.share, far_m, leaving, arriving),
        )

    def junctions(self, division: int | None = None) -> Degrees:
        """Return the places (k, 2) where three roads and more meet, on the largest part, within a division if given.

        A division without a boundary of its own is taken as its county. Raises UnknownDivision.
        """
        chains, largest = self.chains, self.parts.largest
        arms = np.bincount(np.concatenate([chains.tail, chains.head]), minlength=len(chains.places))
        on_largest = np.zeros(len(chains.places), dtype=bool)
        on_largest[chains.tail[largest]] = on_largest[chains.head[largest]] = True
        places = chains.places[(arms >= _JUNCTION_ARMS) & on_largest]
        boundary = None if division is None else _boundary(division)
        if boundary is None:
            return places
        shapely.prepare(boundary)
        return places[shapely.intersects_xy(boundary, places[:, 0], places[:, 1])]

    def _stand(self, points: Degrees, far_m: float) -> Standing:
        """Return where points (n, 2) stand; those on a fragment are moved to the network beside it."""
        nearest = self._all_edges.find(points)
        on_road = np.flatnonzero(nearest.edge >= 0)
        apart = on_road[~self.parts.largest[nearest.edge[on_road]]]
        lost = on_road[~self.parts.whole[nearest.edge[on_road]]]
        if len(lost):
            moved = self._whole_edges.find(points[lost])
            near = moved.distance_m <= far_m
            nearest = snapping.replaced(nearest, lost[near], moved, near)
        far = np.flatnonzero(~(nearest.distance_m <= far_m))
        leg_s = nearest.distance_m / self._access_m_s
        leg_s[far] = np.inf
        return Standing(nearest, leg_s, Far(far, nearest.distance_m[far]), apart)


def _boundary(division: int) -> shapely.Geometry | None:
    """Return the boundary of a division, or of the county around it; None where none is known."""
    with session.open("planner") as connection:
        divisions.find_name(connection, division)
        found = connection.execute(
            text("SELECT ST_AsBinary(boundary) FROM reg.divisions WHERE code = :code"),
            {"code": ways.bounded(division)},
        ).scalar_one_or_none()
    return None if found is None else shapely.from_wkb(bytes(found))
