"""What a file of structures becomes before it is checked: one Arrow table, whatever the format.

``data.sources`` and ``data.fiction`` make it; ``gis.register.batches`` checks and registers it.
"""

import pyarrow as pa

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
