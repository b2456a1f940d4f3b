"""What a roster file becomes before it is checked: one Arrow table of text columns."""

import pyarrow as pa

ROSTER_ROWS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("occupant_id", pa.string()),
        pa.field("address", pa.string()),
        pa.field("name", pa.string()),
        pa.field("doc_type", pa.string()),
        pa.field("id_number", pa.string()),
        pa.field("birth_date", pa.string()),
        pa.field("sex", pa.string()),
        pa.field("nationality", pa.string()),
        pa.field("hukou_code", pa.string()),
        pa.field("hukou_as_of", pa.string()),
        pa.field("from_date", pa.string()),
        pa.field("until_date", pa.string()),
        pa.field("basis", pa.string()),
    ]
)
"""A roster, column by column as the contract names them; a column the file lacks is all null."""
