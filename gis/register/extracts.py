"""What leaves the register as files: structures and their numbers, layer by layer, and nobody who lives there.

Each layer names its columns one by one; a statement cannot bring along what its layer does not name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import shapely
from sqlalchemy import Connection, TextClause, text

from gis.register import divisions

ROWS_AT_ONCE: Final = 8192
"""Rows in memory at a time; the rest waits in the server's cursor."""
_EVERYWHERE = (0, 10**12)


@dataclass(frozen=True)
class Layer:
    """A layer of structures that may leave: its columns, with their types and Chinese names, and where they are read.

    After the columns a row holds its shape as WKB in EPSG:4490 and the number of all rows.
    """

    name: str
    zh: str
    label: str
    columns: dict[str, tuple[Any, str]]
    statement: TextClause
    always_placed: bool = True
    """Whether every row has a shape."""

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow types, ``geometry`` last."""
        named = [pa.field(name, kind) for name, (kind, _) in self.columns.items()]
        return pa.schema([*named, pa.field("geometry", pa.binary())])


_TEXT, _INT, _DAY, _FLAG = pa.string(), pa.int32(), pa.date32(), pa.bool_()
LAYERS: Final = {
    layer.name: layer
    for layer in (
        Layer(
            "buildings",
            "建筑物",
            "number",
            {
                "number": (_TEXT, "建筑物编号"),
                "kind": (_TEXT, "建筑物类型"),
                "status": (_TEXT, "状态"),
                "standard_address": (_TEXT, "标准地址"),
                "division_code": (_TEXT, "行政区划代码"),
                "division_name": (_TEXT, "行政区划"),
                "place_assumed": (_FLAG, "位置为推定"),
                "premises": (_TEXT, "院落、小区、工地"),
                "entrances": (_INT, "单元数"),
                "floors": (_INT, "层数"),
                "rooms_per_floor": (_INT, "每层户数"),
                "expires_on": (_DAY, "到期日"),
            },
            text(
                "SELECT number::text, kind, status, standard_address, division_code::text, division_name,"
                " place_assumed, premises, entrances, floors, rooms_per_floor, expires_on, ST_AsBinary(geometry),"
                " count(*) OVER () FROM calc.structures WHERE division_code BETWEEN :low AND :high"
                " AND (CAST(:area AS bytea) IS NULL"
                " OR ST_Intersects(geometry, ST_GeomFromWKB(CAST(:area AS bytea), 4490))) ORDER BY number"
            ),
        ),
        Layer(
            "dwellings",
            "户、室",
            "room",
            {
                "number": (_TEXT, "户室编号"),
                "building_number": (_TEXT, "建筑物编号"),
                "sequence": (_INT, "序号"),
                "entrance": (_INT, "单元"),
                "floor": (_INT, "楼层"),
                "room": (_TEXT, "室号"),
                "status": (_TEXT, "状态"),
            },
            text(
                "SELECT b.number || '-' || lpad(w.sequence::text, 4, '0'), b.number::text, w.sequence, w.entrance,"
                " w.floor, w.room, w.status, ST_AsBinary(ST_PointOnSurface(b.geometry)), count(*) OVER ()"
                " FROM reg.dwellings w JOIN reg.buildings b ON b.number = w.building_number"
                " WHERE b.division_code BETWEEN :low AND :high AND (CAST(:area AS bytea) IS NULL"
                " OR ST_Intersects(b.geometry, ST_GeomFromWKB(CAST(:area AS bytea), 4490)))"
                " ORDER BY b.number, w.sequence"
            ),
        ),
        Layer(
            "premises",
            "院落、小区、工地",
            "name",
            {
                "id": (_INT, "序号"),
                "kind": (_TEXT, "类型"),
                "name": (_TEXT, "名称"),
                "division_code": (_TEXT, "行政区划代码"),
            },
            text(
                "SELECT p.id, p.kind, p.name, p.division_code::text, ST_AsBinary(s.place), count(*) OVER ()"
                " FROM reg.premises p LEFT JOIN (SELECT premises_id, ST_Centroid(ST_Collect(geometry)) AS place"
                " FROM reg.buildings WHERE premises_id IS NOT NULL GROUP BY 1) s ON s.premises_id = p.id"
                " WHERE p.division_code BETWEEN :low AND :high AND (CAST(:area AS bytea) IS NULL"
                " OR ST_Intersects(s.place, ST_GeomFromWKB(CAST(:area AS bytea), 4490))) ORDER BY p.id"
            ),
            always_placed=False,
        ),
        Layer(
            "divisions",
            "行政区划",
            "name",
            {
                "code": (_TEXT, "行政区划代码"),
                "name": (_TEXT, "名称"),
                "level": (_TEXT, "级别"),
                "parent_code": (_TEXT, "上级代码"),
                "boundary_source": (_TEXT, "界线来源"),
            },
            text(
                "SELECT code::text, name, level, parent_code::text, boundary_source, ST_AsBinary(boundary),"
                " count(*) OVER () FROM reg.divisions WHERE valid_to IS NULL AND code BETWEEN :low AND :high"
                " AND (CAST(:area AS bytea) IS NULL"
                " OR ST_Intersects(boundary, ST_GeomFromWKB(CAST(:area AS bytea), 4490))) ORDER BY code"
            ),
            always_placed=False,
        ),
    )
}


@dataclass(frozen=True)
class Extract:
    """The rows of a layer, some at a time, and how many there are."""

    layer: Layer
    rows: int
    batches: Iterator[pa.RecordBatch]


def extract(
    connection: Connection, layer: Layer, *, division: int | None = None, area: shapely.Geometry | None = None
) -> Extract:
    """Return a layer's rows of a division and of an area (EPSG:4490 degrees); without either, of the whole register."""
    low, high = _EVERYWHERE if division is None else divisions.extent(division)
    given = {"low": low, "high": high, "area": None if area is None else shapely.to_wkb(area)}
    found = connection.execute(layer.statement, given, execution_options={"yield_per": ROWS_AT_ONCE}).partitions()
    first = next(found, [])

    def batches() -> Iterator[pa.RecordBatch]:
        yield _batch(layer.schema, first)
        for rows in found:
            yield _batch(layer.schema, rows)

    return Extract(layer, first[0][-1] if first else 0, batches())


def _batch(schema: pa.Schema, rows: Any) -> pa.RecordBatch:  # noqa: ANN401 - rows of any statement
    """Return rows as Arrow columns."""
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))[:-1] if rows else [()] * len(schema)
    columns[-1] = tuple(None if blob is None else bytes(blob) for blob in columns[-1])
    arrays = [pa.array(column, type=field.type) for field, column in zip(schema, columns, strict=True)]
    return pa.record_batch(arrays, schema=schema)
