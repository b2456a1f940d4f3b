"""The HTTP server itself: a socket, workers, and an end that closes everything."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import URL, make_url

from gis import settings
from gis.errors import BadArgument, DatabaseUnreachable
from gis.store import cluster, schema, session

PORTS_TRIED = 50
WORKER_WAITS_S = 3
"""The service starts first; the worker has a compiler to load."""
APPLICATION = "api.app:create"
STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
QUIETLY: dict[str, Any] = {
    "factory": True,
    "log_level": "warning",
    "access_log": False,  # a line for each request would be a record of who looked at what
    "server_header": False,
    "proxy_headers": False,
    "ws": "none",
    "lifespan": "off",
    "timeout_graceful_shutdown": 5,
}


def open_socket(host: str, port: int, *, search: bool) -> socket.socket:
    """Return a bound socket; with ``search`` a busy port gives way to the next one.

    Raises BadArgument where no port is free, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + (PORTS_TRIED if search else 1), 65_536)):
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # what it accepts inherits this; without it each answer waits 40 ms for the other side's acknowledgement
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            bound.bind((host, candidate))
            bound.listen(2048)  # another could still take a port that is only bound
        except OSError as error:
            bound.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise BadArgument(why=f"{host} is no address of this machine ({error.strerror})") from error
        else:
            return bound
    raise BadArgument(why=f"port {port} on {host} is busy or closed to you; name another with --port")


def url_of(bound: socket.socket) -> str:
    """Return the address a browser on this machine opens."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(bound: socket.socket) -> None:
    """Serve in this process until TERM, HUP or Ctrl-C; requests under way are finished first."""
    settle_database()
    log_in_as_service()
    server = uvicorn.Server(uvicorn.Config(APPLICATION, **QUIETLY))
    with _stopped_by_signals(server):
        server.run(sockets=[bound])
    session.forget()


def serve_with_workers(bound: socket.socket, workers: int) -> None:
    """Serve in several processes that share a socket; uvicorn looks after them."""
    settle_database()
    log_in_as_service()
    uvicorn.run(APPLICATION, fd=bound.fileno(), workers=workers, **QUIETLY)


@contextmanager
def worker() -> Iterator[None]:
    """Keep a worker for plans beside the service; one that dies is started again a little later.

    It is a process of its own, with the administrator's log-in: the service's may see no exact sum.
    """
    settle_database()
    command = [sys.executable, "-P", "-m", "api.cli", "work", "--with-parent"]
    environment = dict(os.environ)
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stopping.wait(WORKER_WAITS_S):
            running[:] = [subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)]  # noqa: S603 - our own program
            running[0].wait()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
        keeper.join(10)


def log_in_as_service() -> None:
    """Let this process and its workers reach the private server by the log-in that owns nothing.

    Whoever names a server of their own names the log-in too; there it is the administrator's word that counts.
    """
    here = settings.read()
    running = cluster.find(here.var)
    url = make_url(str(here.database_url))
    if running is None or url.query.get("host") != str(running.socket_dir) or url.username != running.superuser:
        return
    session.forget()
    service = url.set(username=f"{url.database}_{schema.SERVICE}")
    os.environ["MENPAI_DATABASE_URL"] = service.render_as_string(hide_password=False)


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let TERM, HUP and Ctrl-C ask the server to end, and nothing more: what runs around it closes in order.

    A signal that is ignored already (nohup) stays so.
    """
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, server.handle_exit)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settle_database() -> None:
    """Name the database once for this process and its workers: looking for the private server takes 20 ms a time.

    Raises DatabaseUnreachable.
    """
    here = settings.read()
    if here.database_url is not None:
        return
    running = cluster.find(here.var)
    if running is None:
        raise DatabaseUnreachable(why=f"no server runs under {here.var}")
    place = {"host": str(running.socket_dir), "port": str(running.port)}
    url = URL.create("postgresql", username=running.superuser, database=session.DATABASE, query=place)
    os.environ["MENPAI_DATABASE_URL"] = url.render_as_string()
