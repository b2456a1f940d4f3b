"""One settings object, read from MENPAI_* variables when asked for."""

import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where Menpai keeps its state and finds its database."""

    var: Path
    """All runtime state (MENPAI_VAR, default ./var)."""
    database_url: str | None
    """A PostGIS of one's own (MENPAI_DATABASE_URL); None means the private cluster under ``var``."""
    key_file: Path
    """The master key (MENPAI_KEY_FILE, default ``var``/keys/master.key)."""
    key_store: Path
    """The store of wrapped data keys, apart from the register and from its backups."""
    public_url: str | None
    """Where residents reach this service (MENPAI_PUBLIC_URL), for plates."""
    map_review_number: str | None
    """审图号 of the published map (MENPAI_MAP_REVIEW_NUMBER); None prints 内部用图."""
    retention: dt.timedelta
    """How long after its end a residency is kept (MENPAI_RETENTION_DAYS, two years where not set)."""
    oidc_issuer: str | None = None
    """An OpenID provider (MENPAI_OIDC_ISSUER), its https address; None means that none is used."""
    oidc_client_id: str | None = None
    """What the provider calls this service (MENPAI_OIDC_CLIENT_ID)."""
    oidc_client_secret: str | None = field(default=None, repr=False)
    """Its secret there (MENPAI_OIDC_CLIENT_SECRET); None is a public client, which PKCE alone protects."""


TWO_YEARS = "730"


def read() -> Settings:
    """Return the settings as the environment gives them now."""
    var = Path(os.environ.get("MENPAI_VAR") or "var").absolute()
    key_file = Path(os.environ.get("MENPAI_KEY_FILE") or var / "keys" / "master.key").absolute()
    return Settings(
        var=var,
        database_url=os.environ.get("MENPAI_DATABASE_URL") or None,
        key_file=key_file,
        key_store=key_file.with_name("keystore.sqlite3"),
        public_url=(os.environ.get("MENPAI_PUBLIC_URL") or "").rstrip("/") or None,
        map_review_number=os.environ.get("MENPAI_MAP_REVIEW_NUMBER") or None,
        oidc_issuer=(os.environ.get("MENPAI_OIDC_ISSUER") or "").rstrip("/") or None,
        oidc_client_id=os.environ.get("MENPAI_OIDC_CLIENT_ID") or None,
        oidc_client_secret=os.environ.get("MENPAI_OIDC_CLIENT_SECRET") or None,
        retention=dt.timedelta(days=int(os.environ.get("MENPAI_RETENTION_DAYS") or TWO_YEARS)),
    )
