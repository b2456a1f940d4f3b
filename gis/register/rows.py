"""What a file of structures becomes before it is checked: one Arrow table, whatever the format.

``data.sources`` and ``data.fiction`` make it; ``gis.register.batches`` checks and registers it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

STRUCTURE_ROWS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),  # place in the source, from 1
        pa.field("source_id", pa.string()),
        pa.field("kind", pa.string()),  # as the source says it: ours, or a value of OSM's building=
        pa.field("standard_address", pa.string()),
        pa.field("entrances", pa.string()),
        pa.field("floors", pa.string()),
        pa.field("rooms_per_floor", pa.string()),
        pa.field("premises", pa.string()),  # name of the compound, estate or construction site
        pa.field("valid_to", pa.string()),  # expiry date, YYYY-MM-DD
        pa.field("geometry", pa.binary()),  # WKB of two dimensions, longitude and latitude in CGCS2000; null: none
        pa.field("problem", pa.string()),  # why the reader could not read the row (its geometry is null then)
    ]
)
"""Attributes are text as the source wrote them; batches decides what can be read."""
NO_WKB = b"?"
"""Begins a geometry that is the source's own text, of which nobody could make a shape."""


def parse_shapes(
    blobs: npt.NDArray[np.object_], read: Callable[..., Any] = shapely.from_wkb
) -> npt.NDArray[np.object_]:
    """Return the shapes (n,) that WKB, or what ``read`` reads, stands for; None where there is none.

    Shapely stops at the first curve, whatever it is told to do with what is invalid: curves are no shapes here.
    """
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers are refused later, and told
        try:
            return np.asarray(read(blobs, on_invalid="ignore"), dtype=object)
        except NotImplementedError:
            shapes = np.full(len(blobs), None, dtype=object)
            for place, blob in enumerate(blobs):
                with suppress(NotImplementedError):
                    shapes[place] = read(blob, on_invalid="ignore")
            return shapes
