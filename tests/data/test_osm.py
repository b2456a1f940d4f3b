"""Every building way and multipolygon of an OpenStreetMap extract is a row, whatever is wrong with it."""

from pathlib import Path
from typing import Any

import osmium
import pytest
import shapely
from osmium.osm import mutable

from data import sources
from gis.errors import FileNotReadable
from gis.register.rows import parse_shapes

HOUSE = {"building": "house"}
Rows = dict[str, tuple[str | None, Any]]


def _nodes(ring: int) -> list[Any]:
    """Return the corners of the ring's square, numbered from ten times its own number."""
    corners = ((0, 0), (0.0002, 0), (0.0002, 0.0002), (0, 0.0002))
    places = [(8.5 + ring * 0.001 + east, 47.4 + north) for east, north in corners]
    return [mutable.Node(id=ring * 10 + corner, location=place) for corner, place in enumerate(places)]


def _way(number: int, corners: str, tags: dict[str, str] | None = None, ring: int | None = None) -> Any:  # noqa: ANN401
    first = (number if ring is None else ring) * 10
    return mutable.Way(
        id=number, nodes=[first + int(corner) for corner in corners], tags=HOUSE if tags is None else tags
    )


def _relation(number: int, members: list[tuple[int, str]], tags: dict[str, str] | None = None) -> Any:  # noqa: ANN401
    given = {"type": "multipolygon", **(HOUSE if tags is None else tags)}
    return mutable.Relation(id=number, members=[("w", way, role) for way, role in members], tags=given)


def _write(path: Path, nodes: list[Any], ways: list[Any], relations: list[Any]) -> Path:
    with osmium.SimpleWriter(str(path)) as writer:
        for node in nodes:
            writer.add_node(node)
        for way in ways:
            writer.add_way(way)
        for relation in relations:
            writer.add_relation(relation)
    return path


def _read(path: Path) -> Rows:
    """Return problem and shape by source_id."""
    rows = sources.read_structures(path)
    shapes = parse_shapes(rows["geometry"].combine_chunks().to_numpy(zero_copy_only=False))
    read = zip(rows["source_id"].to_pylist(), rows["problem"].to_pylist(), shapes, strict=True)
    found = {source_id: (problem, shape) for source_id, problem, shape in read}
    assert len(found) == rows.num_rows
    return found


@pytest.fixture
def nodes() -> list[Any]:
    return [node for ring in range(1, 10) for node in _nodes(ring)]


def test_a_closed_way_is_a_polygon_and_any_other_has_a_problem(tmp_path: Path, nodes: list[Any]) -> None:
    ways = [
        _way(1, "01230"),
        _way(2, "0123"),
        _way(3, "010"),
        _way(4, ""),
        _way(5, "02130"),
        _way(50, "01230"),
        _way(60, "0120", {}),
    ]
    found = _read(_write(tmp_path / "a.osm.pbf", nodes, ways, []))
    assert list(found) == ["way/1", "way/2", "way/3", "way/4", "way/5", "way/50"]
    assert [problem for problem, _ in found.values()] == [
        None,
        *["the way is not a closed ring"] * 3,
        None,
        "a node of the way is not in the file",
    ]
    assert found["way/1"][1].equals(shapely.box(8.501, 47.4, 8.5012, 47.4002))
    assert not found["way/5"][1].is_valid  # it crosses itself: refused later, repaired by nobody


def test_a_multipolygon_is_assembled_and_one_that_makes_no_area_has_a_problem(tmp_path: Path, nodes: list[Any]) -> None:
    ways = [
        _way(1, "01230", {}),
        _way(2, "012", {}),
        _way(3, "230", {}, ring=2),
        _way(4, "02130", {}),
        _way(5, "01230", {}),
    ]
    relations = [
        _relation(1, [(1, "outer"), (5, "outer")]),
        _relation(2, [(2, "outer"), (3, "outer")]),
        _relation(3, [(2, "outer")]),
        _relation(4, [(4, "outer")]),
        _relation(5, []),
        _relation(6, [(999, "outer")]),
        _relation(7, [(1, "outer")], {"building": "house", "type": "site"}),
        _relation(8, [(1, "outer")], {}),
    ]
    found = _read(_write(tmp_path / "a.osm.pbf", nodes, ways, relations))
    assert sorted(found) == [f"relation/{number}" for number in range(1, 7)]
    assert {source_id for source_id, (problem, _) in found.items() if problem} == {
        f"relation/{n}" for n in (3, 4, 5, 6)
    }
    assert found["relation/1"][1].geom_type == "MultiPolygon"
    assert found["relation/2"][1].equals(shapely.box(8.502, 47.4, 8.5022, 47.4002))


@pytest.mark.parametrize("numbers", [(2, 1, 3), (1, 3, 3)])
def test_a_file_out_of_order_or_with_repeated_ids_keeps_every_row(
    tmp_path: Path, nodes: list[Any], numbers: tuple[int, ...]
) -> None:
    ways = [_way(number, "01230", ring=place) for place, number in enumerate(numbers, 1)]
    path = _write(tmp_path / "a.osm.pbf", nodes, ways, [_relation(1, [(1, "outer")])])
    rows = sources.read_structures(path)
    assert rows["source_id"].to_pylist() == [*(f"way/{number}" for number in numbers), "relation/1"]
    assert rows["geometry"].null_count == 1
    assert rows["problem"].to_pylist() == [None, None, None, "the multipolygon makes no area"]


def test_levels_that_say_nothing_certain_are_left_out(tmp_path: Path, nodes: list[Any]) -> None:
    levels = ["3", "2.5", "1;2", "0", "999", "-1", ""]
    ways = [_way(n, "01230", {"building": "yes", "building:levels": word}) for n, word in enumerate(levels, 1)]
    rows = sources.read_structures(_write(tmp_path / "a.osm.pbf", nodes, ways, []))
    assert rows["floors"].to_pylist() == ["3", *[None] * 6]
    assert set(rows["kind"].to_pylist()) == {"yes"}


def test_a_file_cut_short_is_refused(tmp_path: Path, nodes: list[Any]) -> None:
    path = _write(tmp_path / "a.osm.pbf", nodes, [_way(n, "01230") for n in range(1, 9)], [])
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileNotReadable):
        sources.read_structures(path)
