"""Shifted Chinese coordinates back to CGCS2000: GCJ-02 and BD-09.

GCJ-02 is an undisclosed obfuscation of WGS 84 whose forward formula is publicly known (R. Fang's
"eviltransform", 2013, and many since); it is undone here by fixed-point iteration to 1e-9 degrees.
BD-09 shifts GCJ-02 once more by a formula Baidu has published for its map API. WGS 84 and CGCS2000
agree to a few decimetres and are taken as one (GB/T 18522; Cheng et al. 2009).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gis.terms import Datum

Degrees = npt.NDArray[np.float64]
Shift = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]

_AXIS_M = 6_378_245.0
_ECCENTRICITY2 = 0.006_693_421_622_965_943
"""Krasovsky 1940, on which GCJ-02 is built."""
_BAIDU = np.pi * 3000 / 180
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
_LON_DEG, _LAT_DEG = 180.0, 90.0
_ROUNDS = 30
_CLOSE_DEG = 1e-10


def to_cgcs2000(datum: Datum) -> Shift | None:
    """Return what takes longitudes and latitudes (n,) in degrees to CGCS2000; None where nothing is to do."""
    return {Datum.GCJ02: from_gcj02, Datum.BD09: from_bd09}.get(datum)


def to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return WGS 84 degrees (n,) as GCJ-02; outside China nothing is shifted."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    radians = np.radians(lat)
    flattened = 1 - _ECCENTRICITY2 * np.sin(radians) ** 2
    d_lat = north * 180 / (_AXIS_M * (1 - _ECCENTRICITY2) / flattened**1.5 * np.pi)
    d_lon = east * 180 / (_AXIS_M / np.sqrt(flattened) * np.cos(radians) * np.pi)
    west, south, east_end, north_end = _CHINA
    inside = (lon >= west) & (lon <= east_end) & (lat >= south) & (lat <= north_end)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def from_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return GCJ-02 degrees (n,) as WGS 84, to 1e-9 degrees."""
    return _undo(to_gcj02, lon, lat)


def from_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return BD-09 degrees (n,) as WGS 84.

    Baidu's published formula goes from GCJ-02 to BD-09; it is undone by iteration as well, since the
    usual closed form is off by up to half a metre.
    """
    return from_gcj02(*_undo(to_bd09, lon, lat))


def to_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return GCJ-02 degrees (n,) as BD-09."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _undo(forward: Shift, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """Return the degrees (n,) that ``forward`` takes to these; what is no place on earth stays as it is."""
    whole_lon, whole_lat = lon.copy(), lat.copy()
    earthly = np.flatnonzero((np.abs(lon) <= _LON_DEG) & (np.abs(lat) <= _LAT_DEG))
    lon, lat = lon[earthly], lat[earthly]
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        shifted_lon, shifted_lat = forward(guess_lon, guess_lat)
        off_lon, off_lat = shifted_lon - lon, shifted_lat - lat
        guess_lon, guess_lat = guess_lon - off_lon, guess_lat - off_lat
        if max(np.abs(off_lon).max(initial=0.0), np.abs(off_lat).max(initial=0.0)) < _CLOSE_DEG:
            break
    whole_lon[earthly], whole_lat[earthly] = guess_lon, guess_lat
    return whole_lon, whole_lat
