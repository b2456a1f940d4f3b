"""Bulk loading: Arrow columns straight into a table by binary COPY, encoded outside Python's loop."""

import logging
from typing import Any

import pgpq
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Connection

from gis.store import session

# a connection lost in mid-COPY raises; psycopg's remark on tidying up after it would be a second message
logging.getLogger("psycopg").addHandler(logging.NullHandler())
CHUNK_ROWS = 16_384
"""Rows encoded at a time: the server inserts one chunk while the next is being encoded."""


def copy(connection: Connection, table: str, rows: pa.Table) -> int:
    """Append rows to a table (``schema.name``, or a temporary table's name); return how many.

    Arrow types must be those of the columns: int16/32/64, string, bool, date32, and binary for
    bytea, geometry (WKB) and, through ``jsonb``, for jsonb.
    """
    if not rows.num_rows:
        return 0
    encoder = pgpq.ArrowToPostgresBinaryEncoder(rows.schema)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    )
    with session.driver(connection).cursor() as cursor, cursor.copy(statement) as stream:
        stream.write(encoder.write_header())
        for chunk in rows.combine_chunks().to_batches(max_chunksize=CHUNK_ROWS):
            stream.write(encoder.write_batch(chunk))
        stream.write(encoder.finish())
    return int(rows.num_rows)


def jsonb(documents: list[bytes]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return JSON texts as an Arrow array in jsonb's binary form: a version byte and the text."""
    return pa.array([b"\x01" + document for document in documents], type=pa.binary())
