"""Premises have a life of their own: what their site offers, when it was looked at, and until when it may stand."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

VERBS = "verb IN ('register', 'correct', 'change', 'renew', 'check', 'close')"
COUNTS = ("capacity_persons", "toilets", "exits", "fire_extinguishers")


def upgrade() -> None:
    """Make room for a site's facts, for what happens to it, and for what inspections find."""
    _facts()
    _events()
    _inspections()


def _facts() -> None:
    """Let premises say what they offer, and be closed; their name is free again then."""
    added: list[sa.Column[Any]] = [sa.Column(name, sa.Integer(), nullable=True) for name in COUNTS]
    added += [
        sa.Column("water", sa.Boolean(), nullable=True),
        sa.Column("safety_checked_on", sa.Date(), nullable=True),
        sa.Column("safety_checked_by", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
    ]
    for column in added:
        op.add_column("premises", column, schema="reg")
    for name, condition in (
        ("facts", "least(capacity_persons, toilets, exits, fire_extinguishers) >= 0"),
        ("safety_checked_by", "(safety_checked_on IS NULL) = (safety_checked_by IS NULL)"),
    ):
        op.create_check_constraint(op.f(f"premises_{name}_check"), "premises", condition, schema="reg")
    op.drop_constraint("premises_division_code_name_key", "premises", schema="reg")
    op.create_index(
        "premises_open_key",
        "premises",
        ["division_code", "name"],
        unique=True,
        schema="reg",
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index(
        "buildings_temporary_idx",
        "buildings",
        ["premises_id", "expires_on"],
        schema="reg",
        postgresql_where=sa.text("status = 'active' AND expires_on IS NOT NULL"),
    )


def _said() -> list[sa.Column[Any]]:
    """Return what is said of every act."""
    return [
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source_document", sa.Text(), nullable=True),
        sa.Column("client_uuid", postgresql.UUID(), nullable=True),
        sa.Column(
            "recorded_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
    ]


def _events() -> None:
    """Make room for what happens to premises."""
    op.create_table(
        "premises_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("premises_id", sa.Integer(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        *_said(),
        sa.CheckConstraint(VERBS, name=op.f("premises_events_verb_check")),
        sa.CheckConstraint("(verb = 'register') = (before IS NULL)", name=op.f("premises_events_before_check")),
        sa.CheckConstraint(
            "verb NOT IN ('renew', 'check') OR source_document IS NOT NULL",
            name=op.f("premises_events_source_document_check"),
        ),
        sa.ForeignKeyConstraint(["premises_id"], ["reg.premises.id"], name=op.f("premises_events_premises_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("premises_events_pkey")),
        sa.UniqueConstraint("client_uuid", name=op.f("premises_events_client_uuid_key")),
        schema="reg",
    )
    op.create_index(op.f("premises_events_premises_id_idx"), "premises_events", ["premises_id"], schema="reg")


def _inspections() -> None:
    """Make room for what was found where a structure stands for a time."""
    op.create_table(
        "inspections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_number", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        *_said(),
        sa.CheckConstraint("found IN ('still_there', 'gone', 'changed')", name=op.f("inspections_found_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("inspections_pkey")),
        sa.UniqueConstraint("client_uuid", name=op.f("inspections_client_uuid_key")),
        schema="reg",
    )
    op.create_index(op.f("inspections_building_number_idx"), "inspections", ["building_number"], schema="reg")
