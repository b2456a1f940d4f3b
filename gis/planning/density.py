"""Density: released counts as areas to draw. Whatever comes from here has passed the disclosure gate."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import text

from gis.errors import BadArgument, NoRelease
from gis.planning import disclosure
from gis.register import cells, divisions
from gis.store import session

CRS84 = "OGC:CRS84"
Level = Literal["county", "township", "village"]
H3_FROM_SQUARES_M = {7: 1000, 8: 500, 9: 100, 10: 100}
"""H3 cells are put together from released squares by their centres: the size used for each resolution."""


@dataclass(frozen=True)
class Areas:
    """The areas of one release."""

    release: dt.date
    frame: gpd.GeoDataFrame
    """Columns area, name, n (Int64, missing where withheld), withheld, noise_sd (residents, nan where withheld),
    area_km2, geometry (OGC:CRS84)."""

    @property
    def noise_sd(self) -> float:
        """The median standard deviation of the noise in the counts shown, in residents; 0 where there is none."""
        shown = self.frame["noise_sd"].dropna()
        return float(shown.median()) if len(shown) else 0.0


def by_cell(cell: str, category: str, *, on: dt.date | None = None, division: int | None = None) -> Areas:
    """Return the cells of a kind: ``100``, ``500``, ``1000`` or ``h3:7`` to ``h3:10``.

    H3 cells carry the sum of the released squares whose centre lies in them; residents of withheld
    squares are not in it, and a cell with withheld squares only is withheld. Raises BadArgument for
    another kind, NoRelease where there is none up to ``on``.
    """
    if cell in {str(size) for size in cells.SIZES_M}:
        return _squares(int(cell), category, on, division)
    resolution = int(cell.removeprefix("h3:")) if cell.startswith("h3:") and cell[3:].isdigit() else 0
    if resolution not in H3_FROM_SQUARES_M:
        raise BadArgument(why=f"{cell} is no kind of cell: 100, 500, 1000, or h3:7 to h3:10")
    squares = _squares(H3_FROM_SQUARES_M[resolution], category, on, division)
    return Areas(squares.release, _hexagons(squares.frame, resolution))


def by_division(level: Level, category: str, *, on: dt.date | None = None, division: int | None = None) -> Areas:
    """Return the divisions of a level that have a boundary, with their released counts.

    Below the county no boundaries exist; such a map is drawn by cells instead. Raises BadArgument for a
    level without boundaries, NoRelease.
    """
    release = _release(on)
    low, high = divisions.extent(division) if division else (0, 10**12)
    with session.open("planner") as connection:
        rows = connection.execute(
            text(
                "SELECT d.code::text AS area, d.name, c.n, coalesce(c.withheld, false) AS withheld, c.noise_sd,"
                " ST_Area(d.boundary::geography) / 1e6 AS area_km2, ST_AsBinary(d.boundary) AS shape"
                " FROM reg.divisions d LEFT JOIN pub.division_counts c"
                " ON c.division_code = d.code AND c.release = :release AND c.category = :category"
                " WHERE d.level = :level AND d.boundary IS NOT NULL AND d.code >= :low AND d.code < :high"
                " ORDER BY d.code"
            ),
            {"release": release, "category": category, "level": level, "low": low, "high": high},
        ).all()
    if not rows:
        raise BadArgument(why=f"no {level} has a boundary to draw here; use --cell 1000 or --by county")
    return Areas(release, _frame(rows))


def outlines(division: int | None = None) -> gpd.GeoDataFrame:
    """Return the counties to draw over a map: columns code, name, geometry (OGC:CRS84)."""
    low, high = divisions.extent(division // 10**6 * 10**6 if division else 0) if division else (0, 10**12)
    with session.open("public") as connection:
        rows = connection.execute(
            text(
                "SELECT code::text AS code, name, ST_AsBinary(boundary) AS shape FROM reg.divisions"
                " WHERE level = 'county' AND boundary IS NOT NULL AND code >= :low AND code < :high ORDER BY code"
            ),
            {"low": low, "high": high},
        ).all()
    shapes = shapely.from_wkb([bytes(row.shape) for row in rows])
    return gpd.GeoDataFrame(
        {"code": [row.code for row in rows], "name": [row.name for row in rows]}, geometry=list(shapes), crs=CRS84
    )


def _release(on: dt.date | None) -> dt.date:
    """Return the release that a map of a day shows; raises NoRelease."""
    release = disclosure.newest(on)
    if release is None:
        raise NoRelease(which=f" up to {on}" if on else "")
    return release


def _squares(size: int, category: str, on: dt.date | None, division: int | None) -> Areas:
    """Return the squares of a size, those whose centre lies in the division where one is given."""
    release = _release(on)
    with session.open("planner") as connection:
        if division:
            divisions.find_name(connection, division)
        rows = connection.execute(
            text(
                "SELECT c.cell AS area, CAST(NULL AS text) AS name, n.n, n.withheld, n.noise_sd,"
                " CAST(c.size AS double precision) * c.size / 1e6 AS area_km2, ST_AsBinary(c.geometry) AS shape"
                " FROM pub.cell_counts n JOIN pub.cells c ON c.cell = n.cell"
                " WHERE n.release = :release AND n.size = :size AND n.category = :category"
                " AND (CAST(:county AS bigint) IS NULL OR EXISTS (SELECT FROM reg.divisions d WHERE d.code = :county"
                " AND ST_Intersects(d.boundary, ST_Centroid(c.geometry)))) ORDER BY c.cell"
            ),
            # the finest division with a boundary is the county
            {"release": release, "size": size, "category": category, "county": _bounded(division)},
        ).all()
    return Areas(release, _frame(rows))


def _bounded(division: int | None) -> int | None:
    """Return the division itself, or the county around it where it has no boundary."""
    return division // 10**6 * 10**6 if division and division % 10**6 else division


def _frame(rows: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - rows of SQLAlchemy
    """Return rows with area, name, n, withheld, area_km2 and shape as a frame."""
    return gpd.GeoDataFrame(
        {
            "area": [row.area for row in rows],
            "name": pd.array([row.name for row in rows], dtype=object),
            "n": pd.array([row.n for row in rows], dtype="Int64"),
            "withheld": np.array([row.withheld for row in rows], dtype=bool),
            "noise_sd": np.array([row.noise_sd for row in rows], dtype=np.float64),
            "area_km2": np.array([row.area_km2 for row in rows], dtype=np.float64),
        },
        geometry=list(shapely.from_wkb([bytes(row.shape) for row in rows])) if rows else [],
        crs=CRS84,
    )


def _hexagons(squares: gpd.GeoDataFrame, resolution: int) -> gpd.GeoDataFrame:
    """Return the H3 cells that hold the centres of the squares."""
    centres = shapely.centroid(squares.geometry.to_numpy())
    names = [
        h3.latlng_to_cell(lat, lon, resolution)
        for lon, lat in zip(shapely.get_x(centres), shapely.get_y(centres), strict=True)
    ]
    counts = squares[["n", "withheld"]].assign(area=names, variance=squares["noise_sd"] ** 2)
    grouped = pd.DataFrame(counts).groupby("area", sort=True)
    sums = grouped.agg(
        n=("n", lambda of: of.sum(min_count=1)),
        withheld=("withheld", "all"),
        variance=("variance", lambda of: of.sum(min_count=1)),
    ).reset_index()
    shapes = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(name)]) for name in sums["area"]]
    return gpd.GeoDataFrame(
        {
            "area": sums["area"],
            "name": pd.array([None] * len(sums), dtype=object),
            "n": sums["n"].astype("Int64"),
            "withheld": sums["withheld"].astype(bool),
            "noise_sd": np.sqrt(sums["variance"].to_numpy(dtype=np.float64)),
            "area_km2": [h3.cell_area(name, unit="km^2") for name in sums["area"]],
        },
        geometry=shapes,
        crs=CRS84,
    )
