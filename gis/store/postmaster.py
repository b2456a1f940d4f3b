"""The server process of the private cluster: its data directory, its configuration, its account, its start and stop.

It listens on a unix socket in a folder closed to others, never on TCP, and never runs as root. Standard library only;
whoever calls this holds the lock of gis.store.cluster.
"""

import hashlib
import os
import pwd
import re
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from gis.store.programs import ClusterError, Programs, fitting, home

SUPERUSER = "menpai"
PORT = 5432
"""Only names the socket's file: nothing listens on TCP, so no port can clash."""
PATIENCE_S = 600
"""Crash recovery after a power cut replays up to max_wal_size; giving up half-way would only start it again."""
NOBODYS_PID = 2**31 - 1
"""A process id that no kernel hands out."""
SOCKETS = Path("/tmp")  # noqa: S108 - a socket's path must stay short; _socket_dir checks owner and mode
APART = Path("/var/lib/menpai")
"""Where root puts the data when user postgres cannot reach MENPAI_VAR (a checkout under /root is closed to it)."""
_PORT, _SOCKET_DIR, _STATUS = 3, 4, 7
"""Lines of postmaster.pid, counted from 0."""

HBA = """\
# Written by Menpai. Only the account that owns the data can enter the socket's folder (mode 0700).
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
        words = {"host": self.socket_dir, "port": self.port, "dbname": database, "user": user or self.superuser}
        return " ".join(f"{name}={_quoted(value)}" for name, value in words.items())

    def tool(self, name: str, *arguments: str, script: str = "") -> str:
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


@dataclass(frozen=True)
class Account:
    """Who runs the server: ourselves, unless ``is_other``."""

    uid: int
    gid: int
    is_other: bool

    def give(self, path: Path) -> None:
        """Make this account the owner of ``path``."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def write(self, path: Path, text: str) -> None:
        """Write a file that this account can read."""
        path.write_text(text)
        self.give(path)

    def run(self, command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, outside the terminal's process group: Ctrl-C reaches us alone."""
        return subprocess.run(  # noqa: S603 - a program found by us, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env=environment,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Server:
    """The server of one MENPAI_VAR, running or not."""

    home: Path
    account: Account
    programs: Programs

    @classmethod
    def of(cls, var: Path) -> "Server":
        """Look the server of ``var`` up; its folder is made where it is missing.

        Raises:
            ClusterError: PostGIS or an account for the server is missing.
        """
        programs = fitting(var)
        account = _account(home(var))
        return cls(_made_home(var, account), account, programs)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def supervised(self) -> Path:
        """A mark: the server was started by ``running``, so the last to leave ``running`` stops it."""
        return self.home / "supervised"

    def start(self, *, supervised: bool = False) -> Cluster:
        """Return the server, running; ``supervised`` marks one that this call had to start.

        Raises:
            ClusterError: it cannot be made or does not start.
        """
        self._await_change()
        cluster = self.found()
        if cluster is None:
            self._move_half_made()
            if not self.data.exists():
                self._make()
            self.supervised.touch() if supervised else self.supervised.unlink(missing_ok=True)
            cluster = self._launch()
        return cluster

    def stop(self) -> bool:
        """Stop the server; False when it was not running.

        Raises:
            ClusterError: it does not stop.
        """
        was_running = self._is_running()
        if was_running:
            self._control("stop", "-m", "fast")
        self.supervised.unlink(missing_ok=True)
        return was_running

    def found(self) -> Cluster | None:
        """Return the server if it takes connections."""
        lines = self._pid_file()
        if len(lines) <= _STATUS or lines[_STATUS].strip() != "ready" or not self._is_running():
            return None
        socket_dir, port = Path(lines[_SOCKET_DIR]), int(lines[_PORT])
        return Cluster(socket_dir, port, self.data, self.programs.version, SUPERUSER, self.programs)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_running(self) -> bool:
        lines = self._pid_file()
        return bool(lines) and lines[0].isdigit() and _serves(int(lines[0]), self.data)

    def _await_change(self) -> None:
        """Wait while a server that somebody else started or stopped is on its way up or down."""
        limit = time.monotonic() + PATIENCE_S
        while self._is_running() and not self.found():
            if time.monotonic() > limit:
                message = f"The server of {self.data} is still neither up nor down; see {self.home / 'log'}."
                raise ClusterError(message)
            time.sleep(0.1)

    def _move_half_made(self) -> None:
        """Move what an interrupted initdb left out of the way; nothing is deleted."""
        whole = all((self.data / name).exists() for name in ("PG_VERSION", "global/pg_control", "menpai.conf"))
        for path in (self.home / "data.making", *(() if whole else (self.data,))):
            if path.exists():
                path.rename(self.home / f"half-made-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}")

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
        self.account.write(making / "pg_hba.conf", HBA)
        self.account.write(making / "menpai.conf", "")
        with (making / "postgresql.conf").open("a") as main:
            main.write("\ninclude 'menpai.conf'\n")
        making.rename(self.data)

    def _launch(self) -> Cluster:
        socket_dir = self._socket_dir()
        self.account.write(self.data / "menpai.conf", self._configuration(socket_dir))
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
        while True:
            (self.home / "start.log").unlink(missing_ok=True)
            done = self.account.run(command, self.programs.environment())
            if done.returncode == 0:
                return
            why = self._why() or _last_line(done.stdout)
            if "still in use" not in why or time.monotonic() > limit:
                message = f"PostgreSQL did not {verb}: {why}. Its log is in {self.home}."
                raise ClusterError(message)
            time.sleep(0.5)

    def _why(self) -> str:
        """Return the server's own last complaint: before its log is open it speaks to start.log."""
        logs = sorted((self.home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)[-1:]
        for log in (self.home / "start.log", *logs):
            lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
            complaints = [line for line in lines if re.search(r"\b(FATAL|PANIC)\b|could not|error while loading", line)]
            if complaints:
                return re.sub(r"^.*?(FATAL|PANIC):\s*", "", complaints[-1]).strip()
        return ""

    def _socket_dir(self) -> Path:
        """Make the socket's folder, or see that the one there is ours and closed to others."""
        path = SOCKETS / f"menpai-{self.account.uid}-{mark(self.home)}"
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
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


def _made_home(var: Path, account: Account) -> Path:
    place = home(var)
    if account.is_other and not place.is_symlink() and not place.exists() and not _reaches(account, place.parent):
        place.symlink_to(_free_place_apart(place))
    folder = place.resolve()
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        account.give(folder)
    return folder


def _free_place_apart(place: Path) -> Path:
    """Return a folder that holds no data yet: whoever removed MENPAI_VAR, and the keys in it, begins afresh."""
    APART.mkdir(mode=0o755, parents=True, exist_ok=True)
    names = (f"{mark(place)}-{n}" for n in count(1))
    return next(APART / name for name in names if not (APART / name).exists())


def _reaches(account: Account, folder: Path) -> bool:
    return account.run(["/usr/bin/test", "-x", str(folder)], {}).returncode == 0


def _account(place: Path) -> Account:
    """Return who runs the server: ourselves, or for root the owner of the data, at first user postgres."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_other=False)
    try:
        owner = pwd.getpwuid(place.stat().st_uid) if place.exists() else pwd.getpwnam("postgres")
    except KeyError:
        message = (
            "PostgreSQL refuses to run as root: make it an account with “useradd --system postgres”, "
            "or run Menpai as an ordinary user."
        )
        raise ClusterError(message) from None
    if owner.pw_uid == 0:
        message = f"PostgreSQL refuses to run as root, who owns {place}: type “chown -R postgres: {place}”."
        raise ClusterError(message)
    return Account(owner.pw_uid, owner.pw_gid, is_other=True)


def _serves(pid: int, data: Path) -> bool:
    """Tell whether process ``pid`` is a live server on ``data``: ids are reused, dead processes linger as zombies."""
    facts = Path("/proc") / str(pid)
    if not Path("/proc/self/cmdline").exists():
        command = ["ps", "-p", str(pid), "-o", "args="]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no shell
        return str(data) in told and "postgres" in told
    try:
        arguments = (facts / "cmdline").read_bytes().split(b"\0")  # a zombie has none
        if b"postgres" not in arguments[0]:
            return False
        return str(data).encode() in arguments or (facts / "cwd").readlink() == data
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # gone, or another account's: the data is ours, so its server would be too


def _disown(lock: Path) -> None:
    """Rewrite the process id in the lock file of a server known to be gone: as another process, that id may live on.

    The file itself stays: its shared-memory key is PostgreSQL's guard against orphaned backends.
    """
    try:
        lines = lock.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    lock.write_text("".join([f"{NOBODYS_PID}\n", *lines[1:]]))


def _memory_mib() -> int:
    """Return this machine's memory, or the part of it that its container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    words = limit.read_text().strip() if limit.exists() else ""
    return min(memory, int(words)) // 2**20 if words.isdigit() else memory // 2**20


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def mark(path: Path) -> str:
    """Return a short name for a folder, the same at every start."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]


def _quoted(value: object) -> str:
    """Quote a value for a libpq connection string."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _configured(value: object) -> str:
    """Quote a value for postgresql.conf."""
    return "'" + str(value).replace("'", "''") + "'"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
