"""A building has versions and kin; events are numbered in the order in which they become visible."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

KINDS = "kind IN ('residential', 'work_shed', 'other_habitable')"
STATUSES = "status IN ('active', 'demolished', 'replaced', 'retired')"
VERBS = "verb IN ('register', 'correct', 'change', 'split', 'merge', 'demolish', 'rebuild', 'move', 'retire', 'reinstate', 'revert')"


def upgrade() -> None:
    """Number what there is, and make room for versions, lineage and reviews."""
    _events()
    _order()
    _addresses()
    _versions()
    _lineage()
    _reviews()


def _events() -> None:
    """Let an event name every building it touches."""
    op.drop_index("building_events_building_number_idx", "building_events", schema="reg")
    op.drop_index("building_events_batch_key", "building_events", schema="reg")
    op.drop_constraint("building_events_subject_check", "building_events", schema="reg")
    op.execute(
        "ALTER TABLE reg.building_events ALTER COLUMN building_number TYPE bigint[]"
        " USING CASE WHEN building_number IS NOT NULL THEN ARRAY[building_number] END"
    )
    op.alter_column("building_events", "building_number", new_column_name="building_numbers", schema="reg")
    op.execute("ALTER TABLE reg.building_events ALTER COLUMN seq DROP IDENTITY")
    op.alter_column("building_events", "recorded_at", server_default=sa.func.clock_timestamp(), schema="reg")
    op.add_column("building_events", sa.Column("reverts_seq", sa.BigInteger(), nullable=True), schema="reg")
    op.add_column("building_events", sa.Column("client_uuid", postgresql.UUID(), nullable=True), schema="reg")
    op.drop_constraint("building_events_verb_check", "building_events", schema="reg")
    for name, condition in (
        ("verb", VERBS),
        ("subject", "(building_numbers IS NULL) <> (batch_id IS NULL)"),
        ("reverts_seq", "(verb = 'revert') = (reverts_seq IS NOT NULL)"),
    ):
        op.create_check_constraint(op.f(f"building_events_{name}_check"), "building_events", condition, schema="reg")
    for column in ("reverts_seq", "client_uuid"):
        op.create_unique_constraint(op.f(f"building_events_{column}_key"), "building_events", [column], schema="reg")
    op.create_index("building_events_batch_key", "building_events", ["batch_id"], unique=True, schema="reg")
    op.create_index(
        "building_events_building_numbers_idx",
        "building_events",
        ["building_numbers"],
        schema="reg",
        postgresql_using="gin",
    )
    op.create_index("building_events_recorded_at_idx", "building_events", ["recorded_at"], schema="reg")


def _order() -> None:
    """Give every building registered so far a place in the order of events."""
    op.add_column(
        "number_serials",
        sa.Column("next_seq", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        schema="reg",
    )
    op.add_column("buildings", sa.Column("registered_seq", sa.BigInteger(), nullable=True), schema="reg")
    op.execute(
        "UPDATE reg.buildings b SET registered_seq = coalesce(e.seq, placed.seq)"
        " FROM (SELECT number, row_number() OVER (ORDER BY batch_id, number)"
        "       + (SELECT coalesce(max(seq), 0) FROM reg.building_events) AS seq FROM reg.buildings) placed"
        " LEFT JOIN reg.building_events e ON e.verb = 'register' AND e.building_numbers = ARRAY[placed.number]"
        " WHERE b.number = placed.number"
    )
    op.execute(
        "UPDATE reg.number_serials SET next_seq = 1 + greatest("
        " (SELECT coalesce(max(seq), 0) FROM reg.building_events),"
        " (SELECT coalesce(max(registered_seq), 0) FROM reg.buildings))"
    )
    op.alter_column("buildings", "registered_seq", nullable=False, schema="reg")
    op.create_index(
        "buildings_batch_seq_idx",
        "buildings",
        ["registered_seq"],
        schema="reg",
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )


def _addresses() -> None:
    """Let a building have several addresses, one of them the main one, and codes that came by no batch."""
    for name, default in (("main", "true"), ("withdrawn", "false")):
        op.add_column(
            "addresses",
            sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False),
            schema="reg",
        )
    for column in ("fingerprint", "batch_id", "row"):
        op.alter_column("external_references", column, nullable=True, schema="reg")
    op.add_column("external_references", sa.Column("seq", sa.BigInteger(), nullable=True), schema="reg")
    op.execute(
        "UPDATE reg.external_references r SET seq = b.registered_seq FROM reg.buildings b"
        " WHERE b.number = r.building_number"
    )
    op.alter_column("external_references", "seq", nullable=False, schema="reg")
    op.create_index(op.f("external_references_seq_idx"), "external_references", ["seq"], schema="reg")
    op.drop_index("addresses_building_number_idx", "addresses", schema="reg")
    op.create_index(
        "addresses_main_key",
        "addresses",
        ["building_number"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("main AND valid_to IS NULL"),
    )
    op.create_index(
        "addresses_others_idx",
        "addresses",
        ["building_number"],
        schema="reg",
        postgresql_where=sa.text("NOT main OR valid_to IS NOT NULL"),
    )


def _versions() -> None:
    """Make room for what was known of a building before."""
    op.create_table(
        "building_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=False),
        sa.Column("opened_seq", sa.BigInteger(), nullable=False),
        sa.Column("closed_seq", sa.BigInteger(), nullable=True),
        sa.Column("addresses", postgresql.JSONB(), nullable=False),
        sa.Column("dwellings", postgresql.JSONB(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kind_assumed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("place_assumed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=True),
        sa.Column("entrances", sa.SmallInteger(), nullable=True),
        sa.Column("floors", sa.SmallInteger(), nullable=True),
        sa.Column("rooms_per_floor", sa.SmallInteger(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("building_versions_kind_check")),
        sa.CheckConstraint(STATUSES, name=op.f("building_versions_status_check")),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("building_versions_during_check")),
        sa.CheckConstraint("closed_seq > opened_seq", name=op.f("building_versions_closed_seq_check")),
        postgresql.ExcludeConstraint(
            (sa.column("building_number"), "="),
            (sa.column("during"), "&&"),
            using="gist",
            where=sa.text("closed_seq IS NULL"),
            name="building_versions_one_at_a_time_excl",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("building_versions_pkey")),
        schema="reg",
    )
    op.create_index(
        "building_versions_building_number_idx", "building_versions", ["building_number", "opened_seq"], schema="reg"
    )
    for column in ("opened_seq", "closed_seq"):
        op.create_index(f"building_versions_{column}_idx", "building_versions", [column], schema="reg")


def _lineage() -> None:
    """Make room for which building came of which."""
    op.create_table(
        "building_lineage",
        sa.Column("parent_number", sa.BigInteger(), nullable=False),
        sa.Column("child_number", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("parent_number <> child_number", name=op.f("building_lineage_another_check")),
        sa.PrimaryKeyConstraint("parent_number", "child_number", name=op.f("building_lineage_pkey")),
        schema="reg",
    )
    for column in ("child_number", "seq"):
        op.create_index(op.f(f"building_lineage_{column}_idx"), "building_lineage", [column], schema="reg")


def _reviews() -> None:
    """Make room for residencies whose building changed under them."""
    op.create_table(
        "residency_reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("residency_id", sa.BigInteger(), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("decision IN ('kept', 'moved', 'ended')", name=op.f("residency_reviews_decision_check")),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)", name=op.f("residency_reviews_decided_at_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("residency_reviews_pkey")),
        sa.UniqueConstraint("residency_id", "seq", name=op.f("residency_reviews_residency_id_seq_key")),
        schema="reg",
    )
    op.create_index(
        "residency_reviews_open_idx",
        "residency_reviews",
        ["division_code"],
        schema="reg",
        postgresql_where=sa.text("decided_at IS NULL"),
    )
