"""The private PostgreSQL with PostGIS under MENPAI_VAR: find it, start it, stop it, keep it for as long as it is used.

Standard library only. Every start and stop holds one lock, so that two of them never meet.
"""

import fcntl
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from gis.store.postmaster import Cluster, Server
from gis.store.programs import ClusterError, home, told_plainly

__all__ = ["Cluster", "ClusterError", "create_database", "find", "running", "start", "stop"]


def start(var: Path) -> Cluster:
    """Return the running server of ``var``, making and starting it where needed.

    Raises:
        ClusterError: PostGIS is missing, the data belongs to another version or account, or the server does not start.
    """
    with _alone(var):
        return Server.of(var).start()


def stop(var: Path) -> bool:
    """Stop the server of ``var``; False when none was running.

    Raises:
        ClusterError: the server does not stop, or belongs to another account.
    """
    if not _is_made(var):
        return False
    with _alone(var):
        return Server.of(var).stop()


def find(var: Path) -> Cluster | None:
    """Return the server of ``var`` if it is running and takes connections, else None.

    Raises:
        ClusterError: the data belongs to another account, or to a version that is not installed.
    """
    with told_plainly(var):
        return Server.of(var).found() if _is_made(var) else None


def create_database(cluster: Cluster, name: str) -> None:
    """Make the database ``name`` unless it is there.

    Raises:
        ClusterError: the server refuses.
    """
    there = "SELECT count(*) FROM pg_database WHERE datname = :'name'"
    if cluster.tool("psql", "-XAtq", "-d", "postgres", "-v", f"name={name}", script=there).strip() == "1":
        return
    try:
        cluster.tool("createdb", "--template=template0", "--encoding=UTF8", name)
    except ClusterError as error:
        if "already exists" not in str(error):  # somebody else made it in this very moment
            raise


@contextmanager
def running(var: Path) -> Iterator[Cluster]:
    """Keep the server of ``var`` running for the body of a ``with``; TERM and HUP leave that body as Ctrl-C does.

    The last of several users stops the server. One left behind by a killed user is taken over; one started with
    ``start`` alone (``menpai up``) stays.

    Raises:
        ClusterError: as for ``start``.
        SystemExit: TERM or HUP arrived; the exit code is 128 and its number.
    """
    with _signals_as_exits(), _users_list(var) as users:
        try:
            with _alone(var):
                fcntl.flock(users, fcntl.LOCK_SH)
                cluster = Server.of(var).start(supervised=True)
            yield cluster
        finally:
            with _signals_ignored(), _alone(var):
                server = Server.of(var)
                if server.supervised.exists() and _is_last(users):
                    server.stop()


def _is_made(var: Path) -> bool:
    with told_plainly(var):
        return (home(var) / "data").exists()


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Hold the lock that keeps two starts, or a start and a stop, apart; it ends with the process that holds it."""
    with told_plainly(var):
        var.mkdir(parents=True, exist_ok=True)
        with (var / "cluster.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _users_list(var: Path) -> Iterator[TextIO]:
    """Open the file whose shared locks count the users of ``running``."""
    with told_plainly(var):
        var.mkdir(parents=True, exist_ok=True)
        users = (var / "cluster.users").open("a")
    with users:
        yield users


def _is_last(users: TextIO) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _signals_as_exits() -> Iterator[None]:
    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handled(leave, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let nobody's second Ctrl-C leave the server half stopped."""
    with _handled(lambda _number, _frame: None, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        yield


@contextmanager
def _handled(handler: "signal._HANDLER", *numbers: signal.Signals) -> Iterator[None]:
    """Handle signals for a while; one that is ignored already (nohup) stays so, and threads have no say in them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, handler)
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])
