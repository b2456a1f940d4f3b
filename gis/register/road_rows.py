"""What a file of roads becomes before it is stored: one Arrow table, whatever the format.

``data.roads`` makes it; ``gis.register.roads`` reads its words and stores it.
"""

import pyarrow as pa

ROAD_ROWS = pa.schema(
    [
        pa.field("way", pa.string()),  # the source's own id
        pa.field("road_class", pa.string()),  # as the source says it: OSM's highway=, or Geofabrik's fclass
        pa.field("barrier", pa.string()),  # OSM's barrier=: such a row is a point, a vertex of the ways it stands on
        pa.field("name", pa.string()),
        *(pa.field(key, pa.string()) for key in ("oneway", "junction", "maxspeed", "motorroad", "locked")),
        *(pa.field(key, pa.string()) for key in ("access", "vehicle", "motor_vehicle", "motorcar", "foot")),
        pa.field("geometry", pa.binary()),  # WKB of two dimensions, longitude and latitude in CGCS2000
        pa.field("problem", pa.string()),  # why the reader could not read the row (its geometry is null then)
    ]
)
"""Attributes are text as the source wrote them."""
