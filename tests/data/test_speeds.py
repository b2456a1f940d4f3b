"""A planner's table of speeds is read from CSV and JSON, or refused in one sentence."""

from pathlib import Path

import pytest

from data.speeds import read_speeds
from gis.errors import BadArgument, FileNotReadable
from gis.planning.roads import speeds


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "\ufeffclass,kmh\nprimary,38.5\ndefault,20\n"), ("a.json", '{"primary": 38.5, "default": 20}')],
)
def test_a_table_takes_the_place_of_the_program_s(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    table = speeds.table("drive", read_speeds(path))
    assert (table["primary"], table["secondary"], table["access"]) == (38.5, 20, speeds.WALK_KMH)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", "road,speed\nprimary,3\n"), ("a.csv", "class,kmh\nprimary,fast\n"), ("a.json", "[40]"), ("a.json", "{")],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(FileNotReadable, match="expected the columns class and kmh"):
        read_speeds(tmp_path / name)
    with pytest.raises(FileNotReadable, match="No such file"):
        read_speeds(tmp_path / "missing.csv")


@pytest.mark.parametrize("kmh", [0, -1, float("nan"), float("inf"), 900])
def test_a_speed_that_is_none_is_refused(kmh: float) -> None:
    with pytest.raises(BadArgument, match="the speed of primary must be above 0"):
        speeds.table("drive", {"primary": kmh})


def test_on_foot_a_default_counts_for_the_way_to_the_road_too() -> None:
    table = speeds.table("walk", {"default": 3.6})
    assert (table["residential"], table["steps"], table["access"]) == (3.6, 3.6, 3.6)
