"""Reference data into the register: what ships with Menpai, or an office's newer files."""

import json
from pathlib import Path

from data import reference
from gis.errors import FileNotReadable
from gis.register import divisions
from gis.store import session


def load_reference() -> int:
    """Load the bundled divisions, code changes, boundaries and census figures; return how many divisions."""
    with session.open("owner") as connection:
        loaded = divisions.load_divisions(connection, reference.divisions())
        divisions.load_changes(connection, reference.changes())
        divisions.load_boundaries(connection, reference.boundaries())
        divisions.load_census(connection, reference.census())
    return loaded


def load_divisions(path: Path, source: str) -> int:
    """Load a divisions file (code12, name, level, parent_code12); raises FileNotReadable."""
    try:
        rows = list(reference.read_divisions(path, source))
    except (OSError, ValueError, KeyError) as error:
        raise FileNotReadable(path=path, why=f"expected code12,name,level,parent_code12 ({error})") from error
    with session.open("owner") as connection:
        return divisions.load_divisions(connection, rows)


def load_boundaries(path: Path, source: str) -> int:
    """Load a GeoJSON of boundaries with a ``code`` each; raises FileNotReadable, UnknownDivision."""
    try:
        rows = list(reference.read_boundaries(path, source))
    except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise FileNotReadable(path=path, why=f"expected GeoJSON features with a code ({error})") from error
    with session.open("owner") as connection:
        return divisions.load_boundaries(connection, rows)
