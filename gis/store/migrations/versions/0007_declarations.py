"""What residents declare waits for a registrar; a residency keeps its versions; what is erased is written down."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

DECLINED = (
    "decline_reason IN ('not_the_person', 'document_invalid', 'no_such_dwelling', 'not_living_there',"
    " 'recorded_already', 'more_not_brought')"
)
CHECKS = {
    "kind": "kind IN ('arrival', 'departure', 'correction', 'access')",
    "citizenship_class": "citizenship_class IN ('mainland', 'hmt', 'foreign')",
    "status": "status IN ('waiting', 'more_asked', 'registered', 'declined', 'withdrawn')",
    "decline_reason": DECLINED,
    "more_needed": "more_needed <@ ARRAY['document', 'dwelling', 'dates', 'hukou']",
    "arrival": "kind <> 'arrival' OR building_number IS NOT NULL AND during IS NOT NULL",
    "dwelling": "(building_number IS NULL) = (dwelling_sequence IS NULL)",
    "decided": (
        "(status IN ('waiting', 'more_asked')) = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)"
    ),
    "declined": "(status = 'declined') = (decline_reason IS NOT NULL)",
    "more_asked": "(status = 'more_asked') = (more_needed <> '{}')",
    "envelope": "(key_id IS NULL) = (envelope IS NULL)",
}


def upgrade() -> None:
    """Make room for declarations and for versions of residencies."""
    op.add_column("residencies", sa.Column("replaces_id", sa.BigInteger(), nullable=True), schema="reg")
    op.create_index(
        "residencies_replaces_key",
        "residencies",
        ["replaces_id"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("replaces_id IS NOT NULL"),
    )
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "declarations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", postgresql.UUID(), nullable=False),
        sa.Column("receipt_digest", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document_digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("key_id", postgresql.UUID(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("citizenship_class", sa.Text(), nullable=True),
        sa.Column("hukou_code", sa.Integer(), nullable=True),
        sa.Column("hukou_as_of", sa.Date(), nullable=True),
        sa.Column("building_number", sa.BigInteger(), nullable=True),
        sa.Column("dwelling_sequence", sa.Integer(), nullable=True),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=True),
        sa.Column("principal", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("residency_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("more_needed", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column("taken_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        *(sa.CheckConstraint(check, name=op.f(f"declarations_{name}_check")) for name, check in CHECKS.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("declarations_pkey")),
        sa.UniqueConstraint("uuid", name=op.f("declarations_uuid_key")),
        sa.UniqueConstraint("receipt_digest", name=op.f("declarations_receipt_digest_key")),
        schema="reg",
    )
    for column in ("document_digest", "person_id"):
        op.create_index(op.f(f"declarations_{column}_idx"), "declarations", [column], schema="reg")
    op.create_index(
        "declarations_waiting_idx",
        "declarations",
        ["division_code"],
        schema="reg",
        postgresql_where=sa.text("status IN ('waiting', 'more_asked')"),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Date(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("residencies", sa.Integer(), nullable=False),
        sa.Column("declarations", sa.Integer(), nullable=False),
        sa.Column("roster_rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("erasures_pkey")),
        schema="reg",
    )
