"""The people of a county's buildings, as the rows of a roster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.fiction import documents, words
from data.fiction.households import Dwellings, dwellings, occupants
from data.fiction.places import county_codes, county_of
from data.fiction.plans import CountyPlan
from data.fiction.shapes import Floats, Ints
from gis.residents.rows import ROSTER_ROWS

CHUNK: Final = 200_000
"""Rows in a table at most, so that memory stays bounded."""
AS_OF: Final = date(2026, 9, 30)
"""The day the roster is of: nobody moved in later."""
OTHER_SHARE: Final = 0.001
"""Residents from Hong Kong, Macau, Taiwan or abroad."""
UNKNOWN_SHARE: Final = 0.005
"""Residents whose place of household registration nobody wrote down."""
_RURAL_PULL: Final = 0.3
"""How likely a courtyard is to hold floating residents, against a flat."""
_IN_SHEDS: Final = 0.95
_WITHIN_NINGXIA: Final = 0.67
"""Of the floating, those registered elsewhere in the region: the national share of moves within a province, 2020."""
_SISTER_DISTRICT: Final = 0.08
"""Of the permanent in an urban district, those registered in another district of the same city."""
_KINDS: Final = ("HMT", "PASSPORT", "FPR")
Texts = npt.NDArray[np.object_]


@dataclass
class _Moving:
    """What is carried from one table of a county to the next."""

    plan: CountyPlan
    rng: np.random.Generator
    row: int = 0
    others: int = 0
    numbers: dict[int, int] = field(default_factory=dict)


def roster(plan: CountyPlan, buildings: pa.Table) -> Iterator[pa.Table]:
    """Yield tables of ROSTER_ROWS: exactly the plan's residents, living in the dwellings of ``buildings``.

    ``buildings`` is the county's table from ``structures``. Households move together; a courtyard or shed is
    addressed by its standard address, a flat by that and ``3单元502室``. Nobody can exist (rights.md, 10).
    """
    homes = dwellings(buildings)
    if not plan.residents or not len(homes.building):
        return
    moving = _Moving(plan, np.random.default_rng([plan.seed, plan.code, 9]))
    people = occupants(homes, plan, moving.rng)
    registered = _hukou(plan, homes, moving.rng)
    resident = np.repeat(np.arange(len(people)), people)
    addresses = buildings["standard_address"].combine_chunks()
    for start in range(0, len(resident), CHUNK):
        home = resident[start : start + CHUNK]
        yield _table(moving, _addressed(addresses, homes, home), home, registered[home])


def _hukou(plan: CountyPlan, homes: Dwellings, rng: np.random.Generator) -> Ints:
    """Return the county of household registration of each household, (n dwellings,)."""
    county = county_of(plan.code)
    city = plan.code // 100
    sisters = [c for c in county_codes() if c // 100 == city and c != plan.code and county_of(c).urban_district]
    sisters = sisters if county.urban_district else []
    within = np.array([c for c in county_codes() if c != plan.code and c not in sisters])
    count = len(homes.building)
    draw, where, which = rng.random(count), rng.random(count), rng.random(count)
    in_flats = plan.floating_share / (plan.urban_share + _RURAL_PULL * (1 - plan.urban_share))
    share = np.where(homes.shed, _IN_SHEDS, np.where(homes.flat, in_flats, in_flats * _RURAL_PULL))
    floating = draw < share
    # nearer provinces stand first, and the square draws them more often
    far = np.array(words.ELSEWHERE)[(which**2 * len(words.ELSEWHERE)).astype(int)]
    near = within[(which * len(within)).astype(int)]
    home = np.full(count, plan.code)
    if sisters:
        home = np.where(where < _SISTER_DISTRICT, np.array(sisters)[(which * len(sisters)).astype(int)], home)
    return np.where(floating, np.where(where < _WITHIN_NINGXIA, near, far), home)


def _addressed(addresses: pa.Array, homes: Dwellings, home: Ints) -> pa.Array:
    """Return the address of each person, down to the dwelling."""
    codes = homes.entrance[home] * 10_000 + homes.room[home]
    distinct, place = np.unique(codes, return_inverse=True)
    endings = [f"{code // 10_000}单元{code % 10_000}室" if code else "" for code in distinct.tolist()]
    return pc.binary_join_element_wise(
        addresses.take(pa.array(homes.building[home])), pa.array(endings).take(pa.array(place)), ""
    )


def _table(moving: _Moving, addresses: pa.Array, home: Ints, hukou: Ints) -> pa.Table:
    """Make the rows of one chunk of people."""
    plan, rng, count = moving.plan, moving.rng, len(home)
    slot = county_codes().index(plan.code)
    days, sequences = documents.days_and_sequences(hukou, moving.numbers, plan.code, slot, len(county_codes()))
    male = sequences % 2 == 1
    names = _names(home, male, rng)
    other = np.flatnonzero(rng.random(count) < OTHER_SHARE)
    unknown = rng.random(count) < UNKNOWN_SHARE
    unknown[other] = True
    columns = {
        "row": pa.array(np.arange(moving.row + 1, moving.row + count + 1), pa.int32()),
        "occupant_id": pc.binary_join_element_wise(str(plan.code), pa.array(_serials(moving.row, count)), "-"),
        "address": addresses,
        "name": names,
        "doc_type": pa.repeat(pa.scalar("ID"), count),
        "id_number": documents.identity_numbers(hukou, days, sequences),
        "birth_date": documents.births(days),
        "sex": pa.array(["female", "male"]).take(pa.array(male.astype(np.int8))),
        "nationality": pa.nulls(count, pa.string()),
        "hukou_code": pa.array(hukou, mask=unknown).cast(pa.string()),
        "hukou_as_of": pa.nulls(count, pa.string()),
        "from_date": _moved_in(home, hukou == plan.code, moving),
        "until_date": pa.nulls(count, pa.string()),
        "basis": pa.array(["declaration", "household_register"]).take(
            pa.array(((hukou == plan.code) & ~unknown & (rng.random(count) < 0.9)).astype(np.int8))  # noqa: PLR2004
        ),
    }
    columns |= _from_abroad(columns, other, slot, moving)
    moving.row += count
    return pa.table(columns, schema=ROSTER_ROWS)


def _serials(first: int, count: int) -> list[str]:
    """Return occupants' serials, seven digits, from ``first`` + 1."""
    return [f"{number:07d}" for number in range(first + 1, first + count + 1)]


def _names(home: Ints, male: npt.NDArray[np.bool_], rng: np.random.Generator) -> pa.Array:
    """Put names together; a household shares a surname but for one in three of its members."""
    weights = np.cumsum(1.0 / (np.arange(len(words.SURNAMES)) + 4.0))
    own = np.searchsorted(weights / weights[-1], rng.random(len(home)))
    first = np.concatenate([[True], home[1:] != home[:-1]])
    family = own[np.maximum.accumulate(np.where(first, np.arange(len(home)), 0))]
    surname = np.where(rng.random(len(home)) < 0.33, own, family)  # noqa: PLR2004 - a share
    given = pa.array([*words.MALE, *words.FEMALE, ""])
    draw, sizes = rng.random((2, len(home))), (len(words.MALE), len(words.FEMALE))
    one, two = (np.where(male, (d * sizes[0]).astype(int), sizes[0] + (d * sizes[1]).astype(int)) for d in draw)
    two = np.where(rng.random(len(home)) < 0.22, len(given) - 1, two)  # noqa: PLR2004 - a share: one syllable
    parts = [pa.array(words.SURNAMES).take(pa.array(surname)), given.take(pa.array(one)), given.take(pa.array(two))]
    return pc.binary_join_element_wise(*parts, "")


def _moved_in(home: Ints, registered_here: npt.NDArray[np.bool_], moving: _Moving) -> pa.Array:
    """Return from when each has lived there: a household moves on one day, newcomers of late."""
    draw = moving.rng.random(len(home))
    first = np.concatenate([[True], home[1:] != home[:-1]])
    shared: Floats = draw[np.maximum.accumulate(np.where(first, np.arange(len(home)), 0))]
    back = np.where(registered_here, shared * 4000, shared**2 * 1500).astype(int)
    days = pa.array([(AS_OF - timedelta(days=day)).isoformat() for day in range(4000)])
    return days.take(pa.array(back))


def _from_abroad(columns: dict[str, pa.Array], other: Ints, slot: int, moving: _Moving) -> dict[str, pa.Array]:
    """Give those places (k,) of a chunk documents, names and nationalities of people from outside the mainland."""
    kind = np.searchsorted([0.35, 0.85], moving.rng.random(len(other)))
    given, family, state = (
        np.array(choices, dtype=object)[moving.rng.integers(len(choices), size=len(other))]
        for choices in (words.FOREIGN_GIVEN, words.FOREIGN_FAMILY, words.NATIONALITIES)
    )
    mainland_name = np.array(columns["name"].take(pa.array(other)).to_pylist(), dtype=object)
    home = np.array(["HKG", "MAC", "TWN"], dtype=object)[moving.rng.integers(3, size=len(other))]
    numbers = documents.other_numbers(slot, moving.others, len(other))
    moving.others += len(other)
    return {
        "doc_type": _replaced(columns["doc_type"], other, np.array(_KINDS, dtype=object)[kind]),
        "id_number": _replaced(columns["id_number"], other, np.array(numbers, dtype=object)),
        "name": _replaced(columns["name"], other, np.where(kind == 0, mainland_name, family + " " + given)),
        "nationality": _replaced(columns["nationality"], other, np.where(kind == 0, home, state)),
    }


def _replaced(column: pa.Array, places: Ints, values: Texts) -> pa.Array:
    """Return the column with other values at some places."""
    mask = np.zeros(len(column), dtype=bool)
    mask[places] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))
