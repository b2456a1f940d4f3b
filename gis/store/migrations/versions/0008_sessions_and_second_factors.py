"""Accounts get second factors, sessions that can be listed and ended, counts of failures, and a record of every act."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

NOW = sa.text("now()")
MOMENT = postgresql.TIMESTAMP(timezone=True)
ACTS = (
    "'added', 'granted', 'grant_changed', 'disabled', 'enabled', 'link_made', 'link_used', 'signed_in', 'signed_out',"
    " 'sessions_ended', 'password_set', 'factor_confirmed', 'factor_ended', 'recovery_used', 'token_minted',"
    " 'identity_linked', 'identity_unlinked'"
)
USES = "use IN ('bearer', 'page', 'program', 'first_start')"
OPENINGS = "opened_by IN ('password', 'link', 'provider', 'minted')"


def upgrade() -> None:
    """Make room for all of that; whoever is signed in signs in again, for what their session proved is not known."""
    _tokens()
    _factors()
    _providers()
    _attempts()
    _events()


def _tokens() -> None:
    """Let a session say how it was opened, what it proved, and when it was used last."""
    op.execute("ALTER TABLE reg.account_tokens NO FORCE ROW LEVEL SECURITY")  # the replay forces it again
    op.execute("DELETE FROM reg.account_tokens")
    op.drop_constraint(op.f("account_tokens_use_check"), "account_tokens", schema="reg")
    for column in (
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("active_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("opened_by", sa.Text(), server_default=sa.text("'password'"), nullable=False),
        sa.Column("proven_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("second_factor_at", MOMENT, nullable=True),
        sa.Column("scope", postgresql.ARRAY(sa.Text()), nullable=True),
    ):
        op.add_column("account_tokens", column, schema="reg")
    op.create_unique_constraint(op.f("account_tokens_id_key"), "account_tokens", ["id"], schema="reg")
    op.create_check_constraint(op.f("account_tokens_use_check"), "account_tokens", USES, schema="reg")
    op.create_check_constraint(op.f("account_tokens_opened_by_check"), "account_tokens", OPENINGS, schema="reg")


def _factors() -> None:
    """Make room for second factors and the codes that stand in for them."""
    op.create_table(
        "account_factors",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        *_of_an_account("account_factors"),
        sa.PrimaryKeyConstraint("id", name=op.f("account_factors_pkey")),
        schema="reg",
    )
    stands = sa.text("confirmed_at IS NOT NULL AND ended_at IS NULL")
    op.create_index(
        "account_factors_one_key", "account_factors", ["account_id"], unique=True, schema="reg", postgresql_where=stands
    )
    op.create_table(
        "account_recovery_codes",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        *_of_an_account("account_recovery_codes"),
        sa.PrimaryKeyConstraint("digest", name=op.f("account_recovery_codes_pkey")),
        schema="reg",
    )
    _index_accounts("account_recovery_codes")


def _providers() -> None:
    """Make room for identities at OpenID providers, and for sign-ins under way there."""
    op.create_table(
        "account_identities",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("linked_at", MOMENT, server_default=NOW, nullable=False),
        *_of_an_account("account_identities"),
        sa.PrimaryKeyConstraint("id", name=op.f("account_identities_pkey")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("account_identities_issuer_subject_key")),
        schema="reg",
    )
    _index_accounts("account_identities")
    op.create_table(
        "account_provider_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("account_provider_requests_pkey")),
        schema="reg",
    )


def _attempts() -> None:
    """Make room for counts of failures, which several workers share."""
    op.create_table(
        "account_attempts",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("succeeded_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("account_attempts_pkey")),
        schema="reg",
    )
    op.create_index(op.f("account_attempts_failed_at_idx"), "account_attempts", ["failed_at"], schema="reg")


def _events() -> None:
    """Make room for what was done to accounts; what stands already is told as done by the migration."""
    op.create_table(
        "account_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("division_code", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint(f"act IN ({ACTS})", name=op.f("account_events_act_check")),
        *_of_an_account("account_events"),
        sa.PrimaryKeyConstraint("id", name=op.f("account_events_pkey")),
        schema="reg",
    )
    _index_accounts("account_events")


def _of_an_account(table: str) -> list[sa.ForeignKeyConstraint]:
    """Return the reference from a table to accounts."""
    return [sa.ForeignKeyConstraint(["account_id"], ["reg.accounts.id"], name=op.f(f"{table}_account_id_fkey"))]


def _index_accounts(table: str) -> None:
    """Let the rows of an account be found."""
    op.create_index(op.f(f"{table}_account_id_idx"), table, ["account_id"], schema="reg")
