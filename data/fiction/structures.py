"""The buildings of a county: its main town, its market towns, its villages, as one table."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from data.fiction import estates, villages
from data.fiction.places import County, county_of
from data.fiction.plans import CountyPlan
from data.fiction.shapes import Group, filled, polygons
from data.fiction.towns import CITY, COUNTY_TOWN, MARKET_TOWN, Style, Town, lay_out
from gis.register.rows import STRUCTURE_ROWS

_IN_MAIN_TOWN: Final = 0.84
"""Of a county's urban residents; the others live in its market towns."""
_CITY_FROM, _TOWN_FROM = 150_000, 12_000
"""Residents from which a place is built as a city, and as a county town; smaller ones are market towns."""


def structures(counties: Iterable[CountyPlan]) -> Iterator[pa.Table]:
    """Yield one table of STRUCTURE_ROWS per county: polygons that never overlap, inside its boundary.

    Towns and villages stand at real points as far as one is known (``data.fiction.places``); everything below the
    county is invented. The same plan gives the same bytes with the same releases of numpy and shapely, and a larger
    plan with the same seed holds the buildings of a smaller one.
    """
    for county in counties:
        yield _table(list(_groups(county)))


def _groups(plan: CountyPlan) -> Iterator[Group]:
    """Yield what is built: the heart of the main town, then market towns and villages until all are housed."""
    county = county_of(plan.code)
    main, *others = _towns(county, plan)
    urban = plan.residents * plan.urban_share
    yield from filled(estates.built(main), urban * _IN_MAIN_TOWN)
    yield from filled(_market(others), urban * (1 - _IN_MAIN_TOWN))
    ground = [block for town in (main, *others) for block in town.ground]
    rural = villages.built(county, ground, plan.census * (1 - plan.urban_share), plan.seed)
    yield from filled(rural, plan.residents * (1 - plan.urban_share))


def _towns(county: County, plan: CountyPlan) -> list[Town]:
    """Lay out the towns at their real size, the main town first."""
    urban = plan.census * plan.urban_share
    seat = [township for township in county.townships if township.in_seat]
    markets = [township for township in county.townships if not township.in_seat]
    middle = urban * _IN_MAIN_TOWN
    each = (urban - middle) / max(1, len(markets))
    towns = [lay_out(county, 0, seat, _style(middle), middle, [], plan.seed)]
    for index, township in enumerate(markets, start=1):
        taken = [block for town in towns for block in town.ground]
        towns.append(lay_out(county, index, [township], _style(each), each, taken, plan.seed))
    return towns


def _style(people: float) -> Style:
    """Return how a town of so many residents is built."""
    return CITY if people >= _CITY_FROM else COUNTY_TOWN if people >= _TOWN_FROM else MARKET_TOWN


def _market(towns: list[Town]) -> Iterator[Group]:
    """Yield what stands in the market towns, one town after the other, each at its real size."""
    order = sorted(towns, key=lambda town: (town.index * 7 + town.seed) % 11)
    return chain.from_iterable(filled(estates.built(town), town.people) for town in order)


def _table(groups: list[Group]) -> pa.Table:
    """Make the rows of all groups."""
    if not groups:
        return STRUCTURE_ROWS.empty_table()
    sizes = [len(group.x) for group in groups]
    count = sum(sizes)

    def spread(values: list[str | None]) -> pa.Array:
        return pa.array(values, pa.string()).take(pa.array(np.repeat(np.arange(len(groups)), sizes)))

    def numbers(name: str) -> pa.Array:
        column = np.concatenate([np.broadcast_to(getattr(group, name), group.x.shape) for group in groups])
        return pa.array(column, mask=column == 0).cast(pa.string())

    columns = {
        "row": pa.array(np.arange(1, count + 1), pa.int32()),
        "source_id": pa.array(
            [f"{g.key}-{n}" for g, size in zip(groups, sizes, strict=True) for n in range(1, size + 1)]
        ),
        "kind": spread([group.kind for group in groups]),
        "standard_address": pa.array(chain.from_iterable(group.addresses for group in groups), pa.string()),
        "entrances": numbers("entrances"),
        "floors": numbers("floors"),
        "rooms_per_floor": numbers("rooms_per_floor"),
        "premises": spread([group.premises for group in groups]),
        "valid_to": spread([group.valid_to for group in groups]),
        "geometry": pa.array(shapely.to_wkb(polygons(groups)), pa.binary()),
        "problem": pa.nulls(count, pa.string()),
    }
    return pa.table(columns, schema=STRUCTURE_ROWS)
