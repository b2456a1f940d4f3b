"""Travel times equal those of a plain search over every vertex, with the points set into the segments by hand."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from data.roads import read_roads
from gis.planning.roads import Network, great_circle, speeds
from gis.planning.roads.places import lengths_m
from gis.planning.roads.ways import Ways
from gis.register import roads

Floats = npt.NDArray[np.float64]
GEOD = pyproj.Geod(a=6378137, rf=298.257222101)
MILLISECOND_S = 1e-3
WALK_M_S = speeds.WALK_KMH / 3.6
LON, LAT = 106.27, 38.47
STEP_DEG = 0.001
EASTWARD_M = GEOD.inv(LON, LAT, LON + STEP_DEG, LAT)[2]
"""The length of a step to the east, by GeographicLib."""


def ways(
    lines: Sequence[Any],
    oneway: Sequence[int] | None = None,
    speed_m_s: Sequence[float] | None = None,
    barriers: Sequence[tuple[float, float]] = (),
) -> Ways:
    """Return ways of lines in degrees: two-way and 10 m/s where nothing else is said."""
    counts = np.array([len(line) for line in lines])
    return Ways(
        places=np.concatenate([np.asarray(line, dtype=np.float64) for line in lines]),
        start=np.concatenate([[0], np.cumsum(counts)]),
        speed_m_s=np.array(speed_m_s or [10.0] * len(lines), dtype=np.float64),
        permission=np.array([{0: 3, 1: 1, -1: 2}[way] for way in oneway or [0] * len(lines)], dtype=np.int8),
        barriers=np.array(barriers, dtype=np.float64).reshape(-1, 2),
    )


def at(*steps: float) -> tuple[float, float]:
    """Return the place so many steps east and north of a corner in 兴庆区."""
    return LON + steps[0] * STEP_DEG, LAT + steps[1] * STEP_DEG


def named(place: Floats) -> tuple[float, float]:
    """Return what a vertex is known by."""
    lon, lat = np.round(place, 7).tolist()
    return lon, lat


class Plain:
    """Every vertex a node, every segment an arc; points are set into the nearest segment. Slow, and simple."""

    def __init__(self, found: Ways, access_m_s: float = WALK_M_S) -> None:
        """Take the ways apart."""
        lon, lat = found.places.mean(axis=0)
        wanted = f"+proj=tmerc +lon_0={lon} +lat_0={lat} +a=6378137 +rf=298.257222101 +units=m"
        self.to_plane = pyproj.Transformer.from_crs(
            "+proj=longlat +a=6378137 +rf=298.257222101", wanted, always_xy=True
        )
        self.access_m_s = access_m_s
        blocked = {named(place) for place in found.barriers}
        self.segments: list[tuple[Any, Any, float, int, shapely.LineString]] = []
        for way in range(len(found.start) - 1):
            places = found.places[found.start[way] : found.start[way + 1]]
            for k, (a, b) in enumerate(itertools.pairwise(places)):
                ends = enumerate((named(a), named(b)))
                names = [(name, way, k, side) if name in blocked else name for side, name in ends]
                if named(a) != named(b):
                    seconds = GEOD.inv(*a, *b)[2] / found.speed_m_s[way]
                    line = shapely.LineString([self.to_plane.transform(*a), self.to_plane.transform(*b)])
                    self.segments.append((*names, seconds, int(found.permission[way]), line))
        self.tree = shapely.STRtree([line for *_, line in self.segments])

    def beside_no_barrier(self, points: Floats) -> Floats:
        """Return the points whose nearest place is no barrier: there either side would be right."""
        kept = []
        for point in points:
            flat = shapely.Point(self.to_plane.transform(*point))
            a, b, _, _, line = self.segments[int(self.tree.nearest(flat))]
            share = line.project(flat, normalized=True)
            kept.append(len(a if share == 0 else b if share == 1 else ()) <= 2)
        clear: Floats = points[np.array(kept, dtype=bool)]
        return clear

    def times(self, origins: Floats, destinations: Floats) -> Floats:
        """Return seconds (n, m), infinite where there is no way."""
        points = [tuple(point) for point in [*origins, *destinations]]
        graph, legs_s = self._with(points)
        out = np.full((len(origins), len(destinations)), np.inf)
        for i in range(len(origins)):
            reached = nx.single_source_dijkstra_path_length(graph, ("point", i))
            for j in range(len(destinations)):
                name = ("point", len(origins) + j)
                if points[i] == points[len(origins) + j]:
                    out[i, j] = 0
                elif name in reached:
                    out[i, j] = reached[name] + legs_s[i] + legs_s[len(origins) + j]
        return out

    def _with(self, points: list[tuple[float, float]]) -> tuple[Any, list[float]]:
        """Return the graph with the points in it, and their ways on foot."""
        legs_s: list[float] = []
        on_segment: dict[int, list[Any]] = {}
        graph = nx.MultiDiGraph()
        for number, point in enumerate(points):
            flat = shapely.Point(self.to_plane.transform(*point))
            nearest = int(self.tree.nearest(flat))
            line = self.segments[nearest][-1]
            legs_s.append(flat.distance(line) / self.access_m_s)
            share = line.project(flat, normalized=True)
            on_segment.setdefault(nearest, []).append((share, ("point", number)))
        for number, (a, b, seconds, permission, _) in enumerate(self.segments):
            stops = [(0.0, a), *sorted(on_segment.get(number, []), key=lambda stop: stop[0]), (1.0, b)]
            for (share, name), (next_share, next_name) in itertools.pairwise(stops):
                # a point at a vertex is the vertex, whichever way its segment runs
                length_m = self.segments[number][-1].length
                both = next_share * length_m < 0.01 or (1 - share) * length_m < 0.01
                if permission & 1 or both:
                    graph.add_edge(name, next_name, weight=seconds * (next_share - share))
                if permission & 2 or both:
                    graph.add_edge(next_name, name, weight=seconds * (next_share - share))
        return graph, legs_s


def equal(times: csr_array, expected: Floats, limit_s: float) -> None:
    """Assert that a sparse matrix holds exactly what is within the limit, to a millisecond."""
    found = np.full(times.shape, np.inf)
    rows = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))
    found[rows, times.indices] = times.data
    unclear = np.isclose(expected, limit_s, rtol=0, atol=MILLISECOND_S) & np.isfinite(expected)
    wanted = np.where(expected <= limit_s, expected, np.inf)
    there = np.isfinite(wanted) & ~unclear
    assert (np.isfinite(found) | unclear).tolist() == (np.isfinite(wanted) | unclear).tolist()
    assert np.abs(found[there] - wanted[there]).max(initial=0) < MILLISECOND_S


def some_ways(random: np.random.Generator, nodes: int, many: int) -> Ways:
    """Return random streets between a few places: bends, one-ways, loops, bridges, barriers, islands."""
    corners = np.array([LON, LAT]) + np.round(random.random((nodes, 2)) * 0.02, 7)
    lines = []
    for _ in range(many):  # two bends at least: of two streets upon one another either would be right
        bends = np.array([LON, LAT]) + np.round(random.random((random.integers(2, 6), 2)) * 0.02, 7)
        first, last = corners[random.integers(0, nodes, 2)]
        lines.append(np.vstack([first, bends, last]))
    at_vertices = np.concatenate(lines)[random.random(sum(map(len, lines))) < 0.08]
    return ways(
        lines,
        oneway=random.choice([0, 0, 1, -1], len(lines)).tolist(),
        speed_m_s=random.uniform(1, 20, len(lines)).tolist(),
        barriers=[(float(lon), float(lat)) for lon, lat in at_vertices],
    )


def some_points(random: np.random.Generator, found: Ways, many: int) -> Floats:
    """Return points beside segments, at vertices, and two of them twice."""
    at_vertex = found.places[random.integers(0, len(found.places), many)]
    beside = np.array([LON, LAT]) + random.random((many, 2)) * 0.02
    points = np.where(random.random((many, 1)) < 0.3, at_vertex, beside)
    return np.vstack([points, points[:2]])


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    nodes=st.integers(2, 8),
    many=st.integers(1, 12),
    sizes=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    limit_s=st.sampled_from([60.0, 300.0, 900.0, np.inf]),
)
def test_times_are_those_of_a_plain_search(
    seed: int, nodes: int, many: int, sizes: tuple[int, int], limit_s: float
) -> None:
    random = np.random.default_rng(seed)
    found = some_ways(random, nodes, many)
    plain = Plain(found)
    origins, destinations = (plain.beside_no_barrier(some_points(random, found, size)) for size in sizes)
    destinations = np.vstack([destinations, origins[:2]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gis.planning.roads.parts.FRAGMENT", 0.0)  # islands keep what stands on them
        times = Network("drive", found).travel_times(origins, destinations, limit_s=limit_s, far_m=np.inf)
    equal(times.seconds, plain.times(origins, destinations), limit_s)


def times_of(network: Network, origins: Sequence[Any], destinations: Sequence[Any], **options: float) -> Floats:
    """Return seconds (n, m), infinite where there is no way within the limit."""
    found = network.travel_times(origins, destinations, **{"limit_s": 900.0} | options).seconds
    seconds: Floats = np.full(found.shape, np.inf)
    seconds[np.repeat(np.arange(found.shape[0]), np.diff(found.indptr)), found.indices] = found.data
    return seconds


def test_a_bend_is_no_node_and_a_place_between_costs_its_share() -> None:
    found = Network("drive", ways([[at(0, 0), at(1, 0), at(1, 1), at(3, 1)]]))
    assert len(found.chains.places) == 2
    seconds = times_of(found, [at(0.5, 0)], [at(1, 0), at(2, 1), at(0, 0)])
    assert seconds[0, 0] == pytest.approx(EASTWARD_M / 2 / 10, abs=1e-3)
    assert seconds[0, 2] == pytest.approx(EASTWARD_M / 2 / 10, abs=1e-3)
    assert seconds[0, 1] == pytest.approx((EASTWARD_M * 1.5 + 111.02) / 10, rel=1e-3)


def test_a_one_way_street_is_driven_one_way_even_between_two_doors_on_it() -> None:
    block = [[at(0, 0), at(4, 0)], [at(4, 0), at(4, 1), at(0, 1), at(0, 0)]]
    found = Network("drive", ways(block, oneway=[1, 0]))
    there, back = times_of(found, [at(1, 0), at(3, 0)], [at(3, 0), at(1, 0)]).diagonal()
    assert there == pytest.approx(2 * EASTWARD_M / 10, rel=1e-3)  # a door is some millimetres from the road
    assert back == pytest.approx((6 * EASTWARD_M + 2 * 111.02) / 10, rel=1e-3)


def test_a_bridge_without_a_shared_vertex_is_no_junction() -> None:
    cross = [[at(-1, 0), at(1, 0)], [at(0, -1), at(0, 1)]]
    assert np.isinf(times_of(Network("drive", ways(cross)), [at(-1, 0)], [at(0, 1)], limit_s=np.inf)).all()
    joined = [[at(-1, 0), at(0, 0), at(1, 0)], [at(0, -1), at(0, 0), at(0, 1)]]
    assert np.isfinite(times_of(Network("drive", ways(joined)), [at(-1, 0)], [at(0, 1)])).all()


def test_a_barrier_is_passed_by_nobody_but_reached_from_both_sides() -> None:
    street = ways([[at(0, 0), at(2, 0), at(4, 0)]], barriers=[at(2, 0)])
    seconds = times_of(Network("drive", street), [at(1, 0)], [at(0, 0), at(1.9, 0), at(2.1, 0), at(4, 0)])
    assert np.isfinite(seconds).tolist() == [[True, True, False, False]]


def test_the_way_to_the_road_is_on_foot_and_a_point_is_at_itself() -> None:
    found = Network("drive", ways([[at(0, 0), at(4, 0)]]))
    house = at(1, 0.5)
    seconds = times_of(found, [house], [house, at(3, 0)])
    leg_m = GEOD.inv(*house, *at(1, 0))[2]
    assert seconds[0].tolist() == [0, pytest.approx(leg_m / WALK_M_S + 2 * EASTWARD_M / 10, abs=0.01)]


def test_what_is_too_far_from_a_road_is_named_with_its_distance_and_has_no_times() -> None:
    found = Network("drive", ways([[at(0, 0), at(4, 0)]]))
    times = found.travel_times([at(1, 0), at(1, 20), (-74.0, -41.0)], [at(2, 0), at(2, 20)], limit_s=np.inf)
    assert times.far_origins.index.tolist() == [1, 2]
    assert times.far_origins.distance_m[0] == pytest.approx(GEOD.inv(*at(1, 0), *at(1, 20))[2], rel=1e-3)
    assert times.far_destinations.index.tolist() == [1]
    assert times.seconds.nnz == 1
    assert "3 points are more than 1,000 m from any road" in times.note.en
    assert "3个点距道路超过1,000米" in times.note.zh


def test_who_stands_at_a_cut_off_street_is_named_and_taken_to_the_road_beside_it() -> None:
    main = [at(step, 0) for step in range(201)]
    yard = [at(50, 1), at(50.5, 1)]
    found = Network("drive", ways([main, yard]))
    times = found.travel_times([at(50.2, 1)], [at(60, 0)], limit_s=900)
    assert times.apart_origins.tolist() == [0]
    assert times.apart_destinations.tolist() == []
    leg_m = GEOD.inv(*at(50.2, 1), *at(50.2, 0))[2]
    assert times.seconds[0, 0] == pytest.approx(leg_m / WALK_M_S + 9.8 * EASTWARD_M / 10, rel=1e-3)
    assert "the nearest road of 1 points is not on that part" in times.note.en


def test_a_street_that_leads_in_and_not_out_is_reached_but_not_left() -> None:
    block = [[at(0, 0), at(4, 0)], [at(4, 0), at(6, 0)]]
    found = Network("drive", ways(block, oneway=[0, 1]))
    assert np.isfinite(times_of(found, [at(1, 0)], [at(5, 0)])).all()
    assert np.isinf(times_of(found, [at(5, 0)], [at(1, 0)])).all()
    assert found.travel_times([at(5, 0)], [at(1, 0)], limit_s=900).apart_origins.tolist() == [0]


def test_fewer_destinations_than_origins_give_the_same_answer_turned_round() -> None:
    random = np.random.default_rng(5)
    found = some_ways(random, 8, 12)
    origins, destinations = some_points(random, found, 30), some_points(random, found, 4)
    made = Network("drive", found)
    whole = times_of(made, list(origins), list(destinations))
    one_by_one = np.vstack([times_of(made, [origin], list(destinations)) for origin in origins])
    assert np.isfinite(whole).any()
    np.testing.assert_allclose(whole, one_by_one, rtol=0, atol=1e-9)


def test_nobody_and_nowhere_give_an_empty_matrix() -> None:
    found = Network("walk", ways([[at(0, 0), at(4, 0)]]))
    assert found.travel_times([], [at(0, 0)], limit_s=60).seconds.shape == (0, 1)
    assert found.travel_times([at(0, 0)], np.empty((0, 2)), limit_s=60).seconds.shape == (1, 0)
    assert found.travel_times([at(0, 0)], [at(4, 0)], limit_s=0).seconds.nnz == 0


@pytest.mark.parametrize(
    ("points", "limit_s", "why"),
    [
        ([(np.nan, 38.0)], 60, "1 of origins are no longitude and latitude"),
        ([(38.0, 106.0)], 60, "1 of origins are no longitude and latitude, the first is number 0"),
        ([(106.0, 38.0, 1100.0)], 60, r"shape \(n, 2\), not \(1, 3\)"),
        ([(106.0, 38.0)], -1, "limit_s must be 0 or more"),
        ([(106.0, 38.0)], np.nan, "limit_s must be 0 or more"),
    ],
)
def test_what_is_no_point_and_no_limit_is_said(points: Any, limit_s: float, why: str) -> None:  # noqa: ANN401
    found = Network("walk", ways([[at(0, 0), at(4, 0)]]))
    with pytest.raises(ValueError, match=why):
        found.travel_times(points, [at(0, 0)], limit_s=limit_s)
    with pytest.raises(ValueError, match=why):
        great_circle(points, [at(0, 0)], mode="walk", limit_s=limit_s)


def test_without_roads_the_great_circle_is_taken_and_says_so() -> None:
    times = great_circle([at(0, 0), at(0, 0)], [at(0, 0), at(1, 0), at(9, 0)], mode="walk", limit_s=300)
    assert times.method == "great_circle"
    assert times.seconds.nnz == 4
    assert times.seconds[0, 0] == 0
    assert times.seconds[0, 1] == pytest.approx(EASTWARD_M * 1.3 / WALK_M_S, rel=5e-3)  # a sphere is no ellipsoid
    assert "without roads" in times.note.en
    assert "未使用道路" in times.note.zh


def test_short_segments_are_as_long_as_geographiclib_says() -> None:
    random = np.random.default_rng(1)
    tails = np.column_stack([random.uniform(104, 108, 500), random.uniform(-60, 60, 500)])
    heads = tails + random.uniform(-0.05, 0.05, (500, 2))
    expected = np.array(GEOD.inv(tails[:, 0], tails[:, 1], heads[:, 0], heads[:, 1])[2])
    np.testing.assert_allclose(lengths_m(tails, heads), expected, rtol=2e-6)


def test_times_in_a_real_town_are_those_of_a_plain_search(test_data: Path) -> None:
    rows = read_roads(test_data / "buildings" / "monaco2021.osm.pbf")
    sorted_rows = roads.sort(rows)
    kept = [way for way in sorted_rows.ways if way["motor"]]
    lines = shapely.from_wkb([way["geometry"] for way in kept])
    stops: Any = shapely.from_wkb([stop["geometry"] for stop in sorted_rows.barriers if not stop["motor"]])
    found = ways(
        [shapely.get_coordinates(line) for line in lines],
        oneway=[way["oneway"] for way in kept],
        speed_m_s=[10.0 if way["maxspeed_kmh"] is None else way["maxspeed_kmh"] / 3.6 for way in kept],
        barriers=[(lon, lat) for lon, lat in shapely.get_coordinates(stops).tolist()],
    )
    random = np.random.default_rng(2)
    beside = found.places[random.integers(0, len(found.places), 60)] + random.normal(0, 3e-4, (60, 2))
    plain, made = Plain(found), Network("drive", found)
    points = plain.beside_no_barrier(beside)
    stands = made.travel_times(points, points[:1], limit_s=1, far_m=np.inf)
    points = np.delete(points, stands.apart_origins, axis=0)
    times = made.travel_times(points[:25], points[25:], limit_s=300, far_m=np.inf)
    assert len(stands.apart_origins) < 15
    assert times.seconds.nnz > 100
    equal(times.seconds, plain.times(points[:25], points[25:]), 300)
