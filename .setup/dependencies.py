"""The Python environment in MENPAI_VAR: made without python3-venv, filled from the hash-locked files in .lock."""

import hashlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from ground import CHECKOUT, PACKAGES, VAR, SetUpError, run, say

VENV = VAR / "venv"
PYTHON = VENV / "bin" / "python"
LOCKS = CHECKOUT / ".lock"
STAMPS = VENV / "menpai-installed"
PIP_PACKAGE = "python3-pip-whl"
"""Debian's package with pip as a wheel, which runs as it is: no python3-venv, no ensurepip."""
LOCK_OPTIONS = (
    *("--universal", "--generate-hashes", "--python-version=3.11"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header", "-q"),
)
LOCKED = {
    "run": "",
    "test": "--group check --group test -c .lock/run.txt",
    "bench": "--group check --group test --group bench -c .lock/test.txt",
}
"""Each lock holds the one before it at the same versions, so that one environment serves them all."""
SCRIPT = """\
#!/bin/sh
'''exec' "{python}" -P "$0" "$@"
' '''
import sys

from api.cli import main

sys.exit(main())
"""


def pip_missing() -> bool:
    """Tell whether pip must be brought here."""
    return _pip_wheel() is None


def provide(group: str) -> None:
    """Install the locked dependencies of ``group``, unless that very lock is installed already.

    Raises:
        SetUpError: a package cannot be fetched, or is not the one that was locked.
    """
    _make_environment()
    lock = LOCKS / f"{group}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = STAMPS / group
    if not (stamp.exists() and stamp.read_text() == digest):
        say(f"installing Python packages (.lock/{group}.txt)")
        stamp.unlink(missing_ok=True)
        _install(lock)
        stamp.write_text(digest)
    _link_checkout()


def lock() -> None:
    """Write the lock files anew from pyproject.toml, keeping what is locked and still fits.

    Raises:
        SetUpError: the requirements contradict each other.
    """
    _make_environment()
    compile_lock = [_uv(), "pip", "compile", "pyproject.toml", *LOCK_OPTIONS]
    for name, options in LOCKED.items():
        say(f"locking .lock/{name}.txt")
        run([*compile_lock, *options.split(), "-o", f".lock/{name}.txt"], _settings(), CHECKOUT)


def _make_environment() -> None:
    """Make the environment, again where its Python has gone or changed, or the folder was moved."""
    made_of = f"{sys.version}\n{VENV}\n"
    mark = STAMPS / "python"
    if mark.exists() and mark.read_text() == made_of and PYTHON.exists():
        return
    say(f"making a Python {sys.version_info[0]}.{sys.version_info[1]} environment in {VENV}")
    if VENV.exists():
        shutil.rmtree(VENV)
    run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    STAMPS.mkdir()
    mark.write_text(made_of)


def _install(lock: Path) -> None:
    """Install with uv, which is quick; with pip where uv does not run or cannot reach its index."""
    try:
        run(
            [_uv(), "pip", "install", "-q", "--python", str(PYTHON), "--require-hashes", "--no-deps", "-r", str(lock)],
            _settings(),
        )
    except SetUpError:
        say("uv did not manage; trying again with pip, which takes longer")
        run([*_pip(), "install", "-q", "--require-hashes", "--no-deps", "-r", str(lock)])


def _uv() -> str:
    uv = VENV / "bin" / "uv"
    lock = LOCKS / "uv.txt"
    if not uv.exists() or lock.read_text().split()[0].partition("==")[2] not in run([str(uv), "--version"]):
        run([*_pip(), "install", "-q", "--require-hashes", "--no-deps", "-r", str(lock)])
    return str(uv)


def _pip() -> list[str]:
    wheel = _pip_wheel()
    if wheel is None:
        message = "pip is missing: type “sudo apt install python3-venv” or your system's like, and start again."
        raise SetUpError(message)
    return [str(PYTHON), f"{wheel}/pip", "--disable-pip-version-check"]


def _pip_wheel() -> Path | None:
    """Return pip as a wheel, from Python itself or from Debian's package."""
    spec = importlib.util.find_spec("ensurepip")
    bundled = [Path(folder) / "_bundled" for folder in spec.submodule_search_locations or []] if spec else []
    for folder in (*bundled, Path("/usr/share/python-wheels"), PACKAGES / "usr" / "share" / "python-wheels"):
        wheels = sorted(folder.glob("pip-*.whl"))
        if wheels:
            return wheels[-1]
    return None


def _settings() -> dict[str, str]:
    """Tell uv, which does not read pip's settings, of the mirror and the certificates that pip was told of."""
    settings = dict(os.environ) | {
        "UV_SYSTEM_CERTS": "1",
        "UV_NO_PROGRESS": "1",
        "UV_COMPILE_BYTECODE": "1",
        "VIRTUAL_ENV": str(VENV),
    }
    told = dict(line.split("=", 1) for line in run([*_pip(), "config", "list"]).splitlines() if "=" in line)
    pip = {name.rpartition(".")[2]: value.strip("'\"") for name, value in told.items()}
    for ours, theirs in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        if theirs in pip:
            settings.setdefault(ours, pip[theirs])
    return settings


def _link_checkout() -> None:
    """Put this checkout on the environment's path, and the command `menpai` beside its python."""
    site = next((VENV / "lib").glob("python3.*")) / "site-packages"
    _write(site / "menpai.pth", f"{CHECKOUT}\n")
    _write(VENV / "bin" / "menpai", SCRIPT.format(python=PYTHON))
    (VENV / "bin" / "menpai").chmod(0o755)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
