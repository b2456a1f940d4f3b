"""Where the set-up works, how it speaks, and how it runs other programs."""

import fcntl
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

CHECKOUT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("MENPAI_VAR") or CHECKOUT / "var").absolute()
LOG = VAR / "set-up.log"
PACKAGES = VAR / "packages"
"""Root of the Debian packages unpacked for a user without rights."""


class SetUpError(Exception):
    """The set-up cannot go on; the text says what the reader can do about it."""


def say(text: str) -> None:
    """Print one short line of progress."""
    print(f"menpai: {text}", file=sys.stderr, flush=True)


def run(command: list[str], environment: Mapping[str, str] | None = None, where: Path = VAR) -> str:
    """Run a program, its words going to the log; return them.

    Raises:
        SetUpError: it failed; the text carries its last lines.
    """
    with LOG.open("a+", errors="replace") as log:
        log.write(f"\n{time.strftime('%F %T')} {' '.join(command)}\n")
        log.flush()
        start = log.tell()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=where,
            env=environment,
        )
        log.seek(start)
        told = log.read()
    if done.returncode:
        last = "\n".join("  " + line for line in told.strip().splitlines()[-8:])
        message = f"{Path(command[0]).name} failed (all of it is in {LOG}):\n{last}"
        raise SetUpError(message)
    return told


@contextmanager
def alone() -> Iterator[None]:
    """Keep two set-ups of the same folder apart; the second waits and then finds everything done.

    Raises:
        SetUpError: the folder belongs to another account.
    """
    try:
        VAR.mkdir(parents=True, exist_ok=True)
        lock = (VAR / "set-up.lock").open("a")
    except PermissionError as error:
        message = (
            f"{error.filename} belongs to another account: run as the account that made {VAR}, "
            "or set MENPAI_VAR to a folder of your own."
        )
        raise SetUpError(message) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work here; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def programs_module() -> ModuleType:
    """Load gis/store/programs.py by its path: its package is not installed yet, and the file needs nothing else.

    Raises:
        SetUpError: the file is not there.
    """
    path = CHECKOUT / "gis" / "store" / "programs.py"
    spec = importlib.util.spec_from_file_location("menpai_programs", path)
    if spec is None or spec.loader is None or not path.exists():
        message = f"{CHECKOUT} is not a whole checkout: {path} is missing."
        raise SetUpError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
