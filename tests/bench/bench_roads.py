"""Travel times from many to many: CPU seconds and memory beside scipy's Dijkstra over every vertex, and networkx.

scipy gets the ready graph and node numbers, and answers in chunks with the same limit; what it does not do (reading,
snapping, legs on foot) is in Menpai's figure all the same. Run it with ``make bench ARGS=tests/bench/bench_roads.py``.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components, dijkstra

from data.roads import read_roads
from gis.planning.roads import Network, network, speeds
from gis.planning.roads.places import lengths_m
from gis.planning.roads.ways import Ways
from gis.register import roads

LIMIT_S = 900.0
SOURCES = 2_000
CHUNK = 50
PEER_SAMPLE = 5
BAR_BYTES = 0.5e9
SIDE = 317
"""Nodes along a side of the grid: 100,489 in all, no vertex of which could be left out."""


def _resident_bytes(key: str) -> int:
    """Return VmRSS or VmHWM of this process."""
    words = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
    return int(words.split()[1]) * 1024


def _measured(work: Callable[[], Any]) -> tuple[Any, float, int]:
    """Return what work returns, its CPU seconds and the memory it took above what was taken before."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest mark
    before, start = _resident_bytes("VmRSS"), time.process_time()
    found = work()
    return found, time.process_time() - start, max(0, _resident_bytes("VmHWM") - before)


def _plain_graph(found: Ways) -> tuple[Any, Any]:
    """Return the graph of every vertex (csr, seconds) and the places of its nodes."""
    places, node = np.unique(np.round(found.places, 7), axis=0, return_inverse=True)
    node = node.reshape(-1)
    way = np.repeat(np.arange(len(found.start) - 1), np.diff(found.start))
    at = np.flatnonzero((way[:-1] == way[1:]) & (node[:-1] != node[1:]))
    seconds = lengths_m(found.places[at], found.places[at + 1]) / found.speed_m_s[way[at]]
    ahead, back = found.permission[way[at]] & 1 > 0, found.permission[way[at]] & 2 > 0
    tails = np.concatenate([node[at][ahead], node[at + 1][back]])
    heads = np.concatenate([node[at + 1][ahead], node[at][back]])
    costs = np.concatenate([seconds[ahead], seconds[back]])
    order = np.lexsort((-costs, heads, tails))  # of parallel arcs the quickest stands last, and stays
    last = np.append((np.diff(tails[order]) != 0) | (np.diff(heads[order]) != 0), True)
    kept = order[last]
    shape = (len(places), len(places))
    return csr_array(coo_array((costs[kept], (tails[kept], heads[kept])), shape=shape)), places


def _by_scipy(graph: Any, sources: Any, targets: Any) -> Any:  # noqa: ANN401
    """Return the seconds within the limit as csr, chunk by chunk."""
    chunks = []
    for first in range(0, len(sources), CHUNK):
        reached = dijkstra(graph, indices=sources[first : first + CHUNK], limit=LIMIT_S)[:, targets]
        row, column = np.nonzero(np.isfinite(reached))
        chunks.append(coo_array((reached[row, column], (row, column)), shape=reached.shape))
    return vstack(chunks, format="csr")


def _by_networkx(graph: Any, sources: Any) -> float:  # noqa: ANN401
    """Return the CPU seconds of a sample of sources, scaled to all."""
    peer = nx.from_scipy_sparse_array(graph, create_using=nx.DiGraph)
    start = time.process_time()
    for source in sources[:PEER_SAMPLE]:
        nx.single_source_dijkstra_path_length(peer, int(source), cutoff=LIMIT_S)
    return (time.process_time() - start) * len(sources) / PEER_SAMPLE


def _compared(what: str, found: Ways, made: Callable[[], Network], many: int) -> None:
    """Print times and memory of 2,000 sources to so many targets, and the largest difference between the answers."""
    graph, places = _plain_graph(found)
    random = np.random.default_rng(7)
    piece = connected_components(graph, connection="weak")[1]
    joined = np.flatnonzero(piece == np.bincount(piece).argmax())  # Menpai moves what stands on a fragment
    sources = random.choice(joined, SOURCES, replace=False)
    targets = random.choice(joined, min(many, len(joined)), replace=False)
    built, building_s, _ = _measured(made)
    built.travel_times(places[:2], places[:2], limit_s=1.0)  # the index of edges, built once
    times, ours_s, ours_bytes = _measured(
        lambda: built.travel_times(places[sources], places[targets], limit_s=LIMIT_S).seconds
    )
    expected, scipy_s, scipy_bytes = _measured(lambda: _by_scipy(graph, sources, targets))
    peer_s = _by_networkx(graph, sources)
    difference = abs(times - expected)
    off_s = difference.max() if difference.nnz else 0.0
    print(f"\n{what}: {len(places):,} vertices, {len(built.chains.places):,} nodes; {SOURCES:,} x {len(targets):,},")
    print(f"  {times.nnz:,} pairs within {LIMIT_S:.0f} s; network built in {building_s:.1f} s")
    print(f"  Menpai {ours_s:.1f} s, {ours_bytes / 1e6:,.0f} MB; scipy {scipy_s:.1f} s, {scipy_bytes / 1e6:,.0f} MB")
    print(f"  {scipy_s / ours_s:.1f} times as fast as scipy, {peer_s / ours_s:.0f} as networkx (of a sample)")
    print(f"  pairs that only one found {abs(times.nnz - expected.nnz)}, largest difference {off_s * 1000:.4f} ms")
    assert abs(times.nnz - expected.nnz) < 10  # a pair at the very limit may fall either way
    assert off_s < 1e-3 or times.nnz != expected.nnz
    answer_bytes = times.data.nbytes + times.indices.nbytes + times.indptr.nbytes
    print(f"  of which the answer itself {answer_bytes / 1e6:,.0f} MB")
    assert ours_bytes - answer_bytes < BAR_BYTES


def _grid() -> Ways:
    """Return a town of streets 100 m apart, every vertex a crossing, with avenues that are quicker."""
    random = np.random.default_rng(3)
    ticks = np.arange(SIDE)
    lon, lat = 106.0 + ticks * 0.00115, 38.0 + ticks * 0.0009
    rows = [np.column_stack([lon, np.full(SIDE, each)]) for each in lat]
    columns = [np.column_stack([np.full(SIDE, each), lat]) for each in lon]
    return Ways(
        places=np.concatenate(rows + columns),
        start=np.arange(2 * SIDE + 1) * SIDE,
        speed_m_s=random.uniform(5, 14, 2 * SIDE),
        permission=random.choice(np.array([3, 3, 3, 1, 2], dtype=np.int8), 2 * SIDE),
        barriers=np.empty((0, 2)),
    )


@pytest.mark.parametrize("many", [5_000, 10**6])
def bench_travel_times_where_every_vertex_is_a_crossing(many: int) -> None:
    """100,489 nodes, nothing to contract (bar: no more than 1.1 times scipy's CPU, under 0.5 GB)."""
    found = _grid()
    _compared("grid", found, lambda: Network("drive", found), many)


def _ways_of(path: Path) -> Ways:
    """Return a file's ways for cars, without a database."""
    kept = [way for way in roads.sort(read_roads(path)).ways if way["motor"]]
    places, way = shapely.get_coordinates(shapely.from_wkb([way["geometry"] for way in kept]), return_index=True)
    table = speeds.table("drive")
    permission = np.array([3, 1, 2], dtype=np.int8)[[way["oneway"] for way in kept]]
    limits = np.array([way["maxspeed_kmh"] for way in kept], dtype=np.float64)
    return Ways(
        places,
        np.concatenate([[0], np.cumsum(np.bincount(way))]),
        speeds.along("drive", table, [way["road_class"] for way in kept], limits),
        permission,
        np.empty((0, 2)),
    )


@pytest.mark.parametrize("many", [5_000, 10**6])
def bench_travel_times_in_wuhan(test_data: Path, many: int) -> None:
    """A real town's streets, most of whose vertices only bend them (target: a third of scipy's CPU)."""
    found = _ways_of(test_data / "roads" / "wuhan_drive_osm.parquet")
    _compared("Wuhan", found, lambda: Network("drive", found), many)


def bench_import_and_network(database: str, test_data: Path) -> None:
    """From file to network, through the database."""
    assert database
    path = test_data / "roads" / "wuhan_drive_osm.parquet"
    rows, reading_s, _ = _measured(lambda: read_roads(path))
    _, storing_s, _ = _measured(lambda: roads.import_roads(rows, source="wuhan", file_name=path.name))
    _, making_s, taken = _measured(lambda: network("drive"))
    print(f"\n{rows.num_rows:,} ways: read {reading_s:.1f} s, stored {storing_s:.1f} s,", end=" ")
    print(f"made a network {making_s:.1f} s, {taken / 1e6:,.0f} MB (CPU of this process)")
