"""Released counts carry noise: each residency has its key for it, each count says how much there is."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Give each residency a random key, and counts a place to say their noise.

    The default is volatile, so PostgreSQL draws one for every row that stands already.
    """
    key = sa.text("get_byte(uuid_send(gen_random_uuid()), 0)")
    op.add_column(
        "residencies", sa.Column("record_key", sa.SmallInteger(), nullable=False, server_default=key), schema="reg"
    )
    between = "record_key >= 0 AND record_key <= 255"
    op.create_check_constraint(op.f("residencies_record_key_check"), "residencies", between, schema="reg")
    op.add_column("releases", sa.Column("most_noise", sa.Integer(), nullable=True), schema="pub")
    for table in ("division_counts", "cell_counts"):
        op.add_column(table, sa.Column("noise_sd", sa.REAL(), nullable=True), schema="pub")
    # a release writes cells and counts in one act, so the rows it checked one by one could not be wrong
    for column in ("cell", "release"):
        op.drop_constraint(op.f(f"cell_counts_{column}_fkey"), "cell_counts", schema="pub", type_="foreignkey")
