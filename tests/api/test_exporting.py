"""``menpai export``: what leaves is what stands in the register, column by column and vertex by vertex."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import psycopg
import pyarrow.csv
import pyarrow.parquet
import pyogrio
import pytest
import shapely

from api import cli
from api.sampling import load_sample
from data import datums
from data.layers import FORMATS, style
from gis.register.extracts import LAYERS

MAY_LEAVE = {
    "buildings": "number kind status standard_address division_code division_name place_assumed premises entrances"
    " floors rooms_per_floor expires_on",
    "dwellings": "number building_number sequence entrance floor room status",
    "premises": "id kind name division_code",
    "divisions": "code name level parent_code boundary_source",
}
"""Every column that may stand in a file. Whoever adds one answers for it here (rights: structures and counts)."""
MADE_BY_FORMATS = {"wkt", "bbox", "geometry", "fid", "id", "Name", "description"}
KML = {"timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon"}


def written(tmp_path: Path, *words: str) -> Path:
    out = tmp_path / words[-1]
    assert cli.answer(["export", *words[:-1], str(out)]) == cli.DONE
    return out


def read(out: Path) -> tuple[list[str], list[str], list[shapely.Geometry]]:
    """Return the columns of a file, its first column, and its shapes."""
    match out.suffix:
        case ".csv":
            typed = pyarrow.csv.ConvertOptions(column_types={"number": "string"})
            table = pyarrow.csv.read_csv(out, convert_options=typed)
            return table.column_names, table["number"].to_pylist(), list(shapely.from_wkt(table["wkt"].to_pylist()))
        case ".parquet":
            table = pyarrow.parquet.read_table(out)
        case _:
            _, table = pyogrio.read_arrow(out, layer="buildings" if out.suffix == ".gpkg" else None)
    last = "geometry" if "geometry" in table.column_names else "wkb_geometry"
    names = [name for name in table.column_names if name != last]
    return names, table["number"].to_pylist(), list(shapely.from_wkb(table[last].to_pylist()))


@pytest.fixture
def register(database: str) -> dict[str, shapely.Geometry]:
    """Fill the register with a little county of fiction; return its numbers and shapes."""
    load_sample(county=640522, residents=200, seed=3)
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT number::text, ST_AsBinary(geometry) FROM reg.buildings").fetchall()
    return {number: shapely.from_wkb(bytes(blob)) for number, blob in rows}


def test_a_layer_has_the_columns_that_may_leave_and_no_other() -> None:
    assert {name: " ".join(layer.columns) for name, layer in LAYERS.items()} == MAY_LEAVE


def test_every_format_carries_every_building_with_its_number_and_shape(
    register: dict[str, shapely.Geometry], tmp_path: Path
) -> None:
    for suffix in FORMATS:
        names, numbers, shapes = read(written(tmp_path, "buildings", f"out{suffix}"))
        assert set(names) <= set(MAY_LEAVE["buildings"].split()) | MADE_BY_FORMATS | KML, suffix
        assert sorted(numbers) == sorted(register), suffix
        for number, shape in zip(numbers, shapes, strict=True):
            assert shapely.equals_exact(shape, register[number], 1e-8, normalize=True), suffix
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"out{suffix}" for suffix in FORMATS)


@pytest.mark.usefixtures("register")
def test_a_geopackage_holds_several_layers_with_styles_and_says_how_many_rows(database: str, tmp_path: Path) -> None:
    out = written(tmp_path, *LAYERS, "all.gpkg")
    with psycopg.connect(database) as connection:
        many = {
            "buildings": connection.execute("SELECT count(*) FROM reg.buildings").fetchall()[0][0],
            "dwellings": connection.execute("SELECT count(*) FROM reg.dwellings").fetchall()[0][0],
            "premises": connection.execute("SELECT count(*) FROM reg.premises").fetchall()[0][0],
            "divisions": connection.execute("SELECT count(*) FROM reg.divisions WHERE valid_to IS NULL").fetchall()[0][
                0
            ],
        }
    for name, rows in many.items():
        told = pyogrio.read_info(out, layer=name)
        assert told["features"] == rows
        assert list(told["fields"]) == MAY_LEAVE[name].split() or name == "premises"
        assert told["crs"] == "EPSG:4490"
        assert told["layer_metadata"]["rows"] == str(rows)
    file = sqlite3.connect(out)
    styles = dict(file.execute("SELECT f_table_name, styleQML FROM layer_styles").fetchall())
    file.close()
    assert styles == {name: style(layer) for name, layer in LAYERS.items()}
    assert 'name="建筑物编号"' in styles["buildings"]


def test_a_datum_shifts_and_a_reference_system_is_declared(
    register: dict[str, shapely.Geometry], tmp_path: Path
) -> None:
    _, numbers, shapes = read(written(tmp_path, "buildings", "--datum", "gcj02", "shifted.geojson"))
    lon, lat = shapely.get_coordinates(register[numbers[0]]).T
    there = shapely.get_coordinates(shapes[0])
    assert there == pytest.approx(np.column_stack(datums.to_gcj02(lon, lat)), abs=1e-8)
    out = written(tmp_path, "buildings", "--crs", "4545", "metres.gpkg")
    assert pyogrio.read_info(out, layer="buildings")["crs"] == "EPSG:4545"


@pytest.mark.usefixtures("register")
def test_a_parquet_file_says_what_it_is(tmp_path: Path) -> None:
    out = written(tmp_path, "buildings", "--division", "640522", "out.parquet")
    told = pyarrow.parquet.read_schema(out).metadata
    geo = json.loads(told[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert json.loads(told[b"menpai"])["rows"] == str(pyarrow.parquet.read_metadata(out).num_rows)


def test_another_division_and_an_area_far_away_hold_nothing(
    register: dict[str, shapely.Geometry], tmp_path: Path
) -> None:
    assert register
    assert read(written(tmp_path, "buildings", "--division", "640104", "out.csv"))[1] == []
    far = tmp_path / "far.geojson"
    far.write_text(shapely.to_geojson(shapely.box(100, 30, 101, 31)), "utf-8")
    assert read(written(tmp_path, "buildings", "--area", str(far), "out.fgb"))[1] == []


def test_a_text_that_a_spreadsheet_would_run_is_guarded(
    database: str, register: dict[str, shapely.Geometry], tmp_path: Path
) -> None:
    assert register
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.addresses SET standard_address = '=1+1'")
        connection.execute("UPDATE reg.dwellings SET room = '-1'")
    lines = written(tmp_path, "buildings", "out.csv").read_text("utf-8")
    assert '"\'=1+1"' in lines
    assert '"=1+1"' not in lines
    rooms = written(tmp_path, "dwellings", "rooms.csv").read_text("utf-8")
    assert '"-1"' in rooms
    assert "'-1" not in rooms


@pytest.mark.parametrize(
    "words",
    [
        ("buildings", "out.dwg"),
        ("buildings", "premises", "out.csv"),
        *[("buildings", "--datum", "gcj02", f"out{suffix}") for suffix in (".fgb", ".kml", ".csv", ".geojsonl")],
    ],
)
@pytest.mark.usefixtures("database")
def test_what_cannot_be_written_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert cli.answer(["export", *words[:-1], str(tmp_path / words[-1])]) == cli.REFUSED
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
