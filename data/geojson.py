"""GeoJSON (RFC 7946) feature by feature, and GeoJSON text sequences: a broken feature is a row with a problem.

GDAL drops or mends features that are not well-formed; here every element of ``features`` stays a row.
"""

import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyproj
import shapely

from gis.errors import FileNotReadable

CRS84 = "OGC:CRS84"
Columns = dict[str, pa.Array]
_MADE_HERE = {"row", "geometry", "problem"}
"""Columns that reading makes; a property called so is none of ours."""


def read(path: Path) -> tuple[Columns, Any]:
    """Return the columns (n,) of a GeoJSON file or sequence, ``geometry`` and ``problem`` among them, and its CRS.

    Raises FileNotReadable where the file is no GeoJSON of features.
    """
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        document = _parse(raw)
    except orjson.JSONDecodeError as error:
        features = _sequence(raw)
        if features is None:
            raise FileNotReadable(path=path, why=f"it is not JSON ({error})") from error
        return _columns(features), CRS84
    features, crs = _features(path, document)
    return _columns(features), crs


def _parse(raw: bytes) -> Any:  # noqa: ANN401
    """Return a JSON text; what Python and GDAL write beyond JSON (NaN, half a surrogate pair) becomes null or ``?``.

    Raises orjson.JSONDecodeError for what is no JSON even so.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            document = json.loads(raw, parse_constant=lambda _: None)
            return orjson.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            pass
        raise


def _sequence(raw: bytes) -> list[Any] | None:
    """Return the features of a sequence (a line each, RFC 8142's separators allowed); None if it is none.

    A line that is no JSON becomes a feature that cannot be read.
    """
    lines = [line for line in raw.replace(b"\x1e", b"").splitlines() if line.strip()]
    features = []
    for line in lines:
        try:
            features.append(_parse(line))
        except orjson.JSONDecodeError:
            features.append(line[:60].decode("utf-8", "replace"))
    readable = sum(isinstance(feature, dict) and feature.get("type") == "Feature" for feature in features)
    return features if readable else None


def _features(path: Path, document: Any) -> tuple[list[Any], Any]:  # noqa: ANN401 - anything may stand in a file
    """Return the features of a parsed document and the CRS it declares."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise FileNotReadable(path=path, why='the FeatureCollection has no list of "features"')
        return features, _declared_crs(path, document)
    if kind == "Feature":
        return [document], _declared_crs(path, document)
    if kind in {
        "Point",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
        "LineString",
        "MultiPoint",
        "MultiLineString",
    }:
        return [{"type": "Feature", "properties": {}, "geometry": document}], CRS84
    raise FileNotReadable(path=path, why='expected GeoJSON of type "FeatureCollection", "Feature" or a geometry')


def _declared_crs(path: Path, document: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the CRS of GeoJSON 2008's ``crs`` member; RFC 7946 knows only WGS 84."""
    declared = document.get("crs")
    if declared is None:
        return CRS84
    try:
        return pyproj.CRS.from_user_input(declared["properties"]["name"])
    except (KeyError, TypeError, pyproj.exceptions.CRSError) as error:
        raise FileNotReadable(path=path, why="its crs member names no known reference system") from error


def _columns(features: list[Any]) -> Columns:
    """Return the columns of parsed features."""
    properties, shapes, problems = [], [], []
    for feature in features:
        geometry, problem = _geometry(feature)
        given = feature.get("properties") if isinstance(feature, dict) else None
        properties.append(given if isinstance(given, dict) else {})
        shapes.append(geometry)
        problems.append(problem)
    names = dict.fromkeys(name for given in properties for name in given if name.strip().lower() not in _MADE_HERE)
    columns = {name: pa.array([_word(given.get(name)) for given in properties], type=pa.string()) for name in names}
    if not any(name.lower() == "source_id" for name in columns):
        ids = [_word(feature.get("id")) if isinstance(feature, dict) else None for feature in features]
        columns["source_id"] = pa.array(ids, type=pa.string())
    return columns | {
        "geometry": pa.array(shapes, type=pa.binary()),
        "problem": pa.array(problems, type=pa.string()),
    }


def _geometry(feature: Any) -> tuple[bytes | None, str | None]:  # noqa: ANN401
    """Return a feature's geometry as WKB, or why there is none; a null geometry is no problem of reading."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return None, "not a GeoJSON Feature"
    geometry = feature.get("geometry")
    if geometry is None:
        return None, None if "geometry" in feature else 'the Feature has no "geometry"'
    if not isinstance(geometry, dict):
        return None, 'its "geometry" is no GeoJSON geometry'
    try:
        return shapely.to_wkb(shapely.force_2d(shapely.from_geojson(orjson.dumps(geometry)))), None
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        return None, f"its geometry cannot be read: {str(error)[:120]}"


def _word(value: Any) -> str | None:  # noqa: ANN401
    """Return a property as text."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
