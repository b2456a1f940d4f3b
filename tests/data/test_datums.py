"""Shifted Chinese coordinates come back to where they were, and nonsense stays nonsense."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import datums
from gis.terms import Datum

Degrees = npt.NDArray[np.float64]
METRES = 111_320.0
IN_CHINA = st.lists(st.tuples(st.floats(73.5, 135.0), st.floats(18.2, 53.5)), min_size=1, max_size=50)


def _degrees(pairs: list[tuple[float, float]]) -> tuple[Degrees, Degrees]:
    lon, lat = np.array(pairs, dtype=np.float64).T
    return lon, lat


def _apart_m(one: tuple[Degrees, Degrees], other: tuple[Degrees, Degrees]) -> float:
    """Return the largest distance between places of the same position."""
    east = (one[0] - other[0]) * np.cos(np.radians(one[1]))
    return float(np.hypot(east, one[1] - other[1]).max() * METRES)


@given(IN_CHINA)
def test_gcj02_comes_back_to_the_centimetre(pairs: list[tuple[float, float]]) -> None:
    there = _degrees(pairs)
    assert _apart_m(datums.from_gcj02(*datums.to_gcj02(*there)), there) < 0.01


@given(IN_CHINA)
def test_bd09_comes_back_to_the_centimetre(pairs: list[tuple[float, float]]) -> None:
    there = _degrees(pairs)
    assert _apart_m(datums.from_bd09(*datums.to_bd09(*datums.to_gcj02(*there))), there) < 0.01


def test_the_shifts_are_the_published_ones() -> None:
    """Tiananmen, as the open-source converters that everybody uses give it."""
    here = _degrees([(116.404, 39.915)])
    assert np.column_stack(datums.to_gcj02(*here))[0] == pytest.approx((116.410244499169, 39.916404281502), abs=1e-9)
    assert np.column_stack(datums.to_bd09(*here))[0] == pytest.approx((116.410369493710, 39.921336993510), abs=1e-9)


@given(st.floats(-179, 70), st.floats(-80, 80))
def test_gcj02_shifts_nothing_outside_china(lon: float, lat: float) -> None:
    here = _degrees([(lon, lat)])
    assert np.array_equal(datums.from_gcj02(*here), here)


@pytest.mark.parametrize("shift", [datums.from_gcj02, datums.from_bd09])
def test_what_is_no_place_on_earth_stays_as_it_is_and_disturbs_nobody(shift: datums.Shift) -> None:
    nowhere = [(np.inf, 38.0), (106.0, np.nan), (1e308, -1e308), (36_500_000.0, 4_260_000.0)]
    lon, lat = shift(*_degrees([*nowhere, (106.2, 38.5)]))
    assert np.array_equal(np.column_stack([lon, lat])[:-1], np.array(nowhere), equal_nan=True)
    assert (lon[-1], lat[-1]) == tuple(np.column_stack(shift(*_degrees([(106.2, 38.5)])))[0])


def test_only_shifted_datums_are_shifted() -> None:
    assert datums.to_cgcs2000(Datum.WGS84) is None
    assert datums.to_cgcs2000(Datum.CGCS2000) is None
    assert datums.to_cgcs2000(Datum.GCJ02) is datums.from_gcj02
    assert datums.to_cgcs2000(Datum.BD09) is datums.from_bd09
