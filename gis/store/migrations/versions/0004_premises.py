"""Premises have a life of their own: what their site offers, when it was looked at, and until when it may stand."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change nothing yet."""
