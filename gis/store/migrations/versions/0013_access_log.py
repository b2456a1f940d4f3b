"""Access records say which transaction wrote them, and are sealed in a chain with signed heads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gis.store.base import Xid8

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Give records their transaction, and make room for chain, salts and heads.

    Records that stand already get this transaction's number: they are sealed with the first that follow.
    """
    records = "access_records"
    xid, epoch = sa.text("pg_current_xact_id()"), sa.text("(pg_control_system()).system_identifier")
    op.add_column(records, sa.Column("xid", Xid8(), nullable=False, server_default=xid), schema="reg")
    op.add_column(records, sa.Column("epoch", sa.BigInteger(), nullable=False, server_default=epoch), schema="reg")
    op.create_index("access_records_xid_idx", records, ["xid"], schema="reg")
    op.add_column(
        "erasures", sa.Column("accesses", sa.Integer(), nullable=False, server_default=sa.text("0")), schema="reg"
    )
    op.create_table(
        "access_leaves",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("person_leaf", sa.LargeBinary(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("running", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("access_leaves_pkey")),
        sa.UniqueConstraint("record_id", name=op.f("access_leaves_record_id_key")),
        schema="reg",
    )
    op.create_table(
        "access_salts",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("access_salts_pkey")),
        schema="reg",
    )
    op.create_table(
        "access_heads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("bound", Xid8(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("access_heads_pkey")),
        schema="reg",
    )
