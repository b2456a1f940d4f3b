"""Roads in the register: rows of a file become ways and barriers; a source is replaced whole, in one transaction."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from sqlalchemy import Connection, text

from gis.errors import NoRoadsInFile
from gis.register import references, road_tags
from gis.register.rows import parse_shapes
from gis.store import copying, session
from gis.terms import RoadReason

_WAYS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("way", "road_class", "name")),
        pa.field("oneway", pa.int16()),
        pa.field("maxspeed_kmh", pa.float64()),
        *(pa.field(name, pa.bool_()) for name in ("foot", "motor")),
        pa.field("geometry", pa.binary()),
    ]
)
_BARRIERS = pa.schema([field for field in _WAYS if field.name in {"foot", "motor", "geometry"}]).insert(
    0, pa.field("barrier", pa.string())
)
_LON_DEG, _LAT_DEG = 180.0, 90.0
DIGITS = 7
"""Decimals of a degree that tell two vertices apart: 1 cm, the resolution of OpenStreetMap's own coordinates."""


@dataclass
class Sorted:
    """Rows of a file, sorted into what is stored and what is not."""

    ways: list[dict[str, Any]] = field(default_factory=list)
    barriers: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[RoadReason] = field(default_factory=Counter)
    classes_left_out: Counter[str] = field(default_factory=Counter)
    """What the rows that are no road said they are."""

    def leave_out(self, reason: RoadReason, many: int = 1) -> None:
        """Count rows that are not stored."""
        self.left_out[reason] += many


@dataclass(frozen=True)
class RoadsResult:
    """What an import of roads did."""

    rows: int
    """Rows of the file."""
    ways: int
    """Ways stored; a row of several lines makes several."""
    barriers: int
    replaced: int
    """Ways of the same source that stood there before."""
    left_out: Mapping[RoadReason, int]
    classes_left_out: Mapping[str, int]


def import_roads(rows: pa.Table, *, source: str, file_name: str, dry_run: bool = False) -> RoadsResult:
    """Put the roads of a file (ROAD_ROWS) in the place of all that its source brought before.

    Raises NoRoadsInFile where no row is a road: what is stored stays as it is then.
    """
    found = sort(rows)
    if not found.ways:
        raise NoRoadsInFile(path=file_name, why=_why_none(found))
    with session.open("owner") as connection:
        replaced = _count(connection, source) if dry_run else _replace(connection, source, found)
    return RoadsResult(
        rows.num_rows, len(found.ways), len(found.barriers), replaced, found.left_out, found.classes_left_out
    )


def _why_none(found: Sorted) -> str:
    """Return why nothing of a file is a road."""
    if not found.left_out:
        return "it has no rows"
    return ", ".join(f"{many:,} rows {reason.en}" for reason, many in found.left_out.most_common())


def _count(connection: Connection, source: str) -> int:
    """Return how many ways of a source are stored."""
    statement = "SELECT count(*) FROM reg.road_ways w JOIN reg.sources s ON s.id = w.source_id WHERE s.name = :source"
    return int(connection.execute(text(statement), {"source": source}).scalar_one())


def _replace(connection: Connection, source: str, found: Sorted) -> int:
    """Put what was found in the place of what a source brought before; return how many ways that was."""
    of = {"source": references.find_source(connection, source)}
    # two imports of one source follow each other, and the later one stands
    connection.execute(text("SELECT FROM reg.sources WHERE id = :source FOR UPDATE"), of)
    replaced = connection.execute(text("DELETE FROM reg.road_ways WHERE source_id = :source"), of).rowcount
    connection.execute(text("DELETE FROM reg.road_barriers WHERE source_id = :source"), of)
    for table, kept, columns in (("road_ways", found.ways, _WAYS), ("road_barriers", found.barriers, _BARRIERS)):
        stored = pa.Table.from_pylist(kept, columns)
        copying.copy(
            connection,
            f"reg.{table}",
            stored.append_column("source_id", pa.array([of["source"]] * len(kept), type=pa.int32())),
        )
    return int(replaced)


def sort(rows: pa.Table) -> Sorted:
    """Return the rows (ROAD_ROWS) as ways and barriers with what their words mean, and why the others are left out."""
    found = Sorted()
    shapes = parse_shapes(rows["geometry"].combine_chunks().to_numpy(zero_copy_only=False))
    given = rows.drop_columns(["geometry"]).to_pylist()
    upon = np.array([bool(tags["barrier"]) and not tags["road_class"] for tags in given], dtype=bool)
    seen: set[tuple[object, ...]] = set()
    for place in np.flatnonzero(~upon):
        _sort_way(found, seen, given[place], shapes[place])
    vertices = _vertices(found.ways)
    for place in np.flatnonzero(upon):
        _sort_barrier(found, vertices, given[place], shapes[place])
    return found


def _sort_way(found: Sorted, seen: set[tuple[object, ...]], tags: dict[str, Any], shape: Any) -> None:  # noqa: ANN401
    """Add a row to what is stored, a way for each of its lines, or to what is left out."""
    read = _meaning(tags)
    trouble = _trouble(tags, shape, shapely.LineString, shapely.MultiLineString)
    if isinstance(read, RoadReason) or trouble:
        reason = trouble if trouble or not isinstance(read, RoadReason) else read
        found.leave_out(reason or RoadReason.NO_ROAD)
        if reason is RoadReason.NO_ROAD:
            found.classes_left_out[tags["road_class"]] += 1
        return
    for line in shapely.get_parts(shape):
        way = read | {"geometry": shapely.to_wkb(line)}
        key = (_either_way(line, way), *(way[name] for name in ("road_class", "maxspeed_kmh", "foot", "motor")))
        if line.length == 0:
            found.leave_out(RoadReason.NO_LENGTH)
        elif key in seen:
            found.leave_out(RoadReason.REPEATED)
        else:
            seen.add(key)
            found.ways.append(way)


def _either_way(line: Any, way: dict[str, Any]) -> tuple[bytes, int]:  # noqa: ANN401
    """Return a way's line and direction, the same where it is drawn the other way round: graphs write both."""
    drawn, turned = way["geometry"], shapely.to_wkb(line.reverse())
    return min((drawn, way["oneway"]), (turned, -way["oneway"]))


def _meaning(tags: dict[str, Any]) -> dict[str, Any] | RoadReason:
    """Return what the words of a way mean, or why it is none."""
    kind = road_tags.road_class(tags["road_class"])
    if kind is None:
        return RoadReason.NO_ROAD
    oneway = road_tags.one_way(tags, kind)
    foot = road_tags.may_walk(tags, kind)
    motor = oneway is not None and road_tags.may_drive(tags, kind)
    if not (foot or motor):
        return RoadReason.CLOSED
    return {
        "way": _plain(tags["way"]),
        "road_class": kind.value,
        "name": _plain(tags["name"]),
        "oneway": oneway or 0,
        "maxspeed_kmh": road_tags.speed_limit_kmh(tags["maxspeed"]),
        "foot": foot,
        "motor": motor,
    }


def _plain(word: str | None) -> str | None:
    """Return a text without NUL, which PostgreSQL does not keep."""
    return None if word is None else word.replace("\x00", "")


def _trouble(tags: dict[str, Any], shape: Any, *kinds: type) -> RoadReason | None:  # noqa: ANN401
    """Return what is wrong with a row's shape, None where nothing is."""
    if tags["problem"]:
        return RoadReason.UNREADABLE_ROW
    if shape is None or shape.is_empty:
        return RoadReason.MISSING_GEOMETRY
    if not isinstance(shape, kinds):
        return RoadReason.NO_LINE
    line: Any = shape
    places = np.abs(shapely.get_coordinates(line))
    on_earth = (places[:, 0] <= _LON_DEG) & (places[:, 1] <= _LAT_DEG)  # False for what is no number
    return None if on_earth.all() else RoadReason.BAD_COORDINATES


def _vertices(ways: list[dict[str, Any]]) -> set[tuple[float, float]]:
    """Return the places of all vertices, to a centimetre."""
    lines: Any = shapely.from_wkb([way["geometry"] for way in ways])
    return {(lon, lat) for lon, lat in np.round(shapely.get_coordinates(lines), DIGITS).tolist()}


def _sort_barrier(
    found: Sorted,
    vertices: set[tuple[float, float]],
    tags: dict[str, Any],
    shape: Any,  # noqa: ANN401
) -> None:
    """Add a barrier to what is stored where it stands on a way and stops anybody."""
    trouble = _trouble(tags, shape, shapely.Point)
    foot, motor = road_tags.lets_walkers_pass(tags), road_tags.lets_cars_pass(tags)
    if trouble:
        found.leave_out(trouble)
    elif (round(shape.x, DIGITS), round(shape.y, DIGITS)) not in vertices:
        found.leave_out(RoadReason.OFF_THE_ROADS)
    elif foot and motor:
        found.leave_out(RoadReason.NO_BARRIER)
    else:
        found.barriers.append(
            {"barrier": _plain(tags["barrier"]), "foot": foot, "motor": motor, "geometry": shapely.to_wkb(shape)}
        )
