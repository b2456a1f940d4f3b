"""The private PostgreSQL with PostGIS under MENPAI_VAR: find its programs, make it, run it, stop it.

Standard library only, and no other module of Menpai: the set-up loads this file with a bare python3, before anything is installed.
"""

import fcntl
import hashlib
import os
import platform
import pwd
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import TextIO

OLDEST_MAJOR = 15
"""MERGE, NULLS NOT DISTINCT and security_invoker views came with PostgreSQL 15."""
SUPERUSER = "menpai"
PORT = 5432
"""Only names the socket's file: nothing listens on TCP, so no port can clash."""
PATIENCE_S = 600
"""Crash recovery after a power cut replays up to max_wal_size; giving up half-way would only start it again."""
NOBODYS_PID = 2**31 - 1
"""A process id that no kernel hands out."""
SOCKETS = Path("/tmp")  # noqa: S108 - a socket's path must stay under 108 bytes; _socket_dir checks owner and mode
APART = Path("/var/lib/menpai")
"""Where root puts the data when user postgres cannot reach MENPAI_VAR (a checkout under /root is closed to it)."""

BIN_DIRS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu and PGDG on both
    "/usr/pgsql-*/bin",  # PGDG on Fedora and its kin
    "/usr/bin",  # Fedora's own
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
)
SHARE_DIRS = (
    "../share",  # PGDG on Fedora, conda
    "../share/postgresql",
    "../share/pgsql",  # Fedora's own
    "../../../../share/postgresql/{major}",  # Debian
    "../../../share/postgresql@{major}",  # Homebrew
)
UNPACKED = "packages"
"""Folder of MENPAI_VAR into which the set-up unpacks Debian packages for a user without rights."""

HBA = """\
# Written by Menpai. Whoever can enter the socket's folder (mode 0700) is the owner of the data anyway; nobody else can connect.
local all all trust
"""
CONFIGURATION = """\
# Written by Menpai at every start.
listen_addresses = ''
unix_socket_directories = {socket_dir}
unix_socket_permissions = 0700
port = {port}
max_connections = 100
fsync = on
full_page_writes = on
shared_buffers = {shared_buffers}MB
effective_cache_size = {cache}MB
work_mem = {work_mem}MB
maintenance_work_mem = {maintenance}MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = {timezone}
log_timezone = {timezone}
logging_collector = on
log_directory = {log_dir}
log_filename = 'postgres-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_checkpoints = off
# A failed statement, its parameters and the key it names can hold a person: none of them is written to the log.
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
"""


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
        """Return the environment these programs run in: no PG* settings from outside, English messages, their own libraries."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return plain | {"LC_ALL": "C"} | (_library_paths(self.unpacked) if self.unpacked else {})


@dataclass(frozen=True)
class Cluster:
    """A running private server."""

    socket_dir: Path
    port: int
    data_dir: Path
    version: str
    superuser: str
    programs: Programs = field(repr=False)

    def conninfo(self, database: str, user: str | None = None) -> str:
        """Return the libpq connection string for ``database``; ``user`` defaults to the superuser."""
        words = {"host": str(self.socket_dir), "port": str(self.port), "dbname": database, "user": user or self.superuser}
        return " ".join(f"{name}={_quoted(value)}" for name, value in words.items())

    def tool(self, name: str, *arguments: str, script: str | None = None) -> str:
        """Run one of PostgreSQL's own programs (psql, pg_dump …) as the superuser and return what it printed.

        Raises:
            ClusterError: the program failed; the text is its own last line.
        """
        door = ("-h", str(self.socket_dir), "-p", str(self.port), "-U", self.superuser)
        command = [str(self.programs.bin_dir / name), *door, *arguments]
        done = subprocess.run(  # noqa: S603 - a program found by us, no shell
            command, input=script, env=self.programs.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"{name} failed: {_last_line(done.stderr)}"
            raise ClusterError(message)
        return done.stdout


def start(var: Path) -> Cluster:
    """Return the running server of ``var``, making and starting it where needed.

    Raises:
        ClusterError: no PostGIS is installed, the data belongs to another version or account, or the server does not start.
    """
    with _alone(var):
        return _Server.of(var).start()


def stop(var: Path) -> bool:
    """Stop the server of ``var``; False when none was running.

    Raises:
        ClusterError: the server does not stop, or belongs to another account.
    """
    if not _home(var).exists():
        return False
    with _alone(var):
        return _Server.of(var).stop()


def find(var: Path) -> Cluster | None:
    """Return the server of ``var`` if it is running and takes connections, else None.

    Raises:
        ClusterError: the data belongs to another account, or to a version that is not installed.
    """
    with _told_plainly(var):
        if not _home(var).exists():
            return None
        return _Server.of(var).found()


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
        SystemExit: TERM or HUP arrived, with 128 and its number as the exit code.
    """
    var.mkdir(parents=True, exist_ok=True)
    with _signals_as_exits(), (var / "cluster.users").open("a") as users:
        try:
            with _alone(var):
                fcntl.flock(users, fcntl.LOCK_SH)
                cluster = _Server.of(var).start(supervised=True)
            yield cluster
        finally:
            with _signals_ignored(), _alone(var):
                server = _Server.of(var)
                if server.supervised.exists() and _is_last(users):
                    server.stop()


def installations(var: Path) -> list[Programs]:
    """Return every installation that has PostGIS, newest major first, the system's before those unpacked under ``var``."""
    unpacked = var.absolute() / UNPACKED
    own = [(path, unpacked) for path in sorted(unpacked.glob("usr/lib/postgresql/*/bin"))]
    found = {path.resolve(): _programs(path, root) for path, root in chain(((path, None) for path in _bin_dirs()), own)}
    fit = [programs for programs in found.values() if programs and programs.major >= OLDEST_MAJOR]
    return sorted(fit, key=lambda programs: -programs.major)


def made_by(var: Path) -> int | None:
    """Return the major version of PostgreSQL that made the data of ``var``; None when there is no data yet.

    Raises:
        ClusterError: the data belongs to another account.
    """
    with _told_plainly(var):
        label = _home(var) / "data" / "PG_VERSION"
        return int(label.read_text()) if label.exists() else None


@dataclass(frozen=True)
class _Account:
    """Who runs the server; ``change`` is None when that is ourselves."""

    uid: int
    gid: int
    change: bool

    def give(self, path: Path) -> None:
        if self.change:
            os.chown(path, self.uid, self.gid)

    def run(self, command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, in no terminal's process group: Ctrl-C reaches us alone."""
        uid, gid, groups = (self.uid, self.gid, list[int]()) if self.change else (None, None, None)
        with Path(os.devnull).open("r+") as nothing:
            return subprocess.run(  # noqa: S603 - a program found by us, no shell
                command,
                stdin=nothing,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env=environment,
                user=uid,
                group=gid,
                extra_groups=groups,
                start_new_session=True,
            )


@dataclass(frozen=True)
class _Server:
    """The server of one MENPAI_VAR, running or not."""

    home: Path
    account: _Account
    programs: Programs

    @classmethod
    def of(cls, var: Path) -> "_Server":
        """Look the server of ``var`` up; its home is made where it is missing."""
        home = _home(var)
        made = made_by(var)
        programs = _fitting(var, made)
        account = _account(home)
        if not home.exists():
            home = _new_home(var, account)
        return cls(home.resolve(), account, programs)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def supervised(self) -> Path:
        """A mark: the server was started by ``running``, so the last to leave ``running`` stops it."""
        return self.home / "supervised"

    def start(self, *, supervised: bool = False) -> Cluster:
        self._until_settled()
        cluster = self.found()
        if cluster is None:
            self._move_half_made()
            if not self.data.exists():
                self._make()
            cluster = self._launch()
            self.supervised.touch() if supervised else self.supervised.unlink(missing_ok=True)
        return cluster

    def stop(self) -> bool:
        there = self._is_running()
        if there:
            self._control("stop", "-m", "fast")
        self.supervised.unlink(missing_ok=True)
        return there

    def found(self) -> Cluster | None:
        lines = self._pid_file()
        if len(lines) <= _STATUS or lines[_STATUS].strip() != "ready" or not self._is_running():
            return None
        return Cluster(Path(lines[_SOCKET_DIR]), int(lines[_PORT]), self.data, self.programs.version, SUPERUSER, self.programs)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_running(self) -> bool:
        lines = self._pid_file()
        return bool(lines) and lines[0].isdigit() and _serves(int(lines[0]), self.data)

    def _until_settled(self) -> None:
        """Wait while a server that somebody else started or stopped is on its way up or down."""
        limit = time.monotonic() + PATIENCE_S
        while self._is_running() and not self.found():
            if time.monotonic() > limit:
                message = f"The server of {self.data} is still neither up nor down after {PATIENCE_S} s; see {self.home / 'log'}."
                raise ClusterError(message)
            time.sleep(0.1)

    def _move_half_made(self) -> None:
        """Move what an interrupted initdb left out of the way; nothing is deleted."""
        whole = all((self.data / name).exists() for name in ("PG_VERSION", "global/pg_control", "menpai.conf"))
        for path in (self.home / "data.making", *(() if whole else (self.data,))):
            if path.exists():
                path.rename(path.with_name(f"half-made-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"))

    def _make(self) -> None:
        """Make the data directory beside its place, so that it stands there whole or not at all."""
        making = self.home / "data.making"
        command = [str(self.programs.bin_dir / "initdb"), "-D", str(making), "-U", SUPERUSER, "--encoding=UTF8"]
        command += ["--auth-local=trust", "--auth-host=reject", "--data-checksums"]
        for locale in ("C.UTF-8", "C"):  # macOS has no C.UTF-8
            done = self.account.run([*command, f"--locale={locale}"], self.programs.environment())
            if done.returncode == 0 or "locale name" not in done.stdout:
                break
        if done.returncode:
            message = f"initdb could not make {self.data}: {_last_line(done.stdout)}."
            raise ClusterError(message)
        self._write(making / "pg_hba.conf", HBA)
        self._write(making / "menpai.conf", "")
        with (making / "postgresql.conf").open("a") as main:
            main.write("\ninclude 'menpai.conf'\n")
        making.rename(self.data)

    def _launch(self) -> Cluster:
        socket_dir = self._socket_dir()
        self._write(self.data / "menpai.conf", self._configuration(socket_dir))
        for lock in (self.data / "postmaster.pid", socket_dir / f".s.PGSQL.{PORT}.lock"):
            _disown(lock)
        self._control("start")
        cluster = self.found()
        if cluster is None:
            message = f"The server of {self.data} went down again as soon as it was up; see {self.home / 'log'}."
            raise ClusterError(message)
        return cluster

    def _control(self, verb: str, *options: str) -> None:
        """Run pg_ctl; backends of a killed server that are still at work are waited for."""
        command = [str(self.programs.bin_dir / "pg_ctl"), verb, "-D", str(self.data), "-s", "-w", "-t", str(PATIENCE_S)]
        command += [*options, *(("-l", str(self.home / "start.log")) if verb == "start" else ())]
        limit = time.monotonic() + 60
        while (done := self.account.run(command, self.programs.environment())).returncode:
            why = self._why() or _last_line(done.stdout)
            if "still in use" not in why or time.monotonic() > limit:
                message = f"PostgreSQL did not {verb}: {why}. Its log is in {self.home}."
                raise ClusterError(message)
            time.sleep(0.5)

    def _why(self) -> str:
        """Return the last complaint in the server's own words."""
        logs = sorted((self.home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)[-1:]
        for log in (self.home / "start.log", *logs):
            lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
            complaints = [line for line in lines if re.search(r"\b(FATAL|PANIC)\b|could not|error while loading", line)]
            if complaints:
                return re.sub(r"^.*?(FATAL|PANIC):\s*", "", complaints[-1]).strip()
        return ""

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        self.account.give(path)

    def _socket_dir(self) -> Path:
        """Make the socket's folder, or see that the one there is ours and closed to others."""
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:10]
        path = SOCKETS / f"menpai-{self.account.uid}-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {self.account.uid, os.geteuid()}:
            message = f"{path} belongs to somebody else; remove it and start again."
            raise ClusterError(message)
        self.account.give(path)
        path.chmod(0o700)
        return path

    def _configuration(self, socket_dir: Path) -> str:
        memory = _memory_mib()
        log_dir = self.home / "log"
        log_dir.mkdir(mode=0o700, exist_ok=True)
        self.account.give(log_dir)
        return CONFIGURATION.format(
            socket_dir=_configured(socket_dir),
            port=PORT,
            shared_buffers=_between(128, memory // 8, 4096),
            cache=memory // 2,
            work_mem=_between(4, memory // 512, 64),
            maintenance=_between(64, memory // 32, 1024),
            timezone=_configured(self._timezone()),
            log_dir=_configured(log_dir),
        )

    def _timezone(self) -> str:
        """China's time; by rule where unpacked programs find no zone files in their system place."""
        zone_files = Path("/usr/share/zoneinfo/Asia/Shanghai")
        return "Asia/Shanghai" if zone_files.exists() or not self.programs.unpacked else "<+08>-08"


_PORT, _SOCKET_DIR, _STATUS = 3, 4, 7
"""Lines of postmaster.pid, counted from 0."""


def _bin_dirs() -> Iterator[Path]:
    for pattern in BIN_DIRS:
        yield from sorted(Path("/").glob(pattern[1:]))
    if "CONDA_PREFIX" in os.environ:
        yield Path(os.environ["CONDA_PREFIX"]) / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _programs(bin_dir: Path, unpacked: Path | None) -> Programs | None:
    """Return the programs of ``bin_dir``, or None where a part or PostGIS is missing."""
    if not all((bin_dir / name).exists() for name in ("postgres", "initdb", "pg_ctl", "psql", "createdb")):
        return None
    programs = Programs(bin_dir, "0", unpacked)
    command = [str(bin_dir / "postgres"), "--version"]
    told = subprocess.run(command, env=programs.environment(), capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"\(PostgreSQL\) (\S+)", told.stdout)
    if told.returncode or not version:
        return None
    programs = Programs(bin_dir, version[1], unpacked)
    shares = [bin_dir / share.format(major=programs.major) for share in SHARE_DIRS]
    return programs if any((share / "extension" / "postgis.control").exists() for share in shares) else None


def _fitting(var: Path, made: int | None) -> Programs:
    found = installations(var)
    for programs in found:
        if made in {None, programs.major}:
            return programs
    if made is None:
        message = "No PostgreSQL with PostGIS was found: run “make run” once to install it, or set MENPAI_DATABASE_URL to a PostGIS of your own."
    else:
        others = ", ".join(str(programs.major) for programs in found) or "none"
        message = (
            f"The register in {_home(var)} was made by PostgreSQL {made}, and this machine has PostGIS for {others}: "
            f"install postgresql-{made}-postgis-3, or set MENPAI_VAR to another folder."
        )
    raise ClusterError(message)


def _library_paths(root: Path) -> dict[str, str]:
    """Return where unpacked programs find what the packaging system would have linked into place."""
    libraries = sorted((root / "usr" / "lib").glob(f"{platform.machine()}-*")) or sorted((root / "usr" / "lib").glob("*-linux-gnu*"))
    paths = [folder / part for folder in libraries for part in ("", "blas", "lapack")]
    return {
        "LD_LIBRARY_PATH": ":".join(str(path) for path in paths),
        "PROJ_DATA": str(root / "usr" / "share" / "proj"),
        "GDAL_DATA": str(root / "usr" / "share" / "gdal"),
    }


def _home(var: Path) -> Path:
    """Return the cluster's folder; where it is a link, root put the data apart."""
    return var.resolve() / "postgres"


def _new_home(var: Path, account: _Account) -> Path:
    home = _home(var)
    if account.change and not _reaches(account, home.parent):
        name = hashlib.sha256(str(home).encode()).hexdigest()[:10]
        apart = APART / name
        apart.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not home.is_symlink():
            home.symlink_to(apart)
    home.resolve().mkdir(mode=0o700, exist_ok=True)
    account.give(home.resolve())
    return home


def _reaches(account: _Account, folder: Path) -> bool:
    return account.run(["/usr/bin/test", "-x", str(folder)], {}).returncode == 0


def _account(home: Path) -> _Account:
    """Return who runs the server: ourselves, or for root the owner of the data, at first user postgres."""
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid(), change=False)
    try:
        owner = pwd.getpwuid(home.stat().st_uid) if home.exists() else pwd.getpwnam("postgres")
    except KeyError:
        message = "PostgreSQL refuses to run as root: make it an account with “useradd --system postgres”, or run Menpai as an ordinary user."
        raise ClusterError(message) from None
    if owner.pw_uid == 0:
        message = f"{home} belongs to root, and PostgreSQL refuses to run as root: type “chown -R postgres: {home}”."
        raise ClusterError(message)
    return _Account(owner.pw_uid, owner.pw_gid, change=True)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether process ``pid`` is a live server on ``data``: ids are reused, and dead processes linger as zombies."""
    facts = Path("/proc") / str(pid)
    if not Path("/proc/self/cmdline").exists():
        told = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return str(data) in told.stdout and "postgres" in told.stdout
    try:
        arguments = (facts / "cmdline").read_bytes().split(b"\0")  # a zombie has none
        if str(data).encode() in arguments:
            return b"postgres" in arguments[0]
        return b"postgres" in arguments[0] and (facts / "cwd").readlink() == data
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # gone, or another account's: the data is ours, so its server would be too


def _disown(lock: Path) -> None:
    """Rewrite the process id in a lock file whose server is known to be gone, where that id lives on as something else.

    The file itself stays: its shared-memory key is PostgreSQL's guard against orphaned backends.
    """
    try:
        lines = lock.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    lock.write_text("".join([f"{NOBODYS_PID}\n", *lines[1:]]))


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Hold the lock that keeps two starts, or a start and a stop, apart; it ends with the process that holds it."""
    with _told_plainly(var):
        var.mkdir(parents=True, exist_ok=True)
        with (var / "cluster.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _told_plainly(var: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        message = f"{error.filename} belongs to another account: run Menpai as the account that made {var}, or set MENPAI_VAR to a folder of your own."
        raise ClusterError(message) from error


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

    with _handled(leave, (signal.SIGTERM, signal.SIGHUP)):
        yield


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let nobody's second Ctrl-C leave the server half stopped."""
    with _handled(lambda _number, _frame: None, (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)):
        yield


@contextmanager
def _handled(handler: "signal._HANDLER", numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
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


def _memory_mib() -> int:
    """Return this machine's memory, or the part of it that its container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    words = limit.read_text().strip() if limit.exists() else ""
    return min(memory, int(words)) // 2**20 if words.isdigit() else memory // 2**20


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _quoted(value: str) -> str:
    """Quote a value for a libpq connection string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _configured(value: object) -> str:
    """Quote a value for postgresql.conf."""
    return "'" + str(value).replace("'", "''") + "'"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
