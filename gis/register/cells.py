"""Cells of density maps: nested squares on an equal-area grid, and H3.

Squares of 100, 500 and 1000 m in a Lambert azimuthal equal-area projection (Snyder 1987, ch. 24)
centred 37.5 N 106 E on the CGCS2000 ellipsoid, counted from an origin at (-500 km, -500 km).
"""

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt
from pyproj import Transformer

GRID = "+proj=laea +lat_0=37.5 +lon_0=106 +x_0=0 +y_0=0 +a=6378137 +rf=298.257222101 +units=m +no_defs"
LONLAT = "+proj=longlat +a=6378137 +rf=298.257222101 +no_defs"
ORIGIN_M = -500_000.0
FINEST_M = 100
SIZES_M = (100, 500, 1000)
H3_FINEST = 10


def project(
    lon_deg: npt.NDArray[np.float64], lat_deg: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return easting and northing in metres on the grid, shape (n,) each, of points in CGCS2000 degrees."""
    east_m, north_m = Transformer.from_crs(LONLAT, GRID, always_xy=True).transform(lon_deg, lat_deg)
    return np.asarray(east_m), np.asarray(north_m)


def squares(
    east_m: npt.NDArray[np.float64], north_m: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the 100 m square of each point: columns east and rows north of the origin, shape (n,) each.

    The point opposite to Ningxia, which no such projection can show, goes into the first square.
    """
    columns, rows = (
        np.floor(np.where(np.isfinite(along_m), along_m - ORIGIN_M, 0) / FINEST_M) for along_m in (east_m, north_m)
    )
    return columns.astype(np.int32), rows.astype(np.int32)


def h3_cells(lon_deg: npt.NDArray[np.float64], lat_deg: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the H3 cell of resolution 10 of each point, shape (n,); Debian ships no h3-pg to do it in SQL."""
    cell = h3.latlng_to_cell
    found = (cell(lat, lon, H3_FINEST) for lon, lat in zip(lon_deg.tolist(), lat_deg.tolist(), strict=True))
    return np.fromiter(found, dtype=np.int64, count=len(lon_deg))
