"""Travel times equal those of a plain search over every vertex, with the points set into the segments by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads import read_roads
from gis.planning.roads import Network, great_circle, speeds
from gis.planning.roads.places import lengths_m
from gis.planning.roads.ways import Ways
from gis.register import roads

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


def named(place: Any) -> tuple[float, float]:
    """Return what a vertex is known by."""
    lon, lat = np.round(place, 7).tolist()
    return lon, lat


class Plain:
    """Every vertex a node, every segment an arc; points are set into the nearest segment. Slow, and simple."""

    def __init__(self, found: Ways, access_m_s: float = WALK_M_S) -> None:
        lon, lat = found.places.mean(axis=0)
        wanted = f"+proj=tmerc +lon_0={lon} +lat_0={lat} +a=6378137 +rf=298.257222101 +units=m"
        self.to_plane = pyproj.Transformer.from_crs("+proj=longlat +a=6378137 +rf=298.257222101", wanted, always_xy=True)
        self.access_m_s = access_m_s
        blocked = {named(place) for place in found.barriers}
        self.segments: list[tuple[Any, Any, float, int, shapely.LineString]] = []
        for way in range(len(found.start) - 1):
            places = found.places[found.start[way] : found.start[way + 1]]
            for k, (a, b) in enumerate(zip(places[:-1], places[1:], strict=True)):
                ends = enumerate((named(a), named(b)))
                names = [(name, way, k, side) if name in blocked else name for side, name in ends]
                if named(a) != named(b):
                    seconds = GEOD.inv(*a, *b)[2] / found.speed_m_s[way]
                    line = shapely.LineString([self.to_plane.transform(*a), self.to_plane.transform(*b)])
                    self.segments.append((*names, seconds, int(found.permission[way]), line))
        self.tree = shapely.STRtree([line for *_, line in self.segments])

    def beside_no_barrier(self, points: Any) -> Any:
        """Return the points whose nearest place is no barrier: there either side would be right."""
        kept = []
        for point in points:
            flat = shapely.Point(self.to_plane.transform(*point))
            a, b, _, _, line = self.segments[int(self.tree.nearest(flat))]
            share = line.project(flat, normalized=True)
            kept.append(len(a if share == 0 else b if share == 1 else ()) <= 2)
        return points[np.array(kept, dtype=bool)]

    def times(self, origins: Any, destinations: Any) -> Any:
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
        legs_s, on_segment = [], {}
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
            for (share, name), (next_share, next_name) in zip(stops[:-1], stops[1:], strict=True):
                length_m = (next_share - share) * self.segments[number][-1].length
                # a point at a vertex is the vertex, whichever way its segment runs
                both = length_m < 0.01 and "point" in {name[0], next_name[0]}
                if permission & 1 or both:
                    graph.add_edge(name, next_name, weight=seconds * (next_share - share))
                if permission & 2 or both:
                    graph.add_edge(next_name, name, weight=seconds * (next_share - share))
        return graph, legs_s


def equal(times: Any, expected: Any, limit_s: float) -> None:
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


def some_points(random: np.random.Generator, found: Ways, many: int) -> Any:
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
