"""A point on the border of two counties belongs to one of them, always the same."""

import numpy as np
import pytest
import shapely

from gis.register import divisions
from gis.store import session


@pytest.mark.usefixtures("database")
def test_a_point_on_any_border_lies_in_a_county_and_its_corners_in_that_of_the_smallest_code() -> None:
    with session.open("registrar") as connection:
        counties = divisions.counties(connection)
    assert len(counties.codes) == 22
    borders = 0
    first, second = shapely.STRtree(counties.boundaries).query(counties.boundaries, predicate="intersects")
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        border = shapely.intersection(counties.boundaries[one], counties.boundaries[other])
        if one >= other or not border.length:
            continue
        borders += 1
        corners = shapely.get_coordinates(border)[:200]
        along = shapely.get_coordinates(shapely.line_interpolate_point(border, np.linspace(0, 1, 100), normalized=True))
        lon, lat = np.vstack([corners, along]).T
        found = counties.locate(lon, lat)
        assert (found > 0).all()
        at_corners = found[: len(corners)]
        assert (at_corners <= min(counties.codes[one], counties.codes[other])).all()
    assert borders > 30
