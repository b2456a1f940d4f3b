"""The first schema."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first schema."""
    op.create_table(
        "cells",
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("geometry", Geometry("POLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.PrimaryKeyConstraint("cell", name=op.f("cells_pkey")),
        schema="pub",
    )
    op.create_index("cells_geometry_idx", "cells", ["geometry"], unique=False, schema="pub", postgresql_using="gist")
    op.create_table(
        "releases",
        sa.Column("release", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withheld_below", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("release", name=op.f("releases_pkey")),
        schema="pub",
    )
    op.create_table(
        "access_records",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('declaration', 'correction', 'move', 'roster_review', 'resident_request', 'emergency', 'court_order')",
            name=op.f("access_records_purpose_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("access_records_pkey")),
        schema="reg",
    )
    op.create_index(op.f("access_records_person_id_idx"), "access_records", ["person_id"], unique=False, schema="reg")
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
        sa.UniqueConstraint("name", name=op.f("accounts_name_key")),
        schema="reg",
    )
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("standard_address", sa.Text(), nullable=False),
        sa.Column("normalised", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("addresses_pkey")),
        schema="reg",
    )
    op.create_index(
        "addresses_active_key",
        "addresses",
        ["normalised"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(op.f("addresses_building_number_idx"), "addresses", ["building_number"], unique=False, schema="reg")
    op.create_table(
        "building_events",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source_document", sa.Text(), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "verb IN ('register', 'correct', 'change', 'split', 'merge', 'demolish', 'rebuild', 'retire', 'reinstate', 'revert')",
            name=op.f("building_events_verb_check"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("building_events_pkey")),
        schema="reg",
    )
    op.create_index(
        op.f("building_events_building_number_idx"), "building_events", ["building_number"], unique=False, schema="reg"
    )
    op.create_table(
        "buildings",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
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
        sa.Column("east_100m", sa.Integer(), nullable=False),
        sa.Column("north_100m", sa.Integer(), nullable=False),
        sa.Column("h3_10", sa.BigInteger(), nullable=False),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "kind <> 'work_shed' OR (premises_id IS NOT NULL AND expires_on IS NOT NULL)",
            name=op.f("buildings_work_shed_check"),
        ),
        sa.CheckConstraint(
            "kind IN ('residential', 'work_shed', 'other_habitable')", name=op.f("buildings_kind_check")
        ),
        sa.CheckConstraint(
            "status IN ('active', 'demolished', 'replaced', 'retired')", name=op.f("buildings_status_check")
        ),
        sa.CheckConstraint(
            "number BETWEEN 100000000000 AND 999999999999 AND mod(number, 97) = 1", name=op.f("buildings_number_check")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("buildings_pkey")),
        schema="reg",
    )
    op.create_index(
        "buildings_geometry_idx", "buildings", ["geometry"], unique=False, schema="reg", postgresql_using="gist"
    )
    op.create_table(
        "division_changes",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("old_code", sa.BigInteger(), nullable=True),
        sa.Column("old_name", sa.Text(), nullable=True),
        sa.Column("new_code", sa.BigInteger(), nullable=True),
        sa.Column("new_name", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("division_changes_pkey")),
        schema="reg",
    )
    op.create_index(op.f("division_changes_old_code_idx"), "division_changes", ["old_code"], unique=False, schema="reg")
    op.create_table(
        "divisions",
        sa.Column("code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("boundary", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=True),
        sa.Column("boundary_source", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "level IN ('province', 'prefecture', 'county', 'township', 'village')", name=op.f("divisions_level_check")
        ),
        sa.CheckConstraint("code BETWEEN 100000000000 AND 999999999999", name=op.f("divisions_code_check")),
        sa.ForeignKeyConstraint(["parent_code"], ["reg.divisions.code"], name=op.f("divisions_parent_code_fkey")),
        sa.PrimaryKeyConstraint("code", name=op.f("divisions_pkey")),
        schema="reg",
    )
    op.create_index(
        "divisions_boundary_idx", "divisions", ["boundary"], unique=False, schema="reg", postgresql_using="gist"
    )
    op.create_index(op.f("divisions_parent_code_idx"), "divisions", ["parent_code"], unique=False, schema="reg")
    op.create_table(
        "dwellings",
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("entrance", sa.SmallInteger(), nullable=True),
        sa.Column("floor", sa.SmallInteger(), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="exists", nullable=False),
        sa.CheckConstraint("status IN ('exists', 'merged', 'removed')", name=op.f("dwellings_status_check")),
        sa.PrimaryKeyConstraint("building_number", "sequence", name=op.f("dwellings_pkey")),
        schema="reg",
    )
    op.create_table(
        "external_references",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "code", name=op.f("external_references_pkey")),
        schema="reg",
    )
    op.create_table(
        "number_serials",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_serial", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only"', name=op.f("number_serials_only_check")),
        sa.PrimaryKeyConstraint("only", name=op.f("number_serials_pkey")),
        schema="reg",
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key_id", sa.UUID(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("document_digest", sa.LargeBinary(), nullable=True),
        sa.Column("citizenship_class", sa.Text(), nullable=True),
        sa.Column("hukou_code", sa.Integer(), nullable=True),
        sa.Column("hukou_as_of", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "citizenship_class IN ('mainland', 'hmt', 'foreign')", name=op.f("persons_citizenship_class_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("persons_pkey")),
        sa.UniqueConstraint("document_digest", name=op.f("persons_document_digest_key")),
        sa.UniqueConstraint("key_id", name=op.f("persons_key_id_key")),
        schema="reg",
    )
    op.create_table(
        "residencies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("dwelling_sequence", sa.Integer(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=False),
        sa.Column("principal", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("category_reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("occupant_id", sa.Text(), nullable=True),
        sa.Column("row_digest", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("recorded_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("principal AND recorded_until IS NULL"),
            using="gist",
            name="residencies_one_principal_excl",
        ),
        sa.CheckConstraint("basis IN ('declaration', 'household_register')", name=op.f("residencies_basis_check")),
        sa.CheckConstraint(
            "category IN ('permanent', 'floating', 'other', 'undetermined')", name=op.f("residencies_category_check")
        ),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name=op.f("residencies_during_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("residencies_pkey")),
        schema="reg",
    )
    op.create_index("residencies_person_idx", "residencies", ["person_id"], unique=False, schema="reg")
    op.create_index(
        "residencies_dwelling_idx", "residencies", ["building_number", "dwelling_sequence"], unique=False, schema="reg"
    )
    op.create_index(
        "residencies_occupant_key",
        "residencies",
        ["source_id", "occupant_id"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("occupant_id IS NOT NULL AND recorded_until IS NULL"),
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("sources_pkey")),
        sa.UniqueConstraint("name", name=op.f("sources_name_key")),
        schema="reg",
    )
    op.create_table(
        "cell_counts",
        sa.Column("release", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "category IN ('all', 'permanent', 'floating', 'other', 'undetermined')",
            name=op.f("cell_counts_category_check"),
        ),
        sa.CheckConstraint("size IN (100, 500, 1000)", name=op.f("cell_counts_size_check")),
        sa.CheckConstraint("withheld = (n IS NULL)", name=op.f("cell_counts_withheld_check")),
        sa.ForeignKeyConstraint(["cell"], ["pub.cells.cell"], name=op.f("cell_counts_cell_fkey")),
        sa.ForeignKeyConstraint(["release"], ["pub.releases.release"], name=op.f("cell_counts_release_fkey")),
        sa.PrimaryKeyConstraint("release", "size", "category", "cell", name=op.f("cell_counts_pkey")),
        schema="pub",
    )
    op.create_table(
        "division_counts",
        sa.Column("release", sa.Date(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "category IN ('all', 'permanent', 'floating', 'other', 'undetermined')",
            name=op.f("division_counts_category_check"),
        ),
        sa.CheckConstraint("withheld = (n IS NULL)", name=op.f("division_counts_withheld_check")),
        sa.ForeignKeyConstraint(["release"], ["pub.releases.release"], name=op.f("division_counts_release_fkey")),
        sa.PrimaryKeyConstraint("release", "division_code", "category", name=op.f("division_counts_pkey")),
        schema="pub",
    )
    op.create_table(
        "account_grants",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('registrar', 'planner', 'field_officer', 'auditor', 'account_administrator')",
            name=op.f("account_grants_role_check"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["reg.accounts.id"], name=op.f("account_grants_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["division_code"], ["reg.divisions.code"], name=op.f("account_grants_division_code_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("account_grants_pkey")),
        schema="reg",
    )
    op.create_index(op.f("account_grants_account_id_idx"), "account_grants", ["account_id"], unique=False, schema="reg")
    op.create_table(
        "account_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("use IN ('bearer', 'first_start')", name=op.f("account_tokens_use_check")),
        sa.ForeignKeyConstraint(["account_id"], ["reg.accounts.id"], name=op.f("account_tokens_account_id_fkey")),
        sa.PrimaryKeyConstraint("digest", name=op.f("account_tokens_pkey")),
        schema="reg",
    )
    op.create_index(op.f("account_tokens_account_id_idx"), "account_tokens", ["account_id"], unique=False, schema="reg")
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('buildings', 'roster')", name=op.f("batches_kind_check")),
        sa.ForeignKeyConstraint(["source_id"], ["reg.sources.id"], name=op.f("batches_source_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("batches_pkey")),
        schema="reg",
    )
    op.create_index(op.f("batches_source_id_idx"), "batches", ["source_id"], unique=False, schema="reg")
    op.create_table(
        "census_figures",
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("precision", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["division_code"], ["reg.divisions.code"], name=op.f("census_figures_division_code_fkey")
        ),
        sa.PrimaryKeyConstraint("division_code", "year", name=op.f("census_figures_pkey")),
        schema="reg",
    )
    op.create_table(
        "premises",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("division_code", sa.BigInteger(), nullable=False),
        sa.Column("responsible_organisation", sa.Text(), nullable=True),
        sa.Column("permit", sa.Text(), nullable=True),
        sa.Column("permit_until", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('compound', 'estate', 'construction_site')", name=op.f("premises_kind_check")),
        sa.ForeignKeyConstraint(["division_code"], ["reg.divisions.code"], name=op.f("premises_division_code_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("premises_pkey")),
        sa.UniqueConstraint("division_code", "name", name=op.f("premises_division_code_name_key")),
        schema="reg",
    )
    op.create_table(
        "batch_rows",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("building_number", sa.BigInteger(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=True),
        sa.CheckConstraint("outcome IN ('queued', 'refused')", name=op.f("batch_rows_outcome_check")),
        sa.ForeignKeyConstraint(["batch_id"], ["reg.batches.id"], name=op.f("batch_rows_batch_id_fkey")),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("batch_rows_pkey")),
        schema="reg",
    )
    op.create_table(
        "roster_rows",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("occupant_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("division_code", sa.BigInteger(), nullable=True),
        sa.Column("key_id", sa.UUID(), nullable=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("document_digest", sa.LargeBinary(), nullable=True),
        sa.Column("citizenship_class", sa.Text(), nullable=True),
        sa.Column("hukou_code", sa.Integer(), nullable=True),
        sa.Column("hukou_as_of", sa.Date(), nullable=True),
        sa.Column("during", postgresql.DATERANGE(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint("basis IN ('declaration', 'household_register')", name=op.f("roster_rows_basis_check")),
        sa.CheckConstraint(
            "citizenship_class IN ('mainland', 'hmt', 'foreign')", name=op.f("roster_rows_citizenship_class_check")
        ),
        sa.CheckConstraint("outcome IN ('queued', 'refused')", name=op.f("roster_rows_outcome_check")),
        sa.ForeignKeyConstraint(["batch_id"], ["reg.batches.id"], name=op.f("roster_rows_batch_id_fkey")),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("roster_rows_pkey")),
        schema="reg",
    )
    op.execute("INSERT INTO reg.number_serials (next_serial) VALUES (1)")
