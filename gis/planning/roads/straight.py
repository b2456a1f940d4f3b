"""Travel times without roads: the great circle, stretched, at one speed. Every output must say so."""

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from gis.planning.roads.places import Degrees, read_points
from gis.planning.roads.speeds import KMH_IN_M_PER_S, WALK_KMH, Mode
from gis.planning.roads.times import NOBODY, Note, TravelTimes

RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG)."""
SPEED_KMH: dict[Mode, float] = {"walk": WALK_KMH, "drive": 30.0}
"""A town's average; no road says more."""
DETOUR = 1.3
"""How much longer the way by road is: 1.2 to 1.4 in most towns (Boscoe, Henry and Zdeb 2012)."""


def great_circle(
    origins: npt.ArrayLike, destinations: npt.ArrayLike, *, mode: Mode, limit_s: float, detour: float = DETOUR
) -> TravelTimes:
    """Return times (n, m) by the great circle between points (n, 2), (m, 2) in degrees, ``detour`` times as long.

    Raises:
        ValueError: points that are no longitude and latitude, a limit that is none, or a detour below 1.
    """
    check_limit(limit_s)
    if not 1 <= detour < np.inf:
        message = f"detour must be 1 or more, not {detour}"
        raise ValueError(message)
    starts, ends = read_points("origins", origins), read_points("destinations", destinations)
    speed_m_s = SPEED_KMH[mode] / KMH_IN_M_PER_S / detour
    nothing = np.empty(0, dtype=np.int64)
    return TravelTimes(
        _times(starts, ends, speed_m_s, limit_s),
        "great_circle",
        limit_s,
        NOBODY,
        NOBODY,
        nothing,
        nothing,
        Note(
            f"时间按直线距离的{detour:g}倍、时速{SPEED_KMH[mode]:g}公里估算，未使用道路。",
            f"Times are estimates: {detour:g} times the straight distance at {SPEED_KMH[mode]:g} km/h, without roads.",
        ),
    )


def check_limit(limit_s: float) -> None:
    """Raise ValueError where a limit is none; infinity is one."""
    if not limit_s >= 0:
        message = f"limit_s must be 0 or more, not {limit_s}"
        raise ValueError(message)


def _times(starts: Degrees, ends: Degrees, speed_m_s: float, limit_s: float) -> coo_array:
    """Return the seconds between all pairs within the limit, as csr."""
    shape = (len(starts), len(ends))
    if 0 in shape:
        return coo_array(shape, dtype=np.float64).tocsr()
    half = min(limit_s * speed_m_s / RADIUS_M / 2, np.pi / 2)
    pairs = cKDTree(_on_sphere(starts)).sparse_distance_matrix(
        cKDTree(_on_sphere(ends)), 2 * np.sin(half) + 1e-12, output_type="ndarray"
    )
    seconds = 2 * np.arcsin(np.minimum(pairs["v"] / 2, 1)) * RADIUS_M / speed_m_s
    kept = seconds <= limit_s
    return coo_array((seconds[kept], (pairs["i"][kept], pairs["j"][kept])), shape=shape).tocsr()


def _on_sphere(places: Degrees) -> npt.NDArray[np.float64]:
    """Return places (n, 2) as points (n, 3) on the sphere of radius 1."""
    lon, lat = np.radians(places).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
