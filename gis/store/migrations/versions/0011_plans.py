"""Facilities that stand, and plans of where others should."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

CHECKS = {
    "status": "status IN ('asked', 'running', 'calling_off', 'called_off', 'made', 'refused')",
    "made": "(status = 'made') = (answer IS NOT NULL)",
    "refused": "(status = 'refused') = (refusal IS NOT NULL)",
    "ended": "(status IN ('made', 'refused', 'called_off')) = (ended_at IS NOT NULL)",
}


def upgrade() -> None:
    """Make room for both."""
    op.create_table(
        "facilities",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("capacity", sa.Float(), nullable=True),
        sa.Column("geometry", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("capacity > 0", name=op.f("facilities_capacity_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("facilities_pkey")),
        schema="reg",
    )
    op.create_index("facilities_kind_idx", "facilities", ["kind"], schema="reg")
    op.create_index(op.f("facilities_source_idx"), "facilities", ["source"], schema="reg")
    op.create_index("facilities_geometry_idx", "facilities", ["geometry"], schema="reg", postgresql_using="gist")
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "plans",
        sa.Column("id", postgresql.UUID(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=True),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        sa.Column("data_version", postgresql.JSONB(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        sa.Column("asked_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("heard_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress", postgresql.JSONB(), nullable=True),
        sa.Column("answer", postgresql.JSONB(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        *(sa.CheckConstraint(check, name=op.f(f"plans_{name}_check")) for name, check in CHECKS.items()),
        sa.ForeignKeyConstraint(["division_code"], ["reg.divisions.code"], name=op.f("plans_division_code_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
        schema="reg",
    )
    ended = sa.text("ended_at IS NULL")
    op.create_index("plans_open_idx", "plans", ["asked_at"], schema="reg", postgresql_where=ended)
    op.create_index("plans_actor_idx", "plans", ["actor", "asked_at"], schema="reg")
