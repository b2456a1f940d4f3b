"""How fast one gets along: a table by class of road, which a planner may edit.

The figures are averages from door to door, crossings and waiting included, not limits. They are assumptions, to be
replaced where an office has measured: Chinese towns drive about half of what is posted, and people walk 4.8 km/h.
A posted limit lowers a figure and never raises it: nobody averages the limit.
"""

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gis.errors import BadArgument
from gis.terms import RoadClass

Mode = Literal["walk", "drive"]
WALK_KMH = 4.8
STEPS_KMH = 2.4
DEFAULT, ACCESS = "default", "access"
"""Words of a planner's table beside the classes: any class it does not name; the way on foot from door to road."""
_FASTEST_KMH = 200.0
KMH_IN_M_PER_S = 3.6

DRIVE_KMH: Mapping[RoadClass, float] = {
    RoadClass.MOTORWAY: 85.0,
    RoadClass.MOTORWAY_LINK: 45.0,
    RoadClass.TRUNK: 60.0,
    RoadClass.TRUNK_LINK: 35.0,
    RoadClass.PRIMARY: 40.0,
    RoadClass.PRIMARY_LINK: 30.0,
    RoadClass.SECONDARY: 35.0,
    RoadClass.SECONDARY_LINK: 25.0,
    RoadClass.TERTIARY: 30.0,
    RoadClass.TERTIARY_LINK: 25.0,
    RoadClass.UNCLASSIFIED: 30.0,
    RoadClass.RESIDENTIAL: 20.0,
    RoadClass.LIVING_STREET: 10.0,
    RoadClass.SERVICE: 15.0,
    RoadClass.ROAD: 20.0,
    RoadClass.TRACK: 12.0,
}
ON_FOOT_ONLY_KMH = 10.0
"""For cars, where a way of walkers is opened to them."""


def table(mode: Mode, edited: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the speed in km/h for every class, and for ``access``; what a planner's table names takes its place.

    Raises BadArgument for a word that is no class of road, and for a speed that is none.
    """
    if mode not in {"walk", "drive"}:
        raise BadArgument(why=f"{mode} is no way to travel: walk or drive")
    given = _checked(edited or {})
    if mode == "walk":
        speeds = {str(kind): STEPS_KMH if kind is RoadClass.STEPS else WALK_KMH for kind in RoadClass}
    else:
        speeds = {str(kind): DRIVE_KMH.get(kind, ON_FOOT_ONLY_KMH) for kind in RoadClass}
    if DEFAULT in given:
        speeds = dict.fromkeys(speeds, given[DEFAULT])
    speeds[ACCESS] = given[DEFAULT] if mode == "walk" and DEFAULT in given else WALK_KMH
    return speeds | {word: kmh for word, kmh in given.items() if word != DEFAULT}


def _checked(edited: Mapping[str, float]) -> dict[str, float]:
    """Return a planner's table whose words and speeds can be used; raises BadArgument."""
    known = {*map(str, RoadClass), DEFAULT, ACCESS}
    for word, kmh in edited.items():
        if word not in known:
            raise BadArgument(why=f"{word} is no class of road: {', '.join(sorted(known))}")
        if not (math.isfinite(kmh) and 0 < kmh <= _FASTEST_KMH):
            raise BadArgument(why=f"the speed of {word} must be above 0 and at most {_FASTEST_KMH:.0f} km/h, not {kmh}")
    return {word: float(kmh) for word, kmh in edited.items()}


def along(
    mode: Mode, speeds: Mapping[str, float], classes: list[str], limits_kmh: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the speed in m/s along each way (w,); ``limits_kmh`` (w,) is NaN where nothing is posted."""
    kmh = np.array([speeds[name] for name in classes], dtype=np.float64)
    if mode == "drive":
        kmh = np.fmin(kmh, limits_kmh)
    return kmh / KMH_IN_M_PER_S
