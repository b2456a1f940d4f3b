"""One sentence for whatever went wrong, without the row values that a database's message may carry."""

import sys
import traceback
from pathlib import Path

import click

from gis.errors import MenpaiError
from gis.store.cluster import ClusterError


def sentence(error: Exception) -> str:
    """Return one line about an error; an unforeseen one names the place in the program."""
    if isinstance(error, click.Abort):
        return "stopped; nothing half-done stays behind."
    if isinstance(error, click.ClickException):
        return one_line(error.format_message())
    if isinstance(error, (MenpaiError, ClusterError)):
        return one_line(str(error))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return _from_database(error) or _unforeseen(error)


def one_line(told: str) -> str:
    """Return a text as one line."""
    return " ".join(told.split())


def _from_database(error: Exception) -> str | None:
    """Return the database's own primary message, without the row values that its detail may carry."""
    psycopg = sys.modules.get("psycopg")
    cause = getattr(error, "orig", error)  # SQLAlchemy wraps the driver's error
    if psycopg is None or not isinstance(cause, psycopg.Error):
        return None
    told = cause.diag.message_primary or str(cause).strip().partition("\n")[0]
    return f"the database refused: {one_line(told)}"


def _unforeseen(error: Exception) -> str:
    """Return type and place of a fault of our own; its message could hold anything, so it stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"a fault in Menpai itself ({type(error).__name__}{place}); MENPAI_DEBUG=1 shows where it comes from."
