"""A batch registers its buildings by one event, which names the batch, as they do themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let an event be about a batch, and a building name the batch that registered it."""
    op.add_column("buildings", sa.Column("batch_id", sa.Integer(), nullable=True), schema="reg")
    op.alter_column("building_events", "building_number", nullable=True, schema="reg")
    op.create_check_constraint(
        op.f("building_events_subject_check"),
        "building_events",
        "building_number IS NOT NULL OR batch_id IS NOT NULL",
        schema="reg",
    )
    op.create_index(
        "building_events_batch_key",
        "building_events",
        ["batch_id"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("building_number IS NULL"),
    )
