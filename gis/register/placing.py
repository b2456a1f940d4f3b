"""Where a structure is: its county, its cell, and the township and village its address names."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, text

from gis.errors import UnknownDivision
from gis.register import cells, checking, divisions
from gis.register.sheets import Sheet
from gis.terms import Reason


@dataclass(frozen=True)
class Places:
    """Place of each row, shape (n,) each; rows that are refused hold zeros."""

    division_codes: npt.NDArray[np.int64]
    assumed: npt.NDArray[np.bool_]
    """The division was given with the import, not found by a boundary."""
    east_100m: npt.NDArray[np.int32]
    north_100m: npt.NDArray[np.int32]
    h3_10: npt.NDArray[np.int64]


def place(connection: Connection, sheet: Sheet) -> Places:
    """Place the rows; holds impossible coordinates, invalid shapes and OUTSIDE_DIVISIONS against them.

    Raises UnknownDivision where the division given with the import is none.
    """
    given = sheet.options.division
    if given is not None:
        _require(connection, given)
    counties = divisions.counties(connection)
    trial = given == divisions.TEST_DIVISION
    checking.check_places(sheet.bounds, None if trial else counties.extent, sheet.verdicts)
    checking.check_validity(sheet.shapes, sheet.verdicts)

    good = sheet.open
    lon_deg, lat_deg = _inside(sheet.shapes[good], sheet.bounds[good])
    codes = np.zeros(len(sheet.shapes), dtype=np.int64)
    codes[good] = counties.locate(lon_deg, lat_deg)
    assumed = _assume(sheet, codes, good)
    good_now = sheet.verdicts.good[good]
    return Places(codes, assumed, *_cells(len(codes), good[good_now], lon_deg[good_now], lat_deg[good_now]))


def _inside(
    shapes: npt.NDArray[np.object_], bounds: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a point inside each shape (n,), in degrees: the middle of its box where that is inside, which is cheap."""
    lon_deg, lat_deg = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    beside = np.flatnonzero(~shapely.intersects_xy(shapes, lon_deg, lat_deg))
    points = shapely.point_on_surface(shapes[beside])
    lon_deg[beside], lat_deg[beside] = shapely.get_x(points), shapely.get_y(points)
    return lon_deg, lat_deg


def _assume(sheet: Sheet, codes: npt.NDArray[np.int64], good: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Put rows outside every boundary into the division given with the import, or refuse them.

    A township or village given with the import also narrows down the rows found in its county.
    """
    given = sheet.options.division
    assumed = np.zeros(len(codes), dtype=bool)
    outside = good[codes[good] == 0]
    if given is None:
        mask = np.zeros(len(codes), dtype=bool)
        mask[outside] = True
        sheet.verdicts.against(mask, Reason.OUTSIDE_DIVISIONS)
        return assumed
    narrowed = good[codes[good] == given // 1_000_000 * 1_000_000] if given % 1_000_000 else good[:0]
    for positions in (outside, narrowed):
        codes[positions] = given
        assumed[positions] = True
    return assumed


def _cells(
    count: int, positions: npt.NDArray[np.intp], lon_deg: npt.NDArray[np.float64], lat_deg: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return square column, square row and H3 cell, (count,) each, filled at some positions."""
    east, north = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    h3_10 = np.zeros(count, dtype=np.int64)
    east[positions], north[positions] = cells.squares(*cells.project(lon_deg, lat_deg))
    h3_10[positions] = cells.h3_cells(lon_deg, lat_deg)
    return east, north, h3_10


def _require(connection: Connection, code: int) -> None:
    """Raise UnknownDivision unless the register knows the code."""
    known = connection.execute(text("SELECT 1 FROM reg.divisions WHERE code = :code"), {"code": code}).scalar()
    if known is None:
        raise UnknownDivision(code=code)
