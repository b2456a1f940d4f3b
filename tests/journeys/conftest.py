"""A register of a journey's own, which it may kill."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import loading
from gis import settings
from gis.store import cluster, postmaster, programs, schema, session


@pytest.fixture
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a MENPAI_VAR with a server and a register of the test's own, which it may kill."""
    unpacked = settings.read().var / programs.UNPACKED
    if unpacked.exists():
        (tmp_path / programs.UNPACKED).symlink_to(unpacked)
    session.forget()
    monkeypatch.setenv("MENPAI_VAR", str(tmp_path))
    monkeypatch.delenv("MENPAI_DATABASE_URL", raising=False)
    monkeypatch.delenv("MENPAI_KEY_FILE", raising=False)
    cluster.create_database(cluster.start(tmp_path), session.DATABASE)
    schema.upgrade()
    loading.load_reference()
    yield tmp_path
    session.forget()
    cluster.stop(tmp_path)
    home = programs.home(tmp_path)
    shutil.rmtree(home.resolve())
    shutil.rmtree(next(postmaster.SOCKETS.glob(f"menpai-*-{postmaster.mark(home.resolve())}")), ignore_errors=True)
