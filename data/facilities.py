"""Files of facilities and of planners' candidates: points with a name."""

from pathlib import Path

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from data import sources
from gis.errors import FileNotReadable
from gis.planning.plans.facilities import Facility
from gis.terms import Datum

COLUMNS = pa.schema([pa.field(name, pa.string()) for name in ("name", "kind", "address", "capacity")])


def read_facilities(
    path: Path, *, kind: str | None = None, layer: str | None = None, datum: Datum | None = None
) -> list[Facility]:
    """Return the facilities of a file in CGCS2000; ``kind`` is for rows that name none.

    A shape that is no point counts by a point on it. Raises UnknownFormat, FileNotReadable with the row.
    """
    columns = {
        name.strip().lower(): column
        for name, column in sources.read_columns(path, sources.READERS, layer=layer, datum=datum).items()
    }
    many = len(columns["geometry"])
    texts = {field.name: sources.as_text(columns.get(field.name), many, field).to_pylist() for field in COLUMNS}
    shapes = shapely.from_wkb(columns["geometry"].to_pylist(), on_invalid="ignore")
    return [
        _facility(path, row, shapes[row], {name: values[row] for name, values in texts.items()}, kind)
        for row in range(many)
    ]


def _facility(
    path: Path, row: int, geometry: BaseGeometry | None, said: dict[str, str | None], kind: str | None
) -> Facility:
    """Return one facility; raises FileNotReadable for a row without a place or with a capacity that is none."""
    if geometry is None or geometry.is_empty:
        raise FileNotReadable(path=path, why=f"row {row + 1} has no place; give lon and lat, or a geometry")
    point = geometry.representative_point()
    try:
        capacity = float(said["capacity"]) if said["capacity"] else None
    except ValueError as error:
        raise FileNotReadable(path=path, why=f"row {row + 1}: capacity is a number of people") from error
    name = said["name"] or f"{path.stem} {row + 1}"
    return Facility(said["kind"] or kind or "", name, point.x, point.y, said["address"], capacity)
