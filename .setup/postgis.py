"""PostgreSQL with PostGIS: found on this machine, or chosen from Debian's packages."""

import os
import re
from collections.abc import Callable

from ground import VAR, SetUpError, programs_module

BY_HAND = """\
PostgreSQL with PostGIS is missing, and this machine has no apt to fetch it with. Type one of
  Debian, Ubuntu   sudo apt install postgresql postgis postgresql-postgis
  Fedora           sudo dnf install postgresql-server postgresql-contrib postgis
  Homebrew         brew install postgresql@17 postgis
and start again; or use a PostGIS of your own with MENPAI_DATABASE_URL=postgresql://user:password@host/database"""


def missing() -> bool:
    """Tell whether a PostGIS must be brought here: none fits the data, and no server was named."""
    if os.environ.get("MENPAI_DATABASE_URL"):
        return False
    programs = programs_module()
    made_by = programs.made_by(VAR)
    return not any(made_by in {None, found.major} for found in programs.installations(VAR))


def package(on_offer: Callable[[str], list[str]]) -> str:
    """Choose the newest PostGIS on offer, or the one for the PostgreSQL that made the data.

    Raises:
        SetUpError: none is on offer.
    """
    programs = programs_module()
    made_by = programs.made_by(VAR)
    found = [re.fullmatch(r"postgresql-(\d+)-postgis-3", name) for name in on_offer("postgresql-")]
    majors = [int(match[1]) for match in found if match]
    fit = [major for major in majors if major >= programs.OLDEST_MAJOR and made_by in {None, major}]
    if not fit:
        wanted = f"postgresql-{made_by}-postgis-3" if made_by else "postgresql-N-postgis-3"
        message = (
            f"apt offers no {wanted} (N at least {programs.OLDEST_MAJOR}): "
            "check the sources in /etc/apt and the network, or set MENPAI_DATABASE_URL to a PostGIS of your own."
        )
        raise SetUpError(message)
    return f"postgresql-{max(fit)}-postgis-3"
