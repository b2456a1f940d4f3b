"""The private server survives what happens to servers, and the set-up says plainly what it cannot do."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gis import settings
from gis.store import cluster, postmaster, programs

CHECKOUT = Path(__file__).parents[2]
SUPERVISOR = """
import sys, time
from pathlib import Path
from gis.store import cluster
with cluster.running(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """Yield a MENPAI_VAR of the test's own; its server and its data are gone afterwards."""
    _lend_programs(tmp_path)
    yield tmp_path
    _clear(tmp_path)


def _lend_programs(var: Path) -> None:
    """Let ``var`` find the programs that the set-up unpacked for a user without rights."""
    unpacked = settings.read().var / programs.UNPACKED
    if unpacked.exists():
        (var / programs.UNPACKED).symlink_to(unpacked)


def _clear(var: Path) -> None:
    home = programs.home(var)
    if (home / "data" / "postmaster.pid").exists():
        cluster.stop(var)
    if home.exists():  # root's data lies apart, where user postgres can reach it
        shutil.rmtree(home.resolve())
        shutil.rmtree(next(postmaster.SOCKETS.glob(f"menpai-*-{postmaster.mark(home.resolve())}")), ignore_errors=True)


def _pid(running: cluster.Cluster) -> int:
    return int((running.data_dir / "postmaster.pid").read_text().splitlines()[0])


def _ask(running: cluster.Cluster, question: str) -> str:
    return running.tool("psql", "-XAtq", "-d", "postgres", "-c", question).strip()


def _kill(running: cluster.Cluster) -> None:
    """Kill the server as a power cut would."""
    os.kill(_pid(running), signal.SIGKILL)


@contextmanager
def _supervisor(var: Path) -> Iterator[subprocess.Popen[str]]:
    """Run another process that keeps the server running, and wait until it is up."""
    command = [sys.executable, "-c", SUPERVISOR, str(var)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def test_safe_and_closed_to_others(var: Path) -> None:
    """Data checksums and fsync on, a socket in a closed folder, China's time, and the newest data where it belongs."""
    running = cluster.start(var)
    names = ("data_checksums", "fsync", "listen_addresses", "TimeZone", "server_encoding", "jit", "max_wal_size")
    assert [_ask(running, f"SHOW {name}") for name in names] == [
        "on",
        "on",
        "",
        "Asia/Shanghai",
        "UTF8",
        "off",
        "4GB",
    ]
    assert running.socket_dir.stat().st_mode & 0o7777 == 0o700
    assert running.data_dir.stat().st_mode & 0o7777 == 0o700
    assert cluster.find(var) == running == cluster.start(var)


def test_no_tcp_and_never_root(var: Path) -> None:
    """Whatever the server listens on, none of it is a TCP port; and it is not root who runs it."""
    pid = _pid(cluster.start(var))
    facts = Path(f"/proc/{pid}")
    sockets = {str(fd.readlink()) for fd in (facts / "fd").iterdir()}
    tables = "".join((facts / "net" / name).read_text() for name in ("tcp", "tcp6") if (facts / "net" / name).exists())
    inodes = {f"socket:[{line.split()[9]}]" for line in tables.splitlines() if ":" in line.split()[0]}
    assert not sockets & inodes
    assert facts.stat().st_uid != 0


def test_two_starts_at_once(var: Path) -> None:
    """Both find the same server, and neither fails."""
    command = [
        sys.executable,
        "-c",
        "import sys, pathlib; from gis.store import cluster; cluster.start(pathlib.Path(sys.argv[1]))",
    ]
    with subprocess.Popen([*command, str(var)]) as one, subprocess.Popen([*command, str(var)]) as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert cluster.find(var) is not None


def test_killed_server_recovers(var: Path) -> None:
    """What was committed before ``kill -9`` is there afterwards."""
    running = cluster.start(var)
    _ask(running, "CREATE TABLE kept AS SELECT 7 AS n")
    _kill(running)
    again = cluster.start(var)
    assert _ask(again, "SELECT n FROM kept") == "7"


@pytest.mark.parametrize("kind", ["reused", "zombie"])
def test_process_id_that_lives_on(var: Path, kind: str) -> None:
    """A stale pid file whose number now belongs to another process, or to a zombie, does not keep the server down."""
    running = cluster.start(var)
    socket_lock = running.socket_dir / f".s.PGSQL.{running.port}.lock"
    _kill(running)
    owner = running.data_dir.stat().st_uid
    command = ["sleep", "60"] if kind == "reused" else ["true"]
    with subprocess.Popen(command, user=owner, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        if kind == "zombie":
            stranger.stdout.read()  # it has ended, and nobody has asked how
        for lock in (running.data_dir / "postmaster.pid", socket_lock):
            lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:]]) + "\n")
        assert cluster.find(var) is None
        again = cluster.start(var)
        assert _pid(again) != stranger.pid
        stranger.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_stop_cleanly(var: Path, number: signal.Signals) -> None:
    """TERM, a closed terminal and Ctrl-C each leave no server behind, and no recovery for the next start."""
    with _supervisor(var) as supervisor:
        data = programs.home(var) / "data"
        supervisor.send_signal(number)
        assert supervisor.wait(30) in {128 + number, -number}
    assert not (data / "postmaster.pid").exists()
    assert cluster.find(var) is None


def test_server_of_a_killed_supervisor_is_taken_over(var: Path) -> None:
    """After ``kill -9`` the server goes on; the next to run uses that very server, and stops it in the end."""
    with _supervisor(var) as supervisor:
        pid = _pid(cluster.start(var))
        supervisor.kill()
        supervisor.wait(30)
    with cluster.running(var) as running:
        assert _pid(running) == pid
    assert cluster.find(var) is None


def test_last_user_stops_the_server(var: Path) -> None:
    """Nobody's server goes down under him because somebody else has finished."""
    with _supervisor(var):
        with cluster.running(var):
            pass
        assert cluster.find(var) is not None


def test_started_by_hand_stays(var: Path) -> None:
    """A server from ``menpai up`` outlives a ``make run``; ``menpai down`` stops it once."""
    cluster.start(var)
    with cluster.running(var):
        pass
    assert cluster.find(var) is not None
    assert [cluster.stop(var), cluster.stop(var)] == [True, False]


def test_long_path_with_odd_letters(var: Path) -> None:
    """A socket's path may have 107 bytes; MENPAI_VAR may have more, quotes and Chinese letters."""
    deep = var / "it's a very long way to the register" / ("门牌" * 20)
    deep.mkdir(parents=True)
    _lend_programs(deep)
    running = cluster.start(deep)
    try:
        assert _ask(running, "SELECT 1") == "1"
        assert len(str(running.socket_dir)) < 80
    finally:
        _clear(deep)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data may lie apart from MENPAI_VAR")
def test_removed_var_begins_afresh(var: Path) -> None:
    """Where root's data lies apart, whoever removes MENPAI_VAR does not meet the old data, sealed with lost keys."""
    closed = var / "closed"
    closed.mkdir(mode=0o700)
    before = cluster.start(closed)
    cluster.stop(closed)
    (closed / "postgres").unlink()
    try:
        assert cluster.start(closed).data_dir != before.data_dir
        assert before.data_dir.exists()
    finally:
        _clear(closed)
        shutil.rmtree(before.data_dir.parent)
        shutil.rmtree(before.socket_dir)


def test_half_made_data_is_moved_aside(var: Path) -> None:
    """An interrupted initdb is neither used nor deleted."""
    data = cluster.start(var).data_dir
    cluster.stop(var)
    (data / "global" / "pg_control").unlink()
    (data / "witness").write_text("left by an interrupted start")
    running = cluster.start(var)
    assert _ask(running, "SELECT 1") == "1"
    assert [path.name for path in data.parent.glob("half-made-*/witness")] == ["witness"]


def test_data_of_another_major(var: Path) -> None:
    """Data of a PostgreSQL that is not installed is left alone, and the text says what to install."""
    label = cluster.start(var).data_dir / "PG_VERSION"
    cluster.stop(var)
    label.write_text("11\n")
    with pytest.raises(cluster.ClusterError, match=r"made by PostgreSQL 11.*install postgresql-11-postgis-3"):
        cluster.start(var)
    assert label.read_text() == "11\n"


def test_no_programs(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PostGIS the text names both ways out."""
    monkeypatch.setattr(programs, "BIN_DIRS", ("nowhere/*/bin",))
    monkeypatch.setenv("PATH", str(var))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    with pytest.raises(cluster.ClusterError, match=r"make run.*MENPAI_DATABASE_URL"):
        cluster.start(var)


def test_squatted_socket_folder(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that somebody laid where the socket belongs is not followed."""
    socket_dir = cluster.start(var).socket_dir
    cluster.stop(var)
    shutil.rmtree(socket_dir)
    socket_dir.symlink_to(var)
    monkeypatch.setattr(postmaster, "PATIENCE_S", 5)
    try:
        with pytest.raises(cluster.ClusterError, match="belongs to somebody else"):
            cluster.start(var)
    finally:
        socket_dir.unlink()
        socket_dir.mkdir()  # for the clearing-up


def test_databases(var: Path) -> None:
    """Making a database twice, or twice at once, makes it once; odd names are only names."""
    running = cluster.start(var)
    makers = [threading.Thread(target=cluster.create_database, args=(running, "o'brien")) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    cluster.create_database(running, "o'brien")
    told = running.tool("psql", "-XAtq", running.conninfo("o'brien"), "-c", "SELECT current_database()")
    assert told.strip() == "o'brien"


def test_log_keeps_no_values(var: Path) -> None:
    """A refused statement may carry a person: the log names the fault, not the statement nor the key."""
    running = cluster.start(var)
    _ask(running, "CREATE TABLE people (name text PRIMARY KEY); INSERT INTO people VALUES ('Zhang San')")
    with pytest.raises(cluster.ClusterError):
        _ask(running, "INSERT INTO people VALUES ('Zhang San')")
    logged = "".join(path.read_text() for path in running.data_dir.parent.rglob("*.log"))
    assert "duplicate key" in logged
    assert "Zhang" not in logged


def test_neither_apt_nor_postgis() -> None:
    """A machine that the set-up cannot serve gets the commands to type, in one go and before anything is installed."""
    script = """
import sys
sys.path.insert(0, ".setup")
import debian, errands, ground
ground.programs_module().BIN_DIRS = ("nowhere/*/bin",)
debian.available = lambda: False
errands.main(["run"])
"""
    bare = {"PATH": "/nowhere", "MENPAI_VAR": os.environ.get("MENPAI_VAR") or "var"}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=bare, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    for words in ("apt install", "dnf install", "brew install", "MENPAI_DATABASE_URL"):
        assert words in told.stderr


def test_locks_cover_the_project() -> None:
    """Each dependency that pyproject.toml names is locked at a version that fits, with hashes and without a host."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = {
        "run": project["project"]["dependencies"],
        "test": [*project["project"]["dependencies"], *groups["check"], *groups["test"]],
        "bench": groups["bench"],
    }
    for name, requirements in wanted.items():
        text = (CHECKOUT / ".lock" / f"{name}.txt").read_text()
        locked = dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.+]+)", text, flags=re.MULTILINE))
        missing = [line for line in requirements if not _is_locked(Requirement(line), locked)]
        assert not missing, f".lock/{name}.txt lags behind pyproject.toml: type “python3 .setup lock”"
        assert text.count("--hash=sha256:") >= len(locked)
        assert "://" not in text


def _is_locked(wanted: Requirement, locked: dict[str, str]) -> bool:
    version = locked.get(canonicalize_name(wanted.name))
    return version is not None and wanted.specifier.contains(version)
