"""PostgreSQL's programs: which installations on this machine have PostGIS, and how each is to be run.

Standard library only, and no other module of Menpai: the set-up loads this file with a bare python3, before anything
is installed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
"""MERGE, NULLS NOT DISTINCT and security_invoker views came with PostgreSQL 15."""
UNPACKED = "packages"
"""Folder of MENPAI_VAR into which the set-up unpacks Debian packages for a user without rights."""
BIN_DIRS = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu and PGDG on both
    "usr/pgsql-*/bin",  # PGDG on Fedora and its kin
    "usr/bin",  # Fedora's own
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
)
SHARE_DIRS = (
    "../share",  # PGDG on Fedora, conda
    "../share/postgresql",
    "../share/pgsql",  # Fedora's own
    "../../../../share/postgresql/{major}",  # Debian
    "../../../share/postgresql@{major}",  # Homebrew
)
NEEDED = ("postgres", "initdb", "pg_ctl", "psql", "createdb")


class ClusterError(Exception):
    """The private server cannot do what was asked; the text says in one sentence why, and what to do."""


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL that has PostGIS."""

    bin_dir: Path
    version: str
    unpacked: Path | None = None
    """Root of the packages unpacked by the set-up, when these programs are among them."""

    @property
    def major(self) -> int:
        """Major version: data directories of different majors do not fit each other."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def environment(self) -> dict[str, str]:
        """Return what these programs run in: no PG* settings from outside, English messages, their own libraries."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return plain | {"LC_ALL": "C"} | (_relocated(self.unpacked) if self.unpacked else {})


def installations(var: Path) -> list[Programs]:
    """Return every installation with PostGIS, newest major first, the system's before those unpacked under ``var``."""
    unpacked = var.absolute() / UNPACKED
    places: list[tuple[Path, Path | None]] = [(bin_dir, None) for bin_dir in _bin_dirs()]
    places += [(bin_dir, unpacked) for bin_dir in sorted(unpacked.glob(BIN_DIRS[0]))]
    once = {bin_dir.resolve(): (bin_dir, root) for bin_dir, root in reversed(places)}
    found = [_look_at(bin_dir, root) for bin_dir, root in reversed(once.values())]
    fit = [programs for programs in found if programs and programs.major >= OLDEST_MAJOR]
    return sorted(fit, key=lambda programs: -programs.major)


def home(var: Path) -> Path:
    """Return the folder of the private server; where it is a link, root put the data apart."""
    return var.resolve() / "postgres"


def made_by(var: Path) -> int | None:
    """Return the major version of PostgreSQL that made the data of ``var``; None when there is no data yet.

    Raises:
        ClusterError: the data belongs to another account.
    """
    with told_plainly(var):
        label = home(var) / "data" / "PG_VERSION"
        return int(label.read_text()) if label.exists() else None


def fitting(var: Path) -> Programs:
    """Return the newest installation, or the one that fits the data of ``var``.

    Raises:
        ClusterError: nothing fits; the text says what to install.
    """
    made, found = made_by(var), installations(var)
    for programs in found:
        if made in {None, programs.major}:
            return programs
    if made is None:
        message = (
            "No PostgreSQL with PostGIS was found: run “make run” once to install it, "
            "or set MENPAI_DATABASE_URL to a PostGIS of your own."
        )
    else:
        others = ", ".join(str(programs.major) for programs in found) or "none"
        message = (
            f"The register in {home(var)} was made by PostgreSQL {made}, and this machine has PostGIS for {others}: "
            f"install postgresql-{made}-postgis-3, or set MENPAI_VAR to another folder."
        )
    raise ClusterError(message)


@contextmanager
def told_plainly(var: Path) -> Iterator[None]:
    """Tell of a refused file access in words."""
    try:
        yield
    except PermissionError as error:
        message = (
            f"{error.filename} belongs to another account: run Menpai as the account that made {var}, "
            "or set MENPAI_VAR to a folder of your own."
        )
        raise ClusterError(message) from error


def _bin_dirs() -> Iterator[Path]:
    for pattern in BIN_DIRS:
        yield from sorted(Path("/").glob(pattern))
    if "CONDA_PREFIX" in os.environ:
        yield Path(os.environ["CONDA_PREFIX"]) / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _look_at(bin_dir: Path, unpacked: Path | None) -> Programs | None:
    """Return the programs of ``bin_dir``, or None where a part or PostGIS is missing."""
    if not all((bin_dir / name).exists() for name in NEEDED):
        return None
    command = [str(bin_dir / "postgres"), "--version"]
    environment = Programs(bin_dir, "0", unpacked).environment()
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    version = re.search(r"\(PostgreSQL\) (\S+)", told.stdout)
    if told.returncode or not version:
        return None
    programs = Programs(bin_dir, version[1], unpacked)
    shares = [bin_dir / share.format(major=programs.major) for share in SHARE_DIRS]
    return programs if any((share / "extension" / "postgis.control").exists() for share in shares) else None


def _relocated(root: Path) -> dict[str, str]:
    """Return where unpacked programs find what the packaging system would have linked into place."""
    libraries = [folder for lib in ("usr/lib", "lib") for folder in sorted(root.glob(f"{lib}/*-linux-gnu*"))]
    return {
        "LD_LIBRARY_PATH": ":".join(str(folder / part) for folder in libraries for part in ("", "blas", "lapack")),
        "PROJ_DATA": str(root / "usr" / "share" / "proj"),
        "GDAL_DATA": str(root / "usr" / "share" / "gdal"),
    }
