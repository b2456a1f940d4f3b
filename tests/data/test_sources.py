"""One table comes out of every format: every row of the file, in order, where it lies on the ground."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from data import sources
from gis.errors import FileNotReadable, UnknownFormat
from gis.register.rows import STRUCTURE_ROWS, parse_shapes
from gis.terms import Datum

ORIGIN = (106.2, 38.4)


def _squares(many: int = 4, origin: tuple[float, float] = ORIGIN) -> list[Any]:
    return [
        shapely.box(origin[0] + step * 0.001, origin[1], origin[0] + step * 0.001 + 0.0002, origin[1] + 0.0002)
        for step in range(many)
    ]


def _frame(shapes: list[Any] | None = None, **columns: list[Any]) -> Any:  # noqa: ANN401 - geopandas ships no types
    shapes = _squares() if shapes is None else shapes
    given = columns or {"source_id": [f"编{step}" for step in range(len(shapes))]}
    return gpd.GeoDataFrame(given, geometry=shapes, crs=4326)


def _read(path: Path, **options: Any) -> pa.Table:  # noqa: ANN401 - read_structures' own
    rows = sources.read_structures(path, **options)
    assert rows.schema == STRUCTURE_ROWS
    assert rows["row"].to_pylist() == list(range(1, rows.num_rows + 1))
    return rows


def _shapes(rows: pa.Table) -> Any:  # noqa: ANN401
    return parse_shapes(rows["geometry"].combine_chunks().to_numpy(zero_copy_only=False))


def _write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _parquet(path: Path, blobs: list[Any], described: Any = None, **columns: Any) -> Path:  # noqa: ANN401
    meta = {"primary_column": "geometry", "columns": {"geometry": described or {"encoding": "WKB"}}}
    table = pa.table({**columns, "geometry": pa.array(blobs, type=pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(meta)}), path)
    return path


class TestReferenceSystems:
    @pytest.mark.parametrize("suffix", ["gpkg", "fgb", "shp", "parquet"])
    @pytest.mark.parametrize(
        ("epsg", "origin"),
        [
            (4544, ORIGIN),  # CGCS2000 / 3-degree Gauss-Kruger CM 105E: easting first in files, northing first in EPSG
            (4490, ORIGIN),
            (32648, ORIGIN),
            (3857, ORIGIN),
            (2056, (8.5, 47.4)),  # Swiss: 100 m away unless the datum is shifted as well
            (27700, (-1.0, 52.0)),
        ],
    )
    def test_a_shape_lies_where_it_lay_in_whatever_crs_the_file_declares(
        self, tmp_path: Path, suffix: str, epsg: int, origin: tuple[float, float]
    ) -> None:
        path = tmp_path / f"buildings.{suffix}"
        frame = _frame(_squares(origin=origin)).to_crs(epsg)
        frame.to_parquet(path) if suffix == "parquet" else frame.to_file(path, engine="pyogrio")
        rows = _read(path)
        # FlatGeobuf orders its rows by place
        found = dict(zip(rows["source_id"].to_pylist(), _shapes(rows), strict=True))
        for step, shape in enumerate(_squares(origin=origin)):
            assert shapely.hausdorff_distance(found[f"编{step}"], shape) < 1e-7

    def test_geojson_may_declare_a_crs_of_2008(self, tmp_path: Path) -> None:
        path = tmp_path / "old.geojson"
        document = _frame().to_crs(4544).to_json(to_wgs84=False, drop_id=True)
        declared = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4544"}}
        _write(path, json.dumps(json.loads(document) | {"crs": declared}))
        assert shapely.hausdorff_distance(_shapes(_read(path))[0], _squares()[0]) < 1e-7

    @pytest.mark.parametrize("name", ["EPSG:5701", "EPSG:4978", "EPSG:999999", 7, None])
    def test_a_crs_that_places_nothing_on_the_ground_is_refused(self, tmp_path: Path, name: object) -> None:
        crs = {"type": "name", "properties": {"name": name}}
        path = _write(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": [], "crs": crs}))
        with pytest.raises(FileNotReadable, match="reference system"):
            _read(path)
        path = _parquet(tmp_path / "a.parquet", [], {"encoding": "WKB", "crs": {"name": name}})
        with pytest.raises(FileNotReadable, match="reference system"):
            _read(path)

    @pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
    def test_a_shifted_datum_is_undone_and_nonsense_passes(self, tmp_path: Path, datum: Datum) -> None:
        path = _write(tmp_path / "a.csv", "lon,lat\n106.2,38.4\nnan,38.4\n1e308,38.4\nx,y\n")
        shapes = _shapes(_read(path, datum=datum))
        moved_m = shapely.distance(shapes[0], shapely.Point(ORIGIN)) * 111_320
        assert 200 < moved_m < 1500
        assert shapely.get_x(shapes[2]) == 1e308
        assert shapes.size == 4


class TestVectorFiles:
    @pytest.mark.parametrize(("encoding", "cpg"), [("GB18030", False), ("GB18030", True), ("UTF-8", False)])
    def test_a_shapefile_of_either_encoding_is_read_with_or_without_cpg_and_prj(
        self, tmp_path: Path, encoding: str, *, cpg: bool
    ) -> None:
        path = tmp_path / "old.shp"
        _frame(source_id=list("甲乙丙丁"), premises=["银川市兴庆区"] * 4).to_file(
            path, engine="pyogrio", encoding=encoding
        )
        path.with_suffix(".prj").unlink()
        if not cpg:
            path.with_suffix(".cpg").unlink()
        rows = _read(path)
        assert rows["source_id"].to_pylist() == list("甲乙丙丁")
        assert rows["premises"].to_pylist() == ["银川市兴庆区"] * 4

    def test_a_shapefile_whose_attributes_end_early_is_refused_not_shortened(self, tmp_path: Path) -> None:
        path = tmp_path / "cut.shp"
        _frame().to_file(path, engine="pyogrio")
        table = path.with_suffix(".dbf")
        table.write_bytes(table.read_bytes()[:-120])
        with pytest.raises(FileNotReadable, match="ends before the last of its 4 records"):
            _read(path)

    @pytest.mark.parametrize("suffix", ["gpkg", "fgb", "shp", "parquet", "csv", "geojson", "osm.pbf"])
    @pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 8])
    def test_a_file_that_is_not_what_its_suffix_says_is_refused(
        self, tmp_path: Path, suffix: str, content: bytes
    ) -> None:
        with pytest.raises(FileNotReadable):
            _read(_write(tmp_path / f"a.{suffix}", content))

    def test_a_file_cut_short_is_refused(self, tmp_path: Path) -> None:
        for suffix in ("gpkg", "fgb"):
            path = tmp_path / f"a.{suffix}"
            _frame().to_file(path, engine="pyogrio")
            path.write_bytes(path.read_bytes()[:-100] if suffix == "fgb" else path.read_bytes()[:30_000])
            with pytest.raises(FileNotReadable):
                _read(path)

    def test_of_several_layers_one_must_be_named(self, tmp_path: Path) -> None:
        path = tmp_path / "two.gpkg"
        _frame().to_file(path, engine="pyogrio", layer="houses")
        _frame(_squares(2)).to_file(path, engine="pyogrio", layer="sheds", mode="a")
        with pytest.raises(FileNotReadable, match="--layer: houses, sheds"):
            _read(path)
        assert _read(path, layer="sheds").num_rows == 2
        with pytest.raises(FileNotReadable):
            _read(path, layer="barns")

    def test_a_table_without_shapes_beside_the_layer_is_no_layer(self, tmp_path: Path) -> None:
        path = tmp_path / "styled.gpkg"
        _frame().to_file(path, engine="pyogrio", layer="houses")
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, name TEXT)")
            connection.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier)"
                " VALUES ('layer_styles', 'attributes', 'styles')"
            )
        connection.close()
        assert _read(path).num_rows == 4

    def test_attributes_called_like_our_own_columns_are_not_taken_for_them(self, tmp_path: Path) -> None:
        frame = _frame(
            source_id=list("abcd"), problem=["none"] * 4, ROW=[9] * 4, Problem_=["x"] * 4, BUILDING=["yes"] * 4
        )
        frame.to_file(tmp_path / "a.gpkg", engine="pyogrio")
        frame.to_parquet(tmp_path / "a.parquet")
        features = [
            {"type": "Feature", "properties": {"Geometry": "x", "Problem": "y", "row": 1, "building": "yes"},
             "geometry": shapely.geometry.mapping(shape)} for shape in _squares()
        ]  # fmt: skip
        _write(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
        for name in ("a.gpkg", "a.parquet", "a.geojson"):
            rows = _read(tmp_path / name)
            assert rows["problem"].null_count == 4
            assert rows["kind"].to_pylist() == ["yes"] * 4
            assert shapely.equals(_shapes(rows), _squares()).all()

    def test_measures_heights_and_byte_orders_become_flat_shapes_and_curves_stay_to_be_refused(
        self, tmp_path: Path
    ) -> None:
        point = shapely.Point(1, 2)
        blobs = [
            shapely.to_wkb(point),
            shapely.to_wkb(point, byte_order=0),
            shapely.to_wkb(shapely.Point(1, 2, 3)),
            shapely.to_wkb(shapely.from_wkt("POINT M (1 2 3)"), flavor="iso"),
            shapely.to_wkb(shapely.from_wkt("POINT ZM (1 2 3 4)"), flavor="iso"),
            shapely.to_wkb(shapely.set_srid(point, 3857), include_srid=True),
            bytes.fromhex("0108000000030000") + bytes(46),  # CIRCULARSTRING
            b"",
            None,
        ]
        rows = _read(_parquet(tmp_path / "a.parquet", blobs))
        assert rows["geometry"].to_pylist()[:6] == [blobs[0]] * 6
        assert rows["geometry"].to_pylist()[6:] == blobs[6:]
        assert list(_shapes(rows)[6:]) == [None] * 3

    def test_columns_of_any_type_become_the_text_a_person_would_write(self, tmp_path: Path) -> None:
        columns = {
            "source_id": pa.array([1, None]),
            "kind": pa.array(["house", "yes"]).dictionary_encode(),
            "standard_address": pa.array(["银川市".encode("gb18030"), "银川市".encode()]),
            "entrances": pa.array([2.0, None]),
            "floors": pa.array([[1], None]),
            "valid_to": pa.array([20_000, None], type=pa.date32()),
            "premises": pa.array([True, None]),
        }
        rows = _read(_parquet(tmp_path / "a.parquet", [shapely.to_wkb(shapely.Point(1, 2))] * 2, None, **columns))
        assert rows.to_pylist()[0] | {"geometry": None, "row": 1} == {
            "row": 1, "source_id": "1", "kind": "house", "standard_address": "银川市", "entrances": "2",
            "floors": "[1]",
            "rooms_per_floor": None, "premises": "true", "valid_to": "2024-10-04", "geometry": None, "problem": None,
        }  # fmt: skip
        assert rows["standard_address"][1].as_py() == "银川市"

    @pytest.mark.parametrize("described", ["WKB", {"encoding": "polygon"}, {"crs": None}, {"encoding": 7}])
    def test_geoparquet_that_says_nothing_we_know_is_refused(self, tmp_path: Path, described: object) -> None:
        with pytest.raises(FileNotReadable):
            _read(_parquet(tmp_path / "a.parquet", [None], described))

    def test_a_suffix_that_is_none_of_ours_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownFormat):
            _read(_write(tmp_path / "a.dwg", b""))
        with pytest.raises(FileNotReadable, match="no such file"):
            _read(tmp_path / "none.csv")


class TestRowsThatCannotBeRead:
    def test_a_line_of_the_wrong_length_and_a_quote_left_open_are_rows_with_a_problem(self, tmp_path: Path) -> None:
        text = "﻿Source_ID , LON,lat\r\n"
        text += '1,106.2,38.4\r\n"2\n""b""",106.3,38.4\r\n\r\n3,106.2\r\n4,1,2,3\r\n5,"1,2\r\n6,1,2\r\n'
        rows = _read(_write(tmp_path / "a.csv", text))
        assert rows["source_id"].to_pylist() == ["1", '2\n"b"', None, None, None]
        assert rows["problem"].to_pylist() == [
            None,
            None,
            "2 fields where 3 are expected",
            "4 fields where 3 are expected",
            "a quotation mark is opened in this row and never closed",
        ]

    def test_wkt_that_is_none_keeps_its_words_and_lon_lat_stand_in_where_it_is_empty(self, tmp_path: Path) -> None:
        text = "wkt,lon,lat\n"
        text += '"POLYGON((1 2",1,2\n,106.2,38.4\n"POINT(3 4)",1,2\n"CIRCULARSTRING(0 0,1 1,2 0)",,\n,,\n,1_0,2\n'
        rows = _read(_write(tmp_path / "a.csv", text))
        blobs = rows["geometry"].to_pylist()
        assert (blobs[0], blobs[3], blobs[4]) == (b"?POLYGON((1 2", b"?CIRCULARSTRING(0 0,1 1,2 0)", None)
        assert list(_shapes(rows)[[1, 2]]) == [shapely.Point(106.2, 38.4), shapely.Point(3, 4)]
        assert not np.isfinite(shapely.get_x(_shapes(rows)[5]))

    @pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "lon,lat\n1,2".encode("utf-16"), 'lon,lat,"x\n1,2\n'])
    def test_csv_without_coordinates_or_in_another_encoding_is_refused(self, tmp_path: Path, text: str | bytes) -> None:
        with pytest.raises(FileNotReadable):
            _read(_write(tmp_path / "a.csv", text))

    def test_a_broken_feature_is_a_row_with_a_problem_and_stops_no_other(self, tmp_path: Path) -> None:
        good = {
            "type": "Feature",
            "id": 7,
            "properties": {"floors": 3},
            "geometry": {"type": "Point", "coordinates": [1, 2]},
        }
        features: list[Any] = [
            good, None, 3, [], {"type": "Feature"}, good | {"geometry": None}, good | {"geometry": "POINT(1 2)"},
            good | {"geometry": {"type": "Point", "coordinates": [float("nan"), 2]}}, good | {"properties": [1]},
            good | {"geometry": {"type": "Polygon", "coordinates": [[1, 2]]}},
            good | {"properties": {"source_id": "\ud800"}},
        ]  # fmt: skip
        texts = {
            "a.geojson": "﻿" + json.dumps({"type": "FeatureCollection", "features": features}),
            "a.geojsonl": "\n".join(map(json.dumps, features)) + "\n{broken\n",
            "rs.geojsonl": "".join(f"\x1e{json.dumps(feature)}\n" for feature in features),
        }
        for name, text in texts.items():
            rows = _read(_write(tmp_path / name, text))
            unread = [problem is not None for problem in rows["problem"].to_pylist()[: len(features)]]
            assert unread == [False, True, True, True, True, False, True, True, False, True, False]
            assert rows["geometry"].null_count == rows.num_rows - 3
        assert _read(tmp_path / "a.geojson")["source_id"].to_pylist()[10] == "?"
        assert _read(tmp_path / "a.geojsonl").num_rows == len(features) + 1

    @pytest.mark.parametrize(
        "text", ["[" * 100_000, '{"a":NaN,"b":' + "[" * 100_000, "1", "[]", '{"type":"Topology"}', "\xff"]
    )
    def test_what_is_no_geojson_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(FileNotReadable):
            _read(_write(tmp_path / "a.geojson", text.encode("latin-1")))
