"""Field officers' findings wait for a registrar; tablets take numbers along."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

KINDS = "kind IN ('residential', 'work_shed', 'other_habitable')"
FINDINGS = "kind IN ('new_structure', 'gone', 'plate_missing', 'still_there', 'shape_wrong', 'attribute_wrong')"
DECLINED = "decline_reason IN ('not_so', 'recorded_already', 'not_residential', 'repeated', 'outdated', 'unclear')"
FINDING_CHECKS = {
    "kind": FINDINGS,
    "status": "status IN ('open', 'accepted', 'declined')",
    "decline_reason": DECLINED,
    "subject": "kind = 'new_structure' OR (building_number IS NOT NULL AND based_on_seq IS NOT NULL)",
    "geometry": "kind NOT IN ('new_structure', 'shape_wrong') OR geometry IS NOT NULL",
    "decided": "(status = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)",
    "declined": "(status = 'declined') = (decline_reason IS NOT NULL)",
    "seq": "seq IS NULL OR status = 'accepted'",
}
LEASE_CHECKS = {
    "kind": KINDS,
    "many": "many BETWEEN 1 AND 500",
    "ended": "(ended_at IS NULL) = (ended_by IS NULL)",
}


def upgrade() -> None:
    """Make room for findings, leases and their numbers."""
    _findings()
    _leases()


def _findings() -> None:
    """Make room for what field officers saw."""
    op.create_table(
        "findings",
        sa.Column("uuid", postgresql.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=True),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("based_on_seq", sa.BigInteger(), nullable=True),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("proposed", postgresql.JSONB(), nullable=False),
        sa.Column("touches", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"findings_{name}_check"))
            for name, condition in FINDING_CHECKS.items()
        ),
        sa.ForeignKeyConstraint(["division_code"], ["reg.divisions.code"], name=op.f("findings_division_code_fkey")),
        sa.PrimaryKeyConstraint("uuid", name=op.f("findings_pkey")),
        schema="reg",
    )
    is_open = sa.text("status = 'open'")
    order = ["received_at", "uuid"]
    op.create_index("findings_open_idx", "findings", order, schema="reg", postgresql_where=is_open)
    op.create_index("findings_received_at_idx", "findings", order, schema="reg")
    op.create_index("findings_building_number_idx", "findings", ["building_number"], schema="reg")
    op.create_index(
        "findings_geometry_idx",
        "findings",
        ["geometry"],
        schema="reg",
        postgresql_using="gist",
        postgresql_where=is_open,
    )


def _leases() -> None:
    """Make room for numbers that a tablet took along."""
    op.create_table(
        "number_leases",
        sa.Column("uuid", postgresql.UUID(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("many", sa.SmallInteger(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("leased_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"number_leases_{name}_check"))
            for name, condition in LEASE_CHECKS.items()
        ),
        sa.ForeignKeyConstraint(
            ["division_code"], ["reg.divisions.code"], name=op.f("number_leases_division_code_fkey")
        ),
        sa.PrimaryKeyConstraint("uuid", name=op.f("number_leases_pkey")),
        schema="reg",
    )
    op.create_index("number_leases_actor_idx", "number_leases", ["actor", "leased_at"], schema="reg")
    op.create_table(
        "leased_numbers",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_uuid", postgresql.UUID(), nullable=False),
        sa.CheckConstraint(
            "number BETWEEN 100000000000 AND 999999999999 AND mod(number, 97) = 1",
            name=op.f("leased_numbers_number_check"),
        ),
        sa.ForeignKeyConstraint(
            ["lease_uuid"], ["reg.number_leases.uuid"], name=op.f("leased_numbers_lease_uuid_fkey")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("leased_numbers_pkey")),
        schema="reg",
    )
    op.create_index(op.f("leased_numbers_lease_uuid_idx"), "leased_numbers", ["lease_uuid"], schema="reg")
