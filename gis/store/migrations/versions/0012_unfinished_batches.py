"""A batch says when it was finished; a row that waits keeps the hash by which it is known when it comes again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make room for both; every batch there is was one transaction, and so is finished."""
    moment = postgresql.TIMESTAMP(timezone=True)
    finished = sa.Column("finished_at", moment, server_default=sa.text("now()"), nullable=True)
    op.add_column("batches", finished, schema="reg")
    op.execute("UPDATE reg.batches SET finished_at = recorded_at")
    op.add_column("roster_rows", sa.Column("row_digest", sa.LargeBinary(), nullable=True), schema="reg")
