"""Which row is which: a row's own code in its source, its fingerprint, and what is registered under it."""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from gis.register.sheets import Sheet
from gis.store import copying
from gis.terms import Reason

_FINGERPRINTED = ("kind", "standard_address", "entrances", "floors", "rooms_per_floor", "premises", "valid_to")
_SEPARATOR = "\x1f"

Fingerprints = npt.NDArray[np.int64]


def identify(rows: pa.Table) -> tuple[list[str], Fingerprints]:
    """Return each row's code in its source and its 64-bit fingerprint, (n,) each.

    The fingerprint is BLAKE2b over attributes and shape. A row without a code of its own goes by its
    fingerprint, so that the same file read twice still names the same rows.
    """
    attributes = pc.binary_join_element_wise(
        *(pc.fill_null(rows[name], "") for name in _FINGERPRINTED), _SEPARATOR
    ).to_pylist()
    shapes = rows["geometry"].to_pylist()
    digests = [
        blake2b((shape or b"") + words.encode(), digest_size=8).digest()
        for shape, words in zip(shapes, attributes, strict=True)
    ]
    fingerprints = np.frombuffer(b"".join(digests), dtype="<i8")
    codes = [
        code_of(code, fingerprint)
        for code, fingerprint in zip(rows["source_id"].to_pylist(), fingerprints.tolist(), strict=True)
    ]
    return codes, fingerprints


def code_of(source_id: str | None, fingerprint: int) -> str:
    """Return the code by which a row goes in its source: its own, or else its fingerprint."""
    own = source_id.strip() if source_id else ""
    return own or f"row:{fingerprint.to_bytes(8, 'little', signed=True).hex()}"


def strike_repeated(sheet: Sheet, codes: list[str], fingerprints: Fingerprints) -> None:
    """Refuse rows whose code stood in the file before: a code names one structure."""
    if len(set(codes)) == len(codes):
        return
    first: dict[str, int] = {}
    for position in sheet.open:
        code = codes[position]
        earlier = first.setdefault(code, int(position))
        if earlier != position:
            same = fingerprints[earlier] == fingerprints[position]
            sheet.strike(
                int(position),
                Reason.DUPLICATE_BUILDING if same else Reason.REPEATED_SOURCE_ID,
                f"row {sheet.row(earlier)} of the file",
            )


def find_source(connection: Connection, name: str) -> int:
    """Return the id of a source, made known if it is new."""
    connection.execute(text("INSERT INTO reg.sources (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": name})
    return int(connection.execute(text("SELECT id FROM reg.sources WHERE name = :name"), {"name": name}).scalar_one())


def set_aside_known(
    connection: Connection, sheet: Sheet, source_id: int, codes: list[str], fingerprints: Fingerprints
) -> None:
    """Mark the rows that are registered already; queue those that say something else than they did."""
    known = connection.execute(
        text("SELECT EXISTS (SELECT FROM reg.external_references WHERE source_id = :source)"), {"source": source_id}
    ).scalar_one()
    positions = sheet.open
    if not known or not positions.size:
        return
    connection.execute(text("CREATE TEMPORARY TABLE candidate_codes (position integer, code text) ON COMMIT DROP"))
    candidates = {"position": pa.array(positions, type=pa.int32()), "code": pa.array([codes[p] for p in positions])}
    copying.copy(connection, "candidate_codes", pa.table(candidates))
    found = connection.execute(
        text(
            "SELECT position, building_number, fingerprint FROM candidate_codes"
            " JOIN reg.external_references USING (code) WHERE source_id = :source"
        ),
        {"source": source_id},
    ).all()
    connection.execute(text("DROP TABLE candidate_codes"))
    for row in found:
        if row.fingerprint == fingerprints[row.position]:
            sheet.unchanged[row.position] = True
            sheet.standing[row.position] = row.building_number
        else:
            sheet.strike(
                row.position,
                Reason.CHANGED_SINCE_REGISTERED,
                f"building {row.building_number}",
                row.building_number,
            )
