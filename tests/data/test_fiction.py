"""The fiction looks like a place, holds as many people as asked, and holds nobody who could exist."""

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import numdb
from stdnum.iso7064 import mod_11_2

from data.fiction import CountyPlan, files, plan, roster, structures
from data.fiction.documents import days_and_sequences, identity_numbers
from data.fiction.households import HUT_BEDS, SHED_BEDS
from data.fiction.places import county_codes, county_of
from data.fiction.rosters import AS_OF
from gis import addresses
from gis.errors import UnknownDivision
from gis.register.rows import STRUCTURE_ROWS
from gis.residents.rows import ROSTER_ROWS

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
URBAN, HILLS = 640106, 640422


def _made(county: int, residents: int, seed: int = 7) -> tuple[CountyPlan, pa.Table, pa.Table]:
    """Return a county's plan, its buildings and its people."""
    (planned,) = plan(county, residents, seed)
    (buildings,) = structures([planned])
    return planned, buildings, pa.concat_tables([ROSTER_ROWS.empty_table(), *roster(planned, buildings)])


@pytest.fixture(scope="module", params=[URBAN, HILLS])
def made(request: pytest.FixtureRequest) -> tuple[CountyPlan, pa.Table, pa.Table]:
    """Return an urban district and a county in the hills, of 12,000 residents each."""
    return _made(request.param, 12_000)


@pytest.fixture(scope="module")
def region() -> list[tuple[CountyPlan, pa.Table, pa.Table]]:
    """Return the whole region with 60,000 residents."""
    return [_made(county.code, county.residents) for county in plan(None, 60_000, 7)]


def _shapes(buildings: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    shapes: np.ndarray[tuple[int], np.dtype[np.object_]] = shapely.from_wkb(
        buildings["geometry"].to_numpy(zero_copy_only=False)
    )
    return shapes


class TestSizes:
    """How many people go where."""

    def test_the_census_is_the_default(self) -> None:
        sizes = {county.code: county.residents for county in plan(None, None, 1)}
        assert sizes[640104] == 808_282
        assert len(sizes) == 22
        assert sum(sizes.values()) == pytest.approx(7_202_654, rel=0.001)  # counties are rounded, the region is not

    @given(st.integers(22, 8_000_000))
    def test_the_counties_add_up_to_what_was_asked_and_none_is_left_out(self, residents: int) -> None:
        counties = plan(None, residents, 1)
        assert sum(county.residents for county in counties) == residents
        assert min(county.residents for county in counties) >= 1

    @given(st.integers(0, 21))
    def test_fewer_people_than_counties_are_still_that_many(self, residents: int) -> None:
        assert sum(county.residents for county in plan(None, residents, 1)) == residents

    def test_floating_residents_are_the_share_that_was_given_and_more_of_them_in_urban_districts(self) -> None:
        counties = plan(None, None, 1, floating_share=0.3)
        floating = sum(county.residents * county.floating_share for county in counties)
        assert floating / sum(county.residents for county in counties) == pytest.approx(0.3)
        shares = {county.code: county.floating_share for county in counties}
        assert shares[640104] > 0.3 > shares[640522]

    @pytest.mark.parametrize("code", [110101, 640100, 640111])
    def test_a_code_that_is_no_county_of_today_is_refused(self, code: int) -> None:
        with pytest.raises(UnknownDivision):
            plan(code, 100, 1)

    def test_fewer_than_no_people_are_refused(self) -> None:
        with pytest.raises(ValueError, match="fewer than 0"):
            plan(None, -1, 1)

    @given(st.sampled_from(county_codes()), st.integers(0, 400), st.integers(0, 2**32))
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_a_roster_holds_exactly_the_people_of_its_plan(self, county: int, residents: int, seed: int) -> None:
        _, buildings, people = _made(county, residents, seed)
        assert people.num_rows == residents
        assert bool(buildings.num_rows) == bool(residents)


class TestSeeds:
    """The same seed makes the same world."""

    def test_the_same_seed_makes_the_same_bytes(self, made: tuple[CountyPlan, pa.Table, pa.Table]) -> None:
        planned, buildings, people = made
        _, buildings_again, people_again = _made(planned.code, planned.residents)
        assert buildings_again.equals(buildings)
        assert people_again.equals(people)

    def test_another_seed_makes_another_place(self) -> None:
        assert not _made(URBAN, 500, 1)[1]["geometry"].equals(_made(URBAN, 500, 2)[1]["geometry"])

    def test_a_larger_sample_holds_the_buildings_of_a_smaller_one(
        self, made: tuple[CountyPlan, pa.Table, pa.Table]
    ) -> None:
        planned, buildings, _ = made
        larger = _made(planned.code, 3 * planned.residents)[1]
        kept = ("source_id", "standard_address", "geometry")
        rows = {row["source_id"]: tuple(row[name] for name in kept) for row in larger.to_pylist()}
        assert all(rows[row["source_id"]] == tuple(row[name] for name in kept) for row in buildings.to_pylist())

    def test_the_sample_that_ships_is_made_again_byte_for_byte(self, tmp_path: Path) -> None:
        files.write_sample(tmp_path)
        for name in (files.BUILDINGS_FILE, files.ROSTER_FILE):
            assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


class TestBuildings:
    """What is drawn could stand there."""

    def test_rows_are_what_an_import_reads(self, made: tuple[CountyPlan, pa.Table, pa.Table]) -> None:
        assert made[1].schema.equals(STRUCTURE_ROWS)
        assert made[1]["row"].to_pylist() == list(range(1, made[1].num_rows + 1))

    def test_no_building_of_the_region_touches_another(
        self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]
    ) -> None:
        shapes = np.concatenate([_shapes(buildings) for _, buildings, _ in region])
        met, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        assert np.array_equal(np.sort(met), np.arange(len(shapes)))
        assert np.array_equal(met, other)

    def test_every_building_stands_inside_its_county_and_is_valid(
        self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]
    ) -> None:
        for planned, buildings, _ in region:
            shapes = _shapes(buildings)
            assert shapely.is_valid(shapes).all()
            assert shapely.contains_properly(county_of(planned.code).boundary, shapes).all()

    def test_no_address_and_no_source_id_stands_twice_in_the_region(
        self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]
    ) -> None:
        for column in ("standard_address", "source_id"):
            values = [value for _, buildings, _ in region for value in buildings[column].to_pylist()]
            assert len(set(values)) == len(values)
            assert None not in values

    def test_sheds_have_a_premises_and_an_expiry_date_to_come(
        self, made: tuple[CountyPlan, pa.Table, pa.Table]
    ) -> None:
        sheds = [row for row in made[1].to_pylist() if row["kind"] == "work_shed"]
        assert sheds
        assert all(row["premises"] and dt.date.fromisoformat(row["valid_to"]) > AS_OF for row in sheds)

    def test_there_are_flats_street_side_houses_courtyards_and_huts(self) -> None:
        rows = _made(HILLS, 40_000)[1].to_pylist()
        kinds = Counter((row["kind"], row["floors"] is not None, row["premises"] is not None) for row in rows)
        assert set(kinds) == {
            ("residential", True, True),
            ("residential", True, False),
            ("residential", False, False),
            ("work_shed", False, True),
            ("other_habitable", False, False),
        }

    def test_every_county_can_be_built_at_its_real_size(self) -> None:
        for code in (640106, 640181, 640424):  # the densest, the one with most boundary, the smallest
            planned, buildings, _ = _made(code, county_of(code).census)
            homes = sum(
                int(row["entrances"] or 1) * int(row["floors"] or 1) * int(row["rooms_per_floor"] or 1)
                for row in buildings.to_pylist()
            )
            assert 2.0 < planned.residents / homes < 2.65

    def test_a_small_sample_is_as_dense_as_a_large_one(self) -> None:
        assert _density(_made(URBAN, 10_000)[1]) > 0.7 * _density(_made(URBAN, 80_000)[1])


def _density(buildings: pa.Table) -> float:
    """Return the mean number of buildings within about 200 m of a building."""
    points = shapely.centroid(_shapes(buildings))
    return len(shapely.STRtree(points).query(points, predicate="dwithin", distance=0.002)[0]) / len(points)


class TestPeople:
    """Who lives there, and that nobody could be one of them (rights.md, 10)."""

    def test_every_identity_number_is_impossible_and_sound(self, made: tuple[CountyPlan, pa.Table, pa.Table]) -> None:
        for row in made[2].to_pylist():
            assert 1880 <= int(row["birth_date"][:4]) <= 1899
            if row["doc_type"] == "ID":
                number = row["id_number"]
                mod_11_2.validate(number)
                assert number[6:14] == row["birth_date"].replace("-", "")
                assert (int(number[16]) % 2 == 1) == (row["sex"] == "male")
                assert re.fullmatch("[1-6][0-9]{5}", number[:6])
            else:
                assert re.fullmatch("X00[0-9]{8}", row["id_number"])

    def test_county_prefixes_are_real(self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]) -> None:
        prefixes = {
            row["id_number"] for _, _, people in region for row in people.to_pylist() if row["doc_type"] == "ID"
        }
        by_county = {number[:6]: number for number in prefixes}
        assert set(map(str, county_codes())) <= set(by_county)
        assert all(numdb.get("cn/loc").info(prefix)[0][1] for prefix in by_county)

    def test_no_document_stands_twice_in_the_region(self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]) -> None:
        for column in ("id_number", "occupant_id"):
            values = [value for _, _, people in region for value in people[column].to_pylist()]
            assert len(set(values)) == len(values) == 60_000

    def test_everybody_lives_in_a_dwelling_that_the_register_will_make(
        self, made: tuple[CountyPlan, pa.Table, pa.Table]
    ) -> None:
        _, buildings, people = made
        known = {addresses.normalise(row["standard_address"]): row for row in buildings.to_pylist()}
        for address in set(people["address"].to_pylist()):
            place = addresses.split_dwelling(address)
            building = known[place.building]
            if building["floors"] is None:
                assert (place.entrance, place.room) == (None, None)
                continue
            floor, room = divmod(int(place.room or 0), 100)
            assert 1 <= (place.entrance or 0) <= int(building["entrances"])
            assert 1 <= floor <= int(building["floors"])
            assert 1 <= room <= int(building["rooms_per_floor"])

    def test_some_homes_are_empty_and_no_shed_or_hut_is_overfull(
        self, made: tuple[CountyPlan, pa.Table, pa.Table]
    ) -> None:
        _, buildings, people = made
        lodgers = Counter(people["address"].to_pylist())
        single = [(row["kind"], row["standard_address"]) for row in buildings.to_pylist() if row["floors"] is None]
        held = {kind: [lodgers[address] for k, address in single if k == kind] for kind, _ in single}
        assert 0 in held["residential"]
        assert 1 <= max(held["work_shed"]) <= SHED_BEDS
        assert max(held["other_habitable"]) <= HUT_BEDS
        sheds = {address for kind, address in single if kind != "residential"}
        homes = [count for address, count in lodgers.items() if address not in sheds]
        assert float(np.mean(homes)) == pytest.approx(2.65, abs=0.2)

    def test_some_cells_hold_fewer_than_ten_people(self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]) -> None:
        cells: Counter[tuple[int, int]] = Counter()
        for planned, buildings, people in region:
            points = shapely.get_coordinates(shapely.centroid(_shapes(buildings)))
            metres = county_of(planned.code).frame.to_metres(points) + planned.code  # counties kept apart
            where = dict(zip(buildings["standard_address"].to_pylist(), metres.tolist(), strict=True))
            lodgers = Counter(re.sub(r"[0-9]+单元[0-9]+室$", "", address) for address in people["address"].to_pylist())
            for address, count in lodgers.items():
                cells[int(where[address][0] // 500), int(where[address][1] // 500)] += count
        small = sum(count < 10 for count in cells.values())
        assert 0.03 < small / len(cells) < 0.5

    def test_categories_come_in_the_shares_of_the_plan(
        self, region: list[tuple[CountyPlan, pa.Table, pa.Table]]
    ) -> None:
        rows = [row for _, _, people in region for row in people.to_pylist()]
        elsewhere = [row for row in rows if row["hukou_code"] and not row["hukou_code"].startswith("64")]
        moved = [row for row in rows if row["hukou_code"] and row["hukou_code"] != row["occupant_id"][:6]]
        assert 0.22 < len(moved) / len(rows) < 0.34
        assert 0.2 < len(elsewhere) / len(moved) < 0.45
        assert 0.003 < sum(row["hukou_code"] is None for row in rows) / len(rows) < 0.01
        assert 0 < sum(row["doc_type"] != "ID" for row in rows) / len(rows) < 0.003

    def test_nobody_moves_in_later_than_the_day_of_the_roster(
        self, made: tuple[CountyPlan, pa.Table, pa.Table]
    ) -> None:
        days = made[2]["from_date"].to_pylist()
        assert max(days) <= AS_OF.isoformat()
        assert min(days) > "2015"

    def test_a_roster_says_no_more_than_its_columns(self, made: tuple[CountyPlan, pa.Table, pa.Table]) -> None:
        assert made[2].schema.equals(ROSTER_ROWS)
        assert set(made[2]["basis"].to_pylist()) == {"declaration", "household_register"}


@given(st.lists(st.sampled_from([640106, 640104, 620802, 110105]), max_size=300), st.integers(0, 21))
def test_identity_numbers_are_sound_and_never_given_twice(prefixes: list[int], slot: int) -> None:
    given_out: dict[int, int] = {}
    numbers: list[str] = []
    for _ in range(2):
        prefix = np.array(prefixes, dtype=np.int64)
        days, sequences = days_and_sequences(prefix, given_out, 640106, slot, 22)
        numbers += identity_numbers(prefix, days, sequences).to_pylist()
    assert len(set(numbers)) == 2 * len(prefixes)
    for number in numbers:
        mod_11_2.validate(number)


def test_counties_never_give_out_the_same_number_under_a_foreign_prefix() -> None:
    prefix = np.full(2000, 620802)
    pairs = [zip(*days_and_sequences(prefix, {}, 640106, slot, 22), strict=True) for slot in range(22)]
    numbers = {(int(day), int(sequence)) for county in pairs for day, sequence in county}
    assert len(numbers) == 22 * 2000


def test_identity_numbers_run_out_with_a_clear_error() -> None:
    with pytest.raises(ValueError, match="no identity numbers left under 620802"):
        days_and_sequences(np.full(1, 620802), {620802: 10**9}, 640106, 0, 22)
