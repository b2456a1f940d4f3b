"""Rows of structures as a reader would hand them over."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from gis.register.rows import STRUCTURE_ROWS

MakeRows = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    """Return what makes a table of rows from shapes (or their WKB) and any of its other columns."""

    def make(shapes: Sequence[Any], **columns: Sequence[str | None]) -> pa.Table:
        blobs = [shape if shape is None or isinstance(shape, bytes) else shapely.to_wkb(shape) for shape in shapes]
        given = {"row": np.arange(1, len(blobs) + 1, dtype=np.int32), "geometry": blobs, **columns}
        arrays = [
            pa.array(given[field.name], type=field.type) if field.name in given else pa.nulls(len(blobs), field.type)
            for field in STRUCTURE_ROWS
        ]
        return pa.table(arrays, schema=STRUCTURE_ROWS)

    return make
