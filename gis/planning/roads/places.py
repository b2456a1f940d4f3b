"""Places on the ground: points as they come in, lengths of short segments, and a plane to measure distances in."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

Degrees = npt.NDArray[np.float64]
"""(n, 2): longitude, latitude in CGCS2000."""
Metres = npt.NDArray[np.float64]

_AXIS_M = 6_378_137.0
_ECCENTRICITY2 = 0.006_694_380_022_903_416
"""The ellipsoid of CGCS2000 (GB/T 18522), GRS 80 to a tenth of a millimetre."""
_LONLAT = "+proj=longlat +a=6378137 +rf=298.257222101 +no_defs"


def read_points(name: str, points: npt.ArrayLike) -> Degrees:
    """Return points (n, 2) as they are meant.

    Raises:
        ValueError: they are no pairs of longitude and latitude in degrees.
    """
    places = np.asarray(points, dtype=np.float64)
    if places.size == 0:
        return np.empty((0, 2))
    if places.ndim != 2 or places.shape[1] != 2:  # noqa: PLR2004 - longitude and latitude
        message = f"{name} must be pairs of longitude and latitude, shape (n, 2), not {places.shape}"
        raise ValueError(message)
    wrong = np.flatnonzero(~((np.abs(places[:, 0]) <= 180) & (np.abs(places[:, 1]) <= 90)))  # noqa: PLR2004 - degrees
    if len(wrong):
        message = f"{len(wrong)} of {name} are no longitude and latitude, the first is number {wrong[0]}"
        raise ValueError(message)
    return places


def lengths_m(tails: Degrees, heads: Degrees) -> Metres:
    """Return the length of short segments (n,) on the ellipsoid, by the radii of curvature at mid-latitude.

    Within a millionth of the geodesic up to 10 km (checked against GeographicLib in the tests).
    """
    middle = np.radians((tails[:, 1] + heads[:, 1]) / 2)
    bulge = 1 - _ECCENTRICITY2 * np.sin(middle) ** 2
    east = np.radians(heads[:, 0] - tails[:, 0]) * np.cos(middle) * _AXIS_M / np.sqrt(bulge)
    north = np.radians(heads[:, 1] - tails[:, 1]) * _AXIS_M * (1 - _ECCENTRICITY2) / bulge**1.5
    return np.asarray(np.hypot(east, north))


class Plane:
    """An azimuthal equidistant plane about a centre: distances 250 km from it are 0.03 % too long at the most."""

    def __init__(self, centre: Degrees) -> None:
        """Lay the plane upon a centre (2,)."""
        self.centre = centre

    @cached_property
    def _transformer(self) -> Transformer:
        lon, lat = self.centre
        target = f"+proj=aeqd +lon_0={lon:.9f} +lat_0={lat:.9f} +a=6378137 +rf=298.257222101 +units=m +no_defs"
        return Transformer.from_crs(_LONLAT, target, always_xy=True)

    def project(self, places: Degrees) -> Metres:
        """Return places (n, 2) as metres east and north of the centre; infinite for what the plane cannot show."""
        return np.column_stack(self._transformer.transform(places[:, 0], places[:, 1])).reshape(-1, 2)
