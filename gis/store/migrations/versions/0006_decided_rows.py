"""A row that waits for a person says where it belongs and what it says, and keeps what was decided about it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

CHECKS = {
    "decision": "decision IN ('same', 'another', 'correct', 'change', 'refuse', 'superseded')",
    "decided": "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL)",
    "decidable": "decision IS NULL OR outcome = 'queued'",
    "event_seq": "event_seq IS NULL OR decision IN ('same', 'another', 'correct', 'change')",
}


def upgrade() -> None:
    """Make room for decisions, and place what waits already."""
    for column in (
        sa.Column("fingerprint", sa.BigInteger(), nullable=True),
        sa.Column("division_code", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("event_seq", sa.BigInteger(), nullable=True),
    ):
        op.add_column("batch_rows", column, schema="reg")
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"batch_rows_{name}_check"), "batch_rows", condition, schema="reg")
    op.execute(PLACE)
    queued = sa.text("outcome = 'queued'")
    op.create_index("batch_rows_queued_idx", "batch_rows", ["batch_id"], schema="reg", postgresql_where=queued)
    waiting = sa.text("outcome = 'queued' AND decided_at IS NULL")
    op.create_index("batch_rows_waiting_idx", "batch_rows", ["division_code"], schema="reg", postgresql_where=waiting)


# its county by boundary; else what the import named; else where the building stands that it met
PLACE = """
    UPDATE reg.batch_rows r SET division_code = coalesce(
        (SELECT min(d.code) FROM reg.divisions d
        WHERE d.level = 'county' AND ST_Covers(d.boundary, ST_PointOnSurface(r.geometry))),
        (SELECT CAST(b.options ->> 'division' AS bigint) FROM reg.batches b WHERE b.id = r.batch_id),
        (SELECT s.division_code FROM reg.buildings s WHERE s.number = r.building_number))
    WHERE r.outcome = 'queued'
"""
